#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Documents against the sources: the table of dependencies, folders and files that are named,
# sections that every man page has, README's first screen.
. "$(dirname "$0")/../tap.sh"

sed -n '/^dependencies() {/,/^	END$/p' test/lint/style.sh | sed -n 's/^	\([a-z].*\)/\1/p' |
	grep -v '^cat ' >"$WORK/style"
sed -n '/dependencies: begin/,/dependencies: end/p' ARCHITECTURE.md | sed -n 's/^    //p' >"$WORK/architecture"
check "style.sh has a table of dependencies" test "$(wc -l <"$WORK/style")" -gt 10
check "ARCHITECTURE.md has the same" diff "$WORK/style" "$WORK/architecture"

# Prints what DOCUMENT names between backquotes as a path and what does not exist.
missing_paths() {
	grep -oE '`(lib|firstboot|pxe|builder|images|configs|test|docs|man|debian)/[A-Za-z0-9_./-]*`' "$1" | tr -d '`' |
		sort -u | while read -r path; do
		[[ $path == *NAME* || -e $path ]] || echo "$1 names $path, which does not exist"
	done
}
for f in README.md ARCHITECTURE.md CONTRIBUTING.md SECURITY.md; do
	quiet "every path in $f exists" missing_paths "$f"
done
folders() { git ls-files "$@" | grep / | sed 's|/[^/]*$||' | sort -u; }
unnamed_folders() {
	folders 'lib/*.c' 'firstboot/*.c' 'pxe/*.c' 'builder/*.c' | while read -r d; do
		grep -qF "| \`$d/\` |" ARCHITECTURE.md || echo "$d"
	done
}
quiet "ARCHITECTURE.md names every folder of sources" unnamed_folders

lacks() { # SECTION PAGES...
	local section=$1 page
	shift
	for page; do grep -q "^\.Sh $section" "$page" || echo "$page"; done
}
quiet "every page has EXAMPLES" lacks 'EXAMPLES*' man/*
quiet "every page has LIMITATIONS" lacks LIMITATIONS man/*
quiet "every command's page has EXIT STATUS" lacks 'EXIT STATUS' man/*.[18]
check "README begins with three commands" sh -c \
	"head -n 20 README.md | grep -E '^    make ' | awk '{ print \$2 }' | tr '\n' ' ' | grep -qx 'rack rack check '"
finish
