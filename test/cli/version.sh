#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# VERSION is the only place where the version is written by hand; what repeats it agrees.
. "$(dirname "$0")/../tap.sh"
version=$(cat VERSION)

check "VERSION is one line, three numbers" grep -Pzqx '[0-9]+\.[0-9]+\.[0-9]+\n' VERSION
check "rackstrap --version prints it" test "$("$RACKSTRAP" --version)" = "rackstrap $version"
check "firstboot --version prints it" test "$("$ABS_O/firstboot" --version)" = "firstboot $version"
check "debian/changelog begins with it" test "$(dpkg-parsechangelog -S Version)" = "$version"
check "NEWS begins with it" test "$(grep -m 1 -oE '^[0-9]+\.[0-9]+\.[0-9]+' NEWS)" = "$version"
check "NEWS and debian/changelog have the same versions" diff \
	<(grep -oE '^[0-9]+\.[0-9]+\.[0-9]+' NEWS) \
	<(sed -nE 's/^rackstrap \((.*)\) .*/\1/p' debian/changelog)
check "NEWS names the tag of every version" diff \
	<(grep -oE '^[0-9]+\.[0-9]+\.[0-9]+' NEWS | sed 's/^/v/') <(grep -oE '\<v[0-9]+\.[0-9]+\.[0-9]+\>' NEWS)
for page in man/*; do
	grep -qx '\.Os rackstrap' "$page" || echo "$page"
done >"$WORK/pages"
check "every page has the line '.Os rackstrap', to which make install adds it" test ! -s "$WORK/pages"
finish
