#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Rules of style that a program can check, over the files that git tracks. A check is a function
# that prints "FILE:LINE: why" for each violation, and nothing when there is none.
. "$(dirname "$0")/../tap.sh"

# Prints "FILE FUNCTION REASON" for each call outside lib/run.c that may start a process.
spawn_exceptions() {
	cat <<-'END'
	test/standin/etcd.c execv becomes the real etcd after it has checked the flags
	test/standin/docker.c execv becomes the real dockerd after it has checked the flags
	test/standin/common/docker-runc.c execv becomes the real runc after it has checked the host
	test/standin/common/calico-service.c fork the child changes its root to the host's
	test/standin/common/calico-service.c execv becomes the host's BIRD, below that root
	builder/common/sandbox.c fork the process that enters the namespaces goes on to run the program
	lib/interrupt.c execveat the same program again, in a signal handler
	builder/rack/rack-ns.c fork the child that lives in the namespaces is this program itself
	lib/userns.c fork processes of this program make a namespace
	test/unit/test-rack-start.c fork a process that holds a lock for a moment
	test/unit/test-sandbox.c fork a process that is killed while its sandbox runs
	test/unit/test-firstboot-http.h fork a server of the test, in the test itself
	test/unit/test-firstboot-configured.h fork a report that watches on for an hour, in the test itself
	test/unit/test-firstboot-pool.c fork two programs that race, in the test itself
	test/tools/measure.c fork the program it measures, traced
	test/tools/measure.c execvp the program it measures, traced
	test/tools/no-openat2.c execvp the program, for which openat2() does not exist
	END
}

# Prints "FILE CALL REASON" for each call that may open for reading what is no regular file.
reading_exceptions() {
	cat <<-'END'
	firstboot/model/conf.c file_read_at of a file that the operator named, which may be a pipe
	builder/recipe/config-text.c file_read_at of a file that the operator named
	builder/cmd-customize.c file_read_at of files that the operator named
	builder/cmd-write.c open of a disk, which blockdev_open() has checked
	builder/rack/rack-ns.c open of a namespace in /proc
	END
}

# Prints "FILE WORD REASON" for each call or name, of those in printing(), that may stand in a
# file of the product. All other text goes through lib/out.h and lib/log.h, which make texts from
# elsewhere harmless.
print_exceptions() {
	cat <<-'END'
	lib/out.c puts prints a line that it has cleaned
	lib/out.c fputs prints a text that it has cleaned
	lib/out.c stdout is what it prints to
	lib/log.c STDERR_FILENO is what it prints to, after cleaning
	lib/command-help.c printf the program's own texts, for --help
	lib/command-help.c putchar the program's own texts, for --help
	lib/command-help.c fputs the program's own texts, for --help
	lib/command-help.c stdout the program's own texts, for --help
	lib/command.c STDERR_FILENO opens it if it is closed
	lib/interrupt.c STDERR_FILENO fixed texts, and the sequences that clear a progress line
	lib/str.c STDERR_FILENO a fixed text before abort()
	lib/run.c STDERR_FILENO the number of a child's descriptor
	lib/run.c STDOUT_FILENO the number of a child's descriptor
	builder/common/digest.c fputs a fixed text before abort()
	builder/common/digest.c stderr a fixed text before abort()
	builder/common/progress.c fputs fixed sequences that move the cursor
	builder/common/progress.c fprintf shows a line that it has cleaned
	builder/rack/rack-ns.c stdout flushes it before a fork
	builder/common/progress.c stderr is what it shows lines on
	builder/common/progress.c STDERR_FILENO asks for the terminal's width
	END
}

