/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the headers of an HTTP response (RFC 9110, RFC 9112) say about the bytes behind
 * them: whether these are the same as before, where they begin, and whether their end can
 * be told from a connection that broke.
 */
#pragma once

#include "lib/cleanup.h"

#include <time.h>

struct response {
	char *etag;          /* a strong one, or NULL */
	char *last_modified; /* as it came, or NULL */
	char *content_type;
	time_t date, modified; /* 0: not said */
	bool has_range;
	uint64_t range_start; /* of Content-Range */
	uint64_t range_total; /* bytes of the whole file; 0: not said */
	bool framed;          /* its length was said, or it is sent in chunks or frames */
};

/* Takes one header line. A status line begins a new response: a redirect's headers are
 * not ours. */
void response_header(struct response *r, const char *line, size_t len);
void response_done(struct response *r);

/*
 * What If-Range may hold the rest up to: a strong ETag, else a Last-Modified that is
 * strong because the response is later than it (RFC 9110, 8.8.2.2), else NULL.
 */
const char *response_validator(const struct response *r);
