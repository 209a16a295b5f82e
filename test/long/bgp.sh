#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs calico-node's stand-in with a real etcd and real BIRDs: hosts, each of which is a network
# namespace with a cbr0 and the container's program as PID 1, and two routers, connected by a
# bridge. The keys in etcd are those that firstboot and calicoctl write. Everything runs in
# namespaces of its own, without root.
set -u
if [ -z "${BGP_NS:-}" ]; then
	BGP_NS=1 exec unshare -rnmp --fork --mount-proc --kill-child "$0"
fi
. "$(dirname "$0")/../tap.sh"
. test/soon.sh

# --- the network ----------------------------------------------------------------------------
ETCD=172.25.0.1:4001
KEYS=http://$ETCD/v2/keys/calico/v1
declare -A PIDS

# HOST COMMAND...: enters the host's network, with a /run of its own.
in_host() {
	local h=$1
	shift
	# shellcheck disable=SC2016 # for the inner shell
	nsenter --net="/run/netns/$h" unshare -m sh -c 'mount --bind "$0" /run && exec "$@"' \
		"$WORK/run/$h" "$@"
}
add_host() { # NAME ADDRESS
	local h=$1
	mkdir -p "$WORK/run/$h" "$WORK/log" && ip netns add "$h" &&
		ip link add "$h" master up0 type veth peer name eth0 netns "$h" &&
		ip link set "$h" up && ip -n "$h" link set lo up && ip -n "$h" link set eth0 up &&
		ip -n "$h" addr add "$2/24" dev eth0
}
add_node() { # N: node-N with its cbr0
	add_host "node-$1" "172.25.0.1$1" && ip -n "node-$1" link add cbr0 type bridge &&
		ip -n "node-$1" addr add "192.168.$1.1/24" dev cbr0 &&
		ip -n "node-$1" link set cbr0 up
}
{
	mount -t tmpfs none /run && mkdir -p "$WORK/proc/1" "$WORK/bare/1/root" && ln -s / "$WORK/proc/1/root"
	ip link set lo up && ip link add up0 type bridge && ip addr add 172.25.0.1/24 dev up0 &&
		ip link set up0 up && add_node 1 && add_node 2 && add_node 3 && add_node 4 &&
		add_host border 172.25.0.2 && add_host tor 172.25.0.3
} || bail "the namespaces could not be set up"
[ -x /usr/sbin/bird ] || bail "no /usr/sbin/bird: package bird"

not() { ! "$@"; }
put() { curl -sSf --max-time 10 -o /dev/null -X PUT --data-urlencode "value=$2" "$KEYS$1"; }
remove() { curl -sSf --max-time 10 -o /dev/null -X DELETE "$KEYS$1?recursive=true"; }

etcd() {
	"$ABS_O/standin/etcd" --name one --addr $ETCD --data-dir "$WORK/etcd" \
		--bind-addr 0.0.0.0:4001 >>"$WORK/log/etcd" 2>&1 </dev/null &
	PIDS[etcd]=$!
}
calico() { # N PROC: the container of node-N, its program being PID 1
	nsenter --net="/run/netns/node-$1" env "HOSTNAME=node-$1" "IP=172.25.0.1$1" IP6= \
		"ETCD_AUTHORITY=$ETCD" "RACKSTRAP_STANDIN_PROC_HOST=${2:-$WORK/proc}" \
		unshare -mp --fork --kill-child sh -c 'mount --bind "$0" /run && exec "$@"' \
		"$WORK/run/node-$1" "$ABS_O/standin/calicoctl" standin-sleep \
		>>"$WORK/log/node-$1" 2>&1 </dev/null &
	PIDS[node-$1]=$!
}
init_of() { pgrep -P "${PIDS[node-$1]}"; }
bird_of() { pgrep -P "$(init_of "$1")" -x bird; }
stop() { # N: docker stop
	kill "$(init_of "$1")"
	wait "${PIDS[node-$1]}"
}
logged() { grep -qF -- "$2" "$WORK/log/node-$1"; }
cfg() { cat "$WORK/run/node-$1/calico-node-standin/bird.cfg"; }
has() { cfg "$1" | grep -qF -- "$2"; }
cfg_is() { cfg "$1" | cmp - "$2"; }
lacks() { ! has "$1" "$2"; }
route() { ip -n "$1" route show "192.168.$2.0/24" proto bird | grep -q "via ${3:-172.25.0.1$2} "; }
birdc() { in_host "$1" /usr/sbin/birdc -s /run/bird.ctl "${@:2}"; }
peers() { birdc "$1" show protocols "node_$2" | grep -q Established; } # ROUTER N

