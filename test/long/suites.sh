#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Debian 11 and 13, baked and booted by the code made for Debian 12 (test/recipes): the demo
# rack without its second node becomes ready on each.
. "$(dirname "$0")/../qemu/lib.sh"
make_rack configs/demo.cfg "$WORK/demo.cfg"
python3 - "$WORK/demo.cfg" <<'P'
import re, sys
text = open(sys.argv[1]).read()
text = re.sub(r',\s*\{\s*name = "node-2";.*?\n\t\}', "", text, flags=re.S)
open(sys.argv[1], "w").write(text)
P
for suite in ${SUITES:-bullseye trixie}; do
	check "$suite: is baked" test/bake test/recipes/"$suite" --output "$WORK/baked" || continue
	IMAGE=$WORK/baked/$suite-vm
	check "$suite: the manifest names the suite" sh -c \
		"grep -q '\"suite\": \"$suite\"' $IMAGE/manifest.json"
	DIR=$ABS_O/test/rack-$suite
	rack_start "$WORK/demo.cfg"
	if rack_wait; then
		pass "$suite: the rack comes up"
		check "$suite: both hosts are ready" test "$(grep -cE ' ready *$' "$WORK/table")" = 2 ||
			tail -n 60 "$WORK/rack.log" | note
		check "$suite: Calico's container was loaded" on 172.25.0.11 \
			"journalctl -u rackstrap-containers -o cat | grep -q 'calico/node:v0.4.8 loaded'"
	else
		fail "$suite: the rack comes up"
		tail -n 40 "$WORK/table" "$WORK/rack.log" | note
		for h in master node-1; do tail -n 40 "$(console $h)" | note; done
	fi
	note <"$WORK/table"
	rack_stop
done
finish
