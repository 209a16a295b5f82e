/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/recipe/base-type.h"

#include "lib/str.h"

const struct base_type *base_type_find(const char *name)
{
	for (size_t i = 0; base_types[i]; i++)
		if (streq(base_types[i]->name, name))
			return base_types[i];
	return NULL;
}

char *base_type_names(void)
{
	_cleanup_strv_ char **names = NULL;

	for (size_t i = 0; base_types[i]; i++)
		strv_add(&names, base_types[i]->name);
	return strv_join(names, ", ");
}
