/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of a host.cfg or a rack.cfg for a medium: checked as the machine that boots
 * from the medium checks it, and given ssh keys without changing the rest of it.
 */
#pragma once

#include "firstboot/model/conf.h"
#include "firstboot/model/host-template.h"
#include "pxe/rack-settings.h"

struct config_text {
	char *name; /* its path, for messages */
	bool rack;  /* rack.cfg, not host.cfg */
	char *text;
	size_t len;
	/* The settings of a text that was written out, with their lines; NULL: those of
	 * `text`. */
	struct conf *merged;           /* of a host.cfg that includes others */
	struct rack_settings settings; /* of a rack.cfg; empty: those of `text` */
};

/*
 * Reads the file `path`. If it includes others, or is a rack.cfg with entries for many
 * hosts, the text has the settings of all of them, without comments: a medium has only
 * the one file, with an entry for each host. `c` is empty, except for `rack`.
 * `where` is the place that names the file, for the complaint that it cannot be read, or
 * NULL. Returns 0, or -1 with complaints, of the same file and line as those of
 * `rackstrap check`.
 */
int config_text_load(struct config_text *c, const char *path, const char *where,
		     struct diag *d) _must_check_;

/* Returns 0, or -1 with every complaint. @include and secrets are refused, and so are
 * values with which the image's templates, compiled for the roles, cannot be rendered.
 * Settings of a rack.cfg that only PXE uses are warned about. */
int config_text_check(const struct config_text *c, const struct roles *roles,
		      const struct host_templates *templates,
		      struct diag *d) _must_check_;

/* Checks that the templates can be rendered for the host of a host.cfg, with which no
 * other hosts of a rack come. Returns 0 or -1. */
int config_host_check_templates(const struct host *h, const struct roles *roles,
				const struct host_templates *t,
				struct diag *d) _must_check_;

/* Complain about secrets, which a medium must not have: it is copied and lent, and its
 * image is kept for years. One complaint is enough for a rack. Return 0 or -1. */
struct rack;
int config_host_refuse_secrets(const struct host *h, struct diag *d) _must_check_;
int config_rack_refuse_secrets(const struct rack *r, struct diag *d) _must_check_;

/* Warns when a host of a text that passed the check has no ssh keys, unless the words of
 * the kernel command line `cmdline` (may be NULL) may give it some. */
void config_text_warn_keys(const struct config_text *c, const struct roles *roles,
			   const char *cmdline);

/*
 * Adds `key` (a line of authorized_keys(5)) to every ssh_keys that a host may get its
 * keys from; the rest of the text, with its comments, stays. The text must have passed
 * the check. Returns -1 when a key cannot be added to this text.
 */
int config_text_add_key(struct config_text *c, const char *key, const struct roles *roles,
			struct diag *d) _must_check_;
void config_text_done(struct config_text *c);
#define _cleanup_config_text_ _cleanup_(config_text_done)
