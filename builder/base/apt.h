/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads from this machine's apt where it gets a suite from. apt itself is run (apt-get
 * indextargets), so every way to write a source is understood. The result is in the
 * deb822 format of sources.list(5), one stanza for each source.
 */
#pragma once

#include "builder/common/tool.h"
#include "lib/err.h"
#include "lib/str.h"

/* The programs that read an archive. They are mmdebstrap's too: their digests are not in
 * the key of a base. */
extern const struct tool apt_tools[];

/*
 * Appends the sources of `suite` and of its pockets -updates and -security: those of the
 * given origin that have one of the components. `only`, unless it is NULL, names the
 * pockets to append besides the suite itself: "updates", "security". For a suite that apt
 * does not know, the archives of this machine's own suite are used with the other name.
 * `where` is the recipe's place for messages. Returns -1 when no source of the suite is
 * known, or none of one of the pockets in `only`. apt keeps what it parses of its lists
 * in the folder `cache`/apt, and checks by itself that it is up to date; with NULL it
 * does what its configuration says.
 */
int apt_sources(struct buf *out, const char *origin, const char *suite,
		char *const *components, char *const *only, const char *cache,
		const char *where, struct err *e) _must_check_;

/* Does the same with `targets`, the output of apt-get indextargets in the format that
 * apt_sources() asks for. */
int apt_parse_sources(struct buf *out, const char *targets, const char *origin,
		      const char *suite, char *const *components, char *const *only,
		      const char *where, struct err *e) _must_check_;

/* Returns the suite of Debian or Ubuntu that `suite` may be a misspelling of, or NULL. */
const char *apt_suite_guess(const char *suite);

/* Returns the value of signed-by in line or stanza `n` (from 1) of a source file, or
 * NULL. It has several lines when it is the key itself. Owned. */
char *apt_signed_by(const char *file, unsigned n);

/* Returns this machine's apt.conf(5) lines that downloads need: proxies, retries, checks
 * of dates. NULL without apt. Owned. */
char **apt_options(void);
