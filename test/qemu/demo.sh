#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A rack of three over BIOS PXE under the conditions that made the real programs fail: a slow
# kubelet, two name servers that never answer, border peers and the node mesh (strict.cfg).
# A program of --run logs in on the hosts. Then a node gets a wrong host.cfg. In check-long every
# host restarts, and the master's state disk keeps the cluster; test/long/strict.sh has more
# restarts, and there etcd loses its data.
# shellcheck source=strict-lib.sh
. "$(dirname "$0")/strict-lib.sh"
need_strict_image
make_rack test/qemu/strict.cfg "$WORK/demo.cfg"

cat >"$WORK/program" <<'P'
#!/bin/sh
echo "$# $1, hosts $RACK_HOSTS, node-2 $RACK_ADDRESS_node_2"
for host in $RACK_HOSTS; do echo "$host is $(ssh "$host" hostname)"; done
echo sent >"$RACK_DIR/run/sent" && scp -q "$RACK_DIR/run/sent" node-1:/tmp/ && ssh node-1 cat /tmp/sent
exit 7
P
chmod 755 "$WORK/program"
rack_start "$WORK/demo.cfg" --run "$WORK/program" -- 'an argument'
{ until_ok 600 test -s "$DIR/run/ns.pid" && routers_start $M $N1 $N2; } || bail "no routers"
if ! rack_wait; then
	fail "the demo rack comes up"
	cat "$WORK/table" "$WORK/rack.log" | tail -n 60 | note
	finish
fi
pass "the demo rack comes up"
mv "$WORK/table" "$WORK/printed"
sed -nE 's/^rackstrap: ((HOST|master|node-[12]) +(ROLE|master|node) .*)/\1/p' "$WORK/rack.log" >"$WORK/table"
note <"$WORK/table"
cat >"$WORK/wanted" <<W
1 an argument, hosts master node-1 node-2, node-2 $N2
master is master
node-1 is node-1
node-2 is node-2
sent
W
check "the program of --run has the hosts, and an ssh and scp that work" diff "$WORK/wanted" "$WORK/printed"
check "its exit status is on standard error" grep -qxF "rackstrap: --run: $WORK/program exited with 7" "$WORK/rack.log"
check "rackstrap ssh logs in on a host" test "$("$RACKSTRAP" ssh "$DIR" node-1 echo -n a '$((1 + 1))' </dev/null)" = "a 2"
refuse "its exit status is the command's" 3 "*" "$RACKSTRAP" ssh "$DIR" master -- 'exit 3'
refuse "an unknown host is named" 2 "rackstrap: rack 'strict' has no host 'nod-1' (did you mean 'node-1'\?)" \
	"$RACKSTRAP" ssh "$DIR" nod-1
check "the key of the run is for its user only" test "$(stat -c %a "$DIR/run/ssh" "$DIR/run/ssh/key" | tr '\n' ' ')" = "700 600 "
check "three hosts are ready" test "$(grep -cE ' ready *$' "$WORK/table")" = 3
check "rack warns that the image has stand-ins" grep -qi 'stand-in' "$WORK/rack.log"
for h in master node-1 node-2; do
	check "$h prints once on its console that it is ready" test \
		"$(grep -cE "rackstrap: $h \((master|node)\) ready in [0-9.]+ s" "$(console $h)")" = 1
	check "$h sends a report with the verdict ready" test "$(report_of $h | json verdict)" = ready
done

check "kubectl on the master has both nodes Ready" on $M \
	"test \$(kubectl --server http://127.0.0.1:8080 get nodes --no-headers | grep -c ' Ready ') = 2"
check "the pool is in etcd" on $M \
	"curl -fsS http://127.0.0.1:4001/v2/keys/calico/v1/ipam/v4/pool/192.168.0.0-16 | grep -q 192.168.0.0/16"
pool_index() {
	on $M "curl -fsS http://127.0.0.1:4001/v2/keys/calico/v1/ipam/v4/pool/192.168.0.0-16" |
		python3 -c 'import json,sys; print(json.load(sys.stdin)["node"]["createdIndex"])'
}
index=$(pool_index)

