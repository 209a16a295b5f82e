/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.0 client for servers at an IPv4 address or a Unix socket. Each request has
 * its own connection, and the answer is read to its end. Names are not resolved.
 */
#pragma once

#include "lib/err.h"

#define HTTP_ANSWER_MAX (4u * 1024 * 1024)

struct http_target {
	uint32_t addr; /* host byte order */
	uint16_t port;
	const char *path; /* Unix socket, when not NULL; not owned */
};

struct http_request {
	const char *method;
	const char *path; /* including its query */
	const char *type; /* Content-Type of the body, or NULL */
	const void *body;
	size_t len;
	unsigned timeout_ms; /* for the whole exchange; 0: 10 s */
};

struct http_answer {
	int status;
	char *body; /* NUL-terminated */
	size_t len;
};

/* Returns 0 when there was an answer, whatever its status, else -1. */
int http_call(const struct http_target *t, const struct http_request *r,
	      struct http_answer *ret, struct err *e) _must_check_;
void http_answer_done(struct http_answer *a);
#define _cleanup_http_answer_ _cleanup_(http_answer_done)

/*
 * Parses a server's address in the form that Kubernetes' clients accept:
 * "http://A.B.C.D:PORT", or the address without a scheme. Without a scheme it has to be
 * an IP literal, because "master:8080" would be a URL with the scheme "master".
 * "localhost" is 127.0.0.1. Returns -1 with the original's error message.
 */
int http_target_parse(const char *s, uint16_t default_port, struct http_target *ret,
		      struct err *e) _must_check_;

/* Appends `s` percent-encoded for use in a query or a form. */
struct buf;
void http_escape(struct buf *b, const char *s);
