/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image type makes its outputs from. One file for each type (image-NAME.c), one
 * row in image_types (image-types.c). Every type starts from the same three parts
 * (kernel, initrd and root.squashfs) and writes its outputs into the folder that is being
 * built.
 */
#pragma once

#include "builder/recipe/image-type.h"
#include "builder/recipe/recipe.h"
#include "builder/root/index.h"

struct image_parts {
	const struct recipe *r;
	int dirfd;                          /* folder of the three parts */
	const char *kernel, *initrd, *root; /* names in dirfd */
	const char *root_sha256;
	const struct index *base; /* with the text of what medium_want() wants */
	const char *manifest;     /* manifest.json of an image that is just the parts */
	int outfd;          /* the outputs' folder, on the same file system as dirfd */
	const char *outdir; /* its path, absolute */
};

extern const struct image_type image_pxe, image_disk, image_iso;
