#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A serve that is killed by SIGKILL leaves no server behind, and the next one starts; one that is
# reloaded reads no configuration of DHCP as root. Root runs it, and its servers are another user's
# or root's; test/build/serve.sh has a single user.
if [ "${1:-}" != inside ]; then
	[ "$(id -u)" = 0 ] && exec unshare --net "$0" inside
	exec unshare --user --map-root-user --map-auto --net "$0" inside
fi
. "$(dirname "$0")/../tap.sh"
. test/soon.sh
TREES=$(mktemp -d /srv/rackstrap-test.XXXXXX 2>/dev/null || mktemp -d /tmp/rackstrap-test.XXXXXX)
tap_cleanup() {
	[ -z "${server:-}" ] || kill "$server" 2>/dev/null
	rm -rf "$TREES"
}
chmod 755 "$TREES"
TREE=$TREES/tree

ip link set lo up
ip link add br0 type veth peer name cl0 || bail "no veth in this namespace"
ip address add 172.25.0.1/24 dev br0
ip link set br0 up
ip link set cl0 up

mkdir "$WORK/image"
for f in vmlinuz initrd.img root.squashfs; do echo $f >"$WORK/image/$f"; done
out() {
	printf '{"path":"%s","size":%d,"sha256":"%s"}' "$1" "$(stat -c %s "$WORK/image/$1")" \
		"$(sha256sum <"$WORK/image/$1" | cut -c1-64)"
}
cat >"$WORK/image/manifest.json" <<EOF
{"format":1,"name":"tiny","summary":"","epoch":0,"cmdline":"","standins":[],
"roles":[{"name":"master","units":[],"ready":[],"features":["kubernetes-master","nat","calico","docker","network-environment"]},
{"name":"node","units":[],"ready":[],"features":["kubernetes","cbr0","nat","calico","docker","network-environment"]}],
"outputs":[$(out vmlinuz),$(out initrd.img),$(out root.squashfs)]}
EOF

# Prints "NAME UID" of each server that runs.
servers() {
	local pid
	for pid in $(pgrep --ns $$ --nslist net -x 'dnsmasq|nginx|kea-dhcp4'); do
		echo "$(cat "/proc/$pid/comm") $(stat -c %u "/proc/$pid")"
	done 2>/dev/null
}
runs() { servers | grep -qx "$1"; } # a worker of nginx changes its user after it has started
none_is_left() { [ -z "$(servers)" ]; }
serve() { # ARGS...
	: >"$WORK/serve.err"
	"$RACKSTRAP" serve "$TREE" "$@" 2>"$WORK/serve.err" &
	server=$!
	until_ok grep -q 'Ctrl-C ends it' "$WORK/serve.err" && kill -0 "$server"
}
# Kills a serve, and starts the next at once, which must not be kept off by what still ends.
killed() { # PROGRAMS, ARGS OF SERVE...
	local programs=$1 p
	shift
	check "serve $* starts" serve "$@" || { note <"$WORK/serve.err"; return; }
	for p in $programs; do check "$p runs" until_ok runs "${p/:/ }"; done
	kill -KILL "$server"
	wait "$server" 2>/dev/null
	check "after SIGKILL the next serve $* starts" serve "$@" || note <"$WORK/serve.err"
	kill -KILL "$server"
	wait "$server" 2>/dev/null
	check "serve $* leaves no server" until_ok none_is_left || servers | note
	check "and no port" sh -c '! grep -q ":0043 \|:0045 " /proc/net/udp && ! grep -q "010019AC:0050 [^ ]* 0A" /proc/net/tcp'
	server=
}

# Reloads a serve whose dnsmasq.conf makes dnsmasq say who reads it.
reloaded() {
	check "serve --user nobody starts" serve --user nobody || { note <"$WORK/serve.err"; return; }
	install -m 666 /dev/null "$TREES/users"
	printf '#!/bin/sh\nid -u >>%s\n' "$TREES/users" >"$TREES/script"
	chmod 755 "$TREES/script"
	echo "conf-script=$TREES/script" >>"$TREE/dnsmasq.conf"
	kill -HUP "$server"
	check "it is reloaded" until_ok grep -q ': reloaded: rack' "$WORK/serve.err" || note <"$WORK/serve.err"
	check "dnsmasq has run twice, to test its configuration and to serve" test "$(wc -l <"$TREES/users")" = 2
	check "both times as the servers' user" test "$(sort -u "$TREES/users")" = "$nobody"
	kill -TERM "$server"
	wait "$server" 2>/dev/null
	server=
}

nobody=$(id -u nobody)
check "pxe makes a boot tree" "$RACKSTRAP" pxe configs/demo.cfg --image "$WORK/image" -o "$TREE" --interface br0
reloaded
check "pxe makes it again" "$RACKSTRAP" pxe configs/demo.cfg --image "$WORK/image" -o "$TREE" --interface br0
killed "dnsmasq:$nobody nginx:0 nginx:$nobody" --user nobody
killed "dnsmasq:0 nginx:0" --user root
check "pxe makes the boot tree for Kea" "$RACKSTRAP" pxe configs/demo.cfg --image "$WORK/image" -o "$TREE" \
	--interface br0 --dhcp kea
killed "dnsmasq:$nobody kea-dhcp4:$nobody nginx:$nobody" --user nobody
finish
