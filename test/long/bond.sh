#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A master and a node with two cables each, bonded with LACP, with a VLAN and jumbo frames on
# top. They are connected to each other without a switch: each bond is the LACP partner of the
# other. Both become ready, and the node still reaches the API server when a cable is cut. The
# test logs in through a third network card, which firstboot does not configure. At last the
# master is rehearsed by `rackstrap rack`, with both cards of its bond on one network.
# shellcheck source=../qemu/media-vm.sh
. "$(dirname "$0")/../qemu/media-vm.sh"
M=172.25.0.10 N=172.25.0.11

# images/bookworm-vm with one more file: the configuration of the third card.
recipe=$WORK/recipe/recipe.cfg
mkdir -p "$WORK/recipe"
cat >"$WORK/recipe/management.network" <<'NETWORK'
[Match]
MACAddress=52:54:00:0c:00:01 52:54:00:0c:00:02

[Network]
Address=10.0.2.15/24
NETWORK
cat >"$recipe" <<-R
	version = 1;
	include = "$TOP/images/bookworm-vm/recipe.cfg";
	name = "bonded";
	files = ( { to = "/etc/systemd/network/05-management.network"; source = "management.network"; } );
R

ssh-keygen -q -t ed25519 -N '' -C test -f "$WORK/key" </dev/null
cat >"$WORK/rack.cfg" <<R
cluster : {
	name = "bonded"; boot_server = "172.25.0.1"; gateway = "172.25.0.1"; master = "master";
	node_network = "172.25.0.0/24"; pod_network = "192.168.0.0/16";
	bond_mode = "802.3ad"; bond_hash = "layer3+4"; bond_lacp_rate = "fast";
	vlan = 100; mtu = 9000;
	ssh_keys = [ "$(cat "$WORK/key.pub")" ];
};
hosts = (
	{ name = "master"; role = "master"; mac = "52:54:00:0d:00:01"; address = "$M";
	  bond = [ "52:54:00:0d:00:01", "52:54:00:0d:01:01" ]; },
	{ name = "node-1"; role = "node"; mac = "52:54:00:0d:00:02"; address = "$N";
	  cbr0 = "192.168.1.1/24"; cbr0_mtu = 9000;
	  bond = [ "52:54:00:0d:00:02", "52:54:00:0d:01:02" ]; }
);
R
check "an ISO for both machines is baked" test/bake "$recipe" --output "$WORK/img" --type iso --rack "$WORK/rack.cfg" ||
	finish

# Prints QEMU's arguments for a card at one end of a cable. Usage: cable N MINE OTHER MAC
cable() {
	echo "-netdev dgram,id=c$1,local.type=unix,local.path=$WORK/$2.c$1,remote.type=unix,remote.path=$WORK/$3.c$1" \
		"-device virtio-net-pci,netdev=c$1,mac=$4,romfile=,host_mtu=9000,speed=10000,duplex=full"
}
ISO=$(vm_drive cd "$WORK/img/bonded/boot.iso")
# shellcheck disable=SC2046,SC2086 # words
vm_start master bios 52:54:00:0c:00:01 $ISO \
	$(cable 0 master node-1 52:54:00:0d:00:01) $(cable 1 master node-1 52:54:00:0d:01:01)
# shellcheck disable=SC2046,SC2086
vm_start node-1 bios 52:54:00:0c:00:02 $ISO \
	$(cable 0 node-1 master 52:54:00:0d:00:02) $(cable 1 node-1 master 52:54:00:0d:01:02)

vm_use master
check "the master becomes ready" vm_wait 900 'rackstrap: master \(master\) ready in' || finish
vm_use node-1
check "the node becomes ready, over its bond's VLAN" vm_wait 900 'rackstrap: node-1 \(node\) ready in' ||
	finish

bond=$(on_vm cat /proc/net/bonding/bond-uplink) || bail "cannot log in"
has_line() { grep -qxE "[[:space:]]*$1" <<<"$bond"; }
check "the bond uses LACP at the fast rate" has_line 'LACP rate: fast' || note <<<"$bond"
check "the bond distributes packets by addresses and ports" has_line 'Transmit Hash Policy: layer3\+4 \(1\)'
check "the bond's links are the two cables" test \
	"$(sed -n 's/^Permanent HW addr: //p' <<<"$bond" | sort | tr '\n' ' ')" = \
	"52:54:00:0d:00:02 52:54:00:0d:01:02 "
check "both links are in one aggregate with the master's bond" test \
	"$(grep -cx '[[:space:]]*Number of ports: 2' <<<"$bond") $(sed -n 's/^[[:space:]]*Partner Mac Address: //p' <<<"$bond")" = \
	"1 52:54:00:0d:00:01"
addresses() { # prints "INTERFACE ADDRESS " for each address of the uplink
	on_vm ip -4 -o address show | awk '$2 ~ /^(eth[12]|bond-uplink|vlan100)$/ { printf "%s %s ", $2, $4 }'
}
check "the VLAN has the host's address, the links below it have none" test "$(addresses)" = "vlan100 $N/24 "
check "VLAN, bond and cbr0 have the configured MTU" test \
	"$(on_vm cat /sys/class/net/{vlan100,bond-uplink,cbr0}/mtu | tr '\n' ' ')" = "9000 9000 9000 "
check "a frame of that size arrives" on_vm busybox ping -q -c 1 -W 10 -s 8972 $M
check "frames leave with the VLAN's tag" on_vm "ip -d link show vlan100 | grep -q 'vlan protocol 802.1Q id 100 '"

# Sets the link of a cable down at both ends.
cut_cable() {
	test/qmp.py "$WORK/master.qmp" set_link "name=c$1" up=false &&
		test/qmp.py "$WORK/node-1.qmp" set_link "name=c$1" up=false
}
answers() { # within 30 tries
	on_vm "for try in \$(seq 30); do
		curl -fsS -m 2 http://$M:8080/healthz && exit; sleep 1; done; exit 1"
}
check "the first cable is cut" cut_cable 0
check "the node notices the cut cable" on_vm "for try in \$(seq 30); do
	grep -qx 'MII Status: down' /proc/net/bonding/bond-uplink && exit; sleep 1; done; exit 1"
check "the node reaches the API server over the other cable" answers
check "the node's address is the same" test "$(addresses)" = "vlan100 $N/24 "

. test/images.sh
bake_image || bail "no image to boot"
sed '/vlan = /d; s/ cbr0_mtu = 9000;//' "$WORK/rack.cfg" >"$WORK/rehearsed.cfg"
printf '#!/bin/sh\nexec ssh $RACK_HOSTS cat /proc/net/bonding/bond-uplink\n' >"$WORK/look"
chmod 755 "$WORK/look"
"$RACKSTRAP" rack "$WORK/rehearsed.cfg" --image out/bookworm-vm --host master --dir "$WORK/rack" \
	--run "$WORK/look" >"$WORK/bond" 2>"$WORK/rack.log"
check "the bonded master is ready in a rehearsal" test $? = 0 || note <"$WORK/rack.log"
check "its bond has both cards" test \
	"$(sed -n 's/^Permanent HW addr: //p' "$WORK/bond" | sort | tr '\n' ' ')" = "52:54:00:0d:00:01 52:54:00:0d:01:01 " ||
	note <"$WORK/bond"
finish
