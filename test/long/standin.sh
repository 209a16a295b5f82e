#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Starts the cluster's programs from the baked image on one machine, as the units start them on
# three: the real etcd behind its stand-in, the API server and its clients, a kubelet, calicoctl,
# the plugin, and Debian's kubectl. Docker is test/standin/fakedocker.py. Runs in namespaces of
# its own, without root.
#
# STANDIN_ROOT=DIR takes the programs from an unpacked image.
set -u
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${STANDIN_NS:-}" ]; then
	export O=${O:-build}
	image=out/bookworm-vm/root.squashfs
	root=${STANDIN_ROOT:-$(mktemp -d)}
	[ -n "${STANDIN_ROOT:-}" ] || trap 'rm -rf "$root"' EXIT
	if [ -z "${STANDIN_ROOT:-}" ]; then
		[ -e $image ] || test/bake images/bookworm-vm >&2 || { echo "not ok 1 - no image"; exit 1; }
		unsquashfs -q -n -f -d "$root" $image usr/bin/etcd usr/bin/kubectl usr/local/bin \
			usr/libexec >&2 || { echo "not ok 1 - unsquashfs"; exit 1; }
	fi
	STANDIN_NS=1 STANDIN_ROOT=$root unshare -rnmp --fork --mount-proc --kill-child "$0"
	exit
fi
. test/tap.sh
. test/soon.sh

# --- the machine ----------------------------------------------------------------------------
ROOT=$STANDIN_ROOT
BIN=$ROOT/usr/local/bin
KUBECTL=$ROOT/usr/bin/kubectl
IP=172.25.0.11
export RACKSTRAP_STANDIN_ETCD=$ROOT/usr/bin/etcd RACKSTRAP_STANDIN_MOUNTS=$WORK/mounts HOME=$WORK
export RACKSTRAP_STANDIN_LOOKUP_PAUSE_MS=50 TMPDIR=$WORK
PLUGIN=/usr/libexec/kubernetes/kubelet-plugins/net/exec/calico
mkdir -p "$WORK/bin" "$WORK/log"
echo 'cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0' >"$WORK/mounts"
printf '#!/bin/sh\necho "$@" >>%s/modprobe\n' "$WORK" >"$WORK/bin/modprobe"
chmod 755 "$WORK/bin/modprobe"
PATH=$WORK/bin:$PATH
{
	ip link set lo up
	ip link add cbr0 type bridge && ip addr add 192.168.1.1/24 dev cbr0 && ip link set cbr0 up
	ip link add up0 type bridge && ip addr add $IP/24 dev up0 && ip link set up0 up
	ip route add default via 172.25.0.1
	for dir in /run /var/lib /usr/libexec; do mount -t tmpfs none $dir; done
	# /etc of our own; its only name server is one that refuses at once
	cp -r /etc "$WORK/etc" 2>/dev/null
	mount --bind "$WORK/etc" /etc && rm -f /etc/resolv.conf && echo nameserver 127.0.0.1 >/etc/resolv.conf
	mkdir -p $PLUGIN /var/lib/kubelet
	cp "$ROOT$PLUGIN/calico" $PLUGIN/ && echo '{"BearerToken":""}' >/var/lib/kubelet/kubernetes_auth
} || bail "the namespace could not be set up"

