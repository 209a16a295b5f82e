#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Same inputs, same bytes: the image baked twice, from two copies of the recipes in two
# folders, with two empty caches and two time zones, is the same to the byte.
. "$(dirname "$0")/../tap.sh"

build() { # FOLDER TZ
	mkdir -p "$WORK/$1" && cp -r images "$WORK/$1/" || return 1
	(cd "$WORK/$1" && TZ=$2 umask 0$3 && TZ=$2 RACKSTRAP_CACHE="$WORK/$1/cache" \
		"$TOP/test/bake" "$WORK/$1/images/bookworm-vm" --out "$WORK/$1/out")
}

check "first bake" build a UTC 22 || finish
check "second bake, elsewhere, with another umask and time zone" \
	build some-other-folder Pacific/Auckland 77 || finish
for f in root.squashfs initrd.img vmlinuz manifest.json SHA256SUMS; do
	check "$f is identical" cmp "$WORK/a/out/bookworm-vm/$f" \
		"$WORK/some-other-folder/out/bookworm-vm/$f"
done
sha256sum "$WORK/a/out/bookworm-vm/root.squashfs" | cut -c1-64 | note
finish
