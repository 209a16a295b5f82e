/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines of the form `PROGRAM [OPTION...] COMMAND [OPTION...] [ARGUMENT...]`.
 *
 * A program is a const table of commands, and a command has const tables of options and
 * arguments. The parser, its messages, --help and the completion (lib/completion.h) are
 * made from these tables.
 *
 * Options may stand anywhere behind the command (see options_first), the program's own
 * options also before it; "--" ends them. The argument of a long option is the next word,
 * or follows a '='. A long option may be shortened as long as it is unambiguous. The name
 * of a file or folder is not empty.
 */
#pragma once

#include "lib/err.h"

/* The kind of names that completion offers for an argument. */
enum arg_kind {
	ARG_TEXT, /* none */
	ARG_FILE,
	ARG_DIR,
};

struct command_option {
	const char *name; /* without the dashes; NULL ends a table */
	char letter;      /* of the short form, or 0 */
	const char *arg;  /* its argument's name in --help, or NULL when it takes none */
	/* For --help, without newlines. The words of `choice` are printed before it. */
	const char *help;
	int id; /* for command_has() and the like; positive */
	enum arg_kind kind;
	/* Returns the i-th permitted argument, or NULL behind the last; NULL: any. */
	const char *(*choice)(size_t i);
	bool required;
};

struct command_operand {
	const char *name; /* "RECIPE" */
	/* For --help and the message when the operand is missing, without newlines. The
	 * words of `choice` are printed before it. May be NULL with `choice`. */
	const char *help;
	enum arg_kind kind;
	const char *(*choice)(size_t i); /* as in an option */
};

#define COMMAND_MAX_OPERANDS 3
#define COMMAND_ANY          SIZE_MAX

struct command_line;

/* An option of earlier versions. It is refused with the name that it has now. */
struct command_renamed {
	const char *old, *now; /* without the dashes; NULL ends a table */
};

struct command {
	const char *name;
	const char *summary; /* one line for the list, beginning with a verb */

	/*
	 * Arguments after the name in the usage line, as in the manual page's synopsis:
	 * "RECIPE [--output DIR]". A newline separates the forms of a command.
	 */
	const char *synopsis;
	const struct command_option *options;  /* or NULL */
	const struct command_renamed *renamed; /* or NULL */
	/* The last one stands for all further operands. */
	struct command_operand operands[COMMAND_MAX_OPERANDS];
	size_t min_args, max_args; /* numbers of operands; COMMAND_ANY: no limit */
	bool options_first;        /* no options behind the first operand: the operands
				    * contain another program's command line */

	/* Returns 0, or -1 with `e` set: its code becomes the exit status. */
	int (*run)(const struct command_line *line, struct err *e);
};

struct program {
	const char *name;
	const char *version;
	const char *summary;  /* a sentence for --help, with its full stop */
	const char *manual;   /* "rackstrap(1)" */
	bool command_manuals; /* a command has its own page: NAME-COMMAND(1) */
	const struct command_option *options; /* of every command, or NULL */
	const struct command *const *commands;
	/* Applies the program's own options before a command runs. NULL: they are the
	 * commands'. Returns 0, or -1 with `e` set. */
	int (*before)(const struct command_line *line, struct err *e);
	/* Removes what processes of the program left that were killed. Called before a
	 * command runs, and when a signal has ended one (lib/interrupt.h). With NULL
	 * signals do what they do by default. */
	void (*sweep)(void);
};

/* A parsed command line. Strings are argv's. */
struct command_line {
	const struct program *program;
	const struct command *command;
	struct option_given {
		const struct command_option *option;
		const char *arg;
	} * given; /* in their order */
	size_t n_given;
	char **args; /* the operands, NULL-terminated */
	size_t n_args;
};

/* Returns whether the option was given. */
bool command_has(const struct command_line *line, int id);

/* Returns the argument of the option, of its last occurrence if it was given more than
 * once, or `otherwise`. */
const char *command_arg(const struct command_line *line, int id, const char *otherwise);

/* Returns the argument of the option's i-th occurrence, or NULL. */
const char *command_arg_at(const struct command_line *line, int id, size_t i);

/*
 * Parses the option's argument as a decimal number from `min` to `max` into *ret, which
 * stays as it is when the option was not given. `unit` is for the message: " seconds" or
 * "". Returns 0, or -1 with `e` set.
 */
int command_number(const struct command_line *line, int id, uint64_t min, uint64_t max,
		   const char *unit, uint64_t *ret, struct err *e) _must_check_;

/*
 * Parses the option's argument as a duration into *ret_s, in seconds, which stays as it
 * is when the option was not given: a decimal number with the suffix s, m, h or d, or
 * without one a number of `unit_s` seconds. Returns 0, or -1 with `e` set.
 */
int command_duration(const struct command_line *line, int id, uint64_t min_s,
		     uint64_t max_s, uint64_t unit_s, uint64_t *ret_s,
		     struct err *e) _must_check_;

/*
 * Parses the command line and runs the command. --help, --version and `help COMMAND` are
 * answered on standard output. Returns 0, or -1 with `e` set, also when standard output
 * could not be written. Descriptors 0, 1 and 2 are open afterwards: no file that the
 * command opens gets one of these numbers.
 */
int command_main(const struct program *program, int argc, char **argv, struct err *e);

/* Prints the error of command_main(), if any, and returns the exit status. An error with
 * an empty message is only a status: that of a program that has printed why. */
int command_exit(int r, const struct err *e);
