#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# --help of both programs: on standard output, within 80 columns, and with the synopsis that
# the command's manual page has.
. "$(dirname "$0")/../tap.sh"
FIRSTBOOT=$ABS_O/firstboot

# The forms of a command, one a line, from --help and from the page.
usage_forms() {
	awk '/^Usage: / || /^       [a-z]/ { if (form) print form; form = "" }
	     /^Usage: / || /^       / { sub(/^Usage: /, ""); $1 = $1; form = form (form ? " " : "") $0; next }
	     { exit }
	     END { print form }'
}
page_forms() {
	mandoc -T ascii -O width=400 "$1" | col -b | awk '/^SYNOPSIS/ { on = 1; next }
		/^[A-Z]/ { on = 0 }
		on && NF { $1 = $1; print }'
}

for program in "$RACKSTRAP" "$FIRSTBOOT"; do
	name=${program##*/}
	check "$name --help succeeds" "$program" --help
	cp "$WORK/out" "$WORK/help"
	check "$name --help writes nothing to standard error" test ! -s "$WORK/err"
	sed -nE 's/^  ([a-z]+) .*/\1/p' "$WORK/help" >"$WORK/$name"
	check "$name --help lists commands" test -s "$WORK/$name"
	while read -r command; do
		"$program" "$command" --help >>"$WORK/help" || fail "$name $command --help"
	done <"$WORK/$name"
	check "$name: --help fits 80 columns" awk 'length($0) > 80 { print; bad = 1 } END { exit bad }' "$WORK/help"
done

while read -r command; do
	page=man/rackstrap-$command.1
	"$RACKSTRAP" "$command" --help | usage_forms >"$WORK/usage"
	page_forms "$page" >"$WORK/synopsis"
	check "rackstrap $command: the synopsis of --help is that of $page" \
		diff "$WORK/usage" "$WORK/synopsis"
	check "rackstrap $command: rackstrap(1) lists it" grep -qxF ".It Xr rackstrap-$command 1" man/rackstrap.1
done <"$WORK/rackstrap"
for page in man/rackstrap-*.1; do
	command=${page#man/rackstrap-}
	check "$page is about a command" grep -qxF "${command%.1}" "$WORK/rackstrap"
done

# Prints the options that --help explains, one a line: "-o" or "--offline", or both.
explained() { sed -nE 's/^  (-[^ ,]*(, --[^ ]*)?).*/\1/p' "$1" | tr -d ,; }

# Options and the synopsis name each other.
"$RACKSTRAP" --help >"$WORK/help"
explained "$WORK/help" >"$WORK/of-program"
while read -r command; do
	"$RACKSTRAP" "$command" --help >"$WORK/help"
	usage_forms <"$WORK/help" | grep -oE -- '-[a-zA-Z-]+' | grep '^-' | grep -vx -e -- | sort -u >"$WORK/in-usage"
	sed -nE 's/^  (-[^ ]*).*/\1/p; s/^  -[a-z], (--[^ ]*).*/\1/p' "$WORK/help" | tr -d , | sort -u >"$WORK/in-list"
	check "rackstrap $command: every option of the synopsis is explained" \
		sh -c "! comm -23 '$WORK/in-usage' '$WORK/in-list' | grep ."
	explained "$WORK/help" | grep -vxFf "$WORK/of-program" |
		while read -r forms; do grep -qxF -e "${forms% *}" -e "${forms#* }" "$WORK/in-usage" || echo "$forms"; done >"$WORK/missing"
	check "rackstrap $command: the synopsis has every option" sh -c "! grep . '$WORK/missing'"
done <"$WORK/rackstrap"
finish
