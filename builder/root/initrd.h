/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the initrd that every medium has: a small uncompressed newc archive with our
 * boot script, followed by the distribution's initrd. The kernel unpacks both, so a
 * change of the boot script needs no new base.
 */
#pragma once

#include "builder/base/base.h"

/* Writes `name` in dirfd, and appends the paths of our archive to *paths. `base` is the
 * distribution's initrd. */
int initrd_write(int dirfd, const char *name, const struct recipe *r,
		 const struct base_file *base, char ***paths, struct err *e) _must_check_;
