#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# rackstrap write on loop devices: every format of image, everything that is refused, and the
# contents of a disk after an error, a signal, a kill and a change by another process.
. "$(dirname "$0")/../tap.sh"
export TMPDIR=$WORK
loops=() mounts=()
loop='' exact='' small='' large='' locked='' used='' full='' itself='' # new_loop sets them
tap_cleanup() {
	local x
	swapoff "${swap:-/nowhere}" 2>/dev/null
	for x in "${loops[@]}"; do losetup -d "$x"; done
	for x in "${mounts[@]}"; do umount "$x"; done
}

[ "$(id -u)" = 0 ] || { skip "rackstrap write" "loop devices need root"; finish; }

new_loop() { # VARIABLE FILE ARGS...
	local -n loop_=$1
	loop_=$(losetup -f --show "${@:3}" "$2") || bail "no loop device"
	loops+=("$loop_")
}
write() { "$RACKSTRAP" write "$@"; }
now() { write "$1" "$2" --yes --serial "${2#/dev/}"; } # IMAGE DEVICE
zero_bytes() { ! head -c "$2" "$1" | tr -d '\0' | grep -q .; }
# Succeeds when a disk has no boot sector, no GPT and no backup GPT at its end.
blank() { zero_bytes "$1" 1048576 && zero_bytes <(tail -c 1048576 "$1") 1048576; }
same() { cmp -n "$(stat -c %s "$1")" "$1" "$2"; }

# Makes an image with a partition table and a boot signature: 48 MiB with a hole in it.
make_image() {
	truncate -s 48M "$1"
	printf 'label: gpt\nsize=8M, type=U, name=rackstrap-boot\ntype=L\n' | sfdisk -q "$1"
	dd if=/dev/urandom of="$1" bs=1M seek=2 count=12 conv=notrunc status=none
	dd if=/dev/urandom of="$1" bs=1M seek=40 count=5 conv=notrunc status=none
}
dirty() { dd if=/dev/urandom of="$1" bs=1M count="$2" conv=notrunc status=none; }

make_image "$WORK/image"
truncate -s 64M "$WORK/disk"
dirty "$WORK/disk" 64
new_loop loop "$WORK/disk"

# --- what it writes ---------------------------------------------------------------------
check "a raw image is written" now "$WORK/image" "$loop"
check "the disk has the image's bytes" same "$WORK/image" "$WORK/disk"
check "the old end of the disk is overwritten" zero_bytes <(tail -c 1048576 "$WORK/disk") 1048576
check "sfdisk lists the partitions" sfdisk -q -l "$loop"
dirty "$WORK/disk" 64
zstd -q "$WORK/image" -o "$WORK/image.zst"
xz -k -0 "$WORK/image"
gzip -k -1 "$WORK/image"
qemu-img convert -O qcow2 "$WORK/image" "$WORK/image.qcow2"
for f in zst xz gz qcow2; do
	dirty "$WORK/disk" 3
	check "an image as $f is written" now "$WORK/image.$f" "$loop"
	check "the disk has the image's bytes" same "$WORK/image" "$WORK/disk"
done
check "nothing is left in TMPDIR" test -z "$(find "$WORK" -name 'rackstrap.*')"
truncate -s 48M "$WORK/exact"
new_loop exact "$WORK/exact"
check "an image of exactly the disk's size is written" now "$WORK/image" "$exact"
check "the whole disk has the image's bytes" cmp "$WORK/image" "$WORK/exact"
head -c 3000001 /dev/urandom >"$WORK/odd"
printf '\353\074\220' | dd of="$WORK/odd" conv=notrunc status=none # the jump of a boot sector,
printf '\125\252' | dd of="$WORK/odd" bs=1 seek=510 conv=notrunc status=none # and its signature
check "an image that ends within a sector is written" now "$WORK/odd" "$loop"
check "the disk has the image's bytes" same "$WORK/odd" "$WORK/disk"
write "$WORK/image" "$loop" --yes --serial "${loop#/dev/}" --json >"$WORK/result"
check "write --json prints the result" python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
assert r["size"] == 48 << 20 and r["written"] + r["zero"] == r["size"], r' "$WORK/result"

