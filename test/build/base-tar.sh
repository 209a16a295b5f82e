#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A root filesystem's tar with members of every kind that tar(1) extracts is baked as tar(1) would
# extract it, by the real mmdebstrap: names and targets of any bytes, a member twice, hard links to
# symlinks and from one to another, times before 1970 and after 2106, large ids, the mode's
# upper bits, global headers, names with "/" in front and behind, members below symlinks. An id that
# no file can have is refused, and a member that tar(1) cannot extract.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
tap_cleanup() { stop_site; }
rm "$WORK/bin/mmdebstrap" # the real one is used
TREE=$WORK/tree
mkdir -p "$TREE"/{boot,etc,proc,dev,sys,run,tmp,root,bin,usr/bin,usr/sbin,usr/lib,var/lib/dpkg/info}
make_system "$TREE"
echo kernel >"$TREE/boot/vmlinuz-6.1.0-test"
printf '#!/bin/sh\necho initrd >/boot/initrd.img-6.1.0-test\n' >"$TREE/usr/sbin/update-initramfs"
chmod 755 "$TREE/usr/sbin/update-initramfs"
echo 'root:*:19000:0:99999:7:::' >"$TREE/etc/shadow"
: >"$TREE/var/lib/dpkg/status"
: >"$TREE/bin/busybox" # the boot script needs it
chmod 755 "$TREE/bin/busybox"
sh=$(readlink -f /bin/sh)
cp "$sh" "$TREE/bin/sh"
ldd "$sh" | sed -n 's/.* \(\/[^ ]*\) (.*/\1/p; s/^\t\(\/[^ ]*\) (.*/\1/p' | while read -r lib; do
	mkdir -p "$TREE$(dirname "$lib")"
	cp -L "$lib" "$TREE$lib"
done
tar -C "$TREE" --owner=0 --group=0 --sort=name -cf "$WORK/tree.tar" .

# Bakes the tree with the members that Python code adds with add(). Usage: bake FORMAT PYTHON
bake() {
	cp "$WORK/tree.tar" "$WORK/site/base.tar"
	python3 - "$WORK/site/base.tar" "$1" "$2" <<'P'
import io, sys, tarfile
t = tarfile.open(sys.argv[1], "a", format=getattr(tarfile, sys.argv[2]), errors="surrogateescape",
                 encoding="utf-8", pax_headers={"comment": "a global header"})
def add(name, data=b"", kind=tarfile.REGTYPE, target="", mode=0o644, **more):
    m = tarfile.TarInfo(name)
    m.type, m.linkname, m.size, m.mode, m.mtime = kind, target, len(data), mode, 5
    for key, value in more.items():
        setattr(m, key, value)
    t.addfile(m, io.BytesIO(data))
DIR, SYM, LNK, FIFO = tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE
exec(sys.argv[3])
t.close()
P
	cat >"$WORK/recipe/recipe.cfg" <<-S
		version = 1;
		name = "small";
		base : { type = "tar"; url = "http://files.invalid/base.tar"; sha256 = "$(sha256sum <"$WORK/site/base.tar" | cut -c1-64)"; };
		images = [ "pxe" ];
	S
	"$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}"
}
# Reads the image below /x with a foreign tool.
image() {
	TZ=UTC unsquashfs -lln "$WORK/images/small/root.squashfs" x | sed -n 's|squashfs-root/x/||p' | tr -s ' ' >"$WORK/list"
	unsquashfs -q -n -cat "$WORK/images/small/root.squashfs" "$1"
}
has() { grep -qxF -- "$1" "$WORK/list"; }
long=$(printf 'y%.0s' $(seq 120))
# shellcheck disable=SC2016 # the code has no variables of the shell
members='
long = "y" * 120
add("x/", kind=DIR, mode=0o755)
add("/x/slash", b"s")
add("./x/twice", b"old")
add("x/kept", kind=LNK, target="x/twice")
add("x/twice", b"new", mode=0o600)
add("x/link", kind=SYM, target="twice", mode=0o777)
add("x/hard", kind=LNK, target="./x/link")
add("x/chain", kind=LNK, target="x/kept")
add("x/long", kind=SYM, target="/" + long, mode=0o777)
add("x/up", kind=SYM, target="../" + long, mode=0o777)
add("x/bytes", kind=SYM, target="./\udce9", mode=0o777)
add("x/\udce9", b"latin 1")
add("x/\u0151", b"utf-8")
add("x/" + long, b"long")
add("x/before", b"b", mtime=-5)
add("x/after", b"a", mtime=2**36)
add("x/owned", b"o", uid=65535, gid=65535)
add("x/setuid", b"s", mode=0o6755)
add("x/fifo", kind=FIFO)
add("x/lib/", kind=DIR, mode=0o755)
add("x/short", kind=SYM, target="lib", mode=0o777)
add("x/short/a", b"a")
add("x/absolute", kind=SYM, target="/x/lib", mode=0o777)
add("x/absolute/b", kind=LNK, target="x/short/a")
'
for format in GNU_FORMAT PAX_FORMAT; do
	check "a tar with odd members is baked ($format)" bake $format "$members" || finish
	image x/twice >"$WORK/twice"
	check "the last of two members wins" grep -qx new "$WORK/twice"
	check "a hard link to the first keeps its data" test "$(image x/kept)" = old
	check "a hard link to a hard link is one" test "$(image x/chain)" = old
	for line in "-rw------- 0/0 3 1970-01-01 00:00 twice" "lrwxrwxrwx 0/0 5 1970-01-01 00:00 hard -> twice" \
		"lrwxrwxrwx 0/0 121 1970-01-01 00:00 long -> /$long" "lrwxrwxrwx 0/0 123 1970-01-01 00:00 up -> ../$long" \
		"lrwxrwxrwx 0/0 3 1970-01-01 00:00 bytes -> ./"$'\351' "-rw-r--r-- 0/0 7 1970-01-01 00:00 "$'\351' \
		"-rw-r--r-- 0/0 5 1970-01-01 00:00 ő" "-rw-r--r-- 0/0 4 1970-01-01 00:00 $long" \
		"-rw-r--r-- 0/0 1 1970-01-01 00:00 before" "-rw-r--r-- 0/0 1 2015-06-30 00:00 after" \
		"-rw-r--r-- 65535/65535 1 1970-01-01 00:00 owned" "-rwsr-sr-x 0/0 1 1970-01-01 00:00 setuid" \
		"-rw-r--r-- 0/0 1 1970-01-01 00:00 slash" "lrwxrwxrwx 0/0 6 1970-01-01 00:00 absolute -> /x/lib" \
		"-rw-r--r-- 0/0 1 1970-01-01 00:00 lib/b"; do
		check "the image has $(printf %q "${line%%yyyy*}")" has "$line" || note <"$WORK/list"
	done
