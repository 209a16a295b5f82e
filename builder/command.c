/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a command line against the table of commands: finds the row, prints what --help
 * and --version ask for, runs it. Everything that goes wrong comes back as one `struct
 * err`, which command_exit() prints and turns into the exit status.
 *
 * getopt_long is told to be silent; its complaints are rebuilt here, one line each, with
 * the nearest option named. A long option has a short form when the command's help says
 * so ("-o, --output").
 */
#include "builder/command-main.h"

#include "lib/log.h"
#include "lib/str.h"

#include <ctype.h>

/* --- options ---------------------------------------------------------------------- */

static const char *nearest_option(const char *given, const struct option *options)
{
	const char *words[64];
	size_t n = 0;

	for (; options->name && n < ARRAY_SIZE(words) - 1; options++)
		words[n++] = options->name;
	words[n] = NULL;
	return str_nearest(given, words);
}

static int unknown_option(const struct command *self, const char *word,
			  const struct option *options, struct err *e)
{
	_cleanup_free_ char *name = xstrndup(word + 2, strcspn(word + 2, "="));
	const char *nearest = nearest_option(name, options);

	if (nearest)
		return err_set(e, ERR_USAGE,
			       "%s: no option '--%s' (did you mean '--%s'?)", self->name,
			       name, nearest);
	return err_set(e, ERR_USAGE, "%s: no option '--%s' (see rackstrap %s --help)",
		       self->name, name, self->name);
}

static const struct option *option_by_value(const struct option *options, int value)
{
	for (; options->name; options++)
		if (options->val == value)
			return options;
	return NULL;
}

static char *short_options(const struct command *self, const struct option *options)
{
	_cleanup_buf_ struct buf b = {0};

	buf_puts(&b, ":h");
	for (; options->name; options++) {
		_cleanup_free_ char *said =
			xasprintf("-%c, --%s", options->val, options->name);

		if (options->val > ' ' && options->val < 0x7f && strstr(self->help, said))
			buf_printf(&b, "%c%s", options->val,
				   options->has_arg == required_argument ? ":" : "");
	}
	return buf_take(&b);
}

/* What getopt_long did not like: optopt is the option's value, the letter of a short one
 * that is unknown, or 0 for an unknown long one, which it has then moved past. */
static int complain(const struct command *self, int c, char **argv,
		    const struct option *options, struct err *e)
{
	const struct option *o = option_by_value(options, optopt);

	if (optopt == 0)
		return unknown_option(self, argv[optind - 1], options, e);
	if (c == ':' && o)
		return err_set(e, ERR_USAGE, "%s: --%s needs an argument", self->name,
			       o->name);
	if (o && str_after(argv[optind - 1], "--"))
		return err_set(e, ERR_USAGE, "%s: --%s takes no argument", self->name,
			       o->name);
	return err_set(e, ERR_USAGE, "%s: no option '-%c' (see rackstrap %s --help)",
		       self->name, optopt, self->name);
}

/* Where the text of the first option stands: behind a gap of two blanks or more. */
static int text_column(const char *help)
{
	const char *s = help + strspn(help, " "), *gap = strstr(s, "  ");

	return gap ? (int)(gap + strspn(gap, " ") - help) : 20;
}

static void print_help(const struct command *self)
{
	printf("Usage: rackstrap %s %s\n", self->name, self->args);
	printf("%c%s.\n\n", toupper((unsigned char)self->summary[0]), self->summary + 1);
	printf("%s%-*sprint this and exit\n", self->help, text_column(self->help),
	       "  -h, --help");
	printf("\nMore in rackstrap-%s(1).\n", self->name);
}

int command_getopt(const struct command *self, int argc, char **argv,
		   const struct option *options, struct err *e)
{
	_cleanup_free_ char *shorts = short_options(self, options);
	int c;

	opterr = 0;
	c = getopt_long(argc, argv, shorts, options, NULL);
	if (c == ':' || c == '?') {
		complain(self, c, argv, options, e);
		return -2;
	}
	if (c == 'h') {
		print_help(self);
		exit(fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
	}
	return c;
}

/* --- commands --------------------------------------------------------------------- */

static void print_commands(const struct command *const *commands)
{
	puts("Usage: rackstrap COMMAND [ARGUMENT...]\n"
	     "Turns a rack of blank machines into a working cluster by switching them "
	     "on.\n");
	for (; *commands; commands++)
		printf("  %-9s %s\n", (*commands)->name, (*commands)->summary);
	puts("\n"
	     "  --help      print this, or after a command what it takes, and exit\n"
	     "  --version   print the version and exit\n"
	     "\n"
	     "Exit status: 0 done; 1 failed; 2 wrong command line; 3 a file's content is "
	     "wrong.\n"
	     "More in rackstrap(1).");
}

static int unknown_command(const struct command *const *commands, const char *name,
			   struct err *e)
{
	const char *words[64], *nearest;
	size_t n = 0;

	for (; *commands && n < ARRAY_SIZE(words) - 1; commands++)
		words[n++] = (*commands)->name;
	words[n] = NULL;
	nearest = str_nearest(name, words);
	if (nearest)
		return err_set(e, ERR_USAGE, "no command '%s' (did you mean '%s'?)", name,
			       nearest);
	return err_set(e, ERR_USAGE, "no command '%s' (see rackstrap --help)", name);
}

/* "rackstrap help build" is "rackstrap build --help". */
static int run_help(const struct command *const *commands, int argc, char **argv,
		    struct err *e)
{
	if (argc < 2) {
		print_commands(commands);
		return 0;
	}
	for (const struct command *const *c = commands; *c; c++)
		if (streq((*c)->name, argv[1])) {
			print_help(*c);
			return 0;
		}
	return unknown_command(commands, argv[1], e);
}

static int dispatch(const struct command *const *commands, int argc, char **argv,
		    struct err *e)
{
	if (argc < 2)
		return err_set(e, ERR_USAGE, "name a command (see rackstrap --help)");
	argc--;
	argv++;
	if (streq(argv[0], "--help") || streq(argv[0], "-h") || streq(argv[0], "help"))
		return run_help(commands, argc, argv, e);
	if (streq(argv[0], "--version")) {
		puts("rackstrap " RACKSTRAP_VERSION);
		return 0;
	}
	if (argv[0][0] == '-')
		return err_set(e, ERR_USAGE, "no option '%s' (see rackstrap --help)",
			       argv[0]);
	for (const struct command *const *c = commands; *c; c++) {
		if (!streq((*c)->name, argv[0]))
			continue;
		optind = 0; /* forgets what it has read before */
		return (*c)->run(*c, argc, argv, e);
	}
	return unknown_command(commands, argv[0], e);
}

int command_main(const struct command *const *commands, int argc, char **argv,
		 struct err *e)
{
	int r = dispatch(commands, argc, argv, e);

	/* A result that nobody got is no result. */
	errno = 0;
	if (fflush(stdout) != 0 || ferror(stdout)) {
		if (r == 0)
			return err_errno(e, errno ? errno : EIO, "standard output");
	}
	return r;
}

int command_exit(int r, const struct err *e)
{
	if (r == 0)
		return EXIT_SUCCESS;
	log_error("%s", e->msg);
	return e->code ? (int)e->code : EXIT_FAILURE;
}
