/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/discover.h"

#include "pxe/access.h"
#include "pxe/loaders.h"

#include <ctype.h>

#define TURN (1024 * 1024) /* bytes of each log that are read in a turn */

/* --- the access log --------------------------------------------------------------- */

void discover_request(struct machines *t, const struct access *a)
{
	char text[MACHINE_TEXT_MAX];
	struct machine *m;
	struct mac mac;

	if (!streq(a->method, "GET") || a->status != 200 ||
	    !pxe_url_is_strangers(a->path) ||
	    !access_query(a, "mac", text, sizeof(text)) ||
	    net_parse_mac(text, &mac) < 0 || !mac_is_unicast(mac))
		return;
	m = machines_note(t, mac);
	machine_asked(m, a->end_ms);
	m->address = a->address;
	m->said = true;
	for (enum machine_text i = 0; i < MACHINE_TEXTS; i++)
		if (access_query(a, machine_text_name(i), text, sizeof(text)))
			memcpy(m->texts[i], text, sizeof(text));
}

/* Notes that the address got a boot script: nginx logs that of the host also for a
 * machine that was found by its serial number, and has an address for strangers. */
static void note_served(struct discover *d, const struct access *a)
{
	char addr[NET_ADDR_LEN];
	struct mac mac;
	size_t i;

	if (a->status != 200 || !pxe_loader_by_url(a->path, &mac))
		return;
	i = intern(&d->served, net_format_addr(a->address, addr), NULL);
	d->served_ms = xgrow_to(d->served_ms, d->served.n, sizeof(*d->served_ms));
	d->served_ms[i] = a->end_ms;
}

/* Returns true when the machine's address got a boot script after it last asked. */
static bool was_served(const struct discover *d, const struct machine *m)
{
	char addr[NET_ADDR_LEN];
	size_t i;

	return m->given && intern_find(&d->served, net_format_addr(m->given, addr), &i) &&
	       d->served_ms[i] >= m->last_ms;
}

/* --- the DHCP servers' logs ------------------------------------------------------- */

void discover_dhcp(struct machines *t, const struct dhcp_line *l)
{
	struct machine *m = machines_note(t, l->mac);

	if (l->address)
		m->given = l->address;
	if (l->asked)
		machine_asked(m, l->ms);
}

/* --- the tree --------------------------------------------------------------------- */

static void add_host_key(struct intern *in, const char *kind, const char *text)
{
	_cleanup_free_ char *key = text ? xasprintf("%s %s", kind, text) : NULL;

	for (char *c = key; c && *c; c++)
		*c = (char)tolower((unsigned char)*c);
	if (key)
		intern(in, key, NULL);
}

