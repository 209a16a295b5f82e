#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A build is killed (SIGKILL) at random instants, 50 in check-long and 16 in check, with the
# archive and recipe of test/small.sh: afterwards there is no image or a complete one, and the
# next build succeeds. Every second build starts without cache and image; the others have both,
# and a changed file in the recipe. A build that ends before its instant is not counted, and the
# instants after it are earlier. RACKSTRAP_KILLS sets the number, RACKSTRAP_SEED the instants.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
tap_cleanup() { stop_site; }
is_long && kills=50 || kills=16
kills=${RACKSTRAP_KILLS:-$kills}
seed=${RACKSTRAP_SEED:-$$}
RANDOM=$seed
echo "# RACKSTRAP_SEED=$seed"
IMAGE=$WORK/images/small

echo 0 >"$WORK/recipe/number"
sed -i 's|^roles|files = ( { to = "/etc/number"; source = "number"; } );\n&|' "$WORK/recipe/recipe.cfg"
"$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}" >/dev/null 2>&1 || bail "no lock"
build() { "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}"; }
whole() {
	(cd "$IMAGE" && sha256sum -c --strict --quiet SHA256SUMS) >/dev/null 2>&1 &&
		[ "$(sort <(cut -d' ' -f3 "$IMAGE/SHA256SUMS") <(echo SHA256SUMS) | tr '\n' ' ')" = "$(find "$IMAGE" -mindepth 1 -printf '%f\n' | sort | tr '\n' ' ')" ]
}
number() { unsquashfs -q -n -cat "$IMAGE/root.squashfs" etc/number 2>/dev/null; }

now() { # prints milliseconds
	local up
	read -r up _ </proc/uptime
	echo $((10#${up/./} * 10))
}

check "a first build succeeds" build || finish
rm -rf "$RACKSTRAP_CACHE" "$WORK/images"
start=$(now)
check "a build without a cache succeeds" build || finish
length=$(($(now) - start))
check "its image is complete" whole
echo 00 >"$WORK/recipe/number"
start=$(now)
check "a build with the cache succeeds" build || finish
warm=$(($(now) - start))
echo "# they take $length and $warm ms"

i=0 killed=0 torn=() failed=() stale=()
while [ $killed -lt "$kills" ]; do
	i=$((i + 1)) cold=$((killed % 2))
	if [ $cold = 1 ]; then rm -rf "$RACKSTRAP_CACHE" "$WORK/images"; fi
	echo "$i" >"$WORK/recipe/number"
	at=$((RANDOM * (cold ? length : warm) / 32768))
	# not build(): its subshell would be killed instead of rackstrap
	"$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}" >/dev/null 2>&1 &
	pid=$!
	sleep "$(printf '%d.%03d' $((at / 1000)) $((at % 1000)))"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	if [ $? = 137 ]; then
		killed=$((killed + 1))
	elif [ $cold = 1 ]; then
		length=$at
	else
		warm=$at
	fi
	if [ -e "$IMAGE" ] && ! whole; then
		torn+=("$i at $at ms")
		(cd "$IMAGE" && ls -la . .. && sha256sum -c SHA256SUMS) 2>&1 | note
	fi
	build >"$WORK/again" 2>&1 || failed+=("$i at $at ms: $(tail -n 1 "$WORK/again")")
	whole && [ "$(number)" = "$i" ] || stale+=("$i at $at ms")
done
echo "# $killed of $i builds were killed before they had ended"
check "no image was incomplete${torn[*]:+: ${torn[*]}}" test ${#torn[@]} = 0
check "every next build succeeded${failed[*]:+: ${failed[*]}}" test ${#failed[@]} = 0
check "every next image has the changed file${stale[*]:+: ${stale[*]}}" test ${#stale[@]} = 0
check "no unfinished image is left" sh -c "test -z \"\$(ls -A '$WORK/images' | grep -v -e '^small\$' -e lock)\""
check "no unfinished base is left" sh -c "! ls -A '$RACKSTRAP_CACHE/base' | grep '^\.'"
check "no repository of packages is left" sh -c "! ls '$TMPDIR' | grep rackstrap-"
check "no record of a folder is left" sh -c "test -z \"\$(ls -A '$RACKSTRAP_CACHE/left')\""
check "a base is made again" "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" "${FROM[@]}" --refresh
cp "$WORK/err" "$WORK/said"
check "nothing is warned of" sh -c "! grep warning '$WORK/said'"
check "that leaves no record, either" sh -c "test -z \"\$(ls -A '$RACKSTRAP_CACHE/left')\""
finish
