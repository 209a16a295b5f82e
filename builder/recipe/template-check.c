/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/recipe/template-check.h"

#include "builder/common/json-check.h"
#include "builder/common/yaml.h"
#include "firstboot/model/template-parts.h"
#include "lib/run.h"

/* Follows the output as if it were a template without tags. */
static int check_grammar(const struct template *t, const char *output, struct err *e)
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
	return err_set(e, ERR_CONFIG, "line %s", wrong);
}

/* Checks that each line that is not blank is one of an INI file. */
static int check_lines(const char *output, struct err *e)
{
	bool goes_on = false; /* the line before ends in a backslash */

	for (unsigned line = 1; *output; line++) {
		size_t len = strcspn(output, "\n"), blanks = strspn(output, " \t");
		const char *s = output + blanks;

		if (!goes_on && blanks < len && !strchr("#;[", *s) &&
		    (*s == '=' || !memchr(output, '=', len)))
			return err_set(e, ERR_CONFIG,
				       "line %u: is no comment, [SECTION] or KEY=VALUE",
				       line);
		goes_on = len > 0 && output[len - 1] == '\\' && !strchr("#;", *s);
		output += len + (output[len] == '\n');
	}
	return 0;
}

static int check_ini(const struct template *t, const char *output, struct err *e)
{
	return check_lines(output, e) < 0 ? -1 : check_grammar(t, output, e);
}

/* Lets a shell parse the script, which it does not run. */
static int check_shell(const struct template *t _unused_, const char *output,
		       struct err *e)
{
	_cleanup_free_ char *first = xstrndup(output, strcspn(output, "\n"));
	bool bash = str_after(first, "#!") && strstr(first, "bash") && run_have("bash");
	const char *const argv[] = {bash ? "bash" : "sh", "-n", NULL};

	return run_input(argv, output, strlen(output), e);
}

static int check_json(const struct template *t _unused_, const char *output,
		      struct err *e)
{
	return json_check(output, strlen(output), e);
}

static int check_yaml(const struct template *t _unused_, const char *output,
		      struct err *e)
{
	return yaml_check(output, strlen(output), e);
}

static const struct {
	const char *title; /* to follow "is no" */
	/* Returns 0 or -1. NULL: every text is right. */
	int (*check)(const struct template *t, const char *output, struct err *e);
} parsers[] = {
	[TEMPLATE_PLAIN] = {"text", NULL},
	[TEMPLATE_ENVIRONMENT] = {"environment file", check_grammar},
	[TEMPLATE_INI] = {"INI file", check_ini},
	[TEMPLATE_SHELL] = {"shell script", check_shell},
	[TEMPLATE_JSON] = {"JSON", check_json},
	[TEMPLATE_YAML] = {"YAML", check_yaml},
};

int template_check_output(const struct template *t, const char *output, struct err *e)
{
	if (parsers[t->format].check && parsers[t->format].check(t, output, e) < 0)
		return err_wrap(e, "%s: what it makes is no %s", t->name,
				parsers[t->format].title);
	return 0;
}

int template_check_samples(const struct template *t, const struct template_schema *schema,
			   struct diag *d)
{
	for (int i = 0; i < TEMPLATE_SAMPLES; i++) {
		enum template_sample sample = (enum template_sample)i;
		_cleanup_template_values_ struct template_values *v =
			template_values_sample(schema, sample);
		_cleanup_free_ char *output = NULL;
		struct err e = {0};

		if (template_render(t, v, &output, &e) < 0 ||
		    template_check_output(t, output, &e) < 0)
			return diag_add(d, "%s (tried with %s)", e.msg,
					template_sample_name(sample));
	}
	return 0;
}
