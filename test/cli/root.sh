#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The static firstboot below a root with symlinks out of it, on this kernel and as on one without
# openat2(). test/unit/test-firstboot-escape.c has every directory and file.
. "$(dirname "$0")/../tap.sh"
R=$WORK/root
unchanged() { [ "$(cd "$WORK/outside" && find . -type f | sort | xargs cat)" = precious ]; }
for runner in env "$ABS_O/test/tools/no-openat2"; do
	name=${runner##*/}
	rm -rf "$R" "$WORK/outside"
	mkdir -p "$WORK/outside" "$R/root" "$R/run/rackstrap" "$R/sys/devices/a/net/eth0/device" "$R/sys/class/net"
	install_2015 "$R"
	echo precious >"$WORK/outside/hostname"
	(cd "$R/sys/devices/a/net/eth0" && echo 52:54:00:25:00:11 >address && echo 1 >./type && echo 2 >ifindex)
	ln -s ../../devices/a/net/eth0 "$R/sys/class/net/eth0"
	printf '%s\n' 'name = "m"; role = "master"; mac = "52:54:00:25:00:11"; address = "172.25.0.10/24";' \
		'ssh_keys = [ "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDq1F/2X0oTVvX7oP0Zb7dN2gRkU0f1Jx0b2o3a4c5d6" ];' \
		>"$R/run/rackstrap/host.cfg"
	ln -s "$WORK/outside" "$R/etc"
	ln -s ../../outside "$R/root/.ssh"
	refuse "$name: a symlink that leads nowhere below the root is named" 1 \
		"firstboot: this host is not configured" "$runner" "$ABS_O/firstboot" apply --root="$R" --cmdline=
	mv "$WORK/err" "$WORK/said"
	check "$name: the message has its target" grep -qF \
		"/etc/hostname: /etc is a symlink to '$WORK/outside', which does not exist below the root" "$WORK/said"
	check "$name: nothing outside is changed" unchanged
	mkdir -p "$R$WORK/outside" "$R/outside"
	check "$name: apply succeeds where the symlinks lead below the root" \
		"$runner" "$ABS_O/firstboot" apply --root="$R" --cmdline=
	check "$name: etc/hostname is there" grep -qx m "$R$WORK/outside/hostname"
	check "$name: root/.ssh/authorized_keys is there" grep -q ^ssh-ed25519 "$R/outside/authorized_keys"
	check "$name: nothing outside is changed by it" unchanged
done

# An operator's shell may have another umask than systemd.
R=$WORK/umask
mkdir -p "$R/run/rackstrap" "$R/sys/class/net/eth0/device"
install_2015 "$R"
(cd "$R/sys/class/net/eth0" && echo 52:54:00:25:00:11 >address && echo 1 >./type && echo 2 >ifindex)
echo 'name = "m"; role = "master"; mac = "52:54:00:25:00:11"; address = "172.25.0.10/24";' >"$R/run/rackstrap/host.cfg"
with_umask() { (umask 077 && "$ABS_O/firstboot" apply --root="$R" --cmdline=); }
check "apply succeeds with umask 077" with_umask
check "it makes folders in /etc" [ -d "$R/etc/systemd/network" ]
check "all users may read them" [ -z "$(find "$R/etc" -type d ! -perm 755)" ]
finish
