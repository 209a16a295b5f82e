#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A recipe may have more artifacts than a process may have descriptors: they are locked, fetched and
# baked with a limit that is lower than their number.
. "$(dirname "$0")/../tap.sh"
. test/small.sh
tap_cleanup() { stop_site; }
{
	echo 'artifacts = ('
	for i in $(seq 400); do
		printf '%s{ name = "a%s"; url = "http://files.invalid/v1/f?%s"; to = "/opt/%s"; mode = "0644"; public_query = true; }\n' \
			"$([ "$i" = 1 ] || echo ,)" "$i" "$i" "$i"
	done
	echo ');'
} >"$WORK/artifacts"
sed -i -e "/artifacts = /{r $WORK/artifacts" -e 'd}' "$WORK/recipe/recipe.cfg"
echo x >"$WORK/site/v1/f"
ulimit -n 320 # obtain.c holds 256 locks at once
check "400 artifacts are locked" "$RACKSTRAP" lock "$WORK/recipe" "${FROM[@]}"
check "they are fetched" "$RACKSTRAP" fetch "$WORK/recipe" "${FROM[@]}"
check "they are baked" "$RACKSTRAP" build "$WORK/recipe" --output "$WORK/images" --offline
check "all of them are in the image" test "$(unsquashfs -l "$WORK/images/small/root.squashfs" | grep -c /opt/)" = 400
finish
