/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder an image is built in, and its change into the final one: everything is
 * written into OUT/.NAME.tmp.<random>, which takes the place of OUT/NAME in one step or
 * disappears. On file systems that cannot exchange two names, what was OUT/NAME is called
 * OUT/.NAME.old for an instant; where a build was killed then, the next one puts it back.
 */
#pragma once

#include "lib/err.h"

struct outdir {
	char *parent, *name; /* "out", "bookworm" */
	char *path;          /* the temporary; NULL once it is in place */
	int fd;              /* of it */
	int lock;
};

/* Fails where something stands in the place that is no image. */
int outdir_check(const char *out, const char *name, struct err *e) _must_check_;

/* Waits for other builds of that name, checks that, and removes what killed ones left. */
int outdir_begin(struct outdir *ret, const char *out, const char *name,
		 struct err *e) _must_check_;

/* Everything in it is synced, then it takes its place; the old one is removed. */
int outdir_commit(struct outdir *o, struct err *e) _must_check_;
void outdir_done(struct outdir *o);
#define _cleanup_outdir_ _cleanup_(outdir_done)
