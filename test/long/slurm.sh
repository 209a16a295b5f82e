#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A Slurm cluster of images/slurm-vm on the servers of `rackstrap serve`: a job survives the loss of
# another node, a node that reboots comes back into the partition by itself, and a node that is
# added to the rack file joins after `rackstrap pxe` and a reboot of the controller alone, which
# running jobs survive. Runs in a network namespace, with a bridge between the machines.
if [ "${1:-}" != inside ]; then
	exec unshare --user --map-root-user --net "$0" inside
fi
. "$(dirname "$0")/../tap.sh"
. test/images.sh
TREE=$WORK/tree
C=172.25.0.10 N1=172.25.0.11 N2=172.25.0.12 N3=172.25.0.13
declare -A PIDS=()
tap_cleanup() {
	local p
	for p in ${server:-} "${PIDS[@]}"; do kill "$p" 2>/dev/null; done
	wait
}

ip link set lo up
ip link add br0 type bridge || bail "no bridge in this namespace"
ip address add 172.25.0.1/24 dev br0
ip link set br0 up

# Switches a machine on: the host whose last number is N. Usage: power_on NAME N ARGS...
power_on() {
	local name=$1 n=$2
	shift 2
	ip link show "tap$n" >/dev/null 2>&1 || ip tuntap add "tap$n" mode tap && ip link set "tap$n" master br0 up
	qemu-system-x86_64 -name "$name" -nodefaults -no-user-config -display none \
		-machine q35,graphics=off -accel tcg,thread=multi -cpu EPYC -smp 1 -m 1G -boot strict=on \
		-netdev "tap,id=n0,ifname=tap$n,script=no,downscript=no" \
		-device "virtio-net-pci,netdev=n0,mac=52:54:00:25:00:$n,bootindex=0" \
		-object rng-random,id=rng0,filename=/dev/urandom -device virtio-rng-pci,rng=rng0 \
		-chardev "file,id=c0,append=on,path=$WORK/$name.console" -serial chardev:c0 \
		"$@" >&2 2>"$WORK/$name.qemu" &
	PIDS[$name]=$!
}
power_off() { # NAME
	kill -KILL "${PIDS[$1]}"
	wait "${PIDS[$1]}" 2>/dev/null
	unset "PIDS[$1]"
}

# Runs a command as root on a host. Usage: on ADDRESS COMMAND...
on() {
	local address=$1
	shift
	ssh -i "$WORK/key" -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
		-o LogLevel=ERROR -o ConnectTimeout=120 -o ServerAliveInterval=15 -o ServerAliveCountMax=8 \
		-o IdentitiesOnly=yes "root@$address" "$@" </dev/null
}
# Repeats a command until it succeeds, for at most SECONDS. Usage: until_ok SECONDS COMMAND...
until_ok() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >"$WORK/until.out" 2>&1; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			tail -n 5 "$WORK/until.out" >&2
			on "$C" "sinfo -N -l; squeue; journalctl -b -o cat -u slurm-ready | tail -n 5" >&2
			return 1
		fi
		sleep 3
	done
}
boot_of() { on "$1" cat /proc/sys/kernel/random/boot_id; }
state_is() { [ "$(on "$C" "sinfo -h -n $1 -o %t")" = "$2" ]; } # NODE STATE
job_is() { [ "$(on "$C" "squeue -h -j $1 -o '%T %N'")" = "$2" ]; } # JOB "STATE NODE"
# Prints when the slurmd of a node has registered itself: it does that once, when it starts.
registered() { on "$C" "scontrol show node $1" | grep -o 'SlurmdStartTime=[^ ]*'; } # NODE
came_back() { # NODE SINCE: has registered itself again, and is idle
	[ "$(registered "$1")" != "$2" ] && state_is "$1" idle
}
# Submits a job that ends when /tmp/go is there, and prints its number.
submit() { # NODE
	on $C "cd / && sbatch --parsable --no-requeue -w $1 -o /tmp/job.out --wrap 'while ! test -e /tmp/go; do sleep 1; done; echo done'"
}

check "images/slurm-vm is baked" bake_slurm || finish
slurm_key "$WORK/munge.key"
ssh-keygen -q -t ed25519 -N '' -C test -f "$WORK/key" </dev/null
sed "s|^\(\s*\)# ssh_keys = .*|\1ssh_keys = [ \"$(cat "$WORK/key.pub")\" ];|" configs/slurm.cfg >"$WORK/two.cfg"
sed '/name = "node-2"/a\	, { name = "node-3"; role = "compute"; mac = "52:54:00:25:00:13"; address = "172.25.0.13"; }' \
	"$WORK/two.cfg" >"$WORK/three.cfg"
