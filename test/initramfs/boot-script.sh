#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# pxe/initramfs/rackstrap under the shell that runs it in an initramfs, busybox's ash, on
# files for disks: what it takes for its root, which disks it makes its own and which it
# leaves alone, and that it may be cut off anywhere while it does.
. "$(dirname "$0")/../tap.sh"
SCRIPT=$TOP/pxe/initramfs/rackstrap
TOPDIR=$WORK/top
MARK='rackstrap: a state disk is being made here'
command -v busybox >/dev/null || bail "no busybox"

# What initramfs-tools and its hooks bring, as far as the script calls it. A "device" is a
# file in $TOPDIR/dev; blkid, which looks for labels on real devices only, is told.
fresh() {
	rm -rf "$TOPDIR"
	mkdir -p "$TOPDIR"/{dev,proc/sys/kernel,sys/class/block,run,rackstrap,sbin}
	echo "boot=rackstrap ${*:-}" >"$TOPDIR/proc/cmdline"
	echo "12.34 20.00" >"$TOPDIR/proc/uptime"
	echo "MemTotal:        2097152 kB" >"$TOPDIR/proc/meminfo"
	echo "7 4 1 7" >"$TOPDIR/proc/sys/kernel/printk"
	ln -s /dev/zero "$TOPDIR/dev/zero"
	for tool in mke2fs tune2fs e2fsck; do
		ln -s "$(PATH=$PATH:/sbin:/usr/sbin command -v $tool)" "$TOPDIR/sbin/$tool"
	done
	cat >"$TOPDIR/sbin/blkid" <<-'S'
	#!/bin/sh
	case " $* " in
	*" LABEL="*)
		for a; do case $a in LABEL=*) want=${a#LABEL=} ;; esac; done
		for dev in "${0%/sbin/blkid}"/dev/vd*; do
			[ "$(/sbin/blkid -c /dev/null -p -o value -s LABEL "$dev")" = "$want" ] && echo "$dev"
		done ;;
	*) exec /sbin/blkid "$@" ;;
	esac
	S
	chmod 755 "$TOPDIR/sbin/blkid"
}

disk() { # NAME MIB
	truncate -s 0 "$TOPDIR/dev/$1" && truncate -s "${2}M" "$TOPDIR/dev/$1"
	mkdir -p "$TOPDIR/sys/class/block/$1"
	echo $(($2 * 2048)) >"$TOPDIR/sys/class/block/$1/size"
	echo 0 >"$TOPDIR/sys/class/block/$1/ro"
}

# Runs ash code after the script. At the step that $CUT names the shell is killed, as by a
# power cut: before what the step stands in front of. Pipelines are shells of their own,
# so that a file counts.
cat >"$WORK/harness" <<'S'
rackstrap_top=$TOPDIR
. "$SCRIPT"
rackstrap_wait=0
step() { echo >>"$STEPS"; [ "$(wc -l <"$STEPS")" != "$CUT" ] || kill -KILL $$; }
sync() { step; }
dd() { case " $* " in *" of="*) step ;; esac; command dd "$@"; }
mv() { step; command mv "$@"; }
panic() { exit 3; }
modprobe() { :; }
wait_for_udev() { :; }
configure_networking() { echo configure_networking; }
S
ash() { # CODE
	cat "$WORK/harness" - >"$WORK/code" <<<"$1"
	: >"$WORK/steps"
	TOPDIR=$TOPDIR SCRIPT=$SCRIPT CUT=${CUT:-0} STEPS=$WORK/steps busybox sh "$WORK/code" \
		>"$WORK/stdout" 2>"$WORK/stderr"
}
steps() { wc -l <"$WORK/steps"; }
# The kernel's log is a file here.
said() { sed 's/^<5>//' "$TOPDIR/dev/kmsg" 2>/dev/null; }
says() { # 'WHAT' 'LINE': the last line it said
	if [ "$(said | tail -n 1)" = "$2" ]; then
		pass "$1"
	else
		fail "$1"
		printf '# said:   %s\n# wanted: %s\n' "$(said | tail -n 1)" "$2"
		note <"$WORK/stderr"
	fi
}

