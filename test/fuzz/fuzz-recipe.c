/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as a recipe: it is accepted, or refused with a complaint, the same
 * way each time. An accepted recipe can be described. Its templates may be the files
 * "text" and "json".
 *
 * Limit: @include is left out, because it reads any file of this machine.
 */
#include "builder/recipe/recipe.h"
#include "test/fuzz/fuzz-file.h"

static char *load(const char *path)
{
	_cleanup_recipe_ struct recipe r = {0};
	_cleanup_diag_ struct diag d = {0};
	struct buf b = {0};

	if (recipe_load(&r, path, &d) == 0) {
		demand(d.n == 0, "a complaint about a recipe that was read");
		demand(r.name && *r.name, "a recipe without a name");
		return recipe_describe(&r);
	}
	demand(d.n > 0, "a recipe was refused without a complaint");
	for (size_t i = 0; i < d.n; i++)
		buf_printf(&b, "%s\n", d.lines[i]);
	return buf_take(&b);
}

/* Writes templates beside the recipe, with the name of a role and
 * that of a key of a feature. */
static void write_templates(void)
{
	static const char text[] = "# {{host.name}}{{#role.node}}{{/role.node}}\n",
			  json[] = "{ \"a\": {{host.pod_cidr}} }\n";

	if (!fuzz_folder_make())
		return;
	fuzz_folder_write("text", text, strlen(text), 0);
	fuzz_folder_write("json", json, strlen(json), 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *path = NULL, *first = NULL, *second = NULL;

	if (memmem(data, size, "@include", strlen("@include")))
		return 0;
	write_templates();
	fuzz_folder_write("recipe.cfg", data, size, 0);
	path = xasprintf("%s/recipe.cfg", fuzz_folder);
	first = load(path);
	second = load(path);
	demand(*first, "an empty description");
	demand(streq(first, second), first);
	return 0;
}
