/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adds the recipe's container images to the image: an archive for each, in the layout
 * that Docker loads (container.h), and the list from which `firstboot containers` loads
 * them.
 */
#pragma once

#include "builder/root/container.h"
#include "builder/root/layer.h"
#include "lib/known-digest.h"

struct container_archives {
	struct container_archive *v; /* in the recipe's order */
	struct input *in;            /* the same archives as inputs of the layer */
	char **memos;                /* their names in the cache, or NULL each */
	size_t n;
	uint64_t bytes; /* of all archives */
};

/*
 * Makes the archives. One that was made before of the same input, by this program, is
 * described by what CACHE/containers/<key> remembers of it, and has no file until
 * container_archives_open(). Call container_archives_done() after an error, too.
 */
int container_archives_make(struct container_archives *ret, const struct recipe *r,
			    const struct inputs *in, const struct cache *c,
			    const struct known_digests *k, struct err *e) _must_check_;
/* Makes those that have no file yet, for a merge that reads them. */
int container_archives_open(struct container_archives *a, const struct recipe *r,
			    const struct inputs *in, const struct cache *c,
			    struct err *e) _must_check_;
void container_archives_done(struct container_archives *c);

/* Makes each archive as container_archives_make() does, keeps none, and reports all
 * errors to `d`. */
void container_archives_check(const struct recipe *r, const struct inputs *in,
			      const struct cache *c, struct diag *d);

/* Adds the archives and the list to the layer. `c` must outlive it. */
void container_archives_add(struct layer *l, const struct recipe *r,
			    const struct container_archives *c);
