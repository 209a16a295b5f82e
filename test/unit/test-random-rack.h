/* SPDX-License-Identifier: Apache-2.0 */
/* Random rack files for images of several kinds, in many of the ways that libconfig
 * allows, with usual, unusual and wrong values. The same seed gives the same file. */
#pragma once

#include "lib/file.h"
#include "test-roles.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define HOSTS_MAX 4

/* --- random choices ----------------------------------------------------------------- */

static uint64_t rng;

static unsigned below(unsigned n)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (unsigned)(rng >> 11) % n;
}

static bool one_in(unsigned n)
{
	return below(n) == 0;
}

static void seed(unsigned n)
{
	rng = 0x9e3779b97f4a7c15 * (n + 1);
	for (unsigned i = 0; i < 8; i++)
		(void)below(2);
}

/* --- images ------------------------------------------------------------------------- */

/* An image by its roles: that of a rack's first host, and those of all others. */
static const struct kind {
	const char *text;
	const char *first, *others[4];
} kinds[] = {
	{ROLES_2015, "master", {"node"}},
	{ROLES_WEB, "web", {"web", "store"}},
	{ROLES_MIXED, "master", {"web", "router", "node"}},
	{ROLES_MIXED, "web", {"web", "router"}},
};
#define KINDS ARRAY_SIZE(kinds)

static const char *role_name(const struct kind *k, unsigned i)
{
	unsigned n = 0;

	while (n < ARRAY_SIZE(k->others) && k->others[n])
		n++;
	return i == 0 ? k->first : k->others[below(n)];
}

/* --- the text of a rack ------------------------------------------------------------- */

struct setting {
	const char *key;
	const char *values[10]; /* as libconfig has them; the first ones are right */
};

static const struct setting for_both[] = {
	{"gateway", {"\"172.25.0.1\"", "\"172.25.0.254\"", "\"172.25.9.1\"", "\"\""}},
	{"dns",
	 {"[ \"172.25.0.1\" ]", "( \"10.0.0.1\", \"10.0.0.2\" )", "[ ]",
	  "[ \"1.1.1.1\", \"1.1.1.2\", \"1.1.1.3\", \"1.1.1.4\" ]", "\"1.1.1.1\""}},
	{"search", {"[ \"example.net\" ]", "( \"a.b\", \"c\" )", "[ \"a b\" ]"}},
	{"ntp", {"[ \"ntp.example\" ]", "[ \"172.25.0.1\" ]", "[ \"a\", \"\" ]"}},
	{"mtu",
	 {"1500", "9000", "0", "0x5dc", "1500L", "4294967296", "-1", "67", "70000",
	  "\"1500\""}},
	{"cbr0_mtu", {"1400", "0", "576", "1"}},
	{"bond",
	 {"[ \"eth0\", \"eth1\" ]", "[ \"52:54:00:99:00:01\", \"eth1\" ]", "[ ]",
	  "[ \"eth0\", \"eth0\" ]"}},
	{"bond",
	 {"[ \"eth0\", \"eth1\" ]; bond_mode = \"active-backup\"",
	  "[ \"eth0\", \"eth1\" ]; bond_mode = \"802.3ad\"; bond_lacp_rate = \"fast\"",
	  "[ \"eth0\", \"eth1\" ]; bond_hash = \"layer2\"; bond_mode = \"802.3ad\"",
	  "[ \"eth0\" ]; bond_mode = \"5\"", "[ \"eth0\" ]; bond_miimon = 100"}},
	{"vlan", {"5", "0", "4094", "4095"}},
	{"interface",
	 {"\"eth0\"", "\"enp1s0f0.5\"", "\"en o1\"", "\"abcdefghijklmnop\"", "\"..\""}},
	{"etcd",
	 {"\"172.25.0.10:4001\"", "\"172.25.0.10:1\"", "\"172.25.0.10\"",
	  "\"172.25.0.10:0\""}},
	{"nat", {"true", "false", "TRUE", "1", "\"true\""}},
	{"nat_exempt", {"[ \"10.0.0.0/8\" ]", "[ ]", "[ \"10.0.0.1/8\" ]"}},
	{"docker_options",
	 {"[ \"--debug\" ]", "[ ]", "[ \"-H\", \"a b\" ]", "[ \"x\\ny\" ]"}},
	{"ssh_keys",
	 {"[ \"ssh-ed25519 "
	  "AAAAC3NzaC1lZDI1NTE5AAAAIJQdqrdrD2gBQk4VJ4fX7EuSPiuXUWHeLxYyvRp7NmKi a\" ]",
	  "[ ]", "[ \"ssh-rsa AAAA\" ]"}},
	{"environment",
	 {"[ \"A=b\" ]", "[ \"HTTP_PROXY=http://p:3128/\", \"B=\" ]", "[ \"A=b c\" ]",
	  "[ \"A=\\\"x\\\"\" ]", "[ \"a-b=c\" ]", "[ \"A=$B\" ]", "[ \"A\" ]"}},
	{"console",
	 {"\"ttyS0\"", "\"ttyS0,115200\"", "\"tty0\"", "\"ttyS0,115200n8r\"",
	  "\"/dev/ttyS0\""}},
	{"cmdline",
	 {"\"quiet\"", "\"panic=60 quiet\"", "\"a=\\\"b c\\\"\"",
	  "\"rackstrap.mtu=1500\"", "\"rackstrap.debug\"", "\"RACKSTRAP.nat=0\"",
	  "\"rackstrap_nat=false\"", "\"x\\ty\"", "\"-- rackstrap.role=none\""}},
	{"state_disk", {"\"/dev/vda\"", "\"none\"", "\"vda\""}},
};

