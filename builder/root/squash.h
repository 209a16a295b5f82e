/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes root.squashfs with mksquashfs(1), which reads a tar from a pipe: the tree is
 * never on disk, and setting owners needs no root.
 */
#pragma once

#include "builder/recipe/recipe.h"
#include "lib/run.h"

#include <signal.h>

#define SQUASH_TOOL    "mksquashfs"
#define SQUASH_PACKAGE "squashfs-tools"

struct squash {
	struct child child;
	int fd; /* write the tar here, from the thread that called squash_start() */
	const char *path;
	char **argv;
	sigset_t signals; /* the mask to restore; SIGPIPE is blocked meanwhile */
};

/* Starts mksquashfs, which makes the file `path`. `path` must outlive *ret. */
int squash_start(struct squash *ret, const struct recipe *r, const char *path,
		 struct err *e) _must_check_;

/* Waits for mksquashfs after the tar's end. Its error has mksquashfs's last lines. */
int squash_finish(struct squash *s, struct err *e) _must_check_;

/*
 * Completes an error `e` that happened while the tar was written: if mksquashfs had ended
 * before, its own error replaces `e`. Always returns -1.
 */
int squash_fail(struct squash *s, struct err *e);
void squash_done(struct squash *s);
#define _cleanup_squash_ _cleanup_(squash_done)