check "dash takes it" dash -n "$SCRIPT"
check "busybox's ash takes it" busybox sh -n "$SCRIPT"

# --- the command line --------------------------------------------------------------

word() { # 'CMDLINE' KEY WANT
	fresh "$1"
	ash "rackstrap_word $2"
	check "rackstrap.$2 of <$1> is <$3>" test "$(cat "$WORK/stdout")" = "$3"
}
word 'rackstrap.state=/dev/vdb quiet' state /dev/vdb
word 'rackstrap.state=/dev/vdb rackstrap.state=none' state none
word 'rackstrap.state="/dev/vdb" x' state /dev/vdb
word '"rackstrap.state=/dev/vdb" x' state /dev/vdb
word 'a="b rackstrap.state=/dev/vdb c" d' state ''
word 'a="b c" rackstrap.state=/dev/vdb' state /dev/vdb
word 'rackstrap.stated=/dev/vdb' state ''
word 'state=/dev/vdb' state ''
word 'rackstrap.config=http://a/* x' config 'http://a/*'

# --- the root image ----------------------------------------------------------------

image=$TOPDIR/rackstrap/root.squashfs
fresh
ash 'rackstrap_find_root abc'
says "no root image: what was expected, and how much memory there is" "rackstrap: boot failed: expected /rackstrap/root.squashfs with sha256 abc, found none in the initramfs: root.cpio was not loaded, or did not fit into this machine's 2048 MiB of memory"
fresh
echo squash >"$image"
good=$(sha256sum <"$image") good=${good%% *}
check "the root image of the initramfs is found, and its digest checked" \
	ash "rackstrap_find_root $good && rackstrap_check_root $good"
check "nothing is said about it" test -z "$(said)"
echo squish >"$image"
bad=$(sha256sum <"$image") bad=${bad%% *}
check "a damaged one: the boot fails" test "$(ash "rackstrap_find_root $good && rackstrap_check_root $good"; echo $?)" = 3
says "with both digests" "rackstrap: boot failed: root.squashfs is damaged or another image's: expected sha256 $good, found $bad (7 bytes)"
check "no digest to hold it up to: taken" ash 'rackstrap_find_root && rackstrap_check_root ""'
says "with a warning" "rackstrap: warning: root.squashfs is taken unchecked (no rackstrap.root_sha256= on the kernel command line)"

# --- whose disk is it --------------------------------------------------------------

find='rackstrap_find_state; echo "$rackstrap_state"'
state() { sed "s|^$TOPDIR||" "$WORK/stdout" | tail -n 1; }
is_ours() { # DISK: by others' eyes
	[ "$(/sbin/blkid -c /dev/null -p -o value -s LABEL "$1")" = rackstrap-state ] &&
		PATH=$PATH:/sbin:/usr/sbin e2fsck -fn "$1" &&
		! tail -c 1048576 "$1" | grep -aqF "$MARK"
}

fresh rackstrap.state=/dev/vdb
disk vdb 66
ash "$find"
check "a blank disk that is named is used" test "$(state)" = /dev/vdb
check "it holds a sound ext4 labelled rackstrap-state, and no mark" is_ours "$TOPDIR/dev/vdb"
says "it says so" "rackstrap: $TOPDIR/dev/vdb is blank: making it the state disk"
sum=$(sha256sum <"$TOPDIR/dev/vdb")
ash "$find"
check "at the next boot it is used as it is" test "$(state)" = /dev/vdb -a \
	"$sum" = "$(sha256sum <"$TOPDIR/dev/vdb")"
