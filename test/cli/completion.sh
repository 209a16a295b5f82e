#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The bash completion, as readline calls it: COMP_WORDS are the words before and after the
# cursor, '=' and ':' being words of their own.
. "$(dirname "$0")/../tap.sh"

check "rackstrap completion succeeds" "$RACKSTRAP" completion
cp "$WORK/out" "$WORK/script"
check "the build makes the same script" cmp "$WORK/script" "$O/completion/rackstrap"
check "bash parses the script" bash -n "$WORK/script"
if command -v shellcheck >/dev/null; then
	check "shellcheck finds no fault in the script" shellcheck -s bash "$WORK/script"
fi
# shellcheck disable=SC1091 # made above
. "$WORK/script"
check "the script registers a completion of rackstrap" complete -p rackstrap

mkdir -p "$WORK/files/folder" "$WORK/files/two words"
touch "$WORK/files/a.cfg" "$WORK/files/disk.img"
cd "$WORK/files" || exit 1

# completes WHAT 'EXPECTED ...' WORD...: the last word is the one at the cursor; the
# expected words are sorted, separated by '|'.
completes() {
	local what=$1 want=$2 got
	shift 2
	COMP_WORDS=(rackstrap "$@")
	COMP_CWORD=$#
	_rackstrap rackstrap "${*: -1}" "${COMP_WORDS[COMP_CWORD - 1]}"
	got=$(printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd'|')
	if [ "$got" = "$want" ]; then
		pass "$what"
	else
		fail "$what"
		printf '# got    %s\n# wanted %s\n' "$got" "$want"
	fi
}

completes "commands by their first letter" 'cache|check|completion|customize' c
completes "one command" 'customize' cu
completes "options of the program" '--help|--version' --
completes "no such command" '' x
completes "commands after help" 'verify' help v
completes "options of a command" '--accel|--dhcp|--dir|--fresh|--help|--host|--image|--json|--keep|--quiet|--run|--timeout|--uefi|--verbose' rack a.cfg --
completes "options that begin so" '--firstboot|--format' build --f
completes "options behind arguments" '--json' inspect disk.img --j
completes "disk formats" 'qcow2|raw|zst' build --format ''
completes "a disk format by its first letter" 'qcow2' build --format q
completes "a disk format behind '='" 'qcow2' build --format = q
completes "all disk formats behind '='" 'qcow2|raw|zst' build --format =
completes "image types" 'disk|iso|pxe' build --type ''
completes "sector sizes" '4096|512' build --sector-size ''
completes "--accel" 'auto|kvm|tcg' rack a.cfg --accel ''
completes "actions of cache" 'export|list|prune' cache ''
completes "folders for export" 'folder|two words' cache export ''
completes "no third operand" '' cache export folder ''
completes "files" 'a.cfg' check a
completes "a second file" 'disk.img' check a.cfg d
completes "a file behind a short option and its argument" 'a.cfg' build -o folder a
completes "a file behind an option and its argument" 'a.cfg' build --output folder a
completes "a file behind an option and '='" 'a.cfg' build --output = folder a
completes "a file behind a URL" 'a.cfg' fetch --mirror https : //one = http : //two a
completes "a file behind '=' and a URL" 'a.cfg' fetch --mirror = https : //one a
completes "the second operand behind one with ':'" 'disk.img' write a : b d
completes "files for an option" 'a.cfg|disk.img|folder|two words' customize disk.img --key ''
completes "folders for an option" 'folder' rack --image fo
completes "a program" 'a.cfg|disk.img|folder|two words' rack a.cfg --run ''
completes "the folder of a rack" 'folder' ssh fo
completes "nothing for the name of a host" '' ssh folder d
completes "folders for a short option" 'folder' pxe -o f
completes "nothing where any word may stand" '' rack --host n
completes "both operands of write" 'disk.img' write a.cfg d
completes "nothing behind the last operand" '' verify disk.img ''

cd "$TOP" || exit 1
# Every option that takes an argument is known as such.
# shellcheck disable=SC2013 # commands are words
for command in $("$RACKSTRAP" --help | sed -nE 's/^  ([a-z]+) .*/\1/p'); do
	COMP_WORDS=(rackstrap "$command" --)
	COMP_CWORD=2
	_rackstrap
	printf '%s\n' "${COMPREPLY[@]}" | sort >"$WORK/completed"
	"$RACKSTRAP" "$command" --help | sed -nE 's/^  (-., )?(--[a-z-]+).*/\2/p' | sort >"$WORK/help"
	check "$command: completion has the options of --help" diff "$WORK/completed" "$WORK/help"
done

check "make install succeeds" make -s install DESTDIR="$WORK/root" prefix=/usr
check "make install installs the same script" cmp "$WORK/script" "$WORK/root/usr/share/bash-completion/completions/rackstrap"
finish