# --- the list ---------------------------------------------------------------------------
write --json >"$WORK/list"
check "write --json lists the disk" python3 -c 'import json, sys
d = {d["device"]: d for d in json.load(open(sys.argv[1]))["devices"]}[sys.argv[2]]
assert d["size"] == 64 << 20 and d["sector"] == 512 and d["bus"] == "loop", d
assert d["confirm"] == sys.argv[2][5:] and d["uses"] == [] and d["model"] == sys.argv[3], d' \
	"$WORK/list" "$loop" "$WORK/disk"
write >"$WORK/list"
check "write lists the disk as text" grep -qE "^$loop +64\.0 MiB +loop +$WORK/disk +- +free$" "$WORK/list"

# --- what is no disk --------------------------------------------------------------------
dirty "$WORK/disk" 64
cp "$WORK/disk" "$WORK/before"
mkdir "$WORK/kinds"
cd "$WORK/kinds" || exit 1
head -c 100000 /dev/urandom >noise
mkdir tree && cp noise tree/
mksquashfs tree root.squashfs -quiet -no-progress >/dev/null
echo '{"format": 1}' >manifest.json
{ printf 'MZ'; head -c 508 /dev/zero; printf '\125\252\353\146HdrS'; cat noise; } >vmlinuz
find tree | cpio -o -H newc --quiet | zstd -q >initrd.img
tar -cf a.tar noise && gzip -k a.tar && lz4 -q a.tar a.tar.lz4
python3 -c 'import zipfile; zipfile.ZipFile("a.zip", "w").write("noise")'
qemu-img convert -O vmdk "$WORK/image" a.vmdk
qemu-img convert -O vhdx "$WORK/image" a.vhdx
sha256sum noise >SHA256SUMS
truncate -s 1M fs && mkfs.ext4 -q fs && truncate -s 1M zeros
xorriso -no_rc -as mkisofs -quiet -o plain.iso tree
cd "$TOP" || exit 1
to_raw=" (option '--raw' writes the file as it is)"
no_disk() { # FILE WHAT [ADVICE]
	refuse "$1 is refused" 1 "rackstrap: $WORK/kinds/$1: is $2$3$to_raw" now "$WORK/kinds/$1" "$loop"
}
bare=' without partition table or boot sector: nothing would boot from it'
no_disk noise "data of an unknown kind$bare" ''
no_disk root.squashfs "a squashfs file system$bare" ''
no_disk fs "an ext file system$bare" ''
no_disk zeros "data that begins with zeros$bare" ''
no_disk plain.iso "an ISO 9660 file system without El Torito$bare" ''
no_disk manifest.json 'JSON text, not a disk image' ''
no_disk SHA256SUMS 'a list of checksums, not a disk image' ''
no_disk vmlinuz 'a Linux kernel, not a disk image' ''
no_disk initrd.img 'a cpio archive, like an initrd, compressed with zstd, not a disk image' ''
no_disk a.tar 'a tar archive, not a disk image' '; unpack it first'
no_disk a.tar.gz 'a tar archive, compressed with gzip, not a disk image' '; unpack it first'
no_disk a.tar.lz4 'a tar archive, compressed with lz4, not a disk image' '; unpack it first'
no_disk a.zip 'a zip archive, not a disk image' '; unpack it first'
no_disk a.vmdk 'a VMDK file, not a disk image' '; convert it with qemu-img(1) first'
no_disk a.vhdx 'a VHDX file, not a disk image' '; convert it with qemu-img(1) first'
cp "$WORK/image.xz" "$WORK/kinds/x.txt" # a disk by its content
qemu-img convert -O qcow2 "$WORK/kinds/zeros" "$WORK/kinds/none.qcow2"
meant="did you mean $WORK/kinds/none.qcow2 or $WORK/kinds/x.txt?"
no_disk vmlinuz 'a Linux kernel, not a disk image' "; $meant"
no_disk none.qcow2 "data that begins with zeros$bare" "; did you mean $WORK/kinds/x.txt?"
refuse "a folder is refused, and its images are named" 1 "rackstrap: $WORK/kinds: is a folder: $meant" now "$WORK/kinds" "$loop"
refuse "/etc/passwd is refused" 1 "rackstrap: /etc/passwd: is text, not a disk image*$to_raw" now /etc/passwd "$loop"
check "no refused file changes the disk" cmp "$WORK/before" "$WORK/disk"
check "a disk is taken for one whatever its name" now "$WORK/kinds/x.txt" "$loop"
check "--raw writes any file" write --raw "$WORK/kinds/root.squashfs" "$loop" --yes --serial "${loop#/dev/}"
check "the disk has its bytes" same "$WORK/kinds/root.squashfs" "$WORK/disk"
check "--raw unpacks nothing" write --raw "$WORK/image.zst" "$loop" --yes --serial "${loop#/dev/}"
check "the disk has the bytes of the compressed file" same "$WORK/image.zst" "$WORK/disk"
rm -r "$WORK/kinds"

