/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP/1.1 server for one thread: a fixed number of connections, one request on
 * each, limited sizes of heads and bodies. The program calls http_server_run() between
 * its own pieces of work.
 */
#pragma once

#include "lib/str.h"

#define HTTP_CONNECTIONS 64
#define HTTP_LISTENERS   4
#define HTTP_HEAD_MAX    16384u
#define HTTP_BODY_MAX    (1024u * 1024)

struct http_in { /* a request */
	const char *method;
	const char *path;   /* without the query, decoded */
	const char *query;  /* after '?', not decoded; "" when there is none */
	const char *accept; /* "" when none */
	const char *body;   /* NUL-terminated */
	size_t len;
};

struct http_out {         /* the answer; zeroed before the handler is called */
	int status;       /* 0 is 200 */
	const char *type; /* NULL is application/json */
	struct buf body;
	uint64_t stream_ms; /* not 0: how long the connection stays open */
	unsigned stream_id; /* the stream's id, for http_server_stream() */
};

typedef void (*http_handler)(void *data, const struct http_in *in, struct http_out *out);

struct http_conn {
	int fd; /* -1: free */
	http_handler handler;
	void *data;
	struct buf in, out;
	size_t sent;
	bool answered;
	uint64_t deadline;  /* the connection is closed at this time (clock_ms) */
	unsigned stream_id; /* 0: not a stream */
};

struct http_server {
	struct {
		int fd;
		http_handler handler;
		void *data;
	} listeners[HTTP_LISTENERS];
	size_t n_listeners;
	struct http_conn conns[HTTP_CONNECTIONS];
};

void http_server_init(struct http_server *s);

/* Adds a listener whose requests are passed to `handler`. Returns 0 or -errno. */
int http_server_listen(struct http_server *s, uint32_t addr, uint16_t port,
		       http_handler handler, void *data) _must_check_;

/* Serves until clock_ms() reaches `until`; polls the sockets at least once. */
void http_server_run(struct http_server *s, uint64_t until);

/* Sends a line to every open stream with that id. */
void http_server_stream(struct http_server *s, unsigned id, const char *line, size_t len);

/* Returns the value of `name` in a query ("" when it has no value), or NULL when the
 * query does not have it. Owned by the caller. */
char *http_query(const char *query, const char *name);

/* Answers /healthz with "ok" and every other path with 404. */
void http_healthz(void *data, const struct http_in *in, struct http_out *out);
