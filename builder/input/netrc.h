/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User names and passwords for servers, from a file in the format of netrc(5), which
 * curl, wget and git read too. URLs have none: recipes, locks and manifests are shown to
 * others.
 *
 *	machine files.example.org login me password secret
 *
 * An entry is used for the host it names, on any port, and is never sent to another host:
 * not to one that a server redirects to, and `default` and entries without login or
 * password are not used at all. Words may be quoted as curl reads them ("a b", with \",
 * \\, \n, \r and \t); a line that begins with '#' is a comment; macdef is skipped.
 */
#pragma once

#include "lib/err.h"

struct netrc_entry {
	char *machine;
	char *login, *password; /* NULL: the entry has none */
};

struct netrc {
	struct netrc_entry *v;
	size_t n;
};

/* Reads a file. It must be a regular file that its group and others cannot read. */
int netrc_read(struct netrc *ret, const char *path, struct err *e) _must_check_;

/* Parses the text of such a file; `file` is its name in messages, which never contain a
 * word of the text. */
int netrc_parse(struct netrc *ret, const char *text, const char *file,
		struct err *e) _must_check_;

/* Returns the first usable entry for a host, or NULL. An IPv6 address is in brackets. `n`
 * may be NULL. */
const struct netrc_entry *netrc_find(const struct netrc *n, const char *host);
void netrc_done(struct netrc *n);
#define _cleanup_netrc_ _cleanup_(netrc_done)
