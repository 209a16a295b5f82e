/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration of this host: loaded from all sources in priority order, derived and
 * checked.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/host-template.h"
#include "firstboot/model/sha256.h"

/* The sources of values, in priority order: values of a later one replace those of an
 * earlier one. */
struct source {
	const char *name;
	bool early; /* it is there before the state disk and the network are */
	/* Loads it. Returns 1, 0 when there is no such source, or -1 with complaints. */
	int (*load)(const struct firstboot *fb, struct host *h, struct diag *d,
		    struct diag *warnings);
};
extern const struct source sources[];
extern const size_t n_sources;

/* Waits for what decides which host this is, at most fb->link_timeout. Is called once,
 * before the sources are loaded. */
void sources_wait(const struct firstboot *fb);

struct config {
	struct roles roles;
	struct host host;
	const struct role *role;         /* NULL when there are complaints */
	struct host_templates templates; /* of the image; those of the role are rendered
					  * when there are no complaints */
	struct diag complaints;          /* each line begins with its source */
	struct diag warnings;     /* they do not keep the host from being configured */
	bool bad[HOST_KEY_COUNT]; /* a complaint is about the key */
	char sha256[DIGEST_LEN];  /* of the effective values, see config_text */
};

/* Loads the configuration as far as possible. Returns 0, or -1 when there are
 * complaints. */
int config_load(struct config *ret, const struct firstboot *fb) _must_check_;

/* Loads one host.cfg as the only source, for `firstboot check`. Returns as
 * config_load. */
int config_load_file(struct config *ret, const struct firstboot *fb,
		     const char *path) _must_check_;

/* Logs every complaint and sets the error to their number, for the configuration `what`.
 * Returns -1. */
int config_err(const struct config *c, const char *what, struct err *e);
void config_done(struct config *c);
#define _cleanup_config_ _cleanup_(config_done)

/* Returns all values, also default and derived ones, in the form of host.cfg. Owned by
 * the caller. */
char *config_text(const struct host *h);
