/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/recipe/image-type.h"

#include "lib/str.h"

const struct image_type *image_type_find(const char *name)
{
	for (size_t i = 0; image_types[i]; i++)
		if (streq(image_types[i]->name, name))
			return image_types[i];
	return NULL;
}

const char *image_type_name(size_t i)
{
	return image_types[i] ? image_types[i]->name : NULL;
}
