#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# rackstrap check: the warnings about racks that are right, each with its exact text, and racks that
# get none.
. "$(dirname "$0")/../tap.sh"

KEY='ssh_keys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDq1F/2X0oTVvX7oP0Zb7dN2gRkU0f1Jx0b2o3a4c5d6 op@desk" ];'
sed '/^roles/,$d' test/should-fail/mixed/recipe.cfg >"$WORK/recipe.cfg"
cat >>"$WORK/recipe.cfg" <<'E'
roles = (
	{ name = "web"; },
	{ name = "box"; features = [ "docker" ]; },
	{ name = "router"; features = [ "nat" ]; },
	{ name = "master"; features = [ "kubernetes-master", "calico", "docker" ]; },
	{ name = "node"; features = [ "kubernetes", "cbr0", "calico", "docker" ]; }
);
E

# Compares the warnings about a rack. Each line of the input is a host: its role, and its other keys
# as in a rack file. The cluster group is on line 1. After "--" come the warnings, each with its line.
warned() { # NAME CLUSTER <<INPUT
	local i=0 name=$1 role rest hosts=()
	mapfile -t lines
	while [ "${lines[i]}" != -- ]; do
		read -r role rest <<<"${lines[i]}"
		i=$((i + 1))
		hosts+=("{ name = \"${NAMES}$i\"; role = \"$role\"; $rest }")
	done
	{
		echo "cluster : { name = \"x\"; boot_server = \"${SERVER:-10.0.0.1}\"; $KEY $2 }; hosts = ("
		printf '%s,\n' "${hosts[@]}" | sed '$s/,$/ );/'
	} >"$WORK/rack.cfg"
	check "$name: the rack is right" "$RACKSTRAP" check "$WORK/rack.cfg"
	sed "s|^rackstrap: warning: ||; s|^rackstrap: ||; s|$WORK/rack.cfg: ||; s|$WORK/rack.cfg:||g" "$WORK/err" >"$WORK/got"
	i=$((i + 1))
	if printf '%s\n' "${lines[@]:i}" | sed '/^$/d' | diff - "$WORK/got" >"$WORK/differs"; then
		pass "$name: $((${#lines[@]} - i)) lines of warnings"
	else
		fail "$name"
		note <"$WORK/differs"
	fi
}

NAMES=n
M='mac = "52:54:00:00:00'
NET='node_network = "10.0.0.0/24";'

warned "docker0 and an address of docker0's network" "dns = [ \"172.17.0.53\", \"10.0.0.1\" ]; ntp = [ \"172.17.3.4\" ]; gateway = \"10.0.0.254\"; $NET" <<-E
	box $M:01"; address = "10.0.0.11";
	web $M:02"; address = "10.0.0.12";
	box $M:03"; address = "10.0.0.13"; dns = [ ]; ntp = [ ];
	--
	1: host 'n1': dns: 172.17.0.53 is in 172.17.0.0/16, which Docker takes for docker0 by default: the host will not reach it
	1: host 'n1': ntp: 172.17.3.4 is in 172.17.0.0/16, which Docker takes for docker0 by default: the host will not reach it
E
D='172.17.0.0/16, which Docker takes for docker0 by default'
warned "docker0 beside the pods' network" "$NET pod_network = \"172.16.0.0/14\"; master = \"n1\"; gateway = \"10.0.0.254\";" <<-E
	master $M:01"; address = "10.0.0.11";
	node $M:02"; address = "10.0.0.12"; cbr0 = "172.17.1.1/24";
	--
	1: host 'n1': pod_network: 172.16.0.0/14 overlaps $D
E
warned "docker0 beside the services' network" "$NET service_network = \"172.17.8.0/24\"; master = \"n1\"; gateway = \"10.0.0.254\";" <<-E
	master $M:01"; address = "10.0.0.11";
	node $M:02"; address = "10.0.0.12"; cbr0 = "192.168.1.1/24";
	--
	1: host 'n1': service_network: 172.17.8.0/24 overlaps $D
E
warned "docker0 beside the hosts' own network" "" <<-E
	web $M:01"; address = "10.0.0.11/24";
	box $M:02"; address = "172.17.0.12/24"; gateway = "172.17.0.1"; dns = [ "172.17.0.1" ];
	web $M:03"; address = "172.17.0.13/24"; gateway = "172.17.0.1";
	box $M:04"; address = "dhcp";
	--
	3: host 'n2' and others are outside the boot server's network 10.0.0.0/24: a DHCP relay is needed there
	3: host 'n2': address: 172.17.0.12/24 overlaps $D
E
warned "a gateway that is a host" "$NET" <<-E
	web $M:01"; address = "10.0.0.11";
	router $M:02"; address = "10.0.0.12";
	web $M:03"; address = "10.0.0.13"; gateway = "10.0.0.11";
	web $M:04"; address = "10.0.0.14"; gateway = "10.0.0.12";
	web $M:05"; address = "10.0.0.15"; gateway = "10.0.0.1";
	--
	4: host 'n3': gateway: 10.0.0.11 is host 'n1' (line 2), which forwards no packets
E
warned "a name server that is a host" "$NET dns = [ \"10.0.0.12\", \"10.0.0.1\" ];" <<-E
	web $M:01"; address = "10.0.0.11";
	web $M:02"; address = "10.0.0.12";
	web $M:03"; address = "10.0.0.13";
	web $M:04"; address = "10.0.0.14"; dns = [ ];
	--
	1: host 'n1': dns: 10.0.0.12 is host 'n2' (line 3), which must answer for names itself
	    and 2 more hosts: n2, n3
