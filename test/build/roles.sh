#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The cluster's units in a real systemd: a user's manager in namespaces has our targets, timer and
# dependencies, with `sleep` in place of every program. After a change of role, a restart of Docker
# and its death the right units run.
. "$(dirname "$0")/../tap.sh"
if [ "${1-}" != inside ]; then
	rm -rf "$WORK"
	exec unshare --map-root-user --mount --net --uts --pid --fork --kill-child --mount-proc "$0" inside
fi
{ mount -t tmpfs none /run && mkdir -p /run/systemd/system /run/user; } || bail "no /run"
export XDG_RUNTIME_DIR=/run/user HOME=$WORK
U=$WORK/.config/systemd/user R=$WORK/root
mkdir -p "$U" "$WORK/bin" "$R/run/rackstrap"
install_2015 "$R"

# The units with other programs, and without what a user's manager does not have; those of the
# product as builder/recipe/recipe-product.c completes them.
mkdir "$WORK/units"
cp firstboot/units/* images/common/units/* images/common/docker-1.7.0/docker.service "$WORK/units"
for role in master node; do
	other=$([ $role = node ] && echo master || echo node)
	sed "s/@role@/$role/; s/@conflicts@/Conflicts=rackstrap-$other.target/; /^#@/d" \
		firstboot/units/rackstrap-role.target >"$WORK/units/rackstrap-$role.target"
done
rm "$WORK/units/rackstrap-role.target"
sed -i 's/@targets@/rackstrap-master.target rackstrap-node.target/; /^#@/d' "$WORK/units/rackstrap-heal.timer"
python3 - "$U" "$WORK"/units/* <<'P' || bail "no units"
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
mkdir -p "$U/docker.service.d"
grep -v ^ExecStartPre= images/common/files/docker.conf >"$U/docker.service.d/rackstrap.conf"
printf '[Unit]\n' >"$U/default.target"
for role in master node; do
	mkdir -p "$U/rackstrap-$role.target.wants"
	ln -s ../docker.service "$U/rackstrap-$role.target.wants/"
	grep -lE "^WantedBy=.*rackstrap-$role.target" "$WORK"/units/* | while read -r f; do
		ln -s "../${f##*/}" "$U/rackstrap-$role.target.wants/"
	done
done
/lib/systemd/systemd --user >"$WORK/systemd.log" 2>&1 &
for _ in $(seq 1000); do [ ! -S /run/user/systemd/private ] || break; sleep 0.1; done
[ -S /run/user/systemd/private ] || { note <"$WORK/systemd.log"; bail "no systemd"; }

# firstboot calls systemctl for this manager; its other programs are the real ones.
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

common=(calico-node.service docker.service rackstrap-heal.timer rackstrap-pool.service)
master=("${common[@]}" etcd.service kube-apiserver.service kube-controller-manager.service
	kube-scheduler.service rackstrap-master.target)
node=("${common[@]}" kube-kubelet.service kube-proxy.service rackstrap-node.target)
runs() { # UNIT...: exactly these of our units are active
	local want
	want=$(printf '%s\n' "$@" | sort)
	for _ in $(seq 3000); do
		got=$(systemctl list-units --plain --no-legend --state=active 'kube-*' 'calico*' 'docker*' 'etcd*' \
			rackstrap-{heal.timer,pool.service,master.target,node.target} | cut -d' ' -f1 | sort)
		[ "$got" != "$want" ] || return 0
		sleep 0.1
	done
	diff <(echo "$want") <(echo "$got")
}
invocation() { systemctl show --property=InvocationID "$1"; }
became_another() { # UNIT INVOCATION
	for _ in $(seq 3000); do
		if [ "$(invocation "$1")" != "$2" ] && systemctl is-active --quiet "$1"; then return 0; fi
		sleep 0.1
	done
	return 1
}

check "apply of a node succeeds" apply node
check "a node's units run" runs "${node[@]}"
calico=$(invocation calico-node) kubelet=$(invocation kube-kubelet)
check "a second apply succeeds" apply node
check "a second apply keeps the units" runs "${node[@]}"
check "a second apply restarts no unit" test "$(invocation calico-node)$(invocation kube-kubelet)" = "$calico$kubelet"
systemctl restart docker
check "calico-node runs again after Docker's restart" became_another calico-node "$calico"
calico=$(invocation calico-node)
systemctl kill --signal=KILL docker
check "Docker and calico-node run again after Docker was killed" became_another calico-node "$calico"
check "all other units of a node run" runs "${node[@]}"
check "apply of a master on a node succeeds" apply master
check "only a master's units run" runs "${master[@]}"
check "cbr0 is removed" sh -c '! ip link show cbr0'
check "apply of a node on a master succeeds" apply node
check "only a node's units run" runs "${node[@]}"
finish
