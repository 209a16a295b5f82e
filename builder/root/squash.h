/* SPDX-License-Identifier: Apache-2.0 */
/*
 * root.squashfs by mksquashfs(1), fed with a tar through a pipe, so that the tree is
 * never on disk and no owner or device needs root.
 */
#pragma once

#include "builder/recipe/recipe.h"
#include "lib/run.h"

#define SQUASH_TOOL    "mksquashfs"
#define SQUASH_PACKAGE "squashfs-tools"

struct squash {
	struct child child;
	int fd; /* write the tar here */
	const char *path;
	char **argv;
};

int squash_start(struct squash *ret, const struct recipe *r, const char *path,
		 struct err *e) _must_check_;

/* After the tar's end: waits. 0, or -1 with what mksquashfs said. */
int squash_finish(struct squash *s, struct err *e) _must_check_;

/*
 * After an error while the tar was written, which is in `e`: when mksquashfs had ended
 * before, it knows better what was wrong, and its message takes the place. Always -1.
 */
int squash_fail(struct squash *s, struct err *e);
void squash_done(struct squash *s);
#define _cleanup_squash_ _cleanup_(squash_done)
