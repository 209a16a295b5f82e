/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renders the configuration of Kea's DHCPv4 server (Kea Administrator Reference Manual
 * 2.2, chapters 8 and 16). Hosts have reservations; other machines get an address from
 * the pool for strangers, if there is one. All networks are one shared network, because
 * the interface may have several and a relay any of them.
 *
 * A machine is known by its MAC address alone: firmware, iPXE and the kernel send
 * different client identifiers. Leases are kept in memory, as dnsmasq's are; a new
 * configuration clears them, so that an address can go over to another machine.
 */
#include "lib/json.h"
#include "pxe/dhcp-server.h"
#include "pxe/tree-strangers.h"

#define LEASE_S 3600
/* An interface may have no link yet, and is tried again, as long as the server runs. */
#define RETRIES 2000000000
#define HOOKS   "/usr/lib/x86_64-linux-gnu/kea/hooks/" /* Debian's */

/* Appends a list of one string. */
static void append_list(struct json *j, const char *key, const char *value)
{
	json_open(j, key, '[');
	json_str(j, NULL, value);
	json_close(j, ']');
}

/* --- classes ---------------------------------------------------------------------- */

/* Opens a class of machines for which the expression is true; NULL: those that have it in
 * their reservation. */
static void open_class(struct json *j, const char *name, const char *test)
{
	json_open(j, NULL, '{');
	json_str(j, "name", name);
	if (test)
		json_str(j, "test", test);
}

static void option(struct json *j, const char *name, const char *data, bool forced)
{
	json_open(j, NULL, '{');
	json_str(j, "name", name);
	json_str(j, "data", data);
	if (forced)
		json_bool(j, "always-send", true);
	json_close(j, '}');
}

/* Returns the test for firmware that sends one of the architectures first. Owned. */
static char *arch_test(const struct pxe_loader *l, const char *const *archs)
{
	_cleanup_buf_ struct buf b = {0};

	buf_printf(&b, "not member('%s') and (", l->dhcp_tag);
	for (size_t i = 0; archs[i]; i++)
		buf_printf(&b, "%ssubstring(option[93].hex, 0, 2) == 0x%04x",
			   i ? " or " : "", (unsigned)atoi(archs[i]));
	buf_puts(&b, ")");
	return buf_take(&b);
}

/* Appends the class of machines that run the loader. */
static void append_loader(struct json *j, const struct tree_plan *p,
			  const struct pxe_loader *l)
{
	_cleanup_free_ char *test = xasprintf("option[%s].exists", l->dhcp_option);
	_cleanup_free_ char *url = xasprintf("%s%s", p->base, tree_url(l->entry_path));

	open_class(j, l->dhcp_tag, test);
	json_str(j, "boot-file-name", url);
	if (l->dhcp_reply) {
		json_open(j, "option-data", '[');
		json_open(j, NULL, '{');
		json_str(j, "name", l->dhcp_tag);
		json_bool(j, "csv-format", false);
		json_str(j, "data", l->dhcp_reply);
		json_bool(j, "always-send", true);
		json_close(j, '}');
		json_close(j, ']');
	}
	json_close(j, '}');
}

/* Appends the classes of firmware that loads a program of the loader. */
static void append_programs(struct json *j, const struct tree_plan *p,
			    const struct pxe_loader *l)
{
	for (const struct pxe_program *f = l->programs; f->file; f++) {
		_cleanup_free_ char *test = arch_test(l, f->archs);
		_cleanup_free_ char *http = arch_test(l, f->http_archs);
		_cleanup_free_ char *url = xasprintf("%s/%s", p->base, f->file);

		open_class(j, f->tag, test);
		json_str(j, "boot-file-name", f->file);
		json_close(j, '}');
		if (!f->http_archs[0])
			continue;
		open_class(j, f->http_tag, http);
		json_str(j, "boot-file-name", url);
		json_open(j, "option-data", '[');
		option(j, "vendor-class-identifier", PXE_HTTP_CLIENT, true);
		json_close(j, ']');
		json_close(j, '}');
	}
}

/* Appends a set of options; one without addresses is not sent. */
static void append_options(struct json *j, const char *text)
{
	static const struct {
		const char *ours, *keas;
	} names[] = {{TREE_DHCP_ROUTER ",", "routers"},
		     {TREE_DHCP_DNS ",", "domain-name-servers"},
		     {TREE_DHCP_NTP ",", "ntp-servers"}};
	_cleanup_strv_ char **lines = strv_split(text, "\n");

	json_open(j, "option-data", '[');
	for (size_t i = 0; lines && lines[i]; i++)
		for (size_t k = 0; k < ARRAY_SIZE(names); k++)
			if (str_after(lines[i], names[k].ours))
				option(j, names[k].keas,
				       str_after(lines[i], names[k].ours), false);
	json_close(j, ']');
}