static bool has_host_key(const struct intern *in, const char *kind, const char *text)
{
	_cleanup_free_ char *key = xasprintf("%s %s", kind, text);

	for (char *c = key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return *text && intern_find(in, key, NULL);
}

static void note_hosts(struct discover *d)
{
	intern_done(&d->hosts);
	for (size_t i = 0; i < d->info.n_hosts; i++) {
		const struct tree_host *h = &d->info.hosts[i];
		char mac[NET_MAC_LEN], addr[NET_ADDR_LEN];

		add_host_key(&d->hosts, "mac", net_format_mac(h->mac, ':', mac));
		add_host_key(&d->hosts, "serial", h->serial);
		add_host_key(&d->hosts, "uuid", h->uuid);
		if (h->address.prefix)
			add_host_key(&d->hosts, "address",
				     net_format_addr(h->address.addr, addr));
	}
}

static bool is_host(const struct discover *d, const struct machine *m)
{
	char mac[NET_MAC_LEN], addr[NET_ADDR_LEN];

	return has_host_key(&d->hosts, "mac", net_format_mac(m->mac, ':', mac)) ||
	       has_host_key(&d->hosts, "serial", m->texts[MACHINE_SERIAL]) ||
	       has_host_key(&d->hosts, "uuid", m->texts[MACHINE_UUID]) ||
	       (m->given &&
		has_host_key(&d->hosts, "address", net_format_addr(m->given, addr))) ||
	       was_served(d, m);
}

/* Reads the tree if it was not read yet or another one is in its place. */
static int read_tree(struct discover *d, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/" TREE_INFO, d->dir);
	_cleanup_tree_info_ struct tree_info info = {0};
	struct stat st = {0};

	if (stat(path, &st) == 0 && d->tree.st_ino == st.st_ino &&
	    d->tree.st_dev == st.st_dev)
		return 0;
	if (tree_info_read(&info, d->dir, e) < 0)
		return -1;
	tree_info_done(&d->info);
	d->info = info;
	info = (struct tree_info){0};
	d->tree = st;
	note_hosts(d);
	return 0;
}

/* --- all of it -------------------------------------------------------------------- */

static void read_logs(struct discover *d, struct tail *access, struct dhcp_logs *dhcp,
		      time_t now)
{
	struct dhcp_line line;
	struct access a;

	while (access_next(access, &a)) {
		discover_request(&d->machines, &a);
		note_served(d, &a);
	}
	while (dhcp_logs_next(dhcp, now, &line))
		discover_dhcp(&d->machines, &line);
}

/* Reads the older parts of the logs. */
static void read_old(struct discover *d, const char *access_log, time_t now)
{
	_cleanup_free_ char *old = xasprintf("%s.old", access_log);
	struct tail access = {0};
	struct dhcp_logs dhcp;

	tail_open(&access, old, false);
	dhcp_logs_open(&dhcp, d->dir, true, false);
	read_logs(d, &access, &dhcp, now);
	tail_done(&access);
	dhcp_logs_done(&dhcp);
}

int discover_open(struct discover *ret, const char *dir, time_t now, struct err *e)
{
	_cleanup_free_ char *access = xasprintf("%s/" TREE_ACCESS_LOG, dir);

	*ret = (struct discover){.dir = xstrdup(dir)};
	if (read_tree(ret, e) < 0) {
		discover_done(ret);
		return -1;
	}
	read_old(ret, access, now);
	tail_open(&ret->access, access, false);
	dhcp_logs_open(&ret->dhcp, dir, false, false);
	read_logs(ret, &ret->access, &ret->dhcp, now);
	return 0;
}

bool discover_turn(struct discover *d, time_t now)
{
	struct err e = {0};
	bool more;

	(void)!read_tree(d, &e);
	more = tail_turn(&d->access, TURN);
	more = dhcp_logs_turn(&d->dhcp, TURN) || more;
	read_logs(d, &d->access, &d->dhcp, now);
	return more;
}

static int by_first_seen(const void *a, const void *b)
{
	const struct machine *m = *(struct machine *const *)a,
			     *o = *(struct machine *const *)b;

	if (m->first_ms != o->first_ms)
		return m->first_ms < o->first_ms ? -1 : 1;
	return memcmp(m->mac.b, o->mac.b, sizeof(m->mac.b));
}

struct machine **discover_list(const struct discover *d, size_t *ret_n)
{
	struct machine **v = xcalloc(d->machines.n + 1, sizeof(struct machine *));
	size_t n = 0;

	for (struct machine *m = d->machines.oldest; m; m = m->newer)
		if (m->seen > 0 && !is_host(d, m))
			v[n++] = m;
	qsort(v, n, sizeof(struct machine *), by_first_seen);
	*ret_n = n;
	return v;
}

void discover_done(struct discover *d)
{
	tail_done(&d->access);
	dhcp_logs_done(&d->dhcp);
	machines_done(&d->machines);
	intern_done(&d->hosts);
	intern_done(&d->served);
	free(d->served_ms);
	tree_info_done(&d->info);
	free(d->dir);
	*d = (struct discover){0};
}