node_is_right() { # ADDRESS CBR0 HOSTNAME
	on "$1" "set -e
	test \"\$(hostname)\" = $3
	ip -4 -o addr show cbr0 | grep -q 'inet $2 '
	test \"\$(ip -4 -o addr show cbr0 | wc -l)\" = 1
	test \"\$(docker network inspect bridge -f '{{(index .Options \"com.docker.network.bridge.name\")}}')\" = cbr0
	grep -qx DEFAULT_IPV4=$1 /etc/network-environment
	grep -qx KUBERNETES_MASTER=$M /etc/network-environment
	grep -qx ETCD_AUTHORITY=$M:4001 /etc/network-environment
	test \"\$(iptables -t nat -S KUBE-OUTBOUND-NAT | wc -l)\" = 4
	iptables -t nat -S KUBE-OUTBOUND-NAT | grep -qx -- '-A KUBE-OUTBOUND-NAT -d 192.168.0.0/16 -o eth0 -j RETURN'
	iptables -t nat -S KUBE-OUTBOUND-NAT | grep -qx -- '-A KUBE-OUTBOUND-NAT -d 172.25.0.0/24 -o eth0 -j RETURN'
	iptables -t nat -S KUBE-OUTBOUND-NAT | grep -qx -- '-A KUBE-OUTBOUND-NAT -j MASQUERADE'
	test \"\$(iptables -t nat -S POSTROUTING | grep -c KUBE-OUTBOUND-NAT)\" = 1
	test \"\$(sysctl -n net.ipv4.ip_forward)\" = 1
	for u in docker calico-node kube-proxy kube-kubelet; do systemctl is-active --quiet \$u; done
	test -z \"\$(systemctl --failed --no-legend)\"
	docker ps --format '{{.Names}}' | grep -qx calico-node"
}
check "node-1 is configured as its host.cfg says" node_is_right $N1 192.168.1.1/24 node-1
check "node-2 is configured as its host.cfg says" node_is_right $N2 192.168.2.1/24 node-2
check "the master runs its units and no node's" on $M "set -e
	for u in etcd kube-apiserver kube-controller-manager kube-scheduler calico-node docker; do
		systemctl is-active --quiet \$u; done
	! systemctl is-active --quiet kube-kubelet
	systemctl is-active --quiet rackstrap-heal.timer
	test -z \"\$(systemctl --failed --no-legend)\"
	! ip link show cbr0 2>/dev/null"
kubelet_ran_once() { # ADDRESS
	on "$1" "test \"\$(systemctl show -p NRestarts kube-kubelet)\" = NRestarts=0 &&
		test \"\$(journalctl -b -u kube-kubelet | grep -c 'Attempting to register')\" -ge 1 &&
		! journalctl -b | grep 'restarting kube-kubelet'"
}
check "the slow kubelet of node-1 was not restarted before it registered" kubelet_ran_once $N1
check "the kubelet of node-2 was not restarted" kubelet_ran_once $N2
check "the kubelet of node-1 waited for both silent name servers" on $N1 \
	"journalctl -b -u kube-kubelet | grep -c 'metadata.google.internal' | grep -qvx 0"
# BIRD waits for its peers after its start, up to 240 s for one that does not connect.
check "pods reach each other across nodes, by BGP" until_ok 1200 pods_reach_each_other
check "the border router has the route to node-1's pods" until_ok 600 has_route border 192.168.1.0/24 $N1
check "the border router has the route to node-2's pods" until_ok 600 has_route border 192.168.2.0/24 $N2
check "the load balancer has the route to node-2's pods from node-2, its only peer" until_ok 600 \
	has_route balancer 192.168.2.0/24 $N2
check "a container on node-1 gets its address from cbr0's /24" on $N1 "set -e
	id=\$(docker create calico/node:v0.4.8); docker start \$id >/dev/null
	docker inspect -f '{{.NetworkSettings.IPAddress}}' \$id | grep -q '^192\.168\.1\.'
	docker rm -f \$id >/dev/null"
check "the state disk holds the master's etcd" on $M "findmnt -no SOURCE /var/lib/etcd | grep -q /dev/vd"
check "root has no password and sshd accepts keys only" on $N1 "set -e
	passwd -S root | grep -q ' L '; ! sshd -T | grep -qix 'permitrootlogin yes'"
