/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/recipe/image-type.h"

#include "lib/str.h"

#include <stdio.h>

const struct image_type *image_type_find(const char *name)
{
	for (size_t i = 0; image_types[i]; i++)
		if (streq(image_types[i]->name, name))
			return image_types[i];
	return NULL;
}

const char *image_type_names(void)
{
	static char names[128];
	size_t len = 0;

	for (size_t i = 0; image_types[i] && len < sizeof(names); i++)
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s",
					i > 0 ? ", " : "", image_types[i]->name);
	return names;
}
