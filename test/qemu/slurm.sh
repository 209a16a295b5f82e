#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# configs/slurm.cfg with images/slurm-vm: the rack is ready when the controller's srun was
# answered by both nodes, which have no slurm.conf of their own. test/long/slurm.sh has what
# happens when machines are lost, and added.
. "$(dirname "$0")/lib.sh"
check "images/slurm-vm is baked" bake_slurm || finish
IMAGE=out/slurm-vm
size=$(cat $IMAGE/vmlinuz $IMAGE/initrd.img $IMAGE/root.squashfs | wc -c)
echo "# kernel, initrd and root: $((size / 1024)) KiB"
check "kernel, initrd and root have at most 85 MiB" test "$size" -le $((85 * 1024 * 1024))
check "nothing in it is a stand-in" python3 -c 'import json, sys; sys.exit(json.load(open(sys.argv[1]))["standins"] != [])' \
	$IMAGE/manifest.json
unsquashfs -l $IMAGE/root.squashfs >"$WORK/list"
check "the key that the package made is not in it" sh -c "grep -q '/etc/munge\$' '$WORK/list' && ! grep 'munge\.key' '$WORK/list'"
make_rack configs/slurm.cfg "$WORK/slurm.cfg"
slurm_key "$WORK/munge.key"
rack_start "$WORK/slurm.cfg"
rack_up controller
check "three hosts are ready" test "$(grep -cE ' ready *$' "$WORK/table")" = 3
C=172.25.0.10
check "before that the controller's srun was answered by both nodes" on $C \
	"journalctl -b -o cat -u slurm-ready | grep -qx 'srun hostname was answered by 2 nodes: node-1 node-2'"
check "srun -N2 hostname is answered by both nodes" test "$(on $C srun -N2 hostname | sort | tr '\n' ' ')" = "node-1 node-2 "
for host in $C 172.25.0.11 172.25.0.12; do
	check "no unit has failed on $host" on "$host" "test -z \"\$(systemctl --failed --no-legend)\""
done
check "a node has the controller's slurm.conf and none of its own" on 172.25.0.11 \
	"! test -e /etc/slurm/slurm.conf && grep -qx 'NodeName=node-2 NodeAddr=172.25.0.12' /run/slurm/conf/slurm.conf"
check "a node's time is the controller's" on 172.25.0.11 "chronyc -n sources | grep -qw 172.25.0.10"
check "only munge can read the key" on 172.25.0.11 \
	"test \"\$(stat -c '%U %a' /run/rackstrap/secrets/munge.key)\" = 'munge 400'"
check "Slurm's state is on the state disk" on $C "findmnt -no SOURCE,TARGET | grep -q /dev/vd && test -s /var/lib/slurm/answered"
finish
