/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer is everything that is added to the base: a list of paths, each with the
 * source of its data and, after the merge, size and digest. Paths are resolved through
 * the base's symlinks: /lib/x becomes /usr/lib/x where /lib is a link. Missing parent
 * folders are added.
 */
#pragma once

#include "builder/input/inputs.h"
#include "builder/root/index.h"
#include "lib/intern.h"

enum layer_source {
	LAYER_TEXT,   /* text, len */
	LAYER_FILE,   /* a file on this machine */
	LAYER_BLOB,   /* an artifact that is installed as it is */
	LAYER_MEMBER, /* a member of an artifact's archive, written when that is read */
};

struct layer_item {
	char *path;           /* "usr/local/bin/kubelet" */
	enum entry_type type; /* file, directory or symlink */
	unsigned mode;
	char *target; /* of a symlink */
	enum layer_source source;
	char *text;
	size_t len;
	char *file;
	const struct input *input;
	const struct recipe_extract *member;
	char *origin; /* for the manifest: "units/x.service", "kubernetes: path", ... */
	char *where;  /* in the recipe, for messages; may be "rackstrap" */
	bool implied; /* a missing parent folder that layer_finish added */

	/* Filled in by the merge. */
	bool written;
	uint64_t size;
	char sha256[DIGEST_HEX_MAX];
};

struct layer {
	struct layer_item *v;
	size_t n;
	struct intern paths; /* an item's number is its index until layer_finish() */
	const struct index *base;
	struct diag *d;
};

/* Each of these adds one item with the path `to` in the image. They return NULL and add a
 * complaint to l->d if that path cannot be added. The item is valid until the next one is
 * added. */
struct layer_item *layer_add(struct layer *l, enum entry_type type, const char *to,
			     unsigned mode, const char *origin, const char *where);
struct layer_item *layer_add_text(struct layer *l, const char *to, unsigned mode,
				  const char *text, size_t len, const char *origin,
				  const char *where);
struct layer_item *layer_add_link(struct layer *l, const char *to, const char *target,
				  const char *origin, const char *where);

/* Adds the files, units and artifacts of a recipe, and rackstrap's own files: firstboot,
 * roles, an empty machine id. Complaints go to l->d. */
void layer_add_recipe(struct layer *l, const struct recipe *r, const struct inputs *in,
		      const char *firstboot);

/* Sorts by path and adds missing parents. Complains about files in the place of folders.
 */
void layer_finish(struct layer *l);

/* Complains about templates whose files firstboot could not make: in the place of a
 * folder, or within a file. Only after layer_finish(). */
void layer_check_templates(const struct layer *l, const struct recipe *r);

/* Returns the item with this path, or NULL; only after layer_finish(). */
struct layer_item *layer_find(const struct layer *l, const char *path);
/* Does the same before layer_finish(). */
struct layer_item *layer_find_added(const struct layer *l, const char *path);
void layer_done(struct layer *l);
