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
#include "firstboot/model/host-check-parts.h"
#include "firstboot/model/words.h"

#define NAMED_MAX     8   /* roles in a message */
#define NEAR_MAX      100 /* roles that a wrong one is compared with */
#define TOKEN_MAX     128
#define TOKEN_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"

/* Complains about a missing key, with the origin of the host's name, or of the first key
 * that is set. */
static void complain_missing(struct check *c, enum host_key_id id, const char *what)
{
	bool named = c->h->name && !c->h->bad[HOST_NAME];
	enum host_key_id at = HOST_NAME;
	_cleanup_buf_ struct buf b = {0};
	char where[512];

	for (size_t i = 0; i < HOST_KEY_COUNT && !c->h->set[at]; i++)
		if (c->h->set[i])
			at = host_keys[i].id;
	if (c->h->set[at])
		buf_printf(&b, "%s: ", host_where(c->h, at, where, sizeof(where)));
	if (named)
		buf_printf(&b, "host '%s'", c->h->name);
	else
		buf_puts(&b, "the host");
	diag_add(c->d, "%s has no %s: %s", b.p, host_keys[id].name, what);
	check_mark(c, id);
}

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

static void check_environment_once(struct check *c)
{
	char **v = c->h->environment;

	for (size_t i = 0; v && v[i]; i++)
		for (size_t k = 0; k < i; k++) {
			size_t len = strcspn(v[i], "=") + 1;

			if (strncmp(v[i], v[k], len) != 0)
				continue;
			check_complain(c, HOST_ENVIRONMENT, "%.*s is set twice",
				       (int)len - 1, v[i]);
			break;
		}
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
	check_words(c, HOST_DOCKER_OPTIONS, h->docker_options, 0,
		    word_docker_option_wrong);
	check_words(c, HOST_SSH_KEYS, h->ssh_keys, 0, word_ssh_key_wrong);
	check_words(c, HOST_ENVIRONMENT, h->environment, 0, word_environment_wrong);
	check_environment_once(c);
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
	hint = near                ? xasprintf(" (did you mean '%s'?)", near)
	       : c->roles->builtin ? xstrdup(" (an image can have others)")
				   : xstrdup("");
	check_show(c->h->role, shown);
	check_complain(c, HOST_ROLE,
		       c->roles->builtin ? "%s is none of the built-in roles %s%s%s"
					 : "the image has no role %s, it has: %s%s%s",
		       shown, all, conf_value_note(c->h->role), hint);
}

static void check_role(struct check *c)
{
	if (c->h->bad[HOST_ROLE])
		return;
	if (!c->h->role) {
		_cleanup_free_ char *all = role_names(c->roles);
		_cleanup_free_ char *what = xasprintf(
			"%s roles are %s",
			c->roles->builtin ? "the built-in" : "the image's", all);

		complain_missing(c, HOST_ROLE, what);
		return;
	}
	c->role = roles_find(c->roles, c->h->role);
	if (!c->role)
		complain_role(c);
}

/* --- networks --------------------------------------------------------------------- */

static const enum host_key_id networks[] = {HOST_POD_NETWORK, HOST_NODE_NETWORK,
					    HOST_SERVICE_NETWORK};

static struct cidr network(const struct check *c, enum host_key_id id)
{
	return id == HOST_POD_NETWORK    ? c->h->pod_network
	       : id == HOST_NODE_NETWORK ? c->h->node_network
					 : c->h->service_network;
}

static void check_networks(struct check *c)
{
	char a[NET_CIDR_LEN], b[NET_CIDR_LEN], where[512];

	for (size_t i = 0; i < ARRAY_SIZE(networks); i++) {
		if (!check_have(c, networks[i]))
			continue;
		check_network(c, networks[i], network(c, networks[i]));
		for (size_t k = 0; k < i; k++) {
			struct cidr one = network(c, networks[i]),
				    two = network(c, networks[k]);

			if (!check_have(c, networks[k]) || !net_overlap(one, two))
				continue;
			check_complain(
				c, networks[i], "%s overlaps %s %s (%s)",
				net_format_cidr(one, a), host_keys[networks[k]].name,
				net_format_cidr(two, b),
				host_where(c->h, networks[k], where, sizeof(where)));
		}
	}
	if (check_have(c, HOST_POD_NETWORK) && c->h->pod_network.prefix > 24)
		check_complain(c, HOST_POD_NETWORK, "%s has no room for a host's /24",
			       net_format_cidr(c->h->pod_network, a));
	for (size_t i = 0; check_have(c, HOST_NAT_EXEMPT) && i < c->h->nat_exempt.n; i++)
		check_network(c, HOST_NAT_EXEMPT, c->h->nat_exempt.v[i]);
}

