#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# SIGINT, SIGTERM and SIGHUP end build, and other commands, in each stage: exit status 130, one line,
# no process that was started, no temporary folder, and whatever is complete in the cache. The
# stages are those of test/small.sh's build: in each a program of it waits, deaf to signals, with
# two children, of which one has left the process group. As an ordinary user, who has subordinate
# ids in a mount namespace; check-long takes every signal, to the process and to its group, as root
# as well, and ten instants inside rackstrap itself, which strace(1) chooses.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
NAP=$((100000 + $$)) # the argument of every sleep(1) that a stage starts
tap_cleanup() {
	local p
	stop_site
	[ -z "${staller:-}" ] || kill "$staller" 2>/dev/null
	for p in $(naps); do kill -KILL "$p" 2>/dev/null; done
}
naps() { pgrep -f "^sleep $NAP\$"; }

# --- users -----------------------------------------------------------------------------
unset TMPDIR
NOBODY=()
if [ "$(id -u)" = 0 ]; then
	echo "nobody:1900000000:65536" >"$WORK/subids"
	# shellcheck disable=SC2016 # the variables are the inner shell's
	NOBODY=(unshare --mount sh -c 'mount --bind "$1" /etc/subuid && mount --bind "$1" /etc/subgid && shift &&
		exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all -- "$@"' sh "$WORK/subids")
fi
cp "$RACKSTRAP" "$ABS_O/firstboot" "$WORK/bin/"
R=$WORK/bin/rackstrap
U=$WORK/user
mkdir -p "$U" "$WORK"/{user,root}/{tmp,images}
[ ${#NOBODY[@]} = 0 ] || chown -R 65534:65534 "$U"
# Sets U, a folder of the user who runs what follows, and AS, that runs a command.
be() { # user|root
	U=$WORK/$1
	AS=(env HOME="$U" TMPDIR="$U/tmp" RACKSTRAP_CACHE="$U/cache")
	[ "$1" = root ] || AS=("${NOBODY[@]}" "${AS[@]}")
	BUILD=("$R" build "$WORK/recipe" --output "$U/images" "${FROM[@]}")
}
be user

# --- stages ----------------------------------------------------------------------------
# A stand-in that waits when $WORK/stop has its name, else becomes the program. As apt-get, it makes
# a temporary file.
stage_program() {
	local real
	real=$(PATH=/usr/sbin:/usr/bin:/sbin:/bin command -v "$1") || bail "no $1"
	cat >"$WORK/bin/$1" <<-S
		#!/bin/bash
		if [ "\$(cat "$WORK/stop")" = $1 ]; then
			trap '' INT TERM HUP
			[ $1 != apt-get ] || mktemp >/dev/null || exit
			sleep $NAP & setsid sleep $NAP &
			wait; wait
		fi
		exec $real "\$@"
	S
	chmod 755 "$WORK/bin/$1"
}
programs="apt-get mksquashfs mcopy qemu-img grub-mkimage xorriso cp"
for p in $programs; do stage_program "$p"; done
# In the sandbox it cannot read $WORK/stop.
sed -i "s/^set -e\$/&\n#nap/" "$WORK/bin/mmdebstrap"
stop_at() { # STAGE, or nothing
	echo "${1:-nothing}" >"$WORK/stop"
	sed -i "s/^#\?nap.*/#nap/; s/^sleep $NAP.*/#nap/" "$WORK/bin/mmdebstrap"
	[ "${1:-}" != mmdebstrap ] || sed -i "s/^#nap/sleep $NAP \& setsid sleep $NAP; wait/" "$WORK/bin/mmdebstrap"
}
# A server that answers no request.
python3 - "$WORK/stalled" "$WORK/at.download" >&2 <<'P' &
import socket, sys
s = socket.create_server(("127.0.0.1", 0))
open(sys.argv[1], "w").write(str(s.getsockname()[1]))
kept = []
while True:
    c = s.accept()[0]
    c.recv(4096)
    c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + 5000 * b"x")
    open(sys.argv[2], "w")
    kept.append(c)
P
staller=$!

until_true() { # COMMAND...: while $pid lives
	local _
	for _ in $(seq 30000); do
		"$@" && return
		kill -0 "$pid" 2>/dev/null || return 1
		sleep 0.02
	done
	return 1
}
reached() { # STAGE
	case $1 in
	download) [ -e "$WORK/at.download" ] ;;
	*) [ "$(naps | wc -l)" -ge 2 ] ;;
	esac
}
left() {
	find "$U/tmp" "$U/cache/left" "$U/cache/base" "$U/images" "$U/machines" "$WORK/recipe" -mindepth 1 \
		\( -name '*rackstrap-*' -o -path '*/left/*' -o -path "$U/tmp/*" -o -name 'appliance.d.*' \) -printf 'left: %p\n' 2>/dev/null
}
# Starts a command as a group of its own, in which SIGINT is not ignored.
start() {
	set -m
	"${AS[@]}" "$@" </dev/null >"$WORK/out" 2>"$WORK/said" &
	pid=$!
	set +m
}
# Waits for the command, and reports what is wrong with its end: STATUS, and the last line PATTERN.
ended() { # WHAT STATUS PATTERN
	local rc last
	wait "$pid" 2>/dev/null
	rc=$?
	stop_at
	last=$(tail -n 1 "$WORK/said")
	{
		[ $rc = "$2" ] || echo "exit status $rc"
		# shellcheck disable=SC2053 # $3 is a pattern
		[[ $last == $3 ]] || echo "expected: $3"
		grep -v ssh_keys "$WORK/said" | grep -E 'warning|exited with|killed by|cannot'
		[ -z "$(naps)" ] || { echo "a process is left" && for p in $(naps); do kill -KILL "$p"; done; }
		left
	} >"$WORK/bad"
	if [ ! -s "$WORK/bad" ]; then pass "$1"; else
		fail "$1"
		note <"$WORK/bad"
		sed 's/^/#    /' "$WORK/said"
	fi
}

