# SPDX-License-Identifier: Apache-2.0
#
# Sourced by tests that boot the strict image (test/images.sh), in which Docker starts no
# container without /etc/resolv.conf, as Docker 1.7.0 does, and calico-node runs Debian's BIRD
# (this machine's own, of the same release). Sets up the network around their racks: routers
# that speak BGP. A rack's name servers at 192.0.2.1 and 192.0.2.2 (RFC 5737: addresses that
# nobody has) never answer, because the rack's namespace neither forwards nor rejects packets.
# shellcheck shell=bash
# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
M=172.25.0.10 N1=172.25.0.11 N2=172.25.0.12
BORDER=172.25.0.1 BALANCER=172.25.0.3 # AS 64500 and AS 64541

need_strict_image() {
	bake_strict || bail "no strict image to boot"
	IMAGE=out/strict
}

# --- routers ----------------------------------------------------------------------------

# Prints the configuration of a router that accepts every route and announces none.
# Usage: border_config ADDRESS AS PEER...
border_config() {
	local address=$1 as=$2 peer
	shift 2
	printf 'router id %s;\nlog stderr all;\nprotocol device {}\nprotocol direct {}\n' "$address"
	for peer; do
		printf 'protocol bgp { local %s as %s; neighbor %s as 64540; multihop; import all; export none; }\n' \
			"$address" "$as" "$peer"
	done
}

# Starts the border router at BORDER, the peer of every host, and a load balancer at BALANCER,
# in a network namespace of its own on the rack's bridge, the peer of node-2 alone.
# Usage: routers_start MASTER NODE-1 NODE-2
ROUTERS=()
routers_start() {
	local rack=(nsenter --preserve-credentials -U -n -t "$(cat "$DIR/run/ns.pid")" --)
	border_config $BORDER 64500 "$@" >"$WORK/border.conf"
	border_config $BALANCER 64541 "$3" >"$WORK/balancer.conf"
	"${rack[@]}" bird -f -c "$WORK/border.conf" -s "$WORK/border.ctl" \
		>"$WORK/border.log" 2>&1 </dev/null &
	ROUTERS=($!)
	# shellcheck disable=SC2016 # for the inner shell
	"${rack[@]}" unshare -n sh -c '
		until ip link set lb1 up 2>/dev/null; do sleep 0.2; done
		ip link set lo up && ip addr add "$1/24" dev lb1 && shift && exec "$@"' - $BALANCER \
		bird -f -c "$WORK/balancer.conf" -s "$WORK/balancer.ctl" >"$WORK/balancer.log" 2>&1 </dev/null &
	ROUTERS+=($!)
	until_ok 300 in_other_network "$!" &&
		in_rack ip link add lb0 type veth peer name lb1 netns "$!" &&
		in_rack ip link set lb0 master br-rack up
}
in_other_network() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink "/proc/$$/ns/net")" ] &&
		[ "$(readlink "/proc/$1/ns/net")" != "$(in_rack readlink /proc/self/ns/net)" ]
}
routers_stop() {
	[ ${#ROUTERS[@]} = 0 ] || kill "${ROUTERS[@]}" 2>/dev/null
	[ ${#ROUTERS[@]} = 0 ] || wait "${ROUTERS[@]}" 2>/dev/null
	ROUTERS=()
}
tap_cleanup() {
	routers_stop
	rack_stop
}

# Succeeds when a router has learned the route to NETWORK by way of HOST.
# Usage: has_route border|balancer NETWORK HOST
has_route() {
	birdc -s "$WORK/$1.ctl" show route "$2" | grep -qE "via ${3//./\\.} "
}

# --- pods ---------------------------------------------------------------------------------

# Starts a container on Docker's network that runs until it is removed; prints "PID ADDRESS".
pod_start() { # HOST-ADDRESS
	on "$1" "docker run -d --name pod -e ETCD_AUTHORITY=$M:4001 calico/node:v0.4.8 >/dev/null &&
		docker inspect -f '{{.State.Pid}} {{.NetworkSettings.IPAddress}}' pod"
}
pod_pings() { # HOST-ADDRESS PID ADDRESS
	on "$1" "nsenter -t $2 -n busybox ping -c 2 -W 5 $3"
}
pods_reach_each_other() {
	local pid1 ip1 pid2 ip2 rc=0
	read -r pid1 ip1 < <(pod_start $N1) && read -r pid2 ip2 < <(pod_start $N2) &&
		pod_pings $N1 "$pid1" "$ip2" && pod_pings $N2 "$pid2" "$ip1" || rc=1
	on $N1 docker rm -f pod >/dev/null
	on $N2 docker rm -f pod >/dev/null
	return $rc
}
