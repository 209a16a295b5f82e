/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/proposal.h"

#include "firstboot/model/placeholder.h"
#include "pxe/machines.h"
#include "pxe/rack-parts.h"

void proposal_done(struct proposal *p)
{
	free(p->name);
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		free(p->columns[i]);
	*p = (struct proposal){0};
}

/* --- what the tree has ------------------------------------------------------------ */

/* Returns the role of most hosts, of several the first, or NULL. */
static const char *usual_role(const struct tree_info *info)
{
	_cleanup_intern_ struct intern roles = {0};
	_cleanup_free_ size_t *count = xcalloc(info->n_hosts + 1, sizeof(*count));
	const char *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < info->n_hosts; i++)
		count[intern(&roles, info->hosts[i].role, NULL)]++;
	for (size_t i = 0; i < info->n_hosts; i++) {
		size_t n = count[intern(&roles, info->hosts[i].role, NULL)];

		if (n > most)
			best = info->hosts[i].role;
		most = n > most ? n : most;
	}
	return best;
}

static void use(struct intern *used, uint32_t addr)
{
	char text[NET_ADDR_LEN];

	intern(used, net_format_addr(addr, text), NULL);
}

/* Returns the value of the host's column in *ret, or false. */
static bool get_column(const struct tree_host *h, size_t f, struct cidr *ret)
{
	return column_key(f) && h->columns.v[f] &&
	       net_parse_cidr(h->columns.v[f], ret) == 0;
}

/* Finds the columns that all hosts of the role have. */
static void find_columns(struct proposals *p, const struct tree_info *info)
{
	struct cidr c;

	for (size_t f = 0; f < FEATURE_COUNT; f++) {
		p->has_column[f] = true;
		for (size_t i = 0; i < info->n_hosts; i++)
			if (streq(info->hosts[i].role, p->role) &&
			    !get_column(&info->hosts[i], f, &c))
				p->has_column[f] = false;
	}
}

static void learn_host(struct proposals *p, const struct tree_host *h)
{
	struct cidr c = h->address;

	if (c.prefix) {
		use(&p->used, c.addr);
		if (!p->last.prefix || c.addr > p->last.addr)
			p->last = c;
	}
	for (size_t f = 0; f < FEATURE_COUNT; f++)
		if (p->has_column[f] && get_column(h, f, &c) &&
		    (!p->columns[f].prefix || c.addr > p->columns[f].addr))
			p->columns[f] = c;
}

void proposals_learn(struct proposals *p, const struct tree_info *info)
{
	if (!p->role) {
		p->role = xstrdup(usual_role(info));
		if (p->role)
			find_columns(p, info);
	}
	use(&p->used, info->boot_server);
	p->pool_first = info->pool_first;
	p->pool_last = info->pool_last;
	for (size_t i = 0; i < info->n_hosts; i++)
		learn_host(p, &info->hosts[i]);
	if (info->proxy_dhcp)
		p->last.prefix = 0;
}

void proposals_done(struct proposals *p)
{
	intern_done(&p->used);
	free(p->role);
	*p = (struct proposals){.map = NULL};
}

/* --- one machine ------------------------------------------------------------------ */

/* Returns the next free address of the network; prefix 0: none. */
static struct cidr next_address(struct proposals *p)
{
	char text[NET_ADDR_LEN];
	struct cidr c = p->last;

	while (c.prefix && c.addr < net_broadcast(p->last)) {
		c.addr++;
		if (p->pool_first && c.addr >= p->pool_first && c.addr <= p->pool_last) {
			c.addr = p->pool_last;
			continue;
		}
		if (!net_is_host(c) ||
		    intern_find(&p->used, net_format_addr(c.addr, text), NULL))
			continue;
		p->last = c;
		return c;
	}
	p->last.prefix = 0;
	return (struct cidr){0, 0};
}

/* Returns the network behind the last of the column, with the same host bits. */
static char *next_column(struct cidr *last)
{
	uint64_t next = last->addr + (1ULL << (32 - last->prefix));
	char text[NET_CIDR_LEN];

	if (next > UINT32_MAX) {
		last->prefix = 0;
		return NULL;
	}
	last->addr = (uint32_t)next;
	return xstrdup(net_format_cidr(*last, text));
}

/* Returns the text if rack.cfg takes it. */
static const char *take(const char *s, const char *(*wrong)(const char *s),
			bool (*is_placeholder)(const char *s))
{
	return *s && !wrong(s) && !is_placeholder(s) ? s : NULL;
}

void proposals_next(struct proposals *p, const struct machine *m, struct proposal *ret)
{
	const char *mapped = p->map ? port_map_find(p->map, m->texts[MACHINE_SWITCH],
						    m->texts[MACHINE_PORT])
				    : NULL;
	char hex[2 * sizeof(m->mac.b) + 1];

	str_hex(m->mac.b, sizeof(m->mac.b), hex);
	*ret = (struct proposal){
		.name = mapped ? xstrdup(mapped) : xasprintf("new-%s", hex),
		.role = p->role ? p->role : "",
		.address = next_address(p),
		.serial = take(m->texts[MACHINE_SERIAL], rack_serial_wrong,
			       placeholder_serial),
		.uuid = take(m->texts[MACHINE_UUID], rack_uuid_wrong, placeholder_uuid),
	};
	for (size_t f = 0; f < FEATURE_COUNT; f++)
		if (p->has_column[f] && p->columns[f].prefix)
			ret->columns[f] = next_column(&p->columns[f]);
}
