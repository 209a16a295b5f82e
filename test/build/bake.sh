#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The image that the QEMU tests boot is baked and read again with foreign tools. A second image
# with other files is baked without making the base again.
. "$(dirname "$0")/../tap.sh"
. test/images.sh
OUT=out/bookworm-vm

check "firstboot is static" sh -c "! readelf -l $ABS_O/firstboot | grep -q INTERP"
check "firstboot is at most 1 MiB" test "$(stat -c %s "$ABS_O/firstboot")" -le 1048576
check "images/bookworm-vm is baked" bake_image || finish
check "the digests match SHA256SUMS" sh -c "cd $OUT && sha256sum -c --strict SHA256SUMS"

size=$(cat $OUT/vmlinuz $OUT/initrd.img $OUT/root.squashfs | wc -c)
echo "# kernel + initrd + root: $((size / 1048576)) MiB"
check "kernel, initrd and root are at most 160 MiB together" test "$size" -le $((160 * 1048576))

unsquashfs -lls $OUT/root.squashfs >"$WORK/ll" 2>/dev/null || unsquashfs -ll $OUT/root.squashfs >"$WORK/ll"
lsinitramfs $OUT/initrd.img >"$WORK/initrd.list"
check "manifest.json agrees with unsquashfs, lsinitramfs and SHA256SUMS" \
	python3 test/build/manifest.py $OUT "$WORK/ll" "$WORK/initrd.list"
check "manifest.spdx.json is SPDX 2.3 and agrees with manifest.json" python3 test/build/spdx.py $OUT

check "no kernel, initrd, ssh host key or machine id in the root" sh -c \
	"! grep -E 'squashfs-root/(boot/(vmlinuz|initrd)|etc/ssh/ssh_host_)' '$WORK/ll'"
check "only sticky folders are world-writable" sh -c \
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

# The strict image has the same base and three files more.
check "the strict image is baked" bake_strict
check "the base is not made again" grep -q '^rackstrap: base: cached, ' "$ABS_O/test/baked/strict.log"
key_of() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["base"]["key"])' "$1/manifest.json"; }
check "it is that of the first image" test "$(key_of out/strict)" = "$(key_of $OUT)"
check "the root differs" sh -c "! cmp -s $OUT/root.squashfs out/strict/root.squashfs"
finish
