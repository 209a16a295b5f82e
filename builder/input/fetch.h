/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Downloads, several at once. fetch.c is the only file that includes libcurl.
 *
 * A download grows in a file that is kept after a failure: the next try, of this run or
 * of the next, resumes it if the server confirms that it is unchanged (RFC 9110, Range
 * and If-Range; recorded in <path>.meta). A download that broke off, or whose server was
 * busy or unreachable, is tried again a few times, with growing pauses, or the pause that
 * the server asks for. Only http, https and file are used, https never redirects to
 * another scheme; proxies come from the environment.
 *
 * User names and passwords are sent to the host of the URL only: not to another host,
 * port or scheme that it redirects to. No message has one, nor a proxy's, nor a secret
 * query.
 */
#pragma once

#include "builder/common/digest.h"
#include "builder/input/netrc.h"

#define FETCH_MAX (16ULL << 30)

struct fetch_file {
	const char *name;  /* for progress */
	const char *url;   /* to fetch from; never printed or kept with its query, unless
			    * `shown` has one, too */
	const char *shown; /* its name in messages: the URL before mirrors; NULL: url */
	const char *dir;   /* path of dirfd */
	int dirfd;
	const char *path; /* the file in dirfd */

	/* Known facts about the file. */
	uint64_t size;      /* 0: not known */
	uint64_t max_size;  /* more bytes are refused; 0: FETCH_MAX */
	const char *raise;  /* what raises that, for the message, or NULL */
	const char *digest; /* NULL: not known */
	enum digest_type digest_type;
	const char *expected_by; /* source of these values: "recipe.cfg:12" */
	const char *weak;        /* a SHA-1 or MD5 that must match as well, or NULL */
	enum digest_type weak_type;
	const char *weak_by;
	bool want_sha512; /* compute SHA-512, too */

	/* Filled in on success. */
	uint64_t got;
	char sha256[DIGEST_HEX_MAX];
	char sha512[DIGEST_HEX_MAX]; /* "" unless wanted, or the digest is one */
	char *from; /* where the redirects ended, without user name, password and
		     * query; the caller's */
};

struct fetch_options {
	unsigned tries;    /* 0: 4 */
	unsigned pause_ms; /* before the second try, doubled each time; 0:
			      $RACKSTRAP_FETCH_PAUSE, else 500 */
	unsigned stall_s;  /* of almost no bytes, then the server counts as dead; 0:
			      $RACKSTRAP_FETCH_STALL, else 60 */
	bool quiet;        /* no log line for each file */
	const struct netrc *netrc; /* user names and passwords, or NULL */
};

/* Checks a file's size against its max_size. `called` is the file's name in messages. */
int fetch_check_size(const struct fetch_file *f, uint64_t size, const char *called,
		     struct err *e) _must_check_;

/*
 * Returns 0 when every file is complete and has the digest it must have. Returns -1 when
 * one is not: the others were still fetched, and the message has one line for each failed
 * file. A file with a wrong digest is removed.
 *
 * A file that is larger than its max_size is refused before its first byte is kept if the
 * server says how large it is, else as soon as it has that size.
 *
 * A file without a known digest is refused when it is a web page, is empty, or was sent
 * in a way in which its end cannot be told from a broken connection.
 */
int fetch_all(struct fetch_file *v, size_t n, const struct fetch_options *o,
	      struct err *e) _must_check_;
