/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the downloads of fetch_all(), and what becomes of each. fetch.c moves
 * their bytes with libcurl. */
#pragma once

#include "builder/input/fetch-part.h"
#include "builder/input/fetch-response.h"
#include "builder/input/fetch.h"

#define TRANSFER_CURL_TEXT 256 /* CURL_ERROR_SIZE */

enum state {
	WAITING, /* until retry_at */
	RUNNING,
	DONE,
	FAILED,
};

struct transfer {
	struct fetch_file *f;
	enum state state;
	void *h; /* of libcurl; NULL between tries */
	struct curl_slist *headers;
	struct part part;
	struct response response;
	char *if_range; /* the validator sent as If-Range */
	bool body;      /* the response's first byte has arrived */
	size_t dropped; /* bytes of a body that is not kept */
	bool resumed;   /* one of the tries resumed the bytes of an earlier one */
	bool fresh;     /* ignore the bytes that are there */
	bool has_login; /* a user name and password are sent */
	unsigned tries; /* tries since the last progress */
	uint64_t mark;  /* bytes at that time */
	uint64_t retry_at, began;
	const char *called; /* its name in messages */
	char *place;        /* its URL as it may be printed and kept */
	struct err err;
	char curl_err[TRANSFER_CURL_TEXT];
};

struct fetch {
	void *multi; /* of libcurl */
	struct transfer *v;
	size_t n;
	unsigned max_tries, pause_ms, stall_s;
	bool quiet;
	const struct netrc *netrc;
	uint64_t rate_at, rate_bytes, rate;
};

/* Prepares the transfer of a file. fetch.c frees it. */
void transfer_init(struct transfer *t, struct fetch_file *f);

/* Sets the error of a file that cannot be written. Returns -1. */
int transfer_io_error(struct transfer *t, int r);

/* Checks that the response continues the bytes that are there, and that its end can be
 * told. A server that answers "206" with other bytes than requested is not asked to
 * resume again. */
int transfer_begin_rest(struct transfer *t) _must_check_;

/* Ends the transfer for good, because its file is too large. */
int transfer_refuse_size(struct transfer *t);

/* Returns true for the bytes of an earlier process that may have been damaged since. A
 * digest of the whole file would show that later. */
bool transfer_is_doubtful(const struct transfer *t);

/* Ends the transfer for good, and keeps its bytes. */
void transfer_fail(struct transfer *t);

/* Fails the transfer, or lets it wait for another try, at least as long as the server
 * asks for. The message is in t->err. */
void transfer_try_again(struct fetch *x, struct transfer *t, long retry_after_s);

/* Checks a transfer whose bytes have all arrived. */
void transfer_finish(struct fetch *x, struct transfer *t);

/* Sets the error of an answer that is not the file, with the server that gave it: `last`
 * is the URL where the redirects ended, or NULL. set_login() gives a login to the server
 * of the URL only. */
void transfer_refused(struct transfer *t, long code, const char *last);

/* Logs a transfer that is done. */
void transfer_report_done(const struct fetch *x, const struct transfer *t);

/* Returns 0, or -1 with a line for each failed file. */
int fetch_verdict(const struct fetch *x, struct err *e) _must_check_;
