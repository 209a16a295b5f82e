/* SPDX-License-Identifier: Apache-2.0 */
/*
 * getopt_long(3) parses, once for the options before the command and once for those
 * behind it. It is told to be silent; its errors are put into words here, the same for
 * every program.
 *
 * Limits: 62 options per command, with those of the program.
 */
#include "lib/command-help.h"
#include "lib/interrupt.h"
#include "lib/log.h"
#include "lib/out.h"
#include "lib/str.h"

#include <ctype.h>
#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

#define MAX_OPTIONS 64
#define LONG_VALUE  256 /* getopt_long's value of the first long option */

/* --- options ---------------------------------------------------------------------- */

struct parser {
	const struct command_option *options[MAX_OPTIONS];
	struct option longs[MAX_OPTIONS + 1];
	char shorts[2 * MAX_OPTIONS + 3];
	size_t n;
};

static void add_option(struct parser *p, const struct command_option *o)
{
	char *end = p->shorts + strlen(p->shorts);

	if (p->n == MAX_OPTIONS)
		abort();
	if (o->letter) {
		*end++ = o->letter;
		if (o->arg)
			*end = ':';
	}
	p->longs[p->n] =
		(struct option){.name = o->name,
				.has_arg = o->arg ? required_argument : no_argument,
				.val = LONG_VALUE + (int)p->n};
	p->options[p->n++] = o;
}

static void add_options(struct parser *p, const struct command_option *o)
{
	for (; o && o->name; o++)
		add_option(p, o);
}

/* Returns the option that getopt_long returned as `value`, or NULL. */
static const struct command_option *find_option(const struct parser *p, int value)
{
	if (value >= LONG_VALUE)
		return p->options[value - LONG_VALUE];
	for (size_t i = 0; i < p->n; i++)
		if (p->options[i]->letter == value && value > 0)
			return p->options[i];
	return NULL;
}

/* Puts "COMMAND: " before the error when a command is known. Returns -1. */
static int in_command(const struct command_line *l, struct err *e)
{
	return l->command ? err_wrap(e, "%s", l->command->name) : -1;
}

/* Sets the error of an unknown word; `kind` is "option" or "command". Returns -1. */
static int unknown(const struct command_line *l, const char *kind, const char *word,
		   const char *nearest, struct err *e)
{
	const struct program *p = l->program;

	if (nearest)
		err_set(e, ERR_USAGE, "unknown %s '%s' (did you mean '%s'?)", kind, word,
			nearest);
	else
		err_set(e, ERR_USAGE, "unknown %s '%s' (see %s%s%s --help)", kind, word,
			p->name, l->command ? " " : "",
			l->command ? l->command->name : "");
	return in_command(l, e);
}

/* Returns "'--keep' or '--keep-all'" for the options that begin with `option`, or NULL
 * when there are not several, or `option` has no letter. Owned. */
static char *meanings(const struct parser *p, const char *option)
{
	_cleanup_strv_ char **v = NULL;

	for (size_t i = 0; option[2] && i < p->n; i++)
		if (str_after(p->options[i]->name, option + 2))
			strv_addf(&v, "'--%s'", p->options[i]->name);
	return strv_len(v) > 1 ? strv_join(v, " or ") : NULL;
}

/* Returns the present name of the option of an earlier version that `name` is or begins,
 * or NULL. */
static const char *renamed(const struct command *c, const char *name)
{
	for (const struct command_renamed *r = c ? c->renamed : NULL; r && r->old; r++)
		if (*name && str_after(r->old, name))
			return r->now;
	return NULL;
}

/* Sets the error of a long option that is unknown, or short for several. Returns -1. */
static int unknown_long(const struct command_line *l, const struct parser *p,
			const char *word, struct err *e)
{
	_cleanup_free_ char *option = xstrndup(word, strcspn(word, "="));
	_cleanup_free_ char *nearest = NULL, *several = meanings(p, option);
	const char *names[MAX_OPTIONS + 1] = {NULL}, *name;

	if (several) {
		err_set(e, ERR_USAGE, "option '%s' is ambiguous: %s", option, several);
		return in_command(l, e);
	}
	for (size_t i = 0; i < p->n; i++)
		names[i] = p->options[i]->name;
	name = renamed(l->command, option + 2);
	if (name) {
		err_set(e, ERR_USAGE, "option '%s' is now '--%s'", option, name);
		return in_command(l, e);
	}
	name = str_nearest(option + 2, names);
	nearest = name ? xasprintf("--%s", name) : NULL;
	return unknown(l, "option", option, nearest, e);
}

