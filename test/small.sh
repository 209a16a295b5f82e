# SPDX-License-Identifier: Apache-2.0
#
# Sourced after tap.sh by tests that build: an archive and a recipe with which a build takes half a
# second. $WORK/site has a signed archive of a few empty packages and one artifact; $WORK/recipe
# uses both; they are served at the URL $SITE. apt and its signatures are real; mmdebstrap is
# replaced by a program that writes the files of an installation without installing anything; it
# runs in the sandbox of the real one.
#
#	deb NAME VERSION [FIELD]	adds a package to the archive
#	publish [SED-SCRIPT]		signs its new state, with a changed index
#	recipe PACKAGE...		writes the recipe
#	serve DIR			serves DIR in place of $WORK/site, and sets SITE
#	stop_site			stops the server; to be called by tap_cleanup
# shellcheck shell=bash disable=SC2034
unset {http,https,all,no}_proxy {HTTP,HTTPS,ALL,NO}_PROXY RACKSTRAP_MIRROR
export RACKSTRAP_CACHE=$WORK/cache RACKSTRAP_FETCH_PAUSE=1 TMPDIR=$WORK/tmp

# --- an archive ------------------------------------------------------------------------
mkdir -p "$WORK"/{bin,tmp,site,packages,recipe,base/{boot,bin,etc,usr/lib,usr/sbin,var/lib/dpkg}}
make_system() { # DIR: writes there what an image with roles needs of a system, as empty files
	mkdir -p "$1"/{bin,usr/bin,usr/sbin,usr/lib/systemd/system}
	touch "$1"/{bin/busybox,usr/bin/curl,usr/bin/systemctl,usr/sbin/init,usr/sbin/iptables-restore,usr/bin/docker}
	printf '[Install]\nWantedBy=multi-user.target\n' >"$1/usr/lib/systemd/system/systemd-networkd.service"
}
chmod 755 "$WORK" "$WORK/tmp"
export GNUPGHOME=$WORK/gnupg
mkdir -m 700 "$GNUPGHOME"
gpg --batch --quiet --passphrase '' --quick-generate-key test rsa2048 sign never 2>/dev/null
gpg --batch --quiet --export test >"$WORK/recipe/key.gpg"
deb() { # NAME VERSION [FIELD: VALUE]
	local d=$WORK/packages/$1
	mkdir -p "$d/DEBIAN" "$WORK/site/debian/pool/main/${1:0:1}/$1"
	printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: nobody <n@example.invalid>\nDescription: a test\n%s' \
		"$1" "$2" "${3:+$3
}" >"$d/DEBIAN/control"
	dpkg-deb --build --root-owner-group "$d" "$WORK/site/debian/pool/main/${1:0:1}/$1/${1}_${2#*:}_all.deb" >/dev/null
}
publish() { # [SED-SCRIPT]
	set -- "${1-}"
	(cd "$WORK/site/debian" && mkdir -p dists/small/main/binary-amd64 &&
		apt-ftparchive packages pool | sed "$1" >dists/small/main/binary-amd64/Packages &&
		rm -f dists/small/Release dists/small/InRelease &&
		apt-ftparchive -o APT::FTPArchive::Release::Origin=Test -o APT::FTPArchive::Release::Suite=small \
			-o APT::FTPArchive::Release::Codename=small -o APT::FTPArchive::Release::Architectures=amd64 \
			-o APT::FTPArchive::Release::Components=main release dists/small >"$WORK/Release" &&
		mv "$WORK/Release" dists/small/Release &&
		gpg --batch --quiet --yes --clear-sign --output dists/small/InRelease dists/small/Release)
}
make_system "$WORK/packages/essential"
deb essential 1.0 "Essential: yes"
mkdir -p "$WORK/packages/kernel/boot"
touch "$WORK/packages/kernel/boot/vmlinuz-6.1.0-test"
deb kernel 6.1
deb initramfs-tools 0.142 "Depends: helper"
deb helper 1:2+b~1
deb tool 1.0
publish
head -c 100000 /dev/urandom >"$WORK/site/kubelet"

