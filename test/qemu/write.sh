#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# rackstrap write in a machine whose disks fail: QEMU's blkdebug and nbdkit inject the faults,
# and the guest's kernel reports them. The guest is this machine's own kernel with an initramfs
# of busybox, rackstrap and their libraries. Each case prints rackstrap's messages between two
# marks; the disks are read from outside afterwards.
. "$(dirname "$0")/../tap.sh"
qemu_pid=
nbdkit_pid=
tap_cleanup() {
	[ -z "$qemu_pid" ] || kill -KILL "$qemu_pid" 2>/dev/null
	[ -z "$nbdkit_pid" ] || kill "$nbdkit_pid" 2>/dev/null
}
kernel=$(find /boot -name 'vmlinuz-*' | sort -V | tail -n 1)
[ -r "$kernel" ] || bail "no kernel in /boot that may be read: install linux-image-cloud-amd64"

# --- the guest --------------------------------------------------------------------------
root=$WORK/root
carry() { # PROGRAM PLACE: copies a program and its libraries into the guest
	cp -L "$1" "$root/$2"
	{ ldd "$1" 2>/dev/null || :; } | grep -o '/[^ ]*' | while read -r lib; do
		mkdir -p "$root$(dirname "$lib")"
		cp -Lu "$lib" "$root$lib"
	done
}
mkdir -p "$root"/{bin,proc,sys,dev,mnt,tmp,modules}
carry "$(command -v busybox)" bin/busybox
carry "$RACKSTRAP" bin/rackstrap
carry "$(PATH=$PATH:/sbin command -v dmsetup)" bin/dmsetup
# Kernel modules, in the order in which they have to be loaded.
for m in virtio_pci virtio_scsi sd_mod dm-mod raid1; do
	PATH=$PATH:/sbin modprobe -S "${kernel#/boot/vmlinuz-}" --show-depends "$m" ||
		bail "no module $m for $kernel"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$WORK/modules"
xargs -a "$WORK/modules" cp -t "$root/modules/"
sed 's|.*/|/modules/|' "$WORK/modules" >"$root/modules/order"

# 40 MiB with 12 MiB of content, compressed for the guest.
truncate -s 40M "$WORK/image"
printf 'label: gpt\nsize=8M, type=U, name=boot\ntype=L\n' | sfdisk -q "$WORK/image"
dd if=/dev/urandom of="$WORK/image" bs=1M seek=2 count=8 conv=notrunc status=none
dd if=/dev/urandom of="$WORK/image" bs=1M seek=34 count=4 conv=notrunc status=none
zstd -q -1 "$WORK/image" -o "$root/image.zst"

