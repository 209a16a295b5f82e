/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of a rack file: files of the operator's machine that the boot server gives
 * to hosts.
 *
 *	secrets = ( { name = "munge.key"; file = "keys/munge.key"; owner = "munge";
 *		      mode = "0400"; roles = [ "controller" ]; }, ... );
 *
 * `file` is relative to the folder of the file that names it, `name` is by default its
 * last component, `owner` root and `mode` 0400. Only the cluster's have `roles`; without
 * it they are for all hosts. A host's secret replaces that of the cluster with the same
 * name. The key `seal` is reserved.
 *
 * The bytes are in memory from rack_load() to rack_done(), which erases them, and are
 * written only into the archive of a host (tree-cpio.c). They are in no message, and
 * neither is a digest of them, from which a short secret could be guessed.
 */
#pragma once

#include "firstboot/model/host.h"

#include <sys/types.h>

struct rack_secret {
	char *name;
	char *path; /* of the file, from the working directory */
	char *owner;
	mode_t mode;
	char **roles; /* NULL: all hosts */
	char *from;   /* the rack file that names it */
	unsigned line;
	char *data; /* the file's bytes; NULL before it is read */
	size_t len;
};

/* The secrets of the cluster, and behind them those of the hosts. */
struct rack_secrets {
	struct rack_secret *v;
	size_t n;
	size_t n_common; /* of the cluster */
};
void rack_secrets_done(struct rack_secrets *s);

struct loader;
struct rack;
struct rack_host;

/* Load the key of the cluster group, or of a host's. The latter also sets the host's
 * secrets: the indices, and the value of host.cfg's key. Complaints make l->r -1. */
void rack_load_secrets(struct loader *l);
void rack_load_host_secrets(struct loader *l, const struct conf_node *group,
			    const char *prefix, struct rack_host *h);

/* Warns about each secret of the cluster that no host gets. */
void rack_warn_secrets(const struct rack *r, struct diag *d);

/* Adds a complaint about a secret, "FILE:LINE: secrets: 'NAME': " and the message.
 * Returns -1. */
int rack_secret_complain(const struct rack_secret *s, struct diag *d, const char *fmt,
			 ...) _printf_(3, 4);

/* Reads all files, with a complaint for each that cannot be used. Returns 0 or -1. */
int rack_read_secrets(struct rack_secrets *s, struct diag *d) _must_check_;
