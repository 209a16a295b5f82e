#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Machines that are no hosts, with the real dnsmasq and nginx: DHCP gives them an address of the
# pool, or that of the host with their UUID; `discover` prints them from the servers' logs; and one
# whose entry is added while `serve` runs gets the address of its host. A DHCP client that asks as
# firmware does, and curl, are the machines. Runs in a network namespace.
if [ "${1:-}" != inside ]; then
	exec unshare --user --map-root-user --net "$0" inside
fi
. "$(dirname "$0")/../tap.sh"
tap_cleanup() { [ -z "${server:-}" ] || kill "$server" 2>/dev/null; }

ip link set lo up
ip link add br0 type veth peer name cl0 || bail "no veth in this namespace"
ip address add 172.25.0.1/24 dev br0
ip link set br0 up
ip link set cl0 up

mkdir "$WORK/image"
for f in vmlinuz initrd.img root.squashfs; do echo $f >"$WORK/image/$f"; done
out() { printf '{"path":"%s","size":%d,"sha256":"%s"}' "$1" "$(stat -c %s "$WORK/image/$1")" "$(sha256sum <"$WORK/image/$1" | cut -c1-64)"; }
cat >"$WORK/image/manifest.json" <<EOF
{"format":1,"name":"tiny","summary":"","epoch":0,"cmdline":"","standins":[],
"roles":[{"name":"server","units":[],"ready":[],"features":[]}],"users":["root"],"groups":["root"],"templates":[],
"outputs":[$(out vmlinuz),$(out initrd.img),$(out root.squashfs)]}
EOF

TREE=$WORK/tree
U1=4c4c4544-0051-3510-8052-b7c04f4e3231 U2=4c4c4544-0051-3510-8052-b7c04f4e3232 U3=4c4c4544-0051-3510-8052-b7c04f4e3233
# render POOL UUID-OF-SERVER-1 [HOST]: makes the tree.
render() {
	cat >"$WORK/rack.cfg" <<-END
	cluster : {
		name = "demo";
		node_network = "172.25.0.0/24";
		boot_server = "172.25.0.1";
		gateway = "172.25.0.1";
		strangers : { $1 };
	};
	hosts = (
		${3:-}
		{ name = "server-1"; role = "server"; mac = "52:54:00:25:00:11"; address = "172.25.0.11"; $2 },
		{ name = "server-2"; role = "server"; mac = "52:54:00:25:00:12"; address = "172.25.0.12"; }
	);
	END
	"$RACKSTRAP" pxe "$WORK/rack.cfg" --image "$WORK/image" -o "$TREE" --interface br0
}
says() { # TEXT COUNT
	for _ in {1..1000}; do
		[ "$(grep -cF "$1" "$WORK/serve.err")" -lt "$2" ] || return 0
		kill -0 "$server" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}
reloads=0
reload() {
	reloads=$((reloads + 1))
	kill -HUP "$server" && says 'reloaded: rack' "$reloads"
}
offer() { # WHAT WANTED MAC ARGS...
	local what=$1 want=$2
	shift 2
	python3 test/build/dhcp.py cl0 52:54:00:25:00:12 "$@" >"$WORK/offer" 2>&1
	# shellcheck disable=SC2254 # a pattern
	case $(head -n 1 "$WORK/offer") in
	$want) pass "$what" ;;
	*)
		fail "$what: wanted '$want'"
		note <"$WORK/offer"
		;;
	esac
}
NEW=52:54:00:99:99:01

check "pxe makes a tree without a pool" render 'policy = "ask";' ""
"$RACKSTRAP" serve "$TREE" 2>"$WORK/serve.err" &
server=$!
check "serve starts" says 'Ctrl-C ends it' 1 || { note <"$WORK/serve.err"; finish; }
offer "without a pool a stranger gets nothing" "no offer" $NEW 0
check "discover knows that it asked" sh -c "'$RACKSTRAP' discover '$TREE' >'$WORK/found'"
check "by its MAC address" grep -qE "^# $NEW: asked [0-9]+ times?, .*only for an address" "$WORK/found"

check "pxe makes a tree with a pool, and a host with a UUID" \
	render 'pool = "172.25.0.200-172.25.0.201";' "uuid = \"$U1\"; serial = \"SN 1\";"
check "serve reads it" reload
offer "a stranger gets an address of the pool" "address 172.25.0.20[01]" $NEW 0 uuid=$U2
offer "a host gets its address by its MAC address" "address 172.25.0.11" 52:54:00:25:00:11 0
offer "whatever UUID it has" "address 172.25.0.11" 52:54:00:25:00:11 0 uuid=$U2
offer "a machine with another card gets it by its UUID" "address 172.25.0.11" 52:54:00:99:99:02 0 uuid=$U1
offer "in iPXE, too" "address 172.25.0.11" 52:54:00:99:99:02 0 ipxe uuid=$U1
offer "a host without a UUID gets its own address, with the UUID of another one" "address 172.25.0.12" 52:54:00:25:00:12 0 uuid=$U1
offer "UEFI gets a loader" "address 172.25.0.11" 52:54:00:99:99:02 7 uuid=$U1

# The stranger says what it is, and is added.
ip address add 172.25.0.200/32 dev lo
curl -fsS --interface 172.25.0.200 -o "$WORK/policy" \
	"http://172.25.0.1/strangers.ipxe?mac=$NEW&serial=SN%202&uuid=$U2&manufacturer=QEMU&product=A%26B&asset="
check "the stranger is told to ask again" grep -qxF "goto ask" "$WORK/policy"
check "its files are those of nobody" sh -c "test \"\$(curl -s -o '$WORK/none' -w '%{http_code}' --interface 172.25.0.200 http://172.25.0.1/hosts/52-54-00-99-99-01.ipxe)\" = 404"
check "discover prints it" sh -c "'$RACKSTRAP' discover '$TREE' >'$WORK/found'"
entry=$(grep "^{ name = \"new-525400999901\"" "$WORK/found")
check "as an entry" test "$entry" = "{ name = \"new-525400999901\"; role = \"server\"; mac = \"$NEW\"; address = \"172.25.0.13/24\"; serial = \"SN 2\"; uuid = \"$U2\"; },"
check "which can be pasted into the rack file" render 'pool = "172.25.0.200-172.25.0.201";' "uuid = \"$U1\";" "$entry"
check "serve reads it" reload
offer "the machine gets the address of its host" "address 172.25.0.13" $NEW 0 uuid=$U2
offer "and so it does with another card" "address 172.25.0.13" 52:54:00:99:99:03 0 uuid=$U2
offer "a machine with another UUID is still a stranger" "address 172.25.0.20[01]" 52:54:00:99:99:04 0 uuid=$U3
check "discover leaves out what is a host now" sh -c "'$RACKSTRAP' discover '$TREE' >'$WORK/found' && ! grep $NEW '$WORK/found'"
ip address add 172.25.0.13/32 dev lo
check "its script is served to its address" curl -fsS --interface 172.25.0.13 -o "$WORK/script" http://172.25.0.1/hosts/52-54-00-99-99-01.ipxe
check "by its UUID, too" curl -fsS --interface 172.25.0.13 -o "$WORK/same" http://172.25.0.1/hosts/by-uuid/$U2.ipxe
check "it is the same script" cmp "$WORK/script" "$WORK/same"
check "and nobody else's" sh -c "! curl -fsS --interface 172.25.0.200 http://172.25.0.1/hosts/by-uuid/$U2.ipxe"

kill "$server"
wait "$server"
server=
finish
