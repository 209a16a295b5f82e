#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every mistake that a host file, a rack file or a recipe can have: FOLDER/NAME.cfg is refused
# with exactly FOLDER/NAME.txt on standard error, nothing on standard output and exit status 3.
# The second line of a .cfg is a comment that names its mistake. It begins with "unread: " when a
# file cannot be read that the .cfg names: the exit status is 1 then. test/should-fail/update rewrites the .txt files with what the programs print now.
. "$(dirname "$0")/../tap.sh"
. test/wrong-files.sh

for kind in "${KINDS[@]}"; do
	: >"$WORK/ran"
	each_file "$kind" "$WORK/$kind" >"$WORK/ran"
	while read -r rc name; do
		cfg=test/should-fail/$kind/$name.cfg got=$WORK/$kind/$name
		{ read -r _ && read -r mistake; } <"$cfg"
		what="$kind: $name: ${mistake#\# }"
		if [ "$rc" = "$(status_of "$cfg")" ] && [ ! -s "$got.out" ] && diff "${cfg%.cfg}.txt" "$got.err" >"$WORK/diff"; then
			pass "$what"
		else
			fail "$what (exit $rc)"
			note <"$WORK/diff"
		fi
	done <"$WORK/ran"
	check "$kind: every file was run" test "$(wc -l <"$WORK/ran")" = \
		"$(files_of "$kind" | wc -l)"
done
finish
