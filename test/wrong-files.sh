# SPDX-License-Identifier: Apache-2.0
#
# Sourced after test/tap.sh by test/should-fail/files.sh and update: runs the programs on the wrong files.
# shellcheck shell=bash disable=SC2034
unset SOURCE_DATE_EPOCH RACKSTRAP_MIRROR RACKSTRAP_CACHE
KINDS=(host rack plain mixed recipe)

# Prints the wrong files of a kind. The recipe.cfg beside racks is none: `rackstrap check` takes the
# roles from it.
files_of() { # KIND
	find "test/should-fail/$1" -maxdepth 1 -name '*.cfg' ! -name recipe.cfg | sort
}

# Prints the exit status that a wrong file gives.
status_of() { # FILE
	local mistake
	{ read -r _ && read -r mistake; } <"$1"
	case $mistake in "# unread: "*) echo 1 ;; *) echo 3 ;; esac
}

# Runs the program of a kind on each test/should-fail/KIND/NAME.cfg, with one process on each
# processor. Writes what it prints to DIR/NAME.out and DIR/NAME.err, and prints a line for each
# file, sorted by name: "STATUS NAME".
each_file() { # KIND DIR
	local command
	case $1 in
	host) command=("$ABS_O/firstboot" --roles=test/data/roles.cfg check) ;;
	rack | plain | mixed) command=("$RACKSTRAP" check) ;;
	recipe) command=("$RACKSTRAP" build --dry-run) ;;
	esac
	mkdir -p "$2"
	# shellcheck disable=SC2016 # for the inner shell
	files_of "$1" | xargs -n 8 -P "$(nproc)" bash -c '
		dir=$1 n=$2
		command=("${@:3:n}")
		for cfg in "${@:3+n}"; do
			name=${cfg##*/} rc=0
			name=${name%.cfg}
			"${command[@]}" "$cfg" >"$dir/$name.out" 2>"$dir/$name.err" </dev/null || rc=$?
			echo "$rc $name"
		done' - "$2" "${#command[@]}" "${command[@]}" | sort -k 2
}
