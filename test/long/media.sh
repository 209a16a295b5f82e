#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The machines of test/qemu/media.sh, all of them: BIOS and UEFI with a disk, a CD, and, of
# images/bookworm, whose kernel knows USB, a stick with a rack.cfg and an ISO on a stick.
# Then the plug is pulled at RACKSTRAP_CUTS (20) instants of a first boot, while the state
# partition is made and grown, and the next boot must end ready each time.
# shellcheck source=../qemu/media-vm.sh
. "$(dirname "$0")/../qemu/media-vm.sh"
MAC=52:54:00:0a:00:01
VM=$WORK/img/bookworm-vm
METAL=$WORK/img/bookworm

media_host "$WORK/host.cfg"
media_rack "$WORK/rack.cfg"
check "images/bookworm-vm" test/bake images/bookworm-vm --out "$WORK/img" --image disk --image iso \
	--host "$WORK/host.cfg" || finish
check "images/bookworm, a stick for a rack" test/bake images/bookworm --out "$WORK/img" --image disk \
	--rack "$WORK/rack.cfg" || finish
check "images/bookworm, an ISO" test/bake images/bookworm --out "$WORK/iso" --image iso \
	--host "$WORK/host.cfg" || finish

boots() { # WHAT FIRMWARE KIND IMAGE SIZE 'LINE'
	local what="$2, $1" disk=$WORK/boot.img
	cp --sparse=always "$4" "$disk" && truncate -s "$5" "$disk"
	# shellcheck disable=SC2046 # words
	vm_start "$2-$3" "$2" $MAC $(vm_drive "$3" "$disk")
	check "$what: ready" ready 900
	check "$what: writable layer: $6" vm_wait 1 "rackstrap: writable layer: $6"
	vm_kill
	rm "$disk"
}
for firmware in bios uefi; do
	boots "a disk" $firmware disk "$VM/disk.img" 4G '/dev/vda3'
	boots "a CD" $firmware cd "$VM/boot.iso" "$(stat -c %s "$VM/boot.iso")" RAM
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
	echo "# $cut: $after s after the boot medium; the last it said: $(vm_said | grep rackstrap: | tail -n 1)"
	# shellcheck disable=SC2046
	vm_start cut bios $MAC $(vm_drive disk "$disk")
	if ! ready 900 || ! vm_said | grep -q 'rackstrap: writable layer: /dev/vda3'; then
		bad="$bad $cut"
	fi
	vm_kill
	state_is_sound "$disk" || bad="$bad $cut(not sound)"
done
check "the plug pulled at ${RACKSTRAP_CUTS:-20} instants: the next boot ends ready, on a sound state partition" \
	test -z "$bad"
[ -z "$bad" ] || echo "# wrong:$bad"
finish