# The guest finds its disks by their serial numbers.
cat >"$root/init" <<'END'
#!/bin/busybox sh
export PATH=/bin TERM=dumb TMPDIR=/tmp
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
while read -r m; do insmod "$m"; done </modules/order
for i in $(seq 6000); do [ "$(ls -d /sys/block/sd* | wc -l)" -ge DISKS ] && break; sleep 0.1; done
echo; echo "LIST"; rackstrap write --json; echo "END"
disk() { # SERIAL
	for d in /sys/block/sd*; do
		[ "$(dd if=$d/device/vpd_pg80 bs=1 skip=4 2>/dev/null)" = "$1" ] && echo /dev/${d##*/}
	done
}
try() { # CASE SERIAL
	echo "CASE $1"
	rackstrap write /image.zst $(disk $2) --yes --serial $2 2>&1 | grep -v '^rackstrap: .*, serial number' | grep -v '^rackstrap:   '
	echo "END $1"
}
try good GOOD
try too-small SMALL
try large-sectors LARGE
try read-only LOCKED
dmsetup create held --table "0 2048 linear $(disk MAPPED) 2048"
try mapped MAPPED
raid=$(disk RAID) raid=${raid#/dev/} md=/sys/block/md0/md # admin-guide/md.rst of the kernel
echo md0 >/sys/module/md_mod/parameters/new_array
echo none >$md/metadata_version; echo raid1 >$md/level; echo 1 >$md/raid_disks
cat /sys/block/$raid/dev >$md/new_dev; echo 32768 >$md/component_size
echo 0 >$md/dev-$raid/slot; echo active >$md/array_state
try array RAID
mkswap $(disk SWAP) >/dev/null; swapon $(disk SWAP)
try swap SWAP
try bad-write BADWRITE
try bad-read BADREAD
try bad-flush BADFLUSH
try liar LIAR
try pulled PULLED
echo "NOW CUT"
try cut CUT
END
chmod +x "$root/init"

# --- its disks --------------------------------------------------------------------------
args=() disks=0
device() { # SERIAL NODE EXTRA
	args+=(-device "scsi-hd,id=${1,,},drive=$2,serial=$1,werror=report,rerror=report${3:+,$3}")
	disks=$((disks + 1))
}
# Makes a disk that has a partition table of its own.
file() { # NAME SIZE
	truncate -s "$2" "$WORK/$1"
	printf 'label: gpt\ntype=L\n' | sfdisk -q "$WORK/$1"
}
plain() { # SERIAL SIZE EXTRA NODE-OPTIONS
	file "$1" "$2"
	args+=(-blockdev "driver=raw,node-name=n$1,file.driver=file,file.filename=$WORK/$1${4:+,$4}")
	device "$1" "n$1" "${3:-}"
}
faulty() { # SERIAL FAULT: a disk with a fault of blkdebug
	file "$1" 64M
	args+=(-blockdev '{"driver":"raw","node-name":"n'"$1"'","file":{"driver":"blkdebug","inject-error":['"$2"'],
		"image":{"driver":"file","filename":"'"$WORK/$1"'"}}}')
	device "$1" "n$1"
}
slow() { # SERIAL: a disk so slow that the test can act while it is written
	file "$1" 64M
	args+=(-object "throttle-group,id=t$1,x-bps-write=1000000"
		-blockdev "driver=throttle,node-name=n$1,throttle-group=t$1,file.driver=raw,file.file.driver=file,file.file.filename=$WORK/$1")
	device "$1" "n$1"
}
plain GOOD 64M
plain SMALL 32M
plain LARGE 64M logical_block_size=4096,physical_block_size=4096
plain LOCKED 64M '' read-only=on
plain MAPPED 64M
plain RAID 64M
plain SWAP 64M
# Sector 10000 is in the image's fifth MiB.
faulty BADWRITE '{"event":"none","iotype":"write","errno":5,"sector":10000,"once":false}'
faulty BADREAD '{"event":"none","iotype":"read","errno":5,"sector":10000,"once":false}'
faulty BADFLUSH '{"event":"none","iotype":"flush","errno":5,"once":false}'
slow PULLED
slow CUT
# A disk that accepts every write, and stores one byte of its fourth MiB wrongly.
file LIAR 64M
export LIAR=$WORK/LIAR
nbdkit -f -U "$WORK/liar.sock" eval get_size='echo 67108864' \
	pread='dd if=$LIAR iflag=count_bytes,skip_bytes count=$3 skip=$4 status=none' \
	pwrite='dd of=$LIAR oflag=seek_bytes seek=$4 conv=notrunc status=none
		if [ $4 -le 3500000 ] && [ $(($4 + $3)) -gt 3500000 ]; then
			printf "\125\252" | dd of=$LIAR oflag=seek_bytes seek=3500000 conv=notrunc status=none
		fi' flush=: can_flush='exit 0' >&2 &
nbdkit_pid=$!
for _ in $(seq 1000); do [ -S "$WORK/liar.sock" ] && break; sleep 0.1; done
args+=(-blockdev "driver=nbd,node-name=nLIAR,server.type=unix,server.path=$WORK/liar.sock")
device LIAR nLIAR

sed -i "s/DISKS/$disks/" "$root/init"
(cd "$root" && find . | cpio -o -H newc --quiet) >"$WORK/initrd"
timeout 7200 qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none -machine q35,graphics=off \
	-accel tcg,thread=multi -cpu max -smp 2 -m 768M -serial "file:$WORK/console" \
	-qmp "unix:$WORK/qmp,server=on,wait=off" -kernel "$kernel" -initrd "$WORK/initrd" \
	-append 'console=ttyS0 loglevel=1 panic=-1 rdinit=/init' -device virtio-scsi-pci "${args[@]}" >&2 2>&1 &
qemu_pid=$!

# --- meanwhile --------------------------------------------------------------------------
console() { tr -d '\r' <"$WORK/console"; }
until_says() { # LINE
	until console 2>/dev/null | grep -qFx "$1"; do
		kill -0 "$qemu_pid" 2>/dev/null || return 1
		sleep 0.1
	done
}
# Waits until some MiB have been written: the file had only its partition table before.
until_written() { # SERIAL
	until [ "$(stat -c %b "$WORK/$1")" -ge 10000 ]; do
		kill -0 "$qemu_pid" 2>/dev/null || return 1
		sleep 0.1
	done
}
check "the guest reaches the disk that will be unplugged" until_says "CASE pulled" ||
	{ console | tail -n 30 | note; finish; }
check "the guest writes to it" until_written PULLED
check "the disk is unplugged" test/qmp.py "$WORK/qmp" device_del id=pulled
check "the guest reaches the power cut" until_says "CASE cut"
check "the guest is writing" until_written CUT
kill -KILL "$qemu_pid" 2>/dev/null
wait "$qemu_pid" 2>/dev/null
qemu_pid=

# --- its messages -----------------------------------------------------------------------
console >"$WORK/said"
json_of() { sed -n '/^LIST$/,/^END$/p' "$WORK/said" | sed '1d;$d'; }
json_of >"$WORK/list"
check "the list has serial numbers, sizes, sector sizes and the read-only flag" python3 -c 'import json, sys
d = {d["serial"]: d for d in json.load(open(sys.argv[1]))["devices"]}
assert len(d) == int(sys.argv[2]), d
assert d["GOOD"]["size"] == 64 << 20 and d["GOOD"]["sector"] == 512, d["GOOD"]
assert d["GOOD"]["bus"] == "virtio" and d["GOOD"]["model"] == "QEMU QEMU HARDDISK", d["GOOD"]
assert d["LARGE"]["sector"] == 4096 and d["LOCKED"]["read_only"], d' "$WORK/list" "$disks"

# Prints the only line of a case, with DISK in place of the disk's name.
said() { sed -n "/^CASE $1\$/,/^END $1\$/p" "$WORK/said" | sed '1d;$d; s|/dev/sd.|DISK|g; s|\<sd.\>|DISK|g'; }
expect() { # CASE LINE-PATTERN
	local got
	got=$(said "$1")
	# shellcheck disable=SC2053 # $2 is a pattern, of extglob
	if [[ $got == $2 ]]; then
		pass "$1: ${got#rackstrap: DISK: }"
	else
		fail "$1"
		printf '# said:   %s\n# wanted: %s\n' "$got" "$2"
	fi
}
zero_bytes() { ! head -c "$2" "$1" | tr -d '\0' | grep -q .; }
blank() { zero_bytes "$WORK/$1" 1048576 && zero_bytes <(tail -c 1048576 "$WORK/$1") 1048576; }
untouched() { sfdisk -q -l "$WORK/$1" && ! grep -qc rackstrap-boot "$WORK/$1"; }
nothing='it is left with nothing that boots'

expect good 'DISK: 40.0 MiB written and compared in * s (* MiB of it were zero already)'
check "good: the image is on it" cmp -n 41943040 "$WORK/image" "$WORK/GOOD"
expect too-small 'rackstrap: DISK: is too small: it has 32.0 MiB (33554432 bytes), the image 40.0 MiB (41943040)'
expect large-sectors 'rackstrap: DISK: has sectors of 4096 bytes, the image is made for sectors of 512: it would not boot'
expect read-only 'rackstrap: DISK: is read-only'
expect mapped "rackstrap: DISK: DISK is part of dm-0, device mapper's 'held'"
expect array 'rackstrap: DISK: DISK is part of md0, an md raid1'
expect swap 'rackstrap: DISK: DISK is swap space'
for d in SMALL LARGE LOCKED MAPPED RAID; do check "$d is unchanged" untouched $d; done
expect bad-write "rackstrap: DISK: cannot be written at byte 4194304: Input/output error; $nothing"
expect bad-read "rackstrap: DISK: cannot be read at byte 4194304: Input/output error; $nothing"
expect bad-flush 'rackstrap: DISK: cannot be flushed: Input/output error; its boot sector could not be cleared: what was on it may still boot'
expect liar "rackstrap: DISK: the MiB at byte 3145728 is not what was written there: the disk is damaged, or smaller than it reports; $nothing"
# A write under way fails with EIO, a later one with ENODEV: either may come first.
expect pulled "rackstrap: DISK: cannot be written at byte *: @(No such device|Input/output error); $nothing"
check "the power was cut before rackstrap said anything" test -z "$(said cut | grep -v '^END')"
for d in BADWRITE BADREAD LIAR PULLED CUT; do check "$d has nothing left that boots" blank $d; done
finish
