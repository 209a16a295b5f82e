#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The image that the QEMU tests boot: baked, and read again with other people's tools.
. "$(dirname "$0")/../tap.sh"
OUT=out/bookworm-vm

check "firstboot is static" sh -c "! readelf -l $ABS_O/firstboot | grep -q INTERP"
check "firstboot is at most 1 MiB" test "$(stat -c %s "$ABS_O/firstboot")" -le 1048576
check "bake images/bookworm-vm" test/bake images/bookworm-vm || finish
check "the digests hold" sh -c "cd $OUT && sha256sum -c --strict SHA256SUMS"

size=$(cat $OUT/vmlinuz $OUT/initrd.img $OUT/root.squashfs | wc -c)
echo "# kernel + initrd + root: $((size / 1048576)) MiB"
check "kernel, initrd and root are at most 160 MiB together" test "$size" -le $((160 * 1048576))

unsquashfs -lls $OUT/root.squashfs >"$WORK/ll" 2>/dev/null || unsquashfs -ll $OUT/root.squashfs >"$WORK/ll"
lsinitramfs $OUT/initrd.img >"$WORK/initrd.list"
check "manifest.json agrees with unsquashfs, lsinitramfs and SHA256SUMS" \
	python3 test/build/manifest.py $OUT "$WORK/ll" "$WORK/initrd.list"
check "manifest.spdx.json is SPDX 2.3 and says the same" python3 test/build/spdx.py $OUT

check "no kernel, initrd, ssh host key or machine id in the root" sh -c \
	"! grep -E 'squashfs-root/(boot/(vmlinuz|initrd)|etc/ssh/ssh_host_)' '$WORK/ll'"
check "nothing is world-writable but sticky folders" sh -c \
	"! grep -E '^(-.......w.|d.......w[^t]) ' '$WORK/ll'"
rm -rf "$WORK/root"
unsquashfs -q -n -d "$WORK/root" $OUT/root.squashfs etc/shadow etc/machine-id etc/systemd \
	usr/sbin/firstboot usr/lib/rackstrap >/dev/null
check "root is locked" grep -qE '^root:[*!]' "$WORK/root/etc/shadow"
check "no account has a password" sh -c "! grep -vE '^[^:]*:[*!]' '$WORK/root/etc/shadow'"
check "the machine id is empty" test ! -s "$WORK/root/etc/machine-id"
check "firstboot in the image is the one built" cmp "$WORK/root/usr/sbin/firstboot" "$ABS_O/firstboot"
for role in master node; do
	check "role $role's units hang on its target" test -d \
		"$WORK/root/etc/systemd/system/rackstrap-$role.target.wants"
done
check "no cluster unit starts by itself" sh -c "! ls $WORK/root/etc/systemd/system/*.target.wants |
	sed -n '/multi-user\|sockets/,/^\$/p' | grep -E 'docker|etcd|kube|calico'"

# A second build after a change to one unit: no base is made again.
before=$(sha256sum <$OUT/root.squashfs)
cp -r images "$WORK/images"
echo "# changed" >>"$WORK/images/common/units/kube-proxy.service"
# Every run of mmdebstrap begins a log of its own there.
bases() { (cd "${RACKSTRAP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rackstrap}/base" && stat -c '%n %i %y' -- *); }
bases >"$WORK/bases" && grep -q '\.log ' "$WORK/bases" || bail "the cache has no base and no log of one"
check "a changed unit is baked" test/bake "$WORK/images/bookworm-vm" --out "$WORK/warm"
check "without making the base again" test "$(bases)" = "$(cat "$WORK/bases")"
check "and the root differs" sh -c "test '$before' != \"\$(sha256sum <$WORK/warm/bookworm-vm/root.squashfs)\""
finish
