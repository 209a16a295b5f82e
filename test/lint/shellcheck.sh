#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs shellcheck on every shell script that git tracks, with the options in .shellcheckrc. Scripts
# that become part of an image or of a boot tree run in other shells (busybox's ash) and are left
# out: test/initramfs/boot-script.sh checks theirs.
. "$(dirname "$0")/../tap.sh"

scripts() {
	git ls-files -- ':!pxe' ':!images' | while read -r f; do
		[ -f "$f" ] || continue
		read -r first <"$f" 2>/dev/null || continue
		[[ $f == *.sh || $first =~ ^'#!'.*sh$ ]] && echo "$f"
	done 2>/dev/null
}

git rev-parse --is-inside-work-tree >/dev/null 2>&1 ||
	{ skip "shellcheck" "not a git work tree: the list of files is unknown"; finish; }
command -v shellcheck >/dev/null || bail "no shellcheck: make deps"
scripts >"$WORK/scripts"
check "there are more than 40 scripts" test "$(wc -l <"$WORK/scripts")" -gt 40
check "no script has a finding" sh -c "xargs -P '$(nproc)' -n 8 shellcheck -x -f gcc <'$WORK/scripts'"
finish
