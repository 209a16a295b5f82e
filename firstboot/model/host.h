/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host model: the keys of a host's configuration and the checks of their values.
 * `rackstrap check` and `rackstrap pxe` use it on the operator's machine and firstboot on
 * the node, so that firstboot cannot refuse a host that `rackstrap check` accepted.
 *
 * A host is described by a flat libconfig file, host.cfg(5), or by words on the kernel
 * command line (rackstrap.KEY=VALUE). host_key() describes every key: its type and
 * the field of struct host that holds its value. Keys that belong to a feature are only
 * of hosts whose role has it (features.h).
 */
#pragma once

#include "firstboot/model/cidrv.h"
#include "firstboot/model/roles.h"

/* The HTTP header that has the token of a report; nginx.conf has it in nginx's spelling,
 * $http_x_rackstrap_token. */
#define REPORT_TOKEN_HEADER "X-Rackstrap-Token"

/* The origin of a value, for `firstboot explain` and for complaints. */
struct origin {
	char *file;    /* "host.cfg", a path, "kernel command line", "default"; owned */
	unsigned line; /* 0: the file has none */
};

enum host_key_id {
	HOST_NAME,           /* "node-1": hostname, RFC 1123, at most 63 characters */
	HOST_ROLE,           /* "node": one of the image's roles */
	HOST_CLUSTER,        /* "demo": the cluster's name */
	HOST_MAC,            /* the uplink by MAC address */
	HOST_INTERFACE,      /* or by name; with neither, the only Ethernet link */
	HOST_ADDRESS,        /* "172.25.0.11/24" or "dhcp" */
	HOST_GATEWAY,        /* "172.25.0.1" */
	HOST_DNS,            /* [ "172.25.0.1" ] */
	HOST_SEARCH,         /* [ "rack.example" ] */
	HOST_NTP,            /* [ "172.25.0.1", "ntp.example" ] */
	HOST_MTU,            /* of the uplink; 0: the link's own */
	HOST_BOND,           /* [ "52:54:00:25:00:11", "eth1" ]: the uplink is a bond */
	HOST_BOND_MODE,      /* "active-backup", "802.3ad", ...: the kernel's names */
	HOST_BOND_MIIMON,    /* milliseconds between checks of the links; default 100 */
	HOST_BOND_HASH,      /* "layer3+4": how 802.3ad selects a link for a packet */
	HOST_BOND_LACP_RATE, /* "slow", "fast" */
	HOST_VLAN,           /* 1 to 4094: the uplink is tagged; 0: it is not */
	HOST_NODE_NETWORK,   /* "172.25.0.0/24": the network of all hosts */
	HOST_SSH_KEYS,     /* [ "ssh-ed25519 AAAA... op@desk" ]: root's authorized keys */
	HOST_SECRETS,      /* [ "munge.key munge 0400" ]: secret-entry.h */
	HOST_CONSOLE,      /* "ttyS0,115200": for the kernel and firstboot's lines */
	HOST_REPORT,       /* "http://172.25.0.1/report/node-1.json": URL for PUT */
	HOST_REPORT_TOKEN, /* a secret that is sent with the report */
	FEATURE_KEY_IDS,   /* of hosts with a feature: firstboot/model/feature/ */
	HOST_KEY_COUNT,
};

struct host {
	char *name, *role, *cluster;
	struct mac mac;
	bool has_mac;
	char *interface;
	bool dhcp;
	struct cidr address;
	uint32_t gateway; /* 0: none */
	char **dns, **search, **ntp;
	uint32_t mtu;
	char **bond; /* MAC addresses and names; NULL: no bond */
	char *bond_mode;
	uint32_t bond_miimon;
	char *bond_hash, *bond_lacp_rate;
	uint32_t vlan;
	struct cidr node_network; /* prefix 0: none */
	char **ssh_keys;
	char **secrets; /* as in host.cfg; secret-entry.h parses them */
	char *console;
	char *report, *report_token;

	struct host_features f;
	uint32_t features; /* those of its role; all when the role is not known, and those
			    * whose keys it has when no image is given */

	struct origin origin[HOST_KEY_COUNT];
	bool set[HOST_KEY_COUNT];    /* given by a source, not by default */
	bool shared[HOST_KEY_COUNT]; /* given for all hosts of a rack: it has no effect
				      * on hosts whose role does not have its feature */
	bool bad[HOST_KEY_COUNT];    /* given, but could not be read; the loader has
				   * complained and host_check ignores the value */
};

/* The types of values in host.cfg and on the command line (lists: separated by
 * commas). */
enum host_type {
	HOST_T_STR,
	HOST_T_BOOL,
	HOST_T_U32,
	HOST_T_AS, /* a number; a string from 2147483648, which libconfig cannot read */
	HOST_T_ADDR,
	HOST_T_CIDR,
	HOST_T_NETWORK,
	HOST_T_CIDR_OR_DHCP,
	HOST_T_MAC,
	HOST_T_HOSTPORT,
	HOST_T_STRV,
	HOST_T_CIDRV,
};

/* The groups of rack.cfg(5) that may have a key. */
enum host_level {
	HOST_LEVEL_BOTH,
	HOST_LEVEL_HOST,    /* only a host's entry */
	HOST_LEVEL_CLUSTER, /* only the cluster group */
};

