/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/dhcp-server.h"
#include "pxe/diff-parts.h"

/* --- the rack -------------------------------------------------------------------- */

static char *address(uint32_t a)
{
	char text[NET_ADDR_LEN];

	return xstrdup(net_format_addr(a, text));
}

/* Returns "NAME (ID)". Owned by the caller. */
static char *image_text(const struct diff_side *s)
{
	return xasprintf("%s (%s)", s->image_name, s->image_id);
}

static const char *yes_no(bool b)
{
	return b ? "true" : "false";
}

/* Returns the name of the DHCP server, or NULL when it is not known. */
static const char *dhcp_of(const struct diff_side *s)
{
	const struct dhcp_server *d = s->info.dhcp;

	if (s->rack && !s->options)
		return NULL;
	if (s->rack)
		d = s->options->dhcp;
	return (d ? d : dhcp_servers)->name;
}

/* Returns the pair of DHCP servers, or NULL, as for a rack whose tree has dnsmasq. It is
 * taken to have the server of the tree that it is compared with. Owned by the caller. */
static char *pair_of(const struct diff_side *s, const struct diff_side *other)
{
	const char *server = dhcp_of(s);

	if (!s->rack)
		return xstrdup(s->info.dhcp_servers);
	if (!server)
		server = dhcp_of(other);
	if (server && streq(server, dhcp_servers->name))
		return NULL;
	return rack_dhcp_servers_text(s->rack);
}

static void compare_pairs(struct diff *d)
{
	_cleanup_free_ char *was = pair_of(d->old, d->new), *is = pair_of(d->new, d->old);

	diff_value_compare(&d->v, &d->n, "dhcp_servers", was, is);
}

static const char *policy_of(const struct diff_side *s)
{
	if (s->rack)
		return strangers_policy_name(s->rack->strangers.policy);
	return s->info.strangers_policy ? s->info.strangers_policy
					: strangers_policy_name(STRANGERS_ASK);
}

/* Returns the pool of strangers as a text, or NULL. Owned by the caller. */
static char *pool_of(const struct diff_side *s)
{
	uint32_t first = s->rack ? s->rack->strangers.first : s->info.pool_first;
	uint32_t last = s->rack ? s->rack->strangers.last : s->info.pool_last;
	char text[STRANGERS_POOL_LEN];

	return first ? xstrdup(strangers_pool_format(first, last, text)) : NULL;
}

static void compare_strangers(struct diff *d)
{
	_cleanup_free_ char *was = pool_of(d->old), *is = pool_of(d->new);

	diff_value_compare(&d->v, &d->n, "strangers.policy", policy_of(d->old),
			   policy_of(d->new));
	diff_value_compare(&d->v, &d->n, "strangers.pool", was, is);
}

/* Compares how the tree is served, which of a rack file is known from options only. */
static void compare_options(struct diff *d)
{
	const struct tree_info *old = &d->old->info;
	const struct tree_options *new = d->new->options;
	_cleanup_free_ char *was = NULL, *is = NULL;
	const char *interface = new ? new->interface : d->new->info.interface;
	bool proxy = new ? new->proxy_dhcp : d->new->info.proxy_dhcp;
	bool advert = new ? new->router_advert : d->new->info.router_advert;

	if (d->old->rack || (d->new->rack && !new))
		return;
	was = xasprintf("%u", d->old->http_port);
	is = xasprintf("%u", d->new->http_port);
	diff_value_compare(&d->v, &d->n, "http_port", was, is);
	diff_value_compare(&d->v, &d->n, "dhcp", dhcp_of(d->old), dhcp_of(d->new));
	diff_value_compare(&d->v, &d->n, "proxy_dhcp", yes_no(old->proxy_dhcp),
			   yes_no(proxy));
	diff_value_compare(&d->v, &d->n, "interface", old->interface, interface);
	diff_value_compare(&d->v, &d->n, "router_advert", yes_no(old->router_advert),
			   yes_no(advert));
}