/*
 * Sets the error for what getopt_long refused. optopt is then the value of the option, or
 * the letter of an unknown short one, or 0 for an unknown long one, which it has moved
 * past.
 */
static int refused(const struct command_line *l, const struct parser *p, int c,
		   char **argv, struct err *e)
{
	const struct command_option *o = find_option(p, optopt);
	char letter[] = {'-', (char)optopt, '\0'};
	const char *word = letter;

	if (optopt == 0)
		return unknown_long(l, p, argv[optind - 1], e);
	/* getopt_long has read one byte of a letter that has several. */
	if (!isascii((uint8_t)optopt) && argv[optind] && strchr(argv[optind], optopt))
		word = argv[optind];
	if (!o)
		return unknown(l, "option", word, NULL, e);
	err_set(e, ERR_USAGE,
		c == ':' ? "option '--%s' requires an argument"
			 : "option '--%s' takes no argument",
		o->name);
	return in_command(l, e);
}

static int check_choice(const struct command_line *l, const char *what,
			const char *(*choice)(size_t i), const char *arg, struct err *e)
{
	_cleanup_free_ char *words = NULL;

	for (size_t i = 0; choice && choice(i); i++)
		if (streq(choice(i), arg))
			return 0;
	if (!choice)
		return 0;
	words = str_list(choice, "or");
	err_set(e, ERR_USAGE, "%s must be %s, not '%s'", what, words, arg);
	return in_command(l, e);
}

/* Checks the argument of an option or operand. An empty path is that of no file, and is
 * mostly an unset variable of a script. */
static int check_arg(const struct command_line *l, const char *what, enum arg_kind kind,
		     const char *(*choice)(size_t i), const char *arg, struct err *e)
{
	if (*arg || choice || kind == ARG_TEXT)
		return check_choice(l, what, choice, arg, e);
	err_set(e, ERR_USAGE, "%s must not be empty", what);
	return in_command(l, e);
}

static int add_given(struct command_line *l, const struct command_option *o,
		     struct err *e)
{
	_cleanup_free_ char *what = xasprintf("option '--%s'", o->name);

	l->given = xgrow(l->given, l->n_given, sizeof(*l->given));
	l->given[l->n_given++] =
		(struct option_given){.option = o, .arg = o->arg ? optarg : NULL};
	return o->arg ? check_arg(l, what, o->kind, o->choice, optarg, e) : 0;
}

/* Parses the options of argv[1] and the following. Returns 0 with optind at the first
 * operand, 1 when --help or --version was answered, -1 with `e` set. */
static int parse_options(struct command_line *l, struct parser *p, int argc, char **argv,
			 struct err *e)
{
	int c;

	opterr = 0;
	optind = 0; /* makes glibc forget what it has read before */
	while ((c = getopt_long(argc, argv, p->shorts, p->longs, NULL)) != -1) {
		const struct command_option *o;

		if (c == ':' || c == '?')
			return refused(l, p, c, argv, e);
		o = find_option(p, c);
		if (o->id == COMMAND_ID_HELP && l->command)
			command_print_help(l->program, l->command);
		else if (o->id == COMMAND_ID_HELP)
			program_print_help(l->program);
		else if (o->id == COMMAND_ID_VERSION)
			out_line("%s %s", l->program->name, l->program->version);
		else if (add_given(l, o, e) < 0)
			return -1;
		if (o->id < 0)
			return 1;
	}
	return 0;
}

/* --- commands --------------------------------------------------------------------- */

static int find_command(struct command_line *l, const char *name, struct err *e)
{
	const char *names[MAX_OPTIONS] = {NULL};
	const struct command *const *c = l->program->commands;

	for (size_t i = 0; i < ARRAY_SIZE(names) - 1 && c[i]; i++) {
		names[i] = c[i]->name;
		if (!streq(names[i], name))
			continue;
		l->command = c[i];
		return 0;
	}
	return unknown(l, "command", name, str_nearest(name, names), e);
}

