/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/uplink.h"
#include "firstboot/model/words.h"

#define POLL_MS 50

/* --- the links of a bond ------------------------------------------------------------ */

/* Returns the link with this name or MAC address, or NULL. */
static const struct link *find_member(const char *word, const struct link *links,
				      size_t n)
{
	struct mac mac;
	bool by_mac = net_parse_mac(word, &mac) == 0; /* too long for a name */

	for (size_t i = 0; i < n; i++)
		if (by_mac ? links[i].physical &&
				     memcmp(&links[i].mac, &mac, sizeof(mac)) == 0
			   : streq(links[i].name, word))
			return &links[i];
	return NULL;
}

/* Sets an error about the key, with all links. Returns -1. */
static int fail(const struct host *h, enum host_key_id id, struct err *e,
		const char *what, const char *word, const struct link *links, size_t n)
{
	_cleanup_free_ char *have = links_format(links, n);
	char where[512];

	return err_set(e, ERR_CONFIG, "%s: %s: %s %s; there are: %s",
		       host_where(h, id, where, sizeof(where)), host_key(id)->name, what,
		       word, *have ? have : "none");
}

static int find_bond(const struct host *h, const struct link *links, size_t n,
		     char **devices, bool *settled, struct err *e)
{
	_cleanup_strv_ char **names = NULL;
	bool has_own = !h->has_mac; /* one of them has the host's own MAC address */
	char mac[NET_MAC_LEN];

	*settled = true;
	for (size_t i = 0; h->bond[i]; i++) {
		const struct link *l = find_member(h->bond[i], links, n);

		if (!l)
			return fail(h, HOST_BOND, e, "no link is", h->bond[i], links, n);
		if (strv_has(names, l->name))
			return fail(h, HOST_BOND, e, "the same link twice:", l->name,
				    links, n);
		strv_add(&names, l->name);
		*settled = *settled && l->settled;
		has_own = has_own || memcmp(&h->mac, &l->mac, sizeof(l->mac)) == 0;
	}
	if (!has_own)
		return fail(h, HOST_MAC, e, "none of the bond's links has",
			    net_format_mac(h->mac, ':', mac), links, n);
	*devices = strv_join(names, " ");
	return 0;
}

/* --- the uplink ------------------------------------------------------------------- */

int uplink_find(const struct host *h, const struct link *links, size_t n, char **devices,
		bool *settled, struct err *e)
{
	struct link l;

	if (strv_len(h->bond))
		return find_bond(h, links, n, devices, settled, e);
	if (link_find(h, links, n, &l, e) < 0)
		return -1;
	*devices = xstrdup(l.name);
	*settled = l.settled;
	return 0;
}

int uplink_wait(const struct firstboot *fb, const struct host *h, char **devices,
		struct err *e)
{
	uint64_t end = now_ms() + (uint64_t)fb->link_timeout * 1000;

	for (;;) {
		_cleanup_free_ struct link *v = NULL;
		_cleanup_free_ char *found = NULL;
		bool settled = false;
		size_t n = 0;
		int r = links_list(fb->rootfd, &v, &n);

		if (r < 0)
			return err_errno(e, r, "/sys/class/net");
		r = uplink_find(h, v, n, &found, &settled, e);
		/* At the end of the time links that did not settle are used. */
		if ((r == 0 && settled) || now_ms() >= end) {
			*devices = TAKE_PTR(found);
			return r;
		}
		sleep_ms(POLL_MS);
	}
}
