/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The values that tell this machine from every other one. SMBIOS strings are read from
 * /sys/class/dmi/id (kernel drivers/firmware/dmi-id.c).
 */
#pragma once

#include "firstboot/firstboot.h"
#include "lib/net.h"
#include "lib/str.h"

/* All owned. */
struct machine_id {
	char *serial, *uuid; /* from SMBIOS; NULL: absent, or a placeholder */
	char *ignored_serial, *ignored_uuid; /* the placeholders, or NULL */
	struct mac *macs;                    /* of its physical links, sorted by name */
	size_t n_macs;
};

/* Reads the values that the kernel has now; a driver may still be loading. */
void machine_id_read(struct machine_id *ret, int rootfd);
void machine_id_done(struct machine_id *m);
#define _cleanup_machine_id_ _cleanup_(machine_id_done)

/* Adds a warning for each placeholder that is ignored. */
void machine_id_warn(const struct machine_id *m, struct diag *warnings);

#define SYSTEMD_ID_LEN 33

/*
 * Writes a machine-id(5) for systemd, which is the same at every boot: a digest of serial
 * number, UUID and one address, `own` or, if that is NULL, the lowest of the machine's
 * cards. Returns false when none of them is known.
 */
bool machine_id_derive(const struct machine_id *m, const struct mac *own,
		       char out[static SYSTEMD_ID_LEN]) _must_check_;

/* Returns "serial CZ1234, uuid 4c4c..., mac ..." for a message. Owned by the caller. */
char *machine_id_text(const struct machine_id *m);
