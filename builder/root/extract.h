/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extracts the members that a recipe names from an artifact's archives, as streams, in
 * the order of the archives. An archive may be hostile. It is refused as a whole, with
 * the member's name, if any member would leave the folder it is unpacked in (an absolute
 * name, "..", a link that points out), is a device, or exceeds a limit, and if a member
 * that the recipe names is there twice.
 */
#pragma once

#include "builder/common/archive.h"
#include "builder/recipe/recipe.h"

/* Called for each member that the recipe names; may read its data from `in`, all or in
 * part. */
typedef int extract_sink(void *data, const struct recipe_extract *x,
			 const struct entry *entry, struct archive_in *in, struct err *e);

struct extract {
	const struct recipe_extract *v;
	size_t n;
	const char *name;            /* what messages call the archive */
	struct archive_limit *limit; /* of it with the archives in it */
	extract_sink *sink;
	void *data;
};

/* Reads the archive on `fd` to its end. An error when a member of x->v is missing. */
int extract(const struct extract *x, int fd, struct err *e) _must_check_;
