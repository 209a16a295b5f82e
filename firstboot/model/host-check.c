/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks the values of a host for correctness and against each other. Every complaint
 * names the value and its origin; all checks are made, whatever they find. A value that
 * could not be read was reported when it was loaded, and is not checked here.
 *
 * Limits: one host is checked at a time; pxe/rack.c compares hosts. Only the
 * configuration is checked: whether a link with the MAC address exists is found out at
 * boot.
 */
#include "firstboot/model/host-check.h"
#include "firstboot/model/conf-note.h"
#include "firstboot/model/feature.h"
#include "firstboot/model/host-check-parts.h"
#include "firstboot/model/words.h"

#define NAMED_MAX     8   /* roles in a message */
#define NEAR_MAX      100 /* roles that a wrong one is compared with */
#define TOKEN_MAX     128
#define TOKEN_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

/* --- words ------------------------------------------------------------------------ */

static const char *addr_wrong(const char *s)
{
	uint32_t addr;

	if (net_parse_addr(s, &addr) < 0 || addr == 0)
		return "is not an IPv4 address like \"172.25.0.1\"";
	return NULL;
}

static const char *addr_or_domain_wrong(const char *s)
{
	/* A word of digits and dots is meant as an address. */
	if (s[strspn(s, "0123456789.")] == '\0')
		return addr_wrong(s);
	return word_domain_wrong(s);
}

/* The token is a secret: a complaint does not have its text. */
static void check_token(struct check *c)
{
	const char *s = c->h->report_token;

	if (!s || c->h->bad[HOST_REPORT_TOKEN])
		return;
	if (strlen(s) > TOKEN_MAX || s[strspn(s, TOKEN_LETTERS)])
		check_complain(c, HOST_REPORT_TOKEN,
			       "must be at most %d letters, digits, '-' and '_'",
			       TOKEN_MAX);
}

static void check_all_words(struct check *c)
{
	const struct host *h = c->h;

	check_word(c, HOST_NAME, h->name, word_label_wrong);
	check_word(c, HOST_CLUSTER, h->cluster, word_label_wrong);
	check_word(c, HOST_INTERFACE, h->interface, word_interface_wrong);
	check_words(c, HOST_DNS, h->dns, 3, addr_wrong);
	check_words(c, HOST_SEARCH, h->search, 6, word_domain_wrong);
	check_words(c, HOST_NTP, h->ntp, 0, addr_or_domain_wrong);
	check_words(c, HOST_SSH_KEYS, h->ssh_keys, 0, word_ssh_key_wrong);
	check_word(c, HOST_CONSOLE, h->console, word_console_wrong);
	check_word(c, HOST_REPORT, h->report, word_url_wrong);
	check_token(c);
	if (h->has_mac && !h->bad[HOST_MAC] && !mac_is_unicast(h->mac))
		check_complain(c, HOST_MAC,
			       "is a multicast or empty address, no interface has it");
}

/* --- the role --------------------------------------------------------------------- */

/* Returns the names of the first roles, and how many others there are. Owned by the
 * caller. */
static char *role_names(const struct roles *roles)
{
	_cleanup_buf_ struct buf b = {0};

	if (roles->n == 0)
		return xstrdup("none");
	for (size_t i = 0; i < roles->n && i < NAMED_MAX; i++)
		buf_printf(&b, "%s%s", i ? ", " : "", roles->v[i].name);
	if (roles->n > NAMED_MAX)
		buf_printf(&b, " and %zu other%s", roles->n - NAMED_MAX,
			   roles->n - NAMED_MAX == 1 ? "" : "s");
	return buf_take(&b);
}

static void complain_role(struct check *c)
{
	size_t n = c->roles->n < NEAR_MAX ? c->roles->n : NEAR_MAX;
	_cleanup_free_ const char **names = xcalloc(n + 1, sizeof(*names));
	_cleanup_free_ char *all = role_names(c->roles), *hint = NULL;
	char shown[CHECK_SHOWN];
	const char *near;

	for (size_t i = 0; i < n; i++)
		names[i] = c->roles->v[i].name;
	near = str_nearest_name(c->h->role, names);
	hint = near ? xasprintf(" (did you mean '%s'?)", near) : xstrdup("");
	check_show(c->h->role, shown);
	check_complain(c, HOST_ROLE, "the image has no role %s, it has: %s%s%s", shown,
		       all, conf_value_note(c->h->role), hint);
}

