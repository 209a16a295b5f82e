/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/rack.h. test/should-fail/rack has a rack for each error message. */
#include "pxe/rack.h"
#include "test-roles.h"

#include "firstboot/model/rack-entry.h"
#include "lib/file.h"
#include "lib/net.h"
#include "pxe/tree-strangers.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int load(struct rack *r, const char *text, struct diag *d)
{
	_cleanup_roles_ struct roles roles = {0};

	roles_2015(&roles);
	return rack_parse(r, text, strlen(text), "r.cfg", CONF_NO_INCLUDE, &roles, d);
}

static void print_all(const struct diag *d)
{
	for (size_t i = 0; i < d->n; i++)
		print_error("%s\n", d->lines[i]);
}

/* --- the shipped examples --------------------------------------------------------- */

static void demo_rack_is_read(void **state)
{
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_rack_ struct rack r = {0};
	_cleanup_diag_ struct diag d = {0};
	const struct rack_host *m, *n;
	char text[NET_CIDR_LEN];

	(void)state;
	roles_2015(&roles);
	assert_int_equal(rack_load(&r, "configs/demo.cfg", &roles, &d), 0);
	assert_string_equal(r.name, "demo");
	assert_int_equal(r.n_hosts, 3);
	assert_int_equal(r.boot_server, 0xac190001);
	assert_string_equal(net_format_cidr(r.network, text), "172.25.0.0/24");
	m = &r.hosts[0];
	n = &r.hosts[2];
	assert_string_equal(m->host.name, "master");
	assert_int_equal(m->host.f.kubernetes.master, m->host.address.addr);
	assert_int_equal(m->vm_memory, 1536 << 20);
	assert_int_equal(m->vm_disk, 4ULL << 30);
	assert_string_equal(m->state_disk, "/dev/vda");
	assert_string_equal(n->host.cluster, "demo");
	assert_string_equal(net_format_cidr(n->host.address, text), "172.25.0.12/24");
	assert_string_equal(net_format_cidr(n->host.f.cbr0.address, text),
			    "192.168.2.1/24");
	assert_int_equal(n->host.f.kubernetes.master, 0xac19000a);
	assert_int_equal(n->host.f.kubernetes.etcd.port, 4001);
	assert_string_equal(n->host.console, "ttyS0,115200");
	assert_null(n->state_disk);
	assert_int_equal(n->vm_memory, 1280 << 20);
	assert_int_equal(n->vm_disk, 0);
}

/* Checks that every host of a valid rack has a valid host.cfg: renders it, reads it back
 * with the node's own loader, checks it and renders it again to the same text. */
static void round_trip(const char *path, size_t n)
{
	_cleanup_roles_ struct roles roles = {0};
	_cleanup_rack_ struct rack r = {0};
	_cleanup_diag_ struct diag d = {0};

	roles_2015(&roles);
	assert_int_equal(rack_load(&r, path, &roles, &d), 0);
	assert_int_equal(r.n_hosts, n);
	for (size_t i = 0; i < n; i++) {
		_cleanup_free_ char *text = host_render(&r.hosts[i].host), *again = NULL;
		_cleanup_conf_ struct conf *conf = NULL;
		_cleanup_host_ struct host h = {0};

		assert_int_equal(conf_parse(&conf, text, strlen(text), "host.cfg",
					    CONF_MAX, CONF_NO_INCLUDE, &d),
				 0);
		host_init(&h);
		assert_int_equal(host_load_conf(&h, conf_root(conf), "", &d), 0);
		host_derive(&h, &roles);
		assert_int_equal(host_check(&h, &roles, &d), 0);
		again = host_render(&h);
		assert_string_equal(again, text);
	}
	assert_int_equal(d.n, 0);
}

static void examples_are_read_back(void **state)
{
	(void)state;
	round_trip("configs/demo.cfg", 3);
	round_trip("configs/rack40.cfg", 40);
	round_trip("test/golden/pxe/tags.cfg", 3);
	round_trip("test/golden/pxe/plain.cfg", 2);
}

