/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/command-help.h"

#include "lib/str.h"

#include <ctype.h>

#define HELP_WIDTH      80
#define HELP_MAX_COLUMN 27 /* where the texts of options begin at most */

const struct command_option command_option_help = {.name = "help",
						   .letter = 'h',
						   .id = COMMAND_ID_HELP,
						   .help = "print this and exit"};
const struct command_option command_option_version = {
	.name = "version",
	.id = COMMAND_ID_VERSION,
	.help = "print the version and exit"};

/* Returns the length of the next word of `s`; in a synopsis, brackets and everything in
 * them are one word. */
static size_t word_length(const char *s, bool synopsis)
{
	size_t n = 0;
	int depth = 0;

	for (; s[n] && (s[n] != ' ' || depth > 0); n++)
		if (synopsis)
			depth += (s[n] == '[') - (s[n] == ']');
	return n;
}

/* Prints the words of `text` from column `at` on, further lines from column `indent` on.
 */
static void print_wrapped(const char *text, size_t at, size_t indent, bool synopsis)
{
	bool first = true;

	while (*text) {
		size_t n = word_length(text, synopsis);

		if (!first && at + 1 + n > HELP_WIDTH) {
			printf("\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		printf("%s%.*s", first ? "" : " ", (int)n, text);
		at += n + (first ? 0 : 1);
		first = false;
		text += n + (text[n] == ' ');
	}
	putchar('\n');
}

char *command_help_text(const char *help, const char *(*choice)(size_t i))
{
	_cleanup_free_ char *words = choice ? str_list(choice, "or") : NULL;

	return xasprintf("%s%s%s", words ? words : "", words && help ? ": " : "",
			 help ? help : "");
}

static char *option_left(const struct command_option *o)
{
	_cleanup_free_ char *letter = o->letter ? xasprintf("-%c, ", o->letter) : NULL;

	return xasprintf("  %s--%s%s%s", letter ? letter : "", o->name, o->arg ? " " : "",
			 o->arg ? o->arg : "");
}

static void widen(size_t *column, const char *left)
{
	size_t n = strlen(left) + 2;

	if (n > *column && n <= HELP_MAX_COLUMN)
		*column = n;
}

static void print_row(const char *left, const char *text, size_t column)
{
	size_t n = strlen(left);

	if (n + 2 > column)
		printf("%s\n%*s", left, (int)column, "");
	else
		printf("%-*s", (int)column, left);
	print_wrapped(text, column, column, false);
}

static void print_option(const struct command_option *o, size_t column)
{
	_cleanup_free_ char *left = option_left(o);
	_cleanup_free_ char *text = command_help_text(o->help, o->choice);

	print_row(left, text, column);
}

static void widen_options(size_t *column, const struct command_option *o)
{
	for (; o && o->name; o++) {
		_cleanup_free_ char *left = option_left(o);

		widen(column, left);
	}
}

static void print_options(const struct command_option *o, size_t column)
{
	for (; o && o->name; o++)
		print_option(o, column);
}

static void print_usage(const struct program *p, const struct command *c)
{
	_cleanup_strv_ char **forms = strv_split(c->synopsis, "\n");

	for (size_t i = 0; i == 0 || (forms && forms[i]); i++) {
		_cleanup_free_ char *start = xasprintf(
			"%s %s %s", i == 0 ? "Usage:" : "      ", p->name, c->name);
		size_t indent = strlen(start) + 1;

		fputs(start, stdout);
		if (forms)
			putchar(' ');
		print_wrapped(forms ? forms[i] : "", indent, indent, true);
	}
}

static void print_operands(const struct command *c, size_t column)
{
	for (size_t i = 0; i < COMMAND_MAX_OPERANDS && c->operands[i].name; i++) {
		const struct command_operand *o = &c->operands[i];
		_cleanup_free_ char *left = xasprintf("  %s", o->name);
		_cleanup_free_ char *text = command_help_text(o->help, o->choice);

		print_row(left, text, column);
	}
}

void command_print_help(const struct program *p, const struct command *c)
{
	size_t column = strlen("  -h, --help  ");

	for (size_t i = 0; i < COMMAND_MAX_OPERANDS && c->operands[i].name; i++) {
		_cleanup_free_ char *left = xasprintf("  %s", c->operands[i].name);

		widen(&column, left);
	}
	widen_options(&column, c->options);
	widen_options(&column, p->options);
	print_usage(p, c);
	printf("%c%s.\n\n", toupper((unsigned char)c->summary[0]), c->summary + 1);
	print_operands(c, column);
	print_options(c->options, column);
	print_options(p->options, column);
	print_option(&command_option_help, column);
	if (p->command_manuals)
		printf("\nMore in %s-%s(1).\n", p->name, c->name);
	else
		printf("\nMore in %s.\n", p->manual);
}

void program_print_help(const struct program *p)
{
	size_t column = 0, options = strlen("  -h, --help  ");

	for (size_t i = 0; p->commands[i]; i++) {
		_cleanup_free_ char *left = xasprintf("  %s", p->commands[i]->name);

		widen(&column, left);
	}
	widen_options(&options, p->options);
	printf("Usage: %s [OPTION...] COMMAND [ARGUMENT...]\n", p->name);
	print_wrapped(p->summary, 0, 0, false);
	putchar('\n');
	for (size_t i = 0; p->commands[i]; i++) {
		_cleanup_free_ char *left = xasprintf("  %s", p->commands[i]->name);

		print_row(left, p->commands[i]->summary, column);
	}
	putchar('\n');
	print_options(p->options, options);
	print_row("  -h, --help", "print this, or behind a command its help, and exit",
		  options);
	print_option(&command_option_version, options);
	printf("\nExit status: 0 success, 1 failure, 2 wrong command line, 3 wrong "
	       "configuration,\n4 not possible on this machine, 130 interrupted.\n"
	       "More in %s.\n",
	       p->manual);
}
