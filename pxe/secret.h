/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secret of a boot tree, TREE/secret: 256 random bits, as a line of 64 hex digits in
 * a file of mode 0600. It is made when a tree is first rendered and kept when it is
 * rendered again, so that the tokens of hosts that run stay valid.
 *
 * A host's token is the HMAC-SHA256 (RFC 2104) of "report/NAME" with the secret as the
 * key, in hex. It is in the host's own host.cfg and in nginx.conf. The host sends it in
 * REPORT_TOKEN_HEADER (firstboot/model/host.h); it shows that the sender of a report
 * could read that host.cfg.
 */
#pragma once

#include "firstboot/model/sha256.h"
#include "lib/err.h"

struct secret {
	uint8_t key[HMAC_KEY_LEN];
};

/* Reads the secret of the tree that is open as `tree`, and is called `dir` in messages;
 * makes a new one if `tree` is -1 or has none. */
int secret_read(struct secret *ret, int tree, const char *dir,
		struct err *e) _must_check_;

/* Parses a line of 64 hex digits. Returns 0 or -EINVAL. */
int secret_parse(const char *line, struct secret *ret) _must_check_;

/* Returns the line, with its newline, owned by the caller. */
char *secret_text(const struct secret *s);

/* Writes the token of the host to `out`. Returns `out`. */
const char *secret_token(const struct secret *s, const char *host,
			 char out[static DIGEST_LEN]);