static void compare_rack(struct diff *d)
{
	const struct diff_side *old = d->old, *new = d->new;
	_cleanup_strv_builder_ struct strv_builder boot = {0};
	_cleanup_free_ char *was = address(old->boot_server),
			    *is = address(new->boot_server);

	diff_value_compare(&d->v, &d->n, "name", old->rack_name, new->rack_name);
	diff_value_compare(&d->v, &d->n, "boot_server", was, is);
	compare_options(d);
	compare_pairs(d);
	compare_strangers(d);
	if (diff_image_differs(old, new)) {
		diff_value_add(&d->v, &d->n, "image", image_text(old), image_text(new));
		strv_builder_add(&boot, "another image");
	} else if (old->image_name && new->image_name) {
		diff_value_compare(&d->v, &d->n, "image", old->image_name,
				   new->image_name);
	}
	if (diff_image_words_differ(old, new)) {
		diff_value_compare(&d->v, &d->n, "image_cmdline", old->image_cmdline,
				   new->image_cmdline);
		strv_builder_add(&boot, "kernel command line");
	}
	d->effect.boot = strv_builder_take(&boot);
}

/* Lists what one of the sides does not have. */
static void find_unknown(struct diff *d)
{
	const struct diff_side *sides[] = {d->old, d->new};
	struct strv_builder v = {0};

	for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
		const struct diff_side *s = sides[i];

		if (s->rack_name && !s->rack && !s->image_id)
			strv_builder_addf(&v,
					  "%s was rendered by an earlier rackstrap: its "
					  "image and kernel command lines are not known",
					  s->name);
		else if (s->rack && !s->image && !sides[1 - i]->rack)
			strv_builder_addf(&v,
					  "the image of %s is not known (--image DIR)",
					  s->name);
	}
	d->unknown = strv_builder_take(&v);
}

/* --- hosts ----------------------------------------------------------------------- */

static void add_member(struct diff_members *m, const struct diff_side *s, size_t i)
{
	m->v = xgrow(m->v, m->n, sizeof(*m->v));
	diff_side_member(s, i, &m->v[m->n++]);
}

/* Adds the hosts of the rack, which a template of the host has, in their order. */
static void add_hosts(struct diff_change *c, const struct diff_side *old,
		      const struct diff_side *new)
{
	diff_value_add(&c->v, &c->n, "hosts", xasprintf("%zu in the rack", old->hosts.n),
		       xasprintf("%zu in the rack%s", new->hosts.n,
				 old->hosts.n == new->hosts.n
					 ? ", others or in another order"
					 : ""));
}

static bool same_hosts(const struct rack_hosts *a, const struct rack_hosts *b)
{
	for (size_t i = 0; i < a->n && a->n == b->n; i++)
		if (!streq(a->v[i].name, b->v[i].name) ||
		    !streq(a->v[i].role, b->v[i].role) ||
		    a->v[i].address != b->v[i].address)
			return false;
	return a->n == b->n;
}

static void change_done(struct diff_change *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->v[i].old);
		free(c->v[i].new);
	}
	free(c->v);
	diff_effect_done(&c->effect);
}

/* Compares two hosts, and adds the change if there is one. */
static int compare(struct diff *d, size_t old_index, size_t new_index, bool other_hosts,
		   struct err *e)
{
	_cleanup_diff_host_ struct diff_host old = {0}, new = {0};
	struct diff_change c = {0};
	struct diff_member was, is;

	diff_side_member(d->old, old_index, &was);
	diff_side_member(d->new, new_index, &is);
	c.name = is.name;
	c.was = streq(was.name, is.name) ? NULL : was.name;
	if (diff_host_load(&old, d->old, old_index, e) < 0 ||
	    diff_host_load(&new, d->new, new_index, e) < 0)
		return -1;
	diff_host_compare(&c, &old, &new);
	if (other_hosts &&
	    (diff_uses_hosts(d->old, &old) || diff_uses_hosts(d->new, &new)))
		add_hosts(&c, d->old, d->new);
	if (c.n == 0)
		return 0;
	if (diff_effect_find(&c, d->old, d->new, &old, &new, e) < 0) {
		change_done(&c);
		return -1;
	}
	d->changes = xgrow(d->changes, d->n_changes, sizeof(*d->changes));
	d->changes[d->n_changes++] = c;
	return 0;
}