# --- what it asks -----------------------------------------------------------------------
typed() { # ANSWER: at a terminal
	python3 - "$1" "$RACKSTRAP" write "$WORK/image" "$loop" <<'P'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
said = b""
while b"to go on: " not in said:
    said += os.read(fd, 4096)
os.write(fd, sys.argv[1].encode() + b"\n")
try:
    while more := os.read(fd, 4096):
        said += more
except OSError:
    pass
sys.stderr.write(said.decode().replace("\r", ""))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
P
}
n=${loop#/dev/}
dirty "$WORK/disk" 64
cp "$WORK/disk" "$WORK/before"
refuse "a wrong name typed is refused" 1 "rackstrap: $loop: that is not its name: nothing was written" typed sda
cp "$WORK/err" "$WORK/shown"
check "the disk and its size were shown" \
	grep -q "$loop: $WORK/disk, no serial number, name $n, 64.0 MiB, loop, sectors of 512 bytes" "$WORK/shown"
refuse "write without a terminal is refused" 2 "rackstrap: write: standard input is not a terminal: give --yes --serial S with the name of $loop" \
	write "$WORK/image" "$loop"
refuse "another disk's name is refused" 1 "rackstrap: $loop: its name is '$n', not 'sda'" \
	write "$WORK/image" "$loop" --yes --serial sda
refuse "--yes without --serial is refused" 2 "rackstrap: write: options '--yes' and '--serial S' go together: without a question the serial number confirms the disk" \
	write "$WORK/image" "$loop" --yes
refuse "three arguments are refused" 2 "rackstrap: write: unexpected argument 'c'" write a b c
refuse "an image without a device is refused" 2 "rackstrap: write: missing argument DEVICE (\`rackstrap write\` without arguments lists the disks)" \
	write "$WORK/image"
refuse "options without image and device are refused" 2 "rackstrap: write: missing argument IMAGE (*" \
	write --yes --serial "${loop#/dev/}"
for option in --raw --keep-guids "--limit 1G"; do
	# shellcheck disable=SC2086 # an option and its argument
	refuse "$option without image and device is refused" 2 "rackstrap: write: missing argument IMAGE (*" write $option
done

# --- what it refuses --------------------------------------------------------------------
refuse "an image that does not exist is refused" 1 "rackstrap: $WORK/none: No such file or directory" now "$WORK/none" "$loop"
refuse "a folder is refused" 1 "rackstrap: $WORK: is a folder*" now "$WORK" "$loop"
: >"$WORK/empty"
refuse "an empty file is refused" 1 "rackstrap: $WORK/empty: is empty" now "$WORK/empty" "$loop"
refuse "a file in place of a disk is refused" 1 "rackstrap: $WORK/disk: is not a disk (not a block device)" now "$WORK/image" "$WORK/disk"
refuse "a disk that does not exist is refused" 1 "rackstrap: /dev/nowhere: No such file or directory" now "$WORK/image" /dev/nowhere
head -c 40000000 "$WORK/image" >"$WORK/cut"
refuse "a truncated image is refused" 1 \
	"rackstrap: $WORK/cut: has a GPT, but a partition reaches beyond the disk's end: it is damaged or cut off" \
	now "$WORK/cut" "$loop"
head -c 50331000 "$WORK/image" >"$WORK/cut"
refuse "an image without its last bytes is refused" 1 \
	"rackstrap: $WORK/cut: has 50331000 bytes, its GPT says 50331648: the image is cut off" now "$WORK/cut" "$loop"
cp "$WORK/image" "$WORK/cut"
dd if=/dev/zero of="$WORK/cut" bs=1M seek=40 count=8 conv=notrunc status=none
refuse "a download that has its size already and not its end is refused" 1 \
	"rackstrap: $WORK/cut: the copy of its GPT at byte 50331136 is damaged or missing: the image was not copied to its end" \
	now "$WORK/cut" "$loop"
zstd -q -f "$WORK/cut" -o "$WORK/cut.zst"
refuse "such a download is refused when it was compressed" 1 "rackstrap: $WORK/cut.zst: the copy of its GPT at byte 50331136 is *" \
	now "$WORK/cut.zst" "$loop"
truncate -s 8M "$WORK/dos"
printf 'label: dos\ntype=83\n' | sfdisk -q "$WORK/dos"
truncate -s 7M "$WORK/dos"
refuse "a truncated image with an MBR is refused" 1 \
	"rackstrap: $WORK/dos: has 7340032 bytes, its MBR says 8388608: the image is cut off" now "$WORK/dos" "$loop"
mkdir "$WORK/tree" && head -c 3M /dev/urandom >"$WORK/tree/core"
xorriso -no_rc -as mkisofs -quiet -b core -no-emul-boot -boot-load-size 4 -o "$WORK/whole.iso" "$WORK/tree" 2>/dev/null
check "an ISO with El Torito is written" now "$WORK/whole.iso" "$loop"
cp "$WORK/before" "$WORK/disk"
head -c 3M "$WORK/whole.iso" >"$WORK/cut.iso"
refuse "a truncated ISO is refused" 1 \
	"rackstrap: $WORK/cut.iso: has 3145728 bytes, its ISO 9660 file system says *: the image is cut off" now "$WORK/cut.iso" "$loop"
cp "$WORK/image" "$WORK/headless"
dd if=/dev/zero of="$WORK/headless" bs=512 seek=1 count=1 conv=notrunc status=none
refuse "an image that lost its GPT is refused" 1 \
	"rackstrap: $WORK/headless: has a GPT, but its header is missing: it is damaged or cut off" now "$WORK/headless" "$loop"
head -c 9000000 "$WORK/image.zst" >"$WORK/cut.zst"
refuse "a truncated compressed image is refused" 1 "rackstrap: $WORK/cut.zst: truncated zstd data" now "$WORK/cut.zst" "$loop"
cp "$WORK/image.zst" "$WORK/bad.zst"
printf 'damage' | dd of="$WORK/bad.zst" bs=1 seek=5000000 conv=notrunc status=none
refuse "a damaged compressed image is refused" 1 "rackstrap: $WORK/bad.zst: damaged zstd data: *" now "$WORK/bad.zst" "$loop"
qemu-img create -q -f qcow2 -b "$WORK/image" -F raw "$WORK/backed.qcow2"
refuse "a qcow2 with a backing file is refused" 1 \
	"rackstrap: $WORK/backed.qcow2: a qcow2 with a backing file: image refused" now "$WORK/backed.qcow2" "$loop"
truncate -s 48M "$WORK/data"
qemu-img create -q -f qcow2 -o "data_file=$WORK/data" "$WORK/external.qcow2" 48M
refuse "a qcow2 with its data in another file is refused" 1 \
	"rackstrap: $WORK/external.qcow2: a qcow2 with its data in another file: image refused" \
	now "$WORK/external.qcow2" "$loop"
truncate -s 32M "$WORK/small"
new_loop small "$WORK/small"
refuse "a disk that is too small is refused" 1 \
	"rackstrap: $small: is too small: it has 32.0 MiB (33554432 bytes), the image 48.0 MiB (50331648)" \
	now "$WORK/image.qcow2" "$small"
new_loop large "$WORK/before" -b 4096
refuse "a disk with sectors of another size is refused" 1 \
	"rackstrap: $large: has sectors of 4096 bytes, the image is made for sectors of 512: it would not boot" \
	now "$WORK/image.zst" "$large"
truncate -s 1M "$WORK/floppy" && mkfs.vfat -S 2048 "$WORK/floppy" >/dev/null
refuse "a file system with sectors of another size is refused" 1 \
	"rackstrap: $large: has sectors of 4096 bytes, the image is made for sectors of 2048: it would not boot" \
	now "$WORK/floppy" "$large"
new_loop locked "$WORK/before" -r
refuse "a read-only disk is refused" 1 "rackstrap: $locked: is read-only" now "$WORK/image" "$locked"
check "no refused command changes the disk" cmp "$WORK/before" "$WORK/disk"

truncate -s 64M "$WORK/used"
new_loop used "$WORK/used"
mkfs.ext4 -q "$used"
mkdir "$WORK/mnt"
mount "$used" "$WORK/mnt" && mounts+=("$WORK/mnt")
refuse "a mounted disk is refused" 1 "rackstrap: $used: ${used#/dev/} is mounted on $WORK/mnt" now "$WORK/image" "$used"
umount "$WORK/mnt" && mounts=()
mkswap -q "$used" >&2
swapon "$used" && swap=$used
refuse "swap space is refused" 1 "rackstrap: $used: ${used#/dev/} is swap space" now "$WORK/image" "$used"
swapoff "$used" && swap=
addpart "$used" 1 2048 65536
mkfs.ext4 -q "${used}p1"
refuse "a partition is refused" 1 "rackstrap: ${used}p1: is a partition; an image goes to the whole disk, $used" \
	now "$WORK/image" "${used}p1"
mount "${used}p1" "$WORK/mnt" && mounts+=("$WORK/mnt")
refuse "a disk with a mounted partition is refused" 1 "rackstrap: $used: ${used#/dev/}p1 is mounted on $WORK/mnt" \
	now "$WORK/image" "$used"
umount "$WORK/mnt" && mounts=()
delpart "$used" 1
exclusively() { # DEVICE COMMAND...: runs while another process holds the device
	python3 -c 'import os, subprocess, sys
fd = os.open(sys.argv[1], os.O_RDONLY | os.O_EXCL)
sys.exit(subprocess.run(sys.argv[2:]).returncode)' "$@"
}
refuse "a disk that another process holds is refused" 1 \
	"rackstrap: $used: is in use: it cannot be opened exclusively (it may be mounted elsewhere, or part of an array)" \
	exclusively "$used" "$RACKSTRAP" write "$WORK/image" "$used" --yes --serial "${used#/dev/}"

# --- what goes wrong on the way ---------------------------------------------------------
# rackstrap is stopped at one of its writes (strace(1) sends SIGSTOP), so that the test can act
# when some MiB of the image are on the disk.
head -c 268435456 /dev/urandom >"$WORK/big"
printf 'label: gpt\ntype=L\n' | sfdisk -q "$WORK/big"
fresh() { # makes the disk one with another partition table
	truncate -s 0 "$WORK/disk"
	truncate -s 300M "$WORK/disk"
	printf 'label: gpt\ntype=L\n' | sfdisk -q "$WORK/disk"
	losetup -c "$loop"
}
meanwhile() { # COMMAND...: runs while rackstrap, process $pid, is stopped
	fresh
	: >"$WORK/trace"
	# shellcheck disable=SC2069 # standard error goes where refuse reads it, the rest nowhere
	strace -D -qq -o "$WORK/trace" -e trace=pwrite64 -e inject=pwrite64:signal=STOP:when=20 \
		"$RACKSTRAP" write "${source:-$WORK/big}" "$loop" --yes --serial "$n" 2>&1 >/dev/null &
	pid=$!
	until grep -q 'stopped by SIGSTOP' "$WORK/trace"; do
		kill -0 $pid || { echo "rackstrap was not stopped"; return 1; }
		sleep 0.02
	done
	"$@"
	kill -CONT $pid 2>/dev/null
	wait $pid
}
interrupt() { kill -INT "$pid"; }
refuse "SIGINT ends write with 130" 130 "rackstrap: $loop: interrupted when it was partly written; it is left with nothing that boots" eval 'meanwhile interrupt >&2'
check "the disk has nothing left that boots" blank "$WORK/disk"
cut() { kill -KILL "$pid"; }
meanwhile cut >"$WORK/said" 2>&1
check "write was killed while it wrote" test $? = 137
check "the disk has nothing left that boots" blank "$WORK/disk"
change() { # changes a byte that was written already
	printf X | dd of="$WORK/disk" bs=1 seek=3000000 conv=notrunc status=none
}
refuse "a byte that changes after it was written is found" 1 \
	"rackstrap: $loop: the MiB at byte 2097152 is not what was written there: the disk is damaged, or smaller than it reports; it is left with nothing that boots" \
	eval 'meanwhile change >&2'
check "the disk has nothing left that boots" blank "$WORK/disk"

# --- an image that changes --------------------------------------------------------------
change_image() { # FILE BYTE: the size and the time of modification stay
	touch -r "$1" "$WORK/time"
	printf X | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
	touch -r "$WORK/time" "$1"
}
changes=('big 250000000' 'big 3000000')
if is_long; then
	zstd -q -1 "$WORK/big" -o "$WORK/big.zst"
	cp "$WORK/big.zst" "$WORK/other.zst" # its checksum holds when the other one was changed
	qemu-img convert -O qcow2 "$WORK/big" "$WORK/big.qcow2"
	changes+=('big.zst 1000000' 'other.zst 250000000' 'big.qcow2 250000000')
fi
for x in "${changes[@]}"; do
	source=$WORK/${x% *}
	refuse "an image that changes while it is written is noticed ($x)" 1 \
		"rackstrap: $source: changed while it was read: wait until nothing writes to it, and run again; it is left with nothing that boots" \
		eval "meanwhile change_image $WORK/$x >&2"
	check "the disk has nothing left that boots" blank "$WORK/disk"
done
truncate -s 64M "$WORK/disk"
losetup -c "$loop"
mkdir "$WORK/built"
cp "$WORK/image" "$WORK/image.zst" "$WORK/built/"
(cd "$WORK/built" && sha256sum image image.zst >SHA256SUMS)
check "an image that SHA256SUMS lists is written" now "$WORK/built/image" "$loop"
check "a compressed image that SHA256SUMS lists is written" now "$WORK/built/image.zst" "$loop"
differs="has sha256 *, but * in SHA256SUMS beside it: it was damaged or changed; build it again"
dirty "$WORK/disk" 64
cp "$WORK/disk" "$WORK/before"
touch -r "$WORK/built/image" "$WORK/time"
printf X | dd of="$WORK/built/image" bs=1 seek=6000000 conv=notrunc status=none
touch -r "$WORK/time" "$WORK/built/image"
refuse "an image with another digest than in SHA256SUMS is refused" 1 \
	"rackstrap: $WORK/built/image: $differs" now "$WORK/built/image" "$loop"
check "the disk is unchanged" cmp "$WORK/before" "$WORK/disk"
zstd -q -f "$WORK/built/image" -o "$WORK/built/image.zst"
refuse "a compressed image with another digest than in SHA256SUMS is refused" 1 \
	"rackstrap: $WORK/built/image.zst: $differs" now "$WORK/built/image.zst" "$loop"
check "the disk is unchanged" cmp "$WORK/before" "$WORK/disk"

# Its own file is the source.
cp "$WORK/image" "$WORK/itself"
new_loop itself "$WORK/itself"
refuse "a loop device on the image is refused" 1 \
	"rackstrap: $itself: is a loop device on the image itself: nothing was written" now "$WORK/itself" "$itself"
check "the image is unchanged" cmp "$WORK/image" "$WORK/itself"

as_user() { setpriv --reuid 65534 --regid 65534 --clear-groups -- "$@"; }
chmod 755 "$WORK"
refuse "a disk that the user may not open is refused" 4 "rackstrap: $loop: cannot be opened: Permission denied: run this as root" \
	as_user env RACKSTRAP_CACHE="$WORK/none" HOME=/nonexistent "$RACKSTRAP" write "$WORK/image" "$loop" --yes --serial "${loop#/dev/}"

# A disk of 64 MiB whose file system has room for 10.
mkdir "$WORK/full"
mount -t tmpfs -o size=10m tmpfs "$WORK/full" && mounts+=("$WORK/full")
truncate -s 64M "$WORK/full/disk"
new_loop full "$WORK/full/disk"
refuse "a write error ends write with 1" 1 \
	"rackstrap: $full: cannot be written at byte *: No space left on device; it is left with nothing that boots" \
	now "$WORK/image" "$full"
check "the disk has nothing left that boots" blank "$WORK/full/disk"
finish