static void append_classes(struct json *j, const struct tree_plan *p,
			   const struct tree_dhcp_sets *sets)
{
	json_open(j, "client-classes", '[');
	for (const struct pxe_loader *l = pxe_loaders; l->name; l++) {
		if (!l->programs)
			continue;
		append_loader(j, p, l);
		append_programs(j, p, l);
	}
	for (size_t i = 0; i < sets->texts.n; i++) {
		_cleanup_free_ char *name = xasprintf(TREE_DHCP_SET, i + 1);

		open_class(j, name, NULL);
		append_options(j, sets->texts.texts[i]);
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* --- hosts ------------------------------------------------------------------------ */

static void append_host(struct json *j, const struct host *h, size_t set)
{
	_cleanup_free_ char *class = xasprintf(TREE_DHCP_SET, set + 1);
	char mac[NET_MAC_LEN], addr[NET_ADDR_LEN];

	json_open(j, NULL, '{');
	json_str(j, "hw-address", net_format_mac(h->mac, ':', mac));
	json_str(j, "ip-address", net_format_addr(h->address.addr, addr));
	json_str(j, "hostname", h->name);
	append_list(j, "client-classes", class);
	json_close(j, '}');
}

/* The hosts of each network, as lists of indices that SIZE_MAX ends. */
struct members {
	size_t *first; /* of each network */
	size_t *next;  /* of each host */
};

static void members_done(struct members *m)
{
	free(m->first);
	free(m->next);
}
#define _cleanup_members_ _cleanup_(members_done)

static void find_members(const struct tree_plan *p, const struct intern *nets,
			 struct members *ret)
{
	*ret = (struct members){.first = xcalloc(nets->n + 1, sizeof(*ret->first)),
				.next = xcalloc(p->rack->n_hosts + 1, sizeof(size_t))};
	for (size_t k = 0; k < nets->n; k++)
		ret->first[k] = SIZE_MAX;
	for (size_t i = p->rack->n_hosts; i-- > 0;) {
		struct cidr net = tree_host_network(&p->rack->hosts[i].host);
		char text[NET_CIDR_LEN];
		size_t k;

		if (!net.prefix || !intern_find(nets, net_format_cidr(net, text), &k))
			continue;
		ret->next[i] = ret->first[k];
		ret->first[k] = i;
	}
}

/* Appends the pool for machines without a reservation to its network. */
static void append_pool(struct json *j, const struct tree_plan *p, const char *net)
{
	const struct rack_strangers *s = &p->rack->strangers;
	struct cidr in = strangers_network(p->rack);
	char first[NET_ADDR_LEN], last[NET_ADDR_LEN], text[NET_CIDR_LEN];
	_cleanup_free_ char *pool = NULL;

	in.addr = net_network(in);
	if (!s->first || !streq(net_format_cidr(in, text), net))
		return;
	pool = xasprintf("%s - %s", net_format_addr(s->first, first),
			 net_format_addr(s->last, last));
	json_open(j, "pools", '[');
	json_open(j, NULL, '{');
	json_str(j, "pool", pool);
	json_str(j, "client-class", "UNKNOWN");
	json_close(j, '}');
	json_close(j, ']');
}

static void append_networks(struct json *j, const struct tree_plan *p,
			    const struct tree_dhcp_sets *sets)
{
	_cleanup_intern_ struct intern nets = {0};
	_cleanup_members_ struct members m = {0};

	tree_add_networks(p, &nets, "", "");
	find_members(p, &nets, &m);
	json_open(j, "shared-networks", '[');
	json_open(j, NULL, '{');
	json_str(j, "name", p->rack->name);
	json_str(j, "interface", p->o.interface);
	json_open(j, "subnet4", '[');
	for (size_t k = 0; k < nets.n; k++) {
		json_open(j, NULL, '{');
		json_u64(j, "id", k + 1);
		json_str(j, "subnet", nets.texts[k]);
		append_pool(j, p, nets.texts[k]);
		json_open(j, "reservations", '[');
		for (size_t i = m.first[k]; i != SIZE_MAX; i = m.next[i])
			append_host(j, &p->rack->hosts[i].host, sets->of_host[i]);
		json_close(j, ']');
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
	json_close(j, ']');
}

/* --- a pair ----------------------------------------------------------------------- */

static void append_peer(struct json *j, const struct rack_dhcp_server *s, bool primary)
{
	char name[NET_ADDR_LEN];
	_cleanup_free_ char *url =
		xasprintf("http://%s:%u/", net_format_addr(s->address, name), s->port);

	json_open(j, NULL, '{');
	json_str(j, "name", name);
	json_str(j, "url", url);
	json_str(j, "role", primary ? "primary" : "standby");
	json_bool(j, "auto-failover", true);
	json_close(j, '}');
}

/* Appends the libraries with which two servers work as a pair. Both have the same
 * reservations: the standby may answer as soon as the primary does not, without waiting
 * for requests that remain unanswered. */
static void append_pair(struct json *j, const struct tree_plan *p)
{
	const struct rack *r = p->rack;
	char name[NET_ADDR_LEN];

	json_open(j, "hooks-libraries", '[');
	json_open(j, NULL, '{');
	json_str(j, "library", HOOKS "libdhcp_lease_cmds.so");
	json_close(j, '}');
	json_open(j, NULL, '{');
	json_str(j, "library", HOOKS "libdhcp_ha.so");
	json_open(j, "parameters", '{');
	json_open(j, "high-availability", '[');
	json_open(j, NULL, '{');
	json_str(j, "this-server-name", net_format_addr(r->boot_server, name));
	json_str(j, "mode", "hot-standby");
	json_u64(j, "heartbeat-delay", 2000);
	json_u64(j, "max-response-delay", 10000);
	json_u64(j, "max-unacked-clients", 0);
	json_open(j, "multi-threading", '{');
	json_bool(j, "enable-multi-threading", true);
	json_bool(j, "http-dedicated-listener", true);
	json_u64(j, "http-listener-threads", 2);
	json_u64(j, "http-client-threads", 2);
	json_close(j, '}');
	json_open(j, "peers", '[');
	for (size_t i = 0; i < r->n_dhcp_servers; i++)
		append_peer(j, &r->dhcp_servers[i], i == 0);
	json_close(j, ']');
	json_close(j, '}');
	json_close(j, ']');
	json_close(j, '}');
	json_close(j, '}');
	json_close(j, ']');
}

/* --- all -------------------------------------------------------------------------- */

static void append_group(struct json *j, const char *key, const char *name,
			 const char *value)
{
	json_open(j, key, '{');
	json_str(j, name, value);
}

/* Appends the interface, the place of the control socket, and what is not stored. */
static void append_server(struct json *j, const struct tree_plan *p)
{
	char addr[NET_ADDR_LEN];
	_cleanup_free_ char *at = xasprintf("%s/%s", p->o.interface,
					    net_format_addr(p->rack->boot_server, addr));

	json_open(j, "interfaces-config", '{');
	append_list(j, "interfaces", at);
	json_str(j, "dhcp-socket-type", "raw");
	json_u64(j, "service-sockets-max-retries", RETRIES);
	json_u64(j, "service-sockets-retry-wait-time", 1000);
	json_close(j, '}');
	append_group(j, "control-socket", "socket-type", "unix");
	json_str(j, "socket-name", TREE_KEA_SOCKET);
	json_close(j, '}');
	append_group(j, "lease-database", "type", "memfile");
	json_bool(j, "persist", false);
	json_close(j, '}');
	json_open(j, "multi-threading", '{');
	json_bool(j, "enable-multi-threading", p->rack->n_dhcp_servers > 0);
	json_close(j, '}');
	json_open(j, "dhcp-ddns", '{');
	json_bool(j, "enable-updates", false);
	json_close(j, '}');
}

/* Standard output is the log of `rackstrap serve`. Each evaluation of a class is a
 * message of kea-dhcp4.options. */
static void append_loggers(struct json *j)
{
	static const struct {
		const char *name, *severity;
	} loggers[] = {{"kea-dhcp4", "INFO"}, {"kea-dhcp4.options", "WARN"}};

	json_open(j, "loggers", '[');
	for (size_t i = 0; i < ARRAY_SIZE(loggers); i++) {
		append_group(j, NULL, "name", loggers[i].name);
		json_str(j, "severity", loggers[i].severity);
		json_open(j, "output_options", '[');
		append_group(j, NULL, "output", "stdout");
		json_close(j, '}');
		json_close(j, ']');
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* Appends the definitions of options that loaders are sent and Kea does not know. */
static void append_definitions(struct json *j)
{
	json_open(j, "option-def", '[');
	for (const struct pxe_loader *l = pxe_loaders; l->name; l++) {
		if (!l->programs || !l->dhcp_reply)
			continue;
		append_group(j, NULL, "name", l->dhcp_tag);
		json_u64(j, "code", (uint64_t)atoi(l->dhcp_option));
		json_str(j, "type", "binary");
		json_close(j, '}');
	}
	json_close(j, ']');
}

char *tree_kea_conf(const struct tree_plan *p)
{
	_cleanup_tree_dhcp_sets_ struct tree_dhcp_sets sets = {0};
	_cleanup_json_ struct json j = {0};
	char addr[NET_ADDR_LEN];
	_cleanup_free_ char *comment =
		xasprintf("DHCP server of rack '%s', rendered by `rackstrap pxe` and run "
			  "by `rackstrap serve`",
			  p->rack->name);

	if (!streq(p->o.dhcp->conf, TREE_KEA_CONF))
		return NULL;
	tree_dhcp_sets(p, &sets);
	json_open(&j, NULL, '{');
	append_group(&j, "Dhcp4", "comment", comment);
	append_server(&j, p);
	append_list(&j, "host-reservation-identifiers", "hw-address");
	json_bool(&j, "reservations-global", false);
	json_bool(&j, "reservations-in-subnet", true);
	json_bool(&j, "reservations-out-of-pool", true);
	json_bool(&j, "match-client-id", false);
	json_u64(&j, "valid-lifetime", LEASE_S);
	json_str(&j, "next-server", net_format_addr(p->rack->boot_server, addr));
	append_definitions(&j);
	append_classes(&j, p, &sets);
	append_networks(&j, p, &sets);
	if (p->rack->n_dhcp_servers > 0)
		append_pair(&j, p);
	append_loggers(&j);
	json_close(&j, '}');
	json_close(&j, '}');
	return json_take(&j);
}
