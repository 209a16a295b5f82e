/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/input-args.h"

#include "builder/input/mirror.h"
#include "builder/installed.h"
#include "lib/str.h"

#include <unistd.h>

int input_args_mirrors(char ***ret, const struct command_line *line, struct err *e)
{
	const char *arg;

	for (size_t i = 0; (arg = command_arg_at(line, OPT_MIRROR, i)); i++)
		if (mirrors_add(ret, arg, e) < 0)
			return -1;
	return mirrors_add_environment(ret, e);
}

size_t input_args_given_mirrors(const struct command_line *line)
{
	size_t n = 0;

	while (command_arg_at(line, OPT_MIRROR, n))
		n++;
	return n;
}

int input_args_netrc(struct netrc *ret, const struct command_line *line, struct err *e)
{
	const char *path = command_arg(line, OPT_NETRC, NULL);

	return path ? netrc_read(ret, path, e) : 0;
}

int input_args_recipe(const char *arg, bool makes_lock, char **ret_recipe,
		      char **ret_lock, struct err *e)
{
	if (installed_recipe(arg, ret_recipe, ret_lock, e) < 0)
		return -1;
	if (*ret_lock && !makes_lock && access(*ret_lock, F_OK) < 0) {
		free(*ret_lock);
		*ret_lock = NULL;
	}
	return 0;
}

int input_args_parse(struct input_args *ret, const struct command_line *line,
		     bool makes_lock, struct err *e)
{
	if (input_args_recipe(line->args[0], makes_lock, &ret->recipe, &ret->named_lock,
			      e) < 0)
		return -1;
	ret->cache = command_arg(line, OPT_CACHE, NULL);
	ret->lock = command_arg(line, OPT_LOCK, ret->named_lock);
	ret->artifacts = command_has(line, OPT_ARTIFACTS);
	ret->n_given = input_args_given_mirrors(line);
	if (input_args_netrc(&ret->netrc, line, e) < 0)
		return -1;
	return input_args_mirrors(&ret->mirrors, line, e);
}

void input_args_done(struct input_args *a)
{
	free(a->recipe);
	free(a->named_lock);
	strv_free(a->mirrors);
	netrc_done(&a->netrc);
}
