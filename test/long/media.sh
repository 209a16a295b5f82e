#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# All combinations of firmware and medium: BIOS and UEFI with a disk and a CD, and, of
# images/bookworm, whose kernel has USB drivers, with a USB stick that has a rack.cfg and an ISO
# on a USB stick. Then the power is cut at RACKSTRAP_CUTS (20) instants of a first boot, while
# the state partition is made and grown, and each time the next boot must end ready.
# shellcheck source=../qemu/media-vm.sh
. "$(dirname "$0")/../qemu/media-vm.sh"
. test/images.sh
MAC=52:54:00:0a:00:01
VM=$MEDIA_512
METAL=$WORK/img/bookworm

media_key
media_rack "$WORK/rack.cfg"
check "images/bookworm-vm is baked as a disk and an ISO" bake_media || finish
check "images/bookworm is baked as a disk for a rack" test/bake images/bookworm --output "$WORK/img" \
	--type disk --rack "$WORK/rack.cfg" || finish
check "images/bookworm is baked as an ISO for a host" test/bake images/bookworm --output "$WORK/iso" \
	--type iso --host test/qemu/solo.cfg || finish

boots() { # WHAT FIRMWARE KIND IMAGE SIZE 'LINE'
	local what="$2, $1" disk=$WORK/boot.img
	case $3 in
	cd) cp --sparse=always "$4" "$disk" ;;
	*) vm_medium "$disk" "$5" "$4" ;;
	esac || { fail "$what: it is written"; return; }
	# shellcheck disable=SC2046 # vm_drive prints several words
	vm_start "$2-$3" "$2" $MAC $(vm_drive "$3" "$disk")
	check "$what: the host is ready" ready 900
	check "$what: the writable layer is $6" vm_wait 1 "rackstrap: writable layer: $6"
	vm_kill
	rm "$disk"
}
for firmware in bios uefi; do
	boots "a disk" $firmware disk "$VM/disk.img" 4G '/dev/vda3'
	boots "a CD" $firmware cd "$VM/boot.iso" - RAM
	boots "a USB stick with a rack.cfg" $firmware usb "$METAL/disk.img" 4G RAM
	boots "an ISO on a USB stick" $firmware usb "$WORK/iso/bookworm/boot.iso" 2G RAM
done

bad=
disk=$WORK/disk.img
for cut in $(seq "${RACKSTRAP_CUTS:-20}"); do
	cp --sparse=always "$VM/disk.img" "$disk" && truncate -s 4G "$disk"
	# shellcheck disable=SC2046
	vm_start cut bios $MAC $(vm_drive disk "$disk")
	vm_wait 600 'rackstrap: boot medium: /dev/vda2' || bad="$bad $cut(no boot)"
	after=$(cut_instant)
	sleep "$after"
	vm_kill
	echo "# $cut: $after s after the boot medium; last line: $(vm_said | grep rackstrap: | tail -n 1)"
	# shellcheck disable=SC2046
	vm_start cut bios $MAC $(vm_drive disk "$disk")
	if ! ready 900 || ! vm_said | grep -q 'rackstrap: writable layer: /dev/vda3'; then
		bad="$bad $cut"
	fi
	vm_kill
	state_is_sound "$disk" || bad="$bad $cut(not sound)"
done
check "power cut at ${RACKSTRAP_CUTS:-20} instants: the next boot ends ready, on a sound state partition" \
	test -z "$bad"
[ -z "$bad" ] || echo "# wrong:$bad"
finish
