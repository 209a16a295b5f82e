/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: all files and settings that firstboot makes on a host, computed before
 * anything is changed. It depends only on the host, its role and its uplink's devices
 * (firstboot/uplink.h). firstboot/steps.c carries it out; `apply --dry-run` prints
 * plan_text(), which golden tests compare.
 */
#pragma once

#include "firstboot/model/host-template.h"

#define SECRETS_DIR "run/rackstrap/secrets" /* of the host's secrets */

enum plan_kind {
	PLAN_DIR,      /* make a directory with this mode */
	PLAN_FILE,     /* write these bytes with this mode */
	PLAN_FALLBACK, /* the same, unless a file without PLAN_MARK has this name */
	PLAN_REMOVE,   /* remove the file if it has PLAN_MARK */
};

struct plan_file {
	enum plan_kind kind;
	char *path; /* below the root, without a leading slash */
	mode_t mode;
	char *data;    /* NUL-terminated */
	bool rendered; /* from a template: it may have no PLAN_MARK, and is removed when
			* its bytes are those that a generation recorded */
	char **units;  /* restarted when it changes */
};

struct plan {
	struct plan_file *files; /* in the order they are written */
	size_t n_files;
	const struct host *host; /* NULL in rescue mode; it must live as long */
	uint32_t features;       /* the host's; 0 in rescue mode */
	char *uplink;            /* its devices */
	char *hostname;
	char **secrets; /* as in host.cfg (secret-entry.h); they are there already */
	char *target;   /* the unit to start */
	char **units;   /* the units of the target; not part of plan_text */
	char *config;   /* config_text() of the host, or NULL; not part of plan_text */
};

/* The first line of every file with comments that firstboot writes. */
#define PLAN_MARK                                                                        \
	"# Written by rackstrap firstboot at every boot: changes made here do not last."

/* Makes the plan of a host that has passed host_check, and whose templates were rendered.
 * `uplink`: its devices. The plan refers to the host. */
void plan_make(struct plan *ret, const struct host *h, const struct role *role,
	       const struct host_templates *templates, const char *uplink);

/*
 * Makes the plan for a host that may not be configured: only what an operator needs to
 * log in. The uplink is as configured when it was found (`uplink` is not NULL) and none
 * of the keys that it needs is in `bad`; else DHCP runs on every Ethernet link. ssh keys
 * are written unless they are in `bad`. No target, rules or bridge.
 */
void plan_make_rescue(struct plan *ret, const struct host *h,
		      const bool bad[HOST_KEY_COUNT], const char *uplink);

/* Adds a file, and frees `text` with the plan. NULL: the file is to be removed. */
void plan_add_file(struct plan *p, const char *path, mode_t mode, char *text);

char *plan_text(const struct plan *p); /* owned by the caller */
void plan_done(struct plan *p);
#define _cleanup_plan_ _cleanup_(plan_done)
