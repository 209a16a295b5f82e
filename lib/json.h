/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON (RFC 8259) into a buffer: indented by two spaces, members in the order of
 * the calls, so that the same data gives the same bytes. Strings are UTF-8; a byte that
 * is not part of a valid sequence becomes U+FFFD, because JSON has no bytes. Characters
 * that a terminal obeys or does not show (lib/text.h) are escaped as \uXXXX: a reader
 * gets them back, and a person who looks at the JSON sees them.
 */
#pragma once

#include "lib/str.h"

struct json {
	struct buf out;
	unsigned depth;
	bool first; /* no member or element in this object or array yet */
};

/* These append one value. `key` is NULL inside an array and for the outermost value. */
void json_open(struct json *j, const char *key, char bracket);     /* '{' or '[' */
void json_close(struct json *j, char bracket);                     /* '}' or ']' */
void json_str(struct json *j, const char *key, const char *value); /* NULL: null */
void json_u64(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
void json_strv(struct json *j, const char *key, char *const *v);
/* Returns the text, which ends with a newline and is owned by the caller, and empties
 * `j`. */
char *json_take(struct json *j);
void json_done(struct json *j);
#define _cleanup_json_ _cleanup_(json_done)
