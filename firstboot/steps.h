/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan carried out: a flat list of idempotent steps. Done twice is done once; stopped
 * anywhere and done again ends the same.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/plan.h"

struct step {
	const char *name;
	bool live; /* changes the running system, not files below the root */
	/* The number of things it changed, or -1. */
	int (*run)(const struct firstboot *fb, const struct plan *p, struct err *e);
};
extern const struct step steps[];
extern const size_t n_steps;

/* All steps in order, up to the first that fails. The number of changes, or -1. */
int steps_run(const struct firstboot *fb, const struct plan *p,
	      struct err *e) _must_check_;

/* The files alone, going on after a failure: for a host that may not be configured. */
int steps_files(const struct firstboot *fb, const struct plan *p,
		struct err *e) _must_check_;

/* The bridge of the plan, as wanted: the number of changes, or -1. */
int bridge_apply(struct cidr want, uint32_t mtu, struct err *e) _must_check_;

/* No bridge: 1 when there was one, 0, or -1. Another kind of link stays. */
int bridge_remove(struct err *e) _must_check_;
