/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a host.cfg or a rack.cfg that is to go onto a medium: checked as the
 * machine that boots from it will, and given ssh keys without touching the rest of it.
 */
#pragma once

#include "firstboot/model/host.h"

struct config_text {
	char *name; /* what messages call it: a path */
	bool rack;  /* rack.cfg, not host.cfg */
	char *text;
	size_t len;
};

/* 0, or -1 with every complaint. Nothing in it may include another file. What a rack.cfg
 * says that only PXE takes is a warning. */
int config_text_check(const struct config_text *c, const struct roles *roles,
		      struct diag *d) _must_check_;

/*
 * Puts `key` (a line of authorized_keys(5)) into every ssh_keys that a host may get its
 * keys from; the rest of the text, comments too, stays as it is. The text must have
 * passed the check. -1 when the result would not say exactly that.
 */
int config_text_add_key(struct config_text *c, const char *key, const struct roles *roles,
			struct diag *d) _must_check_;
void config_text_done(struct config_text *c);
#define _cleanup_config_text_ _cleanup_(config_text_done)
