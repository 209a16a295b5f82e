#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A corpus of archives (test/build/archives.py): the member of a good one is extracted, whichever
# program wrote it, also from an archive in an archive; a hostile or truncated one is refused, and
# the message names the member. The program writes to standard output only.
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
	check "$f is read" good "$f" "${m//%//}"
done
for f in bad-*.why; do
	refuse "${f%.why} is refused" 1 "$(cat "$f")" "$tool" 1M "${f%.why}" bin/x
done
check "at least 20 archives were read within the limit of 1 MiB" test "$(find . -name "good-*" -o -name "nested-*" | wc -l)" -ge 20

# Archives made by other tools.
mkdir -p deb/DEBIAN deb/bin && printf x >deb/bin/x
printf 'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.invalid>\nDescription: x\n' \
	>deb/DEBIAN/control
for z in gzip xz none; do
	dpkg-deb -b -Z$z --root-owner-group deb $z.deb >/dev/null
	case $z in gzip) data=data.tar.gz ;; xz) data=data.tar.xz ;; none) data=data.tar ;; esac
	check "a package made by dpkg-deb with $z is read" good $z.deb "$data!bin/x"
done
(cd deb && echo bin/x | cpio -o -H newc --quiet >../x.cpio)
check "an archive made by cpio is read" good x.cpio bin/x

# Two names of one file: in newc the last one has the data, in odc both.
ln deb/bin/x deb/bin/y
for format in newc odc; do
	(cd deb && printf 'bin/y\nbin/x\n' | cpio -o -H $format --quiet >../links-$format.cpio)
	check "the last name of a file in a cpio is read ($format)" good links-$format.cpio bin/x
done
check "the first name is read where it has the data" good links-odc.cpio bin/y
refuse "it is refused where it has none" 1 "links-newc.cpio: member 'bin/y' is a hard link to a later member, not a file (recipe.cfg:1)" \
	"$tool" 1M links-newc.cpio bin/y

# Files with holes, the last one at the end.
mkdir sparse
python3 -c 'f = open("sparse/x", "wb"); f.write(b"a" * 4096); f.seek(200000); f.write(b"b"); f.truncate(900000)'
for format in "--format=gnu" "--format=posix --sparse-version=0.0" "--format=posix --sparse-version=0.1" \
	"--format=posix --sparse-version=1.0"; do
	# shellcheck disable=SC2086 # the options are words
	tar $format -S -cf sparse.tar sparse/x
	"$tool" 4M sparse.tar sparse/x >sparse.out
	check "a file with holes is read whole ($format)" cmp sparse/x sparse.out
done
finish
