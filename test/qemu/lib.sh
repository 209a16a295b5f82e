# SPDX-License-Identifier: Apache-2.0
#
# Sourced by tests that keep a rack running in the background and look into it.
# shellcheck shell=bash
# shellcheck source=../tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
. test/images.sh
IMAGE=out/bookworm-vm
DIR=$ABS_O/test/rack-$(basename "$0" .sh)
RACK_PID=

need_image() { bake_image || bail "no image to boot"; }

# Makes an ssh key, and a copy of a rack file with that key in it.
make_rack() { # FROM TO
	ssh-keygen -q -t ed25519 -N '' -C test -f "$WORK/key" </dev/null
	sed "s|^\([[:space:]]*\)\(# \)\{0,1\}ssh_keys = .*|\1ssh_keys = [ \"$(cat "$WORK/key.pub")\" ];|" "$1" >"$2"
	grep -q "$(cut -d' ' -f2 "$WORK/key.pub")" "$2" || bail "$1 has no ssh_keys line to fill"
}

# Starts a rack in the background with --keep; its table goes to $WORK/table, or with --run to
# $WORK/rack.log and what the program prints to $WORK/table. The time limits here only end a
# test that hangs: machines on which nothing else runs need a fifth of them.
# Usage: rack_start RACK.cfg ARGS...
rack_start() {
	"$RACKSTRAP" rack --image $IMAGE --dir "$DIR" --fresh --keep --timeout 45m "$@" \
		>"$WORK/table" 2>"$WORK/rack.log" </dev/null &
	RACK_PID=$!
}

# Waits until the table is there. Fails when the rack has ended, or after SECONDS (2800).
rack_wait() {
	local deadline=$((SECONDS + ${1:-2800}))
	while [ $SECONDS -lt $deadline ]; do
		if grep -qE '^(rackstrap: )?HOST' "$WORK/table" "$WORK/rack.log" && grep -qi 'ctrl-c' "$WORK/rack.log"; then
			return 0
		fi
		kill -0 "$RACK_PID" 2>/dev/null || return 1
		sleep 1
	done
	return 1
}

# Waits for the rack and prints its table. A rack that does not come up ends the test, with the
# end of its messages and of the console of one of its hosts.
rack_up() { # HOST
	if ! rack_wait; then
		fail "the rack comes up"
		cat "$WORK/table" "$WORK/rack.log" "$(console "$1")" | tail -n 60 | note
		finish
	fi
	pass "the rack comes up"
	note <"$WORK/table"
}

rack_stop() {
	[ -n "$RACK_PID" ] || return 0
	kill -INT "$RACK_PID" 2>/dev/null
	wait "$RACK_PID" 2>/dev/null
	RACK_PID=
}
tap_cleanup() { rack_stop; }

in_rack() {
	nsenter --preserve-credentials -U -n -t "$(cat "$DIR/run/ns.pid")" -- "$@"
}

# Runs a command as root on a host. Usage: on ADDRESS COMMAND...
on() {
	local address=$1
	shift
	in_rack ssh -i "$WORK/key" -o BatchMode=yes -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=60 \
		-o ServerAliveInterval=15 -o ServerAliveCountMax=8 \
		-o IdentitiesOnly=yes "root@$address" "$@"
}

# Repeats a command until it succeeds, for at most SECONDS. Usage: until_ok SECONDS COMMAND...
until_ok() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >"$WORK/until.out" 2>&1; do
		if [ $SECONDS -ge $deadline ]; then
			tail -n 5 "$WORK/until.out" >&2
			return 1
		fi
		sleep 2
	done
}

# Sends a QMP command, such as system_reset, to a host. Usage: qmp HOST COMMAND [NAME=VALUE...]
qmp() {
	local host=$1
	shift
	test/qmp.py "$DIR/run/$host.qmp" "$@"
}

report_of() { cat "$DIR/tree/http/report/$1.json"; }

# Prints one top-level field of the report on standard input. Usage: json FIELD
json() { python3 -c 'import json,sys; v = json.load(sys.stdin)[sys.argv[1]]; print(v if v is not None else "")' "$1"; }

# Succeeds when the report of HOST is from another boot than BOOT-ID and has this verdict.
reported_again() { # HOST BOOT-ID VERDICT
	[ "$(report_of "$1" | json boot_id)" != "$2" ] && [ "$(report_of "$1" | json verdict)" = "$3" ]
}
console() { echo "$DIR/log/$1.console"; }
count() { grep -cF -- "$1" "$2"; }