static void check_role(struct check *c)
{
	if (c->h->bad[HOST_ROLE])
		return;
	if (!c->h->role) {
		_cleanup_free_ char *all = role_names(c->roles);
		_cleanup_free_ char *what =
			c->roles->any ? xstrdup("give it one of the image's roles")
				      : xasprintf("the image's roles are %s", all);

		check_missing(c, HOST_ROLE, what);
		return;
	}
	if (c->roles->any)
		return;
	c->role = roles_find(c->roles, c->h->role);
	if (!c->role)
		complain_role(c);
}

/* --- features --------------------------------------------------------------------- */

/* Complains about a key that only hosts with another feature have. */
static void complain_feature(struct check *c, const struct host_key *k,
			     const struct feature *f)
{
	const struct diag_place at = host_place(c->h, k->id);

	if (roles_features(c->roles) & FEATURE_BIT(f->id)) {
		check_complain(c, k->id, "role '%s' has no feature '%s': leave it out",
			       c->role->name, f->name);
		return;
	}
	diag_add_at(c->d, &at, "unknown key '%s' for %s%s%s (feature '%s' has it)",
		    k->name, c->roles->image ? "image '" : "this image",
		    c->roles->image ? c->roles->image : "", c->roles->image ? "'" : "",
		    f->name);
	check_mark(c, k->id);
}

static void check_features(struct check *c)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		const struct feature *f = features[i];

		if (c->h->features & FEATURE_BIT(i)) {
			if (f->check)
				f->check(c);
			continue;
		}
		for (size_t k = 0; k < f->n_keys; k++)
			if (c->h->set[f->keys[k].id])
				complain_feature(c, &f->keys[k], f);
	}
}

/* --- networks --------------------------------------------------------------------- */

/* Complains when no machine on the node network can have this address. */
static void check_host_address(struct check *c, enum host_key_id id, uint32_t addr)
{
	struct cidr nodes = c->h->node_network;
	char a[NET_ADDR_LEN], n[NET_CIDR_LEN], where[512];

	net_format_addr(addr, a);
	if (!net_is_machine(addr)) {
		check_complain(c, id, "%s cannot be a machine's address", a);
		return;
	}
	if (check_have(c, HOST_NODE_NETWORK)) {
		net_format_cidr(nodes, n);
		if (!net_contains(nodes, addr)) {
			check_complain(c, id, "%s is outside node_network %s (%s)", a, n,
				       host_where(c->h, HOST_NODE_NETWORK, where,
						  sizeof(where)));
			check_other(c, HOST_NODE_NETWORK);
		} else if (!net_is_host(
				   (struct cidr){.addr = addr, .prefix = nodes.prefix})) {
			check_complain(c, id,
				       "%s is the network or broadcast address of %s", a,
				       n);
		}
	}
}

static void check_address(struct check *c)
{
	const struct host *h = c->h;
	char a[NET_CIDR_LEN];

	if (h->bad[HOST_ADDRESS])
		return;
	if (h->dhcp) {
		if (c->role && features_need_address(c->role->features))
			check_complain(c, HOST_ADDRESS,
				       "role '%s' needs a fixed address, like "
				       "\"172.25.0.11/24\": "
				       "its services need it before the network is up",
				       c->role->name);
		if (h->gateway && !h->bad[HOST_GATEWAY])
			check_complain(c, HOST_GATEWAY, "comes from DHCP: leave it out");
		return;
	}
	if (!h->address.prefix) {
		check_missing(c, HOST_ADDRESS,
			      "give one like \"172.25.0.11/24\", or \"dhcp\"");
		return;
	}
	if (!net_is_host(h->address)) {
		check_complain(c, HOST_ADDRESS, "%s is the network or broadcast address",
			       net_format_cidr(h->address, a));
		return;
	}
	check_host_address(c, HOST_ADDRESS, h->address.addr);
}

