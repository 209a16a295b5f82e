/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything firstboot will make of a host, worked out before anything is touched: a pure
 * function of the host, its role and its uplink's devices (uplink.h). steps.c carries it
 * out, plan_text() is what `apply --dry-run` prints and golden tests compare.
 */
#pragma once

#include "firstboot/model/host.h"

enum plan_kind {
	PLAN_DIR,      /* exists with this mode */
	PLAN_FILE,     /* has these bytes and this mode */
	PLAN_FALLBACK, /* the same, unless somebody else's file has this name */
	PLAN_REMOVE,   /* is not there, if an earlier configuration of ours wrote it */
};

struct plan_file {
	enum plan_kind kind;
	char *path; /* below the root, without a leading slash */
	mode_t mode;
	char *data; /* NUL-terminated */
};

struct plan {
	struct plan_file *files; /* in the order they are written */
	size_t n_files;
	char *hostname;
	struct cidr cbr0; /* prefix 0: none */
	uint32_t cbr0_mtu;
	bool forward; /* IPv4 forwarding on */
	bool rules;   /* the NAT chain is ours to keep */
	char **nat;   /* its rules in iptables-save's spelling; NULL: no chain */
	char *target; /* unit to start */
	char **units; /* those it starts. Not part of plan_text */
	char *config; /* what it was made of, config_text's; NULL: it does not say. Not
		       * part of plan_text */
};

/* First line of every file we write that can hold a comment. */
#define PLAN_MARK                                                                        \
	"# Written by rackstrap firstboot at every boot: changes made here do not last."

#define NAT_CHAIN "KUBE-OUTBOUND-NAT"

/* The host must have passed host_check. */
void plan_make(struct plan *ret, const struct host *h, const struct role *role,
	       const char *uplink);

/*
 * For a host that may not be configured: only what lets an operator in. The uplink as
 * configured when it is known (NULL: it is not) and the keys it needs are good (`bad` by
 * key), else DHCP on every Ethernet link; ssh keys when they are good. No target, no
 * rules, no bridge.
 */
void plan_make_rescue(struct plan *ret, const struct host *h,
		      const bool bad[HOST_KEY_COUNT], const char *uplink);

char *plan_text(const struct plan *p); /* owned by the caller */
void plan_done(struct plan *p);
#define _cleanup_plan_ _cleanup_(plan_done)