/* The hosts of the old side whose names are gone, by their MAC addresses. */
struct gone {
	struct intern macs;
	size_t *index; /* by the number of the address */
	bool *renamed; /* by the host's index */
};

static void gone_done(struct gone *g)
{
	intern_done(&g->macs);
	free(g->index);
	free(g->renamed);
}

static void find_gone(struct gone *ret, const struct diff_side *old,
		      const struct diff_side *new)
{
	size_t n = diff_side_len(old);
	char mac[NET_MAC_LEN];

	*ret = (struct gone){.index = xcalloc(n + 1, sizeof(*ret->index)),
			     .renamed = xcalloc(n + 1, sizeof(*ret->renamed))};
	for (size_t i = 0; i < n; i++) {
		struct diff_member m;
		size_t number;

		diff_side_member(old, i, &m);
		if (intern_find(&new->names, m.name, NULL))
			continue;
		number = intern(&ret->macs, net_format_mac(m.mac, ':', mac), NULL);
		ret->index[number] = i;
	}
}

/* Sets *ret to the old host that the new one was renamed from. */
static bool find_renamed(struct gone *g, const struct diff_side *new, size_t i,
			 size_t *ret)
{
	char mac[NET_MAC_LEN];
	struct diff_member m;
	size_t number;

	diff_side_member(new, i, &m);
	if (!intern_find(&g->macs, net_format_mac(m.mac, ':', mac), &number) ||
	    g->renamed[g->index[number]])
		return false;
	*ret = g->index[number];
	g->renamed[*ret] = true;
	return true;
}

static int compare_hosts(struct diff *d, struct gone *gone, struct err *e)
{
	bool other_hosts = !same_hosts(&d->old->hosts, &d->new->hosts);

	for (size_t i = 0; i < diff_side_len(d->new); i++) {
		struct diff_member m;
		size_t old;

		diff_side_member(d->new, i, &m);
		if (!intern_find(&d->old->names, m.name, &old) &&
		    !find_renamed(gone, d->new, i, &old))
			add_member(&d->appear, d->new, i);
		else if (compare(d, old, i, other_hosts, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < diff_side_len(d->old); i++) {
		struct diff_member m;

		diff_side_member(d->old, i, &m);
		if (!intern_find(&d->new->names, m.name, NULL) && !gone->renamed[i])
			add_member(&d->vanish, d->old, i);
	}
	return 0;
}

int diff_make(struct diff *ret, const struct diff_side *old, const struct diff_side *new,
	      struct err *e)
{
	struct gone gone;
	int r;

	*ret = (struct diff){.old = old, .new = new};
	if (old->rack_name && new->rack_name)
		compare_rack(ret);
	find_unknown(ret);
	find_gone(&gone, old, new);
	r = compare_hosts(ret, &gone, e);
	gone_done(&gone);
	if (r < 0)
		diff_done(ret);
	return r;
}

bool diff_is_same(const struct diff *d)
{
	return d->old->rack_name && d->new->rack_name && d->n == 0 && d->appear.n == 0 &&
	       d->vanish.n == 0 && d->n_changes == 0;
}

void diff_done(struct diff *d)
{
	for (size_t i = 0; i < d->n; i++) {
		free(d->v[i].old);
		free(d->v[i].new);
	}
	free(d->v);
	diff_effect_done(&d->effect);
	free(d->appear.v);
	free(d->vanish.v);
	for (size_t i = 0; i < d->n_changes; i++)
		change_done(&d->changes[i]);
	free(d->changes);
	strv_free(d->unknown);
	*d = (struct diff){0};
}
