/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The script has one function. It finds the command and counts the operands before the
 * cursor, then a case statement, made from the tables, sets what is offered at this
 * place.
 *
 * Readline splits words at '=' and ':', so that `--format=q` is three words and a URL is
 * three as well.
 *
 * Limits: options before the command are not completed, and of an operand that is a list
 * of words all words are offered. An operand behind a word that ends in '=' or ':' is not
 * counted.
 */
#include "lib/completion.h"

static const char script_head[] =
	"# bash completion for PROGRAM. Made from the program's option tables.\n"
	"\n"
	"_PROGRAM()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	"\tlocal command='' n=0 i skip='' end=$COMP_CWORD\n"
	"\tlocal options='' with_arg='' words='' kind='text'\n"
	"\n"
	"\tCOMPREPLY=()\n"
	"\tif [[ $cur == = ]]; then\n"
	"\t\tcur=''\n"
	"\t\tend=$((COMP_CWORD - 1))\n"
	"\telif [[ $prev == = && $COMP_CWORD -gt 1 ]]; then\n"
	"\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\t\tend=$((COMP_CWORD - 2))\n"
	"\tfi\n"
	"\t[[ $COMP_CWORD -gt 1 ]] && command=${COMP_WORDS[1]}\n"
	"\tcase $command in\n";

static const char script_tail[] =
	"\tesac\n"
	"\n"
	"\t# The operands before the cursor, without the arguments of options.\n"
	"\tfor ((i = 2; i < end; i++)); do\n"
	"\t\tif [[ -z ${COMP_WORDS[i]//[=:]/} ]]; then\n"
	"\t\t\tskip=1\n"
	"\t\telif [[ -n $skip ]]; then\n"
	"\t\t\tskip=''\n"
	"\t\telif [[ \" $with_arg \" == *\" ${COMP_WORDS[i]} \"* ]]; then\n"
	"\t\t\tskip=1\n"
	"\t\telif [[ ${COMP_WORDS[i]} != -* ]]; then\n"
	"\t\t\tn=$((n + 1))\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tcase $command:$prev in\n"
	"ARGUMENTS"
	"\t*)\n"
	"\t\tif [[ $cur == -* ]]; then\n"
	"\t\t\tkind='words' words=$options\n"
	"\t\telse\n"
	"\t\t\tcase $command:$n in\n"
	"OPERANDS"
	"\t\t\tesac\n"
	"\t\tfi ;;\n"
	"\tesac\n"
	"\n"
	"\tcase $kind in\n"
	"\twords) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\") ;;\n"
	"\tfile) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
	"\tdir) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
	"\tesac\n"
	"\t# Outside of a completion, as in a test, there is no option to set.\n"
	"\t[[ $kind != file && $kind != dir ]] || compopt -o filenames 2>/dev/null\n"
	"\treturn 0\n"
	"}\n"
	"complete -F _PROGRAM PROGRAM\n";

/* Appends `text` up to `end`, or to its end, with the program's name in place of
 * "PROGRAM". */
static void write_text(struct buf *b, const char *text, const char *end, const char *name)
{
	static const char word[] = "PROGRAM";

	for (; *text && text != end; text++)
		if (str_after(text, word)) {
			buf_puts(b, name);
			text += strlen(word) - 1;
		} else {
			buf_add(b, text, 1);
		}
}

/* Appends the assignments that make the script offer an argument. */
static void write_kind(struct buf *b, enum arg_kind kind, const char *(*choice)(size_t i))
{
	static const char *const kinds[] = {
		[ARG_TEXT] = "text", [ARG_FILE] = "file", [ARG_DIR] = "dir"};

	if (!choice) {
		buf_printf(b, "kind='%s'", kinds[kind]);
		return;
	}
	buf_puts(b, "kind='words' words='");
	for (size_t i = 0; choice(i); i++)
		buf_printf(b, "%s%s", i > 0 ? " " : "", choice(i));
	buf_puts(b, "'");
}

static void write_names(struct buf *b, const struct command_option *o, bool with_arg)
{
	for (; o && o->name; o++) {
		if (with_arg && !o->arg)
			continue;
		buf_printf(b, "--%s ", o->name);
		if (with_arg && o->letter)
			buf_printf(b, "-%c ", o->letter);
	}
}

static void write_options(struct buf *b, const struct program *p, const struct command *c)
{
	buf_printf(b, "\t%s)\n\t\toptions='", c->name);
	write_names(b, c->options, false);
	write_names(b, p->options, false);
	buf_puts(b, "--help'\n\t\twith_arg='");
	write_names(b, c->options, true);
	write_names(b, p->options, true);
	buf_puts(b, "' ;;\n");
}

static void write_arguments(struct buf *b, const char *command,
			    const struct command_option *o)
{
	for (; o && o->name; o++) {
		if (!o->arg)
			continue;
		buf_printf(b, "\t%s:--%s", command, o->name);
		if (o->letter)
			buf_printf(b, " | %s:-%c", command, o->letter);
		buf_puts(b, ") ");
		write_kind(b, o->kind, o->choice);
		buf_puts(b, " ;;\n");
	}
}

/* The last operand of a command stands for all that may follow. */
static void write_operands(struct buf *b, const struct command *c)
{
	for (size_t i = 0; i < COMMAND_MAX_OPERANDS && c->operands[i].name; i++) {
		const struct command_operand *o = &c->operands[i];

		bool last = i + 1 == COMMAND_MAX_OPERANDS || !c->operands[i + 1].name;

		buf_printf(b, "\t\t\t%s:", c->name);
		if (last && c->max_args == COMMAND_ANY)
			buf_puts(b, "*");
		else
			buf_printf(b, "%zu", i);
		buf_puts(b, ") ");
		write_kind(b, o->kind, o->choice);
		buf_puts(b, " ;;\n");
	}
}

static void write_command_names(struct buf *b, const struct program *p)
{
	buf_puts(b, "\t\t\t:*) kind='words' words='");
	for (size_t i = 0; p->commands[i]; i++)
		buf_printf(b, "%s ", p->commands[i]->name);
	buf_puts(b, "help' ;;\n\t\t\thelp:0) kind='words' words='");
	for (size_t i = 0; p->commands[i]; i++)
		buf_printf(b, "%s%s", i > 0 ? " " : "", p->commands[i]->name);
	buf_puts(b, "' ;;\n");
}

void completion_write_bash(const struct program *p, struct buf *b)
{
	const char *arguments = strstr(script_tail, "ARGUMENTS");
	const char *operands = strstr(script_tail, "OPERANDS");

	write_text(b, script_head, NULL, p->name);
	buf_puts(b, "\t'') options='--help --version' ;;\n");
	for (size_t i = 0; p->commands[i]; i++)
		write_options(b, p, p->commands[i]);
	write_text(b, script_tail, arguments, p->name);
	for (size_t i = 0; p->commands[i]; i++) {
		write_arguments(b, p->commands[i]->name, p->commands[i]->options);
		write_arguments(b, p->commands[i]->name, p->options);
	}
	write_text(b, arguments + strlen("ARGUMENTS"), operands, p->name);
	write_command_names(b, p);
	for (size_t i = 0; p->commands[i]; i++)
		write_operands(b, p->commands[i]);
	write_text(b, operands + strlen("OPERANDS"), NULL, p->name);
}
