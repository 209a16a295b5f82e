/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of this host: the sources laid over each other in priority order,
 * what follows from them, and what is wrong with it.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/host.h"
#include "firstboot/sha256.h"

/* Where values come from. Rows in priority order, a later one wins. */
struct source {
	const char *name;
	/* Lays it over the host. 1: it was there, 0: it was not, -1: complaints. */
	int (*load)(const struct firstboot *fb, struct host *h, struct diag *d);
};
extern const struct source sources[];
extern const size_t n_sources;

struct config {
	struct roles roles;
	struct host host;
	const struct role *role;  /* NULL when there are complaints */
	struct diag complaints;   /* everything wrong, each line with its source */
	bool bad[HOST_KEY_COUNT]; /* keys that complaints are about */
	char sha256[DIGEST_LEN];  /* of the effective values, see config_text */
};

/* 0, or -1 when there are complaints; filled in as far as possible either way. */
int config_load(struct config *ret, const struct firstboot *fb) _must_check_;

/* One host.cfg as the only source, with what `check` knows of roles. */
int config_load_file(struct config *ret, const struct firstboot *fb,
		     const char *path) _must_check_;

/* Tells every complaint on standard error and makes one error about `what` of all. */
int config_err(const struct config *c, const char *what, struct err *e);
void config_done(struct config *c);
#define _cleanup_config_ _cleanup_(config_done)

/* Every value there is, defaults and derived ones included, as host.cfg writes it. */
char *config_text(const struct host *h);
