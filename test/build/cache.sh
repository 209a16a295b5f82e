#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Locked packages, a filled cache, and a mirror made of it, in the world of test/small.sh:
# each case takes a second.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
tap_cleanup() { end_world; }
LOCK=$WORK/recipe/recipe.lock
lock() { "$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}" "$@"; }
fetch() { "$RACKSTRAP" fetch "$WORK/recipe" "${FROM[@]}" "$@"; }
build() { "$RACKSTRAP" build "$WORK/recipe" --out "$WORK/images" "$@"; }
# told WHAT COMMAND...: as check, with what the last one printed in $WORK/out1 and err1.
told() {
	cp "$WORK/out" "$WORK/out1"
	cp "$WORK/err" "$WORK/err1"
	check "$@"
}
other() { RACKSTRAP_CACHE=$WORK/$1 "${@:2}"; }
made() { wc -l <"$WORK/runs"; }

# --- the lock --------------------------------------------------------------------------
check "lock" lock
check "it names every package with version and digest" sh -c "
	for p in 'essential 1.0' 'kernel 6.1' 'initramfs-tools 0.142' 'helper 1:2+b~1' 'tool 1.0'; do
		set -- \$p
		grep -qF \"name = \\\"\$1\\\"; version = \\\"\$2\\\";\" '$LOCK' || exit 1
	done
	grep -qF \"\$(sha256sum <'$WORK/site/debian/pool/main/t/tool/tool_1.0_all.deb' | cut -c1-64)\" '$LOCK'"
check "and the Release file" grep -qF "$(sha256sum <"$WORK/site/debian/dists/small/InRelease" | cut -c1-64)" "$LOCK"
check "and no mirror" sh -c "! grep -F 127.0.0.1 '$LOCK'"
check "and that there was one" grep -qF 'from = "mirror";' "$LOCK"
cp "$LOCK" "$WORK/first.lock"
publish
check "nothing new" lock
check "leaves the lock as it was" cmp "$LOCK" "$WORK/first.lock"
check "no folder of apt's is left" sh -c "test -z \"\$(ls -A '$WORK/tmp')\""
gpg --batch --quiet --passphrase '' --quick-generate-key other rsa2048 sign never 2>/dev/null
cp "$WORK/recipe/key.gpg" "$WORK/key"
gpg --batch --quiet --export other >"$WORK/recipe/key.gpg"
refuse "an archive that somebody else signed" 1 "rackstrap: the archive of small: apt-get exited with 100: *" lock
cp "$WORK/key" "$WORK/recipe/key.gpg"

# --- the cache, and a build without a network --------------------------------------------
check "fetch" fetch
check "built nothing" test ! -e "$WORK/runs"
check "and a second time there is nothing left to do" fetch
told "which it says" grep -q 'packages: 5 locked, 0 of them fetched' "$WORK/err1"
check "build, offline" build --offline || finish
check "from the locked packages, byte by byte" sh -c "cut -d' ' -f1 '$WORK/debs' | sort >'$WORK/a'
	sed -n '/^base/,\$s/.*sha256 = \"\\([0-9a-f]*\\)\"; }.*/\\1/p' '$LOCK' | sort | comm -13 - '$WORK/a' | grep . && exit 1
	test \$(wc -l <'$WORK/a') = 5"
check "and nothing of it is left" sh -c "test -z \"\$(ls -A '$WORK/tmp')\""
check "the manifest has the versions" grep -q '"version": "1:2+b~1"' "$WORK/images/small/manifest.json"
check "manifest.spdx.json is SPDX 2.3 and says the same" python3 test/build/spdx.py "$WORK/images/small"
check "with the packages' digests of the lock" grep -qF \
	"$(sha256sum <"$WORK/site/debian/pool/main/t/tool/tool_1.0_all.deb" | cut -c1-64)" "$WORK/images/small/manifest.spdx.json"
cp -r "$WORK/images/small" "$WORK/was"
check "once more" build --offline
check "makes no base again" test "$(made)" = 1

# --- a mirror of the cache ----------------------------------------------------------------
check "export" "$RACKSTRAP" cache export "$WORK/mirror"
check "with the query in the file's name" cmp "$WORK/site/kubelet" "$WORK/mirror/files.invalid/v1/kubelet?raw=1+1"
check "and packages by origin" test -e "$WORK/mirror/packages/Test/pool/main/t/tool/tool_1.0_all.deb"
check "its digests hold" sh -c "cd '$WORK/mirror' && sha256sum -c --strict --quiet SHA256SUMS && test \$(wc -l <SHA256SUMS) = 6"
check "a second export" "$RACKSTRAP" cache export "$WORK/mirror"
told "copies nothing" grep -q ', 0 of them new$' "$WORK/out1"
echo damaged >"$WORK/mirror/packages/Test/pool/main/t/tool/tool_1.0_all.deb"
check "a third mends what is damaged" "$RACKSTRAP" cache export "$WORK/mirror"
told "which is one" grep -q ', 1 of them new$' "$WORK/out1"
serve "$WORK/mirror"
rm -rf "$WORK/image1" "$WORK/image2"
check "build from it as a folder, with an empty cache" other cache-a "$RACKSTRAP" build "$WORK/recipe" \
	--out "$WORK/image1" --mirror "$WORK/mirror"
check "build from it by http, with another" other cache-b env RACKSTRAP_MIRROR="$SITE" \
	"$RACKSTRAP" build "$WORK/recipe" --out "$WORK/image2"
for i in image1 image2; do
	check "$i is the same to the byte" diff -r "$WORK/was" "$WORK/$i/small"
done
refuse "a mirror that does not have it" 1 "rackstrap: *files.invalid/v1/kubelet*" \
	other cache-c "$RACKSTRAP" build "$WORK/recipe" --out "$WORK/image3" --mirror "$WORK/bin"

