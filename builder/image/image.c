/* SPDX-License-Identifier: Apache-2.0 */
/* The image types there are. A new one is a file and a row here. */
#include "builder/image/image.h"

const struct image_type *const image_types[] = {&image_pxe, &image_disk, &image_iso,
						NULL};

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
