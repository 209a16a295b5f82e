/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the loading of a rack. rack.c loads the groups, rack-keys.c and
 * rack-secrets.c those of their keys that host.cfg does not have, and rack-named.c the
 * addresses that may be names of hosts. */
#pragma once

#include "firstboot/model/conf.h"
#include "pxe/rack.h"

/* An address that the cluster group gives, as a host's name or in numbers. */
struct rack_named {
	const struct host_key *key;
	const char *text; /* as written */
	const char *file;
	unsigned line;
	bool outside; /* an address that no host of this rack has */
	size_t host;  /* index; NO_HOST: none of this rack */
	bool known;   /* the address is */
	uint32_t address;
};

struct loader {
	struct rack *rack;
	const struct roles *roles;
	uint32_t features; /* of the roles that the hosts have */
	struct diag *d;
	const struct conf_node *cluster;
	const struct conf_node *name;     /* cluster.name, or NULL */
	const struct conf_node *profiles; /* of the file, or NULL */
	bool incomplete; /* hosts are missing, which was complained about */
	/* The cluster group's values for keys that host.cfg does not have. */
	struct rack_host common;
	struct rack_named named[HOST_KEY_COUNT];
	size_t n_named;
	bool too_large; /* the cluster's settings, for so many hosts */
	int r;
};

/* Bytes of a host.cfg, without the report's URL and token. */
#define HOST_CFG_MAX (CONF_MAX - 512)

/* An index of a host that there is not. */
#define NO_HOST SIZE_MAX

static inline const struct host *rack_host_at(const struct rack *r, size_t i)
{
	return &r->hosts[i].host;
}

/* Return true when the host has a value that could be read. */
static inline bool host_has_name(const struct host *h)
{
	return h->name && !h->bad[HOST_NAME];
}

static inline bool host_has_mac(const struct host *h)
{
	return h->has_mac && !h->bad[HOST_MAC];
}

static inline bool host_has_fixed_address(const struct host *h)
{
	return h->address.prefix && !h->dhcp && !h->bad[HOST_ADDRESS];
}

/* Adds a complaint about a host, and its name: "AT: host 'node-7': ...", or "host '?'" if
 * it has none. Returns -1. */
int rack_complain_host(const struct host *h, const struct diag_place *at, struct diag *d,
		       const char *fmt, ...) _printf_(4, 5);

/* Writes the place of something to which a message about a place in the file `than`
 * refers: "line 22", or "FILE:22" if it is in another file or `than` is NULL. Returns
 * `out`. */
const char *other_place(const char *file, unsigned line, const char *than, char *out,
			size_t size);

/* Replaces *ret by a string member, unless `wrong` returns a fault of it. */
void rack_load_text(struct loader *l, const struct conf_node *group, const char *prefix,
		    const char *key, const char *(*wrong)(const char *s), char **ret);

/* Loads the pair of DHCP servers from the cluster group. */
void rack_load_dhcp_servers(struct loader *l);

/* Return what is wrong with a serial number or UUID, or NULL. */
const char *rack_serial_wrong(const char *s);
const char *rack_uuid_wrong(const char *s);
/* Loads a host's serial number and UUID. */
void rack_load_identity(struct loader *l, const struct conf_node *group,
			const char *prefix, struct rack_host *h);

/* Loads the keys that rack.cfg has in both groups and host.cfg does not have. */
void rack_load_keys(struct loader *l, const struct conf_node *group, const char *prefix,
		    struct rack_host *h);

/* Load the addresses that may be names of hosts from the cluster group, and find their
 * hosts when all hosts are loaded. */
void rack_named_load(struct loader *l);
void rack_named_find(struct loader *l);
/* Gives those that are known to host `i`, whose features are known. Complaints go to
 * `d`. */
void rack_named_give(struct loader *l, size_t i, struct diag *d);
/* Returns the address of that key; NULL when the cluster group has none. */
const struct rack_named *rack_named_get(const struct loader *l, enum host_key_id id);
