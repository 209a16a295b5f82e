#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Signals end rackstrap, but only the processes that it has started. What it starts is ended in
# test/build/interrupt.sh.
. "$(dirname "$0")/../tap.sh"
tap_cleanup() {
	local p
	for p in $(cat "$WORK"/*.pid 2>/dev/null); do kill "$p" 2>/dev/null; done
}
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
finish
