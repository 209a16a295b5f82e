#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Bases with hostile programs and links: a tar whose update-initramfs attacks the machine that
# bakes (test/tools/hostile.c), a package whose maintainer script does, and trees in which a folder
# that tools write to is a link to a folder of the machine. mmdebstrap, apt and dpkg are the real
# ones. In check-long, a disk image with that update-initramfs, too.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
server=
tap_cleanup() {
	stop_site
	[ -z "$server" ] || kill "$server" 2>/dev/null
}
rm "$WORK/bin/mmdebstrap" # the real one is used
HOSTILE=$ABS_O/test/tools/hostile
MACHINE=$WORK/machine # stands for the machine's own files
mkdir -m 755 "$MACHINE"
machine() {
	echo public >"$MACHINE/public"
	echo private >"$MACHINE/private"
	chmod 600 "$MACHINE/private"
}
machine
export SECRET=of-the-operator

# A server on the machine's loopback, and one on an abstract socket.
python3 - "$WORK/machine.port" "rackstrap-test-$$" <<'P' &
import os, socket, sys, time
tcp = socket.create_server(("127.0.0.1", 0))
unix = socket.socket(socket.AF_UNIX)
unix.bind("\0" + sys.argv[2])
unix.listen()
with open(sys.argv[1] + ".new", "w") as f:
    f.write(str(tcp.getsockname()[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    time.sleep(1000)
P
server=$!
for _ in $(seq 1000); do [ -s "$WORK/machine.port" ] && break; sleep 0.1; done

# --- trees -----------------------------------------------------------------------------
TREE=$WORK/tree
mkdir -p "$TREE"/{boot,etc,proc,dev,sys,run,tmp,root,bin,usr/bin,usr/sbin,usr/lib,var/tmp,var/log,var/cache,var/lib/dpkg/{info,updates,triggers}}
cp "$HOSTILE" "$TREE/usr/sbin/update-initramfs"
echo kernel >"$TREE/boot/vmlinuz-6.1.0-test"
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$TREE/etc/passwd"
printf 'root:x:0:\n' >"$TREE/etc/group"
printf 'root:*:19000:0:99999:7:::\n' >"$TREE/etc/shadow"
: >"$TREE/var/lib/dpkg/status"
echo "$MACHINE $(cat "$WORK/machine.port") rackstrap-test-$$" >"$TREE/hostile.cfg"
# dpkg in the tree: the machine's, with its libraries.
for p in dpkg dpkg-deb dpkg-split dpkg-query diff tar rm env sh; do
	p=$(command -v $p)
	cp -L "$p" "$TREE/usr/bin/"
	ldd "$p" | sed -n 's/.* \(\/[^ ]*\) (.*/\1/p; s/^\t\(\/[^ ]*\) (.*/\1/p'
done | sort -u | while read -r lib; do
	mkdir -p "$TREE$(dirname "$lib")"
	cp -L "$lib" "$TREE$lib"
done
ln -s /usr/bin/sh "$TREE/bin/sh"
for p in ldconfig start-stop-daemon; do
	printf '#!/bin/sh\n' >"$TREE/usr/sbin/$p"
	chmod 755 "$TREE/usr/sbin/$p"
done
pack() { tar -C "$TREE" --owner=0 --group=0 --sort=name -cf "$WORK/site/base.tar" .; }

# Writes a recipe with that tar as base, and more keys of the base.
tree_recipe() { # [KEYS]
	cat >"$WORK/recipe/recipe.cfg" <<-S
		version = 1;
		name = "small";
		base : { type = "tar"; url = "http://files.invalid/base.tar"; sha256 = "$(sha256sum <"$WORK/site/base.tar" | cut -c1-64)"; ${1-} };
		images = [ "pxe" ];
	S
}
build() { "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}"; }
report() { unsquashfs -q -n -cat "$WORK/images/small/root.squashfs" "hostile-$1.txt" >"$WORK/report"; }
intact() {
	[ "$(cat "$MACHINE"/{private,public})" = "$(printf 'private\npublic')" ] &&
		[ "$(find "$MACHINE" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')" = 'private public ' ]
}
# Checks that a hostile program ran and that nothing but its chroot failed to hold it.
held() { # WHOSE NAME
	check "$1 has run" report "$2"
	check "$1 has left its chroot, and got no further" test "$(cat "$WORK/report")" = "$(printf 'started\nleft the chroot')" ||
		note <"$WORK/report"
	check "$1 has changed nothing of the machine" intact
}

# --- the attack works where nothing holds it ---------------------------------------------
cp -r "$TREE" "$WORK/control"
mount_proc='mount -t proc proc "$1/proc" && exec chroot "$1" update-initramfs'
# shellcheck disable=SC2016 # $1 is the inner shell's
[ "$(id -u)" != 0 ] || unshare --mount --pid --fork sh -c "$mount_proc" sh "$WORK/control"
if [ "$(id -u)" = 0 ]; then
	for did in "read /etc/shadow" "read $MACHINE/public" "wrote to $MACHINE" "wrote to /usr/bin" \
		"removed $MACHINE/public" "connected to a port of the machine" "connected to a socket of the machine" \
		"read the environment"; do
		check "without a sandbox, the program reports: ${did//$WORK/}" grep -qxF "$did" "$WORK/control/hostile-update-initramfs.txt"
	done
fi
machine

# --- programs ----------------------------------------------------------------------------
pack
tree_recipe
check "an image with a hostile update-initramfs is baked" build || finish
held "a tar's update-initramfs" update-initramfs
mkdir -p "$WORK/packages/evil/DEBIAN"
cp "$HOSTILE" "$WORK/packages/evil/DEBIAN/postinst"
deb evil 1.0
publish
tree_recipe 'suite = "small"; components = [ "main" ]; mirror = "http://archive.invalid/debian"; keyring = "key.gpg"; packages = [ "evil" ];'
check "an image with a hostile package is baked" build || { tail -n 30 "$RACKSTRAP_CACHE"/base/*.log | note; finish; }
held "a package's postinst" evil.postinst
check "nothing is left in TMPDIR" test -z "$(ls -A "$TMPDIR")"

# --- a disk image --------------------------------------------------------------------------
if is_long; then
	printf 'ID=debian\nVERSION_ID="12"\nNAME="Debian"\n' >"$TREE/etc/os-release"
	echo 12.0 >"$TREE/etc/debian_version"
	echo /dev/vda / ext4 defaults 0 1 >"$TREE/etc/fstab"
	mke2fs -q -t ext4 -d "$TREE" "$WORK/site/disk.raw" 64M
	sed "s|type = \"tar\"|type = \"disk\"|; s|base.tar|disk.raw|; s|sha256 = \"[^\"]*\"|sha256 = \"$(sha256sum <"$WORK/site/disk.raw" | cut -c1-64)\"|" \
		"$WORK/recipe/recipe.cfg" >"$WORK/disk.cfg"
	mkdir "$WORK/disk"
	cp "$WORK/recipe/key.gpg" "$WORK/disk/"
	mv "$WORK/disk.cfg" "$WORK/disk/recipe.cfg"
	check "an image of a hostile disk is baked" "$RACKSTRAP" build "$WORK/disk" --output "$WORK/images" "${FROM[@]}"
	held "a disk's update-initramfs" update-initramfs
	held "a postinst on a disk" evil.postinst
	rm -r "$WORK/images/small"
	check "the other image is baked again" build
fi

# --- as an ordinary user -------------------------------------------------------------------
# A mount namespace gives "nobody" subordinate ids, and a home of its own.
if [ "$(id -u)" = 0 ]; then
	echo "nobody:1900000000:65536" >"$WORK/subids"
	mkdir -m 700 "$WORK/user"
	chown 65534:65534 "$WORK/user"
	cp "$RACKSTRAP" "$ABS_O/firstboot" "$ABS_O/test/unit/test-sandbox" "$WORK/bin/"
	# shellcheck disable=SC2016 # the variables are the inner shell's
	as_nobody() { # PROGRAM ARGS...
		unshare --mount sh -c 'mount --bind "$1" /etc/subuid && mount --bind "$1" /etc/subgid && shift &&
			exec setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all -- "$@"' sh "$WORK/subids" \
			env HOME="$WORK/user" TMPDIR="$WORK/user" RACKSTRAP_CACHE="$WORK/user/cache" "$@"
	}
	check "an ordinary user's sandbox holds" as_nobody "$WORK/bin/test-sandbox"
	check "an ordinary user bakes the image" as_nobody "$WORK/bin/rackstrap" build "$WORK/recipe" --output "$WORK/user/images" "${FROM[@]}"
	check "the image is the one that root bakes" diff -r "$WORK/images/small" "$WORK/user/images/small"
	check "nothing is left in the user's TMPDIR" test "$(find "$WORK/user" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')" = 'cache images '
	refuse "a user without subordinate ids is told what to do" 4 \
		"rackstrap: user 'nobody' has no 65536 subordinate ids, which the programs of a foreign system run with; as root: usermod --add-subuids *" \
		setpriv --reuid 65534 --regid 65534 --clear-groups env HOME="$WORK/user" TMPDIR="$WORK/user" RACKSTRAP_CACHE="$WORK/user/cache" \
		"$WORK/bin/rackstrap" build "$WORK/recipe" --output "$WORK/user/images" "${FROM[@]}" --refresh
fi

# --- links ---------------------------------------------------------------------------------
# Tools of the machine delete and write in these folders.
for path in run tmp dev proc sys var var/cache var/cache/apt var/lib/apt var/lib/apt/lists var/lib/dpkg var/log \
	var/tmp etc etc/apt etc/apt/apt.conf.d usr/share/initramfs-tools boot; do
	rm -rf "$WORK/linked"
	mkdir -p "$WORK/linked/$(dirname "$path")"
	ln -s "$MACHINE" "$WORK/linked/$path"
	tar -C "$WORK/linked" --owner=0 --group=0 -cf "$WORK/links.tar" .
	cp "$WORK/site/base.tar" "$WORK/linked.tar"
	tar --concatenate -f "$WORK/linked.tar" "$WORK/links.tar"
	cp "$WORK/linked.tar" "$WORK/site/links.tar"
	tree_recipe
	sed -i "s|base.tar|links.tar|; s|sha256 = \"[^\"]*\"|sha256 = \"$(sha256sum <"$WORK/site/links.tar" | cut -c1-64)\"|" "$WORK/recipe/recipe.cfg"
	refuse "a base is refused whose /$path is a link to a folder of the machine" 1 \
		"rackstrap: $WORK/recipe/recipe.cfg:3: base: http://files.invalid/links.tar: tar: member './$path' is not a folder, but tools write below it: archive refused" \
		build
done
check "no file of the machine is removed" intact
finish
