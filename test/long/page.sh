#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The status page in a browser, test/long/page.py: racks that are empty, half up, failed, ready, of
# 1,000 hosts, with the longest names, and with hostile reports; light and dark; 400 to 1920 pixels
# wide. The screenshots are left in BUILDDIR/test/log/page.
. "$(dirname "$0")/../tap.sh"
SHOTS=$ABS_O/test/log/page NOW=1780000000
rm -rf "$SHOTS"
mkdir -p "$SHOTS" "$WORK/home"

for kind in empty half failed ready long hostile; do
	test/page-tree.py "$WORK/$kind" $kind
	"$O/test/tools/status-pages" "$WORK/$kind" $NOW || bail "no page of $kind"
done
test/page-tree.py "$WORK/mixed" mixed 1000
"$O/test/tools/status-pages" "$WORK/mixed" $NOW || bail "no page of mixed"
for rack in demo rack40; do
	"$RACKSTRAP" check --svg configs/$rack.cfg >"$WORK/$rack.svg" || bail "no picture of $rack"
done

# Prints a line "ok WHAT" or "not ok WHAT" for each check.
HOME=$WORK/home timeout -k 10 900 python3 test/long/page.py "$WORK" "$SHOTS" >"$WORK/checks" 2>"$WORK/log"
check "the browser ran to its end" test $? = 0 || tail -n 20 "$WORK/log" | note
while read -r line; do
	case $line in
	"ok "*) pass "${line#ok }" ;;
	"not ok "*) fail "${line#not ok }" ;;
	*) note <<<"$line" ;;
	esac
done <"$WORK/checks"
check "each page was seen in two colours and five widths" test "$(find "$SHOTS" -name '*.png' | wc -l)" -ge 70
finish
