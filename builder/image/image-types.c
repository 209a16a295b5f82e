/* SPDX-License-Identifier: Apache-2.0 */
/* Lists the image types (builder/recipe/image-type.h). A new type is a file image-NAME.c
 * and an entry here. */
#include "builder/image/image-parts.h"

const struct image_type *const image_types[] = {&image_pxe, &image_disk, &image_iso,
						NULL};
