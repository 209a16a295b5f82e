/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a command line like docopt, for the patterns that calicoctl has: options may
 * stand anywhere, words have to match one by one. Not implemented: docopt's abbreviated
 * long options.
 */
#include "test/standin/common/usage.h"

static const char *const value_options[] = {
	"--ip",   "--ip6",          "--node-image", "--as",       "--interface",
	"--host", "--orchestrator", "--workload",   "--endpoint", "--at"};

static bool takes_value(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(value_options); i++)
		if (streq(value_options[i], name))
			return true;
	return false;
}

const char *args_option(const struct args *a, const char *name)
{
	for (size_t i = 0; i < strv_len(a->options); i++) {
		const char *rest = str_after(a->options[i], name);

		if (rest && (!*rest || *rest == '='))
			return *rest ? rest + 1 : rest;
	}
	return NULL;
}

int args_read(struct args *a, int argc, char **argv)
{
	static const char *const flags[] = {"--fix",      "--ipip",  "--nat-outgoing",
					    "--ipv4",     "--ipv6",  "--force",
					    "--detailed", "--upload"};

	for (int i = 1; i < argc; i++) {
		_cleanup_free_ char *name = xstrndup(argv[i], strcspn(argv[i], "="));
		bool has_value = argv[i][strlen(name)] == '=', known = false;

		if (argv[i][0] != '-' || !argv[i][1]) {
			strv_add(&a->words, argv[i]);
			continue;
		}
		for (size_t f = 0; f < ARRAY_SIZE(flags); f++)
			known = known || streq(flags[f], name);
		if (takes_value(name)) {
			if (!has_value && i + 1 == argc)
				return -1;
			strv_addf(&a->options, "%s=%s", name,
				  has_value ? argv[i] + strlen(name) + 1 : argv[i + 1]);
			i += !has_value;
		} else if (known && !has_value) {
			strv_add(&a->options, name);
		} else {
			return -1;
		}
	}
	return 0;
}

static bool word_fits(const char *pattern, const char *word)
{
	_cleanup_strv_ char **choices = NULL;

	if (pattern[0] == '<')
		return true;
	choices = strv_split(pattern, "[]|");
	if (choices && choices[0][0] == '<')
		return true;
	return strv_has(choices, word);
}

static bool words_fit(const struct usage *u, char *const *words)
{
	_cleanup_strv_ char **patterns = strv_split(u->words, " ");
	size_t i, n = strv_len(words);

	for (i = 0; i < strv_len(patterns); i++) {
		bool optional = patterns[i][0] == '[';

		if (str_ends(patterns[i], "..."))
			return true;
		if (i >= n) {
			if (!optional)
				return false;
		} else if (!word_fits(patterns[i], words[i])) {
			return false;
		}
	}
	return n <= i;
}

static bool options_fit(const struct usage *u, const struct args *a)
{
	_cleanup_strv_ char **allowed = strv_split(u->allowed, " ");

	for (size_t i = 0; i < strv_len(a->options); i++) {
		_cleanup_free_ char *name =
			xstrndup(a->options[i], strcspn(a->options[i], "="));

		if (!strv_has(allowed, name))
			return false;
	}
	return !u->needed || args_option(a, u->needed);
}

bool usage_fits(const struct usage *u, const struct args *a)
{
	return words_fit(u, a->words) && options_fit(u, a);
}

void usage_print(const struct usage *u, const char *program)
{
	_cleanup_strv_ char **allowed = strv_split(u->allowed, " ");

	printf("  %s %s", program, u->words);
	for (size_t i = 0; i < strv_len(allowed); i++) {
		bool needed = u->needed && streq(u->needed, allowed[i]);

		printf(needed ? " %s%s" : " [%s%s]", allowed[i],
		       takes_value(allowed[i]) ? "=<VALUE>" : "");
	}
	putchar('\n');
}

void args_done(struct args *a)
{
	strv_free(a->words);
	strv_free(a->options);
	*a = (struct args){0};
}