declare -A PIDS
start() { # NAME PROGRAM ARGS...
	local name=$1
	shift
	"$@" >>"$WORK/log/$name" 2>&1 </dev/null &
	PIDS[$name]=$!
}
stop() { # NAME
	kill "${PIDS[$1]}"
	wait "${PIDS[$1]}" 2>/dev/null
	unset "PIDS[$1]"
}
logged() { grep -qF -- "$2" "$WORK/log/$1"; }
docker() { start docker python3 test/standin/fakedocker.py /var/run/docker.sock "$WORK/log/api" "$@"; }
etcd() {
	start etcd env ETCD_AUTHORITY=$IP:4001 "$BIN/etcd" --name $IP --addr $IP:4001 \
		--data-dir "$WORK/etcd" --bind-addr 0.0.0.0:4001
}
kubelet() {
	start kubelet env ETCD_AUTHORITY=$IP:4001 KUBE_API_ROOT=http://$IP:8080/api/v1/ \
		CALICOCTL_PATH="$BIN/calicoctl" "$BIN/kubelet" --v=5 --address=0.0.0.0 --port=10250 \
		--hostname_override=$IP --api_servers=$IP:8080 --config=/etc/kubernetes/manifests \
		--cluster-dns=10.100.0.10 --cluster-domain=cluster.local --healthz_bind_address=0.0.0.0 \
		--healthz_port=10248 --network_plugin=calico --logtostderr=true \
		--node-status-update-frequency=1s "$@"
}
calicoctl() { env ETCD_AUTHORITY="$IP":4001 "$BIN/calicoctl" "$@"; }
api() { curl -sS --max-time 20 "http://127.0.0.1:8080$1" "${@:2}"; }
code() { api "$1" -o /dev/null -w '%{http_code}' "${@:2}"; }
key() { curl -sS --max-time 20 "http://127.0.0.1:4001/v2/keys$1" | python3 -c '
import json, sys
print(json.load(sys.stdin).get("node", {}).get("value", "absent"))'; }
healthy() { is "$(curl -sS --max-time 5 "http://127.0.0.1:$1/healthz")" ok; }
kubectl() { "$KUBECTL" --server http://127.0.0.1:8080 "$@"; }
node_is() { is "$(kubectl get nodes --no-headers | awk -v n="$IP" '$1 == n { print $2 }')" "$1"; }
code_is() { is "$(code "$1" "${@:3}")" "$2"; }
node_json() { # NAME HEARTBEAT
	printf '{"kind":"Node","apiVersion":"v1","metadata":{"name":"%s"},"spec":{"externalID":"%s"},
		"status":{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":"%s"}]}}' "$1" "$1" "$2"
}

# --- the master: clients first ----------------------------------------------------------------
start scheduler "$BIN/kube-scheduler" --master=127.0.0.1:8080 --logtostderr=true
start manager "$BIN/kube-controller-manager" --master=127.0.0.1:8080 --logtostderr=true
start api "$BIN/kube-apiserver" --address=0.0.0.0 --port=8080 --service-cluster-ip-range=10.100.0.0/16 \
	--etcd_servers=http://127.0.0.1:4001 --public_address_override=$IP --logtostderr=true
check "the API server tries again while etcd is away" until_ok logged api "etcd does not answer"
check "the scheduler tries again while the API server is away" until_ok logged scheduler "Connection refused"
check "the scheduler is healthy without the API server" healthy 10251
etcd
check "etcd answers" until_ok curl -sSf http://127.0.0.1:4001/health
check "the API server is healthy" until_ok healthy 8080
check "the controller manager is healthy" healthy 10252
for p in api scheduler manager etcd; do
	check "the first line of $p says that it is a stand-in" sh -c "head -n 1 '$WORK/log/$p' | grep -q \"rackstrap's stand-in for .*not the real program\""
done
check "/version is 0.20.2 and says that it is a stand-in" sh -c \
	"curl -sS http://127.0.0.1:8080/version | grep -q '\"gitVersion\": \"v0.20.2\"' && curl -sS http://127.0.0.1:8080/version | grep -q stand-in"
check "2379 is not open, as with the original's --bind-addr" sh -c "! curl -s http://127.0.0.1:2379/health"

# --- nodes through the API ----------------------------------------------------------------------
check "there is no node at first" is "$(kubectl get nodes 2>&1)" "No resources found"
check "a node that does not exist gives status 404" code_is /api/v1/nodes/$IP 404
check "the message about it is the original's" sh -c "curl -sS http://127.0.0.1:8080/api/v1/nodes/$IP | grep -q 'node ..$IP.. not found'"
curl -sSN --max-time 120 'http://127.0.0.1:8080/api/v1/nodes?watch=true&timeoutSeconds=60' >"$WORK/watch" &
watch=$!
sleep 0.5
check "a node is created" code_is /api/v1/nodes 201 -X POST -d "$(node_json $IP 2015-07-15T00:00:00Z)"
check "a watch reports a new node" until_ok grep -q '"type":"ADDED".*'$IP "$WORK/watch"
check "a second node of the same name is a conflict" code_is /api/v1/nodes 409 -X POST -d "$(node_json $IP 2015-07-15T00:00:00Z)"
check "kubectl shows the node as Ready" node_is Ready
check "the node is stored under the original's key" sh -c "curl -sS http://127.0.0.1:4001/v2/keys/registry/minions/$IP | grep -q externalID"
check "an old resourceVersion is a conflict" is "$(code /api/v1/nodes/$IP -X PUT -d '{"metadata":{"resourceVersion":"1"}}')" 409
check "a heartbeat is accepted" code_is /api/v1/nodes/$IP/status 200 -X PUT -d "$(node_json $IP 2015-07-15T00:00:01Z)"
stop manager
start manager "$BIN/kube-controller-manager" --master=127.0.0.1:8080 --logtostderr=true \
	--node-monitor-grace-period=10s --node-monitor-period=500ms
check "a node that posts no status is NotReady" until_ok node_is NotReady
check "the watch reports a changed node" until_ok grep -q '"type":"MODIFIED"' "$WORK/watch"
check "a node is removed" code_is /api/v1/nodes/$IP 200 -X DELETE
check "the watch reports a removed node" until_ok grep -q '"type":"DELETED"' "$WORK/watch"
kill $watch
check "the service kubernetes exists" is "$(kubectl get service kubernetes -o 'jsonpath={.spec.clusterIP}')" 10.100.0.1

# --- bad requests -------------------------------------------------------------
exec 9<>/dev/tcp/127.0.0.1/8080
check "a silent connection does not block other requests" healthy 8080
exec 9>&- 9<&-
check "a body that is not JSON is refused" code_is /api/v1/nodes 400 -X POST -d 'no JSON'
check "a node without a name is refused" code_is /api/v1/nodes 422 -X POST -d '{}'
check "a body that is too large is refused" is "$(head -c 1200000 /dev/zero | code /api/v1/nodes -X POST -H 'Expect:' --data-binary @- 2>/dev/null | tail -c 3)" 413
check "an unknown path is refused" code_is /api/v1/frobs 404
check "an unknown method is refused" code_is /api/v1/nodes 405 -X PATCH -d '{}'
check "the API server is healthy after the bad requests" healthy 8080

# --- the node -----------------------------------------------------------------------------------
check "calicoctl without Docker exits 1" sh -c "! env ETCD_AUTHORITY=$IP:4001 '$BIN/calicoctl' checksystem --fix"
docker cbr0 1.15
check "Docker answers" until_ok curl -sSf --unix-socket /var/run/docker.sock http://d/version
check "calicoctl refuses an old Docker" sh -c "env ETCD_AUTHORITY=$IP:4001 '$BIN/calicoctl' checksystem --fix 2>&1 | grep -q 'needed is 1.16'"
stop docker
docker docker0
until_ok curl -sSf --unix-socket /var/run/docker.sock http://d/version
check "calicoctl checksystem --fix succeeds" calicoctl checksystem --fix
check "calicoctl loads the module that the original needs" grep -qx xt_set "$WORK/modprobe"
kubelet
check "a kubelet whose Docker is not on cbr0 ends" until_ok logged kubelet "Docker's bridge is docker0 and not cbr0"
wait "${PIDS[kubelet]}"
check "its exit status is Go's for a panic" is $? 255
stop docker
docker
until_ok curl -sSf --unix-socket /var/run/docker.sock http://d/version
mv $PLUGIN/calico $PLUGIN/away
kubelet
check "a kubelet without its plugin ends" until_ok logged kubelet 'failed to create kubelet: Network plugin "calico" not found.'
wait "${PIDS[kubelet]}"
mv $PLUGIN/away $PLUGIN/calico
kubelet
check "a kubelet registers" until_ok logged kubelet "Successfully registered node $IP"
for port in 10248 10250 10255 4194; do check "the kubelet answers on $port" healthy $port; done
check "kubectl shows the registered node as Ready" until_ok node_is Ready
check "kubectl shows that the kubelet is a stand-in" sh -c "'$KUBECTL' --server http://127.0.0.1:8080 get nodes | grep -q v0.20.2-standin"
sleep 12 # more than the grace period
check "the node stays Ready while the kubelet posts its status" node_is Ready
start second env CALICOCTL_PATH="$BIN/calicoctl" "$BIN/kubelet" --hostname_override=$IP \
	--api_servers=$IP:8080 --network_plugin=calico --port=20250 --read-only-port=20255 \
	--healthz_port=20248 --cadvisor-port=20194
check "a second kubelet finds the node registered" until_ok logged second "Node $IP was previously registered"
stop second
check "the node is deleted from the API server" code_is /api/v1/nodes/$IP 200 -X DELETE
check "the kubelet reports the loss" until_ok logged kubelet \
	"Error updating node status, will retry: error getting node \"$IP\": node \"$IP\" not found"
sleep 3
check "the kubelet does not register again" code_is /api/v1/nodes/$IP 404
stop kubelet
kubelet
check "a restarted kubelet registers again" until_ok code_is /api/v1/nodes/$IP 200

# --- how long a kubelet's start takes ----------------------------------------------------------------
# Several at a time, each with a resolv.conf of its own. No server listens at 127.0.0.1, the name
# server at 127.0.0.2 is silent, and the one at 127.0.0.3 knows no name.
start names python3 -c '
import socket
silent, server = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
silent.bind(("127.0.0.2", 53))
server.bind(("127.0.0.3", 53))
print("ready", flush=True)
while True:
    query, client = server.recvfrom(512)
    server.sendto(query[:2] + b"\x81\x83" + query[4:], client)'
until_ok logged names ready
slow() { # NAME NUMBER 'resolv.conf'|- COMMAND...
	local name=$1 n=$2 text=$3
	shift 3
	# shellcheck disable=SC2016
	start "$name" unshare -m sh -c 'mount -t tmpfs none /etc && {
		[ "$0" = - ] || printf "%b" "$0" >/etc/resolv.conf; } && exec "$@"' "$text" \
		"$@" env CALICOCTL_PATH="$BIN/calicoctl" "$BIN/kubelet" --hostname_override="172.25.0.$n" \
		--api_servers=$IP:8080 --network_plugin=calico --port="$((20250 + n))" \
		--read-only-port="$((21250 + n))" --healthz_port="$((22250 + n))" --cadvisor-port=0
}
looked_up() { # LOG TEXT MIN: all three look-ups ended so, each after at least MIN seconds
	is "$(awk -v text="$2 after " -v min="$3" '
		/lookup metadata.google.internal \(. of 3\): / && (at = index($0, text)) {
			n += substr($0, at + length(text)) + 0 >= min }
		END { print n + 0 }' "$WORK/log/$1")" 3
}
registered() { until_ok logged "$1" "Successfully registered node 172.25.0.$2"; }
stamp() { awk -v text="$2" 'index($0, text) { split($2, t, ":"); print t[1] * 3600 + t[2] * 60 + t[3]; exit }' "$WORK/log/$1"; }
between() { # LOG TEXT TEXT MIN: at least MIN seconds from one line to the other
	awk -v a="$(stamp "$1" "$2")" -v b="$(stamp "$1" "$3")" -v min="$4" 'BEGIN {
		d = b - a + (b < a) * 86400
		printf "%.1f s, not %s or more\n", d, min
		exit a == "" || b == "" || d < min }'
}
options='options timeout:1 attempts:1\n'
slow quick 21 'nameserver 127.0.0.1\n' env
slow none 22 - env -u RACKSTRAP_STANDIN_LOOKUP_PAUSE_MS
slow silent 23 "nameserver 127.0.0.2\n$options" env
slow search 24 "nameserver 127.0.0.2\nsearch rack.example example\n$options" env
slow unknown 25 "nameserver 127.0.0.3\nsearch rack.example\n" env
slow second_server 26 "nameserver 127.0.0.2\nnameserver 127.0.0.3\noptions timeout:1\n" env
slow slower 27 'nameserver 127.0.0.1\n' env RACKSTRAP_STANDIN_KUBELET_S=2 RACKSTRAP_STANDIN_PLUGIN_S=2
until_ok logged search "(1 of 3)"
check "the kubelet's ports are closed while it looks for credentials" sh -c \
	'! curl -s --max-time 5 http://127.0.0.1:22274/healthz || grep -q "(3 of 3)" "$0"' "$WORK/log/search"
check "a kubelet whose name server refuses registers" registered quick 21
check "each lookup ends with that answer" looked_up quick "connection refused by every name server" 0
check "a kubelet without resolv.conf registers" registered none 22
check "it registers after 4 s" between none "init done" "Attempting to register" 4
check "it reports that no container can start" logged none "open /etc/resolv.conf: no such file or directory"
check "it is Ready nevertheless" until_ok is "$(kubectl get nodes 172.25.0.22 --no-headers | awk '{ print $2 }')" Ready
check "a kubelet whose name server is silent registers" registered silent 23
check "each lookup takes as long as resolv.conf allows" looked_up silent "no answer from any name server" 1
check "a kubelet with a domain to search registers" registered search 24
check "each lookup takes twice as long" looked_up search "no answer from any name server" 2
check "a kubelet whose name server knows no such name registers" registered unknown 25
check "each lookup ends with that answer" looked_up unknown "no such host" 0
check "a kubelet whose second name server answers registers" registered second_server 26
check "it waits for the first server" looked_up second_server "no such host" 1
check "a kubelet that is configured to be slow registers" registered slower 27
check "it waits for its plugin" between slower "stand-in for" "init done" 2
check "its registration takes as long as configured" between slower "(3 of 3)" "Attempting to register" 2
for name in quick none silent search unknown second_server slower names; do stop $name; done

start proxy "$BIN/kube-proxy" --master=http://$IP:8080 --logtostderr=true
check "the proxy is healthy" until_ok healthy 10249
for chain in KUBE-PORTALS-CONTAINER KUBE-PORTALS-HOST KUBE-NODEPORT-CONTAINER KUBE-NODEPORT-HOST; do
	check "the proxy made the chain $chain" sh -c "iptables -t nat -S | grep -q -- '-j $chain'"
done
stop proxy
start proxy "$BIN/kube-proxy" --master=http://$IP:8080 --logtostderr=true
check "the proxy is healthy after a restart" until_ok healthy 10249
check "a restarted proxy adds no second rule" is "$(iptables -t nat -S | grep -c -- '-j KUBE-PORTALS-HOST')" 1

# --- Calico ---------------------------------------------------------------------------------------
check "calicoctl pool add succeeds" calicoctl pool add 10.244.7.1/16
check "the pool's key and value are the original's" is "$(key /calico/v1/ipam/v4/pool/10.244.0.0-16)" '{"cidr": "10.244.0.0/16"}'
check "calicoctl node succeeds" calicoctl node --ip=$IP
check "calicoctl node adds no second IPv4 pool" is "$(key /calico/v1/ipam/v4/pool/192.168.0.0-16)" absent
check "calicoctl node adds a pool for IPv6" is "$(key /calico/v1/ipam/v6/pool/fd80:24e2:f998:72d6::-64)" '{"cidr": "fd80:24e2:f998:72d6::/64"}'
check "the host's address is in etcd" is "$(key "/calico/v1/host/$(hostname)/bird_ip")" $IP
check "Ready is in etcd" is "$(key /calico/v1/Ready)" true
check "the interfaces' prefix is in etcd" is "$(key /calico/v1/config/InterfacePrefix)" cali
check "the imported image holds calicoctl itself" cmp "$BIN/calicoctl" "$WORK/log/api.calicoctl"
check "the container has the settings of the original's" python3 - "$WORK/log/api.container" <<P
import json, socket, sys
c = json.load(open(sys.argv[1]))
assert c["Image"] == "calico/node:v0.4.8", c
assert c["HostConfig"]["NetworkMode"] == "host" and c["HostConfig"]["Privileged"] is True, c
assert c["Labels"] == {"rackstrap.standin": "true"}, c
for e in ("IP=$IP", "ETCD_AUTHORITY=$IP:4001", "HOSTNAME=" + socket.gethostname()):
    assert e in c["Env"], (e, c)
P
check "calicoctl status reports the container" sh -c "env ETCD_AUTHORITY=$IP:4001 '$BIN/calicoctl' status | grep -q 'is running'"
: >"$WORK/log/api"
check "a second calicoctl node succeeds" calicoctl node --ip=$IP
check "it removes the old container and imports nothing" is "$(grep -cE '^DELETE /containers/calico-node 204|^POST /images' "$WORK/log/api")" 1
check "pool show lists the pool" sh -c "env ETCD_AUTHORITY=$IP:4001 '$BIN/calicoctl' pool show --ipv4 | grep -q 10.244.0.0/16"
check "pool add with options succeeds" calicoctl pool add 10.9.0.0/16 --ipip --nat-outgoing
check "the pool's value with options is the original's" is "$(key /calico/v1/ipam/v4/pool/10.9.0.0-16)" '{"cidr": "10.9.0.0/16", "ipip": "tunl0", "masquerade": true}'
check "pool remove succeeds" calicoctl pool remove 10.9.0.0/16
check "pool remove removes the key" is "$(key /calico/v1/ipam/v4/pool/10.9.0.0-16)" absent
check "pool remove of a pool that does not exist exits with 0" calicoctl pool remove 10.9.0.0/16
check "bgppeer add succeeds" calicoctl bgppeer add 172.25.0.1 as 64512
check "the peer is stored under the original's key" is "$(key /calico/v1/config/bgp_peer_v4/172.25.0.1)" '{"ip": "172.25.0.1", "as_num": 64512}'
start sleeper env ETCD_AUTHORITY=$IP:4001 "$BIN/calicoctl" standin-sleep
check "the program in the container waits" until_ok logged sleeper "waiting to be stopped"
kill "${PIDS[sleeper]}"
wait "${PIDS[sleeper]}"
check "it exits with 0 after SIGTERM" is $? 0

# --- Docker's client commands, as firstboot runs them -------------------------------------------------
client() { "$ABS_O/standin/docker" "$@"; } # not in the image, whose Docker is real
check "docker create succeeds" client create --name=web calico/node:v0.4.8 /calicoctl standin-sleep
check "docker create prints the container's id" is "$(grep -cxE '[0-9a-f]{64}' "$WORK/out")" 1
check "docker create passes the command on" grep -q '"Cmd": *\["/calicoctl", *"standin-sleep"\]' "$WORK/log/api.container"
refuse "docker create refuses a name that is in use" 1 'Error response from daemon: Conflict. The container name "/web"*' \
	client create --name web calico/node:v0.4.8
refuse "docker create refuses an image that Docker does not have" 1 "*no registry" client create --name=other other
check "the first line says that the image is missing" is "$(head -n 1 "$WORK/err")" "Unable to find image 'other:latest' locally"
check "docker start succeeds" client start web
check "docker start prints the container's name" is "$(cat "$WORK/out")" web
check "a second docker start succeeds" client start web
mv /etc/resolv.conf /etc/away
refuse "docker start fails on a host without resolv.conf" 1 "Error: failed to start containers: [[]web[]]" client start web
check "the message has the reason" is "$(head -n 1 "$WORK/err")" \
	"Error response from daemon: Cannot start container web: open /etc/resolv.conf: no such file or directory"
mv /etc/away /etc/resolv.conf
refuse "docker start refuses a container that does not exist" 1 "Error: failed to start containers: [[]none[]]" client start web none
check "the message of docker start names the container" is "$(cat "$WORK/err")" "$(printf '%s\n' "Error response from daemon: no such id: none" \
	"Error: failed to start containers: [none]")"
client wait web >"$WORK/waited" &
waiting=$!
until_ok curl -sS --max-time 5 --unix-socket /var/run/docker.sock http://docker/version
check "docker wait returns only when the container has ended" kill -0 $waiting
check "docker rm -f succeeds" client rm -f web
check "docker rm -f prints the container's name" is "$(cat "$WORK/out")" web
wait $waiting
check "docker wait then prints the exit status" is "$?$(cat "$WORK/waited")" 00
refuse "docker wait refuses a container that does not exist" 1 "Error response from daemon: No such container: web" client wait web
refuse "docker rm -f refuses a container that does not exist" 1 "Error: failed to remove containers: [[]web[]]" client rm -f web
check "the message of docker rm -f names the container" is "$(head -n 1 "$WORK/err")" "Error response from daemon: no such id: web"

# --- the plugin -------------------------------------------------------------------------------------
plugin() {
	env ETCD_AUTHORITY="$IP":4001 KUBE_API_ROOT=http://"$IP":8080/api/v1/ \
		CALICOCTL_PATH="$BIN/calicoctl" "$PLUGIN"/calico "$@"
}
refuse "the plugin refuses a pod that the API does not have" 1 "Pod default/web: not in the API*" plugin setup default web calico-node
code /api/v1/namespaces/default/pods -X POST -d '{"metadata":{"name":"web"}}' >/dev/null
check "the plugin accepts a pod that the API has" plugin setup default web calico-node
refuse "the plugin refuses a container that Docker does not have" 1 "Container 0123 was not found." plugin setup default web 0123
rm /var/lib/kubelet/kubernetes_auth
refuse "the plugin fails without the token file" 1 "/var/lib/kubelet/kubernetes_auth: No such file*" \
	plugin setup default web calico-node

# --- etcd ends and is started again ----------------------------------------------------------------
stop etcd
check "without etcd the API server answers 500 and keeps running" code_is /api/v1/nodes 500
etcd
check "a restarted etcd has its data" until_ok node_is Ready
stop etcd
rm -rf "$WORK/etcd"
etcd
until_ok curl -sSf http://127.0.0.1:4001/health
check "an empty etcd has no node" until_ok code_is /api/v1/nodes/$IP 404
stop kubelet
kubelet
check "the node is registered again after a restart of the kubelet" until_ok node_is Ready
for p in "${!PIDS[@]}"; do kill "${PIDS[$p]}" 2>/dev/null; done
finish