# --- a base -------------------------------------------------------------------
make_system "$WORK/base"
(
	cd "$WORK/base" || exit 1
	head -c 10000 /dev/urandom >boot/vmlinuz-6.1.0-test
	head -c 10000 /dev/urandom >boot/initrd.img-6.1.0-test
	echo 'root:*:19000:0:99999:7:::' >etc/shadow
	chmod 640 etc/shadow
	: >etc/machine-id
)
{
	cat <<'S'
#!/bin/bash
# Writes a base with every package of the sources given, and no other. Its log gets the digests
# of the packages. A package "broken" makes it fail, a package "slow" makes it sleep, a package
# "large" makes it write 2 MiB, and a package "terminal" what a terminal obeys. It runs in the
# sandbox: it has no other file of the test than itself.
[ "$1" != --version ] || { echo "mmdebstrap 1.3.5"; exit 0; }
set -e
dir=$(sed -n 's/^URIs: copy://p' "${@: -1}")
(cd "$dir" && sha256sum *.deb) | sed 's/^/DEB /' >&2
[ ! -e "$dir/broken_1.0_all.deb" ] || { echo "E: a package is broken" >&2; exit 1; }
[ ! -e "$dir/slow_1.0_all.deb" ] || sleep 1000
[ ! -e "$dir/large_1.0_all.deb" ] || head -c 2M /dev/zero >"$(mktemp)"
[ ! -e "$dir/terminal_1.0_all.deb" ] || printf 'x\033[2J\302\2332J\342\200\256\r50%%\0end\n' >&2
base=$(mktemp -d)
sed '1,/^# the base$/d' "$0" | base64 -d | tar -C "$base" -x
awk -v RS= -v ORS='\n\n' '{ print $0 "\nStatus: install ok installed" }' "$dir/Packages" >"$base/var/lib/dpkg/status"
tar -C "$base" --owner=0 --group=0 --sort=name -c .
exit
# the base
S
	tar -C "$WORK/base" -c . | base64
} >"$WORK/bin/mmdebstrap"
chmod 755 "$WORK/bin/mmdebstrap"
PATH=$WORK/bin:$PATH
recipe() { # [PACKAGE...]
	local list
	list=$(printf ', "%s"' "$@")
	cat >"$WORK/recipe/recipe.cfg" <<-S
		version = 1;
		name = "small";
		base : { type = "suite"; suite = "small"; components = [ "main" ]; kernel = "kernel"; keyring = "key.gpg";
			mirror = "http://archive.invalid/debian"; packages = [ ${list#, } ]; };
		artifacts = ( { name = "kubelet"; url = "http://files.invalid/v1/kubelet?raw=1%2b1"; to = "/usr/local/bin/kubelet"; mode = "0755"; public_query = true; } );
		roles = ( { name = "master"; units = [ ]; ready = [ ]; features = [ "kubernetes-master", "nat", "calico", "docker" ]; }, { name = "node"; units = [ ]; ready = [ ]; features = [ "kubernetes", "cbr0", "nat", "calico", "docker" ]; } );
		images = [ "pxe" ];
	S
}
recipe tool
mkdir -p "$WORK/site/v1"
cp "$WORK/site/kubelet" "$WORK/site/v1/kubelet"
httpd=
stop_site() {
	[ -z "$httpd" ] || kill "$httpd" 2>/dev/null
	gpgconf --kill all 2>/dev/null
}
serve() {
	[ -z "$httpd" ] || kill "$httpd" 2>/dev/null
	rm -f "$WORK/port"
	python3 test/httpd.py "$1" "$WORK/port" >&2 &
	httpd=$!
	for _ in $(seq 1000); do [ -s "$WORK/port" ] && break; sleep 0.1; done
	SITE=http://127.0.0.1:$(cat "$WORK/port")
	FROM=(--mirror "http://archive.invalid/=$SITE/" --mirror "http://files.invalid/=$SITE/")
}
serve "$WORK/site"
