#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A boot tree with Kea as its DHCP server: `kea-dhcp4 -t`, then `rackstrap serve` and DHCP clients
# that ask as firmware and iPXE do, new hosts while it runs, and a pair of two servers.
# In a network namespace, whose second server is in another one.
if [ "${1:-}" != inside ]; then
	exec unshare --user --map-root-user --net --mount "$0" inside
fi
. "$(dirname "$0")/../tap.sh"
. test/soon.sh
tap_cleanup() {
	local p
	for p in ${server:-} ${other:-} ${space:-}; do kill "$p" 2>/dev/null; done
}

ip link set lo up
ip link add br0 type bridge || bail "no bridge in this namespace"
ip link add cl0 type veth peer name cl1
ip link set cl1 master br0
ip address add 172.25.0.1/24 dev br0
ip link set br0 up

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
TREE=$WORK/tree
pxe() { # RACK, TREE, ARGS...
	local rack=$1 tree=$2
	shift 2
	"$RACKSTRAP" pxe "$rack" --image "$WORK/image" -o "$tree" --interface br0 --dhcp kea "$@"
}

refuse "kea beside another DHCP server" 2 \
	"rackstrap: pxe: options '--dhcp kea' and '--proxy-dhcp' exclude each other: kea gives out the addresses" \
	pxe configs/demo.cfg "$TREE" --proxy-dhcp
refuse "kea without an interface" 2 "rackstrap: pxe: option '--dhcp kea' requires '--interface IF'" \
	"$RACKSTRAP" pxe configs/demo.cfg --image "$WORK/image" -o "$TREE" --dhcp kea
refuse "another server" 2 "rackstrap: pxe: option '--dhcp' must be dnsmasq or kea, not 'dhcpd'" \
	"$RACKSTRAP" pxe configs/demo.cfg --image "$WORK/image" -o "$TREE" --dhcp dhcpd
check "pxe makes the boot tree of a rack of forty" pxe configs/rack40.cfg "$WORK/tree40"
ip address add 10.40.0.2/22 dev br0
check "kea-dhcp4 accepts its configuration" kea-dhcp4 -t "$WORK/tree40/kea-dhcp4.json"
check "pxe makes a boot tree" pxe configs/demo.cfg "$TREE"
check "kea-dhcp4 accepts its configuration" kea-dhcp4 -t "$TREE/kea-dhcp4.json"
check "it is JSON" python3 -m json.tool "$TREE/kea-dhcp4.json"
refuse "serve without Kea" 4 "rackstrap: kea-dhcp4: not found (Debian's package kea-dhcp4-server brings it)" \
	sh -c "mount --bind /dev/null /usr/sbin/kea-dhcp4 && exec '$RACKSTRAP' serve '$TREE'"
umount /usr/sbin/kea-dhcp4

serve() {
	: >"$WORK/serve.err"
	"$RACKSTRAP" serve "$TREE" 2>"$WORK/serve.err" &
	server=$!
	until_ok grep -q 'Ctrl-C ends it' "$WORK/serve.err" && kill -0 "$server"
}
check "serve starts, without a link" serve || { note <"$WORK/serve.err"; finish; }
ip link set cl0 up
ip link set cl1 up
N1=52:54:00:25:00:11
offer() { # WHAT WANTED MAC ARCH...
	local what=$1 want=$2
	shift 2
	python3 test/build/dhcp.py cl0 $N1 "$@" >"$WORK/offer"
	if grep -qxF "$want" "$WORK/offer"; then
		pass "$what"
	else
		fail "$what: wanted '$want'"
		note <"$WORK/offer"
	fi
}
offer "BIOS gets undionly.kpxe" "file undionly.kpxe" $N1 0
offer "UEFI (7) gets snponly.efi" "file snponly.efi" $N1 7
offer "UEFI (9) gets snponly.efi" "file snponly.efi" $N1 9
offer "UEFI gets a URL for HTTP boot" "file http://172.25.0.1/snponly.efi" $N1 16 http
offer "UEFI gets the class of HTTP boot" "class HTTPClient" $N1 16 http
offer "iPXE gets its script" "file http://172.25.0.1/boot.ipxe" $N1 0 ipxe
offer "iPXE on UEFI gets its script" "file http://172.25.0.1/boot.ipxe" $N1 7 ipxe
offer "iPXE from HTTP boot gets its script" "file http://172.25.0.1/boot.ipxe" $N1 16 ipxe
offer "the answer to iPXE has the option not to wait for a proxy" "ipxe b00101ff" $N1 0 ipxe
offer "the address is the host's" "address 172.25.0.11" $N1 0
offer "the files are on the boot server" "server 172.25.0.1" $N1 0
offer "the router is the gateway" "router 172.25.0.1" $N1 0
offer "the name is the host's" "name node-1" $N1 0
offer "a stranger gets nothing" "no offer" 52:54:00:25:00:99 0
check "serve reports it" until_ok grep -qxF \
	"rackstrap: 52:54:00:25:00:99 asks for an address and is not in the rack" "$WORK/serve.err"
