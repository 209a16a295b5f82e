/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host model: the keys of a host's configuration and the checks of their values.
 * `rackstrap check` and `rackstrap pxe` use it on the operator's machine and firstboot on
 * the node, so that firstboot cannot refuse a host that `rackstrap check` accepted.
 *
 * A host is described by a flat libconfig file, host.cfg(5), or by words on the kernel
 * command line (rackstrap.KEY=VALUE). The table host_keys describes every key: its type
 * and the field of struct host that holds its value.
 */
#pragma once

#include "firstboot/model/conf.h"
#include "lib/intern.h"
#include "lib/net.h"

/* A role of the image, from the recipe's `roles`. */
struct role {
	char *name;
	char **units; /* in starting order; firstboot waits for them and reports them */
	char **ready; /* URLs that answer 2xx when the role works, see READY_CONDITION */
	bool cbr0;    /* its Docker uses cbr0: the host must have the key `cbr0` */
	bool master;  /* it is the cluster's master: it runs etcd and adds the pools */
};

/*
 * An entry of `ready` is a URL, in which ${NAME} is replaced by the value in
 * /etc/network-environment. A condition may follow:
 * "http://.../api/v1/nodes/10.0.0.1 condition=Ready". Then the answer must be a
 * Kubernetes object with a condition of that type in status.conditions whose status is
 * "True".
 */
#define READY_CONDITION " condition="

struct roles {
	struct role *v;
	size_t n;
	bool builtin;        /* not an image's: for messages */
	struct intern names; /* for roles_find(): all names in the order of v, or it is
			      * not used */
};

/* The roles of the image, written by the builder: roles = ( { name = ...; units = [ ...
 * ]; ready = [ ... ]; cbr0 = true; master = false; }, ... ); */
#define ROLES_PATH "usr/lib/rackstrap/roles.cfg"

/* Reads such a file. Returns 0, or -1 with complaints; `d` may be NULL. */
int roles_read(struct roles *ret, const char *path, struct diag *d) _must_check_;
/* Reads ROLES_PATH below a root (lib/root.h). Returns 0, or -1 with complaints. */
int roles_read_root(struct roles *ret, int rootfd, struct diag *d) _must_check_;

/* Loads a list of roles, which has the same form in a recipe. *ret must be zeroed; the
 * caller empties it, also after a failure. Returns 0, or -1 with complaints. */
int roles_load(struct roles *ret, const struct conf_node *list,
	       struct diag *d) _must_check_;
/* Adds the names to the index, after which roles_find() takes the logarithm of n. No two
 * roles may have one name. */
void roles_index(struct roles *r);
/* Returns the role of this name, or NULL. */
const struct role *roles_find(const struct roles *r, const char *name);
/* Returns true for a role of a cluster: its hosts run Docker with cbr0, or the master. */
bool role_is_of_cluster(const struct role *r);
/* Returns true when one of the roles is. */
bool roles_have_cluster(const struct roles *r);
/* Sets the roles master and node as the recipes in images/ define them. */
void roles_builtin(struct roles *ret);
void roles_done(struct roles *r);
#define _cleanup_roles_ _cleanup_(roles_done)

/* The HTTP header that has the token of a report; nginx.conf has it in nginx's spelling,
 * $http_x_rackstrap_token. */
#define REPORT_TOKEN_HEADER "X-Rackstrap-Token"

/* The origin of a value, for `firstboot explain` and for complaints. */
struct origin {
	char *file;    /* "host.cfg", a path, "kernel command line", "default"; owned */
	unsigned line; /* 0: the file has none */
};

