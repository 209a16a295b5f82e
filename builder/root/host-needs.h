/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that an image has files, and that one with roles can become a host. */
#pragma once

#include "builder/root/layer.h"

/*
 * Checks, when the merge is planned, that base and layer together have what firstboot and
 * the boot script run, a network service that is enabled, keys for an sshd that is
 * enabled, and Docker for containers. Complaints go to l->d. Of an image without roles,
 * only the presence of files is checked. In a `forecast` of a base, a program counts as
 * there if its package is.
 */
void host_needs_check(const struct layer *l, const struct index *base,
		      const struct recipe *r, bool forecast);
