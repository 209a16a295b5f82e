/* SPDX-License-Identifier: Apache-2.0 */
/* What main() does, apart from being main(): for main.c and its test. */
#pragma once

#include "builder/command.h"

/*
 * Runs the command line against `commands` (NULL-terminated). `rackstrap --help` and
 * `--version` print on standard output. 0, or -1 with `e` set.
 */
int command_main(const struct command *const *commands, int argc, char **argv,
		 struct err *e);

/* The exit status for what command_main returned; prints the error, one "rackstrap: ..."
 * a line of it, on standard error. */
int command_exit(int r, const struct err *e);
