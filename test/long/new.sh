#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The files of `rackstrap new` are baked without a change and booted over PXE in QEMU, where the
# host becomes ready; and the example of recipe.cfg(5) is baked.
. "$(dirname "$0")/../qemu/lib.sh"
check "new writes a recipe and a rack" "$RACKSTRAP" new "$WORK/starter"
"$RACKSTRAP" build "$WORK/starter" --output "$WORK/baked" >"$WORK/said" 2>"$WORK/log"
check "the recipe is baked" test $? = 0 || tail -n 20 "$WORK/log" | note
check "without a warning" sh -c "! grep -iE 'warning|not |error' '$WORK/log'"
IMAGE=$WORK/baked/starter
DIR=$ABS_O/test/rack-new
rack_start "$WORK/starter/rack.cfg"
if rack_wait; then
	pass "the rack comes up"
	check "its host is ready" test "$(grep -cE ' ready *$' "$WORK/table")" = 1
else
	fail "the rack comes up"
	tail -n 40 "$WORK/table" "$WORK/rack.log" "$(console server-1)" | note
fi
note <"$WORK/table"
rack_stop

# The example, with a tool that exists.
mkdir -p "$WORK/small" "$WORK/tools-1.2/bin"
sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/p' man/recipe.cfg.5 | sed -n '/^\.Bd/,/^\.Ed/{/^\.Ed/q;/^\./d;s/\\e/\\/g;p}' \
	>"$WORK/small/recipe.cfg"
printf '[Service]\nExecStart=/usr/local/bin/tool\n' >"$WORK/small/tool.service"
echo '#!/bin/sh' >"$WORK/tools-1.2/bin/tool"
tar -C "$WORK" -czf "$WORK/tools-1.2.tar.gz" tools-1.2
sed -i "s/sha256 = \".*\"/sha256 = \"$(sha256sum <"$WORK/tools-1.2.tar.gz" | cut -d' ' -f1)\"/" "$WORK/small/recipe.cfg"
check "recipe.cfg(5): the example is baked" "$RACKSTRAP" build "$WORK/small" --output "$WORK/baked" \
	--mirror "https://files.example/=$WORK/"
finish