echo "boot=rackstrap" >"$TOPDIR/proc/cmdline"
ash "$find"
check "found by its label when nobody names it" test "$(state)" = /dev/vdb
echo "boot=rackstrap rackstrap.state=none" >"$TOPDIR/proc/cmdline"
ash "$find"
check "rackstrap.state=none leaves it alone" test "$(state)" = ram
fresh
disk vdb 66
sum=$(sha256sum <"$TOPDIR/dev/vdb")
ash "$find"
check "a blank disk that nobody names is left alone" test "$(state)" = ram -a \
	"$sum" = "$(sha256sum <"$TOPDIR/dev/vdb")"
fresh rackstrap.state=/dev/vdb
ash "$find"
check "a disk that is not there: RAM" test "$(state)" = ram
says "with a warning" "rackstrap: warning: no disk $TOPDIR/dev/vdb within 0 s, and none labelled rackstrap-state"
fresh rackstrap.state=/dev/vdc
for d in vdb vdc; do
	disk $d 66
	PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext4 -L rackstrap-state "$TOPDIR/dev/$d"
done
ash "$find"
check "of two state disks the named one is used" test "$(state)" = /dev/vdc
says "and the other is told" "rackstrap: warning: $TOPDIR/dev/vdb is labelled rackstrap-state too; $TOPDIR/dev/vdc is used"

somebodys() { # 'WHAT' 'WHY': vdb must stay what it is
	local sum
	sum=$(sha256sum <"$TOPDIR/dev/vdb")
	ash "$find"
	check "$1: not used" test "$(state)" = ram
	says "$1: told why" "rackstrap: warning: $TOPDIR/dev/vdb does not become the state disk: it $2"
	check "$1: not a byte of it changed" test "$sum" = "$(sha256sum <"$TOPDIR/dev/vdb")"
}
named() { fresh rackstrap.state=/dev/vdb; disk vdb "${1:-66}"; }
patch_at() { printf '%s' "$2" | dd of="$TOPDIR/dev/vdb" bs=1 seek="$1" conv=notrunc status=none; }

named
PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext4 -L photos "$TOPDIR/dev/vdb"
somebodys "a disk with a filesystem" "holds ext4 labelled photos"
named
PATH=$PATH:/sbin:/usr/sbin mkswap "$TOPDIR/dev/vdb" >/dev/null 2>&1
somebodys "swap" "holds swap"
named
echo 'label: gpt' | PATH=$PATH:/sbin:/usr/sbin sfdisk -q "$TOPDIR/dev/vdb"
somebodys "an empty GPT" "holds a partition table"
named
echo 'label: dos
size=40M' | PATH=$PATH:/sbin:/usr/sbin sfdisk -q "$TOPDIR/dev/vdb"
somebodys "a DOS partition table" "holds a partition table"
named
patch_at 700000 x
somebodys "one byte in the first MiB" "is not blank"
named
patch_at $((66 * 1048576 - 1)) x
somebodys "the last byte" "is not blank"
named 63
somebodys "a small disk" "is smaller than 64 MiB"
named
echo 1 >"$TOPDIR/sys/class/block/vdb/ro"
somebodys "a read-only disk" "is read-only"
named
mkdir "$TOPDIR/sys/class/block/vdb/vdb1"
echo 1 >"$TOPDIR/sys/class/block/vdb/vdb1/partition"
somebodys "a disk that the kernel sees partitions on" "has partitions"
named
rm -r "$TOPDIR/sys/class/block/vdb"
somebodys "a thing that is no disk" "is not a disk or partition"
named
rm "$TOPDIR/sbin/mke2fs"
printf '#!/bin/sh\necho BusyBox\n' >"$TOPDIR/sbin/mke2fs"
chmod 755 "$TOPDIR/sbin/mke2fs"
somebodys "only busybox's mke2fs" "is blank, but this initramfs has no mke2fs of e2fsprogs"
named
patch_at $((66 * 1048576 - 512)) "$MARK"
PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext4 -L photos "$TOPDIR/dev/vdb" 60M
somebodys "our mark, and somebody's filesystem since" "holds ext4 labelled photos"

