#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Command lines of `rackstrap cache` and locks that are wrong, each with its exact message.
. "$(dirname "$0")/../tap.sh"
export RACKSTRAP_CACHE=$WORK/cache

refuse "cache without an action" 2 'rackstrap: cache: missing argument ACTION: list, prune or export' "$RACKSTRAP" cache
refuse "an unknown action" 2 "rackstrap: cache: ACTION must be list, prune or export, not 'lst'" "$RACKSTRAP" cache lst
refuse "list with an argument" 2 "rackstrap: cache list: unexpected argument 'export'" "$RACKSTRAP" cache list export
refuse "export without a folder" 2 'rackstrap: cache export: missing argument DIR: the folder to export to' \
	"$RACKSTRAP" cache export
refuse "export to two folders" 2 "rackstrap: cache: unexpected argument '$WORK/b'" \
	"$RACKSTRAP" cache export "$WORK/a" "$WORK/b"
refuse "prune --json" 2 "rackstrap: cache prune: unexpected option '--json'" "$RACKSTRAP" cache prune --json
refuse "list --dry-run" 2 "rackstrap: cache list: unexpected option '--dry-run'" "$RACKSTRAP" cache list --dry-run
refuse "export --unused" 2 "rackstrap: cache export: unexpected option '--unused'" "$RACKSTRAP" cache export "$WORK/a" --unused 1
refuse "a number of days that is none" 2 "rackstrap: cache: option '--unused' must be 0 to 36500 days, not '1w'" \
	"$RACKSTRAP" cache prune --unused 1w
check "nothing was made" test ! -e "$WORK/cache" -a ! -e "$WORK/a"

# A cache is for other users, too, whatever the umask of the one who makes it.
check "a cache made under umask 077" sh -c "umask 077; '$RACKSTRAP' cache list --cache '$WORK/shared'"
check "can be read by others" test "$(stat -c %a "$WORK/shared" "$WORK/shared/blobs" | sort -u)" = 755

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
