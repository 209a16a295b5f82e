/* SPDX-License-Identifier: Apache-2.0 */
/* What `rackstrap fetch` and `rackstrap lock` are asked. */
#include "builder/input-args.h"

#include "builder/input/mirror.h"
#include "lib/str.h"

static const struct option options[] = {
	{"artifacts", no_argument, NULL, 'a'},  {"cache", required_argument, NULL, 'c'},
	{"lock", required_argument, NULL, 'l'}, {"mirror", required_argument, NULL, 'm'},
	{"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
};

int input_args_parse(struct input_args *ret, const struct command *self, int argc,
		     char **argv, struct err *e)
{
	int c;

	while ((c = command_getopt(self, argc, argv, options, e)) != -1) {
		switch (c) {
		case 'a':
			ret->artifacts = true;
			break;
		case 'c':
			ret->cache = optarg;
			break;
		case 'l':
			ret->lock = optarg;
			break;
		case 'm':
			if (mirrors_add(&ret->mirrors, optarg, e) < 0)
				return -1;
			break;
		default:
			return -1;
		}
	}
	if (argc - optind != 1)
		return err_set(e, ERR_USAGE,
			       "%s: name one recipe: a folder with recipe.cfg, or a file",
			       self->name);
	ret->recipe = argv[optind];
	return mirrors_add_environment(&ret->mirrors, e);
}

void input_args_done(struct input_args *a)
{
	strv_free(a->mirrors);
}
