/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a URL (RFC 3986) that hold secrets: the user name and password before the
 * host, and the query, which often holds a token or a signature. Neither is recorded or
 * printed.
 */
#pragma once

#include "lib/cleanup.h"

/* Returns true if the URL has a user name or password: "https://NAME:PASSWORD@host/".
 * Also true if its port is no number but an '@' follows: then the password has a slash;
 * if the slashes behind the scheme are missing or more than two and an '@' follows; and
 * if a URL within its path or query has one. */
bool url_has_userinfo(const char *url);

/* Returns the URL without user names, passwords, query and fragment. Owned by the caller.
 */
char *url_public(const char *url);

/* Returns what follows "://" in a URL, which begins with the server, or NULL. */
const char *url_authority(const char *url);

/* Returns "https://host:port" of a URL, or all of it if it is none. It has the user name
 * and password. Owned by the caller. */
char *url_server(const char *url);

/* Removes user names and passwords from all URLs in a text, in place. A password may have
 * quotes and commas: "'http://h:80', 'x@y'" becomes "'http://y'". */
void url_strip_userinfo(char *text);

/* Removes queries and fragments too, and parameters of the path (";signature=1"): for
 * redirects and the output of programs, whose URLs are not ours. A URL ends at white
 * space, at a quote, and at a comma, '<' or '>'. */
void url_strip_secrets(char *text);

/* Returns the length of the first word of a text whose beginning was cut off: that word
 * may be the end of a URL, in which no secret is recognised. It ends at white space or a
 * quotation mark; a password may have an apostrophe. */
size_t url_cut_word(const char *text, size_t len);