static const struct setting for_cluster[] = {
	{"pod_network", {"\"192.168.0.0/16\"", "\"192.168.0.0/18\"", "\"10.0.0.1/8\""}},
	{"service_network", {"\"10.100.0.0/16\"", "\"10.101.0.0/24\"", "\"10.1.0.0\""}},
	{"pools", {"[ \"192.168.0.0/16\" ]", "[ \"192.168.0.0/16 ipip\" ]", "[ ]"}},
	{"bgp_as", {"64512", "\"4200000000\"", "0", "\"64512\"", "-5", "\"0x10\""}},
	{"bgp_mesh", {"true", "TRUE", "false"}},
	{"bgp_peers", {"[ \"172.25.0.1 as 64512\" ]", "[ ]", "[ \"172.25.0.1\" ]"}},
};

static const struct setting for_host[] = {
	{"serial",
	 {"\"CZ12%u\"", "\" CZ12%u \"", "\"cz 12%u\"", "\"A\\\\B%u\"", "\"x\\\"%u\"",
	  "\"None\"", "\"\\t%u\"", "\"  \""}},
	{"uuid",
	 {"\"4c4c4544-0051-3510-8052-b7c04f4e323%u\"",
	  "\"4C4C4544-0051-3510-8052-B7C04F4E323%u\"",
	  "\" 4c4c4544-0051-3510-8052-b7c04f4e323%u\"",
	  "\"00000000-0000-0000-0000-000000000000\""}},
	{"report",
	 {"\"http://172.25.0.1/r%u\"", "\"http://h:8080/\"", "\"http://h/a?b=c\"",
	  "\"http://u:p@h/\"", "\"https://h/\"", "\"http://h/ x\""}},
	{"bgp_node_peers", {"[ \"172.25.0.7 as 64513\" ]", "[ ]", "[ \"x\" ]"}},
	{"node_network", {"\"172.25.0.0/24\"", "\"172.25.0.0/16\"", "\"10.0.0.0/8\""}},
};

/* Appends blanks and comments, which libconfig ignores. */
static void append_space(struct buf *b)
{
	static const char *const spaces[] = {
		" ",   " ", " ", "\n", "\t", " /* ; } */ ", " # \"x\n", " // @include\n",
		"\r\n"};

	buf_puts(b, spaces[below(ARRAY_SIZE(spaces))]);
}

/* Appends a value, at times with other bytes that mean the same or nearly so. */
static void append_value(struct buf *b, const char *value)
{
	bool string = false;

	for (const char *p = value; *p; p++) {
		bool quote = *p == '"' && (p == value || p[-1] != '\\');

		if (quote)
			string = !string;
		if (quote && !string && one_in(250))
			buf_puts(b, " "); /* a blank at the end of the string */
		if (string && !quote && p[0] != '\\' && p[-1] != '\\' && one_in(300))
			buf_printf(b, "\\x%02x", (unsigned char)*p);
		else
			buf_add(b, p, 1);
		if (quote && string && one_in(250))
			buf_puts(b, one_in(2) ? " " : "\\t"); /* at its beginning */
		if (string && !quote && *p != '\\' && (p == value || p[-1] != '\\') &&
		    p[1] != '"' && one_in(300))
			buf_puts(b, "\" \""); /* two strings, which are joined */
	}
}

static void append_setting(struct buf *b, const char *key, const char *value)
{
	append_space(b);
	buf_puts(b, key);
	buf_puts(b, one_in(8) ? " :" : " =");
	append_space(b);
	append_value(b, value);
	buf_puts(b, one_in(20) ? " " : ";");
	append_space(b);
}

/* Returns true for a key that hosts with these features have. */
static bool fits(const char *key, uint32_t set)
{
	const struct host_key *k = host_key_find(key);
	const struct feature *f = k ? feature_of_key(k->id) : NULL;

	return !f || set & FEATURE_BIT(f->id);
}

/* Appends one setting of the table, unless the group has it; the first two values more
 * often than the others. `set`: keys of other features are seldom given. */