# busybox's blkid knows no -p: nothing can be told blank, so that nothing is touched.
named
printf '#!/bin/sh\necho "BusyBox v1.35.0"\n' >"$TOPDIR/sbin/blkid"
sum=$(sha256sum <"$TOPDIR/dev/vdb")
ash "$find"
check "busybox's blkid: no disk is looked at" test "$(state)" = ram -a \
	"$sum" = "$(sha256sum <"$TOPDIR/dev/vdb")"
says "with a warning" "rackstrap: warning: this initramfs has no util-linux blkid, so no disk is looked at"

# --- a disk or an ISO --------------------------------------------------------------

# What is on the medium stands in $TOPDIR/on/DEVICE, for mount to find; what kind it is and
# its tag in $TOPDIR/tag/DEVICE, for blkid.
medium() { # DEVICE TYPE TAG=VALUE
	mkdir -p "$TOPDIR/on/$1/rackstrap/a" "$TOPDIR/tag" "$TOPDIR/sys/class/block/$1"
	: >"$TOPDIR/dev/$1"
	echo "TYPE=$2
	$3" | tr -d '\t' >"$TOPDIR/tag/$1"
	echo squash >"$TOPDIR/on/$1/rackstrap/a/root.squashfs"
	cat >"$TOPDIR/sbin/blkid" <<-'S'
	#!/bin/sh
	top=${0%/sbin/blkid}
	case " $* " in
	*" -V "*) echo "blkid from util-linux" ;;
	*" PARTUUID="*) for a; do case $a in PARTUUID=*) (cd $top/tag && grep -lx "$a" *) | sed "s|^|$top/dev/|" ;; esac; done ;;
	*" -s LABEL "*) for a; do dev=$a; done; sed -n s/^LABEL=//p "$top/tag/${dev##*/}" ;;
	*" -s TYPE "*) for a; do dev=$a; done; sed -n s/^TYPE=//p "$top/tag/${dev##*/}" ;;
	*) exit 2 ;;
	esac
	S
}
MEDIUM='mount() { for a; do from=$to to=$a; done; [ -d "$TOPDIR/on/${from##*/}" ] && cp -r "$TOPDIR/on/${from##*/}/." "$to"; }
	umount() { rm -rf "$1"; mkdir "$1"; }
	losetup() { case $1 in -f) echo /dev/loop0 ;; -r) mkdir -p "$TOPDIR/on" && cp -r "$3.d" "$TOPDIR/on/loop0" ;; esac; }
	rackstrap_run=$TOPDIR/run/rackstrap
	rackstrap_find_root && echo "$rackstrap_medium $rackstrap_image $rackstrap_boot_dev"'
found() { sed "s|$TOPDIR||g" "$WORK/stdout"; }

disk_word=rackstrap.root=PARTUUID=03aa5b17-5e3b:/rackstrap/a/root.squashfs
fresh "$disk_word"
medium vdb2 vfat PARTUUID=03aa5b17-5e3b
medium vda2 vfat PARTUUID=11111111-5e3b
(umask 022 && echo 'name = "a";' >"$TOPDIR/on/vdb2/rackstrap/host.cfg")
ash "$MEDIUM"
check "the partition with that GUID is the medium" test "$(found)" = \
	"disk /run/rackstrap/boot/rackstrap/a/root.squashfs /dev/vdb2"
says "it says which" "rackstrap: boot medium: $TOPDIR/dev/vdb2"
check "its host.cfg is handed on" cmp "$TOPDIR/on/vdb2/rackstrap/host.cfg" \
	"$TOPDIR/run/rackstrap/medium/host.cfg"
check "which nobody but root reads" test "$(stat -c %a "$TOPDIR/run/rackstrap/medium/host.cfg")" = 600
check "a rack.cfg that is not there is not" test ! -e "$TOPDIR/run/rackstrap/medium/rack.cfg"

