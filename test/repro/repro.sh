#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Same inputs, same bytes: the image baked twice, from two copies of the recipes in two
# folders, with two caches and two time zones, is the same to the byte. The first takes the
# base that this machine's cache has, the second makes its own, so bases are compared as
# well. Should the archive have got newer packages in between, which the manifests tell, the
# first makes its base anew.
. "$(dirname "$0")/../tap.sh"

build() { # FOLDER TZ UMASK [ARGS]
	mkdir -p "$WORK/$1" && cp -r images "$WORK/$1/" || return 1
	(cd "$WORK/$1" && umask "0$3" && TZ=$2 "$TOP/test/bake" "$WORK/$1/images/bookworm-vm" \
		--out "$WORK/$1/out" "${@:4}")
}
packages() {
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["packages"])' \
		"$WORK/$1/out/bookworm-vm/manifest.json"
}

check "first bake" build a UTC 22 || finish
check "second bake, elsewhere, with another umask and time zone" \
	build some-other-folder Pacific/Auckland 77 --cache "$WORK/cache" || finish
if [ "$(packages a)" != "$(packages some-other-folder)" ]; then
	echo "# the archive has newer packages than the cached base"
	check "first bake, with today's packages" build a UTC 22 --refresh || finish
fi
for f in root.squashfs initrd.img vmlinuz manifest.json manifest.spdx.json SHA256SUMS; do
	check "$f is identical" cmp "$WORK/a/out/bookworm-vm/$f" \
		"$WORK/some-other-folder/out/bookworm-vm/$f"
done
sha256sum "$WORK/a/out/bookworm-vm/root.squashfs" | cut -c1-64 | note
finish
