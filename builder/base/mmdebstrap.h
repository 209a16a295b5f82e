/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a base by running mmdebstrap(1). */
#pragma once

#include "builder/base/base.h"

/*
 * Makes the base, as make of struct base_type does. Without `tree` it is made of the
 * suite's essential packages and those of the recipe. With `tree`, the path of a tar, the
 * base begins as that tree; the recipe's packages, if it has any, are added, and every
 * kernel without an initrd gets one.
 */
int mmdebstrap_make(const struct base_work *w, const char *tree,
		    struct err *e) _must_check_;

/*
 * The next three prepare what apt needs for the recipe's archive; apt-resolve.c uses them
 * too.
 */

/* Writes TMP/gpgv, the program that apt runs as gpgv, if the suite is archived. */
int mmdebstrap_write_gpgv(const struct recipe *r, const char *tmp,
			  struct err *e) _must_check_;
/* Copies the recipe's keyring into the folder `tmp`. *ret is the copy's path (owned), or
 * stays NULL without a keyring. */
int mmdebstrap_copy_keyring(const struct recipe *r, const char *tmp, char **ret,
			    struct err *e) _must_check_;
/* Appends the stanzas of `sources`, with mirrors applied and, unless `keyring` is NULL,
 * signed by it. */
void mmdebstrap_append_sources(struct buf *out, const struct recipe *r,
			       const char *sources, char *const *mirrors,
			       const char *keyring);