/* Returns whether rack.cfg(5) has `key` as a separate word. */
static bool page_names(const char *page, const char *key)
{
	for (const char *at = page; (at = strstr(at, key)); at++) {
		char before = at > page ? at[-1] : '\n', after = at[strlen(key)];

		if (strchr(" \n", before) && strchr(" \n", after))
			return true;
	}
	return false;
}

static void man_page_has_every_key(void **state)
{
	const struct other_key *others[] = {rack_cluster_group.others,
					    rack_entry_group.others};
	_cleanup_free_ char *page = NULL;

	(void)state;
	assert_int_equal(file_read_at(AT_FDCWD, "man/rack.cfg.5", 1 << 20, &page, NULL),
			 0);
	for (size_t i = 0; i < HOST_KEY_COUNT; i++)
		if (!page_names(page, host_key(i)->name))
			fail_msg("man/rack.cfg.5 does not name %s", host_key(i)->name);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		for (const struct other_key *k = others[i]; k->name; k++)
			if (!page_names(page, k->name))
				fail_msg("man/rack.cfg.5 does not name %s", k->name);
	assert_false(page_names(page, "gatewa"));
}

/* --- values and their sources ----------------------------------------------------- */

#define CLUSTER                                                                          \
	"cluster : { name = \"c\"; node_network = \"10.0.0.0/16\";\n"                    \
	"  boot_server = \"10.0.0.1\"; gateway = \"10.0.0.1\"; master = \"m\";\n"
#define MASTER                                                                           \
	"  { name = \"m\"; role = \"master\"; mac = \"52:54:00:00:00:01\";"              \
	" address = \"10.0.0.10\"; }"

static void host_keys_win_over_cluster_keys(void **state)
{
	static const char text[] = CLUSTER
		"  dns = [ \"10.0.0.2\" ]; mtu = 1400; console = \"ttyS1\";\n"
		"  vm : { memory = \"512M\"; cpus = 2; }; };\n"
		"hosts = (\n" MASTER ",\n"
		"  { name = \"n\"; role = \"node\"; mac = \"52-54-00-00-00-02\";\n"
		"    address = \"10.0.0.11/16\"; cbr0 = \"192.168.1.1/24\";\n"
		"    mtu = 9000; console = \"tty0\"; cmdline = \"a  b\";\n"
		"    vm : { disk = \"1G\"; }; } );\n";
	_cleanup_rack_ struct rack r = {0};
	_cleanup_diag_ struct diag d = {0};
	const struct rack_host *n;
	char where[128];

	(void)state;
	if (load(&r, text, &d) < 0)
		print_all(&d);
	assert_int_equal(r.n_hosts, 2);
	n = &r.hosts[1];
	assert_int_equal(n->host.mtu, 9000);
	assert_string_equal(host_where(&n->host, HOST_MTU, where, sizeof(where)),
			    "r.cfg:9");
	assert_true(strv_has(n->host.dns, "10.0.0.2"));
	assert_string_equal(host_where(&n->host, HOST_DNS, where, sizeof(where)),
			    "r.cfg:3");
	assert_string_equal(host_where(&n->host, HOST_MASTER, where, sizeof(where)),
			    "r.cfg:2");
	assert_string_equal(host_where(&n->host, HOST_ADDRESS, where, sizeof(where)),
			    "r.cfg:8");
	assert_int_equal(r.hosts[0].host.mtu, 1400);
	assert_string_equal(r.hosts[0].host.console, "ttyS1");
	assert_string_equal(n->host.console, "tty0");
	assert_string_equal(n->cmdline, "a  b");
	assert_int_equal(n->vm_memory, 512 << 20);
	assert_int_equal(n->vm_cpus, 2);
	assert_int_equal(n->vm_disk, 1 << 30);
	assert_int_equal(n->host.address.prefix, 16);
	assert_int_equal(r.hosts[0].host.address.prefix, 16);
}

