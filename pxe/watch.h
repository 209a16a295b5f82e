/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens on a boot server, a line for each step a machine takes: who asks and is
 * not in the rack, who loads its boot script, its root image, who reports what. Made from
 * the servers' own logs.
 */
#pragma once

#include "pxe/access.h"
#include "pxe/intern.h"
#include "pxe/serve.h"

struct watch {
	const struct serve *s;
	struct access_log access;
	FILE *dhcp;              /* dnsmasq's log */
	struct intern strangers; /* told already */
};

/* From now on. `s` must be open and outlive the watch. */
void watch_open(struct watch *w, const struct serve *s);

/* The next thing worth telling, or NULL when there is none for the time being. */
char *watch_next(struct watch *w) _must_check_;
void watch_done(struct watch *w);
#define _cleanup_watch_ _cleanup_(watch_done)
