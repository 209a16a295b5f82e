/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `rackstrap` command's subcommands: one row each in main.c's table, one file each
 * (cmd-NAME.c). The row also makes `rackstrap --help` and `rackstrap NAME --help`.
 */
#pragma once

#include "lib/err.h"

#include <getopt.h>

struct command {
	const char *name;
	const char *args;    /* "RACK.cfg --image DIR [OPTION...]" */
	const char *summary; /* one line for the list */
	const char *help;    /* option lines, within 80 columns, each with its newline */

	/*
	 * argv[0] is the command's name; getopt is reset. Returns 0, or -1 with `e` set
	 * (its code becomes the exit status). Results on standard output.
	 */
	int (*run)(const struct command *self, int argc, char **argv, struct err *e);
};

extern const struct command command_build, command_lock, command_fetch, command_cache,
	command_check, command_pxe, command_serve, command_rack, command_status,
	command_write, command_inspect, command_customize, command_verify;

/*
 * getopt_long with our manners: --help prints the command's help and exits 0; an unknown
 * option or a missing argument is one line in `e` (ERR_USAGE). Gives the option's value,
 * -1 at the end, -2 on an error. Options may stand anywhere among the arguments.
 */
int command_getopt(const struct command *self, int argc, char **argv,
		   const struct option *options, struct err *e);
