/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks inputs that have the right digests for what a build would refuse: an archive
 * without the member that the recipe takes out of it, a container image for another
 * machine, an archive of several images without the one that is named, a base that cannot
 * be read. `rackstrap lock` and `rackstrap fetch` refuse them too, by the same code and
 * in the same words.
 */
#pragma once

#include "builder/input/inputs.h"
#include "builder/root/extract.h"

/* Reads an artifact's archive from its beginning and gives `sink` what the recipe takes
 * out of it. */
int input_extract(const struct input *in, extract_sink *sink, void *data,
		  struct err *e) _must_check_;

/* Checks everything that a build takes out of its inputs, and reports all that is wrong.
 * Inputs whose descriptor is -1 are opened one at a time, in the cache. Nothing is kept;
 * meanwhile a container needs as much room in the cache's folder as in the image. */
int inputs_check(const struct inputs *in, const struct recipe *r, const struct cache *c,
		 struct err *e) _must_check_;
