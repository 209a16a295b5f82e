#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Installs the Debian packages, with the packages that they depend on, in a root of Debian 12
# that has nothing but apt. There rackstrap bakes a PXE set, disks and an ISO from the installed
# recipe with stand-ins, reads a disk again, and boots the master of the installed demo rack. Of
# the build folder only the packages and the stand-ins, which are served, are used.
#
# DEB=DIR takes packages that are built already. The test needs root and 8 GB in TMPDIR.
. "$(dirname "$0")/../tap.sh"
unset MAKEFLAGS MAKELEVEL
[ "$(id -u)" = 0 ] || bail "needs root"
DEB=${DEB:-}
if [ -z "$DEB" ]; then
	DEB=$ABS_O/deb
	check "make deb succeeds" make -s O="$O" deb || finish
fi
HTTPD=
tap_cleanup() { [ -z "$HTTPD" ] || kill "$HTTPD" 2>/dev/null; }
python3 test/httpd.py "$ABS_O/standin/mirror" "$WORK/port" 2>/dev/null &
HTTPD=$!

sources=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' | awk '$1 == "bookworm" { print $2; exit }')
check "a root with apt is made" mmdebstrap --quiet --mode=root --variant=apt --include=mount bookworm "$WORK/root" "$sources" ||
	finish
mkdir "$WORK/root/debs"
for p in rackstrap rackstrap-firstboot; do
	cp "$DEB/${p}_$(cat VERSION)_amd64.deb" "$WORK/root/debs/" || bail "no package $p"
done
# The network is this machine's, with its proxies.
cp /etc/resolv.conf "$WORK/root/etc/"
apt-config dump Acquire >"$WORK/root/etc/apt/apt.conf.d/00machine"
printf '#!/bin/sh\nexit 101\n' >"$WORK/root/usr/sbin/policy-rc.d"
chmod 755 "$WORK/root/usr/sbin/policy-rc.d"

# Runs a command in the root, as its own mount namespace's root: the kernel refuses new
# user namespaces in a chroot.
within() {
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -ec '
		root=$1
		shift
		mount --bind "$root" "$root"
		for d in dev sys; do mount --rbind /$d "$root/$d"; done
		mount -t proc none "$root/proc"
		mount -t tmpfs none "$root/run"
		cd "$root"
		mkdir -p .old
		pivot_root . .old
		umount -l /.old
		exec env -i HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"' - "$WORK/root" "$@"
}
check "apt installs the packages and their dependencies" within sh -ec \
	'apt-get -qq update && apt-get -qy --no-install-recommends install /debs/*.deb' || finish
check "the installed rackstrap runs" within rackstrap --version
for _ in $(seq 1000); do [ -s "$WORK/port" ] && break; sleep 0.1; done
from="http://standin.invalid/=http://127.0.0.1:$(cat "$WORK/port")/"
recipe=/usr/share/rackstrap/images/bookworm-vm
check "lock succeeds" within rackstrap lock $recipe --artifacts --output /root/lock --mirror "$from" || finish
check "build succeeds" within rackstrap build $recipe --lock /root/lock --mirror "$from" --output /root/out \
	--type pxe --type disk --type iso --format raw --format qcow2 --format zst || finish
check "inspect of a qcow2 succeeds" within rackstrap inspect /root/out/bookworm-vm/disk.qcow2
check "customize of an ISO succeeds" within rackstrap customize /root/out/bookworm-vm/boot.iso \
	--rack /usr/share/rackstrap/configs/demo.cfg
for uefi in "" --uefi; do
	# shellcheck disable=SC2086
	check "the master becomes ready, booted by ${uefi:-BIOS}" within rackstrap rack /usr/share/rackstrap/configs/demo.cfg \
		--image /root/out/bookworm-vm --host master --dir /root/rack --fresh --timeout 1500 $uefi
	note <"$WORK/out"
done
finish
