/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image types: what a recipe's `images` may name, one file each (image-NAME.c), one row
 * each in image_types. Every type starts from the same three parts (kernel, initrd and
 * root.squashfs) and puts its outputs into the folder that is being built.
 */
#pragma once

#include "recipe.h"

/* The parts, all of them in the folder `dirfd`, and their digests once known. */
struct image_parts {
	int dirfd;
	const char *kernel, *initrd, *root; /* names in dirfd */
};

struct image_type {
	const char *name;
	const char *what; /* one line for the man page's test and --help */

	/*
	 * Makes the outputs in `outfd`, which is on the same file system as the parts,
	 * and adds their names to *outputs.
	 */
	int (*write)(const struct recipe *r, const struct image_parts *parts, int outfd,
		     char ***outputs, struct err *e);
};

extern const struct image_type image_pxe;
extern const struct image_type *const image_types[]; /* NULL-terminated */

const struct image_type *image_type_find(const char *name);
const char *image_type_names(void); /* "pxe, disk" */