/* The cluster's master is not in the rack. */
static void master_may_be_outside_the_rack(void **state)
{
	static const char text[] =
		"cluster : { name = \"c\"; node_network = \"10.0.0.0/16\"; gateway = "
		"\"10.0.0.1\";\n boot_server = \"10.0.0.1\"; master = \"10.9.0.10\"; };\n"
		"hosts = ( { name = \"n\"; role = \"node\"; mac = \"52:54:00:00:00:02\";"
		" address = \"10.0.0.11\"; cbr0 = \"192.168.1.1/24\"; } );\n";
	_cleanup_rack_ struct rack r = {0};
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	if (load(&r, text, &d) < 0)
		print_all(&d);
	assert_int_equal(r.n_hosts, 1);
	assert_int_equal(r.hosts[0].host.f.kubernetes.master, 0x0a09000a);
}

/* The role's features decide who is a master, not the role's name. */
static void master_role_may_have_any_name(void **state)
{
	static const char text[] = CLUSTER
		"};\nhosts = (\n"
		"  { name = \"m\"; role = \"boss\"; mac = \"52:54:00:00:00:01\";"
		" address = \"10.0.0.10\"; },\n"
		"  { name = \"n\"; role = \"master\"; mac = \"52:54:00:00:00:02\";"
		" address = \"10.0.0.11\"; } );\n";
	struct role v[] = {
		{.name = (char *)"boss",
		 .features = FEATURE_BIT(FEATURE_KUBERNETES) |
			     FEATURE_BIT(FEATURE_KUBERNETES_MASTER)},
		{.name = (char *)"master", .features = FEATURE_BIT(FEATURE_KUBERNETES)}};
	const struct roles roles = {.v = v, .n = ARRAY_SIZE(v)};
	_cleanup_rack_ struct rack r = {0};
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	if (rack_parse(&r, text, strlen(text), "r.cfg", 0, &roles, &d) < 0)
		print_all(&d);
	assert_int_equal(r.n_hosts, 2);
	assert_int_equal(r.hosts[0].host.f.kubernetes.master, 0x0a00000a);
	assert_int_equal(r.hosts[1].host.f.kubernetes.master, 0x0a00000a);
}

/* The smaller one of two networks has the first address of the pool only. */
static void pool_is_in_the_network_that_has_all_of_it(void **state)
{
	static const char text[] =
		"cluster : { name = \"lab\"; boot_server = \"10.5.0.1\";\n"
		"  strangers : { pool = \"10.5.0.100-10.5.0.150\"; }; };\n"
		"hosts = (\n"
		"  { name = \"a\"; role = \"r\"; mac = \"02:00:00:00:00:01\";"
		" address = \"10.5.0.11/25\"; },\n"
		"  { name = \"b\"; role = \"r\"; mac = \"02:00:00:00:00:02\";"
		" address = \"10.5.0.200/24\"; } );\n";
	static const struct roles any = {.any = true};
	_cleanup_rack_ struct rack r = {0};
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	if (rack_parse(&r, text, strlen(text), "r.cfg", 0, &any, &d) < 0)
		print_all(&d);
	assert_int_equal(d.n, 0);
	assert_int_equal(strangers_network(&r).prefix, 24);
}

/* A mistake in the cluster's keys affects every host but is reported once. */
static void cluster_mistake_is_reported_once(void **state)
{
	static const char text[] = CLUSTER
		"  pod_network = \"192.168.0.1/16\"; nat = \"yes\"; };\n"
		"hosts = (\n" MASTER ",\n"
		"  { name = \"n\"; role = \"node\"; mac = \"52:54:00:00:00:02\";\n"
		"    address = \"10.0.0.11\"; cbr0 = \"192.168.1.1/24\"; },\n"
		"  { name = \"o\"; role = \"node\"; mac = \"52:54:00:00:00:03\";\n"
		"    address = \"10.0.0.12\"; cbr0 = \"192.168.2.1/24\"; } );\n";
	_cleanup_rack_ struct rack r = {0};
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	assert_int_equal(load(&r, text, &d), -1);
	assert_int_equal(d.n, 2);
	assert_string_equal(d.lines[0], "r.cfg:3: cluster: nat: must be true or false");
	assert_string_equal(d.lines[1],
			    "r.cfg:3: pod_network: 192.168.0.1/16 has host bits set: the "
			    "network is 192.168.0.0/16");
	assert_null(r.hosts);
}

