#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Locked packages, a filled cache, and a mirror made of it, with the archive and recipe of
# test/small.sh: each case takes a second.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
tap_cleanup() { stop_site; }
LOCK=$WORK/recipe/recipe.lock
lock() { "$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}" "$@"; }
fetch() { "$RACKSTRAP" fetch "$WORK/recipe" "${FROM[@]}" "$@"; }
build() { "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "$@"; }
# Does what check does, for a COMMAND that examines the output of the previous check, which is
# in $WORK/out1 and $WORK/err1.
# Usage: check_output "what is expected" COMMAND...
check_output() {
	cp "$WORK/out" "$WORK/out1"
	cp "$WORK/err" "$WORK/err1"
	check "$@"
}
other() { RACKSTRAP_CACHE=$WORK/$1 "${@:2}"; }
# Every run of mmdebstrap begins its log again.
made() { stat -c '%n %i %y' "$RACKSTRAP_CACHE"/base/*.log; }

# --- the lock --------------------------------------------------------------------------
check "lock succeeds" lock
check "the lock has every package with version and digest" sh -c "
	for p in 'essential 1.0' 'kernel 6.1' 'initramfs-tools 0.142' 'helper 1:2+b~1' 'tool 1.0'; do
		set -- \$p
		grep -qF \"name = \\\"\$1\\\"; version = \\\"\$2\\\";\" '$LOCK' || exit 1
	done
	grep -qF \"\$(sha256sum <'$WORK/site/debian/pool/main/t/tool/tool_1.0_all.deb' | cut -c1-64)\" '$LOCK'"
check "the lock has the digest of the Release file" grep -qF "$(sha256sum <"$WORK/site/debian/dists/small/InRelease" | cut -c1-64)" "$LOCK"
check "the lock names no mirror" sh -c "! grep -F 127.0.0.1 '$LOCK'"
check "the lock says that a mirror was used" grep -qF 'from = "mirror";' "$LOCK"
cp "$LOCK" "$WORK/first.lock"
publish
check "lock without new packages succeeds" lock
check "lock without new packages changes nothing" cmp "$LOCK" "$WORK/first.lock"
check "lock leaves no temporary folder" sh -c "test -z \"\$(ls -A '$WORK/tmp')\""
gpg --batch --quiet --passphrase '' --quick-generate-key other rsa2048 sign never 2>/dev/null
cp "$WORK/recipe/key.gpg" "$WORK/key"
gpg --batch --quiet --export other >"$WORK/recipe/key.gpg"
refuse "lock refuses an archive with another signature" 1 "rackstrap: the archive of small: apt-get exited with 100: *" lock
cp "$WORK/key" "$WORK/recipe/key.gpg"

# --- the cache, and a build without a network --------------------------------------------
check "fetch succeeds" fetch
check "fetch builds nothing" sh -c "! ls '$RACKSTRAP_CACHE/base' | grep ."
check "a second fetch succeeds" fetch
check_output "a second fetch fetches nothing" grep -q 'packages: 5 locked, 0 of them fetched' "$WORK/err1"
check "an offline build succeeds" build --offline || finish
made >"$WORK/made"
check "the build used the locked packages, byte for byte" sh -c "sed -n 's/^DEB \([0-9a-f]*\) .*/\1/p' '$RACKSTRAP_CACHE'/base/*.log | sort >'$WORK/a'
	sed -n '/^base/,\$s/.*sha256 = \"\\([0-9a-f]*\\)\"; }.*/\\1/p' '$LOCK' | sort | comm -13 - '$WORK/a' | grep . && exit 1
	test \$(wc -l <'$WORK/a') = 5"
check "the build leaves no temporary folder" sh -c "test -z \"\$(ls -A '$WORK/tmp')\""
check "the manifest has the versions of the packages" grep -q '"version": "1:2+b~1"' "$WORK/images/small/manifest.json"
check "manifest.spdx.json is SPDX 2.3 and agrees with manifest.json" python3 test/build/spdx.py "$WORK/images/small"
check "manifest.spdx.json has the packages' digests" grep -qF \
	"$(sha256sum <"$WORK/site/debian/pool/main/t/tool/tool_1.0_all.deb" | cut -c1-64)" "$WORK/images/small/manifest.spdx.json"
cp -r "$WORK/images/small" "$WORK/was"
check "a second offline build succeeds" build --offline
check "a second build takes the base from the cache" test "$(made)" = "$(cat "$WORK/made")"

# --- a mirror of the cache ----------------------------------------------------------------
check "cache export succeeds" "$RACKSTRAP" cache export "$WORK/mirror"
check "the exported file's name has the query of its URL" cmp "$WORK/site/kubelet" "$WORK/mirror/files.invalid/v1/kubelet?raw=1+1"
check "exported packages are in a folder of their origin" test -e "$WORK/mirror/packages/Test/pool/main/t/tool/tool_1.0_all.deb"
check "the exported files match SHA256SUMS" sh -c "cd '$WORK/mirror' && sha256sum -c --strict --quiet SHA256SUMS && test \$(wc -l <SHA256SUMS) = 6"
check "a second export succeeds" "$RACKSTRAP" cache export "$WORK/mirror"
check_output "a second export copies nothing" grep -q ', 0 of them new$' "$WORK/out1"
echo damaged >"$WORK/mirror/packages/Test/pool/main/t/tool/tool_1.0_all.deb"
check "an export over a damaged file succeeds" "$RACKSTRAP" cache export "$WORK/mirror"
check_output "an export replaces the damaged file" grep -q ', 1 of them new$' "$WORK/out1"
serve "$WORK/mirror"
rm -rf "$WORK/image1" "$WORK/image2"
check "a build from the exported folder succeeds, with an empty cache" other cache-a "$RACKSTRAP" build "$WORK/recipe" \
	--output "$WORK/image1" --mirror "$WORK/mirror"
check "a build from the exported folder by http succeeds, with an empty cache" other cache-b env RACKSTRAP_MIRROR="$SITE" \
	"$RACKSTRAP" build "$WORK/recipe" --output "$WORK/image2"
for i in image1 image2; do
	check "$i is identical to the first build" diff -r "$WORK/was" "$WORK/$i/small"
done
refuse "a mirror without the file is refused" 1 "rackstrap: *files.invalid/v1/kubelet*" \
	other cache-c "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/image3" --mirror "$WORK/bin"

# --- the archive goes on --------------------------------------------------------------------
serve "$WORK/site"
rm -r "$WORK/site/debian/pool/main/t/tool"
deb tool 1.1 "Depends: extra"
deb extra 3
publish
check "an offline build succeeds after the archive has changed" build --offline
refuse "fetch refuses packages that the archive no longer has" 1 \
	"rackstrap: small no longer has all packages of the lock: run \`rackstrap lock $WORK/recipe/recipe.cfg\` to lock the new ones" \
	other cache-d fetch
cp "$WORK/err" "$WORK/said"
check "the message has the locked and the new version" grep -qE "^rackstrap: package tool is now 1.1, the lock has 1.0 \($LOCK:[0-9]+\)$" "$WORK/said"
check "the message has the new package" grep -qxF "rackstrap: package extra is now 3, the lock does not have it" "$WORK/said"
check "lock takes the new versions" lock
printf 'changed package tool 1.1 (was 1.0)\nnew package extra 3\n' | sort >"$WORK/want"
check_output "lock reports the changes" sh -c "sort '$WORK/out1' | diff - '$WORK/want'"
check "a build from the new lock succeeds" other cache-d build "${FROM[@]}"
check "the manifest has the new version" grep -A1 '"name": "tool"' "$WORK/images/small/manifest.json"
recipe tool extra
refuse "build refuses a package that is not in the lock" 3 \
	"rackstrap: $WORK/recipe/recipe.cfg:3: base: package extra was not in the recipe when the base was locked ($LOCK:*): run \`rackstrap lock $WORK/recipe/recipe.cfg\`" build
recipe helper
refuse "build refuses a locked package that the recipe no longer has" 3 \
	"rackstrap: $WORK/recipe/recipe.cfg:3: base: package tool is no longer in the recipe, but was when the base was locked *" build
recipe tool
refuse "an offline build refuses a file that is not in the cache" 1 \
	"rackstrap: *artifact 'kubelet' is not in the cache, and --offline was given" other cache-e build --offline
other cache-e fetch --artifacts 2>/dev/null
refuse "an offline build refuses packages that are not in the cache" 1 \
	"rackstrap: $LOCK:*: package essential and 5 more are not in the cache, and --offline was given" other cache-e build --offline
check "lock --artifacts succeeds" lock --artifacts
check "lock --artifacts keeps all packages" test "$(grep -c 'arch = "all"' "$LOCK")" = 6
sed -i '/^base = {/,$d' "$LOCK"
check "fetch without locked packages succeeds" other cache-e fetch
check "an offline build succeeds after it" other cache-e build --offline

# --- two at once ------------------------------------------------------------------------------
lock >/dev/null 2>&1
other cache-f "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/twin1" "${FROM[@]}" >/dev/null 2>"$WORK/twin1.err" &
one=$!
other cache-f "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/twin2" "${FROM[@]}" >/dev/null 2>"$WORK/twin2.err" &
two=$!
check "the first of two simultaneous builds succeeds" wait $one
check "the second of two simultaneous builds succeeds" wait $two
check "both builds are identical" diff -r "$WORK/twin1/small" "$WORK/twin2/small"
check "the base was made once" test "$(cat "$WORK"/twin?.err | grep -c 'base: made')" = 1
check "every blob in the cache matches its digest" sh -c "cd '$WORK/cache-f/blobs/sha256' && for f in *; do
	test \"\$(sha256sum <\$f | cut -c1-64)\" = \$f || exit 1; done && test \$(ls | wc -l) = 7"

# --- list and prune ---------------------------------------------------------------------------
check "fetch of the new packages succeeds" fetch
check "cache list succeeds" "$RACKSTRAP" cache list
check_output "cache list has a package" grep -q 'package:Test/pool/main/t/tool/tool_1.1_all.deb' "$WORK/out1"
check "cache list --json is complete" sh -c "'$RACKSTRAP' cache list --json | python3 -c '
import json, sys
j = json.load(sys.stdin)
kinds = [e[\"kind\"] for e in j[\"entries\"]]
assert j[\"format\"] == 1 and \"input\" in kinds and \"base\" in kinds and \"root\" in kinds
assert j[\"bytes\"] == sum(e[\"bytes\"] for e in j[\"entries\"])
assert any(\"http://files.invalid/v1/kubelet?raw=1%2b1\" in e.get(\"urls\", []) for e in j[\"entries\"])'"
# Entries that were made long ago are used by the next build.
check "a build makes its root image" build --offline
(cd "$RACKSTRAP_CACHE" && find files root built -exec touch -d '40 days ago' {} +)
check "a build uses what was made long ago" build --offline
check_output "it makes nothing" grep -q '/small: unchanged' "$WORK/err1"
before=$(find "$RACKSTRAP_CACHE" -type f | wc -l)
check "cache prune succeeds" "$RACKSTRAP" cache prune
check_output "prune removes nothing that was used" grep -q ': 0 removed, 0 B$' "$WORK/out1"
for what in files root built; do
	check "prune keeps what was used in $what/" sh -c "cd '$RACKSTRAP_CACHE' && test -n \"\$(find $what -mindepth 1 -maxdepth 1)\""
done
check "an offline build succeeds after prune" build --offline

# --- another user, with a copy of this cache that has no root image ---------------------------
user=$WORK/user
by_another_user() {
	local as=()
	mkdir "$user" && cp -r "$RACKSTRAP_CACHE" "$user/cache" && rm -rf "$user/cache/root" &&
		cp -r "$WORK/recipe" "$RACKSTRAP" "$ABS_O/firstboot" "$user/" || return
	if [ "$(id -u)" = 0 ]; then
		chown -R 65534:65534 "$user" || return
		as=(setpriv --reuid=65534 --regid=65534 --clear-groups --)
	fi
	(cd "$user" && RACKSTRAP_CACHE=$user/cache TMPDIR=$user "${as[@]}" \
		./rackstrap build recipe --offline --output out --firstboot ./firstboot)
}
check "another user's build --offline succeeds" by_another_user
check "another user's root image is identical" cmp "$WORK/images/small/root.squashfs" "$user/out/small/root.squashfs"
check "root owns the top folder of another user's root image" sh -c \
	"unsquashfs -lln '$user/out/small/root.squashfs' | grep -qE '^drwxr-xr-x 0/0 .* squashfs-root\$'"

# --- what prune removes ----------------------------------------------------------------------
old=$(sha256sum <"$WORK/mirror/packages/Test/pool/main/t/tool/tool_1.0_all.deb" | cut -c1-64)
touch -d '40 days ago' "$RACKSTRAP_CACHE/blobs/sha256/$old" "$RACKSTRAP_CACHE/known/$old"
mkdir -p "$RACKSTRAP_CACHE/base/.abc.killed"
check "cache prune --dry-run succeeds" "$RACKSTRAP" cache prune --dry-run
check_output "prune --dry-run names the unused blob" grep -q 'tool_1.0_all.deb' "$WORK/out1"
check "prune --dry-run removes nothing" test -e "$RACKSTRAP_CACHE/blobs/sha256/$old"
check "a prune with an unused blob succeeds" "$RACKSTRAP" cache prune
check "prune removes the unused blob" test ! -e "$RACKSTRAP_CACHE/blobs/sha256/$old"
check "prune removes what is remembered of it" test ! -e "$RACKSTRAP_CACHE/known/$old"
check "prune removes the folder of a killed build" test ! -e "$RACKSTRAP_CACHE/base/.abc.killed"
check "an offline build succeeds after that prune" build --offline
check "cache prune --unused 0 succeeds" "$RACKSTRAP" cache prune --unused 0
check "prune --unused 0 removes every file" sh -c "test -z \"\$(find '$RACKSTRAP_CACHE' -type f)\""
check "a build succeeds with the emptied cache" build "${FROM[@]}"
note <<<"$before files before"
finish
