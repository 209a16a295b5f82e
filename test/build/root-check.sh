#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The root image is compared with its plan: a mksquashfs that drops, adds or changes an entry of
# the tar that it is given fails the build, which says what is wrong and leaves no image. Names and
# targets of links of any length and any bytes, from recipe and base, arrive.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
tap_cleanup() { stop_site; }
long=/$(printf 'y%.0s' $(seq 120))
mkdir -p "$WORK/base/usr/share"
for target in ../é /etc/ő "/$(printf '\351')" .$long ../../x; do
	ln -s "$target" "$WORK/base/usr/share/${target//\//_}"
	printf '%s\n' "$target" >>"$WORK/targets"
done
echo "$long" >>"$WORK/targets"
: >"$WORK/base/usr/share/$(printf '\351')"
# The base in the stand-in of mmdebstrap is made again with them.
sed -i '/^# the base$/q' "$WORK/bin/mmdebstrap"
tar -C "$WORK/base" -c . | base64 >>"$WORK/bin/mmdebstrap"
echo "files = ( { to = \"/usr/share/long\"; link = \"$long\"; } );" >>"$WORK/recipe/recipe.cfg"
"$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}" >/dev/null 2>&1 || bail "no lock"

build() {
	rm -rf "$RACKSTRAP_CACHE/root"
	"$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}"
}
check "an image is built" build || finish
unsquashfs -q -n -d "$WORK/root" "$WORK/images/small/root.squashfs" usr/share >/dev/null
find "$WORK/root/usr/share" -type l -printf '%l\n' | sort >"$WORK/got"
check "every link has its target" diff <(sort "$WORK/targets") "$WORK/got"
check "a name that is not UTF-8 is in the image" test -e "$WORK/root/usr/share/$(printf '\351')"

# --- a mksquashfs that changes something ------------------------------------------------
rm -rf "$WORK/images"
real=$(command -v mksquashfs)
change() { # DESCRIPTION PYTHON MESSAGE: runs PYTHON on each member m of the tar; "skip" drops it
	cat >"$WORK/bin/mksquashfs" <<-S
		#!/bin/sh
		python3 $WORK/change.py | $real "\$@"
	S
	cat >"$WORK/change.py" <<-S
		import sys, tarfile
		to = tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.GNU_FORMAT,
		                  encoding="utf-8", errors="surrogateescape")
		tar = tarfile.open(fileobj=sys.stdin.buffer, mode="r|", encoding="utf-8", errors="surrogateescape")
		for m in tar:
		    data = tar.extractfile(m) if m.isreg() else None
		    skip = False
		    $2
		    if not skip:
		        to.addfile(m, data)
		to.close()
		sys.stdout.buffer.flush()
	S
	chmod 755 "$WORK/bin/mksquashfs"
	refuse "$1 is found" 1 "rackstrap: root.squashfs: is not as it was planned: $3" build
}
change "a file that was dropped" 'skip = m.name == "etc/shadow"' "/etc/shadow is missing, planned is a file"
change "a link that was dropped" 'skip = m.name == "usr/share/long"' "/usr/share/long is missing, planned is a symlink"
change "a file of another name" 'm.name = m.name.replace("shadow", "shadov")' \
	"/etc/shadov is a file, which is not planned; and 1 more difference"
change "another mode" 'm.mode ^= 0o200 if m.name == "etc/shadow" else 0' "/etc/shadow has mode 0440, planned is 0640"
change "another owner" 'm.uid += m.name == "etc/shadow"' "/etc/shadow belongs to 1:0, planned is 0:0"
change "another group" 'm.gid += m.name == "etc"' "/etc belongs to 0:1, planned is 0:0"
change "another target" 'm.linkname = m.linkname.lstrip("./")' "/usr/share/* links to '*', planned is '*"
change "a file in place of a link" 'm.type = m.type if m.name != "usr/share/long" else b"0"' \
	"/usr/share/long is a file, planned is a symlink"
change "another time" 'm.mtime -= m.name == "usr/share/long"' "/usr/share/long has the time 1435622399, planned is 1435622400"
# Its xattr is a pax record: the format of the tar is another.
sed -i 's/GNU_FORMAT/PAX_FORMAT/' "$WORK/change.py"
sed -i 's/^    m\.mtime.*/    m.pax_headers = {"SCHILY.xattr.user.x": "y"} if m.name == "etc\/shadow" else {}/' "$WORK/change.py"
refuse "an extended attribute is found" 1 "rackstrap: root.squashfs: is not as it was planned: *" build
check "the image of none of them is left" test ! -e "$WORK/images/small"
check "none of them is in the cache" test ! -e "$RACKSTRAP_CACHE/root/small"
finish
