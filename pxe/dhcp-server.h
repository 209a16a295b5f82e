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

	bool needs_interface; /* it listens on one that is named */

	const char *conf;  /* its configuration, a file of the tree */
	const char *hosts; /* the file of the tree that has its hosts; NULL: `conf` has
			    * them */

	const char *started;   /* is in its log when it listens */
	uint32_t capabilities; /* bits 1 << CAP_... that it needs (lib/run-user.h) */
	size_t child;          /* offset of its struct serve_child in struct serve */

	/* Returns its argument vector, with `test` for a test of the configuration. Owned
	 * by the caller. */
	char **(*argv)(const struct serve *s, bool test);
	/* Checks if reload() is enough for this change: of the texts of `conf` and, with
	 * a file of hosts, of that; each is NULL if it could not be read. */
	bool (*can_reload)(const char *const old[2], const char *const new[2]);
	/* Returns what is added to its environment, or NULL. Owned by the caller. */
	char **(*env)(const struct serve *s);
	/* Makes what it needs before it starts, or NULL. */
	int (*prepare)(const struct serve *s, struct err *e);
	/* Makes the running server read its hosts or configuration again, and waits until
	 * it has them. Returns 0, -1 when it keeps what it has, or 1 when it must be
	 * started again. */
	int (*reload)(struct serve *s, struct err *e);
};

/* The first row is dnsmasq. */
extern const struct dhcp_server dhcp_servers[];

/* Returns the name of the i-th row, or NULL behind the last. */
const char *dhcp_server_name(size_t i);
/* Returns the row of that name, or NULL. */
const struct dhcp_server *dhcp_server_find(const char *name);
