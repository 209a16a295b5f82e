#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Images, a disk image and an ISO baked twice, from two copies of the recipes in two folders,
# with two caches, umasks and time zones, are identical. The first bake uses this machine's cache;
# the second one's has inputs and the bases from there. In check-long it has nothing, so that bases
# are compared as well; if the manifests show that the archive has got newer packages in between,
# the first makes its base again.
. "$(dirname "$0")/../tap.sh"

build() { # FOLDER TZ UMASK [ARGS]: builds $image
	mkdir -p "$WORK/$1" && cp -r images "$WORK/$1/" || return 1
	(cd "$WORK/$1" && umask "0$3" && TZ=$2 "$TOP/test/bake" "$WORK/$1/images/$image" \
		--output "$WORK/$1/out" "${types[@]}" "${@:4}")
}
packages() {
	python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["packages"])' \
		"$WORK/$1/out/$image/manifest.json"
}
reproduce() { # IMAGE ARGS -- OUTPUTS
	local image=$1 types=() f
	shift
	while [ "$1" != -- ]; do types+=("$1"); shift; done
	shift
	check "the first bake of $image succeeds" build a UTC 22 || finish
	if ! is_long; then copy_cache "$WORK/cache" || bail "cannot copy the cache"; fi
	check "the second bake succeeds, in another folder, with another umask and time zone" \
		build some-other-folder Pacific/Auckland 77 --cache "$WORK/cache" || finish
	if [ "$(packages a)" != "$(packages some-other-folder)" ]; then
		echo "# the archive has newer packages than the cached base"
		check "the first bake succeeds with today's packages" build a UTC 22 --refresh || finish
	fi
	for f in root.squashfs initrd.img vmlinuz manifest.json manifest.spdx.json SHA256SUMS "$@"; do
		check "$f is identical" cmp "$WORK/a/out/$image/$f" "$WORK/some-other-folder/out/$image/$f"
	done
	sha256sum "$WORK/a/out/$image/root.squashfs" | cut -c1-64 | note
}

reproduce plain-vm --
# Only a base of its own shows that the key of the package munge is left out.
if is_long; then reproduce slurm-vm --; fi
reproduce bookworm-vm --type pxe --type disk --type iso --host "$TOP/test/qemu/solo.cfg" -- disk.img boot.iso
finish