check "only the expected ports are open on the network" on $M \
	"test -z \"\$(ss -Htln 'sport != :22 and sport != :4001 and sport != :8080 and sport != :10251 and sport != :10252 and sport != :179' | grep -vE '127\.0\.0\.|\[::1\]')\""

# node-2 gets a wrong host.cfg: its cbr0 is outside the pod network, and a key is misspelt.
# In check-long the master and node-1 restart at the same time.
mac=52-54-00-25-00-12
python3 test/qemu/hostcpio.py "$DIR/tree/http/hosts/$mac.cpio" \
	'"192.168.2.1/24"' '"192.169.2.1/24"' 'gateway =' 'gatewax =' || bail "cannot change node-2's host.cfg"
boot0=$(report_of master | json boot_id)
boot1=$(report_of node-1 | json boot_id) boot2=$(report_of node-2 | json boot_id)
qmp node-2 system_reset
if is_long; then
	on $N1 "systemctl reboot" >/dev/null 2>&1
	qmp master system_reset
fi
check "a wrong host.cfg is reported as failed" until_ok 2400 reported_again node-2 "$boot2" failed
report_of node-2 | json why | note
check "the report has the reasons" sh -c "grep -q 'cbr0' '$DIR/tree/http/report/node-2.json' &&
	grep -q \"did you mean 'gateway'\" '$DIR/tree/http/report/node-2.json'"
check "the console has the reason" sh -c "grep -q \"unknown key 'gatewax'.*did you mean 'gateway'\" '$(console node-2)'"
check "the console has the verdict once" test "$(grep -cE 'rackstrap: node-2 \(node\) failed: ' "$(console node-2)")" = 1
check "a host that is not configured accepts ssh and starts no unit of the cluster" until_ok 900 on $N2 "
	! systemctl is-active docker kube-kubelet kube-proxy calico-node rackstrap-node.target &&
	! ip link show cbr0 2>/dev/null && firstboot status | grep -q gatewax && test -e /etc/resolv.conf &&
	journalctl -u rackstrap-firstboot | grep -q gatewax"

# Master and node-1 are back, the master with its state disk; then node-2 is repaired.
restarts() {
	check "the master is ready again after a reset" until_ok 2400 reported_again master "$boot0" ready
	check "its state disk has kept etcd: the pool is the one added first" test "$(pool_index)" = "$index"
	check "node-1 reboots to ready" until_ok 2400 reported_again node-1 "$boot1" ready
	check "cbr0, Docker, NAT and units are as before on node-1" until_ok 900 node_is_right $N1 192.168.1.1/24 node-1
	python3 test/qemu/hostcpio.py "$DIR/tree/http/hosts/$mac.cpio" \
		'"192.169.2.1/24"' '"192.168.2.1/24"' 'gatewax =' 'gateway =' || bail "cannot repair node-2's host.cfg"
	boot2=$(report_of node-2 | json boot_id)
	qmp node-2 system_reset
	check "node-2 is ready with its repaired host.cfg" until_ok 2400 reported_again node-2 "$boot2" ready
	check "pods reach each other again" until_ok 1200 pods_reach_each_other
	check "both nodes are Ready again" until_ok 900 on $M \
		"test \$(kubectl --server http://127.0.0.1:8080 get nodes --no-headers | grep -c ' Ready ') = 2"
}
if is_long; then restarts; fi

pid=$(cat "$DIR/run/ns.pid")
routers_stop
kill -INT "$RACK_PID"
wait "$RACK_PID"
check "after Ctrl-C the exit status is that of the program" test $? = 7
RACK_PID=
check "the key of the run is deleted" test ! -e "$DIR/run/ssh"
refuse "ssh into the rack that has ended" 4 "rackstrap: $DIR: no rack runs in it *" "$RACKSTRAP" ssh "$DIR" node-1
nothing_left() {
	! kill -0 "$1" 2>/dev/null && ! pgrep -fa -- "$DIR/"
}
check "Ctrl-C leaves no process behind" nothing_left "$pid"
finish
