# SPDX-License-Identifier: Apache-2.0
#
# Sourced by the tests of images/bookworm-2015 and images/vivid: copies of the recipes that take
# the stand-ins in place of the programs of 2015. Two things are changed in the copies: the
# digests of the real programs are removed, and each artifact and container is marked as a
# stand-in.
# shellcheck shell=bash disable=SC2034
MIRROR=$ABS_O/standin/mirror/official
FROM=(--mirror "https://=$MIRROR/" --mirror "docker://=$MIRROR/")

copy_recipes() { # DIR: copies to DIR/images
	mkdir -p "$1"
	cp -r images "$1/"
	sed -i -E -e '/^\t\t(sha(256|512)|digest) = /d' \
		-e '/^\t\timage = /a\		standin = true;' -e '/^\t\turl = "https:/a\		standin = true;' \
		"$1/images/bookworm-2015/recipe.cfg"
	rm -f "$1"/images/*/recipe.lock
}

# Checks the root of either recipe, given its listing (unsquashfs -lls) and its image.
check_2015() { # LISTING IMAGE
	local kind mode path wrong='' unit role
	while read -r mode path; do
		grep -qE "^$mode root/root .* squashfs-root$path( -> .*)?\$" "$1" || wrong+=" $path"
	done <<-'END'
		-rwxr-xr-x /usr/bin/docker
		-rwxr-xr-x /usr/local/bin/calicoctl
		-rwxr-xr-x /usr/local/bin/etcd
		-rwxr-xr-x /usr/local/bin/etcdctl
		-rwxr-xr-x /usr/local/bin/kube-apiserver
		-rwxr-xr-x /usr/local/bin/kube-controller-manager
		-rwxr-xr-x /usr/local/bin/kube-proxy
		-rwxr-xr-x /usr/local/bin/kube-scheduler
		-rwxr-xr-x /usr/local/bin/kubectl
		-rwxr-xr-x /usr/local/bin/kubelet
		-rwxr-xr-x /usr/libexec/kubernetes/kubelet-plugins/net/exec/calico/calico
		-rwxr-xr-x /usr/sbin/firstboot
		drwxr-xr-x /etc/kubernetes/manifests
		drwxr-x--- /var/lib/kubelet
		-rw-r--r-- /etc/hosts
		-rw-r--r-- /etc/motd
		-rw-r--r-- /etc/systemd/journald.conf.d/rackstrap.conf
		-rw-r--r-- /etc/systemd/system/docker.service.d/rackstrap.conf
		-rw-r--r-- /etc/tmpfiles.d/rackstrap.conf
		-rw-r--r-- /usr/lib/rackstrap/containers.cfg
		-rwxr-xr-x /usr/lib/rackstrap/docker-bridge
		-rw-r--r-- /usr/lib/rackstrap/containers/calico_node_v0.4.8.tar
		-rw-r--r-- /usr/lib/rackstrap/containers/gcr.io_google_containers_pause_0.8.0.tar
	END
	for unit in images/common/units/* images/common/docker-1.7.0/* firstboot/units/*.service firstboot/units/*.timer \
		rackstrap-master.target rackstrap-node.target; do
		grep -qE "^-rw-r--r-- root/root .* squashfs-root/etc/systemd/system/${unit##*/}\$" "$1" ||
			wrong+=" ${unit##*/}"
	done
	check "every program, file and unit is at its place with its mode${wrong:+:$wrong}" test -z "$wrong"

	rm -rf "$WORK/root"
	unsquashfs -q -n -d "$WORK/root" "$2" etc/systemd etc/shadow usr/bin/docker usr/local/bin \
		usr/libexec/kubernetes usr/sbin/firstboot >/dev/null
	wrong=
	while read -r path kind; do
		cmp -s "$WORK/root$path" "$ABS_O/$kind" || wrong+=" $path"
	done <<-END
		/usr/bin/docker standin/docker
		/usr/local/bin/calicoctl standin/calicoctl
		/usr/local/bin/etcd standin/etcd
		/usr/local/bin/kube-apiserver standin/kube-apiserver
		/usr/local/bin/kube-controller-manager standin/kube-controller-manager
		/usr/local/bin/kube-proxy standin/kube-proxy
		/usr/local/bin/kube-scheduler standin/kube-scheduler
		/usr/local/bin/kubelet standin/kubelet
		/usr/libexec/kubernetes/kubelet-plugins/net/exec/calico/calico standin/calico_kubernetes
		/usr/sbin/firstboot firstboot
	END
	check "every program is the one in the archives${wrong:+:$wrong}" test -z "$wrong"
	check "etcdctl and kubectl came from theirs" sh -c \
		"grep -q 'etcdctl 2.0.9' '$WORK/root/usr/local/bin/etcdctl' &&
		grep -q 'kubectl 0.20.2' '$WORK/root/usr/local/bin/kubectl'"
	for role in master node; do
		wrong=$(find "$WORK/root/etc/systemd/system/rackstrap-$role.target.wants" -mindepth 1 -printf '%f\n' |
			sort | tr '\n' ' ')
		case $role in
		master) unit="calico-node.service docker.service etcd.service kube-apiserver.service kube-controller-manager.service kube-scheduler.service rackstrap-heal.timer rackstrap-pool.service " ;;
		node) unit="calico-node.service docker.service kube-kubelet.service kube-proxy.service rackstrap-heal.timer rackstrap-pool.service " ;;
		esac
		check "role $role's units hang on its target" test "$wrong" = "$unit"
	done
	check "the containers are loaded when Docker starts" test \
		"$(ls "$WORK/root/etc/systemd/system/docker.service.wants")" = rackstrap-containers.service
	check "no cluster unit starts by itself" sh -c "! ls $WORK/root/etc/systemd/system/*.target.wants |
		sed -n '/multi-user\|sockets/,/^\$/p' | grep -E 'docker|etcd|kube|calico'"
	check "no account has a password" sh -c "! grep -vE '^[^:]*:[*!]' '$WORK/root/etc/shadow'"
}
