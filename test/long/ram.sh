#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A machine that runs from memory, booted with the files of a PXE image as a loader would: one with
# too little memory says so, and a host without a configuration asks for an address with its MAC
# address as client identifier, in the initramfs and in the system, and gets no new machine-id.
# shellcheck source=../qemu/media-vm.sh
. "$(dirname "$0")/../qemu/media-vm.sh"
. test/images.sh
MAC=52:54:00:0a:00:01

check "an image is baked" bake_media || finish
mkdir -p "$WORK/tree/rackstrap"
ln "$MEDIA_512/root.squashfs" "$WORK/tree/rackstrap/" 2>/dev/null ||
	cp "$MEDIA_512/root.squashfs" "$WORK/tree/rackstrap/"
cp "$MEDIA_512/initrd.img" "$WORK/initrd"
truncate -s %4096 "$WORK/initrd" # loaders align each initrd
(cd "$WORK/tree" && find . | cpio -o -H newc --quiet) >>"$WORK/initrd"
sha256=$(sha256sum <"$MEDIA_512/root.squashfs") sha256=${sha256%% *}

boots() { # NAME MIB WORDS...
	local name=$1 mib=$2
	shift 2
	vm_start "$name" bios $MAC -m "${mib}M" -kernel "$MEDIA_512/vmlinuz" -initrd "$WORK/initrd" \
		-object "filter-dump,id=dump,netdev=n0,file=$WORK/$name.pcap" \
		-append "$(printf '%s,' boot=rackstrap console=ttyS0 rackstrap.root_sha256="$sha256" "$@" | tr , ' ')"
}

# --- too little memory ----------------------------------------------------------------

boots small 320
check "a machine with too little memory says so, with what there is and what it takes" vm_wait 600 \
	'rackstrap: boot failed: root.squashfs is cut short, [0-9]+ of [0-9]+ bytes are there: this machine.s [0-9]+ MiB of memory are too little to unpack it, which takes about [0-9]+ MiB, .*\(kernel: write error\)'
vm_said | grep -a 'boot failed' | head -n 1 | note
vm_kill

# --- DHCP -----------------------------------------------------------------------------

# Prints the client identifier of each DHCP request in a capture, once: option 61 of RFC 2132.
client_ids() { # PCAP
	python3 - "$1" <<-'P'
	import struct, sys
	data, at, ids = open(sys.argv[1], "rb").read(), 24, set()
	while at + 16 <= len(data):
	    size = struct.unpack_from("<I", data, at + 8)[0]
	    frame, at = data[at + 16:at + 16 + size], at + 16 + size
	    if frame[12:14] != b"\x08\x00" or frame[23] != 17 or frame[36:38] != b"\x00\x43":
	        continue
	    options, i = frame[42 + 240:], 0
	    found = "none"
	    while i < len(options) and options[i] != 255:
	        if options[i] == 0:
	            i += 1
	            continue
	        if options[i] == 61:
	            found = options[i + 2:i + 2 + options[i + 1]].hex()
	        i += 2 + options[i + 1]
	    ids.add(found)
	print(" ".join(sorted(ids)))
	P
}
for boot in 1 2; do
	boots "dhcp-$boot" 1536 rackstrap.config=http://10.0.2.2:9/host.cfg systemd.journald.forward_to_console=1
	check "boot $boot: the host is not configured" vm_wait 900 'this host is not configured'
	check "boot $boot: networkd gets an address" vm_wait 600 'DHCPv4 address 10.0.2.15'
	check "boot $boot: systemd makes up no machine-id" test "$(vm_said | grep -ac 'Initializing machine ID')" = 0
	vm_kill
	client_ids "$WORK/dhcp-$boot.pcap" >"$WORK/ids-$boot"
	note <"$WORK/ids-$boot"
	check "boot $boot: every request has the MAC address as client identifier, or none" \
		grep -qxE '015254000a0001( none)?' "$WORK/ids-$boot"
done
finish
