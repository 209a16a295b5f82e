#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# `rackstrap rack` by a user without any privilege, with an image that cannot boot: a host
# that does not come up is named with what its console said last; and however the rack is
# ended, nothing of it stays behind.
. "$(dirname "$0")/../tap.sh"
HOST=node-1
AS=()
# Not every user may enter the folder this runs in; one from nowhere has nothing here.
if [ "$(id -u)" = 0 ]; then
	AS=(setpriv --reuid 65534 --regid 65534 --clear-groups --)
	chmod 755 "$WORK"
fi
mkdir -p "$WORK/image" "$WORK/home"
cp "$RACKSTRAP" "$WORK/rackstrap" && cp configs/demo.cfg "$WORK/demo.cfg" || bail "cannot copy rackstrap"
[ ${#AS[@]} = 0 ] || chown 65534:65534 "$WORK/home"
python3 - "$WORK/image" <<'P' || bail "cannot make an image"
import hashlib, json, sys
outputs = []
for name in ("vmlinuz", "initrd.img", "root.squashfs"):
    text = f"no {name}\n".encode()
    open(f"{sys.argv[1]}/{name}", "wb").write(text)
    outputs.append({"path": name, "size": len(text), "sha256": hashlib.sha256(text).hexdigest()})
roles = [{"name": n, "units": [], "ready": [], "cbr0": n == "node", "master": n == "master"}
         for n in ("master", "node")]
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

# What a rack could leave behind, seen from here.
traces() { ls /sys/class/net; cat /proc/self/mounts; }
traces >"$WORK/before"

# Every process whose process namespace is $1.
in_namespace() {
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
is_empty() { [ -z "$(in_namespace "$1")" ]; }

RACK_PID=
tap_cleanup() { [ -z "$RACK_PID" ] || kill -KILL "$RACK_PID" 2>/dev/null; }

ends_by() { # SIGNAL STATUS ['LAST LINE']
	local sig=$1 status=$2 want=${3-} dir=$WORK/home/$1 rc ns n
	(rack "$dir") >"$WORK/$sig.out" 2>"$WORK/$sig.err" </dev/null &
	RACK_PID=$!
	if ! within 20 test -s "$dir/log/$HOST.console"; then
		fail "a rack runs, to be ended by SIG$sig"
		note <"$WORK/$sig.err"
		return
	fi
	ns=$(readlink "/proc/$(cat "$dir/run/ns.pid")/ns/pid")
	n=$(in_namespace "$ns" | wc -l)
	check "a rack runs, to be ended by SIG$sig: $n processes" test "$n" -ge 4
	kill "-$sig" $RACK_PID
	{ wait $RACK_PID; } 2>/dev/null
	rc=$?
	RACK_PID=
	check "SIG$sig: exit status $status" test $rc = "$status"
	[ -z "$want" ] || check "SIG$sig: says '$want'" test "$(tail -n 1 "$WORK/$sig.err")" = "$want"
	check "SIG$sig: no process is left" within 10 is_empty "$ns"
	traces >"$WORK/after"
	check "SIG$sig: no interface and no mount is left" cmp "$WORK/before" "$WORK/after"
	[ "$sig" = KILL ] || check "SIG$sig: run/ns.pid is gone" test ! -e "$dir/run/ns.pid"
	[ ! -s "$WORK/$sig.out" ] || { fail "SIG$sig: no table"; note <"$WORK/$sig.out"; }
}
ends_by INT 1 "rackstrap: interrupted before every host had a verdict"
ends_by TERM 1 "rackstrap: interrupted before every host had a verdict"
ends_by KILL 137

# The lock went with the killed one: the folder can be used again.
(rack "$WORK/home/KILL" --timeout 20) >"$WORK/table" 2>"$WORK/log" </dev/null
check "a host that does not come up: exit status 1" test $? = 1
note <"$WORK/log"
check "the table says so" grep -qE "^$HOST +node +172\.25\.0\.11 .* failed$" "$WORK/table"
check "why is told" grep -qE "^rackstrap: $HOST: no report within 20 s" "$WORK/log"
check "where its console is, is told" \
	grep -qxF "rackstrap: $HOST: the end of $WORK/home/KILL/log/$HOST.console:" "$WORK/log"
# The machine resets and tries again: what is last depends on the moment.
sed -n 's/^rackstrap:     //p' "$WORK/log" | grep -v ' s  ' >"$WORK/said"
check "what its console said last is told" test "$(wc -l <"$WORK/said")" -ge 10
check "these are its own words" \
	grep -qaF -- "$(tail -n 1 "$WORK/said")" "$WORK/home/KILL/log/$HOST.console"
check "the last line names it" test "$(tail -n 1 "$WORK/log")" = \
	"rackstrap: 1 of 1 host is not ready: $HOST"
traces >"$WORK/after"
check "no interface and no mount is left" cmp "$WORK/before" "$WORK/after"

mkdir -p "$WORK/home/mine/disk" && echo mine >"$WORK/home/mine/disk/file"
(rack "$WORK/home/mine" --fresh) >/dev/null 2>"$WORK/log" </dev/null
check "a folder with something else in it: exit status 1" test $? = 1
check "it is told, and what is in it stays" test "$(tail -n 1 "$WORK/log") $(cat "$WORK/home/mine/disk/file")" = \
	"rackstrap: $WORK/home/mine exists and is not the folder of a rack: name another with --dir mine"

if [ ${#AS[@]} != 0 ]; then # as after serve, which gives the folder to nginx's user
	tree=$WORK/home/KILL/tree
	chown root "$tree/http/report"
	refuse "reports that cannot be kept: the tree stays as it is" 1 \
		"rackstrap: $tree/http/report: the old tree's reports cannot be moved to the new one: Permission denied" \
		"${AS[@]}" "$WORK/rackstrap" pxe "$WORK/demo.cfg" --image "$WORK/image" -o "$tree"
	check "and nothing is beside it" test "$(ls -d "$WORK/home/KILL/tree"*)" = "$tree"
fi
finish