# Prints "FILE REASON" for each file of the product that appends with strv_add() and the like to
# another list than one named argv: a list that is always short. Appending walks the whole list, so
# that a list from elsewhere, a million strings long, would take hours. It is made with strv_builder.
short_lists() {
	cat <<-'END'
	lib/command.c the options of one command
	builder/base/apt-resolve.c one package more, of a list that was copied
	builder/base/apt.c the components of one archive
	builder/base/base-suite.c one element
	builder/base/mmdebstrap.c two packages more, of a list that was copied
	builder/cmd-build.c options of the command line
	builder/cmd-customize.c options of the command line
	builder/cmd-rack.c options of the command line
	builder/disk/device-use.c the uses of one disk of this machine
	builder/disk/disk-view.c the environment of a program
	builder/image/fat.c the folders of a medium
	builder/image/image-disk.c the files of one image
	builder/image/image-iso.c the files of one image
	builder/image/image-pxe.c the files of one image
	builder/image/medium-tree.c the files of a medium
	builder/input/fetch.c progress lines, for as many downloads as run at once
	builder/input/mirror.c options of the command line
	builder/rack/rack-program.c the environment of a program
	builder/rack/rack-ssh.c one element
	builder/rack/rack-vm.c the command line of QEMU
	builder/installed.c the recipes that are installed
	builder/recipe/base-type.c the types of bases
	builder/recipe/recipe-check.c the known keys of a group, for each file of a recipe
	builder/recipe/recipe.c one element
	builder/recipe/recipe-product.c one unit more of each role
	builder/root/initrd.c the files in an initrd
	firstboot/apply.c at most 51 mistakes
	firstboot/config-url.c two warnings
	firstboot/inspect.c one warning
	firstboot/plan/feature/nat.c a rule for each of at most 256 networks
	firstboot/model/feature.c the names of features
	firstboot/model/feature/calico.c one element
	firstboot/units.c at most five lines, and the environment files of a unit
	firstboot/uplink.c the links of a bond
	pxe/kernel-cmdline.c the words of a kernel command line
	pxe/tree-host.c a script for each boot loader
	END
}

# Prints "HEADER FILE...": the one file of the product that includes the header of a library.
# jansson has three: pxe/ may not use builder/, nor builder/ what is private to pxe/, and one only
# checks a text. "-" stands for any one file. Tests may use any library.
library_files() {
	cat <<-'END'
	libconfig.h firstboot/model/conf.c
	sodium.h firstboot/model/sha256.c
	jansson.h pxe/json-get.h builder/root/container-json.c builder/common/json-check.c
	archive.h -
	archive_entry.h -
	lzma.h builder/common/unpack-xz.c
	zstd.h builder/common/unpack-zstd.c
	yaml.h builder/common/yaml.c
	curl/curl.h -
	guestfs.h builder/common/guest.c
	libfdisk/ builder/image/gpt.c
	openssl/ -
	END
}

# Prints "FILE FUNCTION REASON" for each rename in the product outside lib/file.c, lib/root-file.c and
# lib/durable.c, which sync the file's new name.
rename_exceptions() {
	cat <<-'END'
	builder/input/cache.c renameat an input that a power cut damages has another digest
	builder/rack/rack-vm.c rename a console's log
	pxe/serve-logs.c rename a server's log
	pxe/status-files.c renameat the files are made again at the next start
	pxe/tree-swap.c renameat the folder is synced once, behind the last rename
	pxe/tree-swap.c renameat2 the folder is synced once, behind the last rename
	END
}

tracked() { git ls-files -- "$@" | while read -r f; do [ ! -e "$f" ] || echo "$f"; done; }
product_c() { tracked 'lib/*.[ch]' 'firstboot/*.[ch]' 'pxe/*.[ch]' 'builder/*.[ch]'; }

# Writes all C without comments and the contents of strings to $WORK/bare, each line behind
# its FILE:LINE.
bare_c() {
	tracked '*.c' '*.h' | xargs awk 'FNR == 1 { print "# 1 \"" FILENAME "\"" } { print }' |
		gcc -fpreprocessed -dD -E -x c - 2>/dev/null |
		awk '/^# [0-9]+ "/ { line = $2; split($0, part, "\""); file = part[2]; next }
		     { gsub(/"([^"\\]|\\.)*"/, "\"\""); print file ":" line++ ":" $0 }' >"$WORK/bare"
}

# Prints the lines of $WORK/bare that match, as "FILE:LINE: text".
grep_c() { grep -E "^[^:]*:[0-9]+:.*$1" "$WORK/bare" | sed 's|:[[:space:]]*|: |2'; }

scripts() {
	tracked | xargs awk 'FNR == 1 && (/^#! ?\/.*(sh|python3)$/ || FILENAME ~ /\.sh$/) { print FILENAME }
		{ nextfile }'
}

