#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Repeats test/qemu/demo.sh under other name servers: none, one that never answers,
# two with a search domain (the slowest case: each of the kubelet's look-ups takes 40 s). In
# each the rack comes up, a node reboots while Docker is restarted on the other, and the
# master reboots; in the first of them etcd loses everything at last. Nobody touches a host
# for it.
# shellcheck source=../qemu/strict-lib.sh
. "$(dirname "$0")/../qemu/strict-lib.sh"
need_strict_image

# after NAME: seconds since `since`, for the log.
since=0
after() { note <<<"$combination: $1 after $((SECONDS - since)) s"; }

ready_nodes() {
	on $M "test \$(kubectl --server http://127.0.0.1:8080 get nodes --no-headers | grep -c ' Ready ') = 2"
}
# Docker is 10 s away from having killed its containers, and calico-node's is the unit's.
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
	if ! until_ok 60 test -s "$DIR/run/ns.pid" || ! routers_start $M $N1 $N2; then
		fail "$combination: the network around the rack"
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
	check "$combination: the border router has their networks" until_ok 120 has_route border 192.168.1.0/24 $N1
	for h in $M $N1 $N2; do
		check "$combination: $h had a resolv.conf from Docker's first second" \
			docker_never_missed_resolv_conf $h
	done
}

docker_restarts() {
	local id start=$SECONDS
	id=$(on $N2 docker inspect -f '{{.Id}}' calico-node)
	on $N2 systemctl restart docker >&2
	check "$combination: Docker restarts on node-2, calico-node is started anew" \
		until_ok 600 new_calico $N2 "$id"
	note <<<"$combination: calico-node runs $((SECONDS - start)) s after Docker's restart"
}

reboots() { # HOST ADDRESS [MEANWHILE]
	local boot
	boot=$(report_of "$1" | json boot_id)
	since=$SECONDS
	on "$2" systemctl reboot >/dev/null 2>&1
	${3:-true}
	check "$combination: $1 reboots to ready" until_ok 1200 reported_again "$1" "$boot" ready
	after "$1 is ready"
	check "$combination: then both nodes are Ready" until_ok 300 ready_nodes
	check "$combination: and pods reach each other" until_ok 600 pods_reach_each_other
	after "pods reach each other"
}

# Kubelets and calico-nodes register again by themselves.
etcd_is_lost() {
	since=$SECONDS
	on $M "systemctl stop etcd && rm -rf /var/lib/etcd/* && systemctl start etcd" >&2
	check "$combination: after etcd is lost both nodes register again" until_ok 900 ready_nodes
	after "both nodes are Ready"
	check "$combination: the console says why the kubelet was restarted" grep -q \
		"rackstrap: the API server no longer knows $N2: restarting kube-kubelet" \
		"$(console node-2)"
	check "$combination: every host's bird_ip is in etcd again" until_ok 600 bird_ips
	check "$combination: and pods reach each other" until_ok 600 pods_reach_each_other
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
		check "$combination: heal left the kubelet of $h alone" left_alone $h
	done
	${3:-true}
	routers_stop
	rack_stop
}

run_combination no-dns '/dns = /d' etcd_is_lost
run_combination two-and-search 's/# search = /search = /'
run_combination one-silent 's/dns = .*/dns = [ "192.0.2.1" ];/'
finish
