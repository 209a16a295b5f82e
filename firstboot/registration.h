/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Describes the units that register this host with a server when they start, and never
 * again: the kubelet its node with the API server, calico-node its address in etcd. When
 * the server loses its data later, the unit does not notice; `firstboot heal` restarts it
 * then.
 *
 * A registration that was seen is marked in RUN_DIR, with the name it has and the server
 * that had it, so that a unit which has never registered there in this boot is not taken
 * for a forgotten one: a kubelet may need minutes for its first registration.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/host.h"
#include "lib/str.h"

enum registration_state {
	REGISTRATION_UNKNOWN, /* the other side does not answer, or not clearly */
	REGISTRATION_ABSENT,  /* it answers, and does not know this host */
	REGISTRATION_PRESENT,
};

struct registration {
	const char *name; /* of its files in RUN_DIR */
	const char *unit; /* registers when it starts */
	const char *at;   /* "the API server", for messages */
	/* The name that it has there, and "ADDRESS:PORT" of the server. Owned. */
	char *(*subject)(const struct host *h);
	char *(*server)(const struct host *h);
	enum registration_state (*look)(const struct host *h);
};

extern const struct registration registrations[];
extern const size_t n_registrations;

/* Returns whether the role has the unit. */
bool registration_applies(const struct registration *r, const struct role *role);

/* Looks, and marks a registration that is present. */
enum registration_state registration_look(const struct registration *r,
					  const struct firstboot *fb,
					  const struct host *h);

/* Returns whether it was present, under this name on this server, earlier in this boot.
 */
bool registration_is_marked(const struct registration *r, const struct firstboot *fb,
			    const struct host *h);

/*
 * Seconds that the unit must have run before it is restarted: REGISTRATION_WAIT_S, twice
 * as many after each restart that did not help, at most REGISTRATION_WAIT_MAX_S.
 */
#define REGISTRATION_WAIT_S     200
#define REGISTRATION_WAIT_MAX_S 600
unsigned registration_wait_s(const struct registration *r, const struct firstboot *fb);

/* Counts a restart, for registration_wait_s; a look that finds it present counts anew. */
void registration_note_restart(const struct registration *r, const struct firstboot *fb);