/* Complains when no machine on the node network can have this address. */
static void check_host_address(struct check *c, enum host_key_id id, uint32_t addr)
{
	struct cidr nodes = c->h->node_network;
	char a[NET_ADDR_LEN], n[NET_CIDR_LEN], where[512];

	net_format_addr(addr, a);
	if (addr >> 24 == 127 || addr >> 28 >= 0xe || addr >> 24 == 0) {
		check_complain(c, id, "%s cannot be a machine's address", a);
		return;
	}
	if (check_have(c, HOST_NODE_NETWORK)) {
		net_format_cidr(nodes, n);
		if (!net_contains(nodes, addr))
			check_complain(c, id, "%s is outside node_network %s (%s)", a, n,
				       host_where(c->h, HOST_NODE_NETWORK, where,
						  sizeof(where)));
		else if (!net_is_host(
				 (struct cidr){.addr = addr, .prefix = nodes.prefix}))
			check_complain(c, id,
				       "%s is the network or broadcast address of %s", a,
				       n);
	}
}

static void check_address(struct check *c)
{
	const struct host *h = c->h;
	char a[NET_CIDR_LEN];

	if (h->bad[HOST_ADDRESS])
		return;
	if (h->dhcp) {
		if (c->role && role_is_of_cluster(c->role))
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
		complain_missing(c, HOST_ADDRESS,
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
 * the node network, which would reach the gateway. */
static void complain_unreachable(struct check *c, const char *gateway,
				 const char *address)
{
	const struct host *h = c->h;
	struct cidr nodes = h->node_network;
	char n[NET_CIDR_LEN], where[512], there[512];

	if (!check_have(c, HOST_NODE_NETWORK) || !net_contains(nodes, h->gateway)) {
		check_complain(c, HOST_GATEWAY, "%s cannot be reached from %s", gateway,
			       address);
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
}

static void check_gateway(struct check *c)
{
	const struct host *h = c->h;
	char a[NET_CIDR_LEN], g[NET_ADDR_LEN];
	struct cidr gw = {.addr = h->gateway, .prefix = h->address.prefix};

	if (h->bad[HOST_GATEWAY] || !check_have(c, HOST_ADDRESS))
		return;
	if (!h->gateway) {
		if (c->role && c->role->cbr0)
			complain_missing(
				c, HOST_GATEWAY,
				"kube-proxy and Calico's plugin do not start without a "
				"default route");
		return;
	}
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

static void check_master(struct check *c)
{
	const struct host *h = c->h;
	char m[NET_ADDR_LEN], a[NET_ADDR_LEN];

	if (h->bad[HOST_MASTER])
		return;
	if (!h->master) {
		if (c->role && role_is_of_cluster(c->role) && check_have(c, HOST_ADDRESS))
			complain_missing(
				c, HOST_MASTER,
				"give the master's address, like \"172.25.0.10\"");
		return;
	}
	net_format_addr(h->master, m);
	if (h->master >> 28 >= 0xe || h->master >> 24 == 127) {
		check_complain(c, HOST_MASTER, "%s cannot be a machine's address", m);
		return;
	}
	if (check_have(c, HOST_POD_NETWORK) && net_contains(h->pod_network, h->master))
		check_complain(c, HOST_MASTER, "%s is inside pod_network", m);
	if (check_have(c, HOST_SERVICE_NETWORK) &&
	    net_contains(h->service_network, h->master))
		check_complain(c, HOST_MASTER, "%s is inside service_network", m);
	if (!c->role || !check_have(c, HOST_ADDRESS))
		return;
	if (c->role->master && h->master != h->address.addr)
		check_complain(c, HOST_MASTER,
			       "%s is not this host's address %s, but its role is '%s'",
			       m, net_format_addr(h->address.addr, a), c->role->name);
	if (!c->role->master && h->master == h->address.addr)
		check_complain(c, HOST_MASTER,
			       "%s is this host's own address, but its role is '%s'", m,
			       c->role->name);
}

static bool has_etcd(const struct role *r)
{
	for (size_t i = 0; r->units && r->units[i]; i++)
		if (str_after(r->units[i], "etcd"))
			return true;
	return false;
}

static void check_etcd(struct check *c)
{
	const struct host *h = c->h;
	char a[NET_ADDR_LEN];

	if (!h->set[HOST_ETCD] || h->bad[HOST_ETCD])
		return;
	net_format_addr(h->etcd.addr, a);
	if (h->etcd.addr >> 28 >= 0xe || h->etcd.addr >> 24 == 0)
		check_complain(c, HOST_ETCD, "%s cannot be a machine's address", a);
	else if (h->etcd.addr >> 24 == 127 && c->role && !has_etcd(c->role))
		check_complain(c, HOST_ETCD,
			       "%s is this host itself, but its role '%s' runs no etcd",
			       a, c->role->name);
	else if (check_have(c, HOST_POD_NETWORK) &&
		 net_contains(h->pod_network, h->etcd.addr))
		check_complain(c, HOST_ETCD, "%s is inside pod_network", a);
	else if (check_have(c, HOST_SERVICE_NETWORK) &&
		 net_contains(h->service_network, h->etcd.addr))
		check_complain(c, HOST_ETCD, "%s is inside service_network", a);
}

/* Complains when cbr0 is outside the pod network or overlaps another network. */
static void check_cbr0_place(struct check *c)
{
	const struct host *h = c->h;
	char b[NET_CIDR_LEN], n[NET_CIDR_LEN], where[512];

	net_format_cidr(h->cbr0, b);
	if (check_have(c, HOST_POD_NETWORK) && !net_inside(h->cbr0, h->pod_network))
		check_complain(c, HOST_CBR0, "%s is not inside pod_network %s (%s)", b,
			       net_format_cidr(h->pod_network, n),
			       host_where(h, HOST_POD_NETWORK, where, sizeof(where)));
	if (check_have(c, HOST_NODE_NETWORK) && net_overlap(h->cbr0, h->node_network))
		check_complain(c, HOST_CBR0, "%s overlaps node_network %s (%s)", b,
			       net_format_cidr(h->node_network, n),
			       host_where(h, HOST_NODE_NETWORK, where, sizeof(where)));
	if (check_have(c, HOST_SERVICE_NETWORK) &&
	    net_overlap(h->cbr0, h->service_network))
		check_complain(c, HOST_CBR0, "%s overlaps service_network %s (%s)", b,
			       net_format_cidr(h->service_network, n),
			       host_where(h, HOST_SERVICE_NETWORK, where, sizeof(where)));
	if (check_have(c, HOST_ADDRESS) && net_overlap(h->cbr0, h->address))
		check_complain(c, HOST_CBR0, "%s overlaps the host's address %s", b,
			       net_format_cidr(h->address, n));
}

static void check_cbr0(struct check *c)
{
	const struct host *h = c->h;
	char b[NET_CIDR_LEN];

	if (h->bad[HOST_CBR0])
		return;
	if (!h->cbr0.prefix) {
		if (c->role && c->role->cbr0)
			complain_missing(c, HOST_CBR0,
					 "give the address of its pod bridge, like "
					 "\"192.168.1.1/24\"");
		return;
	}
	if (c->role && !c->role->cbr0) {
		check_complain(c, HOST_CBR0, "role '%s' has no pod bridge: leave it out",
			       c->role->name);
		return;
	}
	net_format_cidr(h->cbr0, b);
	if (h->cbr0.prefix != 24)
		check_complain(c, HOST_CBR0, "%s must have the prefix /24", b);
	else if (!net_is_host(h->cbr0))
		check_complain(c, HOST_CBR0, "%s is the network or broadcast address", b);
	check_cbr0_place(c);
}

static void check_mtu(struct check *c, enum host_key_id id, uint32_t mtu)
{
	if (!c->h->bad[id] && mtu && (mtu < 576 || mtu > 65535))
		check_complain(c, id,
			       "must be 576 to 65535, or 0 to leave it as it is, not %u",
			       mtu);
}

static void check_mtus(struct check *c)
{
	const struct host *h = c->h;

	check_mtu(c, HOST_MTU, h->mtu);
	check_mtu(c, HOST_CBR0_MTU, h->cbr0_mtu);
	if (check_have(c, HOST_MTU) && check_have(c, HOST_CBR0_MTU) && h->mtu &&
	    h->cbr0_mtu > h->mtu)
		check_complain(c, HOST_CBR0_MTU, "%u is more than the uplink's %u",
			       h->cbr0_mtu, h->mtu);
}

/* Complains about a file that has no key, if no other source has one. */
static bool check_empty(struct check *c)
{
	const char *file = c->h->origin[HOST_NAME].file;

	for (size_t i = 0; i < HOST_KEY_COUNT; i++)
		if (c->h->set[i] || c->h->bad[i])
			return false;
	if (!file)
		return false;
	diag_add(c->d, "%s: is empty: a host needs at least name, role and address",
		 file);
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
		complain_missing(&c, HOST_NAME, "give it one, like \"node-1\"");
	check_role(&c);
	check_all_words(&c);
	check_networks(&c);
	check_address(&c);
	check_gateway(&c);
	check_master(&c);
	check_etcd(&c);
	check_cbr0(&c);
	check_mtus(&c);
	check_bond(&c);
	check_bgp(&c);
	return c.r;
}

int host_check(const struct host *h, const struct roles *roles, struct diag *d)
{
	return host_check_keys(h, roles, d, NULL);
}
