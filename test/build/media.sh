#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Disk images and ISOs of images/bookworm-vm, read again with foreign tools. In check-long they
# are made again by another user, in another folder, and are identical; test/repro makes them
# twice as one user.
. "$(dirname "$0")/../tap.sh"
. test/images.sh
PATH=$PATH:/sbin:/usr/sbin
A=$MEDIA_512
MIB=1048576
host_cfg=test/qemu/solo.cfg

check "disk images and an ISO are baked" bake_media || finish
check "the digests match SHA256SUMS" sh -c "cd $A && sha256sum -c --strict SHA256SUMS"

# --- the disk ----------------------------------------------------------------------

part() { # IMAGE NUMBER FIELD, as sfdisk sees it
	sfdisk -J "$1" | python3 -c '
import json, sys
print(json.load(sys.stdin)["partitiontable"]["partitions"][int(sys.argv[1]) - 1][sys.argv[2]])' "$2" "$3"
}
fat_of() { # IMAGE OFFSET SIZE TO: the FAT by itself
	dd if="$1" of="$4" bs=1M iflag=skip_bytes,count_bytes skip="$2" count="$3" conv=sparse status=none
}
disk=$A/disk.img
check "sfdisk finds no fault in its table" sfdisk --verify "$disk"
check "sgdisk finds no fault in its table" sh -c "sgdisk -v '$disk' | grep -q '^No problems found'"
check "its partitions have their names and begin at whole MiB" test "$(for n in 1 2 3; do
	echo "$(part "$disk" $n name) $(($(part "$disk" $n start) % 2048))"; done | tr '\n' ' ')" = \
	"rackstrap-bios 0 rackstrap-boot 0 rackstrap-state 0 "
check "the third partition is a MiB of zeros" sh -c "dd if='$disk' bs=512 skip=$(part "$disk" 3 start) \
	count=$(part "$disk" 3 size) status=none | tr -d '\0' | wc -c | grep -qx 0 && test $(part "$disk" 3 size) = 2048"
offset=$(($(part "$disk" 2 start) * 512)) size=$(($(part "$disk" 2 size) * 512))
fat_of "$disk" $offset $size "$WORK/fat.img"
check "fsck.vfat finds no fault in its FAT" fsck.vfat -n "$WORK/fat.img"
check "its FAT is FAT32" sh -c "fsck.vfat -nv '$WORK/fat.img' | grep -q '32 bit entries'"
mkdir "$WORK/tree"
check "mtools reads the tree" mcopy -s -i "$disk@@$offset" '::/*' "$WORK/tree/"
check "its own list of digests holds" sh -c "cd '$WORK/tree' && sha256sum -c --strict rackstrap/SHA256SUMS"
listed() { cut -d' ' -f3 "$1/rackstrap/SHA256SUMS" | sort; }
check "the list has every file except those that change" diff <(listed "$WORK/tree") \
	<(cd "$WORK/tree" && find . -type f | sed 's|^./||' |
		grep -vE '^rackstrap/(SHA256SUMS|host.cfg)$|^boot/grub/grubenv$' | sort)
for f in vmlinuz initrd.img root.squashfs; do
	check "$f is the one of the image" cmp "$WORK/tree/rackstrap/a/$f" "$A/$f"
done
check "host.cfg is on the disk" cmp "$WORK/tree/rackstrap/host.cfg" $host_cfg
check "its manifest lists the three files" python3 - "$WORK/tree/rackstrap/a" "$A" <<'P'
import hashlib, json, sys
slot, whole = (json.load(open(d + "/manifest.json")) for d in sys.argv[1:])
for o in slot["outputs"]:
    with open(sys.argv[1] + "/" + o["path"], "rb") as f:
        assert hashlib.sha256(f.read()).hexdigest() == o["sha256"], o
assert [o["path"] for o in slot.pop("outputs")] == ["initrd.img", "root.squashfs", "vmlinuz"]
whole.pop("outputs")
assert slot == whole
P
guid=$(part "$disk" 2 uuid)
check "the boot menu names the partition" grep -qx "set medium=PARTUUID=$(tr A-F a-f <<<"$guid")" \
	"$WORK/tree/boot/grub/grub.cfg"
