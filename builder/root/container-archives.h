/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recipe's container images in the image: an archive each, in the layout that Docker
 * loads (container.h), and the list by which `firstboot containers` loads them.
 */
#pragma once

#include "builder/root/container.h"
#include "builder/root/layer.h"

struct containers {
	struct container *v; /* in the recipe's order */
	struct input *in;    /* the same as the merge takes them */
	size_t n;
	uint64_t bytes;
};

int containers_make(struct containers *ret, const struct recipe *r,
		    const struct inputs *in, const struct cache *c,
		    struct err *e) _must_check_;
void containers_done(struct containers *c);

/* Makes each of them as containers_make() does, keeps none, and reports all mistakes. */
void containers_check(const struct recipe *r, const struct inputs *in,
		      const struct cache *c, struct diag *d);

/* Adds them to the layer; `c` must outlive it. */
void containers_add(struct layer *l, const struct recipe *r, const struct containers *c);
