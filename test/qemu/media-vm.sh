# SPDX-License-Identifier: Apache-2.0
#
# Sourced by tests of machines that boot from media: QEMU alone, without a rack or a server.
# shellcheck shell=bash
# shellcheck source=../tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
VM_PID=
declare -A VM_PIDS=() VM_PORTS=() VM_STARTS=() # by name

# Makes the key that these tests log in with.
media_key() { ssh-keygen -q -t ed25519 -N '' -C test -f "$WORK/key" </dev/null; }

# Writes a rack file in which the host of test/qemu/solo.cfg is one of three, by its MAC address.
media_rack() { # FILE
	cat >"$1" <<-R
		cluster : {
			name = "solo"; node_network = "10.0.2.0/24"; pod_network = "192.168.0.0/16";
			boot_server = "10.0.2.2"; gateway = "10.0.2.2"; master = "solo-1";
			ssh_keys = [ "$(cat "$WORK/key.pub")" ];
		};
		hosts = (
			{ name = "node-1"; role = "node"; mac = "52:54:00:0a:00:02";
			  address = "10.0.2.16"; cbr0 = "192.168.1.1/24"; },
			{ name = "solo-1"; role = "master"; mac = "52:54:00:0a:00:01";
			  address = "10.0.2.15"; },
			{ name = "node-2"; role = "node"; mac = "52:54:00:0a:00:03";
			  address = "10.0.2.17"; cbr0 = "192.168.2.1/24"; }
		);
	R
}

# Prints QEMU's arguments for a disk, a CD or a USB stick.
vm_drive() { # disk|cd|usb FILE [DEVICE-OPTIONS]
	case $1 in
	disk) echo "-drive if=none,id=d0,format=raw,cache=unsafe,file=$2 -device virtio-blk-pci,drive=d0,bootindex=0${3:-}" ;;
	cd) echo "-device virtio-scsi-pci -drive if=none,id=d0,format=raw,readonly=on,file=$2 -device scsi-cd,drive=d0,bootindex=0" ;;
	usb) echo "-device qemu-xhci -drive if=none,id=d0,format=raw,cache=unsafe,file=$2 -device usb-storage,drive=d0,bootindex=0" ;;
	esac
}

# Writes an image to a new disk of a file, by a loop device. Without root the file is a copy.
vm_medium() { # FILE SIZE IMAGE
	local loop rc=0
	rm -f "$1"
	if [ "$(id -u)" != 0 ]; then
		cp --sparse=always "$3" "$1" && truncate -s "$2" "$1"
		return
	fi
	truncate -s "$2" "$1" && loop=$(losetup -f --show "$1") || return 1
	"$RACKSTRAP" write "$3" "$loop" --yes --serial "${loop#/dev/}" >&2 || rc=1
	losetup -d "$loop"
	return $rc
}

# Starts a machine in the background. Its console is appended to $WORK/NAME.console, and it
# answers QMP on $WORK/NAME.qmp. The functions below are about the machine started last, or the
# one that vm_use names.
vm_start() { # NAME bios|uefi|secure MAC ARGS...
	local name=$1 firmware=$2 mac=$3 args=() machine=q35,graphics=off
	shift 3
	CONSOLE=$WORK/$name.console
	: >>"$CONSOLE"
	VM_SEEN=$(stat -c %s "$CONSOLE")
	local code=OVMF_CODE_4M.fd vars=OVMF_VARS_4M.fd
	if [ "$firmware" = secure ]; then # Secure Boot, with the keys that PCs are sold with
		code=OVMF_CODE_4M.ms.fd vars=OVMF_VARS_4M.ms.fd machine=$machine,smm=on
		args=(-global "driver=cfi.pflash01,property=secure,value=on" -global ICH9-LPC.disable_s3=1)
	fi
	if [ "$firmware" != bios ]; then
		[ -e "$WORK/$name.vars" ] || cp "/usr/share/OVMF/$vars" "$WORK/$name.vars"
		args+=(-drive "if=pflash,unit=0,format=raw,readonly=on,file=/usr/share/OVMF/$code"
			-drive "if=pflash,unit=1,format=raw,file=$WORK/$name.vars")
	fi
	VM_PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	qemu-system-x86_64 -name "$name" -nodefaults -no-user-config -display none \
		-machine "$machine" -accel tcg,thread=multi -cpu EPYC -smp 1 -m 1536M \
		-boot strict=on "${args[@]}" \
		-netdev "user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:$VM_PORT-:22" \
		-device "virtio-net-pci,netdev=n0,mac=$mac,romfile=" \
		-object rng-random,id=rng0,filename=/dev/urandom -device virtio-rng-pci,rng=rng0 \
		-chardev "file,id=c0,append=on,path=$CONSOLE" -serial chardev:c0 \
		-qmp "unix:$WORK/$name.qmp,server=on,wait=off" \
		"$@" >&2 2>"$WORK/$name.qemu" &
	VM_PID=$!
	VM_NAME=$name VM_PIDS[$name]=$VM_PID VM_PORTS[$name]=$VM_PORT VM_STARTS[$name]=$VM_SEEN
}
vm_use() { # NAME
	VM_NAME=$1 CONSOLE=$WORK/$1.console
	VM_PID=${VM_PIDS[$1]} VM_PORT=${VM_PORTS[$1]} VM_SEEN=${VM_STARTS[$1]}
}