/* `PROGRAM help` is `PROGRAM --help`, and `PROGRAM help COMMAND` is `PROGRAM COMMAND
 * --help`. */
static int run_help(struct command_line *l, char *const *args, struct err *e)
{
	if (!args[0]) {
		program_print_help(l->program);
		return 0;
	}
	if (find_command(l, args[0], e) < 0)
		return -1;
	if (args[1])
		return err_set(e, ERR_USAGE, "help: unexpected argument '%s'", args[1]);
	command_print_help(l->program, l->command);
	return 0;
}

static const struct command_operand *operand_at(const struct command *c, size_t i)
{
	const struct command_operand *o = c->operands;

	while (i-- > 0 && o + 1 < c->operands + COMMAND_MAX_OPERANDS && o[1].name)
		o++;
	return o;
}

static int check_operands(const struct command_line *l, struct err *e)
{
	const struct command *c = l->command;
	const struct command_operand *o = operand_at(c, l->n_args);
	_cleanup_free_ char *text = command_help_text(o->help, o->choice);

	for (size_t i = 0; i < l->n_args && i < c->max_args; i++) {
		const struct command_operand *a = operand_at(c, i);

		if (check_arg(l, a->name, a->kind, a->choice, l->args[i], e) < 0)
			return -1;
	}
	if (l->n_args < c->min_args)
		err_set(e, ERR_USAGE, "missing argument %s: %s", o->name, text);
	else if (l->n_args > c->max_args)
		err_set(e, ERR_USAGE, "unexpected argument '%s'", l->args[c->max_args]);
	else
		return 0;
	return in_command(l, e);
}

static int check_required(const struct command_line *l, struct err *e)
{
	for (const struct command_option *o = l->command->options; o && o->name; o++)
		if (o->required && !command_has(l, o->id)) {
			err_set(e, ERR_USAGE, "missing option '--%s %s': %s", o->name,
				o->arg, o->help);
			return in_command(l, e);
		}
	return 0;
}

/* Parses what follows the command's name, which is argv[0]. Returns as parse_options().
 */
static int parse_command(struct command_line *l, int argc, char **argv, struct err *e)
{
	struct parser p = {.shorts = ":"};
	int r;

	if (l->command->options_first)
		strcpy(p.shorts, "+:"); /* stops at the first operand */
	add_options(&p, l->command->options);
	add_options(&p, l->program->options);
	add_option(&p, &command_option_help);
	r = parse_options(l, &p, argc, argv, e);
	if (r != 0)
		return r;
	l->args = argv + optind;
	l->n_args = (size_t)(argc - optind);
	if (check_operands(l, e) < 0 || check_required(l, e) < 0)
		return -1;
	return 0;
}

static int run_command(struct command_line *l, struct err *e)
{
	int r;

	if (l->program->before && l->program->before(l, e) < 0)
		return in_command(l, e);
	if (!l->program->sweep)
		return l->command->run(l, e);
	interrupt_enable(l->command->name);
	l->program->sweep();
	r = l->command->run(l, e);
	interrupt_disable();
	return r;
}

static int dispatch(struct command_line *l, int argc, char **argv, struct err *e)
{
	struct parser p = {.shorts = "+:"}; /* stops at the command */
	int r;

	add_options(&p, l->program->options);
	add_option(&p, &command_option_help);
	add_option(&p, &command_option_version);
	r = parse_options(l, &p, argc, argv, e);
	if (r != 0)
		return r;
	argc -= optind;
	argv += optind;
	if (argc == 0)
		return err_set(e, ERR_USAGE, "missing command (see %s --help)",
			       l->program->name);
	if (streq(argv[0], "help"))
		return run_help(l, argv + 1, e);
	if (find_command(l, argv[0], e) < 0)
		return -1;
	r = parse_command(l, argc, argv, e);
	if (r != 0)
		return r;
	return run_command(l, e);
}

/* --- for the commands --------------------------------------------------------------- */

bool command_has(const struct command_line *line, int id)
{
	for (size_t i = 0; i < line->n_given; i++)
		if (line->given[i].option->id == id)
			return true;
	return false;
}

