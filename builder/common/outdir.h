/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder that an image is built in. Everything is written into a scratch folder
 * (leftovers.h), OUT/.NAME.rackstrap-ID, which replaces OUT/NAME in one step or is
 * removed. On file systems that cannot exchange two names, the old OUT/NAME is called
 * OUT/.NAME.old during the swap; if the build is killed then, the next build renames it
 * back.
 */
#pragma once

#include "builder/common/leftovers.h"

struct outdir {
	char *parent, *name; /* "out", "bookworm" */
	struct scratch scratch;
	int fd; /* of the scratch folder */
	int lock;
};

#define OUTDIR_INIT                                                                      \
	{                                                                                \
		.scratch = SCRATCH_INIT, .fd = -1, .lock = -1                            \
	}

/* Fails when OUT/NAME exists and is not an image. */
int outdir_check(const char *out, const char *name, struct err *e) _must_check_;

/* Waits for other builds of that name, calls outdir_check(), and removes the folders that
 * killed builds left. */
int outdir_begin(struct outdir *ret, const char *out, const char *name,
		 struct err *e) _must_check_;

/* Syncs every file, then replaces the old image, which is removed. Fails when the folder
 * has anything but the files `names`. */
int outdir_commit(struct outdir *o, char *const *names, struct err *e) _must_check_;
void outdir_done(struct outdir *o);
#define _cleanup_outdir_ _cleanup_(outdir_done)
