/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a base by running mmdebstrap(1). */
#pragma once

#include "builder/base/base.h"

/*
 * As struct base_type's make: the packages of an archive. With `tree`, the path of a tar,
 * what is in that is there already; the recipe's packages, if there are any, are added,
 * and every kernel in it gets an initrd.
 */
int mmdebstrap_make(const struct base_work *w, const char *tree,
		    struct err *e) _must_check_;

/*
 * What apt needs for the recipe's archive, also when it is only asked (apt-resolve.c), in
 * the folder `tmp`: the program that stands between it and gpgv for an archived suite,
 * the keyring (*ret owned, or NULL), and the sources with mirrors and key.
 */
int mmdebstrap_put_gpgv(const struct recipe *r, const char *tmp,
			struct err *e) _must_check_;
int mmdebstrap_put_keyring(const struct recipe *r, const char *tmp, char **ret,
			   struct err *e) _must_check_;
void mmdebstrap_put_sources(struct buf *out, const struct recipe *r, const char *sources,
			    char *const *mirrors, const char *keyring);
