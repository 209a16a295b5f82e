#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# `make deb`: lintian finds no error in the packages, dpkg installs them in a copy of this
# machine's root (an overlay, which is gone afterwards), their programs run there, and
# nothing of them is left when they are purged. test/long/deb.sh has a root of Debian 12
# with nothing else in it.
. "$(dirname "$0")/../tap.sh"
unset MAKEFLAGS MAKELEVEL
version=$(cat VERSION)
deb=$O/deb

check "make deb succeeds" make -s O="$O" deb || finish
check "make deb makes two packages and the debugging symbols of one" test \
	"$(cd "$deb" && printf '%s ' ./*.deb)" = \
	"./rackstrap-dbgsym_${version}_amd64.deb ./rackstrap-firstboot_${version}_amd64.deb ./rackstrap_${version}_amd64.deb "
check "lintian finds no error" lintian --fail-on error --allow-root "$deb/rackstrap_${version}_amd64.changes"
cp "$WORK/out" "$WORK/lintian"
check "lintian prints no warning" sh -c "! grep '^[EW]:' '$WORK/lintian'"

# The packages that have the programs in tables of the sources: {"mcopy", "mtools"}.
named_packages() {
	git ls-files 'builder/*.[ch]' 'pxe/*.[ch]' | xargs cat |
		grep -oE '\{("[a-z._0-9-]+"|[A-Z_]+), "[a-z0-9-]+"\}' |
		sed -nE 's/.*, "([a-z0-9-]+)"\}$/\1/p' | sort -u |
		while read -r p; do
			about=$(apt-cache show "$p" 2>/dev/null)
			# Essential packages are no dependencies: they are always there.
			[ -z "$about" ] || [[ $about == *"Essential: yes"* ]] || echo "$p"
		done
}
dpkg-deb -f "$deb/rackstrap_${version}_amd64.deb" Depends | tr ',|' '\n' | awk '{ print $1 }' |
	sort -u >"$WORK/depends"
named_packages >"$WORK/named"
check "the sources name packages of programs" test "$(wc -l <"$WORK/named")" -ge 6
check "rackstrap depends on each of these packages" sh -c "! comm -23 '$WORK/named' '$WORK/depends' | grep ."
mkdir "$WORK/root"
cp "$deb/rackstrap_${version}_amd64.deb" "$deb/rackstrap-firstboot_${version}_amd64.deb" "$WORK"
cat >"$WORK/in-root" <<'E2'
set -eu
# dpkg refuses packages whose dependencies are not installed.
export DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin
cd /
find /usr /etc -xdev -name '*rackstrap*' | sort >/run/before
dpkg -i /run/debs/*.deb >&2
command -v rackstrap
rackstrap --version
rackstrap --help | head -n 1
command -v firstboot
firstboot --version
firstboot --help | head -n 1
dpkg -L rackstrap rackstrap-firstboot |
	grep -cxE '/usr/share/(man/man(1/rackstrap-build.1|5/recipe.cfg.5|8/firstboot.8)|doc/rackstrap/first-rack.md).gz'
rackstrap check /usr/share/rackstrap/configs/demo.cfg >&2
{ rackstrap build --dry-run /usr/share/rackstrap/images/bookworm-vm 2>&1 || true; } | grep "no digest" >&2
dpkg -P rackstrap rackstrap-firstboot >&2
find /usr /etc -xdev -name '*rackstrap*' | sort | diff /run/before - >&2
E2
# The copy's changes are in memory.
in_copy_of_root() {
	# shellcheck disable=SC2016
	unshare -m sh -ec '
		mount -t tmpfs none "$1/root"
		mkdir "$1/root/upper" "$1/root/work" "$1/root/merged"
		mount -t overlay none -o "lowerdir=/,upperdir=$1/root/upper,workdir=$1/root/work" "$1/root/merged"
		mount -t tmpfs none "$1/root/merged/run"
		mount --rbind /dev "$1/root/merged/dev"
		mount -t proc none "$1/root/merged/proc"
		mkdir "$1/root/merged/run/debs"
		cp "$1"/*.deb "$1/root/merged/run/debs"
		cp "$1/in-root" "$1/root/merged/run"
		exec chroot "$1/root/merged" sh /run/in-root' - "$WORK"
}
if [ "$(id -u)" != 0 ]; then
	skip "dpkg installs and removes them" "needs root"
	finish
fi
check "dpkg installs them, their programs run, dpkg removes them" in_copy_of_root
cp "$WORK/out" "$WORK/said"
check "the installed programs print what they should" diff "$WORK/said" - <<E2
/usr/bin/rackstrap
rackstrap $version
$("$RACKSTRAP" --help | head -n 1)
/usr/bin/firstboot
firstboot $version
$("$ABS_O/firstboot" --help | head -n 1)
4
E2
finish
