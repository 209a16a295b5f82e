#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# images/plain-vm is small, and with it the two hosts of configs/plain.cfg, which has only a name, a
# role, a MAC address and an address for each, come to ready over PXE.
. "$(dirname "$0")/lib.sh"
check "images/plain-vm is baked" bake_plain || finish
IMAGE=out/plain-vm
size=$(cat $IMAGE/vmlinuz $IMAGE/initrd.img $IMAGE/root.squashfs | wc -c)
echo "# kernel, initrd and root: $((size / 1024)) KiB"
check "kernel, initrd and root have at most 75 MiB" test "$size" -le $((75 * 1024 * 1024))
make_rack configs/plain.cfg "$WORK/plain.cfg"
rack_start "$WORK/plain.cfg"
rack_up server-1
check "both hosts are ready" test "$(grep -cE ' ready *$' "$WORK/table")" = 2
for n in 1 2; do
	check "server-$n runs the role's unit and none has failed" on 172.25.0.1$n "
		test \"\$(hostname)\" = server-$n && systemctl is-active ssh.service rackstrap-server.target &&
		test -z \"\$(systemctl --failed --no-legend)\""
	check "server-$n has nothing of a cluster" on 172.25.0.1$n \
		"! ip link show cbr0 2>/dev/null && ! ls /etc/network-environment /etc/default/docker 2>/dev/null"
done
check "the hosts reach each other" on 172.25.0.11 "read -r banner </dev/tcp/172.25.0.12/22 && test \"\${banner%%-*}\" = SSH"
finish
