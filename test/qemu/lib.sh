# SPDX-License-Identifier: Apache-2.0
#
# A rack kept running in the background, and ways to look into it.
# shellcheck source=../tap.sh
. "$(dirname "${BASH_SOURCE[0]}")/../tap.sh"
IMAGE=out/bookworm-vm
DIR=$ABS_O/test/rack-$(basename "$0" .sh)
RACK_PID=

need_image() {
	[ -e $IMAGE/manifest.json ] || test/bake images/bookworm-vm >&2 || bail "no image to boot"
}

# Key and rack file for this run; the demo's, with our key in it.
make_rack() { # FROM TO
	ssh-keygen -q -t ed25519 -N '' -C test -f "$WORK/key" </dev/null
	sed "s|^\([[:space:]]*\)\(# \)\{0,1\}ssh_keys = .*|\1ssh_keys = [ \"$(cat "$WORK/key.pub")\" ];|" "$1" >"$2"
	grep -q "$(cut -d' ' -f2 "$WORK/key.pub")" "$2" || bail "$1 has no ssh_keys line to fill"
}

# rack_start RACK.cfg ARGS...: in the background with --keep; table in $WORK/table.
rack_start() {
	"$RACKSTRAP" rack "$@" --image $IMAGE --dir "$DIR" --fresh --keep \
		>"$WORK/table" 2>"$WORK/rack.log" </dev/null &
	RACK_PID=$!
}

# Until the table is there, or the rack has ended.
rack_wait() {
	local deadline=$((SECONDS + ${1:-900}))
	while [ $SECONDS -lt $deadline ]; do
		if grep -q '^HOST' "$WORK/table" && grep -qi 'ctrl-c' "$WORK/rack.log"; then
			return 0
		fi
		kill -0 "$RACK_PID" 2>/dev/null || return 1
		sleep 1
	done
	return 1
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

# on ADDRESS COMMAND...: as root on a host.
on() {
	local address=$1
	shift
	in_rack ssh -i "$WORK/key" -o BatchMode=yes -o StrictHostKeyChecking=no \
		-o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=10 \
		-o ServerAliveInterval=15 -o ServerAliveCountMax=4 \
		-o IdentitiesOnly=yes "root@$address" "$@"
}

# until_ok SECONDS COMMAND...: again and again until it succeeds.
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

# qmp HOST COMMAND [NAME=VALUE...]: system_reset, quit, ...
qmp() {
	local host=$1
	shift
	test/qmp.py "$DIR/run/$host.qmp" "$@"
}

report_of() { cat "$DIR/tree/http/report/$1.json"; }

# json FIELD <report: one top-level field.
json() { python3 -c 'import json,sys; v = json.load(sys.stdin)[sys.argv[1]]; print(v if v is not None else "")' "$1"; }

# A report of HOST from another boot than BOOT-ID, with this verdict.
reported_again() { # HOST BOOT-ID VERDICT
	[ "$(report_of "$1" | json boot_id)" != "$2" ] && [ "$(report_of "$1" | json verdict)" = "$3" ]
}
console() { echo "$DIR/log/$1.console"; }
count() { grep -cF -- "$1" "$2"; }
