#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A corpus of archives (test/build/archives.py): what is good comes out whoever wrote it,
# archives in archives included; what is hostile, or cut off, is refused, by the member's
# name. Nothing is ever written but to standard output.
. "$(dirname "$0")/../tap.sh"
tool=$ABS_O/test/tools/print-member
[ -x "$tool" ] || bail "no $tool: make tests-built"
C=$WORK/corpus
python3 test/build/archives.py "$C" || bail "no corpus"
cd "$C" || exit 1

good() { # ARCHIVE MEMBER
	[ "$("$tool" 1M "$1" "$2")" = x ]
}
for f in good-*; do check "$f" good "$f" bin/x; done
for f in nested-*; do
	m=${f#nested-}
	check "$f" good "$f" "${m//%//}"
done
for f in bad-*.why; do
	refuse "${f%.why}" 1 "$(cat "$f")" "$tool" 1M "${f%.why}" bin/x
done
check "within the same limit: 1 MiB" test "$(ls good-* nested-* | wc -l)" -ge 20

# Real ones, by other people's tools.
mkdir -p deb/DEBIAN deb/bin && printf x >deb/bin/x
printf 'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.invalid>\nDescription: x\n' \
	>deb/DEBIAN/control
for z in gzip xz none; do
	dpkg-deb -b -Z$z --root-owner-group deb $z.deb >/dev/null
	case $z in gzip) data=data.tar.gz ;; xz) data=data.tar.xz ;; none) data=data.tar ;; esac
	check "dpkg-deb's package, $z" good $z.deb "$data!bin/x"
done
(cd deb && echo bin/x | cpio -o -H newc --quiet >../x.cpio)
check "cpio's archive" good x.cpio bin/x
finish
