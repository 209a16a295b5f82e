#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# test/qemu/vivid.sh with the whole demo rack.
FULL_RACK=1 exec "$(dirname "$0")/../qemu/vivid.sh"
