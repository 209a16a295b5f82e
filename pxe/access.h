/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The boot server's access log, TREE/run/access.log: what each machine fetched and when.
 * One line a request, in the log_format that templates/nginx.conf defines:
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

/* One line, with or without its newline. 0 or -EINVAL. */
int access_parse(const char *line, struct access *ret) _must_check_;

/* Follows the log while it grows. Zero-initialise. */
struct access_log {
	char *path;
	FILE *f;
};

/* The file need not be there yet. `from_end`: skip what it holds already. */
void access_open(struct access_log *l, const char *path, bool from_end);

/* The next complete line that parses. 1, or 0 when there is none for the time being. */
int access_next(struct access_log *l, struct access *ret) _must_check_;
void access_done(struct access_log *l);
#define _cleanup_access_ _cleanup_(access_done)
