/* SPDX-License-Identifier: Apache-2.0 */
/* The output of --help, at most 80 columns wide, and the options of every program. */
#pragma once

#include "lib/command.h"

enum {
	COMMAND_ID_HELP = -1,
	COMMAND_ID_VERSION = -2,
};

extern const struct command_option command_option_help;    /* also of every command */
extern const struct command_option command_option_version; /* only before the command */

/* Returns the text of an option or operand: "raw, qcow2 or zst: HELP". Owned. */
char *command_help_text(const char *help, const char *(*choice)(size_t i)) _must_check_;

/* Print to standard output. */
void program_print_help(const struct program *p);
void command_print_help(const struct program *p, const struct command *c);
