/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/recipe/template-check.h"

#include "builder/common/json-check.h"
#include "builder/common/yaml.h"
#include "firstboot/model/template-parts.h"
#include "lib/excerpt.h"
#include "lib/run.h"

#define NO_PLACE SIZE_MAX

/* Returns the offset of the first byte of a line, or NO_PLACE. */
static size_t line_at(const char *text, unsigned long line)
{
	const char *s = text;

	for (; line > 1 && *s; line--)
		s += strcspn(s, "\n") + (s[strcspn(s, "\n")] == '\n');
	return line == 1 ? (size_t)(s - text) : NO_PLACE;
}

/* Follows the output as if it were a template without tags. */
static int check_grammar(const struct template *t, const char *output, size_t *ret_at,
			 struct err *e)
{
	struct template_node node = {.type = NODE_LITERAL,
				     .line = 1,
				     .end = 1,
				     .text = output,
				     .len = strlen(output)};
	char name[] = "";
	struct template all = {.name = name, .format = t->format, .nodes = &node, .n = 1};
	_cleanup_diag_ struct diag d = {0};
	const char *wrong;

	if (template_follow(&all, &d) == 0)
		return 0;
	wrong = d.lines[0] + 1; /* ":LINE: ...", or ": ..." */
	if (*wrong == ' ')
		return err_set(e, ERR_CONFIG, "%s", wrong + 1);
	*ret_at = line_at(output, strtoul(wrong, NULL, 10));
	return err_set(e, ERR_CONFIG, "line %s", wrong);
}

/* Checks that each line that is not blank is one of an INI file. */
static int check_lines(const char *output, size_t *ret_at, struct err *e)
{
	const char *first = output;
	bool goes_on = false; /* the line before ends in a backslash */

	for (unsigned line = 1; *output; line++) {
		size_t len = strcspn(output, "\n"), blanks = strspn(output, " \t");
		const char *s = output + blanks;

		if (!goes_on && blanks < len && !strchr("#;[", *s) &&
		    (*s == '=' || !memchr(output, '=', len))) {
			*ret_at = (size_t)(s - first);
			return err_set(e, ERR_CONFIG,
				       "line %u: is no comment, [SECTION] or KEY=VALUE",
				       line);
		}
		goes_on = len > 0 && output[len - 1] == '\\' && !strchr("#;", *s);
		output += len + (output[len] == '\n');
	}
	return 0;
}

static int check_ini(const struct template *t, const char *output, size_t *ret_at,
		     struct err *e)
{
	if (check_lines(output, ret_at, e) < 0)
		return -1;
	return check_grammar(t, output, ret_at, e);
}

/* Lets a shell parse the script, which it does not run. */
static int check_shell(const struct template *t _unused_, const char *output,
		       size_t *ret_at, struct err *e)
{
	_cleanup_free_ char *first = xstrndup(output, strcspn(output, "\n"));
	bool bash = str_after(first, "#!") && strstr(first, "bash") && run_have("bash");
	const char *const argv[] = {bash ? "bash" : "sh", "-n", NULL};
	const char *said;

	if (run_input(argv, output, strlen(output), e) == 0)
		return 0;
	/* dash says "sh: 3: ...", bash "bash: line 3: ...". */
	said = strstr(e->msg, bash ? "bash: line " : "sh: ");
	if (said)
		*ret_at = line_at(output, strtoul(said + (bash ? 11 : 4), NULL, 10));
	return -1;
}

static int check_json(const struct template *t _unused_, const char *output,
		      size_t *ret_at, struct err *e)
{
	return json_check(output, strlen(output), ret_at, e);
}

static int check_yaml(const struct template *t _unused_, const char *output,
		      size_t *ret_at, struct err *e)
{
	return yaml_check(output, strlen(output), ret_at, e);
}

static const struct {
	const char *title; /* to follow "is no" */
	/* Returns 0; or -1, with the offset of the mistake in *ret_at if it is known.
	 * NULL: every text is right. */
	int (*check)(const struct template *t, const char *output, size_t *ret_at,
		     struct err *e);
} parsers[] = {
	[TEMPLATE_PLAIN] = {"text", NULL},
	[TEMPLATE_ENVIRONMENT] = {"environment file", check_grammar},
	[TEMPLATE_INI] = {"INI file", check_ini},
	[TEMPLATE_SHELL] = {"shell script", check_shell},
	[TEMPLATE_JSON] = {"JSON", check_json},
	[TEMPLATE_YAML] = {"YAML", check_yaml},
};

/* Returns the line of an offset, with the line before it and a caret below; or NULL. */
static char *show(const char *output, size_t at)
{
	_cleanup_free_ char *line = NULL, *before = NULL;
	_cleanup_buf_ struct buf b = {0};
	size_t len = strlen(output), from;

	/* A mistake at the end of the text is shown behind its last line. */
	at = at < len ? at : len;
	while (at > 0 && strspn(output + at, " \t\n") == len - at &&
	       output[at - 1] == '\n')
		at--;
	line = excerpt(output, len, at);
	if (!line)
		return NULL;
	for (from = at; from > 0 && output[from - 1] != '\n';)
		from--;
	before = from > 0 ? excerpt(output, len, from - 1) : NULL;
	if (before)
		buf_printf(&b, "    %.*s\n", (int)strcspn(before, "\n"), before);
	buf_printf(&b, "    %.*s\n    %s", (int)strcspn(line, "\n"), line,
		   strchr(line, '\n') + 1);
	return buf_take(&b);
}

int template_check_output(const struct template *t, const char *output, char **ret_shown,
			  struct err *e)
{
	size_t at = NO_PLACE;

	if (!parsers[t->format].check || parsers[t->format].check(t, output, &at, e) == 0)
		return 0;
	*ret_shown = at != NO_PLACE ? show(output, at) : NULL;
	return err_wrap(e, "%s: what it makes is no %s", t->name,
			parsers[t->format].title);
}

int template_check_samples(const struct template *t, const struct template_schema *schema,
			   struct diag *d)
{
	for (int i = 0; i < TEMPLATE_SAMPLES; i++) {
		enum template_sample sample = (enum template_sample)i;
		_cleanup_template_values_ struct template_values *v =
			template_values_sample(schema, sample);
		_cleanup_free_ char *output = NULL, *shown = NULL;
		struct err e = {0};

		if (template_render(t, v, &output, &e) == 0 &&
		    template_check_output(t, output, &shown, &e) == 0)
			continue;
		diag_add(d, "%s (tried with %s)", e.msg, template_sample_name(sample));
		if (shown)
			diag_detail(d, shown);
		return -1;
	}
	return 0;
}
