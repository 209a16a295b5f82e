#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A host that boots from a disk image or an ISO, with nothing else around: it becomes
# ready, makes its state partition whatever happens meanwhile, keeps its state over a
# reboot, and refuses a damaged root. test/long/media.sh has more machines and more plugs
# pulled.
# shellcheck source=media-vm.sh
. "$(dirname "$0")/media-vm.sh"
MAC=52:54:00:0a:00:01
OUT=$WORK/img/bookworm-vm

media_host "$WORK/host.cfg"
check "a disk image and an ISO for a host" test/bake images/bookworm-vm --out "$WORK/img" \
	--image disk --image iso --host "$WORK/host.cfg" || finish
media_rack "$WORK/rack.cfg"
check "a disk image of 4096-byte sectors, for a rack of three" test/bake images/bookworm-vm \
	--out "$WORK/4k" --image disk --sector-size 4096 --rack "$WORK/rack.cfg" || finish

# --- a disk, by BIOS: cut off while it makes its state partition, then ready ----------

disk=$WORK/disk.img
cp --sparse=always "$OUT/disk.img" "$disk" && truncate -s 4G "$disk"
for cut in 1 2; do
	# shellcheck disable=SC2046 # words
	vm_start disk bios $MAC $(vm_drive disk "$disk")
	vm_wait 600 'rackstrap: boot medium: /dev/vda2' || fail "the disk boots ($cut)"
	after=$(cut_instant)
	sleep "$after"
	echo "# the plug is pulled $after s after the boot medium is found"
	vm_kill
done
# shellcheck disable=SC2046
vm_start disk bios $MAC $(vm_drive disk "$disk")
check "BIOS, a disk: ready after the plug was pulled twice" ready || finish
check "its writable layer is the state partition" \
	test "$(vm_said | grep -c 'rackstrap: writable layer: /dev/vda3')" = 1
check "it is who the disk's host.cfg says" test "$(on_vm hostname)" = solo-1
root_only() { # FILE: on the medium, where nothing is anybody else's to read
	on_vm "test -e /run/rackstrap/boot/$1 && test -z \"\$(find /run/rackstrap/boot -perm /077)\""
}
check "nobody but root reads the disk's host.cfg" root_only rackstrap/host.cfg
check "state that is to be kept" on_vm "set -e
	findmnt -no SOURCE /var/lib/etcd | grep -q '^/dev/vda3'
	curl -fsS -XPUT http://127.0.0.1:4001/v2/keys/kept -d value=yes >/dev/null
	echo kept >/etc/kept; sync"
member() { on_vm "curl -fsS http://127.0.0.1:4001/v2/members" | python3 -c 'import json,sys; print([m["id"] for m in json.load(sys.stdin)["members"]])'; }
before=$(member) boot=$(on_vm cat /proc/sys/kernel/random/boot_id)
VM_SEEN=$(stat -c %s "$CONSOLE")
on_vm "systemctl reboot" >/dev/null 2>&1
check "a reboot: ready again" ready || finish
check "another boot, the same host name, files, etcd member and keys" test \
	"$(on_vm "test \$(cat /proc/sys/kernel/random/boot_id) != $boot && hostname && cat /etc/kept &&
		curl -fsS http://127.0.0.1:4001/v2/keys/kept | grep -o '\"value\":\"[a-z]*\"'" | tr '\n' ' ')$(member)" = \
	"solo-1 kept \"value\":\"yes\" $before"
check "nothing was made anew" test "$(vm_said | grep -cE 'making it the state disk|growing')" = 0
on_vm "systemctl poweroff" >/dev/null 2>&1
vm_gone 60
vm_kill
check "table and filesystem are sound, to the disk's end" state_is_sound "$disk"

# --- a damaged root -------------------------------------------------------------------

check "a byte of root.squashfs is changed" damage "$disk"
# shellcheck disable=SC2046
vm_start damaged bios $MAC $(vm_drive disk "$disk")
check "a damaged root is refused, with its reason" vm_wait 600 \
	'rackstrap: boot failed: root.squashfs is damaged or another image.s: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}'
check "and nothing of it ran" test "$(vm_said | grep -cE 'systemd\[1\]|ready in')" = 0
vm_kill
rm "$disk"

# --- UEFI ------------------------------------------------------------------------------

cp --sparse=always "$WORK/4k/bookworm-vm/disk.img" "$disk" && truncate -s 2G "$disk"
# shellcheck disable=SC2046
vm_start uefi-4k uefi $MAC $(vm_drive disk "$disk" ,logical_block_size=4096,physical_block_size=4096)
check "UEFI, a disk of 4096-byte sectors: ready, as the one of three whose MAC address it has" ready
check "its writable layer is the state partition" \
	test "$(vm_said | grep -c 'rackstrap: writable layer: /dev/vda3')" = 1
vm_kill
rm "$disk"

# shellcheck disable=SC2046
vm_start uefi-cd secure $MAC $(vm_drive cd "$OUT/boot.iso")
check "UEFI with Secure Boot, an ISO as a CD: ready" ready
check "its kernel says that Secure Boot is on" on_vm "dmesg | grep -q 'secureboot: Secure boot enabled'"
check "its writable layer is RAM" test "$(vm_said | grep -c 'rackstrap: writable layer: RAM')" = 1
check "nobody but root reads the ISO's" root_only boot/efi.img
finish
