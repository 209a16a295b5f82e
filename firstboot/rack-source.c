/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SMBIOS strings are read from /sys/class/dmi/id (kernel drivers/firmware/dmi-id.c). The
 * placeholders of some vendors ("To Be Filled By O.E.M.") do no harm: they match only if
 * a rack.cfg contains them.
 */
#include "firstboot/rack-source.h"
#include "firstboot/link.h"
#include "lib/root.h"

#include <strings.h>

#define DMI_MAX 512
#define POLL_MS 50

/* --- the machine ------------------------------------------------------------------ */

/* Returns an SMBIOS string without blanks around it, owned by the caller; NULL when it is
 * absent or empty. */
static char *dmi(int rootfd, const char *name)
{
	_cleanup_free_ char *path = xasprintf("sys/class/dmi/id/%s", name), *text = NULL;
	size_t len, skip;

	if (root_read(rootfd, path, DMI_MAX, &text, NULL) < 0)
		return NULL;
	skip = strspn(text, " \t\n");
	len = strlen(text);
	while (len > skip && strchr(" \t\n", text[len - 1]))
		len--;
	return len > skip ? xstrndup(text + skip, len - skip) : NULL;
}

void machine_id_read(struct machine_id *ret, int rootfd)
{
	_cleanup_free_ struct link *links = NULL;
	size_t n = 0;

	*ret = (struct machine_id){.serial = dmi(rootfd, "product_serial"),
				   .uuid = dmi(rootfd, "product_uuid")};
	if (links_list(rootfd, &links, &n) < 0)
		return;
	ret->macs = xcalloc(n, sizeof(*ret->macs));
	for (size_t i = 0; i < n; i++)
		if (links[i].physical)
			ret->macs[ret->n_macs++] = links[i].mac;
}

void machine_id_done(struct machine_id *m)
{
	free(m->serial);
	free(m->uuid);
	free(m->macs);
	*m = (struct machine_id){0};
}

/* Returns "serial CZ1234, uuid 4c4c..., mac ..." for a message. Owned by the caller. */
static char *machine_text(const struct machine_id *m)
{
	_cleanup_buf_ struct buf b = {0};
	char mac[NET_MAC_LEN];

	if (m->serial)
		buf_printf(&b, "serial %s", m->serial);
	if (m->uuid)
		buf_printf(&b, "%suuid %s", b.len ? ", " : "", m->uuid);
	for (size_t i = 0; i < m->n_macs; i++)
		buf_printf(&b, "%smac %s", b.len ? ", " : "",
			   net_format_mac(m->macs[i], ':', mac));
	return b.len ? buf_take(&b) : xstrdup("no serial, UUID or MAC address");
}

/* --- its entry -------------------------------------------------------------------- */

static bool text_matches(const struct conf_node *host, const char *key, const char *have)
{
	const char *s = NULL;

	return have && conf_get_str(host, key, &s, NULL) > 0 && strcasecmp(s, have) == 0;
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

static const struct way {
	const char *key;
	bool (*matches)(const struct conf_node *host, const struct machine_id *m);
} ways[] = {
	{"serial", by_serial},
	{"uuid", by_uuid},
	{"mac", by_mac},
};

int rack_source_find(const struct conf_node *hosts, const struct machine_id *m,
		     const struct conf_node **ret, struct diag *d)
{
	const struct conf_node *found = NULL;

	for (size_t w = 0; w < ARRAY_SIZE(ways) && !found; w++)
		for (size_t i = 0; i < conf_len(hosts); i++) {
			const struct conf_node *host = conf_at(hosts, i);

			if (conf_type(host) != CONF_GROUP || !ways[w].matches(host, m))
				continue;
			if (found)
				return conf_complain(host, d,
						     "two hosts have this machine's %s, "
						     "the other is in line %u",
						     ways[w].key, conf_line(found));
			found = host;
		}
	*ret = found;
	return found != NULL;
}

/* --- the source ------------------------------------------------------------------- */

/* Finds the entry, with retries until fb->link_timeout, because the driver of a network
 * card may still be loading. Sets *who when it returns 0. */
static int find_waiting(const struct firstboot *fb, const struct conf_node *hosts,
			const struct conf_node **ret, char **who, struct diag *d)
{
	uint64_t end = now_ms() + (uint64_t)fb->link_timeout * 1000;

	for (;;) {
		_cleanup_machine_id_ struct machine_id m = {0};
		int r;

		machine_id_read(&m, fb->rootfd);
		r = rack_source_find(hosts, &m, ret, d);
		if (r != 0)
			return r;
		if (now_ms() >= end) {
			*who = machine_text(&m);
			return 0;
		}
		sleep_ms(POLL_MS);
	}
}

int rack_source_load(const struct firstboot *fb, const char *path, const char *name,
		     struct host *h, struct diag *d)
{
	const struct conf_node *cluster = NULL, *hosts = NULL, *entry = NULL;
	static const char *const keys[] = {"cluster", "hosts", NULL};
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_free_ char *who = NULL;
	int r;

	if (root_access(fb->rootfd, path) == -ENOENT)
		return 0;
	if (conf_read_root(&c, fb->rootfd, path, name, CONF_MAX_RACK, d) < 0 ||
	    conf_check_keys(conf_root(c), keys, d) < 0 ||
	    conf_get_group(conf_root(c), "cluster", &cluster, d) < 0 ||
	    conf_get_list(conf_root(c), "hosts", &hosts, d) < 0)
		return -1;
	r = find_waiting(fb, hosts, &entry, &who, d);
	if (r == 0)
		return diag_add(d, "%s: no entry in 'hosts' is for this machine (%s)",
				name, who);
	if (r < 0)
		return -1;
	return rack_entry_load(h, conf_root(c), entry, d) < 0 ? -1 : 1;
}
