/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The headers of an HTTP response (RFC 9110, RFC 9112) about its bytes: whether they are
 * the same as before, where they begin, and whether their end can be told from a broken
 * connection.
 */
#pragma once

#include "lib/cleanup.h"

#include <time.h>

struct response {
	char *etag;          /* a strong one, or NULL */
	char *last_modified; /* as received, or NULL */
	char *content_type;
	time_t date, modified; /* 0: absent */
	bool has_range;
	uint64_t range_start; /* of Content-Range */
	uint64_t range_total; /* bytes of the whole file; 0: absent */
	bool framed; /* true: the length is given, or it is sent in chunks or frames */
};

/* Parses one header line. A status line begins a new response, so that the headers of a
 * redirect are dropped. */
void response_header(struct response *r, const char *line, size_t len);
void response_done(struct response *r);

/*
 * Returns the value for If-Range: a strong ETag, else a Last-Modified that is strong
 * because the response is later than it (RFC 9110, 8.8.2.2), else NULL.
 */
const char *response_validator(const struct response *r);
