/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs this machine's apt with folders of its own below $TMPDIR: with the archives of a
 * recipe, and nothing of this machine's configuration but what downloads need
 * (apt_options).
 */
#pragma once

#include "builder/common/leftovers.h"
#include "builder/recipe/recipe.h"

#define APT_INDEX_MAX (1ULL << 30)  /* bytes of an index or another file that apt makes */
#define APT_DEB_MAX   (16ULL << 30) /* bytes of a package */

struct apt_root {
	struct scratch scratch;
	const char *tmp; /* the folder */
	char *env;       /* APT_CONFIG=... */
	char *sources;   /* the stanzas of sources.list(5), with mirrors applied */
};

#define APT_ROOT_INIT                                                                    \
	{                                                                                \
		.scratch = SCRATCH_INIT                                                  \
	}

/*
 * Makes the folder. `sources` is where this machine gets the suite from, as stanzas of
 * sources.list(5) to which mirrors are not applied yet. `status` is dpkg's status file of
 * a system to which packages are added; NULL: no package is installed.
 */
int apt_root_open(struct apt_root *ret, const struct recipe *r, const char *sources,
		  char *const *mirrors, const char *status, struct err *e) _must_check_;
/* Removes it. */
void apt_root_done(struct apt_root *x);
#define _cleanup_apt_root_ _cleanup_(apt_root_done)

/* Runs a program of apt and captures its standard output, as run_capture() does. No file
 * that it writes may have more than `file_max` bytes. */
int apt_root_run(const struct apt_root *x, const char *const *argv, uint64_t file_max,
		 char **ret, struct err *e) _must_check_;