fresh rackstrap.root=LABEL=RACKSTRAP_AB:/rackstrap/a/root.squashfs
medium sr0 iso9660 LABEL=RACKSTRAP_AB
medium loop3 iso9660 LABEL=RACKSTRAP_AB
mkdir -p "$TOPDIR/on/sr0/boot/efi.img.d/rackstrap"
: >"$TOPDIR/on/sr0/boot/efi.img"
echo 'hosts = ( );' >"$TOPDIR/on/sr0/boot/efi.img.d/rackstrap/rack.cfg"
ash "$MEDIUM"
check "the ISO with that label is the medium" test "$(found)" = \
	"iso /run/rackstrap/boot/rackstrap/a/root.squashfs /dev/sr0"
check "a rack.cfg comes out of its boot/efi.img" grep -qx 'hosts = ( );' \
	"$TOPDIR/run/rackstrap/medium/rack.cfg"

fresh "$disk_word"
medium vda2 vfat PARTUUID=11111111-5e3b
printf 'major minor  #blocks  name\n\n 254        0     409600 vda\n 254        2     262144 vda2\n' >"$TOPDIR/proc/partitions"
check "no such partition: the boot fails" test "$(ash "$MEDIUM"; echo $?)" = 3
says "with what there is" "rackstrap: boot failed: no disk with PARTUUID=03aa5b17-5e3b within 0 s; there are: vda vda2"
fresh "$disk_word"
medium vdb2 vfat PARTUUID=03aa5b17-5e3b
rm "$TOPDIR/on/vdb2/rackstrap/a/root.squashfs"
check "no root image on it: the boot fails" test "$(ash "$MEDIUM"; echo $?)" = 3
says "with the reason" "rackstrap: boot failed: $TOPDIR/dev/vdb2 (PARTUUID=03aa5b17-5e3b) has no /rackstrap/a/root.squashfs, or does not mount"
fresh rackstrap.root=/dev/vdb2
check "a word that is none: the boot fails" test "$(ash "$MEDIUM"; echo $?)" = 3
says "with what it must be" "rackstrap: boot failed: rackstrap.root=/dev/vdb2: must be PARTUUID=GUID:/FILE or LABEL=LABEL:/FILE; without the word the root is in the initramfs"

# --- the state partition of the disk that we booted from ---------------------------

# A disk of 300 MiB with the first 100 of them our image: vda, and vda3 as a file of its
# own that partx makes as large as the table says.
sizes() { # of the image's file; of the disk
	truncate -s 0 "$TOPDIR/dev/vda" && truncate -s "${1}M" "$TOPDIR/dev/vda"
	PATH=$PATH:/sbin:/usr/sbin sfdisk -q "$TOPDIR/dev/vda" <<-T
		label: gpt
		first-lba: 2048
		start=2048, size=2048, name="rackstrap-bios"
		start=4096, size=196608, name="rackstrap-boot"
		start=200704, size=2048, name="${3:-rackstrap-state}"
	T
	truncate -s "${2}M" "$TOPDIR/dev/vda"
}
medium_disk() { # [CMDLINE]
	fresh "${1:-}"
	sizes 100 300
	local base=$TOPDIR/sys/${2:-devices/pci0}/vda
	mkdir -p "$base"/vda{1,2,3}
	for n in 1 2 3; do
		ln -s "$base/vda$n" "$TOPDIR/sys/class/block/vda$n"
		echo $n >"$base/vda$n/partition"
		echo 0 >"$base/vda$n/ro"
	done
	echo PARTNAME=rackstrap-boot >"$base/vda2/uevent"
	echo PARTNAME=rackstrap-state >"$base/vda3/uevent"
	echo $((300 * 2048)) >"$base/size"
	echo 2048 >"$base/vda1/start"
	echo 4096 >"$base/vda2/start"
	ln -s "$(PATH=$PATH:/sbin:/usr/sbin command -v sfdisk)" "$TOPDIR/sbin/sfdisk"
	cat >"$TOPDIR/sbin/partx" <<-S
	#!/bin/sh
	sfdisk -J "$TOPDIR/dev/vda" | python3 -c '
	import json, sys
	p = json.load(sys.stdin)["partitiontable"]["partitions"][2]
	open("$base/vda3/start", "w").write("%d\n" % p["start"])
	open("$base/vda3/size", "w").write("%d\n" % p["size"])
	open("$TOPDIR/dev/vda3", "ab").truncate(p["size"] * 512)'
	S
	chmod 755 "$TOPDIR/sbin/partx"
	PATH=$PATH:/sbin:/usr/sbin "$TOPDIR/sbin/partx" 2>/dev/null
	: >"$TOPDIR/dev/vda2"
}
own="rackstrap_medium=disk rackstrap_boot_dev=\$rackstrap_top/dev/vda2
	rackstrap_run=\$rackstrap_top/run/rackstrap
	$find"