# NAME ADDRESS AS AS_OF_NODES AS_OF_NODE_2: a router's file; it waits for the nodes.
router_cfg() {
	cat >"$WORK/$1.cfg" <<-END
	router id $2;
	protocol device { scan time 2; }
	protocol direct { }
	protocol kernel { export all; }
	template bgp node { local $2 as $3; multihop; passive; import all; export none; }
	protocol bgp node_1 from node { neighbor 172.25.0.11 as $4; }
	protocol bgp node_2 from node { neighbor 172.25.0.12 as $5; }
	protocol bgp node_3 from node { neighbor 172.25.0.13 as $4; }
	END
}
router() {
	in_host "$1" /usr/sbin/bird -f -c "$WORK/$1.cfg" -s /run/bird.ctl >"$WORK/log/$1" 2>&1 </dev/null &
}

# Runs `firstboot pool` as rackstrap-pool.service does. LINES go into the host.cfg.
firstboot_pool() { # NAME ROLE LINES [SECONDS]
	local root=$WORK/root
	rm -rf "$root" && mkdir -p "$root/run/rackstrap" "$root/usr/lib/rackstrap"
	cat >"$root/usr/lib/rackstrap/roles.cfg" <<-'END'
	roles = ( { name = "master"; features = [ "kubernetes-master", "nat", "calico", "docker", "network-environment" ]; units = [ "etcd.service", "calico-node.service" ]; },
		{ name = "node"; features = [ "kubernetes", "cbr0", "nat", "calico", "docker", "network-environment" ]; units = [ "etcd.service", "calico-node.service" ]; } );
	END
	{
		printf 'name = "%s"; role = "%s"; etcd = "%s"; gateway = "172.25.0.1";\n' "$1" "$2" "$ETCD"
		case $2 in
		master) echo 'address = "172.25.0.10/24";' ;;
		*) printf 'address = "172.25.0.1%s/24"; cbr0 = "192.168.%s.1/24"; master = "172.25.0.10";\n' \
			"${1#node-}" "${1#node-}" ;;
		esac
		printf '%s\n' "$3"
	} >"$root/run/rackstrap/host.cfg"
	"$ABS_O/firstboot" --root="$root" --cmdline= "--timeout=${4:-10}" pool
}
calicoctl_node() { # N: the keys that `calicoctl node` writes
	put "/host/node-$1/bird_ip" "172.25.0.1$1" && put "/host/node-$1/bird6_ip" "" &&
		put "/host/node-$1/config/marker" created
}

etcd
check "etcd answers" until_ok curl -sSf http://$ETCD/health || bail "no etcd"
check "firstboot writes the pool" firstboot_pool master master 'pools = [ "192.168.0.0/16" ];'
put /config/InterfacePrefix cali
put /Ready true

router_cfg border 172.25.0.2 64500 64512 64602
router_cfg tor 172.25.0.3 64501 64511 64511
router border
router tor

