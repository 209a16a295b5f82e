/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes what a recipe wants out of an artifact's archives, as streams, in the order the
 * archives have it. Whoever made the archive may be hostile: one whose members would
 * leave the place they are unpacked to (absolute names, "..", links that point out),
 * that has devices, that unpacks to more than it may, or the same wanted member twice,
 * is refused as a whole, by the member's name, wanted or not.
 */
#pragma once

#include "builder/common/archive.h"
#include "builder/recipe/recipe.h"

/* Takes one wanted member: its data is read from `in`, all or in part. */
typedef int extract_sink(void *data, const struct recipe_extract *x,
			 const struct entry *entry, struct archive_in *in, struct err *e);

struct extract {
	const struct recipe_extract *v;
	size_t n;
	const char *name; /* what messages call the archive */
	uint64_t limit;   /* bytes that it, and each archive in it, may unpack to */
	extract_sink *sink;
	void *data;
};

/* Reads the archive on `fd` to its end. 0 when every wanted member came. */
int extract(const struct extract *x, int fd, struct err *e) _must_check_;
