#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The power-cut sweep of test/unit/test-firstboot-powercut.c with many more second cuts.
cd "$(dirname "$0")/../.." || exit 1
export CMOCKA_MESSAGE_OUTPUT=TAP RACKSTRAP_CUTS=${RACKSTRAP_CUTS:-60}
exec "${O:-build}/test/unit/test-firstboot-powercut"
