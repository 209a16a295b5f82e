#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# `rackstrap pxe --keep-for`: the image of the tree before stays for a time after the last request
# for it, which is in the access log, and the line that pxe prints counts what it wrote.
. "$(dirname "$0")/../tap.sh"
RACK=test/golden/pxe/web.cfg TREE=$WORK/tree

# An image with the roles of the rack, and no more of it than `rackstrap pxe` reads.
out() { printf '{"path":"%s","size":%d,"sha256":"%s"}' "$2" "$(stat -c %s "$1/$2")" "$(sha256sum <"$1/$2" | cut -c1-64)"; }
image() { # NAME
	local d=$WORK/$1 part
	mkdir "$d"
	for part in vmlinuz initrd.img root.squashfs; do echo "$part of $1" >"$d/$part"; done
	cat >"$d/manifest.json" <<-END
	{ "format": 1, "name": "$1", "epoch": 0, "cmdline": "", "standins": [],
	  "roles": [ { "name": "web", "units": [], "ready": [], "features": [] },
	             { "name": "store", "units": [], "ready": [], "features": [] } ],
	  "outputs": [ $(out "$d" vmlinuz), $(out "$d" initrd.img), $(out "$d" root.squashfs) ] }
	END
}
image one && image two
pxe() { "$RACKSTRAP" pxe "${RACK_FILE:-$RACK}" --image "$WORK/$1" -o "$TREE" "${@:2}" >"$WORK/line"; }
id_of() { sed -n 's|^set image ${base}/images/||p' "$TREE"/http/hosts/*-11.ipxe; } # the image that hosts boot
ids() { ls "$TREE/http/images"; }
# Makes as if image one had been replaced that long ago. Usage: replaced 'TIME OF date(1)'
replaced() { sed -i "s/^\($one\) .*/\1 $(date -d "$1" +%s)/" "$TREE/images.kept"; }
requested() { # 'TIME OF date(1)'
	echo "$(date -d "$1" +%s).000 10.3.0.11 \"GET /images/$one/root.cpio HTTP/1.1\" 200 512 0.100" >"$TREE/run/access.log"
}
says() { grep -qxF "$TREE: rack 'web', 3 hosts ($1), image '$2'" "$WORK/line"; }

check "pxe makes a tree" pxe one
check "it says that all hosts were written" says "3 written, 0 kept" one
one=$(id_of)
check "the time is a day by default" grep -qx 'keep-for 86400' "$TREE/images.kept"
cp -a "$TREE" "$WORK/first"
check "pxe makes it again" pxe one
check "it says that all hosts were kept" says "0 written, 3 kept" one
check "the tree is the same" diff -r "$WORK/first" "$TREE"
sed 's/"store"/"web"/' $RACK >"$WORK/web.cfg"
RACK_FILE=$WORK/web.cfg check "the role of one host changes" pxe one
check "it says that one host was written" says "1 written, 2 kept" one

check "another image comes in its place" pxe two
two=$(id_of)
both=$(printf '%s\n' "$one" "$two" | sort)
check "both images are served" test "$(ids)" = "$both"
check "the first one has all of its files" diff -r "$WORK/first/http/images/$one" "$TREE/http/images/$one"
check "no host boots it" sh -c "! grep -rF $one '$TREE/http/hosts' '$TREE/tftp'"
check "its time is in the list" grep -qE "^$one [0-9]+\$" "$TREE/images.kept"
replaced '-23 hours'
check "pxe before its time is over" pxe two
check "it is still served" test "$(ids)" = "$both"
replaced '-3 days'
requested '-1 hour'
check "pxe when a machine has asked for it an hour ago" pxe two
check "it is still served then" test "$(ids)" = "$both"
: >"$TREE/run/access.log"
check "pxe when the log was emptied" pxe two
check "the request is not forgotten" test "$(ids)" = "$both"
check "pxe with half an hour" pxe two --keep-for 30m
check "now its time is over" test "$(ids)" = "$two"
check "the list has no image" test "$(cat "$TREE/images.kept")" = "keep-for 1800"
check "the first image comes again" pxe one --keep-for 7d
check "the second one is kept" test "$(ids)" = "$both"
check "its time is seven days" grep -qx 'keep-for 604800' "$TREE/images.kept"
check "pxe that keeps nothing" pxe one --keep-for 0
check "it is removed at once" test "$(ids)" = "$one"
check "there is no list" test ! -e "$TREE/images.kept"
check "the tree is as the first one" diff -r -x images.kept -x run "$WORK/first" "$TREE"
for time in x 1w 3651d -1 ''; do
	refuse "a time '$time'" 2 "rackstrap: pxe: option '--keep-for' must be 0s to 3650d, as in 90s, 5m, 2h or 1d, not '$time'" \
		pxe one --keep-for "$time"
done
finish
