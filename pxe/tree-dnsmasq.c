/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renders the configuration of dnsmasq. The hosts are in a file of their own, which
 * dnsmasq reads again while it runs. Each different set of options is a tag, which its
 * hosts set, if there are several.
 */
#include "lib/intern.h"
#include "pxe/dhcp-server.h"
#include "pxe/embed.h"
#include "pxe/tree-strangers.h"
#include "pxe/variables.h"

#define LEASE "1h"

static char *listen_line(const struct tree_plan *p)
{
	char addr[NET_ADDR_LEN];

	if (p->o.interface)
		return xasprintf("interface=%s", p->o.interface);
	return xasprintf("listen-address=%s",
			 net_format_addr(p->rack->boot_server, addr));
}

/* Appends the lines for firmware that boots a program by HTTP. */
static void append_http(struct buf *b, const struct tree_plan *p,
			const struct pxe_loader *l, const struct pxe_program *f)
{
	if (!f->http_archs[0])
		return;
	for (size_t i = 0; f->http_archs[i]; i++)
		buf_printf(b, "dhcp-match=set:%s,option:client-arch,%s\n", f->http_tag,
			   f->http_archs[i]);
	buf_printf(b, "dhcp-option-force=tag:!%s,tag:%s,option:vendor-class,%s\n",
		   l->dhcp_tag, f->http_tag, PXE_HTTP_CLIENT);
	buf_printf(b, "dhcp-boot=tag:!%s,tag:%s,%s/%s\n", l->dhcp_tag, f->http_tag,
		   p->base, f->file);
}

/* Appends the lines that offer a loader's programs to firmware by our own DHCP. */
static void append_programs(struct buf *b, const struct tree_plan *p,
			    const struct pxe_loader *l)
{
	for (const struct pxe_program *f = l->programs; f->file; f++)
		for (size_t i = 0; f->archs[i]; i++)
			buf_printf(b, "dhcp-match=set:%s,option:client-arch,%s\n", f->tag,
				   f->archs[i]);
	for (const struct pxe_program *f = l->programs; f->file; f++)
		buf_printf(b, "dhcp-boot=tag:!%s,tag:%s,%s\n", l->dhcp_tag, f->tag,
			   f->file);
	for (const struct pxe_program *f = l->programs; f->file; f++)
		append_http(b, p, l, f);
}

/* Appends the lines that do the same while another server does DHCP. */
static void append_services(struct buf *b, const struct pxe_loader *l)
{
	for (const struct pxe_program *f = l->programs; f->file; f++)
		for (size_t i = 0; f->services[i]; i++)
			buf_printf(b, "pxe-service=tag:!%s,%s,\"rackstrap\",%s\n",
				   l->dhcp_tag, f->services[i], f->file);
}

/* Returns the lines that give firmware its loader and a running loader its entry. */
static char *boot_lines(const struct tree_plan *p)
{
	_cleanup_buf_ struct buf b = {0};

	for (const struct pxe_loader *l = pxe_loaders; l->name; l++) {
		if (!l->programs)
			continue;
		buf_printf(&b, "%sdhcp-match=set:%s,%s\n", b.len ? "\n" : "", l->dhcp_tag,
			   l->dhcp_option);
		if (p->o.proxy_dhcp)
			append_services(&b, l);
		else
			append_programs(&b, p, l);
		buf_printf(&b, "dhcp-boot=tag:%s,%s%s", l->dhcp_tag, p->base,
			   tree_url(l->entry_path));
		if (!p->o.proxy_dhcp && l->dhcp_lines)
			buf_printf(&b, "\n%s", l->dhcp_lines);
	}
	return buf_take(&b);
}

/* Returns true when machines that are no hosts get a boot loader and an address. */
static bool wants_strangers(const struct tree_plan *p)
{
	const struct rack_strangers *s = &p->rack->strangers;

	return p->o.proxy_dhcp ? s->is_set && s->policy != STRANGERS_NOTHING
			       : s->first != 0;
}

static char *range_lines(const struct tree_plan *p)
{
	_cleanup_intern_ struct intern nets = {0};
	_cleanup_buf_ struct buf b = {0};

	tree_add_networks(p, &nets, "", "");
	for (size_t i = 0; i < nets.n; i++) {
		char net[NET_ADDR_LEN], mask[NET_ADDR_LEN];
		struct cidr c;

		if (net_parse_cidr(nets.texts[i], &c) < 0)
			continue; /* cannot happen: tree_add_networks() formatted it */
		net_format_addr(net_network(c), net);
		net_format_addr(net_mask(c.prefix), mask);
		if (p->o.proxy_dhcp)
			buf_printf(&b, "%sdhcp-range=%s,proxy,%s", i ? "\n" : "", net,
				   mask);
		else
			buf_printf(&b, "%sdhcp-range=%s,static,%s,%s", i ? "\n" : "", net,
				   mask, LEASE);
	}
	if (p->o.proxy_dhcp && !wants_strangers(p))
		buf_puts(&b, "\ndhcp-ignore=tag:!known");
	strangers_append_range(p, &b);
	strangers_append_tags(p, &b);
	return buf_take(&b);
}

