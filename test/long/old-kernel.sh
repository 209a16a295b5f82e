#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# All unit tests of firstboot, and of what resolves paths below a root, as on a kernel without
# openat2() (before 5.6).
. "$(dirname "$0")/../tap.sh"
for t in "$O"/test/unit/test-firstboot-* "$O"/test/unit/test-lib-root "$O"/test/unit/test-device; do
	[[ $t == *.* ]] || check "${t##*/} passes without openat2()" "$O/test/tools/no-openat2" "$t"
done
finish