check "the slot names the root image's digest" grep -qF \
	"rackstrap.root_sha256=$(sha256sum <"$A/root.squashfs" | cut -c1-64)" "$WORK/tree/rackstrap/a/slot.cfg"
for f in boot/grub/grub.cfg rackstrap/a/slot.cfg; do
	check "GRUB accepts $f" grub-script-check "$WORK/tree/$f"
done
check "GRUB accepts its environment, which names the slot and the partition" diff \
	<(grub-editenv "$WORK/tree/boot/grub/grubenv" list) - <<<"slot=a
medium=PARTUUID=$(tr A-F a-f <<<"$guid")"
check "a second slot fits on it" sh -c "cp '$WORK/fat.img' '$WORK/two.img' &&
	mmd -i '$WORK/two.img' ::/rackstrap/b && mcopy -s -i '$WORK/two.img' '$WORK'/tree/rackstrap/a/* ::/rackstrap/b"
rm -f "$WORK/two.img"
check "the qcow2 has the same bytes" qemu-img compare -f raw -F qcow2 "$disk" "$A/disk.qcow2"
check "the qcow2 has no fault" qemu-img check "$A/disk.qcow2"
check "the compressed one has the same bytes" sh -c "zstd -dcq '$A/disk.img.zst' | cmp - '$disk'"

# --- the ISO -----------------------------------------------------------------------

iso=$A/boot.iso
xorriso -indev "$iso" -report_el_torito plain -report_system_area plain >"$WORK/iso.txt" 2>"$WORK/iso.err"
check "xorriso reads it" test -s "$WORK/iso.txt"
check "it has El Torito entries for BIOS and UEFI" sh -c "grep -q '^El Torito boot img .* BIOS  y' '$WORK/iso.txt' &&
	grep -q '^El Torito boot img .* UEFI  y' '$WORK/iso.txt'"
check "it has a partition table for a USB stick" grep -q 'protective-msdos-label grub2-mbr.* GPT' "$WORK/iso.txt"
check "sfdisk finds no fault in its table" sfdisk --verify "$iso"
check "xorriso extracts its files" xorriso -osirrox on -indev "$iso" -extract / "$WORK/iso"
if is_long; then
	check "rackstrap verify finds no difference in the ISO" "$RACKSTRAP" verify "$iso"
fi
check "its own list of digests holds" sh -c "cd '$WORK/iso' && sha256sum -c --strict rackstrap/SHA256SUMS"
check "the list has all but the boot images" diff <(listed "$WORK/iso") \
	<(cd "$WORK/iso" && find . -type f | sed 's|^./||' |
		grep -vE '^rackstrap/SHA256SUMS$|^boot/(efi.img|boot.cat|grub/eltorito.img|grub/grubenv)$' | sort)
label=$(blkid -p -o value -s LABEL "$iso")
check "the boot menu names its label" grep -qx "set medium=LABEL=$label" "$WORK/iso/boot/grub/grub.cfg"
mcopy -i "$WORK/iso/boot/efi.img" ::/boot/grub/grubenv "$WORK/efi.env"
for env in "$WORK/iso/boot/grub/grubenv" "$WORK/efi.env"; do
	check "its environment and that of boot/efi.img name its label" diff <(grub-editenv "$env" list) - <<<"slot=a
medium=LABEL=$label
label=$label"
done
start=$(part "$iso" 2 start)
check "its second partition is boot/efi.img" sh -c "tail -c +$((start * 512 + 1)) '$iso' | head -c $((16 * MIB)) | cmp - '$WORK/iso/boot/efi.img'"
check "fsck.vfat finds no fault in boot/efi.img" fsck.vfat -n "$WORK/iso/boot/efi.img"
check "host.cfg is in boot/efi.img" sh -c "mtype -i '$WORK/iso/boot/efi.img' ::/rackstrap/host.cfg | cmp - $host_cfg"
cp "$iso" "$WORK/later.iso"
check "mtools replaces host.cfg by a rack.cfg" sh -c "mdel -i '$WORK/later.iso@@$((start * 512))' ::/rackstrap/host.cfg &&
	mcopy -i '$WORK/later.iso@@$((start * 512))' configs/demo.cfg ::/rackstrap/rack.cfg"
check "nothing else of the ISO changes" sh -c "cmp -l '$iso' '$WORK/later.iso' |
	awk -v a=$((start * 512)) -v b=$((start * 512 + 16 * MIB)) '\$1 <= a || \$1 > b { exit 1 }'"
rm -rf "$WORK/iso" "$WORK/later.iso" "$WORK/tree"

# --- sectors of 4096 bytes, a rack -------------------------------------------------

check "keys of a rack.cfg that only PXE uses get a warning" grep -qx \
	"rackstrap: warning: configs/demo.cfg:[0-9]*: host 'master': state_disk has no effect on a boot medium: see local.cfg in rackstrap-build(1)" "$MEDIA/4096.log"
disk4=$MEDIA_4096/disk.img
if is_long; then
	check "rackstrap verify finds no difference on the disk of 4096-byte sectors" "$RACKSTRAP" verify "$disk4"
fi
fdisk -b 4096 -x "$disk4" >"$WORK/4k.txt" 2>"$WORK/4k.err"
check "fdisk finds three partitions" test "$(grep -c ' rackstrap-' "$WORK/4k.txt")" = 3
check "fdisk prints no warning" test ! -s "$WORK/4k.err"
check "its FAT begins at 2 MiB" grep -qE "disk.img2 +$((2 * MIB / 4096)) " "$WORK/4k.txt"
fat_of "$disk4" $((2 * MIB)) "$size" "$WORK/fat.img"
check "fsck.vfat finds no fault in its FAT" fsck.vfat -n "$WORK/fat.img"
check "its FAT has sectors of 4096 bytes" sh -c "fsck.vfat -nv '$WORK/fat.img' | grep -q '4096 bytes per logical sector'"
check "rack.cfg is on it" sh -c "mtype -i '$WORK/fat.img' ::/rackstrap/rack.cfg | cmp - configs/demo.cfg"
rm -f "$WORK/fat.img"

# --- the same bytes ----------------------------------------------------------------

# Another user, with a copy of this cache's inputs and bases.
by_another_user() {
	local user=$WORK/elsewhere/user f
	chmod 755 "$WORK"
	copy_cache "$user/cache" || return
	cp -r images "$ABS_O/rackstrap" "$ABS_O/firstboot" "$ABS_O/standin/bookworm-vm.lock" "$user/"
	cp $host_cfg "$user/host.cfg"
	find "$user" -type d -exec chmod 755 {} +
	chown 65534:65534 "$WORK/elsewhere" "$user" && find "$user/cache" -type d -exec chown 65534:65534 {} +
	check "another user bakes a disk and an ISO elsewhere, with another umask and time zone" \
		env -u SOURCE_DATE_EPOCH HOME="$user" TZ=Pacific/Auckland MTOOLS_LOWER_CASE=1 PATH="$PATH" \
		setpriv --reuid=65534 --regid=65534 --clear-groups sh -c "cd '$user' && umask 077 &&
		./rackstrap build images/bookworm-vm --lock bookworm-vm.lock --offline --cache cache \
			--output out --firstboot ./firstboot --type disk --type iso --host host.cfg" || return
	for f in disk.img boot.iso; do
		check "another user's $f is identical" cmp "$A/$f" "$user/out/bookworm-vm/$f"
	done
}
if is_long; then by_another_user; fi

refuse "build without xorriso names its package, before anything is made" 3 \
	"rackstrap: image 'iso': xorriso: not found in PATH; it is in the package xorriso" \
	unshare -rm sh -c "mount --bind /dev/null /usr/bin/xorriso && exec \"$RACKSTRAP\" build images/bookworm-vm --offline --type iso"
finish