E
warned "what is outside without a gateway" 'ntp = [ "10.0.9.9", "time.example" ];' <<-E
	web $M:01"; address = "10.0.0.11/24"; dns = [ "10.0.1.53", "10.0.0.53" ];
	web $M:02"; address = "10.1.0.12/24"; ntp = [ ];
	web $M:03"; address = "10.1.0.13/24"; gateway = "10.1.0.1"; dns = [ "10.0.1.53" ];
	web $M:04"; address = "10.0.0.14/24"; ntp = [ "time.example" ];
	web $M:05"; address = "dhcp";
	--
	3: host 'n2' and others are outside the boot server's network 10.0.0.0/24: a DHCP relay is needed there
	2: host 'n1': dns: 10.0.1.53 is outside the host's network, and the host has no gateway
	1: host 'n1': ntp: 10.0.9.9 is outside the host's network, and the host has no gateway
	3: host 'n2': address: 10.1.0.12/24 does not reach the boot server 10.0.0.1: the host has no gateway, and its report will not arrive
	5: host 'n4': ntp: 'time.example' is a name, but the host has no dns to look it up
E
warned "MAC addresses of examples" "$NET" <<-E
	web mac = "00:00:5e:00:53:07"; address = "10.0.0.11";
	web mac = "00:11:22:33:44:55"; address = "10.0.0.12";
	web mac = "AA-BB-CC-DD-EE-FF"; address = "10.0.0.13";
	web mac = "00:00:5e:00:52:07"; address = "10.0.0.14";
	--
	2: host 'n1': mac: 00:00:5e:00:53:07 is of a range for documentation (RFC 7042), no machine has it
	3: host 'n2': mac: 00:11:22:33:44:55 looks like that of an example: is it the machine's?
	4: host 'n3': mac: aa:bb:cc:dd:ee:ff looks like that of an example: is it the machine's?
E
warned "prefixes other than the node network's" "$NET gateway = \"10.0.0.1\";" <<-E
	web $M:01"; address = "10.0.0.11/24";
	web $M:02"; address = "10.0.0.12/25";
	web $M:03"; address = "10.0.0.13/16";
	--
	3: host 'n2': address: 10.0.0.12/25 has another prefix than node_network 10.0.0.0/24 (line 1): leave it out
	4: host 'n3': address: 10.0.0.13/16 has another prefix than node_network 10.0.0.0/24 (line 1): leave it out
E
NAMES='' warned "names that are numbers" "$NET" <<-E
	web $M:01"; address = "10.0.0.11";
	--
	2: host '1': name: is a number, which programs read as an address: begin it with a letter
E
SERVER=172.17.0.9 warned "a boot server in docker0's network" 'gateway = "10.0.0.1";' <<-E
	web $M:01"; address = "10.0.0.11/24";
	box $M:02"; address = "10.0.0.12/24";
	--
	boot_server 172.17.0.9 is outside every host's network: a DHCP relay is needed
	3: host 'n2': boot_server 172.17.0.9 is in $D: the host will not reach it
E
mesh() { # NUMBER of nodes
	echo "master $M:ff\"; address = \"10.0.0.254\";"
	for i in $(seq "$1"); do
		printf 'node mac = "52:54:00:00:01:%02x"; address = "10.0.0.%d"; cbr0 = "192.168.%d.1/24";\n' "$i" $((i + 10)) "$i"
	done
}
CALICO="$NET gateway = \"10.0.0.1\"; master = \"n1\";"
warned "a mesh of a hundred hosts" "$CALICO" < <(mesh 99 && echo --)
warned "a mesh of more" "$CALICO bgp_mesh = true;" < <(mesh 100 && echo -- &&
	echo "1: bgp_mesh: 101 hosts exchange routes with each other, each with 100: for more than about 100, give them route reflectors as bgp_peers and set bgp_mesh = false")
warned "so many hosts without a mesh" "$CALICO bgp_mesh = false; bgp_as = 64540; bgp_peers = [ \"10.0.0.2 as 64540\" ];" < <(mesh 100 && echo --)
many=$(for i in $(seq 11 40); do echo "web $M:$i\"; address = \"10.0.0.$i\";"; done)
warned "thirty hosts alike" "$NET dns = [ \"10.9.0.1\" ];" <<-E
	$many
	--
	1: host 'n1': dns: 10.9.0.1 is outside the host's network, and the host has no gateway
	    and 29 more hosts: n2, n3, n4, n5, ...
E
check "JSON has each of them" test "$("$RACKSTRAP" check --json "$WORK/rack.cfg" | grep -c '"severity": "warning"')" = 30

# The examples have one warning, about the key that nobody else can give.
for cfg in configs/*.cfg; do
	sed "s|^cluster : {|& $KEY|" "$cfg" >"$WORK/rack.cfg"
	(umask 077 && echo key >"$WORK/munge.key")
	case $cfg in
	*/plain.cfg) by=images/plain ;;
	*/slurm.cfg) by=images/slurm ;;
	*) by=images/bookworm ;;
	esac
	check "$cfg with a key and its recipe" "$RACKSTRAP" check "$WORK/rack.cfg" --recipe "$by"
	check "$cfg has no warning" test ! -s "$WORK/err" || note <"$WORK/err"
done
finish