# --- the node mesh --------------------------------------------------------------------------
calicoctl_node 1
calicoctl_node 2
calico 1
check "node-1 runs BIRD" until_ok bird_of 1 || bail "no BIRD, no BGP"
sleep 1 # two BIRDs that connect to each other at the same moment need several tries
calico 2
check "node-2's cbr0 is a route on node-1" until_ok route node-1 2
check "node-1's cbr0 is a route on node-2" until_ok route node-2 1
check "one cbr0 reaches the other" in_host node-1 busybox ping -c 1 -W 2 -I 192.168.1.1 192.168.2.1
check "node-1 has the default AS" has 1 "local as 64511;"
check "the hosts' own network is not announced" is "$(ip -n node-1 route show proto bird)" \
	"192.168.2.0/24 via 172.25.0.12 dev eth0 "

# --- a host without bird_ip -------------------------------------------------------------------
cfg 1 >"$WORK/before"
peer='bgp_node_peers = [ "172.25.0.3 as 64501" ];'
refuse "firstboot writes no peers of a node before its bird_ip" 1 \
	"firstboot: pool: BGP peer 172.25.0.3 as 64501: calico-node has not written /calico/v1/host/node-3/bird_ip yet" \
	firstboot_pool node-3 node "$peer" 2
check "firstboot changes nothing that is rendered then" cfg_is 1 "$WORK/before"
put /host/node-3/bgp_peer_v4/172.25.0.3 '{"ip": "172.25.0.3", "as_num": 64501}'
words='ERROR template: bird.cfg.template: executing "MESH4" at <getv $onode_ip_key>: error calling getv: key does not exist (/calico/v1/host/node-3/bird_ip)'
check "node-1 renders nothing while a host has keys but no bird_ip" until_ok logged 1 "$words"
check "node-2 renders nothing then" until_ok logged 2 "$words"
put /ipam/v4/pool/10.9.0.0-16 '{"cidr": "10.9.0.0/16"}'
calico 4
wait "${PIDS[node-4]}"
check "a container that starts then exits with 1" is $? 1
check "its message is my_init's" logged 4 "/etc/rc.local failed with status 1"
check "it does not start BIRD" not logged 4 "running the host's BIRD"
check "a change of another key is not rendered" cfg_is 1 "$WORK/before"
check "BIRD keeps its routes" route node-1 2
calicoctl_node 3
check "firstboot succeeds when the bird_ip is there" firstboot_pool node-3 node "$peer"
check "node-1 renders the change when the bird_ip is there" until_ok has 1 "net ~ 10.9.0.0/16"
check "node-2 renders the change" until_ok has 2 "net ~ 10.9.0.0/16"
sleep 1
calico 3
check "the new host's cbr0 is a route on node-1" until_ok route node-1 3
check "the new host's cbr0 is a route on node-2" until_ok route node-2 3
check "node-1's cbr0 is a route on the new host" until_ok route node-3 1

# --- calicoctl status ---------------------------------------------------------------------------
python3 - "$WORK/docker.sock" <<'P' &
import socketserver, sys
class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b'HTTP/1.0 200 OK\r\n\r\n{"State": {"Running": true}}')
socketserver.UnixStreamServer(sys.argv[1], Handler).serve_forever()
P
PIDS[docker]=$!
until_ok test -S "$WORK/docker.sock"
status() {
	in_host "$1" env "ETCD_AUTHORITY=$ETCD" "DOCKER_HOST=unix://$WORK/docker.sock" \
		"$ABS_O/standin/calicoctl" status
}
check "calicoctl status has BIRD's protocols" sh -c "grep -q '^Mesh_172_25_0_12 *BGP .* Established' <<-END
	$(status node-1)
	END"
check "calicoctl status reports that BIRD does not run" is "$(status node-4 | tail -n 1)" \
	"Couldn't connect to bird: No such file or directory"

# --- border routers instead of the mesh -----------------------------------------------------------
put /host/node-2/bgp_as 64602
check "firstboot writes the cluster's settings" firstboot_pool master master \
	'pools = [ "192.168.0.0/16" ]; bgp_as = 64512; bgp_mesh = false; bgp_peers = [ "172.25.0.2 as 64500" ];'