spdx() {
	{
		tracked '*.c' '*.h' '*.S' '*.inc' '*.sh' '*.py' 'Makefile' '*.service' '*.target' '*.timer' \
			'*.socket' '*.mount' '*.path' 'images/*.conf' 'images/*.cfg' 'man/*'
		scripts
	} | sort -u >"$WORK/ours"
	# shellcheck disable=SC2094 # the list is only read
	xargs awk 'FNR > 3 { nextfile } /SPDX-License-Identifier: Apache-2\.0/ { print FILENAME }' \
		<"$WORK/ours" | sort -u | comm -23 "$WORK/ours" - |
		sed 's/$/:1: no SPDX line within the first three/'
}

spawning() {
	local call='\<(v?fork|_Fork|clone3?|execve?|execvpe?|execl[pe]?|execveat|fexecve|posix_spawnp?|daemon)[[:space:]]*\(' hit
	grep_c "($call|\<SYS_(v?fork|clone3?|execve|execveat)\>)" |
		grep -v '^lib/run\.c:' |
		while read -r hit; do
			spawn_exceptions | {
				while read -r file function _; do
					[[ $hit == "$file:"*[!a-z_]"$function("* ]] && exit 0
				done
				exit 1
			} || echo "$hit"
		done
}

# A file that gets its final name by a rename is synced before, and its name after that.
renames() {
	local hit
	grep_c '\<rename(at2?)?[[:space:]]*\(' | grep -E '^(lib|firstboot|pxe|builder)/' |
		grep -vE '^lib/(file|root-file|durable)\.c:' |
		while read -r hit; do
			rename_exceptions | {
				while read -r file function _; do
					[[ $hit == "$file:"*[!a-z_]"$function("* ]] && exit 0
				done
				exit 1
			} || echo "$hit: use lib/durable.h"
		done
}

# A temporary folder that is not recorded stays when its process is killed.
unrecorded_folders() {
	grep_c '\<(mkdtemp|mkstemp|mkostemp)[[:space:]]*\(' |
		grep -E '^(lib|firstboot|pxe|builder)/' | grep -v '^lib/file\.[ch]:' |
		sed 's|$|: use lib/scratch.h|'
}

# Prints the exceptions that are no longer needed.
stale_exceptions() {
	local file function
	{ spawn_exceptions; rename_exceptions; } | while read -r file function _; do
		[ -e "$file" ] && grep -q "\<$function *(" "$file" ||
			echo "test/lint/style.sh:1: $file no longer calls $function"
	done
}

# Prints the lines of the product that print.
printing() {
	local hit call='v?f?printf|v?dprintf|f?puts(_unlocked)?|f?putc|putchar|fwrite|perror'
	local name='stdout|stderr|STD(OUT|ERR)_FILENO'
	grep_c "(\<($call)[[:space:]]*\(|\<($name)\>)" | grep -E '^(lib|firstboot|pxe|builder)/' |
		while read -r hit; do
			print_exceptions | {
				while read -r file word _; do
					[[ $hit == "$file:"* && $hit =~ (^|[^A-Za-z_0-9])$word([^A-Za-z_0-9]|$) ]] && exit 0
				done
				exit 1
			} || echo "$hit: print it with lib/out.h or lib/log.h"
		done
}

stale_print_exceptions() {
	local file word
	print_exceptions | while read -r file word _; do
		grep_c "\<$word\>" | grep -q "^$file:" || echo "test/lint/style.sh:1: $file no longer has $word"
	done
}

# Prints the lines that append to another list than argv.
appends() {
	grep_c '\<strv_(addf?|extend)[[:space:]]*\(' | grep -E '^(lib|firstboot|pxe|builder)/' |
		grep -vE '^lib/str\.[ch]:|\<strv_(addf?|extend)\(&?argv,'
}
appending() {
	short_lists | sed 's/ .*//' >"$WORK/short"
	appends | awk -F: 'NR == FNR { short[$0] = 1; next } !($1 in short) { print $0 ": use strv_builder" }' \
		"$WORK/short" -
}
stale_short_lists() {
	appends | sed 's/:.*//' | sort -u >"$WORK/appending"
	short_lists | sed 's/ .*//' | sort | comm -23 - "$WORK/appending" |
		sed 's/.*/test\/lint\/style.sh:1: & no longer appends to a short list/'
}

# An array that grows by one element is copied for each: xgrow() doubles it.
growing() {
	grep_c '\<x?realloc(array)?[[:space:]]*\(' | grep -E '^(lib|firstboot|pxe|builder)/' |
		grep -vE '^lib/(str\.[ch]|file\.c):' | sed 's/$/: use xgrow()/'
}

