#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The scripts of pxe/initramfs/ under the shell that runs them in an initramfs, busybox's ash, with
# files as disks: which root they take, which disks become state disks and which are left alone, and
# that they may be interrupted at any step.

# The disks are in memory if /dev/shm allows it.
if [ -w /dev/shm ] && ! grep -q ' /dev/shm [^ ]* [^ ]*noexec' /proc/mounts &&
	[ "$(df --output=avail -BM /dev/shm | tail -n 1 | tr -dc 0-9)" -ge 1024 ]; then
	export TMPDIR=/dev/shm
fi
. "$(dirname "$0")/../tap.sh"
SCRIPT=$TOP/pxe/initramfs/rackstrap
TOPDIR=$WORK/top
UNFINISHED='rackstrap: a state disk is being made here'
command -v busybox >/dev/null || bail "no busybox"

# Makes the part of an initramfs that the script uses. A "device" is a file in $TOPDIR/dev; blkid
# looks for labels on real devices only, so that a script does it here. Usage: fresh [CMDLINE]
fresh() {
	rm -rf "$TOPDIR"
	if [ -d "$WORK/fresh" ]; then
		cp -a "$WORK/fresh" "$TOPDIR"
	else
		make_fresh
		cp -a "$TOPDIR" "$WORK/fresh"
	fi
	echo "boot=rackstrap ${*:-}" >"$TOPDIR/proc/cmdline"
}
make_fresh() {
	mkdir -p "$TOPDIR"/{dev,proc/sys/kernel,sys/class/block,run/rackstrap,rackstrap,sbin}
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

# The root image has firstboot. An ext4 is "mounted" by copying its folder rackstrap, and nothing
# is written back.
mkdir -p "$WORK/lower/usr/sbin"
ln -s "$ABS_O/firstboot" "$WORK/lower/usr/sbin/firstboot"

# Runs ash code after the script. The shell is killed, as by a power cut, before the step whose
# number is $CUT. Steps are counted in a file, because pipelines run in subshells.
cat >"$WORK/harness" <<'S'
rackstrap_top=$TOPDIR
rackstrap_scripts=${SCRIPT%/*}
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
rackstrap_run=$TOPDIR/run/rackstrap
rackstrap_lower=$LOWER
mount() {
	local from='' to='' was=''
	for to; do from=$was was=$to; done
	PATH=$PATH:/sbin:/usr/sbin debugfs -R "rdump /rackstrap $to" "$from" >/dev/null
}
umount() { rm -rf "$1"; mkdir "$1"; }
dmesg() { cat "$TOPDIR/dmesg" 2>/dev/null; }
S
ash() { # CODE
	cat "$WORK/harness" - >"$WORK/code" <<<"$1"
	: >"$WORK/steps"
	TOPDIR=$TOPDIR LOWER=$WORK/lower SCRIPT=$SCRIPT CUT=${CUT:-0} STEPS=$WORK/steps timeout 1200 busybox sh "$WORK/code" \
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

for f in "$SCRIPT" "$SCRIPT"-*; do
	check "dash parses ${f##*/}" dash -n "$f"
	check "busybox's ash parses ${f##*/}" busybox sh -n "$f"
done

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
says "a missing root image: the message has the expected digest and the size of the memory" "rackstrap: boot failed: expected /rackstrap/root.squashfs with sha256 abc, found none in the initramfs: root.cpio was not loaded, or did not fit into this machine's 2048 MiB of memory"
fresh
echo squash >"$image"
good=$(sha256sum <"$image") good=${good%% *}
check "the root image in the initramfs is found, and its digest is checked" \
	ash "rackstrap_find_root $good && rackstrap_check_root $good"
check "a root image with the right digest gives no message" test -z "$(said)"
echo squish >"$image"
bad=$(sha256sum <"$image") bad=${bad%% *}
check "a damaged root image: the boot fails" test "$(ash "rackstrap_find_root $good && rackstrap_check_root $good"; echo $?)" = 3
says "a damaged root image: the message has both digests" "rackstrap: boot failed: root.squashfs is damaged or another image's: expected sha256 $good, found $bad (7 bytes)"
superblock() { { printf hsqs; head -c 36 /dev/zero; printf '\0\0\300\0\0\0\0\0'; head -c "$1" /dev/urandom; } >"$image"; } # of 12 MiB
superblock 1048528
ash "rackstrap_find_root $good && rackstrap_check_root $good"
says "a root image that is cut short: the message has the memory that there is and that it takes" "rackstrap: boot failed: root.squashfs is cut short, 1048576 of 12582912 bytes are there: this machine's 2048 MiB of memory are too little to unpack it, which takes about 152 MiB, or root.cpio was not loaded completely"
echo '[    0.500000] Initramfs unpacking failed: write error' >"$TOPDIR/dmesg"
ash "rackstrap_find_root $good && rackstrap_check_root $good"
says "it has the kernel's reason" "rackstrap: boot failed: root.squashfs is cut short, 1048576 of 12582912 bytes are there: this machine's 2048 MiB of memory are too little to unpack it, which takes about 152 MiB, or root.cpio was not loaded completely (kernel: write error)"
ash "rackstrap_medium=disk rackstrap_boot_dev=/dev/vda2 rackstrap_image='$image'; rackstrap_check_root $good"
says "a root image on a disk that is cut short" "rackstrap: boot failed: root.squashfs on /dev/vda2 is cut short, 1048576 of 12582912 bytes are there: the medium was not written completely"
head -c 1048576 /dev/urandom >"$image"
truncate -s 12582912 "$image"
ash "rackstrap_find_root $good && rackstrap_check_root $good"
says "a root image that ends in a hole, as the kernel leaves it" "rackstrap: boot failed: root.squashfs is cut short, 1048576 of 12582912 bytes are there: this machine's 2048 MiB of memory are too little to unpack it, which takes about 152 MiB, or root.cpio was not loaded completely (kernel: write error)"
ash "du() { echo 0; }; rackstrap_find_root $good && rackstrap_check_root $good"
says "a root image on ramfs, which counts no blocks" "rackstrap: boot failed: root.squashfs is cut short, not all of its 12582912 bytes are there: this machine's 2048 MiB of memory are too little to unpack it, which takes about 152 MiB, or root.cpio was not loaded completely (kernel: write error)"
dd if=/dev/urandom of="$image" bs=1M count=12 status=none
{ printf hsqs; head -c 36 /dev/zero; printf '\0\0\300\0\0\0\0\0'; } | dd of="$image" conv=notrunc status=none
ash "rackstrap_find_root $good && rackstrap_check_root $good"
says "a root image that is complete and damaged" "rackstrap: boot failed: root.squashfs is damaged or another image's: expected sha256 $good, found $(sha256sum <"$image" | cut -d' ' -f1) (12582912 bytes)"
rm "$image"
ash 'rackstrap_find_root'
says "a missing root image: the message has the kernel's reason" "rackstrap: boot failed: expected /rackstrap/root.squashfs, found none in the initramfs: root.cpio was not loaded, or did not fit into this machine's 2048 MiB of memory (kernel: write error)"
ash 'rackstrap_medium=pxe; rackstrap_take_host'
says "a host.cfg that was lost with the rest of the initramfs" "rackstrap: warning: the initramfs has no host.cfg, and the kernel could not unpack all of it in 2048 MiB of memory: write error"
fresh
echo squish >"$image"
check "a root image without a digest on the command line is used" ash 'rackstrap_find_root && rackstrap_check_root ""'
says "the warning names the reason" "rackstrap: warning: root.squashfs is taken unchecked (no rackstrap.root_sha256= on the kernel command line)"

# --- whose disk is it --------------------------------------------------------------

find='rackstrap_find_state; echo "$rackstrap_state"'
# keep copies a disk, and same compares it with the copy. cp keeps holes, so that both are quick.
keep() { cp "$TOPDIR/dev/$1" "$WORK/kept-$1"; }
same() { cmp -s "$WORK/kept-$1" "$TOPDIR/dev/$1"; }
unused_and_same() { [ "$(state)" = ram ] && same vdb; }
used_and_same() { [ "$(state)" = "/dev/$1" ] && same "$1" && { [ -z "${2:-}" ] || same "$2"; }; }
state() { sed "s|^$TOPDIR||" "$WORK/stdout" | tail -n 1; }
is_ours() { # DISK: is a sound state disk, for foreign tools
	[ "$(/sbin/blkid -c /dev/null -p -o value -s LABEL "$1")" = rackstrap-state ] &&
		PATH=$PATH:/sbin:/usr/sbin e2fsck -fn "$1" &&
		! tail -c 1048576 "$1" | grep -aqF "$UNFINISHED"
}

fresh rackstrap.state=/dev/vdb
disk vdb 66
ash "$find"
check "a blank disk that is named is used" test "$(state)" = /dev/vdb
check "it has a sound ext4 labelled rackstrap-state and no mark" is_ours "$TOPDIR/dev/vdb"
says "a message says so" "rackstrap: $TOPDIR/dev/vdb is blank: making it the state disk"
keep vdb
ash "$find"
check "the next boot uses it unchanged" used_and_same vdb
echo "boot=rackstrap" >"$TOPDIR/proc/cmdline"
ash "$find"
check "a state disk is found by its label" test "$(state)" = /dev/vdb
echo "boot=rackstrap rackstrap.state=none" >"$TOPDIR/proc/cmdline"
ash "$find"
check "rackstrap.state=none leaves it alone" test "$(state)" = ram
fresh
disk vdb 66
keep vdb
ash "$find"
check "a blank disk that is not named is left alone" unused_and_same
fresh rackstrap.state=/dev/vdb
ash "$find"
check "a named disk that does not exist: RAM is used" test "$(state)" = ram
says "the warning names the reason" "rackstrap: warning: no disk $TOPDIR/dev/vdb within 0 s"

somebodys() { # 'WHAT' 'WHY': vdb must stay what it is
	keep vdb
	ash "$find"
	check "$1: not used" test "$(state)" = ram
	says "$1: the warning has the reason" "rackstrap: warning: $TOPDIR/dev/vdb does not become the state disk: it $2"
	check "$1: no byte of it is changed" same vdb
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
patch_at $((66 * 1048576 - 512)) "$UNFINISHED"
PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext4 -L photos "$TOPDIR/dev/vdb" 60M
somebodys "an unfinished disk, and somebody's filesystem since" "holds ext4 labelled photos"

# busybox's blkid has no option -p, so that the script cannot find out whether a disk is blank.
named
printf '#!/bin/sh\necho "BusyBox v1.35.0"\n' >"$TOPDIR/sbin/blkid"
keep vdb
ash "$find"
check "with busybox's blkid no disk is used" unused_and_same
says "the warning names the reason" "rackstrap: warning: this initramfs has no util-linux blkid, so no disk is looked at"

# --- whose state disk is it --------------------------------------------------------

# Makes state disks, each with the mark that follows its name, or without one if that is empty.
# A mark of "/NAME" is no mark, but the host name in the disk's /etc.
state_disks() { # DISK MARK ...
	while [ $# -gt 0 ]; do
		disk "$1" 2
		rm -rf "$WORK/ext4"
		mkdir -p "$WORK/ext4/rackstrap"
		case $2 in
		'') ;;
		/*) mkdir -p "$WORK/ext4/rackstrap/upper/etc"; echo "${2#/}" >"$WORK/ext4/rackstrap/upper/etc/hostname" ;;
		*) echo "$2" >"$WORK/ext4/rackstrap/owner.cfg" ;;
		esac
		PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext4 -O ^has_journal -L rackstrap-state -d "$WORK/ext4" "$TOPDIR/dev/$1"
		shift 2
	done
}
warned() { sed "s|$TOPDIR||g" "$TOPDIR/run/rackstrap/warnings" 2>/dev/null; }
# Runs find_state as host a of rack r. The state disks stay what they are.
chosen() { # 'WHAT' STATE WARNING...
	local what=$1 want=$2 got
	shift 2
	for d in "$TOPDIR"/dev/vd*; do cp "$d" "$WORK/kept-${d##*/}"; done
	rm -f "$TOPDIR/run/rackstrap/warnings"
	ash "$find"
	got=$(state)
	check "$what: $want" test "$got" = "$want"
	if [ "$(warned)" = "$([ $# = 0 ] || printf '%s\n' "$@")" ]; then
		pass "$what: $# warnings"
	else
		fail "$what: warnings"
		diff <(printf '%s\n' "$@") <(warned) | sed 's/^/# /'
		note <"$WORK/stderr"
	fi
	for d in "$TOPDIR"/dev/vd*; do
		[ "$(/sbin/blkid -c /dev/null -p -o value -s LABEL "$WORK/kept-${d##*/}")" != rackstrap-state ] ||
			check "$what: ${d##*/} is unchanged" same "${d##*/}"
	done
}
me='rackstrap.name=a rackstrap.cluster=r'
mine='name = "a"; cluster = "r";' theirs='name = "b"; cluster = "r"; serial = "S2";'
refused="but is the state disk of host 'b' of rack 'r' (serial S2): it is not used. If it shall be this host's, boot once with rackstrap.state_from= and that host's name (RACK/NAME), or make it blank"

fresh "$me"
state_disks vdb "$mine"
chosen "the host's own disk" /dev/vdb
state_disks vdb "$theirs"
chosen "another host's disk" ram "/dev/vdb is labelled rackstrap-state, $refused"
state_disks vdb "$theirs" vdc "$mine"
chosen "another host's disk and the own" /dev/vdc "/dev/vdb is labelled rackstrap-state, $refused"
state_disks vdb "" vdc "$mine"
chosen "a disk without a mark and the own" /dev/vdc "/dev/vdb is labelled rackstrap-state too; /dev/vdc is used"
state_disks vdb "$mine" vdc "$mine"
chosen "two disks of this host" ram "/dev/vdb /dev/vdc: each can be this host's state disk, so that none is used; name one with rackstrap.state=/dev/DISK"
mkdir -p "$TOPDIR"/sys/class/block/vd{b,c}/device
echo naa.1 | tee "$TOPDIR"/sys/class/block/vd{b,c}/device/wwid >/dev/null
chosen "two paths to one disk" /dev/vdb "/dev/vdc is labelled rackstrap-state, but is another path to a disk that is looked at: it is not used"
mkdir -p "$TOPDIR/sys/class/block/vdb/holders/dm-0"
chosen "a disk in a device mapper" ram "/dev/vdb is labelled rackstrap-state, but is part of dm-0: it is not used" \
	"/dev/vdc is labelled rackstrap-state, but is another path to a disk that is looked at: it is not used"

fresh "$me"
state_disks vdb ""
chosen "a disk without a mark" /dev/vdb "/dev/vdb has no mark of its host: it is used as this host's from now on"
state_disks vdb "/a"
chosen "a disk without a mark, with this host's name" /dev/vdb "/dev/vdb has no mark of its host: it is used as this host's from now on"
state_disks vdb "/b"
chosen "a disk without a mark, with another host's name" ram "/dev/vdb is labelled rackstrap-state, ${refused/ of rack \'r\' (serial S2)/}"
state_disks vdb "" vdc ""
chosen "two disks without a mark" ram "/dev/vdb /dev/vdc: each can be this host's state disk, so that none is used; name one with rackstrap.state=/dev/DISK"

mkdir -p "$TOPDIR/sys/class/dmi/id"
echo S1 >"$TOPDIR/sys/class/dmi/id/product_serial"
rm "$TOPDIR/dev/vdc"
state_disks vdb "$mine"' serial = "S2";'
chosen "this host's disk after a new mainboard" /dev/vdb "/dev/vdb is this host's state disk, but was last used by another machine, host 'a' of rack 'r' (serial S2): it is used, as after a new mainboard"
state_disks vdb 'name = "b"; cluster = "r"; serial = "S1";'
chosen "this machine's disk after its host was renamed" /dev/vdb "/dev/vdb is this machine's state disk, but was host 'b' of rack 'r' (serial S1): it is used, with that host's data"
echo "boot=rackstrap $me rackstrap.state_from=r/b" >"$TOPDIR/proc/cmdline"
state_disks vdb "$theirs"
chosen "another host's disk that rackstrap.state_from= gives to this one" /dev/vdb "/dev/vdb was the state disk of host 'b' of rack 'r' (serial S2): rackstrap.state_from= makes it this host's"
echo "boot=rackstrap" >"$TOPDIR/proc/cmdline"
state_disks vdb "$theirs" vdc 'name = "b"; serial = "S1";'
chosen "a host whose name is not known yet: its machine's disk" /dev/vdc "/dev/vdb is labelled rackstrap-state, $refused"

fresh "$me rackstrap.state=/dev/vdc"
state_disks vdb "$mine"
disk vdc 66
chosen "a blank disk that is named, and one of this host" /dev/vdc "/dev/vdb is labelled rackstrap-state too; /dev/vdc is named and is used"
check "the named disk becomes a state disk" is_ours "$TOPDIR/dev/vdc"
state_disks vdb "$mine" vdc ""
chosen "a named disk without a mark, and one of this host" /dev/vdc "/dev/vdb is labelled rackstrap-state too; /dev/vdc is used" \
	"/dev/vdc has no mark of its host: it is used as this host's from now on"
state_disks vdb "$mine" vdc "$theirs"
chosen "a named disk of another host, and one of this host" /dev/vdb "/dev/vdc is labelled rackstrap-state, $refused"
rm "$TOPDIR/dev/vdc"
chosen "a named disk that is not there, and one of this host" /dev/vdb "no disk /dev/vdc within 0 s"
state_disks vdb ""
chosen "a named disk that is not there, and one without a mark" ram "no disk /dev/vdc within 0 s" \
	"/dev/vdb is labelled rackstrap-state and has no mark of its host: it is not used in place of /dev/vdc"

fresh "$me"
disk vdb 66
PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext2 -L rackstrap-state "$TOPDIR/dev/vdb"
state_disks vdc "$mine"
echo 1 >"$TOPDIR/sys/class/block/vdc/ro"
chosen "disks of another type, or that cannot be written" ram \
	"/dev/vdb is labelled rackstrap-state, but holds ext2, not ext4: it is not used" \
	"/dev/vdc is labelled rackstrap-state, but is read-only: it is not used"
fresh "$me"
state_disks vdb 'name = '
chosen "a disk whose mark is damaged" ram "/dev/vdb is labelled rackstrap-state, but is the state disk of an unknown host, because its mark cannot be read (rackstrap/owner.cfg:1: 'name' has no value): it is not used; run e2fsck -p on it, or name it: rackstrap.state=/dev/vdb"
echo "boot=rackstrap $me rackstrap.state=/dev/vdb" >"$TOPDIR/proc/cmdline"
chosen "a named disk whose mark is damaged" /dev/vdb
fresh "$me"
state_disks vdb "$mine"
rm "$WORK/lower/usr/sbin/firstboot"
chosen "firstboot does not run" ram "/dev/vdb is labelled rackstrap-state, but is the state disk of an unknown host, because firstboot claim failed: it is not used; run e2fsck -p on it, or name it: rackstrap.state=/dev/vdb"
ln -s "$ABS_O/firstboot" "$WORK/lower/usr/sbin/firstboot"

# --- a disk or an ISO --------------------------------------------------------------

# Makes a medium: its files are in $TOPDIR/on/DEVICE, for mount, its type and tag in
# $TOPDIR/tag/DEVICE, for blkid.
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
MEDIUM='mount() { for a; do from=$to to=$a; done; [ -d "$TOPDIR/on/${from##*/}" ] && cp -a "$TOPDIR/on/${from##*/}/." "$to"; }
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
says "a message names the medium" "rackstrap: boot medium: $TOPDIR/dev/vdb2"
check "the host.cfg of the medium is copied" cmp "$TOPDIR/on/vdb2/rackstrap/host.cfg" \
	"$TOPDIR/run/rackstrap/medium/host.cfg"
check "only root can read the copy" test "$(stat -c %a "$TOPDIR/run/rackstrap/medium/host.cfg")" = 600
check "no rack.cfg is created" test ! -e "$TOPDIR/run/rackstrap/medium/rack.cfg"

# A copy of the medium, and a second path to it.
fresh "$disk_word"
for d in vdc vdb vda; do
	medium ${d}2 vfat PARTUUID=03aa5b17-5e3b
	mkdir -p "$TOPDIR/sys/devices/$d/${d}2/device"
	echo 2 >"$TOPDIR/sys/devices/$d/${d}2/partition"
	rm -r "$TOPDIR/sys/class/block/${d}2"
	ln -s "$TOPDIR/sys/devices/$d/${d}2" "$TOPDIR/sys/class/block/${d}2"
done
echo naa.1 | tee "$TOPDIR"/sys/devices/vd{a,c}/wwid >/dev/null
ash "$MEDIUM"
check "of two copies of a medium, the first by its place is used" test "$(found)" = \
	"disk /run/rackstrap/boot/rackstrap/a/root.squashfs /dev/vda2"
check "one warning names the other" test "$(warned)" = "/dev/vdb2 is a copy of the boot medium (both have PARTUUID=03aa5b17-5e3b): /dev/vda2 is used; remove one, or write it with rackstrap write"
fresh rackstrap.root=LABEL=RACKSTRAP_AB:/rackstrap/a/root.squashfs
medium sda iso9660 LABEL=RACKSTRAP_AB
medium sda1 iso9660 LABEL=RACKSTRAP_AB
mv "$TOPDIR/sys/class/block/sda1" "$TOPDIR/sys/class/block/sda/"
ln -s sda/sda1 "$TOPDIR/sys/class/block/sda1"
echo 1 >"$TOPDIR/sys/class/block/sda/sda1/partition"
ash "$MEDIUM"
check "an ISO on a stick has its label twice: no warning" test "$(found)$(warned)" = \
	"iso /run/rackstrap/boot/rackstrap/a/root.squashfs /dev/sda"

fresh rackstrap.root=LABEL=RACKSTRAP_AB:/rackstrap/a/root.squashfs
medium sr0 iso9660 LABEL=RACKSTRAP_AB
medium loop3 iso9660 LABEL=RACKSTRAP_AB
mkdir -p "$TOPDIR/on/sr0/boot/efi.img.d/rackstrap"
: >"$TOPDIR/on/sr0/boot/efi.img"
echo 'hosts = ( );' >"$TOPDIR/on/sr0/boot/efi.img.d/rackstrap/rack.cfg"
ash "$MEDIUM"
check "the ISO with that label is the medium" test "$(found)" = \
	"iso /run/rackstrap/boot/rackstrap/a/root.squashfs /dev/sr0"
check "the rack.cfg in boot/efi.img is copied" grep -qx 'hosts = ( );' \
	"$TOPDIR/run/rackstrap/medium/rack.cfg"

fresh rackstrap.root=LABEL=RACKSTRAP_AB:/rackstrap/a/root.squashfs
medium sr0 iso9660 LABEL=RACKSTRAP_AB
mkdir -p "$TOPDIR/on/sr0/boot/efi.img.d/rackstrap"
: >"$TOPDIR/on/sr0/boot/efi.img"
mkfifo "$TOPDIR/on/sr0/boot/efi.img.d/rackstrap/host.cfg"
ln -s "$TOPDIR/proc/meminfo" "$TOPDIR/on/sr0/boot/efi.img.d/rackstrap/rack.cfg"
ash "$MEDIUM"
check "a medium whose configurations are a pipe and a symlink boots" test "$(found)" = \
	"iso /run/rackstrap/boot/rackstrap/a/root.squashfs /dev/sr0"
check "neither is read" test ! -e "$TOPDIR/run/rackstrap/medium"
ash 'rackstrap_run=$TOPDIR/run; rackstrap_take_configs "$TOPDIR/on/sr0/boot/efi.img.d/rackstrap"'
says "a warning says so" "rackstrap: warning: rack.cfg of the boot medium is not a regular file and is not read"
mkdir "$TOPDIR/elsewhere"
echo 'name = "a";' >"$TOPDIR/elsewhere/host.cfg"
ln -s "$TOPDIR/elsewhere" "$TOPDIR/on/sr0/link"
ash 'rackstrap_run=$TOPDIR/run; rackstrap_take_configs "$TOPDIR/on/sr0/link"'
check "a configuration in a folder that is a symlink is not read" test ! -e "$TOPDIR/run/medium"
truncate -s 64M "$TOPDIR/elsewhere/rack.cfg"
ash 'rackstrap_run=$TOPDIR/run; rackstrap_take_configs "$TOPDIR/elsewhere"'
check "of a large configuration only what firstboot refuses is copied" \
	test "$(stat -c %s "$TOPDIR/run/medium/rack.cfg")" = $((65 * 65536))
fresh "$disk_word"
medium vdb2 vfat PARTUUID=03aa5b17-5e3b
rm "$TOPDIR/on/vdb2/rackstrap/a/root.squashfs"
mkfifo "$TOPDIR/on/vdb2/rackstrap/a/root.squashfs"
check "a medium whose root image is a pipe: the boot fails" test "$(ash "$MEDIUM"; echo $?)" = 3

fresh "$disk_word"
medium vda2 vfat PARTUUID=11111111-5e3b
printf 'major minor  #blocks  name\n\n 254        0     409600 vda\n 254        2     262144 vda2\n' >"$TOPDIR/proc/partitions"
check "a partition that does not exist: the boot fails" test "$(ash "$MEDIUM"; echo $?)" = 3
says "the message lists the disks" "rackstrap: boot failed: no disk with PARTUUID=03aa5b17-5e3b within 0 s; there are: vda vda2"
fresh "$disk_word"
medium vdb2 vfat PARTUUID=03aa5b17-5e3b
rm "$TOPDIR/on/vdb2/rackstrap/a/root.squashfs"
check "a medium without a root image: the boot fails" test "$(ash "$MEDIUM"; echo $?)" = 3
says "the message has the reason" "rackstrap: boot failed: $TOPDIR/dev/vdb2 (PARTUUID=03aa5b17-5e3b) has no /rackstrap/a/root.squashfs, or does not mount"
fresh rackstrap.root=/dev/vdb2
check "a wrong rackstrap.root: the boot fails" test "$(ash "$MEDIUM"; echo $?)" = 3
says "the message says what it must be" "rackstrap: boot failed: rackstrap.root=/dev/vdb2: must be PARTUUID=GUID:/FILE or LABEL=LABEL:/FILE; without the word the root is in the initramfs"

# --- the state partition of the disk that we booted from ---------------------------

# A disk of 300 MiB, vda, whose first 100 MiB are our image. vda3 is a file of its own, to which
# partx gives the size in the partition table.
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
medium_disk() { # [CMDLINE [PLACE IN SYSFS]]
	local place=${2:-devices/pci0}
	local made=$WORK/medium-${place//\//-}
	if [ -d "$made" ]; then
		rm -rf "$TOPDIR"
		cp -a "$made" "$TOPDIR"
	else
		fresh
		make_medium_disk "$place"
		cp -a "$TOPDIR" "$made"
	fi
	echo "boot=rackstrap ${1:-}" >"$TOPDIR/proc/cmdline"
}
make_medium_disk() { # PLACE IN SYSFS
	sizes 100 300
	local base=$TOPDIR/sys/$1/vda
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
	IFS=' ,'
	set -- \$(sfdisk -d "$TOPDIR/dev/vda" | grep '^$TOPDIR/dev/vda3 :') # NAME : start= N, size= N, ...
	[ "\$3 \$5" = "start= size=" ] || exit 1
	echo \$4 >"$base/vda3/start"
	echo \$6 >"$base/vda3/size"
	truncate -s \$((\$6 * 512)) "$TOPDIR/dev/vda3"
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
check "it reaches the end of the disk" grown
check "the partition table is sound" table_is_sound
check "the filesystem is sound" is_ours "$TOPDIR/dev/vda3"
steps=$(steps)
keep vda
keep vda3
ash "$own"
check "the next boot changes nothing" used_and_same vda3 vda
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
check "interrupted at each of $steps steps, the next boot ends with the state disk" test -z "$bad"
[ -z "$bad" ] || echo "# wrong after:$bad"

own_somebodys() { # 'WHAT' 'WHY'
	ash "$own"
	check "$1: not used" test "$(state)" = ram
	says "$1: the warning has the reason" "rackstrap: warning: $TOPDIR/dev/vda3 does not become the state disk: it $2"
	check "$1: no byte of it is changed" cmp -n 1048576 <(head -c 1M "$TOPDIR/dev/vda3") \
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
check "its partition table is unchanged" sh -c "! PATH=\$PATH:/sbin:/usr/sbin sgdisk -v '$TOPDIR/dev/vda' | grep -q '^No problems found'"
medium_disk
echo PARTNAME=photos >"$TOPDIR/sys/devices/pci0/vda/vda3/uevent"
ash "$own"
check "a third partition of another name is not used" test "$(state)" = ram -a -z "$(said)"
medium_disk
mkdir "$TOPDIR/sys/devices/pci0/vda/vda4"
echo 4 >"$TOPDIR/sys/devices/pci0/vda/vda4/partition"
echo 300000 >"$TOPDIR/sys/devices/pci0/vda/vda4/start"
cp "$TOPDIR/dev/vda3" "$WORK/was"
own_somebodys "a disk with a partition behind" "is smaller than 64 MiB"
medium_disk rackstrap.state=none
ash "$own"
check "rackstrap.state=none leaves the third partition unused" test "$(state)" = ram -a -z "$(said)"
medium_disk rackstrap.state=/dev/vdb
disk vdb 66
ash "$own"
check "a disk that is named is preferred" test "$(state)" = /dev/vdb
check "the third partition is not grown" sh -c "test \$(cat '$TOPDIR/sys/class/block/vda3/size') = 2048"
medium_disk
disk vdb 66
PATH=$PATH:/sbin:/usr/sbin mke2fs -q -F -t ext4 -L rackstrap-state "$TOPDIR/dev/vdb"
ash "$own"
check "an existing state disk is preferred" test "$(state)" = /dev/vdb
medium_disk '' devices/pci0/usb1/1-1
mkdir -p "$TOPDIR/run/rackstrap/medium"
: >"$TOPDIR/run/rackstrap/medium/rack.cfg"
ash "$own"
check "a USB stick for a rack keeps no state" test "$(state)" = ram
says "a message says that it keeps no state" "rackstrap: $TOPDIR/dev/vda serves a rack: it keeps no host's state"
rm "$TOPDIR/run/rackstrap/medium/rack.cfg"
ash "$own"
check "a USB stick for a host keeps its state" test "$(state)" = /dev/vda3

# --- cut off while a disk is made ours ---------------------------------------------

named
ash "$find"
steps=$(steps)
check "making a state disk has at least 5 steps: $steps" test "$steps" -ge 5
bad='' seen=''
for cut in $(seq "$steps"); do
	named
	{ CUT=$cut ash "$find"; } 2>/dev/null
	[ $? = 137 ] || bad="$bad $cut(not cut)"
	seen="$seen $(/sbin/blkid -c /dev/null -p -o value -s LABEL "$TOPDIR/dev/vdb")"
	ash "$find"
	{ [ "$(state)" = /dev/vdb ] && is_ours "$TOPDIR/dev/vdb"; } >/dev/null 2>&1 || bad="$bad $cut"
done
check "interrupted at each of $steps steps, the next boot ends with the state disk" test -z "$bad"
[ -z "$bad" ] || echo "# wrong after:$bad"
check "the disk has the provisional label first, then the final one" \
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
check "interrupted in mke2fs: the disk is not blank" test -n "$(tr -d '\0' <"$TOPDIR/dev/vdb" | head -c 1)"
rm "$TOPDIR/sbin/mke2fs"
ln -s "$(PATH=$PATH:/sbin:/usr/sbin command -v mke2fs)" "$TOPDIR/sbin/mke2fs"
ash "$find"
check "interrupted in mke2fs: the next boot makes the state disk" is_ours "$TOPDIR/dev/vdb"

# --- the mark of the host ----------------------------------------------------------

fresh "$me"
state_disks vdb ""
mkdir "$TOPDIR/mnt"
mounts='mount() { echo "mount $*" | sed "s|$TOPDIR||g"; }
	umount() { echo "umount $*" | sed "s|$TOPDIR||g"; }
	rackstrap_own= rackstrap_claim=$claim rackstrap_state=$rackstrap_top/dev/vdb
	rackstrap_mount_state "$rackstrap_top/mnt"'
mounted() { grep mount "$WORK/stdout"; }
ash "claim=unmarked; $mounts"
check "a state disk without a mark is mounted again after it was marked" diff - <(mounted) <<'M'
mount -t ext4 -o noatime /dev/vdb /mnt
umount /mnt
mount -t ext4 -o noatime /dev/vdb /mnt
M
check "the mark has name and rack" test "$(grep -E '^(name|cluster)' "$TOPDIR/mnt/rackstrap/owner.cfg" | tr '\n' ' ')" = 'name = "a"; cluster = "r"; '
ash "claim=same; $mounts"
check "with its mark it is mounted once" test "$(mounted)" = "mount -t ext4 -o noatime /dev/vdb /mnt"
echo "$theirs" >"$TOPDIR/mnt/rackstrap/owner.cfg"
ash "claim=unreadable; $mounts"
check "another host's mark that is readable only after e2fsck: RAM is used" diff - <(mounted) <<'M'
mount -t ext4 -o noatime /dev/vdb /mnt
umount /mnt
mount -t tmpfs -o size=80%,mode=755 tmpfs /mnt
M
check "it is not changed" test "$(cat "$TOPDIR/mnt/rackstrap/owner.cfg")" = "$theirs"
check "a warning says so" test "$(warned)" = "/dev/vdb is labelled rackstrap-state, $refused"

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
check "a new disk gets upper, work and the data folders" \
	test -d "$TOPDIR/state/upper" -a -d "$TOPDIR/state/work" -a -d "$TOPDIR/state/data/kubelet"
check "the data folders begin with the contents of the image" \
	test "$(cat "$TOPDIR/state/data/docker/of-the-image")" = one
written
find "$TOPDIR/state" | sort >"$WORK/tree"
layers one
check "a second boot of the same image changes nothing" cmp "$WORK/tree" <(find "$TOPDIR/state" | sort)
check "a second boot of the same image gives no message" test -z "$(said)"
lower two
layers two
steps=$(steps)
check "another image replaces all programs, and settings and data are kept" after_upgrade
says "a message says so" "rackstrap: the image is another one than at the last boot: its programs replace the old; /etc, /var, /root, /home and /srv stay"
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
check "interrupted at each of $steps steps, the next boot ends the same" test -z "$bad"
[ -z "$bad" ] || echo "# wrong after:$bad"

fresh
lower one
full='cp() { return 1; }
	df() { printf "Filesystem 1K-blocks Used Available Use%% Mounted on\n/dev/vdb 204800 192512 12288 94%% /x\n"; }
	du() { printf "30720 a\n2048 b\n"; }
	rackstrap_lower=$TOPDIR/lower rackstrap_digest=one; rackstrap_mount_layers $TOPDIR/state'
ash "rackstrap_state=/dev/vdb; $full"
says "a state disk that is full: the message has its space and what it takes" "rackstrap: boot failed: /dev/vdb: the writable layer could not be prepared: 12 MiB are free, and the image's data in /var/lib takes 32 MiB; make room on it, or boot with rackstrap.state=none"
ash "rackstrap_state=ram; $full"
says "a memory that is full: the message has its size too" "rackstrap: boot failed: the writable layer could not be prepared in memory: 12 MiB are free, and the image's data in /var/lib takes 32 MiB, but this machine has 2048 MiB of memory"

for link in '' /upper /work /data /data/docker /root; do
	fresh
	lower one
	mkdir -p "$TOPDIR/elsewhere/bin"
	[ -z "$link" ] || mkdir -p "$TOPDIR/state$(dirname "$link")"
	ln -s "$TOPDIR/elsewhere" "$TOPDIR/state$link"
	layers one
	says "a state disk whose rackstrap$link is a symlink: the boot fails" \
		"rackstrap: boot failed: : rackstrap$link is a symlink; rackstrap.state=none boots without"
	check "what it leads to is unchanged" test "$(ls "$TOPDIR/elsewhere")" = bin
done
fresh
lower one
mkdir "$TOPDIR/state"
mkfifo "$TOPDIR/state/root" "$TOPDIR/state/root.new"
check "pipes in the place of the digest are replaced" layers one
check "the digest is written" test "$(cat "$TOPDIR/state/root")" = one

# --- files for the system -----------------------------------------------------------

fresh
mkdir -p "$TOPDIR/run/rackstrap"
(umask 022 && echo 'name = "node-1";' >"$TOPDIR/rackstrap/host.cfg")
ash 'rackstrap_medium=pxe rackstrap_state=$rackstrap_top/dev/vdb rackstrap_digest=ab
	rackstrap_take_host
	rackstrap_warn "one \"quoted\" \\ line"
	rackstrap_warn two
	rackstrap_write_boot_cfg "$rackstrap_top/run/rackstrap" 4321'
check "host.cfg is copied to /run" cmp "$TOPDIR/rackstrap/host.cfg" "$TOPDIR/run/rackstrap/host.cfg"
check "only root can read it" test "$(stat -c %a "$TOPDIR/run/rackstrap/host.cfg")" = 600
check "without secrets no folder is made for them" test ! -e "$TOPDIR/run/rackstrap/secrets"
check "boot.cfg describes the boot" diff - "$TOPDIR/run/rackstrap/boot.cfg" <<'B'
medium = "pxe";
state = "/dev/vdb";
root_sha256 = "ab";
warnings = [ "one \"quoted\" \\ line", "two" ];
initramfs_start_ms = 4321;
initramfs_end_ms = 12340;
B

fresh
check "without the rack's hosts nothing is copied" ash rackstrap_take_hosts
check "and no file is made" test ! -e "$TOPDIR/run/rackstrap/hosts.cfg"
mkdir -p "$TOPDIR/rackstrap"
echo 'hosts = ( );' >"$TOPDIR/rackstrap/hosts.cfg"
check "the rack's hosts without host.cfg, which may be cut, are not copied" ash rackstrap_take_hosts
check "and no file is made of them" test ! -e "$TOPDIR/run/rackstrap/hosts.cfg"
echo 'name = "node-1";' >"$TOPDIR/rackstrap/host.cfg"
check "the rack's hosts are copied to /run" ash 'umask 000; rackstrap_take_hosts'
check "as they are" cmp "$TOPDIR/rackstrap/hosts.cfg" "$TOPDIR/run/rackstrap/hosts.cfg"
check "for root only" test "$(stat -c %a "$TOPDIR/run/rackstrap/hosts.cfg")" = 600
fresh
mkdir -p "$TOPDIR/rackstrap"
echo 'hosts = ( );' >"$TOPDIR/rackstrap/hosts.cfg"
echo 'name = "node-1";' >"$TOPDIR/rackstrap/host.cfg"
ash 'cat() { return 1; }; rackstrap_take_hosts'
says "hosts that cannot be copied: the boot fails" "rackstrap: boot failed: hosts.cfg could not be copied to /run/rackstrap"

fresh
mkdir -p "$TOPDIR/rackstrap/secrets"
printf 'a\0b\n' >"$TOPDIR/rackstrap/secrets/munge.key"
echo tls-bytes >"$TOPDIR/rackstrap/secrets/tls"
mkfifo "$TOPDIR/rackstrap/secrets/pipe"
ln -s /etc/passwd "$TOPDIR/rackstrap/secrets/link"
run=$TOPDIR/run/rackstrap/secrets
check "secrets are copied to /run" ash 'umask 000; rackstrap_take_secrets'
check "their bytes are the same" diff -r --exclude=pipe --exclude=link "$TOPDIR/rackstrap/secrets" "$run"
check "only root can enter their folder" test "$(stat -c %a "$run")" = 700
check "only root can read them" test "$(stat -c %a "$run"/munge.key "$run"/tls | sort -u)" = 400
check "what is no file is not copied" test "$(ls "$run")" = $'munge.key\ntls'
rm -rf "$run"
ash 'set -x; rackstrap_take_secrets'
check "no message has their bytes" sh -c "! cat '$WORK/stdout' '$WORK/stderr' '$TOPDIR/dev/kmsg' 2>/dev/null | grep -q tls-bytes"
fresh
mkdir -p "$TOPDIR/rackstrap/secrets"
echo tls-bytes >"$TOPDIR/rackstrap/secrets/tls"
ash 'cat() { return 1; }; rackstrap_take_secrets'
says "a secret that cannot be copied: the boot fails" "rackstrap: boot failed: the secret tls could not be copied to /run/rackstrap"
fresh "$me"
mkdir -p "$TOPDIR/root/etc" "$TOPDIR/sys/class/dmi/id"
echo S1 >"$TOPDIR/sys/class/dmi/id/product_serial"
: >"$TOPDIR/root/etc/machine-id"
machine_id='rootmnt=$TOPDIR/root; rackstrap_machine_id'
ash "$machine_id"
check "a root without a machine-id gets one" grep -qxE '[0-9a-f]{32}' "$TOPDIR/root/etc/machine-id"
cp "$TOPDIR/root/etc/machine-id" "$WORK/machine-id"
: >"$TOPDIR/root/etc/machine-id"
ash "$machine_id"
check "it is the same at every boot" cmp "$WORK/machine-id" "$TOPDIR/root/etc/machine-id"
echo 0123456789abcdef0123456789abcdef >"$TOPDIR/root/etc/machine-id"
ash "$machine_id"
check "one that is there stays" grep -qx 0123456789abcdef0123456789abcdef "$TOPDIR/root/etc/machine-id"
fresh rackstrap.config=http://10.0.0.1/host.cfg
ash rackstrap_network
check "the network is configured for rackstrap.config=" grep -qx configure_networking "$WORK/stdout"
check "an initramfs without dhcpcd gets no configuration for it" test ! -e "$TOPDIR/etc/dhcpcd.conf"
mkdir "$TOPDIR/etc"
echo duid >"$TOPDIR/etc/dhcpcd.conf"
ash 'dhcpcd() { :; }; rackstrap_network'
check "dhcpcd identifies itself by the MAC address" test "$(tail -n 1 "$TOPDIR/etc/dhcpcd.conf")" = clientid
fresh
ash rackstrap_network
check "the network is not configured without it" test ! -s "$WORK/stdout"
finish