/* Overlapping bridges are found also when they are not neighbours in any order. */
static void overlapping_bridges_are_found(void **state)
{
	static const struct {
		const char *cbr0[3];
		const char *want[2];
	} cases[] = {
		{{"192.168.1.1/24", "192.168.2.1/24", "192.168.2.9/24"},
		 {"n2': cbr0 192.168.2.9/24 overlaps 192.168.2.1/24, the cbr0 of host "
		  "'n1'"}},
		{{"192.168.0.1/20", "192.168.1.1/24", "192.168.2.1/24"},
		 {"n1': cbr0 192.168.1.1/24 overlaps 192.168.0.1/20, the cbr0 of host "
		  "'n0'",
		  "n2': cbr0 192.168.2.1/24 overlaps 192.168.0.1/20, the cbr0 of host "
		  "'n0'"}},
		{{"192.168.9.1/24", "192.168.0.1/24", "192.168.0.1/20"},
		 {"n2': cbr0 192.168.0.1/20 overlaps 192.168.9.1/24, the cbr0 of host "
		  "'n0'"}},
		{{"192.168.1.1/24", "192.168.2.1/24", "192.168.3.1/24"}, {NULL}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_rack_ struct rack r = {0};
		_cleanup_diag_ struct diag d = {0};
		_cleanup_buf_ struct buf b = {0};
		size_t found = 0;

		buf_puts(&b, CLUSTER "};\nhosts = (\n" MASTER);
		for (size_t k = 0; k < 3; k++)
			buf_printf(&b,
				   ",\n{ name = \"n%zu\"; role = \"node\"; mac = "
				   "\"52:54:00:00:00:1%zu\"; address = \"10.0.1.%zu\"; "
				   "cbr0 = \"%s\"; }",
				   k, k, k + 1, cases[i].cbr0[k]);
		buf_puts(&b, " );\n");
		(void)!load(&r, b.p, &d);
		for (size_t k = 0; k < d.n; k++) {
			if (!strstr(d.lines[k], "the cbr0 of"))
				continue;
			if (found == 2 ||
			    !strstr(d.lines[k],
				    cases[i].want[found] ? cases[i].want[found] : "-"))
				fail_msg("case %zu: %s", i, d.lines[k]);
			found++;
		}
		assert_true(found == 2 || !cases[i].want[found]);
	}
}

/* --- thousands of hosts ----------------------------------------------------------- */

#define MANY 5000

/* Returns a rack with hosts 1 to MANY. With `same`, all have the first one's MAC address,
 * address and cbr0. Owned by the caller. */
static char *many(bool same)
{
	_cleanup_buf_ struct buf b = {0};

	buf_puts(&b, "cluster : { name = \"c\"; node_network = \"10.0.0.0/16\";\n"
		     "  boot_server = \"10.0.255.1\"; gateway = \"10.0.255.1\";\n"
		     "  pod_network = \"100.64.0.0/10\"; service_network = "
		     "\"192.168.0.0/16\";\n"
		     "  master = \"10.0.255.10\"; };\nhosts = (\n");
	for (unsigned i = 1; i <= MANY; i++) {
		unsigned k = same ? 1 : i;

		buf_printf(&b,
			   "{ name = \"node-%u\"; role = \"node\"; mac = "
			   "\"52:54:00:00:%02x:%02x\"; address = \"10.0.%u.%u\"; cbr0 = "
			   "\"100.%u.%u.1/24\"; }%s\n",
			   i, k >> 8, k & 255, k >> 8, k & 255, 64 + k / 256, k % 256,
			   i < MANY ? "," : " );");
	}
	return buf_take(&b);
}

static void thousands_of_hosts_pass(void **state)
{
	_cleanup_free_ char *text = many(false);
	_cleanup_rack_ struct rack r = {0};
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	if (load(&r, text, &d) < 0)
		print_error("%s\n", d.lines[0]);
	assert_int_equal(r.n_hosts, MANY);
	assert_string_equal(r.hosts[MANY - 1].host.name, "node-5000");
}

static void thousands_of_mistakes_are_reported(void **state)
{
	_cleanup_free_ char *text = many(true);
	_cleanup_rack_ struct rack r = {0};
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	assert_int_equal(load(&r, text, &d), -1);
	assert_int_equal(diag_count(&d), 3 * (MANY - 1));
	assert_int_equal(d.n, 3);
	assert_string_equal(d.lines[0],
			    "r.cfg:7: host 'node-2': mac 52:54:00:00:00:01 is "
			    "also host 'node-1' (line 6)");
	assert_string_equal(d.lines[d.n - 1],
			    "r.cfg:7: host 'node-2': cbr0 100.64.1.1/24 overlaps "
			    "100.64.1.1/24, the cbr0 of host 'node-1' (line 6)");
	assert_string_equal(d.details[0],
			    "    and 4998 more hosts: node-3 (line 8), node-4 (line 9), "
			    "node-5 (line 10), node-6 (line 11), ...");
}

/* Loads a rack whose first host has 7 unknown keys, the others have `n` each. */
static void load_unknown(struct diag *d, unsigned n, unsigned hosts)
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_rack_ struct rack r = {0};

	buf_puts(&b, CLUSTER " };\nhosts = (\n" MASTER);
	for (unsigned i = 1; i <= hosts; i++) {
		buf_printf(&b,
			   "%s{ name = \"node-%u\"; role = \"node\"; mac = "
			   "\"52:54:00:00:01:%02x\"; address = \"10.0.0.1%u\"; cbr0 = "
			   "\"192.168.%u.1/24\";",
			   ",\n", i, i, i, i);
		for (unsigned k = 0; k < (i > 1 ? n : 7); k++)
			buf_printf(&b, " key%u = 1;", k);
		buf_puts(&b, " }");
	}
	buf_puts(&b, " );\n");
	assert_int_equal(load(&r, b.p, d), -1);
}