# Calls whose descriptor is inherited by every program that is started later.
inherited() {
	awk -F: '$1 ~ /^(lib|firstboot|pxe|builder)\//' "$WORK/bare" |
		grep -E '\<(dup|creat|pipe|accept|epoll_create|inotify_init|mkstemp)[[:space:]]*\(' |
		sed 's|:[[:space:]]*|: |2; s|$|: use the call with CLOEXEC|'
}

# Prints the calls that may follow a symlink that somebody else made, or wait for a pipe: lib/file.h
# has functions that do not. A flag is looked for in the line of O_RDONLY.
readers() {
	local hit
	awk -F: '$1 ~ /^(firstboot|pxe|builder)\//' "$WORK/bare" | sed 's|:[[:space:]]*|: |2' |
		grep -E '\<(file_read_at|fopen|fopen64|freopen)[[:space:]]*\(|\<O_RDONLY\>' |
		grep -vE 'O_DIRECTORY|O_NONBLOCK' |
		while read -r hit; do
			reading_exceptions | {
				while read -r file function _; do
					[[ $hit == "$file:"*[!a-z_]"$function("* ]] && exit 0
				done
				exit 1
			} || echo "$hit: use file_read_foreign_at() or another of lib/file.h"
		done
}

# Prints the exceptions that are no longer needed.
stale_readers() {
	local file function
	reading_exceptions | while read -r file function _; do
		[ -e "$file" ] && grep -q "\<$function *(" "$file" ||
			echo "test/lint/style.sh:1: $file no longer calls $function"
	done
}

shells() {
	grep_c '\<(system|popen|wordexp)[[:space:]]*\('
}

# Changes to the whole process are made by a program's main, or by lib/ for its child processes.
# The process that changes in sandbox.c is a child that is about to run a program; guest.c sets
# TMPDIR for the programs of libguestfs, which get the environment of the process.
process_wide() {
	grep_c '\<(signal|sigaction|umask|exit|chdir|setlocale|setenv|putenv)[[:space:]]*\(' |
		grep -E '^(lib|firstboot|pxe|builder)/' | grep -vE '^((builder/main|firstboot/firstboot)\.c|lib/(run|signals|interrupt)\.c|builder/common/(sandbox|guest)\.c):'
}