# Runs COMMAND, sends SIGNAL at STAGE to the process ("alone") or its group, and checks what it
# says, with the last line PATTERN, and what is left.
# Usage: interrupt STAGE SIGNAL alone|group PATTERN COMMAND...
interrupt() {
	local stage=$1 signal=$2 to=$3 want=$4 what
	what="SIG$2 to the ${3/alone/process} in ${5##*/} $6, $1 (${U##*/})"
	shift 4
	rm -f "$WORK"/at.*
	stop_at "$stage"
	start "$@"
	if ! until_true reached "$stage"; then
		kill -KILL -- -"$pid" 2>/dev/null
		fail "$what: the stage is not reached"
		note <"$WORK/said"
		return
	fi
	if [ "$to" = alone ]; then kill "-$signal" "$pid"; else kill "-$signal" -- -"$pid"; fi
	ended "$what" 130 "$want"
}

sed -i 's/^\timages = .*/\timages = [ "pxe", "disk", "iso" ];/; s/^images = .*/images = [ "pxe", "disk", "iso" ]; media : { formats = [ "raw", "qcow2" ]; };/' "$WORK/recipe/recipe.cfg"
stop_at
chown -R --reference="$U" "$WORK/recipe"
pid=$$
check "a lock is made" "${AS[@]}" "$R" lock "$WORK/recipe" "${FROM[@]}" || finish
until_true test -s "$WORK/stalled"
STALL=(--mirror "http://archive.invalid/=http://127.0.0.1:$(cat "$WORK/stalled")/" --mirror "http://files.invalid/=http://127.0.0.1:$(cat "$WORK/stalled")/")
D='the downloads stay in the cache'
B='the downloads and the base stay in the cache'
A='the downloads, the base and the root image stay in the cache'
stages() { # SIGNAL alone|group [" by SIGNAL"]
	local i="rackstrap: build: interrupted${3:-}"
	rm -rf "$U/cache"
	interrupt download "$1" "$2" "$i while fetching the inputs; $D" "$R" build "$WORK/recipe" --output "$U/images" "${STALL[@]}"
	interrupt mmdebstrap "$1" "$2" "$i while making the base; $D" "${BUILD[@]}"
	interrupt mksquashfs "$1" "$2" "$i while making root.squashfs; $B" "${BUILD[@]}"
	interrupt mcopy "$1" "$2" "$i while making image 'disk'; $A" "${BUILD[@]}"
	interrupt qemu-img "$1" "$2" "$i while making image 'disk'; $A" "${BUILD[@]}"
	interrupt xorriso "$1" "$2" "$i while making image 'iso'; $A" "${BUILD[@]}"
	interrupt apt-get "$1" "$2" "rackstrap: lock: interrupted${3:-} while choosing the packages; $D" "$R" lock "$WORK/recipe" "${FROM[@]}"
}
stages INT group
if is_long; then
	stages INT alone
	for to in alone group; do
		stages TERM $to " by SIGTERM"
		stages HUP $to " by SIGHUP"
		be root
		stages TERM $to " by SIGTERM"
		stages INT $to
		be user
	done
else
	interrupt grub-mkimage TERM alone "rackstrap: build: interrupted by SIGTERM while making image 'disk'; $A" "${BUILD[@]}"
	interrupt mksquashfs HUP alone "rackstrap: build: interrupted by SIGHUP while *" "${BUILD[@]}" --refresh
fi
check "the log of the base stays" test -n "$(ls "$U"/cache/base/*.log)"
check "the next build ends well" "${AS[@]}" "${BUILD[@]}"

# --- SIGHUP and SIGPIPE -----------------------------------------------------------------
stop_at mksquashfs
start sh -c "trap '' HUP; exec \"\$@\"" sh "${BUILD[@]}" --refresh
until_true reached mksquashfs
kill -HUP "$pid"
kill -TERM "$pid"
ended "SIGHUP that was ignored (nohup) stays ignored" 130 "rackstrap: build: interrupted by SIGTERM*"

