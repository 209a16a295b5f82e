#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The example rack files pass, and the command lines of `rackstrap check` that are refused.
. "$(dirname "$0")/../tap.sh"

for cfg in configs/*.cfg; do
	check "$cfg passes" "$RACKSTRAP" check "$cfg"
done
refuse "check without a rack file" 2 'rackstrap: check: missing argument RACK.cfg: a rack file' "$RACKSTRAP" check
refuse "check of a file that does not exist" 3 'rackstrap: 1 mistake in 1 file' "$RACKSTRAP" check /nonexistent.cfg
refuse "check with an image that does not exist" 1 \
	'rackstrap: image /nonexistent: no manifest.json: not the folder of an image (`rackstrap build` makes one in out/)' \
	"$RACKSTRAP" check configs/demo.cfg --image /nonexistent
finish
