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
refuse "a time in weeks" 2 "rackstrap: cache: option '--unused' must be 0s to 36500d, as in 90s, 5m, 2h or 1d, not '1w'" \
	"$RACKSTRAP" cache prune --unused 1w
ln -s nowhere "$WORK/dangling"
refuse "a cache at a dangling link" 1 \
	"rackstrap: cache: $WORK/dangling: is a link to nowhere, which does not exist: remove the link, or make that folder" \
	"$RACKSTRAP" cache list --cache "$WORK/dangling"
check "nothing is created" test ! -e "$WORK/cache" -a ! -e "$WORK/a"

# Other users can read a cache, whatever the umask of the user who made it.
check "a cache is made with umask 077" sh -c "umask 077; '$RACKSTRAP' cache list --cache '$WORK/shared'"
check "other users can read it" test "$(stat -c %a "$WORK/shared" "$WORK/shared/blobs" | sort -u)" = 755

# Wrong lines of a lock.
recipe=test/should-fail/recipe/good/recipe.cfg
sum=$(printf '1%.0s' $(seq 64))
package='name = "a"; version = "1"; arch = "all"; release = "r"; path = "pool/a.deb"; size = "1"; sha256 = "'$sum'";'
while IFS='|' read -r what line want; do
	printf 'version = 1;\n%s\n' "${line//PACKAGE/$package}" >"$WORK/recipe.lock"
	refuse "lock: $what" 3 "rackstrap: $WORK/recipe.lock:2: $want" \
		"$RACKSTRAP" build $recipe --lock "$WORK/recipe.lock"
done <<'END'
an unknown key|inputz = ( );|unknown key 'inputz' (did you mean 'inputs'?)
inputs that are no groups|inputs = ( "a" );|inputs: must be groups: { url = ...; }
an input without a digest|inputs = ( { url = "a"; size = "1"; } );|sha256: missing
a base without packages|base = { suite = "s"; origin = "o"; packages = ( ); };|packages: missing
a base without a suite|base = { origin = "o"; packages = ( { PACKAGE } ); };|suite: missing
a package without a version|base = { suite = "s"; origin = "o"; packages = ( { name = "a"; arch = "all"; release = "r"; path = "p"; size = "1"; sha256 = "1111111111111111111111111111111111111111111111111111111111111111"; } ); };|version: missing
a package that leaves its archive|base = { suite = "s"; origin = "o"; packages = ( { name = "a"; version = "1"; arch = "all"; release = "r"; path = "../p"; size = "1"; sha256 = "1111111111111111111111111111111111111111111111111111111111111111"; } ); };|path: must be a path in the archive, not '../p'
a release without a name|base = { suite = "s"; origin = "o"; releases = ( { date = "d"; sha256 = "1111111111111111111111111111111111111111111111111111111111111111"; } ); packages = ( { PACKAGE } ); };|name: missing
END

# A lock named by --lock must exist; the lock beside the recipe may be missing.
want="rackstrap: --lock: $WORK/typo.lock: No such file or directory"
refuse "build: a lock that does not exist" 1 "$want" \
	"$RACKSTRAP" build $recipe --output "$WORK/image" --lock "$WORK/typo.lock"
refuse "fetch: a lock that does not exist" 1 "$want" "$RACKSTRAP" fetch $recipe --lock "$WORK/typo.lock"
check "nothing is created" test ! -e "$WORK/image"
finish