struct host_key {
	enum host_key_id id;
	const char *name; /* in host.cfg */
	enum host_type type;
	size_t offset; /* of the value in struct host */
	enum host_level level;
	bool names_host;    /* an address that the cluster group of a rack may give as the
			  * name of a host */
	bool always;        /* a host with the key's feature always has a value */
	bool pairs;         /* a list of NAME=VALUE */
	const char *sample; /* a typical value for templates, or NULL */
	const char *summary; /* one line */
};

/* Returns the row of the key: of every host's keys, or of a feature's. */
const struct host_key *host_key(enum host_key_id id);
/* Returns the key of that name, or NULL. */
const struct host_key *host_key_find(const char *name);

/* Returns true for a key whose value is not shown, nor stored with those of others. */
static inline bool host_key_is_secret(enum host_key_id id)
{
	return id == HOST_REPORT_TOKEN;
}

/* Sets the built-in defaults of all features. All other keys are not given. */
void host_init(struct host *h);
void host_done(struct host *h);
#define _cleanup_host_ _cleanup_(host_done)

/* Removes the value of a key. */
void host_clear(struct host *h, enum host_key_id id);
/* Sets the origin of a value; line 0: it has none. */
void host_set_origin(struct host *h, enum host_key_id id, const char *file,
		     unsigned line);
/* Sets the host's features, and removes the defaults and shared values of others. */
void host_limit(struct host *h, uint32_t features);
/* Returns the features of which a source has given a key: those of a host whose image is
 * not known. */
uint32_t host_used(const struct host *h);

/*
 * Loads one source: the value of every key in the group replaces that of the host.
 * Unknown keys, wrong types and malformed values are complaints; the group is read to its
 * end. `prefix` precedes each key's name in complaints ("host 'node-7': "); it may be "".
 * Returns 0 or -1.
 */
int host_load_conf(struct host *h, const struct conf_node *group, const char *prefix,
		   struct diag *d) _must_check_;

/* A key of a group in rack.cfg(5) that is not loaded as a key of host.cfg(5). */
struct other_key {
	const char *name;
	const char *refused; /* the complaint after the key's name; NULL: it is ignored */
};

/* A group of rack.cfg(5) as a source of keys. */
struct host_group {
	const struct other_key *others; /* ends with a row without a name */
	enum host_level refused;        /* keys of this level are refused, unless the
					 * host cannot have their feature, ... */
	const char *refusal;            /* ... with this complaint after the name */
	bool shared;                    /* it is of all hosts: `shared` is set, and keys
					 * with `names_host` are ignored */
};

/* Does what host_load_conf does, for a group of rack.cfg. A refused key that host.cfg has
 * counts as a bad value. */
int host_load_group(struct host *h, const struct conf_node *group, const char *prefix,
		    const struct host_group *how, struct diag *d) _must_check_;

/* Sets one key from text as on the command line, `name` without "rackstrap.". A boolean
 * key without a value (NULL) means true, as for the kernel's parameters. `file` and
 * `line` are its origin; line 0 means the command line. Returns 0, or -1 with a
 * complaint. */
int host_set(struct host *h, const char *name, const char *value, const char *file,
	     unsigned line, struct diag *d) _must_check_;

/*
 * Limits the host to the features of its role in `roles`, or to host_used() when no image
 * is given, and sets the values that follow from others, unless a source gave them.
 */
void host_derive(struct host *h, const struct roles *roles);

/*
 * Checks a derived host. Adds every complaint, each with the origin of its value. Returns
 * 0 or -1.
 */
int host_check(const struct host *h, const struct roles *roles,
	       struct diag *d) _must_check_;

/* Returns the origin of a key's value; its file is the host's, or "not given". */
struct diag_place host_place(const struct host *h, enum host_key_id id);
/* Writes it to `out`: "FILE:LINE", "FILE" or "not given". Returns `out`. */
const char *host_where(const struct host *h, enum host_key_id id, char *out, size_t size);

/* Returns the value as host.cfg writes it ("\"192.168.1.1/24\"", "true", "[ \"a\", \"b\"
 * ]"), or "" when there is none. Owned by the caller. */
char *host_format(const struct host *h, enum host_key_id id);

/* Returns the same for people and logs: "\"(secret)\"" for a secret, and URLs without
 * user name and password, that of the report also without a query. Owned by the caller.
 */
char *host_format_public(const struct host *h, enum host_key_id id);

/*
 * Returns the value for a table or a status, "" when there is none: a string without
 * quotes and a list as "a, b", with secrets hidden as in host_format_public(). A string
 * that would look like something else (empty, or with a comma, a quote, a backslash, a
 * blank at an end or a parenthesis at its beginning) is quoted as in host.cfg. Not
 * cleaned (lib/text.h). Owned by the caller.
 */
char *host_show(const struct host *h, enum host_key_id id);

/* Adds the value to `j` under the key's name, in its type: a string, number, boolean or
 * array of strings; null when there is none. Secrets are hidden as above. */
struct json;
void host_json(const struct host *h, enum host_key_id id, struct json *j);

/* Returns a whole host.cfg with every key that is set, in the order of the table;
 * host_load_conf reads it back. Owned by the caller. */
char *host_render(const struct host *h);
