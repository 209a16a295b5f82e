/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carries out a plan in a list of idempotent steps. Running them again changes nothing,
 * and running them again after an interruption gives the same result.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "firstboot/plan/plan.h"

struct step {
	const char *name;
	bool live; /* it changes the running system, not files below the root */
	/* Returns the number of changes, or -1. */
	int (*run)(const struct firstboot *fb, const struct plan *p, struct err *e);
};
extern const struct step steps[];
extern const size_t n_steps;

/* Runs all steps in order, up to the first that fails. Returns the number of changes, or
 * -1. */
int steps_run(const struct firstboot *fb, const struct plan *p,
	      struct err *e) _must_check_;

/* Makes only the files and continues after a failure; for rescue mode. Returns as
 * steps_run. */
int steps_files(const struct firstboot *fb, const struct plan *p,
		struct err *e) _must_check_;
