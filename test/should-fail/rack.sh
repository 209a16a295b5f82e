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
refuse "rack with arguments for no program" 2 \
	"rackstrap: rack: unexpected argument 'x' (arguments of the program need '--run PROGRAM')" \
	"$RACKSTRAP" rack configs/demo.cfg --image /nonexistent x
refuse "rack with a program and JSON" 2 \
	"rackstrap: rack: options '--run' and '--json' exclude each other: standard output is the program's" \
	"$RACKSTRAP" rack configs/demo.cfg --image /nonexistent --json --run true -- -x
refuse "rack with a wrong time" 2 \
	"rackstrap: rack: option '--timeout' must be 1s to 1d, as in 90s, 5m, 2h or 1d, not '5min'" \
	"$RACKSTRAP" rack configs/demo.cfg --image /nonexistent --timeout 5min
refuse "ssh without a host" 2 "rackstrap: ssh: missing argument HOST: the name of one of its hosts" \
	"$RACKSTRAP" ssh /nonexistent
finish
