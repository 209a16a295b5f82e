#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The documents of docs/ with real builds and racks in QEMU: everything in docs/first-recipe.md, and
# of docs/first-rack.md the image, the rack and the commands on its hosts. test/cli/docs.sh runs the
# rest, among it the boot server of docs/first-rack.md.
. "$(dirname "$0")/../tap.sh"
. test/docs.sh

for document in "$TOP"/docs/*.md; do
	mkdir -p "$WORK/reader/${document##*/}"
	cd "$WORK/reader/${document##*/}" || bail "no $WORK"
	echo "# ${document#"$TOP/"}"
	"$TOP/test/docs.py" "$document" long >tap 2>&1
	status=$?
	sed 's/^/# /' tap
	check "every command of ${document##*/} is right" \
		sh -c "test $status = 0 && grep -q '^1\.\.[1-9]' tap && ! grep '^not ok' -A 20 tap"
done
finish
