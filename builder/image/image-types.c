/* SPDX-License-Identifier: Apache-2.0 */
/* The table of image types (builder/recipe/image-type.h). A new type is a file and a row.
 */
#include "builder/image/image-parts.h"

const struct image_type *const image_types[] = {&image_pxe, &image_disk, &image_iso,
						NULL};
