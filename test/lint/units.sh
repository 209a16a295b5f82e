#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The units and drop-ins under images/ against what systemd 219 knows, against the flags of
# the programs they start, and against each other and the recipes. TAP.
cd "$(dirname "$0")/../.." && exec python3 test/lint/units.py
