/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initrd every medium carries: a small uncompressed newc archive of ours in front of
 * the distribution's own initrd. The kernel unpacks one after the other, so a new boot
 * script needs no new base.
 */
#pragma once

#include "builder/recipe/recipe.h"

/* Writes `name` in dirfd from the base's initrd, and adds our paths to *paths. */
int initrd_write(int dirfd, const char *name, const struct recipe *r, int base_initrd,
		 char ***paths, struct err *e) _must_check_;