check "a host's own AS takes precedence over the cluster's" until_ok has 2 "local as 64602;"
for n in 1 3; do check "node-$n has the cluster's AS" until_ok has $n "local as 64512;"; done
router_cfg tor 172.25.0.3 64501 64512 64602
check "the other router reads its new configuration" birdc tor configure
for n in 1 2 3; do
	check "node-$n is the border router's peer" until_ok peers border $n
	check "node-$n's cbr0 is a route on the border router" until_ok route border $n
	check "node-$n has no peer in the mesh" lacks $n Mesh_
done
check "a node's own peer has a session with it" until_ok peers tor 3
check "a node's own peer has no session with another node" not peers tor 1
check "a node's own peer is in no other node's file" lacks 1 Node_
check "nodes no longer have each other's routes" until_ok not route node-1 2

# --- malformed values ---------------------------------------------------------------------------------
cfg 1 >"$WORK/before"
put /host/node-5/bgp_peer_v4/172.25.0.9 '{"ip": "172.25.0.9", "as_num": 64509}'
put /config/bgp_peer_v4/172.25.0.8 '{"ip": "172.25.0.8", '
check "a value that is not JSON is logged as an error" until_ok logged 1 "error calling json: "
put /config/bgp_peer_v4/172.25.0.8 '{"as_num": 64508}'
check "a peer without an address is logged as an error" until_ok logged 1 \
	"at <\$data.ip>: invalid value; expected string (/calico/v1/config/bgp_peer_v4/172.25.0.8)"
check "a failed rendering leaves the file as it was" cfg_is 1 "$WORK/before"
put /config/bgp_peer_v4/172.25.0.8 '{"ip": "172.25.0.8", "as_num": 4200000000}'
check "an AS number of a million or more is rendered as Go prints it" until_ok has 1 "neighbor 172.25.0.8 as 4.2e+09;"
check "with the mesh off, a host without bird_ip is no error" not logged 1 node-5
check "BIRD refuses that AS number" until_ok logged 1 "syntax error"
check "BIRD keeps its peers" peers border 1
remove /config/bgp_peer_v4/172.25.0.8
check "the file is rendered again when the value is removed" until_ok cfg_is 1 "$WORK/before"

# --- programs that end and are started again --------------------------------------------------------
kill "${PIDS[etcd]}"
wait "${PIDS[etcd]}" 2>/dev/null
check "a container without etcd logs that" until_ok logged 1 "Connection refused"
check "BIRD keeps its sessions without etcd" peers border 1
etcd
until_ok curl -sSf http://$ETCD/health
put /config/bgp_peer_v4/172.25.0.7 '{"ip": "172.25.0.7", "as_num": 64507}'
check "a change is rendered when etcd is back" until_ok has 1 Global_172_25_0_7
old=$(bird_of 1)
kill -KILL "$old"
check "a BIRD that ended is started again" until_ok sh -c "pgrep -P $(init_of 1) -x bird | grep -vx $old"
bird=$(bird_of 2)
start=$SECONDS
stop 2
check "the container exits with 0 after SIGTERM" is $? 0
check "the container exits within 3 s" test $((SECONDS - start)) -le 3
check "its BIRD ends with it" not kill -0 "$bird"

# --- hosts without BIRD -------------------------------------------------------------------------------
calico 2 "$WORK/bare"
check "a container on a host without BIRD logs that" until_ok logged 2 "the host has no /usr/sbin/bird: no BGP"
check "a container on a host without BIRD waits" until_ok logged 2 "waiting to be stopped"
stop 2
check "that container exits with 0 after SIGTERM" is $? 0
calico 4 "$WORK/absent"
check "a container without the host's /proc waits" until_ok logged 4 "waiting to be stopped"
check "a container without the host's /proc logs nothing about BIRD" not logged 4 "no /usr/sbin/bird"
stop 4
stop 3
stop 1
birdc border down >/dev/null
birdc tor down >/dev/null
kill "${PIDS[etcd]}" "${PIDS[docker]}"
finish