# --- the archive goes on --------------------------------------------------------------------
serve "$WORK/site"
rm -r "$WORK/site/debian/pool/main/t/tool"
deb tool 1.1 "Depends: extra"
deb extra 3
publish
check "what the cache has is built all the same" build --offline
refuse "what the archive no longer has is not" 1 \
	"rackstrap: small no longer has all packages of the lock: run \`rackstrap lock $WORK/recipe/recipe.cfg\` to lock the new ones" \
	other cache-d fetch
cp "$WORK/err" "$WORK/said"
check "it says what it was and what it is" grep -qE "^rackstrap: package tool is now 1.1, the lock has 1.0 \($LOCK:[0-9]+\)$" "$WORK/said"
check "and what is new" grep -qxF "rackstrap: package extra is now 3, the lock does not have it" "$WORK/said"
check "lock takes them" lock
printf 'changed package tool 1.1 (was 1.0)\nnew package extra 3\n' | sort >"$WORK/want"
told "and says so" sh -c "sort '$WORK/out1' | diff - '$WORK/want'"
check "then it is built" other cache-d build "${FROM[@]}"
check "with the new one" grep -A1 '"name": "tool"' "$WORK/images/small/manifest.json"
recipe tool extra
refuse "a package that was not locked" 3 \
	"rackstrap: $WORK/recipe/recipe.cfg:3: base: package extra was not in the recipe when the base was locked ($LOCK:*): run \`rackstrap lock $WORK/recipe/recipe.cfg\`" build
recipe helper
refuse "a package that is no longer wanted" 3 \
	"rackstrap: $WORK/recipe/recipe.cfg:3: base: package tool is no longer in the recipe, but was when the base was locked *" build
recipe tool
refuse "a locked file that the cache does not have, offline" 1 \
	"rackstrap: *artifact 'kubelet' is not in the cache, and --offline was given" other cache-e build --offline
other cache-e fetch --artifacts 2>/dev/null
refuse "locked packages that it does not have, offline" 1 \
	"rackstrap: $LOCK:*: package essential and 5 more are not in the cache, and --offline was given" other cache-e build --offline
check "lock --artifacts leaves the packages alone" lock --artifacts
check "all of them" test "$(grep -c 'arch = "all"' "$LOCK")" = 6
sed -i '/^base = {/,$d' "$LOCK"
check "without locked packages fetch makes the base" other cache-e fetch
check "so that it can be built offline" other cache-e build --offline

# --- two at once ------------------------------------------------------------------------------
lock >/dev/null 2>&1
rm -f "$WORK/runs"
other cache-f "$RACKSTRAP" build "$WORK/recipe" --out "$WORK/twin1" "${FROM[@]}" >/dev/null 2>"$WORK/twin1.err" &
one=$!
other cache-f "$RACKSTRAP" build "$WORK/recipe" --out "$WORK/twin2" "${FROM[@]}" >/dev/null 2>"$WORK/twin2.err" &
two=$!
check "of two builds at once the first" wait $one
check "and the second succeed" wait $two
check "both made the same" diff -r "$WORK/twin1/small" "$WORK/twin2/small"
check "and the base once" test "$(made)" = 1
check "every blob is right" sh -c "cd '$WORK/cache-f/blobs/sha256' && for f in *; do
	test \"\$(sha256sum <\$f | cut -c1-64)\" = \$f || exit 1; done && test \$(ls | wc -l) = 7"

# --- list and prune ---------------------------------------------------------------------------
check "fetch what is new" fetch
check "list" "$RACKSTRAP" cache list
told "names a package" grep -q 'package:Test/pool/main/t/tool/tool_1.1_all.deb' "$WORK/out1"
check "list as JSON" sh -c "'$RACKSTRAP' cache list --json | python3 -c '
import json, sys
j = json.load(sys.stdin)
kinds = [e[\"kind\"] for e in j[\"entries\"]]
assert j[\"format\"] == 1 and \"input\" in kinds and \"base\" in kinds and \"root\" in kinds
assert j[\"bytes\"] == sum(e[\"bytes\"] for e in j[\"entries\"])
assert any(\"http://files.invalid/v1/kubelet?raw=1%2b1\" in e.get(\"urls\", []) for e in j[\"entries\"])'"
before=$(find "$RACKSTRAP_CACHE" -type f | wc -l)
check "prune takes nothing that was used" "$RACKSTRAP" cache prune
told "and says so" grep -q ': 0 removed, 0 B$' "$WORK/out1"
check "which can be built from, then" build --offline
old=$(sha256sum <"$WORK/mirror/packages/Test/pool/main/t/tool/tool_1.0_all.deb" | cut -c1-64)
touch -d '40 days ago' "$RACKSTRAP_CACHE/blobs/sha256/$old"
mkdir -p "$RACKSTRAP_CACHE/base/.abc.killed"
check "prune --dry-run" "$RACKSTRAP" cache prune --dry-run
told "names the old one" grep -q 'tool_1.0_all.deb' "$WORK/out1"
check "and leaves it" test -e "$RACKSTRAP_CACHE/blobs/sha256/$old"
check "prune" "$RACKSTRAP" cache prune
check "removes it" test ! -e "$RACKSTRAP_CACHE/blobs/sha256/$old"
check "and what a killed build left" test ! -e "$RACKSTRAP_CACHE/base/.abc.killed"
check "and nothing else of use" build --offline
check "prune all of it" "$RACKSTRAP" cache prune --unused 0
check "there is no file left" sh -c "test -z \"\$(find '$RACKSTRAP_CACHE' -type f)\""
check "and all can be had again" build "${FROM[@]}"
note <<<"$before files before"
finish
