/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the boot server's access log, TREE/run/access.log, which has what each machine
 * fetched and when: one line per request, in the log_format of templates/nginx.conf:
 *
 *	<seconds.milliseconds since the epoch, when it ended> <address> "<method> <path>
 *	<protocol>" <status> <bytes of body> <seconds.milliseconds it took>
 *
 * nginx writes a quote or a control character inside the request as \xHH.
 */
#pragma once

#include "lib/net.h"

#include <stdio.h>

struct access {
	uint64_t end_ms; /* since the epoch */
	uint64_t took_ms;
	uint32_t address;
	char method[8];
	char path[256]; /* cut off when longer; without "?..." */
	unsigned status;
	uint64_t bytes; /* of body sent */
};

/* Parses one line, with or without its newline. Returns 0 or -EINVAL. */
int access_parse(const char *line, struct access *ret) _must_check_;

/* A reader that follows the log while it grows. Zero-initialise. */
struct access_log {
	char *path;
	FILE *f;
};

/* Opens the log, which need not exist yet. `from_end`: skips the lines that it has. */
void access_open(struct access_log *l, const char *path, bool from_end);

/* Reads the next complete line that parses. Returns 1, or 0 if there is none yet. */
int access_next(struct access_log *l, struct access *ret) _must_check_;
void access_done(struct access_log *l);
#define _cleanup_access_ _cleanup_(access_done)
