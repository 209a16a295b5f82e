#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# rackstrap check --json: the document has what the lines say, for every wrong rack file and for the
# examples.
. "$(dirname "$0")/../tap.sh"

agree() { # NAME FILE...
	local name=$1
	shift
	check "$name" sh -c "python3 test/check-json.py '$RACKSTRAP' \"\$@\" >'$WORK/agree'" - "$@" ||
		grep -A 1 '^not ok' "$WORK/agree" | note
}

agree "JSON and lines agree about the examples" configs/*.cfg
agree "about every wrong rack file" test/should-fail/rack/*.cfg
agree "about a file that there is not" "$WORK/none.cfg"
check "JSON of several files has them in their order" sh -c "
	'$RACKSTRAP' check --json configs/demo.cfg '$WORK/none.cfg' test/should-fail/rack/same-mac.cfg >'$WORK/json' 2>'$WORK/said'
	test \$? = 3"
check "with the result of each" test "$(sed -n 's/^      "\(file\|result\)": "\(.*\)",$/\2/p' "$WORK/json" | tr '\n' ' ')" = \
	"configs/demo.cfg ok $WORK/none.cfg unreadable test/should-fail/rack/same-mac.cfg wrong "
check "standard error has the file that cannot be read, and the sum" diff - "$WORK/said" <<-E
	rackstrap: $WORK/none.cfg: cannot be read: No such file or directory
	rackstrap: 1 mistake in 1 file
E
"$RACKSTRAP" check --json configs/rack40.cfg >"$WORK/once"
"$RACKSTRAP" check --json configs/rack40.cfg >"$WORK/again"
check "the same file gives the same bytes" cmp "$WORK/once" "$WORK/again"

# A wrong value with everything that JSON and terminals must not see as it is.
printf 'cluster : { name = "a\\"\033b"; boot_server = "10.0.0.1" };\nhosts = ( { name = "\303\244\377"; } );\n' >"$WORK/odd.cfg"
agree "odd bytes of a value stay text" "$WORK/odd.cfg"
# Columns are those of bytes, also behind a tab, and in an included file.
printf 'cluster : {\n\tname = "x\n};\n' >"$WORK/inc.cfg"
printf '\n@include "inc.cfg"\n' >"$WORK/outer.cfg"
"$RACKSTRAP" check --json "$WORK/outer.cfg" >"$WORK/json" 2>/dev/null
check "a mistake of syntax has file, line and column of the included file" \
	test "$(sed -nE 's/^ {10}"(file|line|column)": "?([^",]*)"?,$/\2/p' "$WORK/json" | tr '\n' ' ')" = "$WORK/inc.cfg 2 9 "
refuse "JSON of a wrong command line" 2 \
	"rackstrap: check: options '--image' and '--recipe' exclude each other: an image has the roles of its recipe" \
	"$RACKSTRAP" check --json configs/plain.cfg --recipe images/plain --image out/plain
check "prints nothing" test ! -s "$WORK/out"
finish