# Prints the console's output since the start.
vm_said() { tail -c +$((VM_SEEN + 1)) "$CONSOLE" | tr -d '\r'; }

# Waits until a line of the console matches. Fails after SECONDS, or when QEMU has ended.
vm_wait() { # SECONDS REGEX
	local deadline=$((SECONDS + $1))
	until vm_said | grep -qE -- "$2"; do
		if [ $SECONDS -ge $deadline ] || ! kill -0 "$VM_PID" 2>/dev/null; then
			vm_said | tail -n 15 >&2
			cat "$WORK"/*.qemu >&2
			return 1
		fi
		sleep 0.5
	done
}

# Kills the machine, as a power cut does.
vm_kill() {
	[ -n "$VM_PID" ] || return 0
	kill -KILL "$VM_PID" 2>/dev/null
	wait "$VM_PID" 2>/dev/null
	unset "VM_PIDS[$VM_NAME]"
	VM_PID=
}
tap_cleanup() {
	local name
	for name in "${!VM_PIDS[@]}"; do
		vm_use "$name"
		vm_kill
	done
}

on_vm() {
	ssh -i "$WORK/key" -p "$VM_PORT" -o BatchMode=yes -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=120 \
		-o IdentitiesOnly=yes root@127.0.0.1 "$@"
}

READY='rackstrap: solo-1 \(master\) ready in'
ready() { vm_wait "${1:-2400}" "$READY"; }

# Checks the disk of a machine that does not run, with foreign tools: the partition table and
# the state partition's ext4 are without faults, and the partition reaches the disk's end.
state_is_sound() { # IMAGE
	local start size total
	sfdisk --verify "$1" >&2 && sgdisk -v "$1" | grep -q '^No problems found' || return 1
	read -r start size < <(sfdisk -J "$1" | python3 -c '
import json, sys
p = json.load(sys.stdin)["partitiontable"]["partitions"][2]
print(p["start"], p["size"])')
	total=$(($(stat -c %s "$1") / 512))
	[ $((total - start - size)) -lt 4096 ] || return 1
	dd if="$1" of="$WORK/state.img" bs=1M iflag=skip_bytes,count_bytes \
		skip=$((start * 512)) count=$((size * 512)) conv=sparse status=none
	# A journal to replay is no fault: the machine's power was cut.
	e2fsck -p "$WORK/state.img" >&2
	[ $? -le 1 ] && e2fsck -fn "$WORK/state.img" >&2 &&
		[ "$(blkid -p -o value -s LABEL "$WORK/state.img")" = rackstrap-state ]
}

# Waits at most SECONDS until the machine has switched itself off.
vm_gone() { # SECONDS
	local deadline=$((SECONDS + $1))
	while kill -0 "$VM_PID" 2>/dev/null && [ $SECONDS -lt $deadline ]; do sleep 0.5; done
}

# Prints a random number of seconds, 0 to 4: the state partition is made within three or four
# seconds of finding the boot medium.
cut_instant() { printf '%d.%03d\n' $((RANDOM % 4)) $((RANDOM % 1000)); }

# Changes a byte 50 MiB into slot A's root.squashfs.
damage() { # IMAGE OF A DISK
	python3 - "$1" <<'P'
import mmap, sys
with open(sys.argv[1], "r+b") as f:
    m = mmap.mmap(f.fileno(), 0)
    at = m.find(b"hsqs") + 50 * 1024 * 1024
    m[at] ^= 1
    m.flush()
P
}
