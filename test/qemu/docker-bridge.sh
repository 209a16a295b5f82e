#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# cbr0 gets another address while Docker does not run, as with `firstboot apply` or a state disk
# that is older than the rack file. The Docker of images/bookworm-vm runs in namespaces of its own;
# no container is started.
set -u
cd "$(dirname "$0")/../.." || exit 1
if [ -z "${DOCKER_ROOT:-}" ]; then
	. test/tap.sh
	. test/images.sh
	[ "$(id -u)" = 0 ] || { skip "Docker starts" "it wants root"; finish; }
	bake_image || bail "no image"
	unsquashfs -q -n -d "$WORK/root" out/bookworm-vm/root.squashfs usr/sbin usr/bin usr/lib/rackstrap \
		usr/lib/x86_64-linux-gnu >"$WORK/log" 2>&1 || { note <"$WORK/log"; bail "no Docker"; }
	DOCKER_ROOT=$WORK/root unshare -nmp --fork --mount-proc --kill-child "$0"
	exit
fi
. test/tap.sh
. test/soon.sh
{
	mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib && ip link set lo up
	ip link add cbr0 type bridge && ip link set cbr0 up
} || bail "the namespaces could not be set up"
export PATH=$DOCKER_ROOT/usr/bin:$DOCKER_ROOT/usr/sbin:$PATH
export LD_LIBRARY_PATH=$DOCKER_ROOT/usr/lib/x86_64-linux-gnu
PREPARE=$DOCKER_ROOT/usr/lib/rackstrap/docker-bridge
STORE=/var/lib/docker/network

dockerd_start() {
	dockerd --bridge=cbr0 --iptables=false --ip-masq=false --data-root=/var/lib/docker \
		--exec-root=/run/docker --host=unix:///run/docker.sock --pidfile=/run/docker.pid \
		--storage-driver=vfs >"$WORK/dockerd.log" 2>&1 </dev/null &
	DOCKERD=$!
	until_ok curl -sf --unix-socket /run/docker.sock http://docker/networks/bridge
}
dockerd_stop() {
	kill "$DOCKERD"
	wait "$DOCKERD"
}
# Each command prints one address, or more if there are more.
address() { ip -4 -o address show dev cbr0 | awk '{ print $4 }'; }
gateway() {
	curl -sf --unix-socket /run/docker.sock http://docker/networks/bridge |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["IPAM"]["Config"][0]["Gateway"])'
}
set_address() {
	ip address flush dev cbr0
	ip address add "$1" dev cbr0
}
networks() {
	curl -sf --unix-socket /run/docker.sock http://docker/networks |
		python3 -c 'import json, sys; print(*sorted(n["Name"] for n in json.load(sys.stdin)))'
}

set_address 192.168.1.1/24
check "the first start is prepared" sh "$PREPARE"
check "without a word" test ! -s "$WORK/out"
check "Docker starts" dockerd_start || { tail -n 30 "$WORK/dockerd.log" | note; finish; }
check "its containers' gateway is cbr0" is "$(gateway)" 192.168.1.1
curl -sf --unix-socket /run/docker.sock -H 'Content-Type: application/json' -d '{"Name": "own"}' \
	http://docker/networks/create >"$WORK/made"
check "a network is made" is "$(networks)" "bridge host none own"
dockerd_stop

check "it is started again with the same address" sh "$PREPARE"
check "without a word" test ! -s "$WORK/out"
dockerd_start
check "and knows its networks" is "$(networks)" "bridge host none own"
dockerd_stop

# The fault that this is about. A Docker that does not have it needs no docker-bridge.
set_address 192.168.101.1/24
dockerd_start
check "by itself Docker sets the address of before" is "$(address)" 192.168.1.1/24
dockerd_stop

set_address 192.168.101.1/24
check "it is started with another address" sh "$PREPARE"
check "which is said" is "$(cat "$WORK/out")" \
	"cbr0 is 192.168.101.1/24 now: Docker's networks of before are removed"
dockerd_start
check "cbr0 keeps that address" is "$(address)" 192.168.101.1/24
check "and is the gateway" is "$(gateway)" 192.168.101.1
dockerd_stop

rm "$STORE/cbr0"
check "the state of an earlier image is prepared" sh "$PREPARE"
check "by a new store" test ! -e "$STORE/files/local-kv.db"
ip link delete cbr0
check "a host without cbr0 is left alone" sh "$PREPARE"
check "without a word" test ! -s "$WORK/out" -a ! -s "$WORK/err"
finish
