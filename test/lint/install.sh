#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Folders with blanks in their names: sources are compiled in one, `make install` goes into
# one, and what is installed there finds its parts.
. "$(dirname "$0")/../tap.sh"
unset MAKEFLAGS MAKELEVEL

mkdir "$WORK/some sources"
cp -r Makefile lib "$WORK/some sources"
check "compile in a folder with a blank" \
	make -s -C "$WORK/some sources" O=o o/obj/lib/str.o

to="$WORK/a root"
check "make install" make -s O="$ABS_O" install DESTDIR="$to" prefix=/opt/rack
bin="$to/opt/rack/bin/rackstrap"
share="$to/opt/rack/share"
check "the program runs" "$bin" --version
check "every page is there" sh -c \
	"ls man/*.[158] | wc -l | grep -qx \"\$(find '$share/man' -type f | wc -l)\""
check "every recipe and rack file is there" sh -c \
	"find images configs -type f | while read -r f; do
		cmp \"\$f\" '$share/rackstrap/'\"\$f\" || exit 1; done"
for f in "$share"/rackstrap/configs/*.cfg; do
	check "${f##*/} is right" "$bin" check "$f"
done
mkdir "$WORK/here" && cd "$WORK/here" || exit 1
refuse "firstboot is found: what is missing are digests" 3 '*: no digest: give it sha256 *' \
	"$bin" build --offline "$share/rackstrap/images/bookworm-vm"
rm "$to/opt/rack/libexec/rackstrap/firstboot"
refuse "and else missed" 1 'rackstrap: firstboot *: No such file or directory' \
	"$bin" build --offline "$share/rackstrap/images/bookworm-vm"
finish
