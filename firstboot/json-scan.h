/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads JSON (RFC 8259), as far as answers of etcd and Kubernetes need it: finds members
 * and elements as pieces of the text. No tree is built; only strings are copied.
 */
#pragma once

#include "lib/str.h"

/* A piece of a JSON text, without blanks around it. */
struct json_piece {
	const char *at;
	size_t len;
};

/* Checks a text and sets *ret to its one value, of any type. Returns false when it is not
 * JSON. */
bool json_scan(const char *text, struct json_piece *ret);

/* Gets the members of an object one by one; *pos must be 0 at first. `name` includes its
 * quotes. Returns false when there are no more, or it is not an object. */
bool json_next(struct json_piece object, size_t *pos, struct json_piece *name,
	       struct json_piece *value);

/* Gets the elements of an array one by one, as json_next. Returns false when there are no
 * more, or it is not an array. */
bool json_next_element(struct json_piece array, size_t *pos, struct json_piece *value);

/* Finds the member of this name, which must be written without escapes in the text.
 * Returns false when there is none. */
bool json_member(struct json_piece object, const char *name, struct json_piece *ret);

/* Returns the characters of a string as UTF-8, owned by the caller; NULL when it is not a
 * string, or contains a NUL or half a surrogate pair. */
char *json_text(struct json_piece string);

/* Parses a whole number, 0 or more. Returns 0, -EINVAL, or -ERANGE. */
int json_u64_of(struct json_piece number, uint64_t *ret) _must_check_;

/* Returns true when both texts are equal except for blanks between their parts. */
bool json_same(struct json_piece a, struct json_piece b);
