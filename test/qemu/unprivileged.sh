#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# `rackstrap rack` run by a user without privileges, with an image that cannot boot: a host
# that does not come up is reported with the last lines of its console; and however the rack
# ends, no process, interface or mount is left.
. "$(dirname "$0")/../tap.sh"
HOST=node-1
AS=()
# If the test runs as root, the rack runs as nobody, who has no access to the folder of the sources.
if [ "$(id -u)" = 0 ]; then
	AS=(setpriv --reuid 65534 --regid 65534 --clear-groups --)
	chmod 755 "$WORK"
fi
mkdir -p "$WORK/image" "$WORK/home"
{ cp "$RACKSTRAP" "$WORK/rackstrap" && cp configs/demo.cfg "$WORK/demo.cfg"; } || bail "cannot copy rackstrap"
[ ${#AS[@]} = 0 ] || chown 65534:65534 "$WORK/home"
python3 - "$WORK/image" <<'P' || bail "cannot make an image"
import hashlib, json, sys
outputs = []
for name in ("vmlinuz", "initrd.img", "root.squashfs"):
    text = f"no {name}\n".encode()
    open(f"{sys.argv[1]}/{name}", "wb").write(text)
    outputs.append({"path": name, "size": len(text), "sha256": hashlib.sha256(text).hexdigest()})
roles = [{"name": n, "units": [], "ready": [], "features": f}
         for n, f in (("master", ["kubernetes-master", "nat"]), ("node", ["kubernetes", "cbr0", "nat"]))]
json.dump({"format": 1, "name": "empty", "summary": "of no use", "epoch": 1435622400,
           "cmdline": "", "standins": [], "roles": roles, "outputs": outputs},
          open(f"{sys.argv[1]}/manifest.json", "w"))
P
chmod -R a+rX "$WORK/image" "$WORK/rackstrap" "$WORK/demo.cfg"

rack() { # DIR ARGS...
	local dir=$1
	shift
	cd "$WORK/home" && exec "${AS[@]}" "$WORK/rackstrap" rack "$WORK/demo.cfg" \
		--image "$WORK/image" --host $HOST --dir "$dir" --accel tcg "$@"
}

# Prints the interfaces and mounts that are visible outside a rack, without those of other tests.
traces() {
	find /sys/class/net -name br-rack -o -name 'tap*' | sort
	grep -vF /rackstrap-test. /proc/self/mounts
	grep -F "$WORK/" /proc/self/mounts
}
traces >"$WORK/before"

# Prints the process ids in a PID namespace.
in_namespace() { # NAMESPACE
	local p
	for p in /proc/[0-9]*; do
		if [ "$(readlink "$p/ns/pid" 2>/dev/null)" = "$1" ]; then echo "${p#/proc/}"; fi
	done
}
within() { # SECONDS COMMAND...
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.1
	done
}
begun() { [ -s "$1/log/$HOST.console" ] || ! kill -0 "$RACK_PID" 2>/dev/null; } # or it has ended
is_empty() { [ -z "$(in_namespace "$1")" ]; }

RACK_PID=
tap_cleanup() { [ -z "$RACK_PID" ] || kill -KILL "$RACK_PID" 2>/dev/null; }

# Starts a rack, ends it with a signal, and checks that nothing is left.
ends_by() { # SIGNAL STATUS ['LAST LINE']
	local sig=$1 status=$2 want=${3-} dir=$WORK/home/$1 rc ns n
	(rack "$dir") >"$WORK/$sig.out" 2>"$WORK/$sig.err" </dev/null &
	RACK_PID=$!
	if ! within 600 begun "$dir" || [ ! -s "$dir/log/$HOST.console" ]; then
		fail "SIG$sig: a rack has started"
		note <"$WORK/$sig.err"
		return
	fi
	ns=$(readlink "/proc/$(cat "$dir/run/ns.pid")/ns/pid")
	n=$(in_namespace "$ns" | wc -l)
	check "SIG$sig: a rack has started, with $n processes" test "$n" -ge 4
	kill "-$sig" $RACK_PID
	{ wait $RACK_PID; } 2>/dev/null
	rc=$?
	RACK_PID=
	check "SIG$sig: the rack exits with $status" test $rc = "$status"
	[ -z "$want" ] || check "SIG$sig: the last line is '$want'" test "$(tail -n 1 "$WORK/$sig.err")" = "$want"
	check "SIG$sig: no process is left" within 300 is_empty "$ns"
	traces >"$WORK/after"
	check "SIG$sig: no interface and no mount is left" cmp "$WORK/before" "$WORK/after"
	[ "$sig" = KILL ] || check "SIG$sig: run/ns.pid is removed" test ! -e "$dir/run/ns.pid"
	[ ! -s "$WORK/$sig.out" ] || { fail "SIG$sig: no table is printed"; note <"$WORK/$sig.out"; }
}
ends_by INT 130 "rackstrap: interrupted before every host had a verdict"
is_long && ends_by TERM 130 "rackstrap: interrupted before every host had a verdict"
ends_by KILL 137

# The killed rack's lock is released: the folder can be used again.
(rack "$WORK/home/KILL" --timeout 2m) >"$WORK/table" 2>"$WORK/log" </dev/null
check "a host that does not come up: the rack exits with 1" test $? = 1
note <"$WORK/log"
check "the table has the host as failed" grep -qE "^$HOST +node +172\.25\.0\.11 .* failed$" "$WORK/table"
# A slow machine has not loaded everything by then: test/unit/test-rack-watch.c has each reason.
check "the reason is printed" grep -qE "^rackstrap: $HOST: (no report|not loaded|never asked for its boot script) within 120 s" "$WORK/log"
check "the path of its console is printed" \
	grep -qxF "rackstrap: $HOST: the end of $WORK/home/KILL/log/$HOST.console:" "$WORK/log"
# The machine resets and tries again, so that the last line may be any.
sed -n 's/^rackstrap:     //p' "$WORK/log" | grep -v ' s  ' >"$WORK/said"
check "the last lines of its console are printed" test "$(wc -l <"$WORK/said")" -ge 10
check "they are lines of the console" \
	grep -qaF -- "$(tail -n 1 "$WORK/said")" "$WORK/home/KILL/log/$HOST.console"
check "the last line names the host" test "$(tail -n 1 "$WORK/log")" = \
	"rackstrap: 1 of 1 host is not ready: $HOST"
traces >"$WORK/after"
check "no interface and no mount is left" cmp "$WORK/before" "$WORK/after"

mkdir -p "$WORK/home/mine/disk" && echo mine >"$WORK/home/mine/disk/file"
[ ${#AS[@]} = 0 ] || chown 65534:65534 "$WORK/home/mine"
(rack "$WORK/home/mine" --fresh) >/dev/null 2>"$WORK/log" </dev/null
check "a folder with other files in it is refused" test $? = 4
check "the message names the folder, and its files stay" test "$(tail -n 1 "$WORK/log") $(cat "$WORK/home/mine/disk/file")" = \
	"rackstrap: $WORK/home/mine exists and is not the folder of a rack: name another with --dir mine"

if [ ${#AS[@]} != 0 ]; then
	ln -s "$WORK/home/mine" "$WORK/home/link" && mkdir "$WORK/empty" && chown -h 65533 "$WORK/home/link" "$WORK/empty"
	(rack "$WORK/home/link/" --fresh) >/dev/null 2>"$WORK/log" </dev/null
	check "a link of another user is refused" test "$? $(tail -n 1 "$WORK/log")" = \
		"4 rackstrap: $WORK/home/link/: is a link of another user (uid 65533): name the folder itself"
	(rack "$WORK/empty") >/dev/null 2>"$WORK/log" </dev/null
	check "a folder of another user is refused" test "$? $(tail -n 1 "$WORK/log")" = \
		"4 rackstrap: $WORK/empty: belongs to another user (uid 65533): run this as that user, or name another folder with --dir"
fi
if [ ${#AS[@]} != 0 ]; then # serve has given the folder to nginx's user
	tree=$WORK/home/KILL/tree
	chown root "$tree/http/report"
	refuse "pxe refuses a tree whose reports it cannot keep" 1 \
		"rackstrap: $tree/http/report: the old tree's reports cannot be moved to the new one (run this as its owner or as root): Permission denied" \
		"${AS[@]}" "$WORK/rackstrap" pxe "$WORK/demo.cfg" --image "$WORK/image" -o "$tree"
	check "pxe leaves nothing beside the tree" test "$(ls -d "$WORK/home/KILL/tree"*)" = "$tree"
fi
finish