# A pipe that nobody reads any more ends it in silence.
mkfifo "$WORK/fifo"
stop_at mksquashfs
: >"$WORK/said"
set -m
"${AS[@]}" "${BUILD[@]}" --refresh 2>"$WORK/fifo" >"$WORK/out" </dev/null &
pid=$!
set +m
grep -q 'making root' <"$WORK/fifo"
until_true reached mksquashfs
stop_at
for p in $(naps) $(pgrep -f "bash $WORK/bin/mksquashfs"); do kill -KILL "$p" 2>/dev/null; done
ended "SIGPIPE removes what is temporary" 141 ""

# --- inside rackstrap -------------------------------------------------------------------
# Sends SIGTERM at the N-th call of a kind of rackstrap itself; strace(1) counts each kind.
at_call() { # CALL N COMMAND...
	start strace -o "$WORK/trace" -e "trace=$1" -e "inject=$1:signal=TERM:when=$2" "${@:3}"
}
be root
if is_long; then
	at_call openat 65535 "${BUILD[@]}"
	wait "$pid"
	calls=$(wc -l <"$WORK/trace")
	first=$(grep -n -m 1 '"/proc/self/exe", O_RDONLY|O_CLOEXEC|O_PATH' "$WORK/trace" | cut -d: -f1) # see lib/interrupt.c
	for i in $(seq 1 10); do
		n=$((first + i * (calls - first) / 11))
		rm -rf "$U/cache" "$U/images/small"
		at_call openat $n "${BUILD[@]}"
		ended "SIGTERM at call $n of openat, of $calls" 130 "rackstrap: build: interrupted by SIGTERM*"
	done
	rm -rf "$U/cache"
fi
at_call renameat2 1 "${BUILD[@]}"
ended "SIGTERM when the base gets its name" 130 "rackstrap: build: interrupted by SIGTERM*"
check "the next build ends well" "${AS[@]}" "${BUILD[@]}"

# While the first signal is worked on: strace holds the program back before it kills.
stop_at mksquashfs
start strace -D -o "$WORK/trace" -e trace=kill -e inject=kill:delay_enter=3s "${BUILD[@]}" --refresh
until_true reached mksquashfs
kill -INT "$pid"
until_true grep -qs -e --interrupted "/proc/$pid/cmdline"
again() { ! kill -INT "$pid" 2>/dev/null || grep -qs again "$WORK/said"; } # one right behind the first does not count
until_true again
wait "$pid"
check "a second SIGINT ends it at once" test $? = 130
check "it says what that means" grep -qx "rackstrap: interrupted again: temporary files stay until the next command removes them" "$WORK/said"
stop_at
for p in $(naps); do kill -KILL "$p"; done
check "the next command removes them" "${AS[@]}" "$R" cache list
quiet "nothing is left" left

# --- other commands ---------------------------------------------------------------------
cp "$U/images/small/disk.img" "$U/disk.img"
echo 'name = "n"; role = "node"; cluster = "c"; address = "172.25.0.11/24"; gateway = "172.25.0.1"; master = "172.25.0.10"; cbr0 = "192.168.1.1/24";' >"$WORK/host.cfg"
interrupt cp INT alone "rackstrap: customize: interrupted while copying the image" "$R" customize "$U/disk.img" --host "$WORK/host.cfg"
check "the image that was to be customized is unchanged" cmp "$U/disk.img" "$U/images/small/disk.img"
interrupt qemu-img TERM group "rackstrap: inspect: interrupted by SIGTERM while unpacking the image" "$R" inspect "$U/images/small/disk.qcow2"
start "$R" verify "$U/disk.img"
machine() { pgrep -f "^[^ ]*qemu-system.*$U/tmp"; }
until_true machine >/dev/null
kill -INT -- -"$pid"
ended "SIGINT to the group in verify, which starts a machine" 130 "rackstrap: verify: interrupted while starting libguestfs's machine"
quiet "the machine has ended" machine
# libguestfs makes its machine first where it has none in its cache.
mkdir "$U/machines"
export LIBGUESTFS_CACHEDIR=$U/machines
making() { find "$U/machines" -name 'appliance.d.*' | grep -q .; }
start "$R" verify "$U/disk.img"
until_true making
kill -TERM "$pid"
ended "SIGTERM in verify, while libguestfs makes its machine" 130 "rackstrap: verify: interrupted by SIGTERM while starting libguestfs's machine"
start "$R" verify "$U/disk.img"
until_true making
kill -KILL -- -"$pid"
wait "$pid"
check "a killed verify leaves a machine" making
check "the next command runs" "${AS[@]}" "$R" cache list
quiet "it removes what libguestfs left" left
unset LIBGUESTFS_CACHEDIR
at_call fsync 1 "$R" cache --cache "$U/cache" export "$WORK/mirror"
ended "SIGTERM in cache export" 130 "rackstrap: cache: interrupted by SIGTERM"
check "it leaves no temporary file" sh -c "! find '$WORK/mirror' -mindepth 1 -name '.*' | grep ."
at_call syncfs 1 "$R" pxe configs/demo.cfg --image "$U/images/small" -o "$WORK/tree"
ended "SIGTERM in pxe" 130 "rackstrap: pxe: interrupted by SIGTERM"
check "it leaves no tree" sh -c "! ls -dA '$WORK'/.tree* '$WORK'/tree*"
finish
