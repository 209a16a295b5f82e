/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds inputs that have the right digests but that a build would refuse: an archive
 * without a member that the recipe extracts, a container image for another architecture,
 * an archive of several images without the one that is named, a base that cannot be read.
 * `rackstrap lock` and `rackstrap fetch` use this to refuse them with the same messages.
 */
#pragma once

#include "builder/input/inputs.h"
#include "builder/root/extract.h"

/* Reads an artifact's archive from its beginning, and calls `sink` for each member that
 * the recipe extracts. */
int input_extract(const struct input *in, extract_sink *sink, void *data,
		  struct err *e) _must_check_;

/* Looks for the members that the recipe extracts in those archives that are in the
 * cache (blob.sha256), and reports all errors to `d`. */
void inputs_check_members(const struct inputs *in, const struct recipe *r,
			  struct diag *d);

/* Reads everything that a build would take from the inputs, and reports all errors at
 * once. Inputs whose descriptor is -1 are opened in the cache, one at a time. Nothing is
 * kept, but a container image temporarily needs its size of space in the cache's folder.
 */
int inputs_check(const struct inputs *in, const struct recipe *r, const struct cache *c,
		 struct err *e) _must_check_;
