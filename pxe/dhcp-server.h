/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DHCP servers that a boot tree can be rendered for, one row each. `rackstrap serve`
 * runs the one of its tree (struct tree_info). dnsmasq runs for every tree, because it
 * serves TFTP too.
 */
#pragma once

#include "pxe/tree.h"

struct serve;

struct dhcp_server {
	const char *name;    /* in tree.cfg; NULL ends the table */
	const char *program; /* is looked up in PATH */
	const char *package; /* Debian's, which brings it */

	const char *conf;  /* its configuration, a file of the tree */
	const char *hosts; /* the file of the tree that has its hosts; NULL: `conf` has
			    * them */

	const char *test;      /* argument with which it tests the configuration */
	const char *started;   /* is in its log when it listens */
	uint32_t capabilities; /* bits 1 << CAP_... that it needs (lib/run-user.h) */
	size_t child;          /* offset of its struct serve_child in struct serve */

	/* Returns its argument vector. Owned by the caller. */
	char **(*argv)(const struct serve *s);
	/* Checks if reload() is enough for this change: of the texts of `conf` and, with
	 * a file of hosts, of that; each is NULL if it could not be read. */
	bool (*can_reload)(const char *const old[2], const char *const new[2]);
	/* Makes the running server read its hosts or configuration again, and waits until
	 * it has them. */
	int (*reload)(struct serve *s, struct err *e);
};

/* The first row is dnsmasq. */
extern const struct dhcp_server dhcp_servers[];
