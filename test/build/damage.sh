#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every file of the cache is damaged, with the archive and recipe of test/small.sh: a build then
# makes the same image, or fails with an error that says what to do. check has one way of damage
# for each file, check-long all; test/long/damage.sh has a cache with a real base.
. "$(dirname "$0")/../tap.sh"
# The base is larger than what the index reads of it.
mkdir -p "$WORK/base/usr/lib"
head -c 2000000 /dev/urandom >"$WORK/base/usr/lib/large"
. test/small.sh
tap_cleanup() { stop_site; }
IMAGE=$WORK/images/small
build() { "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}" "$@"; }
is_long && kinds=0 || kinds=1

# Another recipe's base, input and root image, to exchange files with. Both inputs are pinned by
# SHA-512 as well.
cp -r "$WORK/recipe" "$WORK/other"
head -c 70000 /dev/urandom >"$WORK/site/v1/other"
sed -i 's/"small"/"other"/; s/suite = "other"/suite = "small"/; s|v1/kubelet?raw=1%2b1|v1/other|; s/ public_query = true;//; s/"tool"/"helper"/' "$WORK/other/recipe.cfg"
sed -i "s|v1/kubelet?raw=1%2b1\";|& sha512 = \"$(sha512sum <"$WORK/site/kubelet" | cut -d' ' -f1)\";|" "$WORK/recipe/recipe.cfg"
"$RACKSTRAP" lock "$WORK/other" "${FROM[@]}" >/dev/null 2>&1 || bail "no lock"
check "another recipe's image is built" "$RACKSTRAP" build "$WORK/other" --output "$WORK/others" "${FROM[@]}" || finish
"$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}" >/dev/null 2>&1 || bail "no lock"
check "an image is built" build || finish
check "it is built from the cache" build || finish
check "the cache has two bases" test "$(find "$RACKSTRAP_CACHE/base" -name complete | wc -l)" = 2

python3 test/build/damage.py "$kinds" "$RACKSTRAP_CACHE" "$IMAGE" \
	"$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}" --refresh -- \
	"$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}" >"$WORK/damages" 2>"$WORK/err"
check "the damages could be made" grep '^[0-9]* damages: ' "$WORK/damages"
note <"$WORK/damages"
quiet "each gives the same image, or an error that says what to do" grep '^bad: ' "$WORK/damages"

# --- remembered digests ----------------------------------------------------------------
# On a file system without nanoseconds they are in force when the files are two seconds old.
check "a build remembers digests" sh -c "sleep 2.1; '$RACKSTRAP' build '$WORK/recipe' --output '$WORK/images' $(printf "'%s' " "${FROM[@]}")"
base=$(find "$RACKSTRAP_CACHE/base" -name complete -printf '%T@ %h\n' | sort -n | tail -n 1 | cut -d' ' -f2-)
remembered() { grep -ql '^digest 1$' "$RACKSTRAP_CACHE/known"/* && [ -s "$base/known" ]; }
check "inputs and root.tar are remembered" remembered
kubelet=$(sha256sum <"$WORK/site/kubelet" | cut -d' ' -f1)
reads() { # FILE: counts the bytes that a build reads of it
	strace -f -y -o "$WORK/trace" -e trace=read,pread64 "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}" "${@:2}" \
		>/dev/null 2>"$WORK/err" || return 1
	awk -v f="$1" 'index($0, f ">") && $NF > 0 { n += $NF } END { print n + 0 }' "$WORK/trace"
}
check "an unchanged root.tar is not read" test "$(reads "$base/root.tar")" = 0
check "an unchanged input is not read" test "$(reads "blobs/sha256/$kubelet")" = 0
check "the root image in the cache is not read" test "$(reads "root/small/root.squashfs")" = 0
check "the image's is not read" test "$(reads "$IMAGE/root.squashfs")" = 0
made() { stat -c %i "$IMAGE"; }
was=$(made)
check "nothing changed" build
check "nothing is made" test "$(made)" = "$was"
build 2>"$WORK/said" >/dev/null
check "it says so" grep -q "^rackstrap: $IMAGE: unchanged (" "$WORK/said"
check "root.tar is not read for an image that was removed" test "$(rm -rf "$IMAGE"; reads "$base/root.tar")" = 0
check "which is made again" test -s "$IMAGE/root.squashfs"
check "--verify reads root.tar" test "$(reads "$base/root.tar" --verify)" -ge "$(stat -c %s "$base/root.tar")"
check "--verify reads the input" test "$(reads "blobs/sha256/$kubelet" --verify)" -ge 100000
same_times() { # FILE: changes its last byte
	touch -r "$1" "$WORK/time"
	printf '\1' | dd of="$1" bs=1 seek=$(($(stat -c %s "$1") - 1)) conv=notrunc status=none
	touch -r "$WORK/time" "$1"
}
cp -r "$IMAGE" "$WORK/was"
for change in 'printf x >>root.squashfs' 'rm SHA256SUMS' 'touch more' 'echo >manifest.json' 'ln -sf ../x vmlinuz'; do
	(cd "$IMAGE" && eval "$change")
	check "the image is made again after: $change" build
	check "it is the same" diff -r "$WORK/was" "$IMAGE"
done
was=$(made)
touch "$IMAGE/root.squashfs"
check "an image of the same content is not made again" test "$(build >/dev/null 2>&1; made)" = "$was"
check "--verify makes it again" test "$(build --verify >/dev/null 2>&1; made)" != "$was"
same_times "$IMAGE/root.squashfs"
check "a changed image is noticed, although its size and time are the same" build
check "the image is the same" diff -r "$WORK/was" "$IMAGE"
same_times "$RACKSTRAP_CACHE/blobs/sha256/$kubelet"
check "a changed input is fetched again, although its size and time are the same" build
check "the image is the same" diff -r "$WORK/was" "$IMAGE"
same_times "$base/root.tar"
refuse "a changed root.tar is noticed, although its size and time are the same" 1 \
	"rackstrap: base: root.tar in the cache is damaged: run again with --refresh to rebuild the base" build
check "--refresh makes the base again" build --refresh
check "the image is the same" diff -r "$WORK/was" "$IMAGE"
finish