static void append_one(struct buf *b, const struct setting *table, size_t n, unsigned i,
		       uint32_t set)
{
	const struct setting *s = &table[below((unsigned)n)];
	_cleanup_free_ char *value = NULL;
	const char *percent;
	unsigned count = 0;

	if (strstr(b->p, s->key) || (!fits(s->key, set) && !one_in(20)))
		return;
	while (count < ARRAY_SIZE(s->values) && s->values[count])
		count++;
	value = xstrdup(s->values[one_in(5) ? below(count) : below(2)]);
	percent = strstr(value, "%u");
	if (percent) {
		char *numbered = xasprintf("%.*s%u%s", (int)(percent - value), value, i,
					   percent + 2);

		free(value);
		value = numbered;
	}
	append_setting(b, s->key, value);
}

static const char *host_name(unsigned i)
{
	static const char *const usual[] = {"m", "node-1", "node-2", "node-3"};
	static const char *const unusual[] = {"m", "24h", "x-1", "a.b"};

	return one_in(30) ? unusual[i] : usual[i];
}

static void append_host(struct buf *b, const struct kind *k, const struct roles *roles,
			bool has_network, unsigned i)
{
	const char *role = role_name(k, i);
	const uint32_t set = roles_find(roles, role)->features;
	_cleanup_free_ char *quoted = xasprintf("\"%s\"", role);
	_cleanup_free_ char *name = xasprintf("\"%s\"", host_name(i));
	_cleanup_free_ char *mac = xasprintf(
		one_in(8) ? "\"52-54-00-AA-00-1%u\"" : "\"52:54:00:aa:00:1%u\"", i);
	_cleanup_free_ char *address = xasprintf(
		one_in(6) != has_network ? "\"172.25.0.1%u\"" : "\"172.25.0.1%u/24\"", i);
	_cleanup_free_ char *cbr0 = xasprintf("\"192.168.%u.1/24\"", i);

	buf_puts(b, "{");
	append_setting(b, "name", name);
	append_setting(b, "role", quoted);
	append_setting(b, "mac", mac);
	append_setting(b, "address", address);
	if (set & FEATURE_BIT(FEATURE_CBR0))
		append_setting(b, "cbr0", cbr0);
	for (unsigned n = below(3); n > 0; n--)
		if (one_in(2))
			append_one(b, for_host, ARRAY_SIZE(for_host), i, set);
		else
			append_one(b, for_both, ARRAY_SIZE(for_both), i, set);
	buf_puts(b, " }");
}

static void append_cluster(struct buf *b, const struct kind *k, const struct roles *roles,
			   bool has_network)
{
	const uint32_t set = roles_features(roles);

	append_setting(b, "name", one_in(100) ? "\"a b\"" : "\"demo\"");
	if (has_network)
		append_setting(b, "node_network", "\"172.25.0.0/24\"");
	append_setting(b, "boot_server", "\"172.25.0.1\"");
	append_setting(b, "gateway", "\"172.25.0.1\"");
	if (streq(k->first, "master"))
		append_setting(b, "master", one_in(5) ? "\"172.25.0.10\"" : "\"m\"");
	for (unsigned n = below(3); n > 0; n--)
		if (one_in(2))
			append_one(b, for_cluster, ARRAY_SIZE(for_cluster), 0, set);
		else
			append_one(b, for_both + 1, ARRAY_SIZE(for_both) - 1, 0, set);
}

/* Moves the text into a file beside the rack that is included in its place. */
static void include(struct buf *b, const char *dir, const char *name,
		    const struct buf *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(file_write_at(AT_FDCWD, path, text->p, text->len, 0644), 0);
	buf_printf(b, "\n@include \"%s\"\n", name);
}

/* Writes a rack file, which may include others. Returns its path, owned. */
static char *make_rack(const char *dir, const struct kind *k, const struct roles *roles)
{
	_cleanup_buf_ struct buf b = {0}, cluster = {0}, hosts = {0};
	unsigned n = 1 + below(HOSTS_MAX);
	char *path = xasprintf("%s/rack.cfg", dir);
	bool has_network = k == kinds || one_in(2);

	append_cluster(&cluster, k, roles, has_network);
	for (unsigned i = 0; i < n; i++) {
		append_host(&hosts, k, roles, has_network, i);
		if (i + 1 < n)
			buf_puts(&hosts, ",");
		append_space(&hosts);
	}
	append_space(&b);
	buf_puts(&b, one_in(2) ? "cluster : {" : "cluster = {");
	if (one_in(10))
		include(&b, dir, "cluster.cfg", &cluster);
	else
		buf_puts(&b, cluster.p);
	buf_puts(&b, one_in(20) ? " }" : " };");
	buf_puts(&b, "\nhosts = (");
	if (one_in(10))
		include(&b, dir, "hosts.cfg", &hosts);
	else
		buf_puts(&b, hosts.p);
	buf_puts(&b, one_in(20) ? ")" : ");\n");
	assert_int_equal(file_write_at(AT_FDCWD, path, b.p, b.len, 0644), 0);
	return path;
}
