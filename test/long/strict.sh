#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Repeats test/qemu/demo.sh with other name servers: none, and two that never answer with a
# search domain (the slowest case: each of the kubelet's lookups takes 40 s). With each of them
# the rack comes up, a node reboots while Docker is restarted on the other, and the master
# reboots; with the first, etcd loses its data at the end. No host is repaired by hand.
# shellcheck source=../qemu/strict-lib.sh
. "$(dirname "$0")/../qemu/strict-lib.sh"
need_strict_image

# Logs the seconds since `since`. Usage: after EVENT
since=0
after() { note <<<"$combination: $1 after $((SECONDS - since)) s"; }

ready_nodes() {
	on $M "test \$(kubectl --server http://127.0.0.1:8080 get nodes --no-headers | grep -c ' Ready ') = 2"
}
# After a restart Docker takes up to 10 s to kill its containers, and the unit makes a new one.
calico_runs() { on "$1" "docker ps --format '{{.Names}}' | grep -qx calico-node"; }
new_calico() { # ADDRESS ID-BEFORE
	calico_runs "$1" && [ "$(on "$1" docker inspect -f '{{.Id}}' calico-node)" != "$2" ]
}
docker_never_missed_resolv_conf() {
	on "$1" "test -e /etc/resolv.conf && ! journalctl -b -u docker | grep 'resolv.conf: no such file'"
}
left_alone() { # HOST
	! grep -q 'rackstrap: .* restarting kube-kubelet' "$(console "$1")"
}

comes_up() {
	rack_start "$WORK/$combination.cfg"
	if ! until_ok 600 test -s "$DIR/run/ns.pid" || ! routers_start $M $N1 $N2; then
		fail "$combination: the routers around the rack start"
		return 1
	fi
	if ! rack_wait 1200; then
		fail "$combination: the rack comes up"
		cat "$WORK/table" "$WORK/rack.log" | tail -n 60 | note
		return 1
	fi
	pass "$combination: the rack comes up"
	note <"$WORK/table"
	check "$combination: three hosts are ready" test "$(grep -cE ' ready *$' "$WORK/table")" = 3
	check "$combination: pods reach each other" until_ok 400 pods_reach_each_other
	check "$combination: the border router has the route to node-1's pods" until_ok 120 has_route border 192.168.1.0/24 $N1
	for h in $M $N1 $N2; do
		check "$combination: $h always had a resolv.conf when Docker needed it" \
			docker_never_missed_resolv_conf "$h"
	done
}

docker_restarts() {
	local id start=$SECONDS
	id=$(on $N2 docker inspect -f '{{.Id}}' calico-node)
	on $N2 systemctl restart docker >&2
	check "$combination: calico-node is started again after Docker's restart on node-2" \
		until_ok 600 new_calico $N2 "$id"
	note <<<"$combination: calico-node runs $((SECONDS - start)) s after Docker's restart"
}

reboots() { # HOST ADDRESS [MEANWHILE]
	local boot
	boot=$(report_of "$1" | json boot_id)
	since=$SECONDS
	on "$2" systemctl reboot >/dev/null 2>&1
	${3:-true}
	check "$combination: $1 is ready again after a reboot" until_ok 1200 reported_again "$1" "$boot" ready
	after "$1 is ready"
	check "$combination: both nodes are Ready after it" until_ok 300 ready_nodes
	check "$combination: pods reach each other after it" until_ok 600 pods_reach_each_other
	after "pods reach each other"
}

# Kubelets and calico-nodes must register again without help.
etcd_is_lost() {
	since=$SECONDS
	on $M "systemctl stop etcd && rm -rf /var/lib/etcd/* && systemctl start etcd" >&2
	check "$combination: both nodes register again after etcd has lost its data" until_ok 900 ready_nodes
	after "both nodes are Ready"
	check "$combination: the console has the reason for the kubelet's restart" grep -q \
		"rackstrap: the API server no longer knows $N2: restarting kube-kubelet" \
		"$(console node-2)"
	check "$combination: every host's bird_ip is in etcd again" until_ok 600 bird_ips
	check "$combination: pods reach each other after etcd has lost its data" until_ok 600 pods_reach_each_other
	after "pods reach each other"
}
bird_ips() {
	on $M "for h in master node-1 node-2; do
		curl -fsS http://127.0.0.1:4001/v2/keys/calico/v1/host/\$h/bird_ip >/dev/null || exit; done"
}

run_combination() { # NAME SED-SCRIPT [MORE]
	combination=$1
	rm -f "$WORK/key" "$WORK/key.pub"
	sed "$2" test/qemu/strict.cfg >"$WORK/$1.plain"
	make_rack "$WORK/$1.plain" "$WORK/$1.cfg"
	comes_up || { routers_stop; rack_stop; return; }
	reboots node-1 $N1 docker_restarts
	reboots master $M
	for h in node-1 node-2; do
		check "$combination: heal did not restart the kubelet of $h" left_alone $h
	done
	${3:-true}
	routers_stop
	rack_stop
}

run_combination no-dns '/dns = /d' etcd_is_lost
run_combination two-and-search 's/# search = /search = /'
run_combination one-silent 's/dns = .*/dns = [ "192.0.2.1" ];/'
finish
