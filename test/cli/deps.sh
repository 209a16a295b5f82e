#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The three sets of packages that `make deps` installs, against debian/control.
. "$(dirname "$0")/../tap.sh"
unset MAKEFLAGS MAKELEVEL

# Prints a variable of the Makefile, a word a line. The kernel for libguestfs depends on the machine.
words() { make -s --eval 'print: ; @printf "%s\\n" $($(NAME))' print NAME="$1" | grep -v '^linux-image' | sort; }
# Prints the names in a field of the source (1) or of a package (2, 3), the first of alternatives.
field() { # PARAGRAPH FIELD
	awk -v RS= -v n="$1" 'NR == n' debian/control |
		awk -v field="$2:" '/^[A-Z]/ { on = $1 == field; sub(/^[^ ]* /, "") } on' | tr ',' '\n' |
		sed -E 's/\|.*//; s/\([^)]*\)//; s/ //g' | grep -v -e '^$' -e '^[$]' | sort
}

for set in BUILD RUN TEST; do
	words DEPS_$set >"$WORK/$set"
	check "DEPS_$set has packages" test "$(wc -l <"$WORK/$set")" -ge 10
done
words DEPS_LONG >"$WORK/LONG"
check "no package is in two sets" test -z "$(sort "$WORK/BUILD" "$WORK/RUN" "$WORK/TEST" "$WORK/LONG" | uniq -d)"
check "make deps installs all three" sh -c "
	make -s -n deps | grep -q gcc && make -s -n deps | grep -q mmdebstrap && make -s -n deps | grep -q shellcheck"
check "make deps-long installs the browser, which make deps does not" sh -c "
	make -s -n deps-long | grep -qw chromium && ! make -s -n deps | grep -qw chromium"
check "no service of a package starts after make deps" sh -c "
	make -s -n deps | grep -q 'prometheus=prometheus'"
check "make deps-run installs no compiler" sh -c "! make -s -n deps-run | grep -qw gcc"
check "Build-Depends is DEPS_BUILD, with debhelper and without build-essential's" diff \
	<(grep -vx -e gcc -e libc6-dev -e make "$WORK/BUILD") \
	<(field 1 Build-Depends | grep -vx debhelper-compat)
check "rackstrap depends on DEPS_RUN, apt and firstboot" diff "$WORK/RUN" \
	<(field 2 Depends | grep -vx -e apt -e rackstrap-firstboot)
mkdir "$WORK/bin"
printf '#!/bin/sh\ncase " $* " in *" cmocka "*) exit 1; esac\n' >"$WORK/bin/pkg-config"
chmod 755 "$WORK/bin/pkg-config"
check "the programs are compiled without what only the tests need" \
	env PATH="$WORK/bin:$PATH" make -s -n O="$WORK/o" all
refuse "the tests are not" 2 "*pkg-config failed*" env PATH="$WORK/bin:$PATH" make -s -n O="$WORK/o" "$WORK/o/test/unit/test-lib-net"
for page in README.md CONTRIBUTING.md; do
	for target in deps-build deps-run deps-test; do
		check "$page names $target" grep -qw -- "$target" $page
	done
done
finish
