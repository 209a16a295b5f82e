/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings of a rack file, before they are loaded into a struct rack: as they are
 * written, and with a group for each host (rack-expand.h).
 */
#pragma once

#include "pxe/rack-expand.h"
#include "pxe/rack.h"

struct rack_settings {
	struct conf *written;
	struct conf *expanded; /* NULL: it says the same as what is written */
	struct rack_tables tables;
	bool incomplete; /* hosts are missing, which was complained about */
};

/* Read a file, or parse a text, which cannot have a hosts_file; messages call it `name`,
 * and `flags` are conf_flags. Return 0, or -1 with complaints when nothing can be loaded.
 * Complaints about the hosts make it incomplete: rack_load_settings() then finds the
 * mistakes in the rest, and fails. */
int rack_settings_read(struct rack_settings *ret, const char *path,
		       struct diag *d) _must_check_;
int rack_settings_parse(struct rack_settings *ret, const char *text, size_t len,
			const char *name, unsigned flags, struct diag *d) _must_check_;
void rack_settings_done(struct rack_settings *s);
#define _cleanup_rack_settings_ _cleanup_(rack_settings_done)

/* Returns the settings with a group for each host. */
const struct conf *rack_settings_flat(const struct rack_settings *s);

/* Loads and checks settings, and with `secrets` reads the files of its secrets. Returns
 * 0, or -1 with every complaint in `d`. */
int rack_load_settings(struct rack *ret, const struct rack_settings *s,
		       const struct roles *roles, bool secrets,
		       struct diag *d) _must_check_;
