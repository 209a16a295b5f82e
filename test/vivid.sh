# SPDX-License-Identifier: Apache-2.0
#
# Sourced after test/tap.sh by the tests of images/vivid: bakes the recipe from mirrors that
# the test makes, an archive in Ubuntu's layout (test/vivid-archive) and the artifacts under
# their official URLs. The recipe is the shipped one except for what copy_recipes changes
# (test/recipes.sh) and for the archive's key.
# shellcheck shell=bash disable=SC2034
. test/recipes.sh
VIVID=$WORK/baked/vivid

# Prints the packages that the recipe names.
vivid_packages() {
	sed -n '/^	packages = \[/,/\]/p' images/vivid/recipe.cfg | sed 's/#.*//' |
		grep -o '"[^"]*"' | tr -d '"'
}

# Makes the archive, once for a build folder, and serves it. Sets VIVID_FROM, the --mirror
# options, and VIVID_HTTPD, the server's process id.
vivid_mirror() {
	VIVID_ARCHIVE=$ABS_O/test/vivid-archive
	if [ ! -e "$VIVID_ARCHIVE/ubuntu" ]; then
		rm -rf "$VIVID_ARCHIVE" "$VIVID_ARCHIVE.new"
		# shellcheck disable=SC2046
		test/vivid-archive "$VIVID_ARCHIVE.new" $(vivid_packages) >"$WORK/archive.log" 2>&1 ||
			{ note <"$WORK/archive.log"; return 1; }
		mv "$VIVID_ARCHIVE.new" "$VIVID_ARCHIVE"
	fi
	copy_recipes "$WORK"
	cp "$VIVID_ARCHIVE/key.gpg" "$WORK/images/vivid/ubuntu-archive-2012.gpg"
	python3 test/httpd.py "$VIVID_ARCHIVE" "$WORK/archive.port" &
	VIVID_HTTPD=$!
	for _ in $(seq 1000); do [ -s "$WORK/archive.port" ] && break; sleep 0.1; done
	VIVID_FROM=("${FROM[@]}" --mirror
		"http://old-releases.ubuntu.com/=http://127.0.0.1:$(cat "$WORK/archive.port")/")
}

vivid_bake() { # into $VIVID
	"$RACKSTRAP" lock "$WORK/images/vivid" "${VIVID_FROM[@]}" >&2 &&
		"$RACKSTRAP" build "$WORK/images/vivid" --output "$WORK/baked" "${VIVID_FROM[@]}" >&2
}
