/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limit: a pool is in one network, that of the rack or of one of its hosts, because the
 * DHCP server needs its prefix.
 */
#include "pxe/rack-strangers.h"

#include "firstboot/model/conf-note.h"
#include "pxe/rack-parts.h"

static const char *const policies[] = {
	[STRANGERS_ASK] = "ask",
	[STRANGERS_LOCAL_DISK] = "local-disk",
	[STRANGERS_NOTHING] = "nothing",
};

const char *strangers_policy_name(enum strangers_policy policy)
{
	return policies[policy];
}

void rack_strangers_done(struct rack_strangers *s)
{
	free(s->file);
	*s = (struct rack_strangers){.is_set = false};
}

int strangers_pool_parse(const char *s, uint32_t *ret_first, uint32_t *ret_last)
{
	char first[NET_ADDR_LEN];
	size_t n = strcspn(s, "-");
	uint32_t a, b;

	if (n >= sizeof(first) || s[n] != '-')
		return -EINVAL;
	memcpy(first, s, n);
	first[n] = '\0';
	if (net_parse_addr(first, &a) < 0 || net_parse_addr(s + n + 1, &b) < 0 || a > b)
		return -EINVAL;
	*ret_first = a;
	*ret_last = b;
	return 0;
}

const char *strangers_pool_format(uint32_t first, uint32_t last,
				  char out[static STRANGERS_POOL_LEN])
{
	char a[NET_ADDR_LEN], b[NET_ADDR_LEN];

	snprintf(out, STRANGERS_POOL_LEN, "%s-%s", net_format_addr(first, a),
		 net_format_addr(last, b));
	return out;
}

/* Returns true when both addresses are those of machines in the network. */
static bool is_inside(struct cidr net, uint32_t first, uint32_t last)
{
	return net.prefix && net_contains(net, first) && net_contains(net, last) &&
	       net_is_host((struct cidr){first, net.prefix}) &&
	       net_is_host((struct cidr){last, net.prefix});
}

static bool is_in_a_network(const struct rack *r, uint32_t first, uint32_t last)
{
	if (is_inside(r->network, first, last))
		return true;
	for (size_t i = 0; i < r->n_hosts; i++)
		if (is_inside(rack_host_at(r, i)->node_network, first, last) ||
		    (host_has_fixed_address(rack_host_at(r, i)) &&
		     is_inside(rack_host_at(r, i)->address, first, last)))
			return true;
	return false;
}

/* Complains about the boot server and the first host whose address is in the pool. */
static void check_addresses(struct loader *l, const struct conf_node *n, uint32_t first,
			    uint32_t last)
{
	const struct rack *r = l->rack;
	char addr[NET_ADDR_LEN], there[512];

	if (r->boot_server >= first && r->boot_server <= last)
		l->r = conf_complain(n, l->d,
				     "cluster: strangers: pool: has the boot server's "
				     "address %s",
				     net_format_addr(r->boot_server, addr));
	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct host *h = rack_host_at(r, i);

		if (!host_has_fixed_address(h) || h->address.addr < first ||
		    h->address.addr > last)
			continue;
		l->r = conf_complain(n, l->d,
				     "cluster: strangers: pool: has the address %s of "
				     "host '%s' (%s)",
				     net_format_addr(h->address.addr, addr),
				     h->name ? h->name : "?",
				     other_place(r->hosts[i].file, r->hosts[i].line,
						 conf_file(n), there, sizeof(there)));
		diag_other(l->d,
			   &(struct diag_place){r->hosts[i].file, r->hosts[i].line, 0});
		return;
	}
}

static void load_pool(struct loader *l, const struct conf_node *n)
{
	struct rack_strangers *s = &l->rack->strangers;
	const char *text = NULL;
	uint32_t first, last;

	if (conf_str(n, &text, NULL) < 0 ||
	    strangers_pool_parse(text, &first, &last) < 0) {
		l->r = conf_complain(n, l->d,
				     "cluster: strangers: pool: must be the first and "
				     "the last address, like "
				     "\"172.25.0.200-172.25.0.250\"%s",
				     text ? conf_value_note(text)
					  : conf_type_note(n, CONF_STRING));
		return;
	}
	if (s->policy == STRANGERS_NOTHING)
		l->r = conf_complain(n, l->d,
				     "cluster: strangers: pool: has no effect with the "
				     "policy \"nothing\": leave it out");
	if (!is_in_a_network(l->rack, first, last)) {
		l->r = conf_complain(n, l->d,
				     "cluster: strangers: pool: %s is not in one network "
				     "of the rack, without its first and last address",
				     text);
		return;
	}
	check_addresses(l, n, first, last);
	s->first = first;
	s->last = last;
	s->line = conf_line(n);
}

static void load_policy(struct loader *l, const struct conf_node *n)
{
	const char *text = NULL;

	for (size_t i = 0; conf_str(n, &text, NULL) == 0 && i < ARRAY_SIZE(policies);
	     i++) {
		if (!streq(text, policies[i]))
			continue;
		l->rack->strangers.policy = (enum strangers_policy)i;
		return;
	}
	l->r = conf_complain(n, l->d,
			     "cluster: strangers: policy: must be \"ask\", "
			     "\"local-disk\" or \"nothing\"%s",
			     text ? conf_value_note(text)
				  : conf_type_note(n, CONF_STRING));
}

void rack_load_strangers(struct loader *l)
{
	static const char *const keys[] = {"policy", "pool", NULL};
	const struct conf_node *group = conf_member(l->cluster, "strangers"), *n;
	struct rack_strangers *s = &l->rack->strangers;

	if (!group)
		return;
	if (conf_type(group) != CONF_GROUP) {
		l->r = conf_complain(
			group, l->d,
			"cluster: strangers: must be a group: { policy = ...; pool = "
			"...; }");
		return;
	}
	if (conf_check_keys_of(group, "cluster: strangers: ", keys, NULL, l->d) < 0)
		l->r = -1;
	s->is_set = true;
	s->file = xstrdup(conf_file(group));
	s->line = conf_line(group);
	n = conf_member(group, "policy");
	if (n)
		load_policy(l, n);
	n = conf_member(group, "pool");
	if (n)
		load_pool(l, n);
}
