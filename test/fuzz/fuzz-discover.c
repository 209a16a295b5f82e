/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary bytes as lines of nginx's, dnsmasq's and Kea's logs, and prints the
 * machines in them. Every entry is a comment and a line that libconfig reads as one host
 * with the machine's MAC address; every row of the table has as many cells as its first
 * row and none that is a formula.
 */
#include "pxe/discover.h"

#include "firstboot/model/conf.h"
#include "lib/csv.h"
#include "pxe/access.h"
#include "pxe/dhcp-log.h"
#include "pxe/discover-show.h"
#include "test/fuzz/fuzz-file.h"

static struct tree_host hosts[] = {
	{.name = (char *)"node-1",
	 .role = (char *)"node",
	 .mac = {{0x52, 0x54, 0, 0x25, 0, 0x11}},
	 .serial = (char *)"CZ 1",
	 .address = {.addr = 0xac19000b, .prefix = 24}},
};

static const struct tree_info info = {.hosts = hosts, .n_hosts = ARRAY_SIZE(hosts)};

static void check_entry(const char *entry)
{
	_cleanup_free_ char *text =
		xasprintf("hosts = (\n%s{ name = \"last\"; });\n", entry);
	const struct conf_node *list = NULL;
	_cleanup_conf_ struct conf *c = NULL;
	const char *s = NULL;
	struct mac mac;

	demand(conf_parse(&c, text, strlen(text), "x", CONF_MAX, 0, NULL) == 0,
	       "an entry cannot be read");
	demand(conf_get_list(conf_root(c), "hosts", &list, NULL) == 1 &&
		       conf_len(conf_root(c)) == 1 && conf_len(list) == 2,
	       "an entry is not one host");
	demand(conf_get_str(conf_at(list, 0), "mac", &s, NULL) == 1 &&
		       net_parse_mac(s, &mac) == 0,
	       "an entry has no mac");
}

static void check_table(struct buf *b, size_t rows)
{
	size_t len = b->len;
	_cleanup_csv_ struct csv csv;

	demand(csv_parse(&csv, buf_take(b), len, "x", NULL) == 0 && csv.n == rows,
	       "the table cannot be read");
	for (size_t i = 0; i < csv.n; i++) {
		demand(csv.rows[i].n == csv.rows[0].n, "a row has other cells");
		for (size_t k = 0; k < csv.rows[i].n; k++)
			demand(!*csv.rows[i].cells[k].text ||
				       !strchr("=+-@", *csv.rows[i].cells[k].text),
			       "a cell is a formula");
	}
}

/* Reads the same bytes as the table of --map: each name in it is found by its place. */
static void try_map(const uint8_t *data, size_t size)
{
	char *text = xcalloc(1, size + 1);
	_cleanup_port_map_ struct port_map map;

	if (size)
		memcpy(text, data, size);
	if (port_map_parse(&map, text, size, "x", NULL) < 0)
		return;
	for (size_t i = 0; i < map.places.n; i++) {
		_cleanup_strv_ char **v = strv_split(map.places.texts[i], "\t");
		const char *name;

		if (strv_len(v) != 2)
			continue; /* a tab in a name */
		name = port_map_find(&map, v[0], v[1]);
		demand(name && streq(name, map.names[i]), "a name is not found");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text =
		size ? xstrndup((const char *)data, size) : xstrdup("");
	_cleanup_strv_ char **lines = strv_split(text, "\n");
	struct discover d = {.info = info};
	_cleanup_proposals_ struct proposals all = {.map = NULL};
	_cleanup_free_ struct machine **v = NULL;
	_cleanup_buf_ struct buf table = {0};
	size_t n;

	try_map(data, size);
	for (size_t i = 0; lines && lines[i]; i++) {
		struct dhcp_line line;
		struct access a;

		if (access_parse(lines[i], &a) == 0)
			discover_request(&d.machines, &a);
		if (dhcp_line_parse(lines[i], 1764573000, &line))
			discover_dhcp(&d.machines, &line);
	}
	v = discover_list(&d, &n);
	demand(n <= MACHINES_MAX && d.machines.n <= MACHINES_MAX, "too many machines");
	proposals_learn(&all, &info);
	discover_append_titles(&table, &all);
	for (size_t i = 0; i < n; i++) {
		_cleanup_buf_ struct buf entry = {0};
		struct proposal p;

		proposals_next(&all, v[i], &p);
		discover_append_entry(&entry, v[i], &p);
		check_entry(entry.p);
		discover_append_row(&table, &all, v[i], &p);
		proposal_done(&p);
	}
	check_table(&table, n + 1);
	machines_done(&d.machines);
	return 0;
}
