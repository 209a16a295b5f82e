/* SPDX-License-Identifier: Apache-2.0 */
/* Renders the configuration of nginx. */
#include "lib/intern.h"
#include "pxe/embed.h"
#include "pxe/tree-strangers.h"
#include "pxe/variables.h"

static char *join_texts(const struct intern *in, const char *between)
{
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; i < in->n; i++)
		buf_printf(&b, "%s%s", i ? between : "", in->texts[i]);
	return buf_take(&b);
}

/* Returns a power of two that leaves nginx enough room for a perfect hash of `n`
 * names. */
static size_t map_size(size_t n)
{
	size_t size = 2048;

	while (size < 2 * n)
		size *= 2;
	return size;
}

/* The lists of nginx.conf that have a line for each host. */
struct nginx_lists {
	struct buf readers, addresses, tokens;
};

static void nginx_lists_done(struct nginx_lists *l)
{
	buf_done(&l->readers);
	buf_done(&l->addresses);
	buf_done(&l->tokens);
}
#define _cleanup_nginx_lists_ _cleanup_(nginx_lists_done)

/* Returns the text between two lines, or "" before the first. */
static const char *next_line(const struct buf *b)
{
	return b->len ? "\n\t\t" : "";
}

static void list_host(struct nginx_lists *l, const struct tree_plan *p,
		      const struct host *h)
{
	char addr[NET_ADDR_LEN], mac[NET_MAC_LEN], token[DIGEST_LEN];

	net_format_addr(h->address.addr, addr);
	if (!p->o.proxy_dhcp)
		buf_printf(&l->readers, "%s\"1 %s %s\" $dashed;", next_line(&l->readers),
			   addr, net_format_mac(h->mac, '-', mac));
	if (!h->dhcp)
		buf_printf(&l->addresses, "%s\"%s /report/%s.json\" 1;",
			   next_line(&l->addresses), addr, h->name);
	if (tree_has_report(p, h))
		buf_printf(&l->tokens, "%s\"%s /report/%s.json\" 1;",
			   next_line(&l->tokens),
			   secret_token(&p->secret, h->name, token), h->name);
}

char *tree_nginx_conf(const struct tree_plan *p)
{
	_cleanup_intern_ struct intern nets = {0};
	_cleanup_nginx_lists_ struct nginx_lists l = {0};
	_cleanup_buf_ struct buf b = {0};
	_cleanup_free_ char *listen = NULL, *size = NULL, *networks = NULL,
			    *strangers = strangers_nginx_networks(p),
			    *own_files = strangers_nginx_files(p);
	char addr[NET_ADDR_LEN];

	if (p->o.proxy_dhcp)
		buf_puts(&l.readers, "\"~^1 \" $dashed;");
	for (size_t i = 0; i < p->rack->n_hosts; i++)
		list_host(&l, p, &p->rack->hosts[i].host);
	tree_add_networks(p, &nets, "", " 1;");
	networks = join_texts(&nets, "\n\t\t");
	listen = xasprintf("%s:%u", net_format_addr(p->rack->boot_server, addr),
			   p->o.http_port);
	size = xasprintf("%zu", map_size(3 * p->rack->n_hosts));

	const struct variable vars[] = {
		{"rack", p->rack->name},
		{"listen", listen},
		{"map_size", size},
		{"networks", networks},
		{"readers", l.readers.p ? l.readers.p : ""},
		{"stranger", p->o.proxy_dhcp ? "1" : "0"},
		{"strangers", strangers},
		{"own_files", own_files},
		{"addresses", l.addresses.p ? l.addresses.p : ""},
		{"tokens", l.tokens.p ? l.tokens.p : ""},
		{NULL, NULL},
	};
	variables_replace(&b, embed_nginx_conf, vars);
	return buf_take(&b);
}
