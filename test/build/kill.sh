#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# `kill -9` at 50 random instants of a build, in the world of test/small.sh: afterwards there
# is no image, or a whole one, and the next build succeeds. Every other time there is
# neither cache nor image before; else both are, and a file of the recipe is another.
# RACKSTRAP_KILLS is how many, RACKSTRAP_SEED which instants.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
tap_cleanup() { end_world; }
kills=${RACKSTRAP_KILLS:-50}
seed=${RACKSTRAP_SEED:-$$}
RANDOM=$seed
echo "# RACKSTRAP_SEED=$seed"
IMAGE=$WORK/images/small

echo 0 >"$WORK/recipe/number"
sed -i 's|^roles|files = ( { to = "/etc/number"; source = "number"; } );\n&|' "$WORK/recipe/recipe.cfg"
"$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}" >/dev/null 2>&1 || bail "no lock"
build() { "$RACKSTRAP" build "$WORK/recipe" --out "$WORK/images" "${FROM[@]}"; }
whole() {
	(cd "$IMAGE" && sha256sum -c --strict --quiet SHA256SUMS) >/dev/null 2>&1 &&
		[ "$(sort <(cut -d' ' -f3 "$IMAGE/SHA256SUMS") <(echo SHA256SUMS) | tr '\n' ' ')" = "$(ls "$IMAGE" | tr '\n' ' ')" ]
}
number() { unsquashfs -q -n -cat "$IMAGE/root.squashfs" etc/number 2>/dev/null; }

check "a build" build || finish
rm -rf "$RACKSTRAP_CACHE" "$WORK/images"
start=$(date +%s%N)
check "and one that is timed" build || finish
length=$((($(date +%s%N) - start) / 1000000))
check "is whole" whole
echo 00 >"$WORK/recipe/number"
start=$(date +%s%N)
check "another, with the cache" build || finish
warm=$((($(date +%s%N) - start) / 1000000))
echo "# they take $length and $warm ms"

killed=0 torn=() failed=() stale=()
for i in $(seq "$kills"); do
	if [ $((i % 2)) = 0 ]; then rm -rf "$RACKSTRAP_CACHE" "$WORK/images"; fi
	echo "$i" >"$WORK/recipe/number"
	at=$((RANDOM * (i % 2 ? warm : length) / 32768))
	# not the function: that would be a shell, and the shell would be killed
	"$RACKSTRAP" build "$WORK/recipe" --out "$WORK/images" "${FROM[@]}" >/dev/null 2>&1 &
	pid=$!
	sleep "$(printf '%d.%03d' $((at / 1000)) $((at % 1000)))"
	kill -9 $pid 2>/dev/null && killed=$((killed + 1))
	wait $pid 2>/dev/null
	if [ -e "$IMAGE" ] && ! whole; then
		torn+=("$i at $at ms")
		(cd "$IMAGE" && ls -la . .. && sha256sum -c SHA256SUMS) 2>&1 | note
	fi
	build >"$WORK/again" 2>&1 || failed+=("$i at $at ms: $(tail -n 1 "$WORK/again")")
	whole && [ "$(number)" = "$i" ] || stale+=("$i at $at ms")
done
echo "# $killed of $kills builds were killed before they had ended"
check "enough builds were killed before their end" test $((killed * 10)) -ge $((kills * 2))
check "no image was torn${torn[*]:+: ${torn[*]}}" test ${#torn[@]} = 0
check "every next build succeeded${failed[*]:+: ${failed[*]}}" test ${#failed[@]} = 0
check "with what it was to be made of${stale[*]:+: ${stale[*]}}" test ${#stale[@]} = 0
check "no image in the making is left" sh -c "test -z \"\$(ls -A '$WORK/images' | grep -v -e '^small\$' -e lock)\""
check "nor a base" sh -c "! ls -A '$RACKSTRAP_CACHE/base' | grep '^\.'"
check "nor a repository of packages" sh -c "! ls '$TMPDIR' | grep rackstrap-debs"
finish