check "discover finds it" sh -c "'$RACKSTRAP' discover '$TREE' |
	grep -qE '^# 52:54:00:25:00:99: asked [0-9]+ times?, .*, only for an address \(DHCP\)\$'"
state_of() { # HOST
	curl -fsS http://172.25.0.1/status/status.json |
		python3 -c 'import json, sys; print(*(h["state"] for h in json.load(sys.stdin)["hosts"] if h["name"] == sys.argv[1]))' "$1"
}
has_asked() { is "$(state_of node-1)" asked; }
check "the status page knows that the host asked" until_ok has_asked
check "and that another one did not" is "$(state_of node-2)" silent
for f in undionly.kpxe snponly.efi; do
	check "TFTP has $f" sh -c "busybox tftp -g -r $f -l - 172.25.0.1 | cmp - '$TREE/tftp/$f'"
done
check "HTTP has snponly.efi" sh -c "curl -fsS http://172.25.0.1/snponly.efi | cmp - '$TREE/tftp/snponly.efi'"

# --- another tree while it runs ---------------------------------------------------------

kea=$(pgrep -P "$server" -x kea-dhcp4)
dnsmasq=$(pgrep -P "$server" -x dnsmasq)
reloaded() { is "$(grep -c "reloaded: rack 'demo'" "$WORK/serve.err")" "$1"; }
lease() { busybox udhcpc -i cl0 -n -q -f -s "$(command -v true)" -t 20 -T 1; }
sed '$s|);|, { name = "node-3"; role = "node"; mac = "52:54:00:25:00:13"; address = "172.25.0.13"; cbr0 = "192.168.3.1/24"; } );|' \
	configs/demo.cfg >"$WORK/more.cfg"
check "a tree with a host more is rendered" pxe "$WORK/more.cfg" "$TREE"
check "serve reads it by itself" until_ok reloaded 1
ip link set cl0 address 52:54:00:25:00:13
check "the new host gets a lease" lease
check "of its address" grep -q 'DHCP4_LEASE_ALLOC .*52:54:00:25:00:13.*lease 172.25.0.13 has been allocated' "$TREE/run/kea.log"
sed 's/52:54:00:25:00:13/52:54:00:25:00:14/' "$WORK/more.cfg" >"$WORK/other.cfg"
check "its address is given to another machine" pxe "$WORK/other.cfg" "$TREE"
check "serve reads that, too" until_ok reloaded 2
offer "the other machine gets it, in spite of the lease" "address 172.25.0.13" 52:54:00:25:00:14 0
offer "the earlier one does not" "no offer" 52:54:00:25:00:13 0
check "Kea and dnsmasq have gone on all the time" is "$(pgrep -P "$server" -x kea-dhcp4) $(pgrep -P "$server" -x dnsmasq)" "$kea $dnsmasq"
echo '{' >"$TREE/kea-dhcp4.json"
kill -HUP "$server"
check "a configuration that Kea does not accept is not loaded" until_ok grep -qF "$TREE: not reloaded" "$WORK/serve.err"
check "the message has Kea's" grep -q '^rackstrap: kea-dhcp4 exited with 1: ' "$WORK/serve.err"
offer "Kea goes on as before" "address 172.25.0.13" 52:54:00:25:00:14 0

# --- from one DHCP server to the other --------------------------------------------------

