/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the boot server's access log, TREE/run/access.log, which has what the machines
 * fetched and when, as far as rackstrap uses it: the files of hosts, root images, reports
 * and what unknown machines say of themselves. A request is a line in the log_format of
 * templates/nginx.conf:
 *
 *	<seconds.milliseconds since the epoch, when it ended> <address> "<method> <path>
 *	<protocol>" <status> <bytes of body> <seconds.milliseconds it took>
 *
 * nginx writes a quote, a backslash, a control character and a byte above 126 inside the
 * request as \xHH.
 */
#pragma once

#include "lib/net.h"
#include "pxe/tail.h"

struct access {
	uint64_t end_ms; /* since the epoch */
	uint64_t took_ms;
	uint32_t address;
	char method[8];
	char path[256];   /* cut off when longer; without "?..." */
	char query[1024]; /* what follows the '?', as logged; cut off when longer */
	unsigned status;
	uint64_t bytes; /* of body sent */
};

/* Parses one line without its newline. Returns 0 or -EINVAL. */
int access_parse(const char *line, struct access *ret) _must_check_;

/* Reads the next line that parses; `t` follows the log. Returns 1, or 0 if there is none
 * yet, or none that may be read in this turn (tail.h). */
int access_next(struct tail *t, struct access *ret) _must_check_;

/*
 * Writes the value of the query's first parameter `key` to `out`, decoded (%HH and
 * nginx's \xHH) and made harmless: cleaned as lib/text.h says, in UTF-8, without blanks
 * around it, and cut off before `size` bytes. Returns false, with `out` empty, if there
 * is no such parameter or nothing is left of its value.
 */
bool access_query(const struct access *a, const char *key, char *out, size_t size);
