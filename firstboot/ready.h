/* SPDX-License-Identifier: Apache-2.0 */
/* When a role works: its units are active and its URLs answer. */
#pragma once

#include "firstboot/snapshot.h"

/*
 * Puts values from the text of /etc/network-environment into "${NAME}". Owned by the
 * caller; NULL when a name is not there, with the reason in `e`.
 */
char *ready_expand(const char *url, const char *environment, struct err *e);

/*
 * Looks once, without the test that containers start, which changes things: it counts as
 * passed when it was. Returns and sets as ready_wait().
 */
bool ready_now(const struct firstboot *fb, struct snapshot *s, char **why);

/*
 * Looks about every `poll_ms` until the role works or CLOCK_BOOTTIME is past `end_ms`.
 * s->units is as it was last seen. Returns true when it works; else *why says what does
 * not, owned by the caller.
 */
bool ready_wait(const struct firstboot *fb, struct snapshot *s, uint64_t end_ms,
		unsigned poll_ms, char **why);
