/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network card's address is a machine's own more surely than a serial number or UUID,
 * which many vendors leave at a placeholder: an entry that is found by it is never
 * replaced by another one. A serial number or UUID finds the entry of a machine whose
 * card was replaced, and decides between two entries that both have one of its cards.
 *
 * Therefore a serial number or UUID decides only when the cards are known: their drivers
 * may still be loading. Limit: udev does not know that a driver goes on after its module
 * was loaded. A card that such a driver adds is missed if the machine has another one.
 */
#include "firstboot/rack-source.h"
#include "firstboot/link.h"
#include "firstboot/model/rack-entry.h"
#include "lib/root.h"

#include <strings.h>

#define POLL_MS 50

/* Compares without blanks around the entry's text: `have` has none. */
static bool text_matches(const struct conf_node *host, const char *key, const char *have)
{
	const char *s = NULL;
	size_t len;

	if (!have || conf_get_str(host, key, &s, NULL) <= 0)
		return false;
	s += strspn(s, " ");
	len = strlen(have);
	return strncasecmp(s, have, len) == 0 && !s[len + strspn(s + len, " ")];
}

static bool by_serial(const struct conf_node *host, const struct machine_id *m)
{
	return text_matches(host, "serial", m->serial);
}

static bool by_uuid(const struct conf_node *host, const struct machine_id *m)
{
	return text_matches(host, "uuid", m->uuid);
}

static bool by_mac(const struct conf_node *host, const struct machine_id *m)
{
	const char *s = NULL;
	struct mac mac;

	if (conf_get_str(host, "mac", &s, NULL) <= 0 || net_parse_mac(s, &mac) < 0)
		return false;
	for (size_t i = 0; i < m->n_macs; i++)
		if (memcmp(&m->macs[i], &mac, sizeof(mac)) == 0)
			return true;
	return false;
}

/* The ways to find an entry, in this order. */
static const struct way {
	const char *key;
	bool (*matches)(const struct conf_node *host, const struct machine_id *m);
} ways[] = {
	{"mac", by_mac},
	{"serial", by_serial},
	{"uuid", by_uuid},
};

/* The entries that match in one way. */
struct matches {
	const struct conf_node *first, *second; /* or NULL */
	const struct conf_node *sure; /* the only one that also matches in another way */
	bool several_sure;
};

/* Returns true when the entry has the machine's serial or UUID as well. */
static bool is_sure(const struct conf_node *host, const struct machine_id *m)
{
	return by_serial(host, m) || by_uuid(host, m);
}

static void matches_find(struct matches *ret, const struct way *way,
			 const struct conf_node *hosts, const struct machine_id *m)
{
	*ret = (struct matches){0};
	for (size_t i = 0; i < conf_len(hosts); i++) {
		const struct conf_node *host = conf_at(hosts, i);

		if (conf_type(host) != CONF_GROUP || !way->matches(host, m))
			continue;
		if (!ret->first)
			ret->first = host;
		else if (!ret->second)
			ret->second = host;
		if (way->matches == by_mac && is_sure(host, m)) {
			ret->several_sure = ret->sure;
			ret->sure = host;
		}
	}
}

/* Warns when another entry than `found` has the machine's serial or UUID. */
static void warn_others(const struct conf_node *hosts, const struct machine_id *m,
			const struct conf_node *found, struct diag *warnings)
{
	for (size_t w = 1; w < ARRAY_SIZE(ways); w++)
		for (size_t i = 0; i < conf_len(hosts); i++) {
			const struct conf_node *host = conf_at(hosts, i);

			if (host != found && conf_type(host) == CONF_GROUP &&
			    ways[w].matches(host, m))
				conf_complain(host, warnings,
					      "this entry has this machine's %s, but the "
					      "entry in line %u has its mac and is used",
					      ways[w].key, conf_line(found));
		}
}

int rack_source_find(const struct conf_node *hosts, const struct machine_id *m,
		     const struct conf_node **ret, struct diag *d, struct diag *warnings)
{
	struct matches found;

	*ret = NULL;
	for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
		matches_find(&found, &ways[w], hosts, m);
		if (!found.first)
			continue;
		if (found.second && (!found.sure || found.several_sure))
			return conf_complain(found.second, d,
					     "two hosts have this machine's %s, the "
					     "other is in line %u",
					     ways[w].key, conf_line(found.first));
		*ret = found.sure ? found.sure : found.first;
		if (w == 0)
			warn_others(hosts, m, *ret, warnings);
		return 1;
	}
	return 0;
}

/* --- the source ------------------------------------------------------------------- */

/* Returns true when no network card that may still appear could change the entry. */
static bool is_decided(const struct conf_node *hosts, const struct machine_id *m,
		       bool settled)
{
	struct matches found;

	for (size_t w = 0; w < ARRAY_SIZE(ways); w++) {
		matches_find(&found, &ways[w], hosts, m);
		if (found.first)
			return ways[w].matches == by_mac || settled;
	}
	return false;
}

void rack_source_wait(const struct firstboot *fb, const char *path)
{
	uint64_t end = now_ms() + (uint64_t)fb->link_timeout * 1000;
	const struct conf_node *hosts = NULL;
	_cleanup_conf_ struct conf *c = NULL;

	if (root_access(fb->rootfd, path) == -ENOENT ||
	    conf_read_root(&c, fb->rootfd, path, path, CONF_MAX_RACK, NULL) < 0 ||
	    conf_get_list(conf_root(c), "hosts", &hosts, NULL) <= 0 ||
	    conf_len(hosts) == 0)
		return;
	for (;;) {
		/* Before the cards are read, so that all settled ones are among them. */
		bool settled = links_settled(fb->rootfd);
		_cleanup_machine_id_ struct machine_id m = {0};

		machine_id_read(&m, fb->rootfd);
		if (is_decided(hosts, &m, settled) || now_ms() >= end)
			return;
		sleep_ms(POLL_MS);
	}
}

/* Refuses what only the operator's machine expands. */
static int refuse_compact(const struct conf_node *rack, struct diag *d)
{
	const struct conf_node *n = rack_find_compact(rack);

	return n ? conf_complain(n, d,
				 "%s: a medium's rack.cfg has an entry for each host: "
				 "give it what `rackstrap check --expand` prints",
				 conf_key(n))
		 : 0;
}

int rack_source_load(const struct firstboot *fb, const char *path, const char *name,
		     struct host *h, struct diag *d, struct diag *warnings)
{
	const struct conf_node *cluster = NULL, *hosts = NULL, *entry = NULL;
	static const char *const keys[] = {"cluster", "hosts", NULL};
	_cleanup_machine_id_ struct machine_id m = {0};
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_free_ char *who = NULL;
	int r;

	if (root_access(fb->rootfd, path) == -ENOENT)
		return 0;
	if (conf_read_root(&c, fb->rootfd, path, name, CONF_MAX_RACK, d) < 0 ||
	    refuse_compact(conf_root(c), d) < 0 ||
	    conf_check_keys(conf_root(c), keys, d) < 0 ||
	    conf_get_group(conf_root(c), "cluster", &cluster, d) < 0 ||
	    conf_get_list(conf_root(c), "hosts", &hosts, d) < 0)
		return -1;
	machine_id_read(&m, fb->rootfd);
	machine_id_warn(&m, warnings);
	r = rack_source_find(hosts, &m, &entry, d, warnings);
	who = machine_id_text(&m);
	if (r == 0)
		return diag_add(d, "%s: no entry in 'hosts' is for this machine (%s)",
				name, who);
	if (r < 0)
		return -1;
	return rack_entry_load(h, conf_root(c), entry, d) < 0 ? -1 : 1;
}
