#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every file that a build reads from a cache with the real base of images/bookworm-vm is damaged,
# in three ways of test/build/damage.py, and a PXE set and an ISO are built from it: the root image
# and the kernel come from the cache, GRUB's files from root.tar. test/build/damage.sh has a small
# base, which it makes again after an error. DAMAGES=N takes N ways for each file, 0 all.
. "$(dirname "$0")/../tap.sh"
. test/images.sh
check "images/bookworm-vm is baked" bake_image || finish

copy_cache "$WORK/cache"
# Not as links: the tests' own cache is not damaged.
find "$WORK/cache" -type f -links +1 -exec cp --preserve=mode {} {}.own \; -exec mv {}.own {} \;
export RACKSTRAP_CACHE=$WORK/cache
build=(test/bake images/bookworm-vm --output "$WORK/baked" --type pxe --type iso)
check "an image is built from the copy of the cache" "${build[@]}" || finish
check "a build is traced" strace -f -qq -y -e trace=open,openat -e status=successful -o "$WORK/trace" "${build[@]}" || finish
sed -n 's/.* = [0-9]*<\(.*\)>$/\1/p' "$WORK/trace" | LC_ALL=C sort -u >"$WORK/read"
find "$WORK/cache" -type f | LC_ALL=C sort | LC_ALL=C comm -23 - "$WORK/read" | tr '\n' '\0' | xargs -0r rm
note <<<"files that are read: $(find "$WORK/cache" -type f | wc -l)"
check "an image is built from what is left" "${build[@]}" || finish
check "the cache has one base" test "$(find "$WORK/cache/base" -name complete | wc -l)" -ge 1
python3 test/build/damage.py "${DAMAGES:-3}" "$WORK/cache" "$WORK/baked/bookworm-vm" -- "${build[@]}" \
	>"$WORK/damages" 2>"$WORK/err"
check "the damages could be made" grep '^[0-9]* damages: ' "$WORK/damages"
note <"$WORK/damages"
note <"$WORK/err"
quiet "each gives the same image, or an error that says what to do" grep '^bad: ' "$WORK/damages"
finish
