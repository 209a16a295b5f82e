/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of machines that asked the boot server for something, by MAC address. Anybody
 * can claim any number of addresses: the table has at most MACHINES_MAX machines, and
 * then forgets the one that has not asked for the longest time. One that asks every 15 s
 * stays in it as long as fewer than MACHINES_MAX others ask in 15 s.
 */
#pragma once

#include "lib/net.h"

#define MACHINES_MAX     10000
#define MACHINE_TEXT_MAX 65 /* bytes of a text of it, with NUL */

/* The texts that a machine says of itself, by their names in the query. */
enum machine_text {
	MACHINE_SERIAL,
	MACHINE_UUID,
	MACHINE_MANUFACTURER,
	MACHINE_PRODUCT,
	MACHINE_ASSET,
	MACHINE_SWITCH, /* where it is plugged in, by LLDP */
	MACHINE_PORT,
	MACHINE_TEXTS,
};
/* Returns its name: "serial". */
const char *machine_text_name(enum machine_text id);

struct machine {
	struct mac mac;
	uint64_t first_ms, last_ms; /* since the epoch; 0: not known */
	uint64_t seen;              /* how often it asked */
	uint32_t address;           /* that it asked from, or 0 */
	uint32_t given;             /* that DHCP gave to it, or 0 */
	bool said;                  /* it said what it is: `texts`, each clean or "" */
	char texts[MACHINE_TEXTS][MACHINE_TEXT_MAX];
	bool shown; /* for the caller */

	struct machine *older, *newer; /* by the last time that it was noted */
};

/* Zero-initialise. */
struct machines {
	void *root; /* tsearch(3) */
	struct machine *oldest, *newest;
	size_t n;
	uint64_t forgotten;
};

/* Returns the machine, which is new if it was not in the table. It stays where it is
 * until the table forgets it, in this function. */
struct machine *machines_note(struct machines *t, struct mac mac);
/* Counts that the machine asked, at a time in milliseconds since the epoch, or 0. */
void machine_asked(struct machine *m, uint64_t when_ms);

void machines_done(struct machines *t);