one_file_a_library() {
	local header file users
	product_c >"$WORK/product"
	library_files | while read -r header file; do
		users=$(xargs grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*<$header" <"$WORK/product")
		if [ "$file" = - ]; then
			[ "$(wc -w <<<"$users")" -le 1 ] ||
				echo "$header is included by ${users//$'\n'/ }: one file should"
		else
			[ -z "$users" ] || [ "$(sort <<<"$users")" = "$(tr ' ' '\n' <<<"$file" | sort)" ] ||
				echo "$header is included by ${users//$'\n'/ }: only $file should"
		fi
	done
}

# readdir(3) gives NULL for an error too, so one function of the product handles it.
directory_readers() {
	grep_c '\<(readdir|readdir_r|readdir64|scandir|scandirat|fts_open|n?ftw|getdents64)[[:space:]]*\(' |
		grep -E '^(lib|firstboot|pxe|builder)/' | grep -v '^lib/dir\.c:'
}

# Calls that could create or empty a file at the other end of a symlink.
created_through_links() {
	grep_c '\<O_CREAT\>' | grep -E '^(lib|firstboot|pxe|builder)/' | grep -vE '\<O_(EXCL|NOFOLLOW)\>'
}

# firstboot may be given a root folder that others have filled with symlinks. lib/root.h has what
# stays in it, and takes the descriptor first: calls that end in "at", which do not, get only
# AT_FDCWD from it. So do those in all of the product whose descriptor is named root or rootfd.
root_paths() {
	local calls='(open|fstat|faccess|rename|mkdir|unlink|symlink|readlink|fchmod|fchown|link|utimens|mknod)at2?'
	local ours='(file_[a-z_]+|mkdir_p|rm_rf|dir_names|fsync_parent|conf_read)_at'
	{
		grep_c "\<($calls|$ours)[[:space:]]*\(" | grep '^firstboot/[a-z-]*\.c:' | grep -v AT_FDCWD
		grep_c "\<($calls|$ours)[[:space:]]*\((&[a-z]+, )?([a-z]+(->|\.))?root(fd)?," |
			grep -E '^(lib|firstboot|pxe|builder)/' | grep -v '^lib/root'
	} | sort -u
}

# Prints each folder, and behind it the folders that its files may include from besides its own.
# A folder that is missing here may include nothing of ours. ARCHITECTURE.md has the same table.
dependencies() {
	cat <<-'END'
	lib
	firstboot/model lib firstboot/model/feature
	firstboot/model/feature lib firstboot/model
	firstboot/plan lib firstboot/model
	firstboot/plan/feature lib firstboot/plan firstboot/model firstboot/model/feature
	firstboot lib firstboot/model firstboot/plan
	firstboot/feature lib firstboot firstboot/model firstboot/model/feature firstboot/plan firstboot/plan/feature
	pxe lib firstboot/model firstboot/plan
	pxe/feature lib pxe firstboot/model firstboot/model/feature
	builder/common lib pxe firstboot/model
	builder/recipe lib pxe firstboot/model builder/common
	builder/input lib pxe firstboot/model builder/common builder/recipe
	builder/base lib pxe firstboot/model builder/common builder/recipe builder/input
	builder/root lib pxe firstboot/model builder/common builder/recipe builder/input builder/base
	builder/image lib pxe firstboot/model builder/common builder/recipe builder/input builder/base builder/root
	builder/disk lib pxe firstboot/model builder/common
	builder/rack lib pxe firstboot/model builder/common
	builder lib pxe firstboot/model builder/common builder/recipe builder/input builder/base builder/root builder/image builder/disk builder/rack
	test/standin lib test/standin/common
	test/standin/common lib
	END
}

# Prints every include in quotes of the product and the stand-ins that the table does not allow.
layers() {
	dependencies >"$WORK/dependencies"
	tracked 'lib/*.[chS]' 'firstboot/*.[chS]' 'pxe/*.[chS]' 'builder/*.[chS]' 'test/standin/*.[chS]' |
		xargs awk -v table="$WORK/dependencies" '
			BEGIN {
				while ((getline line <table) > 0) {
					n = split(line, word, " ")
					for (i = 1; i <= n; i++)
						may[word[1], word[i]] = 1
				}
			}
			/^[[:space:]]*#[[:space:]]*include[[:space:]]*"/ {
				split($0, part, "\"")
				from = FILENAME
				to = part[2]
				sub(/\/[^\/]*$/, "", from)
				if (!sub(/\/[^\/]*$/, "", to))
					print FILENAME ":" FNR ": " part[2] ": write the path from the root"
				else if (!((from, to) in may))
					print FILENAME ":" FNR ": " from " must not include from " to
			}'
}

big_files() {
	tracked | xargs stat -c '%s %n' | awk '$1 > 1048576 { print $2 ": " $1 " bytes" }'
}

# Prints the C files that have the name of another. The stand-ins have the names of the real
# programs, and files in folders of features the names of features: both are left out, and so are
# the tables of features.
same_names() {
	tracked '*.c' ':!test/standin' ':!*/feature/*' ':!*/feature.c' | awk -F/ '
		$NF in first { print $0 ":1: has the same name as " first[$NF]; next }
		{ first[$NF] = $0 }'
}

# A function's length is counted from the brace in the first column to the closing one.
long_functions() { # LINES
	tracked '*.c' | xargs awk -v most="$1" '
		FNR == 1 { start = 0 }
		/^\{[[:space:]]*$/ { start = FNR }
		/^\}[[:space:]]*$/ && start {
			n = FNR - start + 1
			if (n > most)
				printf "%s:%d: a function of %d lines\n", FILENAME, start, n
			start = 0
		}'
}

# Tabs are eight columns wide. clang-format does not break long strings, so that lines are counted.
wide_lines() {
	tracked '*.c' '*.h' | xargs awk '
		length($0) > 40 {
			n = split($0, part, "\t")
			width = 0
			for (i = 1; i <= n; i++) {
				width += length(part[i])
				if (i < n)
					width = int(width / 8) * 8 + 8
			}
			if (width > 90)
				printf "%s:%d: %d columns\n", FILENAME, FNR, width
		}'
}