const char *command_arg_at(const struct command_line *line, int id, size_t i)
{
	for (size_t k = 0; k < line->n_given; k++)
		if (line->given[k].option->id == id && i-- == 0)
			return line->given[k].arg;
	return NULL;
}

const char *command_arg(const struct command_line *line, int id, const char *otherwise)
{
	for (size_t i = line->n_given; i > 0; i--)
		if (line->given[i - 1].option->id == id)
			return line->given[i - 1].arg;
	return otherwise;
}

int command_number(const struct command_line *line, int id, uint64_t min, uint64_t max,
		   const char *unit, uint64_t *ret, struct err *e)
{
	for (size_t i = 0; i < line->n_given; i++) {
		const struct option_given *g = &line->given[i];

		if (g->option->id != id ||
		    (str_to_u64(g->arg, max, ret) == 0 && *ret >= min))
			continue;
		err_set(e, ERR_USAGE, "option '--%s' must be %llu to %llu%s, not '%s'",
			g->option->name, (unsigned long long)min, (unsigned long long)max,
			unit, g->arg);
		return in_command(line, e);
	}
	return 0;
}

/* The suffixes of durations. Without one, a number has the unit of its option. */
static const struct {
	char suffix;
	uint64_t seconds;
} duration_units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

static int parse_duration(const char *s, uint64_t max_s, uint64_t unit_s, uint64_t *ret)
{
	_cleanup_free_ char *number = xstrdup(s);
	size_t len = strlen(number);
	uint64_t v;

	for (size_t i = 0; len > 0 && i < ARRAY_SIZE(duration_units); i++)
		if (number[len - 1] == duration_units[i].suffix) {
			unit_s = duration_units[i].seconds;
			number[len - 1] = '\0';
			break;
		}
	if (str_to_u64(number, max_s / unit_s, &v) < 0)
		return -EINVAL;
	*ret = v * unit_s;
	return 0;
}

/* Returns the duration with the largest unit that gives a whole number, like "15m". */
static char *duration_text(uint64_t s)
{
	size_t i = 0;

	while (duration_units[i].suffix != 's' &&
	       (s == 0 || s % duration_units[i].seconds != 0))
		i++;
	return xasprintf("%llu%c", (unsigned long long)(s / duration_units[i].seconds),
			 duration_units[i].suffix);
}

int command_duration(const struct command_line *line, int id, uint64_t min_s,
		     uint64_t max_s, uint64_t unit_s, uint64_t *ret_s, struct err *e)
{
	_cleanup_free_ char *min = duration_text(min_s), *max = duration_text(max_s);

	for (size_t i = 0; i < line->n_given; i++) {
		const struct option_given *g = &line->given[i];

		if (g->option->id != id ||
		    (parse_duration(g->arg, max_s, unit_s, ret_s) == 0 &&
		     *ret_s >= min_s))
			continue;
		err_set(e, ERR_USAGE,
			"option '--%s' must be %s to %s, as in 90s, 5m, 2h or 1d, not "
			"'%s'",
			g->option->name, min, max, g->arg);
		return in_command(line, e);
	}
	return 0;
}

/* --- the program -------------------------------------------------------------------- */

/*
 * Opens /dev/null for each of the descriptors 0, 1 and 2 that is closed. A file of the
 * program that got such a number would receive what is printed. It is opened in the wrong
 * direction, so that reading and writing still fail.
 */
static void reserve_stdio(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null",
				    fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int command_main(const struct program *program, int argc, char **argv, struct err *e)
{
	struct command_line line = {.program = program};
	int r;

	reserve_stdio();
	if (program->sweep && interrupt_finish(argc, argv, program->sweep, e) < 0)
		return -1;
	r = dispatch(&line, argc, argv, e);
	free(line.given);
	/* Results that could not be written are a failure. */
	if (out_flush(r < 0 ? NULL : e) < 0)
		r = -1;
	return r < 0 ? -1 : 0;
}

int command_exit(int r, const struct err *e)
{
	if (r >= 0)
		return EXIT_SUCCESS;
	if (e->msg[0])
		log_lines(LOG_LEVEL_ERROR, e->msg);
	return e->code ? (int)e->code : EXIT_FAILURE;
}