enum host_key_id {
	HOST_NAME,            /* "node-1": hostname, RFC 1123, at most 63 characters */
	HOST_ROLE,            /* "node": one of the image's roles */
	HOST_CLUSTER,         /* "demo": the cluster's name */
	HOST_MAC,             /* the uplink by MAC address */
	HOST_INTERFACE,       /* or by name; with neither, the only Ethernet link */
	HOST_ADDRESS,         /* "172.25.0.11/24" or "dhcp" */
	HOST_GATEWAY,         /* "172.25.0.1" */
	HOST_DNS,             /* [ "172.25.0.1" ] */
	HOST_SEARCH,          /* [ "rack.example" ] */
	HOST_NTP,             /* [ "172.25.0.1", "ntp.example" ] */
	HOST_MTU,             /* of the uplink; 0: the link's own */
	HOST_BOND,            /* [ "52:54:00:25:00:11", "eth1" ]: the uplink is a bond */
	HOST_BOND_MODE,       /* "active-backup", "802.3ad", ...: the kernel's names */
	HOST_BOND_MIIMON,     /* milliseconds between checks of the links; default 100 */
	HOST_BOND_HASH,       /* "layer3+4": how 802.3ad selects a link for a packet */
	HOST_BOND_LACP_RATE,  /* "slow", "fast" */
	HOST_VLAN,            /* 1 to 4094: the uplink is tagged; 0: it is not */
	HOST_MASTER,          /* "172.25.0.10": the master's address, an IPv4 literal */
	HOST_ETCD,            /* "172.25.0.10:4001": default the master's port 4001 */
	HOST_CBR0,            /* "192.168.1.1/24": address and prefix of cbr0 */
	HOST_CBR0_MTU,        /* 0: the kernel's own */
	HOST_POD_NETWORK,     /* "192.168.0.0/16" */
	HOST_NODE_NETWORK,    /* "172.25.0.0/24" */
	HOST_SERVICE_NETWORK, /* "10.100.0.0/16" */
	HOST_NAT,             /* true: the guide's KUBE-OUTBOUND-NAT chain */
	HOST_NAT_EXEMPT, /* [ "10.0.0.0/8" ]: more networks that are not masqueraded */
	HOST_POOLS,     /* [ "192.168.0.0/16 ipip" ]: Calico's, default the pod network */
	HOST_BGP_AS,    /* 64512: the hosts' AS number; 0: Calico's own, 64511 */
	HOST_BGP_MESH,  /* true: every host peers with every other */
	HOST_BGP_PEERS, /* [ "10.0.0.1 as 64512" ]: routers that every host peers with */
	HOST_BGP_NODE_PEERS, /* [ "10.0.0.2 as 64513" ]: routers of this host only */
	HOST_DOCKER_OPTIONS, /* [ "--insecure-registry=..." ]: added to Docker's own */
	HOST_SSH_KEYS,     /* [ "ssh-ed25519 AAAA... op@desk" ]: root's authorized keys */
	HOST_ENVIRONMENT,  /* [ "HTTP_PROXY=http://..." ]: added to network-environment */
	HOST_CONSOLE,      /* "ttyS0,115200": for the kernel and firstboot's lines */
	HOST_REPORT,       /* "http://172.25.0.1/report/node-1.json": URL for PUT */
	HOST_REPORT_TOKEN, /* a secret that is sent with the report */
	HOST_KEY_COUNT,
};

struct cidrv {
	struct cidr *v;
	size_t n;
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
	uint32_t master;      /* 0: not given */
	struct hostport etcd; /* addr 0: none */
	struct cidr cbr0;     /* prefix 0: none */
	uint32_t cbr0_mtu;
	struct cidr pod_network, node_network, service_network;
	bool nat;
	struct cidrv nat_exempt;
	char **pools; /* as in host.cfg; bgp.h parses them */
	uint32_t bgp_as;
	bool bgp_mesh;
	char **bgp_peers, **bgp_node_peers;
	char **docker_options, **ssh_keys, **environment;
	char *console;
	char *report, *report_token;

	struct origin origin[HOST_KEY_COUNT];
	bool set[HOST_KEY_COUNT]; /* given by a source, not by default */
	bool bad[HOST_KEY_COUNT]; /* given, but could not be read; the loader has
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

struct host_key {
	enum host_key_id id;
	const char *name; /* in host.cfg */
	enum host_type type;
	size_t offset;       /* of the value in struct host */
	const char *summary; /* one line */
};

extern const struct host_key host_keys[HOST_KEY_COUNT];

/* Returns true for a key whose value is not shown, nor stored with those of others. */
static inline bool host_key_is_secret(enum host_key_id id)
{
	return id == HOST_REPORT_TOKEN;
}

/* Sets the built-in defaults: the guide's pod, node and service networks, nat and BGP's
 * node mesh on. All other keys are not given. */
void host_init(struct host *h);
void host_done(struct host *h);
#define _cleanup_host_ _cleanup_(host_done)

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

/* Does what host_load_conf does, for a group of rack.cfg: refuses or ignores the keys in
 * `others`, which ends with a row without a name. A refused key that host.cfg has counts
 * as a bad value. */
int host_load_conf_except(struct host *h, const struct conf_node *group,
			  const char *prefix, const struct other_key *others,
			  struct diag *d) _must_check_;

/* Sets one key from text as on the command line, `name` without "rackstrap.". A boolean
 * key without a value (NULL) means true, as for the kernel's parameters. `file` and
 * `line` are its origin; line 0 means the command line. Returns 0, or -1 with a
 * complaint. */
int host_set(struct host *h, const char *name, const char *value, const char *file,
	     unsigned line, struct diag *d) _must_check_;

/*
 * Sets the values that follow from others, unless a source gave them: the pools from the
 * pod network, a bond's mode and interval, `master` from the host's own address when
 * its role in `roles` is a master's, and etcd from `master`.
 */
void host_derive(struct host *h, const struct roles *roles);

/*
 * Checks a derived host. Adds every complaint, each with the origin of its value. Returns
 * 0 or -1.
 */
int host_check(const struct host *h, const struct roles *roles,
	       struct diag *d) _must_check_;

/* Writes the origin of a key's value to `out`: "FILE:LINE", "FILE" or "not given".
 * Returns `out`. */
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