/* Complains about a gateway outside the network of the host's address. The address is at
 * fault if it is outside the node network, which was reported, or has another prefix than
 * the node network, which would reach the gateway. The message about a gateway outside
 * the node network is the same for all hosts of a rack. */
static void complain_unreachable(struct check *c, const char *gateway,
				 const char *address)
{
	const struct host *h = c->h;
	struct cidr nodes = h->node_network;
	char n[NET_CIDR_LEN], where[512], there[512];

	if (!check_have(c, HOST_NODE_NETWORK) ||
	    (!net_contains(nodes, h->gateway) && !net_contains(nodes, h->address.addr))) {
		check_complain(c, HOST_GATEWAY, "%s cannot be reached from %s", gateway,
			       address);
		return;
	}
	if (!net_contains(nodes, h->gateway)) {
		check_complain(c, HOST_GATEWAY, "%s is outside node_network %s (%s)",
			       gateway, net_format_cidr(nodes, n),
			       host_where(h, HOST_NODE_NETWORK, where, sizeof(where)));
		check_other(c, HOST_NODE_NETWORK);
		return;
	}
	if (!net_contains(nodes, h->address.addr))
		return;
	check_complain(
		c, HOST_ADDRESS,
		"%s does not reach the gateway %s (%s): node_network %s (%s) has "
		"the prefix /%u",
		address, gateway, host_where(h, HOST_GATEWAY, where, sizeof(where)),
		net_format_cidr(nodes, n),
		host_where(h, HOST_NODE_NETWORK, there, sizeof(there)), nodes.prefix);
	check_other(c, HOST_GATEWAY);
}

static void check_gateway(struct check *c)
{
	const struct host *h = c->h;
	char a[NET_CIDR_LEN], g[NET_ADDR_LEN];
	struct cidr gw = {.addr = h->gateway, .prefix = h->address.prefix};

	if (h->bad[HOST_GATEWAY] || !check_have(c, HOST_ADDRESS))
		return;
	if (!h->gateway)
		return;
	net_format_addr(h->gateway, g);
	net_format_cidr(h->address, a);
	if (h->gateway == h->address.addr)
		check_complain(c, HOST_GATEWAY, "%s is the host's own address", g);
	else if (!net_contains(h->address, h->gateway))
		complain_unreachable(c, g, a);
	else if (!net_is_host(gw))
		check_complain(c, HOST_GATEWAY, "%s is the network or broadcast address",
			       g);
}

/* Complains about a file that has no key, if no other source has one. Returns true when
 * it did. */
static bool check_empty(struct check *c)
{
	const char *file = c->h->origin[HOST_NAME].file;

	for (size_t i = 0; i < HOST_KEY_COUNT; i++)
		if (c->h->set[i] || c->h->bad[i])
			return false;
	if (!file)
		return false;
	diag_add_at(c->d, &(struct diag_place){.file = file},
		    "is empty: a host needs at least name, role and address");
	check_mark(c, HOST_NAME);
	return true;
}

int host_check_keys(const struct host *h, const struct roles *roles, struct diag *d,
		    bool bad[HOST_KEY_COUNT])
{
	struct check c = {.h = h, .roles = roles, .d = d, .bad = bad};

	if (check_empty(&c))
		return -1;
	if (!h->name && !h->bad[HOST_NAME])
		check_missing(&c, HOST_NAME, "give it one, like \"node-1\"");
	check_role(&c);
	check_all_words(&c);
	if (check_have(&c, HOST_NODE_NETWORK))
		check_network(&c, HOST_NODE_NETWORK, h->node_network);
	check_address(&c);
	check_gateway(&c);
	check_mtu(&c, HOST_MTU, h->mtu);
	check_bond(&c);
	check_secrets(&c);
	check_features(&c);
	return c.r;
}

int host_check(const struct host *h, const struct roles *roles, struct diag *d)
{
	return host_check_keys(h, roles, d, NULL);
}
