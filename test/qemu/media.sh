#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A host that boots from a disk image or an ISO, with nothing else around: it becomes ready,
# makes its state partition although the power is cut meanwhile, uses neither another host's state
# disk nor a disk of another type that are in the machine, boots from its own medium beside another
# one of the same image, and refuses a damaged root. In check-long it keeps its state over a reboot,
# and a disk of 4096-byte sectors boots by UEFI.
# test/long/media.sh has more machines and more power cuts.
# shellcheck source=media-vm.sh
. "$(dirname "$0")/media-vm.sh"
. test/images.sh
MAC=52:54:00:0a:00:01
disk=$WORK/disk.img iso=$WORK/boot.iso

media_key
check "disk images and an ISO are baked" bake_media || finish
copy() { # FROM TO ARGS...: a copy with another configuration
	cp --sparse=always "$1" "$2" && "$RACKSTRAP" customize "$2" "${@:3}"
}
check "the disk image gets a key" copy "$MEDIA_512/disk.img" "$disk" --key "$WORK/key.pub" || finish
check "the ISO gets a key" copy "$MEDIA_512/boot.iso" "$iso" --key "$WORK/key.pub" || finish

# --- a disk, by BIOS: the power is cut while it makes its state partition, then it is ready

# Two more disks have the label: another host's state disk, with a host.cfg, and one of another
# type.
others() {
	local file=$WORK/other/rackstrap
	mkdir -p "$file/upper/var/lib/rackstrap"
	echo 'name = "node-9"; cluster = "other";' >"$file/owner.cfg"
	echo 'vlan = 7; nat = false;' >"$file/upper/var/lib/rackstrap/host.cfg"
	truncate -s 16M "$WORK/other.img" "$WORK/ext2.img" &&
		mke2fs -q -F -t ext4 -L rackstrap-state -d "$WORK/other" "$WORK/other.img" &&
		mke2fs -q -F -t ext2 -L rackstrap-state "$WORK/ext2.img"
	sha256sum "$WORK/other.img" "$WORK/ext2.img" >"$WORK/others"
}
more_disks() {
	local n=0 f
	for f in other ext2; do
		n=$((n + 1))
		echo "-drive if=none,id=d$n,format=raw,cache=unsafe,file=$WORK/$f.img -device virtio-blk-pci,drive=d$n"
	done
}
check "two disks of others are made" others
check "it is written to a disk" vm_medium "$WORK/written.img" 4G "$disk" || finish
mv "$WORK/written.img" "$disk"
# shellcheck disable=SC2046 # vm_drive prints several words
vm_start disk bios $MAC $(vm_drive disk "$disk") $(more_disks)
vm_wait 1800 'rackstrap: boot medium: /dev/vda2' || fail "the disk boots"
after=$(cut_instant)
sleep "$after"
echo "# the power is cut $after s after the boot medium is found"
vm_kill
# shellcheck disable=SC2046
vm_start disk bios $MAC $(vm_drive disk "$disk") $(more_disks)
check "BIOS, a disk: the host is ready after a power cut" ready || finish
check "the state disk of another host is not used, and the console says so" \
	test "$(vm_said | grep -c "rackstrap: warning: /dev/vdb is labelled rackstrap-state, but is the state disk of host 'node-9' of rack 'other': it is not used")" = 1
check "a disk of another type is not used, and the console says so" \
	test "$(vm_said | grep -c 'rackstrap: warning: /dev/vdc is labelled rackstrap-state, but holds ext2, not ext4: it is not used')" = 1
check "the report has both warnings" on_vm "test \$(grep -o 'is labelled rackstrap-state, but' /run/rackstrap/report.json | wc -l) = 2"
check "the journal has them" on_vm "test \$(journalctl -b -k | grep -c 'is labelled rackstrap-state, but') = 2"
check "the disks of others are unchanged" sha256sum --quiet -c "$WORK/others"
check "the state partition is marked as this host's" on_vm 'grep -qx "name = \"solo-1\";" /run/rackstrap/state/rackstrap/owner.cfg'
check "BIOS, a disk: the writable layer is the state partition" \
	test "$(vm_said | grep -c 'rackstrap: writable layer: /dev/vda3')" = 1
check "BIOS, a disk: the host name is the one of the disk's host.cfg" test "$(on_vm hostname)" = solo-1
root_only() { # FILE: is on the boot medium, where other users can read nothing
	on_vm "test -e /run/rackstrap/boot/$1 && test -z \"\$(find /run/rackstrap/boot -perm /077)\""
}
check "only root can read the disk's host.cfg" root_only rackstrap/host.cfg
check "state is written: a key in etcd and a file in /etc" on_vm "set -e
	findmnt -no SOURCE /var/lib/etcd | grep -q '^/dev/vda3'
	curl -fsS -XPUT http://127.0.0.1:4001/v2/keys/kept -d value=yes >/dev/null
	echo kept >/etc/kept; sync"
