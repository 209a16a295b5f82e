#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Signals end rackstrap, but only the processes that it has started. What it starts is ended in
# test/build/interrupt.sh.
. "$(dirname "$0")/../tap.sh"
tap_cleanup() {
	local p
	for p in $pid $tracer $(cat "$WORK"/*.pid 2>/dev/null); do kill -KILL "$p" 2>/dev/null; done
}
pid='' tracer=''
mkfifo "$WORK/rack.cfg" # without a writer
# Waits until the process is a rackstrap that has a handler of SIGTERM.
handles() { # PID
	local caught
	while kill -0 "$1" 2>/dev/null; do
		caught=$(sed -n 's/^SigCgt:[^0-9a-f]*//p' "/proc/$1/status")
		[ "$(cat "/proc/$1/comm")" = rackstrap ] && [ $((0x$caught & 0x4000)) != 0 ] && return
		sleep 0.02
	done
	return 1
}

# A shell starts two processes, of which one is the other's child, and becomes rackstrap.
bash -c 'bash -c "sleep 300 & echo \$! >\$1; wait" bash "$1/child.pid" & echo $! >"$1/shell.pid"
	until [ -s "$1/child.pid" ]; do sleep 0.02; done
	exec "$2" check "$1/rack.cfg"' bash "$WORK" "$RACKSTRAP" 2>"$WORK/said" >/dev/null &
pid=$!
check "rackstrap has its handler" handles $pid
kill -TERM $pid
wait $pid
check "SIGTERM ends it with 130" test $? = 130
check "it says so" grep -qx 'rackstrap: check: interrupted by SIGTERM' "$WORK/said"
check "a process that the shell had started goes on" kill -0 "$(cat "$WORK/shell.pid")"
check "and its child" kill -0 "$(cat "$WORK/child.pid")"

# Ends rackstrap while qemu-img runs, and has a child that is deaf to SIGTERM. strace(1) notes the
# signals: qemu-img may be killed before it has done anything about SIGTERM.
mkdir "$WORK/bin"
qemu-img create -q -f qcow2 "$WORK/disk.qcow2" 1M
cat >"$WORK/bin/qemu-img" <<-S
	#!/bin/bash
	echo \$\$ >"$WORK/qemu-img.pid"
	sh -c 'trap "" TERM; exec sleep 300' &
	echo \$! >"$WORK/deaf.pid"
	wait
S
chmod +x "$WORK/bin/qemu-img"
PATH=$WORK/bin:$PATH strace -D -qq -o "$WORK/signals" -e trace=kill -e signal=none \
	"$RACKSTRAP" inspect "$WORK/disk.qcow2" 2>"$WORK/said" >/dev/null &
pid=$!
until [ -s "$WORK/deaf.pid" ] && [ "$(cat "/proc/$(cat "$WORK/deaf.pid")/comm")" = sleep ] || ! kill -0 $pid; do sleep 0.02; done
kill -TERM $pid
wait $pid
check "SIGTERM ends it with 130 while a program runs" test $? = 130
# strace writes a line before the program goes on.
check "the program has got SIGTERM, once" test "$(grep -c "^kill($(cat "$WORK/qemu-img.pid"), SIGTERM" "$WORK/signals")" = 1
check "its child, which ignores that, is killed" sh -c "! kill -0 $(cat "$WORK/deaf.pid")"

# The executable cannot be executed again.
start_strace() { strace -qq -o "$WORK/trace" -e trace=execveat -e inject=execveat:error=EACCES "$RACKSTRAP" check "$WORK/rack.cfg"; }
start_strace 2>"$WORK/said" >/dev/null &
tracer=$!
pid=
until [ -n "$pid" ] || ! kill -0 $tracer; do
	pid=$(pgrep -f "^$RACKSTRAP check $WORK/rack.cfg\$")
	sleep 0.02
done
check "rackstrap has its handler under strace" handles "$pid"
kill -TERM "$pid"
wait $tracer
check "it exits with 130 when it cannot clean up" test $? = 130
pid='' tracer=''
check "and says so" grep -qx 'rackstrap: interrupted, but the clean-up cannot be started: temporary files stay until the next command removes them' "$WORK/said"
finish
