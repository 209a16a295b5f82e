#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# No comment begins with a word of a riddle: see test/lint/comments.py.
. "$(dirname "$0")/../tap.sh"

check "comments begin with a verb or a noun" test/lint/comments.py
finish