done

# A base that is pinned by SHA-512 alone is found in the cache by the SHA-256 that the cache knows.
sed -i "s|sha256 = \"[0-9a-f]*\"|sha512 = \"$(sha512sum <"$WORK/site/base.tar" | cut -c1-128)\"|" "$WORK/recipe/recipe.cfg"
again() { "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}" "$@" 2>"$WORK/said"; }
rm -r "$RACKSTRAP_CACHE/blobs"
check "dry run: a base whose SHA-256 is not known is not judged" again --dry-run
check "a base pinned by SHA-512 is the cached one" again
check "it is fetched, not made" grep -q '^rackstrap: base: cached' "$WORK/said"
check "an offline build finds a base pinned by SHA-512" again --offline
check "it takes the cached one" grep -q '^rackstrap: base: cached' "$WORK/said"

for id in -2 65536 4294967296; do
	refuse "the owner $id is refused" 1 "*: tar: member 'x': its owner is $id: a base can have ids up to 65535" \
		bake GNU_FORMAT "add('x', b'x', uid=$id)"
done
cannot() { # WHAT WORDS PYTHON
	refuse "$1 is refused" 1 "rackstrap: *base*: tar: member $2: archive refused" bake GNU_FORMAT "$3"
}
cannot "a hard link to no member" "'a' is a hard link to 'gone', but no member before it has that name" \
	"add('a', kind=LNK, target='gone')"
cannot "a hard link to a folder" "'a' is a hard link to 'usr', which is a folder" "add('a', kind=LNK, target='usr')"
cannot "a long name" "'$long$long${long:0:16}' has a name of more than 255 bytes in its path" "add('y' * 256)"
cannot "a file used as a folder" "'x/a' is below 'x', which is a file" "add('x'); add('x/a')"
cannot "a member below a link to nothing" "'l/a' is below the symlink 'l', which does not lead to a folder before it" \
	"add('l', kind=SYM, target='gone'); add('l/a')"
refuse "an empty kernel is refused" 1 "*base: /boot/vmlinuz-6.1.0-test is empty: no machine boots it*" \
	bake GNU_FORMAT "add('./boot/vmlinuz-6.1.0-test')"
finish
