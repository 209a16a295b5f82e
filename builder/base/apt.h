/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this machine's own apt knows about a suite: asked of apt itself (apt-get
 * indextargets), so that every way to write a source is understood, and told in the
 * format of sources.list(5), deb822, a stanza a source.
 */
#pragma once

#include "lib/err.h"
#include "lib/str.h"

/*
 * Appends the sources of `suite`, its -updates and -security, as far as they are in a
 * Release of that origin and have one of the components. `where` is what the recipe says
 * about it, for messages. A suite that is not this machine's own is taken from where its
 * own comes from: the same archives, with the other name. `only`, unless it is NULL, is
 * what is taken besides the suite itself: "updates", "security". -1 when there is none of
 * the origin, or not all of `only`.
 */
int apt_sources(struct buf *out, const char *origin, const char *suite,
		char *const *components, char *const *only, const char *where,
		struct err *e) _must_check_;

/* The key of a source: what SOURCE-FILE, line or stanza N, says as signed-by (several
 * lines when it is the key itself), or NULL. Owned. */
char *apt_signed_by(const char *file, unsigned n);

/* apt.conf(5) lines of this machine that downloads need: proxies, retries, the leniency
 * about dates. Empty without apt. */
char **apt_options(void);