table_is_sound() { PATH=$PATH:/sbin:/usr/sbin; sfdisk --verify "$TOPDIR/dev/vda" && sgdisk -v "$TOPDIR/dev/vda" | grep -q '^No problems found'; }
grown() { [ "$(cat "$TOPDIR/sys/class/block/vda3/size")" -gt $((200 * 2048)) ]; }

medium_disk
ash "$own"
check "the third partition becomes the state disk" test "$(state)" = /dev/vda3
check "as large as the disk" grown
check "the table is sound" table_is_sound
check "so is the filesystem" is_ours "$TOPDIR/dev/vda3"
steps=$(steps)
sum=$(cat "$TOPDIR"/dev/vda* | sha256sum)
ash "$own"
check "at the next boot nothing changes" test "$(state)" = /dev/vda3 -a \
	"$sum" = "$(cat "$TOPDIR"/dev/vda* | sha256sum)"
bad=
for cut in $(seq "$steps"); do
	medium_disk
	{ CUT=$cut ash "$own"; } 2>/dev/null
	[ $? = 137 ] || bad="$bad $cut(not cut)"
	PATH=$PATH:/sbin:/usr/sbin "$TOPDIR/sbin/partx" 2>/dev/null || bad="$bad $cut(table)"
	ash "$own"
	{ [ "$(state)" = /dev/vda3 ] && grown && table_is_sound && is_ours "$TOPDIR/dev/vda3"; } >/dev/null 2>&1 ||
		bad="$bad $cut"
done
check "cut off at each of $steps steps, the next boot ends with the state disk" test -z "$bad"
[ -z "$bad" ] || echo "# wrong after:$bad"

