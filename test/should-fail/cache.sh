#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Command lines of `rackstrap cache` and locks that are wrong, each with its exact message.
. "$(dirname "$0")/../tap.sh"
export RACKSTRAP_CACHE=$WORK/cache

for words in "" "lst" "list,export"; do
	IFS=, read -ra argv <<<"$words"
	case $words in
	list,*) want='rackstrap: cache list: takes no argument' ;;
	*) want='rackstrap: cache: say list, prune or export DIR' ;;
	esac
	refuse "cache ${words//,/ }" 2 "$want" "$RACKSTRAP" cache ${argv[@]+"${argv[@]}"}
done
refuse "export to nowhere" 2 'rackstrap: cache export: name the folder to export to, and only that' "$RACKSTRAP" cache export
refuse "export to two places" 2 'rackstrap: cache export: name the folder to export to, and only that' \
	"$RACKSTRAP" cache export "$WORK/a" "$WORK/b"
refuse "prune as JSON" 2 'rackstrap: cache prune: has no --json' "$RACKSTRAP" cache prune --json
refuse "list without doing it" 2 'rackstrap: cache list: has no --dry-run' "$RACKSTRAP" cache list --dry-run
refuse "export what is unused" 2 'rackstrap: cache export: has no --unused' "$RACKSTRAP" cache export "$WORK/a" --unused 1
refuse "days that are none" 2 "rackstrap: cache: --unused: must be a number of days, not '1w'" "$RACKSTRAP" cache prune --unused 1w
check "nothing was made" test ! -e "$WORK/cache" -a ! -e "$WORK/a"

# Each line of a lock that is wrong.
recipe=test/should-fail/recipe/good/recipe.cfg
sum=$(printf '1%.0s' $(seq 64))
package='name = "a"; version = "1"; arch = "all"; release = "r"; path = "pool/a.deb"; size = "1"; sha256 = "'$sum'";'
while IFS='|' read -r what line want; do
	printf 'version = 1;\n%s\n' "${line//PACKAGE/$package}" >"$WORK/recipe.lock"
	refuse "lock: $what" 3 "rackstrap: $WORK/recipe.lock:2: $want" \
		"$RACKSTRAP" build $recipe --offline --lock "$WORK/recipe.lock"
done <<'END'
an unknown key|inputz = ( );|unknown key 'inputz' (did you mean 'inputs'?)
inputs that are none|inputs = ( "a" );|inputs: must be groups: { url = ...; }
an input without a digest|inputs = ( { url = "a"; size = "1"; } );|sha256: missing
a base without packages|base = { suite = "s"; origin = "o"; packages = ( ); };|packages: missing
a base without a suite|base = { origin = "o"; packages = ( { PACKAGE } ); };|suite: missing
a package without a version|base = { suite = "s"; origin = "o"; packages = ( { name = "a"; arch = "all"; release = "r"; path = "p"; size = "1"; sha256 = "1111111111111111111111111111111111111111111111111111111111111111"; } ); };|version: missing
a package that leaves its archive|base = { suite = "s"; origin = "o"; packages = ( { name = "a"; version = "1"; arch = "all"; release = "r"; path = "../p"; size = "1"; sha256 = "1111111111111111111111111111111111111111111111111111111111111111"; } ); };|path: must be a path in the archive, not '../p'
a release without a name|base = { suite = "s"; origin = "o"; releases = ( { date = "d"; sha256 = "1111111111111111111111111111111111111111111111111111111111111111"; } ); packages = ( { PACKAGE } ); };|name: missing
END

# The one beside the recipe may be absent; one that is named may not.
want="rackstrap: --lock: $WORK/typo.lock: No such file or directory"
refuse "build: a lock that is not there" 3 "$want" \
	"$RACKSTRAP" build $recipe --offline --out "$WORK/image" --lock "$WORK/typo.lock"
refuse "fetch: a lock that is not there" 3 "$want" "$RACKSTRAP" fetch $recipe --lock "$WORK/typo.lock"
check "nothing was made" test ! -e "$WORK/image"
finish