pxe() { "$RACKSTRAP" pxe "$1" --image out/slurm-vm -o "$TREE" --interface br0; }
check "pxe makes the boot tree of a controller and two nodes" pxe "$WORK/two.cfg"
env --default-signal=INT "$RACKSTRAP" serve "$TREE" 2>"$WORK/serve.err" &
server=$!
truncate -s 1G "$WORK/disk.img"
power_on controller 10 -drive "if=none,id=d0,format=raw,cache=unsafe,file=$WORK/disk.img" -device virtio-blk-pci,drive=d0
power_on node-1 11
power_on node-2 12
check "the three hosts become ready" until_ok 2400 "$RACKSTRAP" status "$TREE" || {
	tail -n 20 "$WORK"/*.console "$WORK/serve.err" | note
	finish
}
"$RACKSTRAP" status "$TREE" | note
check "srun -N2 hostname is answered by both nodes" test "$(on $C srun -N2 hostname | sort | tr '\n' ' ')" = "node-1 node-2 "

# --- the loss of a node -------------------------------------------------------------------

one=$(submit node-1) two=$(submit node-2)
check "a job runs on node-1" until_ok 120 job_is "$one" "RUNNING node-1"
check "and one on node-2" until_ok 120 job_is "$two" "RUNNING node-2"
since=$(registered node-2)
power_off node-2
check "node-2 is lost, and is down after a while" until_ok 900 state_is node-2 'down*'
check "its job has ended with it" job_is "$two" ""
check "the job on node-1 runs" job_is "$one" "RUNNING node-1"
check "no unit of node-1 has failed" until_ok 300 on $N1 "test -z \"\$(systemctl --failed --no-legend)\" && systemctl is-active slurmd"
power_on node-2 12
check "node-2 is switched on, and comes back into the partition by itself" until_ok 1200 came_back node-2 "$since"
check "it runs a job" test "$(on $C srun -w node-2 hostname)" = node-2
since=$(registered node-2)
on $N2 systemctl reboot
check "node-2 reboots, and comes back by itself" until_ok 1200 came_back node-2 "$since"
check "it runs a job again" test "$(on $C srun -w node-2 hostname)" = node-2

# --- another node --------------------------------------------------------------------------

boot0=$(boot_of $C) boot1=$(boot_of $N1) boot2=$(boot_of $N2)
check "pxe makes the tree of three nodes" pxe "$WORK/three.cfg"
check "serve reloads it" until_ok 300 grep -q "reloaded: rack 'slurm'" "$WORK/serve.err"
power_on node-3 13
check "node-3 boots, and slurmd has no place yet" until_ok 1200 on $N3 "journalctl -b -u slurmd | grep -q 'Failed with result'"
check "the controller does not know it" on $C "! scontrol show node node-3"
on $C systemctl reboot
rebooted() { [ "$(boot_of "$C")" != "$boot0" ] && on "$C" systemctl is-active slurm-ready.service; }
check "after a reboot of the controller alone it is ready" until_ok 1800 rebooted
check "node-3 has joined" state_is node-3 idle
boot0=$(boot_of "$C")
check "it reports that" until_ok 300 grep -q "$boot0" "$TREE/http/report/controller.json"
check "all four hosts are ready" "$RACKSTRAP" status "$TREE"
"$RACKSTRAP" status "$TREE" | note
check "it runs a job together with node-2" test "$(on $C srun -N2 -w node-2,node-3 hostname | sort | tr '\n' ' ')" = "node-2 node-3 "
check "the job on node-1 still runs" job_is "$one" "RUNNING node-1"
check "the nodes were not restarted" test "$(boot_of $N1) $(boot_of $N2)" = "$boot1 $boot2"
check "they have fetched the new slurm.conf" until_ok 120 on $N1 "grep -q '^NodeName=node-3' /run/slurm/conf/slurm.conf"
on $N1 touch /tmp/go
check "the job ends as it should" until_ok 120 on $N1 "test \"\$(cat /tmp/job.out)\" = done"
check "srun -N3 hostname is answered by all" until_ok 120 on $C "test \"\$(srun -N3 --immediate=60 hostname | sort | tr '\n' ' ')\" = 'node-1 node-2 node-3 '"
finish