# Prints the macros that are only defined.
unused_macros() {
	awk '{ line = $0; sub(/^[^:]*:[0-9]+:/, "", line)
		if (match(line, /^#define[ \t]+[A-Za-z_0-9]+/)) {
			split(line, word, /[ \t(]+/)
			where[word[2]] = substr($0, 1, length($0) - length(line))
		}
		gsub(/[^A-Za-z_0-9]+/, " ", line)
		n = split(line, word, " ")
		for (i = 1; i <= n; i++) count[word[i]]++
	}
	END { for (m in where) if (count[m] == 1) print where[m] " " m }' "$WORK/bare" | sort
}

# The words are put together so that this file does not contain them.
promises() {
	local todo="TO""DO" fix="FIX""ME" xxx="X""XX" later="for"" now" none="not"" implemented"
	tracked ':!test/data' ':!LICENSE' | xargs grep -nIE "\<($todo|$fix|$xxx)\>|\<$later\>|\<$none\>"
}

manuals() {
	tracked 'man/*' | xargs mandoc -Tlint -W warning | sed 's/^mandoc: //'
}

# The other scripts are parsed by test/lint/shellcheck.sh.
syntax() {
	local f first
	scripts >"$WORK/scripts"
	while read -r f; do
		read -r first <"$f"
		case $first in
		*python3) echo "$f" >&3 ;;
		'#!/bin/sh'*) sh -n "$f" 2>&1 && bash --posix -n "$f" 2>&1 ;;
		esac
	done <"$WORK/scripts" 3>"$WORK/python"
	python3 - "$WORK/python" <<-'P'
		import ast, sys
		for path in open(sys.argv[1]).read().split():
		    try:
		        ast.parse(open(path).read(), path)
		    except SyntaxError as e:
		        print(f"{e.filename}:{e.lineno}: {e.msg}")
	P
}

# Opening /dev/stderr truncates the file that it is: the test's log.
opened_streams() {
	local stream="/dev/std""(err|out)"
	tracked 'test/*.sh' 'test/*.py' test/run test/bake | xargs grep -nE "(tee|[>]) *$stream"
}

executable_bits() {
	local f first
	scripts | while read -r f; do
		read -r first <"$f"
		if [[ $first == '#!'* && ! -x $f && $f != pxe/* && $f != images/* ]]; then
			echo "$f:1: begins with #! but is not executable"
		fi
	done
}

whitespace() {
	tracked '*.c' '*.h' '*.S' '*.sh' '*.py' Makefile '*.service' '*.target' '*.timer' '*.cfg' ':!test/should-fail' ':!test/golden' ':!test/fuzz' |
		xargs grep -nE '[[:space:]]+$'
}

git rev-parse --is-inside-work-tree >/dev/null 2>&1 ||
	{ skip "style" "not a git work tree: the list of files is unknown"; finish; }
[ "$(product_c | wc -l)" -gt 20 ] || bail "only $(product_c | wc -l) C files are tracked"

bare_c
[ "$(wc -l <"$WORK/bare")" -gt 10000 ] || bail "C without comments has only $(wc -l <"$WORK/bare") lines"

quiet "every source file has its SPDX line" spdx
quiet "only lib/run.c starts processes" spawning
quiet "files get their final names by lib/durable.h" renames
quiet "temporary folders are made by lib/scratch.h" unrecorded_folders
quiet "every exception to these is needed" stale_exceptions
quiet "only lib/out.c and lib/log.c print" printing
quiet "every exception to that is needed as well" stale_print_exceptions
quiet "long lists are made with strv_builder" appending
quiet "every exception to that is needed, too" stale_short_lists
quiet "arrays grow by doubling" growing
quiet "every descriptor is opened with O_CLOEXEC" inherited
quiet "what others may write is opened as a regular file" readers
quiet "every exception to that is needed" stale_readers
quiet "no C file starts a shell" shells
quiet "only main and lib change the whole process" process_wide
quiet "each library is included by one file" one_file_a_library
quiet "only lib/dir.c reads directories" directory_readers
quiet "no file is created through a symlink" created_through_links
quiet "firstboot opens files below its root with lib/root.h" root_paths
quiet "includes follow the table of dependencies" layers
quiet "no two C files have the same name" same_names
quiet "no file over 1 MiB" big_files
quiet "no function over 100 lines" long_functions 100
quiet "no line over 90 columns" wide_lines
quiet "every macro is used" unused_macros
quiet "no comment puts work off" promises
quiet "man pages pass mandoc -Tlint" manuals
quiet "scripts parse" syntax
quiet "scripts are executable" executable_bits
quiet "no script opens its standard error by name" opened_streams
quiet "no trailing white space" whitespace
long_functions 80 | sed 's/$/ (80 is much)/' | note
finish
