/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.0 client for servers at an address or behind a Unix socket: one request, one
 * connection, the answer read to its end. Names are not resolved.
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
	const char *path; /* with its query */
	const char *type; /* of the body, or NULL */
	const void *body;
	size_t len;
	unsigned timeout_ms; /* for the whole of it; 0: 10 s */
};

struct http_answer {
	int status;
	char *body; /* NUL-terminated */
	size_t len;
};

/* 0 whatever the status; -1 when there was no answer. */
int http_call(const struct http_target *t, const struct http_request *r,
	      struct http_answer *ret, struct err *e) _must_check_;
void http_answer_done(struct http_answer *a);
#define _cleanup_http_answer_ _cleanup_(http_answer_done)

/*
 * A server as Kubernetes' clients take it: "http://A.B.C.D:PORT", or the address without
 * a scheme, which has to be an IP literal as "master:8080" would be a URL of scheme
 * "master". "localhost" is 127.0.0.1. -1 with the original's complaint.
 */
int http_target_parse(const char *s, uint16_t default_port, struct http_target *ret,
		      struct err *e) _must_check_;

/* Appends `s` percent-encoded for use in a query or a form. */
struct buf;
void http_escape(struct buf *b, const char *s);