static char *router_advert_lines(const struct tree_plan *p)
{
	if (!p->o.router_advert)
		return xstrdup("");
	return xasprintf(
		"# iPXE asks for an IPv6 router and waits long if there is none. "
		"Lifetime 0: it is\n"
		"# answered, but this machine is nobody's way out.\n"
		"enable-ra\nra-param=%s,0,0\ndhcp-range=::,constructor:%s,ra-stateless\n",
		p->o.interface, p->o.interface);
}

/* Returns the lines for all sets. An option without a value keeps dnsmasq from sending
 * its own address as the gateway. */
static char *option_lines(const struct intern *sets)
{
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; i < sets->n; i++) {
		_cleanup_strv_ char **v = strv_split(sets->texts[i], "\n");

		for (size_t k = 0; v && v[k]; k++) {
			buf_puts(&b, b.len ? "\ndhcp-option=" : "dhcp-option=");
			if (sets->n > 1)
				buf_printf(&b, "tag:" TREE_DHCP_SET ",", i + 1);
			buf_printf(&b, "option:%s", v[k]);
		}
	}
	return buf_take(&b);
}

/* Checks if dnsmasq would read `name` as a host name: it reads some words as keywords,
 * and digits with a unit as a lease time. */
static bool can_be_dhcp_name(const char *name)
{
	return !streq(name, "ignore") && !streq(name, "infinite") &&
	       !(name[0] >= '0' && name[0] <= '9');
}

/* `tagged`: the host's options have a tag; `uuids`: a host of the rack has a UUID. */
static void host_line(const struct tree_plan *p, size_t i, size_t set, bool tagged,
		      bool uuids, struct buf *b)
{
	const struct host *h = &p->rack->hosts[i].host;
	char mac[NET_MAC_LEN], addr[NET_ADDR_LEN];

	buf_puts(b, net_format_mac(h->mac, ':', mac));
	if (p->o.proxy_dhcp) {
		buf_puts(b, "\n");
		return;
	}
	if (uuids)
		strangers_append_host(p, i, b);
	if (tagged)
		buf_printf(b, ",set:" TREE_DHCP_SET, set + 1);
	buf_printf(b, ",%s", net_format_addr(h->address.addr, addr));
	buf_printf(b, can_be_dhcp_name(h->name) ? ",%s\n" : "\n", h->name);
}

/* Returns how many leases dnsmasq may have, more than there are hosts and addresses for
 * strangers; its default is 1000. A rack that grows gets another number, and dnsmasq a
 * restart, seldom. */
static size_t max_leases(const struct rack *r)
{
	const struct rack_strangers *s = &r->strangers;
	const size_t pool = s->first ? (size_t)(s->last - s->first) + 1 : 0;
	size_t n = 1024;

	while (n < 2 * r->n_hosts + pool)
		n *= 2;
	return n;
}

char *tree_dnsmasq_hosts(const struct tree_plan *p)
{
	_cleanup_tree_dhcp_sets_ struct tree_dhcp_sets sets = {0};
	_cleanup_buf_ struct buf b = {0};
	const bool uuids = strangers_has_uuids(p);

	if (p->o.dhcp != dhcp_servers)
		return NULL;
	tree_dhcp_sets(p, &sets);
	for (size_t i = 0; i < p->rack->n_hosts; i++)
		host_line(p, i, sets.of_host[i], sets.texts.n > 1, uuids, &b);
	return buf_take(&b);
}

char *tree_dnsmasq_conf(const struct tree_plan *p)
{
	_cleanup_free_ char *listen = listen_line(p), *boot = boot_lines(p),
			    *ranges = range_lines(p), *ra = router_advert_lines(p),
			    *leases = xasprintf("%zu", max_leases(p->rack)),
			    *options = NULL;
	_cleanup_tree_dhcp_sets_ struct tree_dhcp_sets sets = {0};
	_cleanup_buf_ struct buf b = {0};

	tree_dhcp_sets(p, &sets);
	options = p->o.proxy_dhcp ? xstrdup("") : option_lines(&sets.texts);

	const char *others = wants_strangers(p)
				     ? "Others can become one: rack.cfg(5), strangers."
				     : "Nobody else is answered.";
	const struct variable vars[] = {
		{"rack", p->rack->name}, {"listen", listen},    {"boot", boot},
		{"ranges", ranges},      {"router_advert", ra}, {"options", options},
		{"leases", leases},      {"others", others},    {NULL, NULL},
	};
	variables_replace(&b,
			  p->o.dhcp == dhcp_servers ? embed_dnsmasq_conf
						    : embed_dnsmasq_tftp_conf,
			  vars);
	return buf_take(&b);
}
