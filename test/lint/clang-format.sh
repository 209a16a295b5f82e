#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Every C file is as clang-format 14 writes it; another version writes some lines in
# another way. `clang-format-14 -i FILE` mends a file.
. "$(dirname "$0")/../tap.sh"

formatted() { git ls-files -z '*.c' '*.h' | xargs -0 clang-format-14 --dry-run --Werror; }

check "C files are as clang-format 14 writes them" formatted
finish