own_somebodys() { # 'WHAT' 'WHY'
	local sum
	sum=$(sha256sum <"$TOPDIR/dev/vda3")
	ash "$own"
	check "$1: not used" test "$(state)" = ram
	says "$1: told why" "rackstrap: warning: $TOPDIR/dev/vda3 does not become the state disk: it $2"
	check "$1: not a byte of it changed" cmp -n 1048576 <(head -c 1M "$TOPDIR/dev/vda3") \
		"$WORK/was"
}
medium_disk
printf x | dd of="$TOPDIR/dev/vda3" bs=1 seek=70000 conv=notrunc status=none
cp "$TOPDIR/dev/vda3" "$WORK/was"
own_somebodys "a third partition that somebody wrote to" "is not blank"
medium_disk
PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext2 -L photos "$TOPDIR/dev/vda3"
cp "$TOPDIR/dev/vda3" "$WORK/was"
own_somebodys "a third partition with a filesystem" "holds ext2 labelled photos"
medium_disk
echo $((101 * 2048)) >"$TOPDIR/sys/devices/pci0/vda/size"
cp "$TOPDIR/dev/vda3" "$WORK/was"
own_somebodys "a disk no larger than the image" "is smaller than 64 MiB"
check "and its table stays" sh -c "! PATH=\$PATH:/sbin:/usr/sbin sgdisk -v '$TOPDIR/dev/vda' | grep -q '^No problems found'"
medium_disk
echo PARTNAME=photos >"$TOPDIR/sys/devices/pci0/vda/vda3/uevent"
ash "$own"
check "a third partition of another name is not looked at" test "$(state)" = ram -a -z "$(said)"
medium_disk
mkdir "$TOPDIR/sys/devices/pci0/vda/vda4"
echo 4 >"$TOPDIR/sys/devices/pci0/vda/vda4/partition"
echo 300000 >"$TOPDIR/sys/devices/pci0/vda/vda4/start"
cp "$TOPDIR/dev/vda3" "$WORK/was"
own_somebodys "a disk with a partition behind" "is smaller than 64 MiB"
medium_disk rackstrap.state=none
ash "$own"
check "rackstrap.state=none leaves it as it is" test "$(state)" = ram -a -z "$(said)"
medium_disk rackstrap.state=/dev/vdb
disk vdb 66
ash "$own"
check "a disk that is named goes before it" test "$(state)" = /dev/vdb
check "and it is not grown" sh -c "test \$(cat '$TOPDIR/sys/class/block/vda3/size') = 2048"
medium_disk
disk vdb 66
PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext4 -L rackstrap-state "$TOPDIR/dev/vdb"
ash "$own"
check "so does a state disk that is there" test "$(state)" = /dev/vdb
medium_disk '' devices/pci0/usb1/1-1
mkdir -p "$TOPDIR/run/rackstrap/medium"
: >"$TOPDIR/run/rackstrap/medium/rack.cfg"
ash "$own"
check "a stick for a rack keeps nobody's state" test "$(state)" = ram
says "and says so" "rackstrap: $TOPDIR/dev/vda serves a rack: it keeps no host's state"
rm "$TOPDIR/run/rackstrap/medium/rack.cfg"
ash "$own"
check "a stick for a host does" test "$(state)" = /dev/vda3

# --- cut off while a disk is made ours ---------------------------------------------

named
ash "$find"
steps=$(steps)
check "making a state disk has steps to be cut off at: $steps" test "$steps" -ge 5
bad= seen=
for cut in $(seq "$steps"); do
	named
	{ CUT=$cut ash "$find"; } 2>/dev/null
	[ $? = 137 ] || bad="$bad $cut(not cut)"
	seen="$seen $(/sbin/blkid -c /dev/null -p -o value -s LABEL "$TOPDIR/dev/vdb")"
	ash "$find"
	{ [ "$(state)" = /dev/vdb ] && is_ours "$TOPDIR/dev/vdb"; } >/dev/null 2>&1 || bad="$bad $cut"
done
check "cut off at each of $steps steps, the next boot ends with the state disk" test -z "$bad"
[ -z "$bad" ] || echo "# wrong after:$bad"
check "on its way it had the provisional label, then ours" \
	grep -qE '^ *(rackstrap-new ?)+ (rackstrap-state ?)+$' <<<"$seen"
# mke2fs itself, half way: it writes the superblock last.
named
rm "$TOPDIR/sbin/mke2fs"
cat >"$TOPDIR/sbin/mke2fs" <<'S'
#!/bin/sh
PATH=$PATH:/sbin:/usr/sbin
[ "$1" = -V ] && exec mke2fs -V
mke2fs "$@"
for a; do case $a in */dev/vdb) dd if=/dev/zero of="$a" bs=64k count=1 conv=notrunc status=none ;; esac; done
kill -9 $PPID
S
chmod 755 "$TOPDIR/sbin/mke2fs"
{ ash "$find"; } 2>/dev/null
check "cut off within mke2fs: the disk is not blank any more" test -n "$(tr -d '\0' <"$TOPDIR/dev/vdb" | head -c 1)"
rm "$TOPDIR/sbin/mke2fs"
ln -s "$(PATH=$PATH:/sbin:/usr/sbin command -v mke2fs)" "$TOPDIR/sbin/mke2fs"
ash "$find"
check "the next boot makes it anew" is_ours "$TOPDIR/dev/vdb"

# --- the writable layer ------------------------------------------------------------

