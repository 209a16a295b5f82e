/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes what a recipe wants out of an artifact's archives, as streams, in the order the
 * archives have it. Whoever made the archive may be hostile: one whose members would
 * leave the place they are unpacked to (absolute names, "..", links that point out),
 * that has devices, or the same wanted member twice, is refused as a whole, by the
 * member's name, wanted or not.
 */
#pragma once

#include "archive.h"
#include "recipe.h"

/* Takes one wanted member: its data is read from `in`, all or in part. */
typedef int extract_sink(void *data, const struct recipe_extract *x,
			 const struct entry *entry, struct archive_in *in, struct err *e);

/* `name` is what messages call the archive on `fd`. 0 when every wanted member came. */
int extract(const struct recipe_extract *v, size_t n, int fd, const char *name,
	    extract_sink *sink, void *data, struct err *e) _must_check_;
