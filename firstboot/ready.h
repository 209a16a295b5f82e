/* SPDX-License-Identifier: Apache-2.0 */
/* Decides when a role works: its units are active, its URLs answer, and its features
 * find no fault (feature.h), such as a Docker that starts no container. */
#pragma once

#include "firstboot/snapshot.h"

/*
 * Returns `url` with every ${NAME} replaced by its value in the text of
 * /etc/network-environment, owned by the caller; NULL when there is no such name, with
 * the reason in `e`.
 */
char *ready_expand(const char *url, const char *environment, struct err *e);

/*
 * Checks once, and changes nothing: of features only the results of earlier tests count.
 * Returns and sets as ready_wait().
 */
bool ready_now(const struct firstboot *fb, struct snapshot *s, char **why);

/*
 * Checks every `poll_ms` until the role works or CLOCK_BOOTTIME is past `end_ms`, and
 * sets s->units to their last state. Returns true when the role works; otherwise sets
 * *why to the reasons, owned by the caller.
 */
bool ready_wait(const struct firstboot *fb, struct snapshot *s, uint64_t end_ms,
		unsigned poll_ms, char **why);
