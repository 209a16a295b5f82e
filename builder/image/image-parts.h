/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts that an image type makes its outputs from. Each type is a file (image-NAME.c)
 * and a row in image_types (image-types.c). Every type starts from the same three files
 * (kernel, initrd and root.squashfs) and writes its outputs into the temporary folder of
 * the build.
 */
#pragma once

#include "builder/recipe/image-type.h"
#include "builder/recipe/recipe.h"
#include "builder/root/index.h"

struct image_parts {
	const struct recipe *r;
	int dirfd; /* folder of the parts; that of the outputs if they are outputs */
	const char *kernel, *initrd, *root; /* names in dirfd */
	const char *root_sha256;
	const struct index *base; /* has the text of files that medium_tree_needs() */
	const char *manifest;     /* manifest.json whose only outputs are the parts */
	int outfd;          /* the outputs' folder, on the same file system as dirfd */
	const char *outdir; /* its absolute path */
};

extern const struct image_type image_pxe, image_disk, image_iso;