layers() { # DIGEST
	ash "rackstrap_lower=\$TOPDIR/lower rackstrap_digest=$1; rackstrap_prepare_layers \$TOPDIR/state"
}
lower() { # the image's /var/lib/docker holds $1
	rm -rf "$TOPDIR/lower"
	mkdir -p "$TOPDIR/lower/var/lib/docker"
	echo "$1" >"$TOPDIR/lower/var/lib/docker/of-the-image"
}
written() { # what a host of the first image has written
	mkdir -p "$TOPDIR"/state/upper/{etc,usr/bin,opt,.cache,var/lib/x,root} "$TOPDIR/state/data/etcd/member"
	for f in etc/mine usr/bin/theirs opt/theirs .cache/theirs var/lib/x/mine root/mine; do
		echo "$f" >"$TOPDIR/state/upper/$f"
	done
	echo wal >"$TOPDIR/state/data/etcd/member/wal"
}
after_upgrade() {
	[ "$(cat "$TOPDIR/state/root")" = two ] || return 1
	[ -z "$(find "$TOPDIR/state/upper" -name theirs)" ] || return 1
	[ "$(find "$TOPDIR/state/upper" -name mine | wc -l)" = 3 ] || return 1
	[ "$(cat "$TOPDIR/state/data/docker/of-the-image")" = two ] || return 1
	[ "$(cat "$TOPDIR/state/data/etcd/member/wal")" = wal ]
}
fresh
lower one
layers one
check "the layer of a new disk: upper, work and the data folders are there" \
	test -d "$TOPDIR/state/upper" -a -d "$TOPDIR/state/work" -a -d "$TOPDIR/state/data/kubelet"
check "what the image has there is its beginning" \
	test "$(cat "$TOPDIR/state/data/docker/of-the-image")" = one
written
find "$TOPDIR/state" | sort >"$WORK/tree"
layers one
check "the same image again: nothing changes" cmp "$WORK/tree" <(find "$TOPDIR/state" | sort)
check "nothing is said" test -z "$(said)"
lower two
layers two
steps=$(steps)
check "another image: its programs come whole, settings and data stay" after_upgrade
says "it says so" "rackstrap: the image is another one than at the last boot: its programs replace the old; /etc, /var, /root, /home and /srv stay"
bad=
for cut in $(seq "$steps"); do
	fresh
	lower one
	layers one
	written
	lower two
	{ CUT=$cut layers two; } 2>/dev/null
	[ $? = 137 ] || bad="$bad $cut(not cut)"
	layers two
	after_upgrade || bad="$bad $cut"
done
check "cut off at each of $steps steps, the next boot ends the same" test -z "$bad"
[ -z "$bad" ] || echo "# wrong after:$bad"

# --- what the system is told -------------------------------------------------------

fresh
mkdir -p "$TOPDIR/run/rackstrap"
(umask 022 && echo 'name = "node-1";' >"$TOPDIR/rackstrap/host.cfg")
ash 'rackstrap_medium=pxe rackstrap_state=$rackstrap_top/dev/vdb rackstrap_digest=ab
	rackstrap_tell_system "$rackstrap_top/run/rackstrap" 4321'
check "host.cfg is handed on" cmp "$TOPDIR/rackstrap/host.cfg" "$TOPDIR/run/rackstrap/host.cfg"
check "nobody but root reads it" test "$(stat -c %a "$TOPDIR/run/rackstrap/host.cfg")" = 600
check "boot.cfg says how it booted" diff - "$TOPDIR/run/rackstrap/boot.cfg" <<'B'
medium = "pxe";
state = "/dev/vdb";
root_sha256 = "ab";
initramfs_start_ms = 4321;
initramfs_end_ms = 12340;
B
fresh rackstrap.config=http://10.0.0.1/host.cfg
ash rackstrap_network
check "the network comes up for rackstrap.config=" grep -qx configure_networking "$WORK/stdout"
fresh
ash rackstrap_network
check "and not without it" test ! -s "$WORK/stdout"
finish