check "a second apply of the same configuration changes no file and restarts no unit" on_vm '
	state() {
		for u in docker etcd kube-apiserver kube-controller-manager kube-scheduler calico-node \
			systemd-networkd; do
			systemctl show --property=Id,InvocationID $u
		done
		find /etc /root /var/lib/rackstrap -xdev -type f -printf "%p %i %T@\n" | sort
		ip -4 -o addr show
		iptables-save -t nat | grep -v "^#"
	}
	state >/tmp/a; firstboot apply && sleep 3 && state >/tmp/b && diff /tmp/a /tmp/b'

member() { on_vm "curl -fsS http://127.0.0.1:4001/v2/members" | python3 -c 'import json,sys; print([m["id"] for m in json.load(sys.stdin)["members"]])'; }
reboots() {
	local before boot
	before=$(member) boot=$(on_vm cat /proc/sys/kernel/random/boot_id)
	VM_SEEN=$(stat -c %s "$CONSOLE")
	on_vm "systemctl reboot" >/dev/null 2>&1
	check "the host is ready again after a reboot" ready || finish
	check "host name, files, etcd's member and keys are the same after the reboot" test \
		"$(on_vm "test \$(cat /proc/sys/kernel/random/boot_id) != $boot && hostname && cat /etc/kept &&
			curl -fsS http://127.0.0.1:4001/v2/keys/kept | grep -o '\"value\":\"[a-z]*\"'" | tr '\n' ' ')$(member)" = \
		"solo-1 kept \"value\":\"yes\" $before"
	check "the state partition is neither made nor grown again" \
		test "$(vm_said | grep -cE 'making it the state disk|growing')" = 0
}
if is_long; then reboots; fi
on_vm "systemctl poweroff" >/dev/null 2>&1
vm_gone 600
vm_kill
check "partition table and filesystem are sound, up to the disk's end" state_is_sound "$disk"

# --- a damaged root -------------------------------------------------------------------

check "a byte of root.squashfs is changed" damage "$disk"
# shellcheck disable=SC2046
vm_start damaged bios $MAC $(vm_drive disk "$disk")
check "a damaged root is refused, with the reason" vm_wait 1800 \
	'rackstrap: boot failed: root.squashfs is damaged or another image.s: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}'
check "nothing of the damaged root has run" test "$(vm_said | grep -cE 'systemd\[1\]|ready in')" = 0
vm_kill
rm "$disk"

# --- UEFI ------------------------------------------------------------------------------

uefi_4k() {
	media_rack "$WORK/rack.cfg"
	check "the disk image of 4096-byte sectors gets a rack of three" \
		copy "$MEDIA_4096/disk.img" "$disk" --rack "$WORK/rack.cfg" || finish
	truncate -s 2G "$disk"
	# shellcheck disable=SC2046
	vm_start uefi-4k uefi $MAC $(vm_drive disk "$disk" ,logical_block_size=4096,physical_block_size=4096)
	check "UEFI, a disk of 4096-byte sectors: the host with this MAC address is ready" ready
	check "UEFI, a disk of 4096-byte sectors: the writable layer is the state partition" \
		test "$(vm_said | grep -c 'rackstrap: writable layer: /dev/vda3')" = 1
	vm_kill
	rm "$disk"
}
if is_long; then uefi_4k; fi

# A stick that was written from the same ISO, for another host, is found before the CD.
sed 's/"solo-1"/"other"/' test/qemu/solo.cfg >"$WORK/other.cfg"
check "the ISO gets another host.cfg" copy "$MEDIA_512/boot.iso" "$WORK/other.iso" --host "$WORK/other.cfg" || finish
check "it is written to a stick" vm_medium "$WORK/stick.img" 1G "$WORK/other.iso" || finish
# shellcheck disable=SC2046
vm_start uefi-cd secure $MAC $(vm_drive cd "$iso") \
	-drive "if=none,id=d1,format=raw,cache=unsafe,file=$WORK/stick.img" -device scsi-hd,drive=d1
check "UEFI with Secure Boot, an ISO as a CD beside a stick of the same ISO: the host is ready" ready
check "the stick is there, and was not booted from" test "$(vm_said | grep -c 'rackstrap: boot medium: /dev/sr0')" = 1
check "the kernel reports Secure Boot" on_vm "dmesg | grep -q 'secureboot: Secure boot enabled'"
check "the writable layer is RAM" test "$(vm_said | grep -c 'rackstrap: writable layer: RAM')" = 1
check "only root can read the ISO's host.cfg" root_only boot/efi.img
finish
