/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares a rack with the image that its hosts are to boot, besides the roles, which
 * rack_load() compares.
 */
#pragma once

#include "pxe/image.h"
#include "pxe/rack.h"

/* Sets the part of the rack that templates may loop over; *ret is the caller's to
 * empty. */
void rack_hosts_of(struct rack_hosts *ret, const struct rack *r);

/* Loads a rack for an image: rack_load() and rack_check_image(). Returns 0, or -1 with
 * all complaints. */
int rack_load_for_image(struct rack *ret, const char *path, const struct image *image,
			struct diag *d) _must_check_;

/* Checks that the image knows secrets, has the users and groups that own them, and that
 * its templates can be rendered for all hosts. Returns 0, or -1 with all complaints. */
int rack_check_image(const struct rack *r, const struct image *image,
		     struct diag *d) _must_check_;

/* Checks that the templates, which are compiled for the roles, can be rendered for all
 * hosts. A template that makes the same on all hosts is checked with the first one.
 * Returns 0, or -1 with complaints. */
int rack_check_templates(const struct rack *r, const struct roles *roles,
			 const struct host_templates *t, struct diag *d) _must_check_;
