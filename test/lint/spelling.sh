#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# codespell over every text that git tracks, except inputs of fuzzers and lists that others
# published.
. "$(dirname "$0")/../tap.sh"

# FILE WORD...: misspellings that are intended, and names that codespell takes for words.
intended() {
	cat <<-'END'
	builder/input/obtain.c missings fo
	builder/input/obtain.h want's
	test/cli/completion.sh fo
	test/lint/spelling.sh missings aply mater adress addres componets gatway memroy nmae ond nam fo nd msdos recieve want's
	test/lint/units.py aply
	test/should-fail/host.sh aply
	test/should-fail/host/role-unknown.cfg mater
	test/should-fail/host/role-unknown.txt mater
	test/should-fail/host/key-typos.cfg addres
	test/should-fail/host/unknown-key.cfg adress
	test/should-fail/recipe/key-typos.cfg nmae componets
	test/should-fail/rack/syntax.txt addres
	test/should-fail/plain/key-typo.cfg gatway
	test/should-fail/plain/key-typo.txt gatway
	test/should-fail/rack/unknown-cluster.cfg gatway
	test/should-fail/rack/unknown-host.cfg adress
	test/should-fail/rack/unknown-vm.cfg memroy
	test/unit/test-firstboot-media.c adress
	test/unit/test-firstboot-ready.c nam
	test/unit/test-host.c adress
	test/unit/test-lib-err.c ond
	test/unit/test-lib-str.c adress nmae gatway
	END
}

# Prints what codespell finds and intended() does not have, "FILE:LINE: WORD ==> ...".
# "Nd" is a macro of mdoc, "msdos" a partition table.
misspelt() {
	local file line word rest
	git ls-files -z -- ':!test/fuzz/corpus' ':!test/data' ':!LICENSE' |
		xargs -0 codespell --ignore-words-list=nd,msdos 2>"$WORK/codespell.err" |
		while IFS=: read -r file line rest; do
			word=$(awk '{ print tolower($1) }' <<<"$rest")
			intended | awk -v f="$file" '$1 == f' | grep -qw -- "$word" ||
				echo "$file:$line:$rest"
		done
	grep -v '^WARNING: Binary file' "$WORK/codespell.err"
}

git rev-parse --is-inside-work-tree >/dev/null 2>&1 ||
	{ skip "spelling" "not a git work tree: git does not list the files"; finish; }
command -v codespell >/dev/null || bail "codespell is not installed: make deps"
misspelt >"$WORK/misspelt"
if [ -s "$WORK/misspelt" ]; then
	fail "every word is spelt right"
	note <"$WORK/misspelt"
else
	pass "every word is spelt right"
fi
echo 'Recieve the adress.' >"$WORK/wrong.txt"
check "codespell finds a misspelling" test "$(codespell "$WORK/wrong.txt" | wc -l)" = 2
finish
