#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Small files that unpack to much or ask for much memory (test/build/bombs.py) are refused, each with
# its exact message, and with at most 256 MiB of memory: alone, and as the inputs of a recipe.
. "$(dirname "$0")/../tap.sh"
tool=$ABS_O/test/tools/print-member
measure=$ABS_O/test/tools/measure
[ -x "$tool" ] || bail "no $tool: make tests-built"
export TMPDIR=$WORK/tmp RACKSTRAP_CACHE=$WORK/cache
D=$WORK/bombs
mkdir "$TMPDIR"
python3 test/build/bombs.py "$D" || bail "no bombs"

small() { "$measure" --within 262144 -- "$@"; }
cd "$D" || exit 1
while read -r file member why; do
	refuse "$file is refused" 1 "$why" small "$tool" 256M "$file" "$member"
done <list
check "all of them are less than 2 MiB" test "$(du -cb -- * | tail -n 1 | cut -f1)" -lt 2097152

# --- inputs of a recipe ------------------------------------------------------------------
mkdir "$WORK/recipe"
recipe() { # BASE ARTIFACTS-AND-CONTAINERS
	cat >"$WORK/recipe/recipe.cfg" <<-R
		version = 1; name = "b"; images = [ "pxe" ];
		base = { $1 };
		$2
	R
	rm -f "$WORK/recipe/recipe.lock"
}
lock() { small "$RACKSTRAP" lock "$WORK/recipe" --artifacts; }
suite='type = "suite"; suite = "s"; components = [ "c" ]; kernel = "k"; mirror = "http://m.invalid/";'
over="unpacks to more than the limit of 32.0 MiB: refused"
recipe "$suite" "artifacts = ( { name = \"a\"; url = \"file://$D/hole.zst\"; limit = \"32M\";
	extract = ( { path = \"x\"; to = \"/x\"; mode = \"0644\"; } ); } );"
refuse "an artifact is refused" 1 \
	"rackstrap: $WORK/recipe/recipe.cfg:3: artifact 'a': file://$D/hole.zst: at member 'x': $over (key 'limit' of the artifact raises the limit)" lock
for bomb in hole.zst:x endless.zst:a; do
	recipe "type = \"tar\"; url = \"file://$D/${bomb%:*}\"; limit = \"32M\";" ""
	refuse "a base that is ${bomb%:*} is refused" 1 \
		"rackstrap: $WORK/recipe/recipe.cfg:2: base: file://$D/${bomb%:*}: tar: at member '${bomb#*:}': $over (key 'limit' of the base raises the limit)" lock
done
recipe "$suite" "containers = ( { image = \"q/w:1\"; url = \"file://$D/endless.zst\"; limit = \"32M\"; } );"
refuse "a container is refused" 1 \
	"rackstrap: $WORK/recipe/recipe.cfg:3: container 'q/w:1': file://$D/endless.zst: $over (key 'limit' of the container raises the limit)" lock
check "no temporary file is left" test -z "$(ls "$TMPDIR")"
check "the cache has the inputs alone" test "$(du -sk "$RACKSTRAP_CACHE" | cut -f1)" -lt 1024
finish
