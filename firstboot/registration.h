/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The units that register this host with a server only when they start: the kubelet its
 * node with the API server, calico-node its address in etcd. When the server loses its
 * data later, `firstboot heal` must restart the unit.
 *
 * A registration that was seen is recorded in RUN_DIR, with its name and the server, so
 * that a unit that has not registered in this boot yet is not restarted: a kubelet may
 * need minutes for its first registration.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/model/host.h"
#include "lib/str.h"

enum registration_state {
	REGISTRATION_UNKNOWN, /* the server does not answer, or with another error */
	REGISTRATION_ABSENT,  /* the server answers that it does not know this host */
	REGISTRATION_PRESENT,
};

struct registration {
	const char *name; /* of its files in RUN_DIR */
	const char *unit; /* the unit that registers the host */
	const char *at;   /* the server in messages: "the API server" */
	/* Return the registered name, and "ADDRESS:PORT" of the server. Owned by the
	 * caller. */
	char *(*subject)(const struct host *h);
	char *(*server)(const struct host *h);
	enum registration_state (*look)(const struct host *h);
};

/* Returns true when the role has the unit. */
bool registration_applies(const struct registration *r, const struct role *role);

/* Asks the server, and records a registration that is present. */
enum registration_state registration_look(const struct registration *r,
					  const struct firstboot *fb,
					  const struct host *h);

/* Returns true when it was present in this boot, under this name on this server. */
bool registration_is_marked(const struct registration *r, const struct firstboot *fb,
			    const struct host *h);

/*
 * Returns the seconds that the unit must have run before it is restarted:
 * REGISTRATION_WAIT_S, doubled for each restart that did not help, at most
 * REGISTRATION_WAIT_MAX_S.
 */
#define REGISTRATION_WAIT_S     200
#define REGISTRATION_WAIT_MAX_S 600
unsigned registration_wait_s(const struct registration *r, const struct firstboot *fb);

/* Counts a restart, for registration_wait_s(). registration_look() resets the count when
 * the registration is present. */
void registration_note_restart(const struct registration *r, const struct firstboot *fb);
