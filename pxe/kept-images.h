/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps images that no host of a tree boots any more, for machines that have begun to
 * load one, and for other servers' trees that are copied later. The file
 * TREE/images.kept lists them:
 *
 *	keep-for 86400
 *	89ab89ab89ab89ab-45674567-01230123 1700000000
 *
 * The first line has the seconds for which such an image stays. The others have the ids
 * of images and the time, in seconds since the epoch, from which that counts: the last
 * request for the image that is known, or when another one came in its place. A folder in
 * http/images without a line is an image that hosts boot. A tree that keeps none has no
 * such file.
 *
 * Requests are read from the access log (access.h) and written to the list before nginx
 * makes that log anew for the second time: `rackstrap serve` does so every hour and
 * whenever it renames the log.
 */
#pragma once

#include "lib/err.h"

#define TREE_KEPT_IMAGES "images.kept"

/*
 * Links the images of the tree `old` into the tree `new`, both open folders, and writes
 * the list there, apart from `current`, the new tree's own, and from those whose time is
 * over. An image that the old tree's list does not have was that of the old tree until
 * now. One that cannot be linked is not kept, and that is logged. Does nothing if
 * `keep_for`, in seconds, is 0. `old` may be -1.
 */
int kept_images_link(int old, int new, const char *current, uint64_t keep_for,
		     struct err *e) _must_check_;

/* Notes the last requests in the list of the tree `dir`, and removes the images whose
 * time is over from it. Returns 0, also when there is no list, or -errno. */
int kept_images_prune(const char *dir) _must_check_;