static void mistakes_of_one_host_are_all_reported(void **state)
{
	_cleanup_diag_ struct diag d = {0}, others = {0}, many_more = {0};

	(void)state;
	load_unknown(&d, 0, 2);
	assert_int_equal(d.n, 7);
	assert_int_equal(diag_count(&d), 7);
	for (size_t i = 0; i < d.n; i++)
		assert_null(d.details[i]);
	load_unknown(&others, 1, 3);
	assert_int_equal(others.n, 9);
	load_unknown(&many_more, 2, 13);
	assert_int_equal(many_more.n, 7 + 9 * 2);
	assert_int_equal(diag_count(&many_more), 7 + 12 * 2);
	assert_string_equal(many_more.details[many_more.n - 1],
			    "    and 3 more hosts: node-11 (line 16), node-12 (line 17), "
			    "node-13 (line 18)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(demo_rack_is_read),
		cmocka_unit_test(examples_are_read_back),
		cmocka_unit_test(man_page_has_every_key),
		cmocka_unit_test(host_keys_win_over_cluster_keys),
		cmocka_unit_test(master_may_be_outside_the_rack),
		cmocka_unit_test(master_role_may_have_any_name),
		cmocka_unit_test(pool_is_in_the_network_that_has_all_of_it),
		cmocka_unit_test(cluster_mistake_is_reported_once),
		cmocka_unit_test(overlapping_bridges_are_found),
		cmocka_unit_test(thousands_of_hosts_pass),
		cmocka_unit_test(thousands_of_mistakes_are_reported),
		cmocka_unit_test(mistakes_of_one_host_are_all_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
