/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of reading JSON (RFC 8259) as etcd's answers need: members of objects, as the
 * text they are written in. No tree is built; nothing is copied but strings.
 */
#pragma once

#include "lib/str.h"

/* A piece of a JSON text, without blanks around it. */
struct json_piece {
	const char *at;
	size_t len;
};

/* The one value that the text is, of whatever kind. False: it is not JSON. */
bool json_scan(const char *text, struct json_piece *ret);

/* Members of an object in turn: *pos starts as 0 and is the scanner's own. False: there
 * are no more, or it is no object. `name` has its quotes. */
bool json_next(struct json_piece object, size_t *pos, struct json_piece *name,
	       struct json_piece *value);

/* Elements of an array in turn, as json_next. Returns false when there are no more, or it
 * is no array. */
bool json_next_element(struct json_piece array, size_t *pos, struct json_piece *value);

/* The member of this name, which is written without escapes. False: there is none. */
bool json_member(struct json_piece object, const char *name, struct json_piece *ret);

/* A string's characters, owned, as UTF-8; NULL: it is no string, or holds a NUL or half a
 * surrogate pair. */
char *json_text(struct json_piece string);

/* A whole number, 0 or more. 0 or -EINVAL. */
int json_u64_of(struct json_piece number, uint64_t *ret) _must_check_;

/* The same text, or the same but for blanks between its parts. */
bool json_same(struct json_piece a, struct json_piece b);
