#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every mistake a rack file can have: rack/NAME.cfg is refused with exactly rack/NAME.txt on
# standard error, nothing on standard output and exit status 3.
. "$(dirname "$0")/../tap.sh"

for cfg in test/should-fail/rack/*.cfg; do
	name=$(basename "$cfg" .cfg)
	rc=0
	"$RACKSTRAP" check "$cfg" >"$WORK/out" 2>"$WORK/err" </dev/null || rc=$?
	if [ $rc -eq 3 ] && [ ! -s "$WORK/out" ] &&
		diff "${cfg%.cfg}.txt" "$WORK/err" >"$WORK/diff"; then
		pass "$name: $(sed -n '2s/^# //p' "$cfg")"
	else
		fail "$name: $(sed -n '2s/^# //p' "$cfg") (exit $rc)"
		note <"$WORK/diff"
	fi
done

# The examples are right, and said to be.
for cfg in configs/*.cfg; do
	check "$cfg" "$RACKSTRAP" check "$cfg"
done
refuse "no file named" 2 'rackstrap: check: missing argument RACK.cfg: a rack file' "$RACKSTRAP" check
refuse "no such file" 3 'rackstrap: 1 mistake in 1 file' "$RACKSTRAP" check /nonexistent.cfg
refuse "no such image" 1 \
	'rackstrap: image /nonexistent: no manifest.json: not the folder of an image (`rackstrap build` makes one in out/)' \
	"$RACKSTRAP" check configs/demo.cfg --image /nonexistent
finish
