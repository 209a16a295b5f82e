#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The cluster's units in a real systemd: a manager of its own, in namespaces, with our
# targets, timer and dependencies, and `sleep` for every program. Roles change, Docker
# restarts and dies, and what runs afterwards is what should.
. "$(dirname "$0")/../tap.sh"
if [ "${1-}" != inside ]; then
	rm -rf "$WORK"
	exec unshare --map-root-user --mount --net --uts --pid --fork --kill-child --mount-proc "$0" inside
fi
mount -t tmpfs none /run && mkdir -p /run/systemd/system /run/user || bail "no /run"
export XDG_RUNTIME_DIR=/run/user HOME=$WORK
U=$WORK/.config/systemd/user R=$WORK/root
mkdir -p "$U" "$WORK/bin" "$R/run/rackstrap"

# Units as they are, but for their programs; a user's manager has no system targets.
python3 - "$U" images/common/units/* images/common/docker-1.7.0/docker.service <<'P' || bail "no units"
import os, re, sys
for path in sys.argv[2:]:
    text = re.sub(r"\\\n\s*", " ", open(path).read())
    text = re.sub(r"(?m)^(EnvironmentFile|ExecStartPre|Limit\w+|MountFlags|DefaultDependencies)=.*\n", "", text)
    program = "/bin/true" if "Type=oneshot" in text else "/bin/sleep 1000"
    text = re.sub(r"(?m)^ExecStart=.*", f"ExecStart={program}", text)
    text = re.sub(r"(?m)^RestartSec=.*", "RestartSec=1", text).replace("Requires=docker.socket\n", "")
    open(f"{sys.argv[1]}/{os.path.basename(path)}", "w").write(text)
P
printf '[Service]\nExecStart=/bin/sleep 1000\n' >"$U/systemd-networkd.service"
mkdir -p "$U/docker.service.d" && cp images/common/files/docker.conf "$U/docker.service.d/"
printf '[Unit]\n' >"$U/default.target"
for role in master node; do
	mkdir -p "$U/rackstrap-$role.target.wants"
	ln -s ../docker.service "$U/rackstrap-$role.target.wants/"
	for f in $(grep -lE "^WantedBy=.*rackstrap-$role.target" images/common/units/*); do
		ln -s "../${f##*/}" "$U/rackstrap-$role.target.wants/"
	done
done
/lib/systemd/systemd --user >"$WORK/systemd.log" 2>&1 &
for _ in $(seq 100); do [ ! -S /run/user/systemd/private ] || break; sleep 0.1; done
[ -S /run/user/systemd/private ] || { note <"$WORK/systemd.log"; bail "no systemd"; }

# firstboot's systemctl is this manager's; its other programs are the real ones.
printf '#!/bin/sh\nexec %s --user "$@"\n' "$(command -v systemctl)" >"$WORK/bin/systemctl"
chmod 755 "$WORK/bin/systemctl"
export PATH=$WORK/bin:$PATH
mkdir -p "$R/sys/class/net/eth0/device"
echo 52:54:00:25:00:11 >"$R/sys/class/net/eth0/address"
echo 1 >"$R/sys/class/net/eth0/type"
echo 2 >"$R/sys/class/net/eth0/ifindex"
apply() { # ROLE
	case $1 in
	node) set -- 'role = "node"; address = "172.25.0.11/24"; gateway = "172.25.0.1"; cbr0 = "192.168.1.1/24";' ;;
	master) set -- 'role = "master"; address = "172.25.0.10/24";' ;;
	esac
	echo "name = \"host\"; master = \"172.25.0.10\"; $1" >"$R/run/rackstrap/host.cfg"
	"$ABS_O/firstboot" apply --live --root="$R" --cmdline=
}

common="calico-node.service docker.service rackstrap-heal.timer rackstrap-pool.service"
master="etcd.service kube-apiserver.service kube-controller-manager.service kube-scheduler.service rackstrap-master.target"
node="kube-kubelet.service kube-proxy.service rackstrap-node.target"
runs() { # exactly these of all of ours
	local want
	want=$(printf '%s\n' "$@" | sort)
	for _ in $(seq 50); do
		got=$(systemctl list-units --plain --no-legend --state=active 'kube-*' 'calico*' 'docker*' 'etcd*' \
			rackstrap-{heal.timer,pool.service,master.target,node.target} | cut -d' ' -f1 | sort)
		[ "$got" != "$want" ] || return 0
		sleep 0.1
	done
	diff <(echo "$want") <(echo "$got")
}
invocation() { systemctl show --property=InvocationID "$1"; }
became_another() { # UNIT INVOCATION
	for _ in $(seq 100); do
		if [ "$(invocation "$1")" != "$2" ] && systemctl is-active --quiet "$1"; then return 0; fi
		sleep 0.1
	done
	return 1
}

check "a node" apply node
check "runs a node's units" runs $common $node
calico=$(invocation calico-node) kubelet=$(invocation kube-kubelet)
check "applied again" apply node
check "the same units run" runs $common $node
check "and none was restarted" test "$(invocation calico-node)$(invocation kube-kubelet)" = "$calico$kubelet"
systemctl restart docker
check "Docker restarted: calico-node runs again" became_another calico-node "$calico"
calico=$(invocation calico-node)
systemctl kill --signal=KILL docker
check "Docker killed: it comes back and calico-node runs again" became_another calico-node "$calico"
check "with all others" runs $common $node
check "the node becomes a master" apply master
check "and runs a master's units, and nothing of the node" runs $common $master
check "it has no cbr0 any more" sh -c '! ip link show cbr0'
check "and a node again" apply node
check "with a node's units, and nothing of the master" runs $common $node
finish
