/* SPDX-License-Identifier: Apache-2.0 */
/* Compares a rack with the image that its hosts are to boot, besides the roles, which
 * rack_load() compares. */
#pragma once

#include "pxe/image.h"
#include "pxe/rack.h"

/* Checks that the image knows secrets, and has the users and groups that own them.
 * Returns 0, or -1 with all complaints. */
int rack_check_image(const struct rack *r, const struct image *image,
		     struct diag *d) _must_check_;