check "the tree is made for dnsmasq" "$RACKSTRAP" pxe configs/demo.cfg --image "$WORK/image" -o "$TREE" --interface br0
check "serve reads it" until_ok reloaded 3
check "Kea has ended" sh -c "! pgrep -P $server -x kea-dhcp4"
offer "dnsmasq answers" "address 172.25.0.11" $N1 0
sed 's/boot_server = .*/&\n\tstrangers : { pool = "172.25.0.200-172.25.0.209"; };/' configs/demo.cfg >"$WORK/pool.cfg"
check "a tree for Kea is made, with addresses for strangers" pxe "$WORK/pool.cfg" "$TREE"
check "kea-dhcp4 accepts its configuration" kea-dhcp4 -t "$TREE/kea-dhcp4.json"
check "serve reads that" until_ok reloaded 4
offer "Kea answers" "address 172.25.0.11" $N1 0
python3 test/build/dhcp.py cl0 $N1 52:54:00:25:00:99 0 >"$WORK/offer"
check "a stranger gets an address of the pool" grep -qxE 'address 172\.25\.0\.20[0-9]' "$WORK/offer"
check "and a boot loader" grep -qx 'file undionly.kpxe' "$WORK/offer"
check "it is Kea" sh -c "tail -n 3 '$TREE/run/kea.log' | grep -q DHCP4_LEASE_ADVERT"
# A Kea that does not answer at its control socket does not keep serve from ending.
kea=$(pgrep -P "$server" -x kea-dhcp4)
kill -STOP "$kea"
check "the tree is made again" pxe configs/demo.cfg "$TREE"
# A connection that was not accepted has the name of the socket, too.
waits() { [ "$(grep -c 'run/kea/control$' /proc/net/unix)" -ge 2 ]; }
check "serve asks Kea to read it" until_ok waits
kill -INT "$server"
ended() { ! kill -0 "$server" 2>/dev/null; }
check "serve ends although Kea does not answer" until_ok ended
kill -CONT "$kea" 2>/dev/null
wait "$server"
check "serve starts again" serve

kill -KILL "$(pgrep -P "$server" -x kea-dhcp4)"
wait "$server"
check "serve ends when Kea has ended" test $? -eq 1
server=
check "it says so" grep -q '^rackstrap: kea-dhcp4 was killed by SIGKILL' "$WORK/serve.err"
check "nobody listens any more" sh -c '! grep -q ":0043 \|:0045 " /proc/net/udp'

# --- a pair -----------------------------------------------------------------------------

unshare --net sleep infinity &
space=$!
in_space() { nsenter --target "$space" --net "$@"; }
other_net() { [ "$(readlink "/proc/$space/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }
until_ok other_net
ip link add sp0 type veth peer name br0 netns "$space"
ip link set sp0 master br0
ip link set sp0 up
in_space ip link set lo up
in_space ip address add 172.25.0.2/24 dev br0
in_space ip link set br0 up
sed 's/boot_server = .*/&\n\tdhcp_servers = [ "172.25.0.1", "172.25.0.2" ];/' configs/demo.cfg >"$WORK/one.cfg"
sed 's/boot_server = .*/boot_server = "172.25.0.2";/; /boot_server/a\	dhcp_servers = [ "172.25.0.1", "172.25.0.2" ];' \
	configs/demo.cfg >"$WORK/two.cfg"
check "the tree of the first server is made" pxe "$WORK/one.cfg" "$TREE"
check "the tree of the second server is made" pxe "$WORK/two.cfg" "$WORK/second"
check "kea-dhcp4 accepts its configuration" in_space kea-dhcp4 -t "$WORK/second/kea-dhcp4.json"
check "the first serve starts" serve || note <"$WORK/serve.err"
nsenter --target "$space" --net "$RACKSTRAP" serve "$WORK/second" 2>"$WORK/second.err" &
other=$!
check "the second serve starts" until_ok grep -q 'Ctrl-C ends it' "$WORK/second.err"
state() { until_ok grep -q "HA_STATE_TRANSITION .* to $2 state" "$1/run/kea.log"; }
check "they find each other: the first" state "$TREE" HOT-STANDBY
check "they find each other: the second" state "$WORK/second" HOT-STANDBY
# A server drops requests while it changes its state.
answers() { # WANTED MAC
	python3 test/build/dhcp.py cl0 "$N1" "$2" 0 >"$WORK/offer" && grep -qxE "$1" "$WORK/offer"
}
check "the first one answers" until_ok answers "server 172.25.0.1" $N1
kill "$server"
wait "$server"
server=
check "when it ends, the second one takes over" state "$WORK/second" PARTNER-DOWN
check "the second one answers, with the same address" until_ok answers "address 172.25.0.11" $N1
check "and its own files" grep -qx 'server 172.25.0.2' "$WORK/offer"
kill "$other"
wait "$other"
check "the second serve ends" test $? -eq 0
other=
finish
