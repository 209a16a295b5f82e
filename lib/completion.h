/* SPDX-License-Identifier: Apache-2.0 */
/* Completion of a program's command lines in bash(1), made from the program's tables. */
#pragma once

#include "lib/command.h"
#include "lib/str.h"

/*
 * Appends a bash script that completes commands, options, arguments that are files,
 * folders or one of a list of words, and operands. It needs nothing but bash 4.
 */
void completion_write_bash(const struct program *p, struct buf *b);
