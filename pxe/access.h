/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the boot server's access log, TREE/run/access.log, which has what the machines
 * fetched and when, as far as rackstrap uses it: the files of hosts, root images and
 * reports. A request is a line in the log_format of templates/nginx.conf:
 *
 *	<seconds.milliseconds since the epoch, when it ended> <address> "<method> <path>
 *	<protocol>" <status> <bytes of body> <seconds.milliseconds it took>
 *
 * nginx writes a quote or a control character inside the request as \xHH.
 */
#pragma once

#include "lib/net.h"
#include "pxe/tail.h"

struct access {
	uint64_t end_ms; /* since the epoch */
	uint64_t took_ms;
	uint32_t address;
	char method[8];
	char path[256]; /* cut off when longer; without "?..." */
	unsigned status;
	uint64_t bytes; /* of body sent */
};

/* Parses one line without its newline. Returns 0 or -EINVAL. */
int access_parse(const char *line, struct access *ret) _must_check_;

/* Reads the next line that parses; `t` follows the log. Returns 1, or 0 if there is none
 * yet, or none that may be read in this turn (tail.h). */
int access_next(struct tail *t, struct access *ret) _must_check_;
