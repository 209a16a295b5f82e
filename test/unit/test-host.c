/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/host-check.h"
#include "firstboot/model/host-value.h"
#include "lib/file.h"
#include "lib/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define KEY                                                                              \
	"ssh-ed25519 "                                                                   \
	"AAAAC3NzaC1lZDI1NTE5AAAAIDq1F/2X0oTVvX7oP0Zb7dN2gRkU0f1Jx0b2o3a4c5d6 "          \
	"op@desk"

static void assert_lines(const struct diag *d, const char *want)
{
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; i < d->n; i++)
		buf_printf(&b, "%s\n", d->lines[i]);
	assert_string_equal(b.p ? b.p : "", want);
}

/* Loads a text into the host, over its present values. */
static int load(struct host *h, const char *text, struct diag *d)
{
	_cleanup_conf_ struct conf *c = NULL;

	assert_int_equal(conf_parse(&c, text, strlen(text), "host.cfg", CONF_MAX, 0, d),
			 0);
	return host_load_conf(h, conf_root(c), "", d);
}

static const char everything[] =
	"name = \"node-1\";\n"
	"role = \"node\";\n"
	"cluster = \"demo\";\n"
	"mac = \"52:54:00:25:00:11\";\n"
	"interface = \"eth0\";\n"
	"address = \"172.25.0.11/24\";\n"
	"gateway = \"172.25.0.1\";\n"
	"dns = [ \"172.25.0.1\", \"172.25.0.2\" ];\n"
	"search = [ \"rack.example\" ];\n"
	"ntp = [ \"172.25.0.1\", \"ntp.example\" ];\n"
	"mtu = 9000;\n"
	"bond = [ \"52:54:00:25:00:11\", \"eth1\" ];\n"
	"bond_mode = \"802.3ad\";\n"
	"bond_miimon = 50;\n"
	"bond_hash = \"layer3+4\";\n"
	"bond_lacp_rate = \"fast\";\n"
	"vlan = 100;\n"
	"master = \"172.25.0.10\";\n"
	"etcd = \"172.25.0.9:4002\";\n"
	"cbr0 = \"192.168.1.1/24\";\n"
	"cbr0_mtu = 1450;\n"
	"pod_network = \"192.168.0.0/16\";\n"
	"node_network = \"172.25.0.0/24\";\n"
	"service_network = \"10.100.0.0/16\";\n"
	"nat = false;\n"
	"nat_exempt = [ \"10.0.0.0/8\", \"192.0.2.0/24\" ];\n"
	"pools = [ \"192.168.0.0/17 ipip\", \"192.168.128.0/17\" ];\n"
	"bgp_as = \"4200000010\";\n"
	"bgp_mesh = false;\n"
	"bgp_peers = [ \"172.25.0.2 as 64512\", \"172.25.0.3 as 4200000001\" ];\n"
	"bgp_node_peers = [ \"172.25.0.4 as 64513\" ];\n"
	"docker_options = [ \"--insecure-registry=172.25.0.1:5000\" ];\n"
	"ssh_keys = [ \"" KEY "\" ];\n"
	"environment = [ \"HTTP_PROXY=http://172.25.0.1:3128\" ];\n"
	"console = \"ttyS0,115200\";\n"
	"report = \"http://172.25.0.1/report/node-1.json\";\n"
	"report_token = \"5eC2et_-\";\n";

static void test_key_table_is_complete(void **state _unused_)
{
	for (size_t i = 0; i < HOST_KEY_COUNT; i++) {
		assert_int_equal(host_keys[i].id, i);
		assert_non_null(host_keys[i].name);
		assert_non_null(host_keys[i].summary);
		assert_true(i == 0 || host_keys[i].offset > 0);
	}
}

/* Two hosts in one struct: a key whose offset is in the second host must not change the
 * first one. */
struct two {
	struct host first, second;
};

/* Returns the key with the offset of its field in the second host. */
static struct host_key second_key(size_t i)
{
	struct host_key k = host_keys[i];

	k.offset += offsetof(struct two, second);
	return k;
}

static void test_values_are_found_by_offset(void **state _unused_)
{
	struct two two;
	_cleanup_host_ struct host from;
	_cleanup_diag_ struct diag d = {0};

	host_init(&from);
	assert_int_equal(load(&from, everything, &d), 0);
	for (size_t i = 0; i < HOST_KEY_COUNT; i++) {
		const struct host_value_type *t = &host_value_types[host_keys[i].type];
		_cleanup_free_ char *want = host_format(&from, host_keys[i].id);
		_cleanup_free_ char *text =
			xasprintf("%s = %s;", host_keys[i].name, want);
		const struct host_key k = second_key(i);
		_cleanup_buf_ struct buf got = {0};
		_cleanup_conf_ struct conf *c = NULL;
		_cleanup_strv_ char **v = NULL;
		const struct conf_node *n;
		const char *s = want;
		int r;

		two = (struct two){0};
		if (conf_parse(&c, text, strlen(text), "x", CONF_MAX, 0, &d) < 0)
			fail_msg("everything[] must have %s", host_keys[i].name);
		n = conf_at(conf_root(c), 0);
		if (t->parse_list) {
			assert_int_equal(conf_get_strv(conf_root(c), k.name, &v, &d), 1);
			r = (int)t->parse_list(&two.first, &k, v);
		} else {
			(void)!conf_str(n, &s, NULL);
			r = t->parse(&two.first, &k, s);
		}
		assert_int_equal(r, 0);
		two.first.set[i] = true;
		host_value_format(&two.first, &k, &got);
		assert_string_equal(got.p ? got.p : "", want);
		/* has_mac exists once in a host (host-value.c). */
		two.first.has_mac = two.first.set[i] = false;
		assert_memory_equal(&two.first, &(struct host){0}, sizeof(two.first));
		host_value_done(&two.first, &k);
	}
}

/* Only one key may be of a type that has a flag beside its value (host-value.c). */
static void test_flagged_types_are_used_once(void **state _unused_)
{
	unsigned macs = 0, addresses = 0;

	for (size_t i = 0; i < HOST_KEY_COUNT; i++) {
		macs += host_keys[i].type == HOST_T_MAC;
		addresses += host_keys[i].type == HOST_T_CIDR_OR_DHCP;
	}
	assert_int_equal(macs, 1);
	assert_int_equal(addresses, 1);
}

static void test_every_key_is_read(void **state _unused_)
{
	_cleanup_host_ struct host h;
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *mtu = xasprintf("host.cfg:%d", HOST_MTU + 1);
	char where[64];

	host_init(&h);
	assert_int_equal(load(&h, everything, &d), 0);
	assert_lines(&d, "");
	for (size_t i = 0; i < HOST_KEY_COUNT; i++) {
		if (!h.set[i] || h.bad[i] || h.origin[i].line != i + 1)
			fail_msg("everything[] must have %s in line %zu, with a value",
				 host_keys[i].name, i + 1);
	}
	assert_string_equal(h.name, "node-1");
	assert_string_equal(h.role, "node");
	assert_string_equal(h.cluster, "demo");
	assert_true(h.has_mac);
	assert_int_equal(h.mac.b[5], 0x11);
	assert_string_equal(h.interface, "eth0");
	assert_false(h.dhcp);
	assert_int_equal(h.address.addr, 0xac19000b);
	assert_int_equal(h.address.prefix, 24);
	assert_int_equal(h.gateway, 0xac190001);
	assert_int_equal(strv_len(h.dns), 2);
	assert_int_equal(strv_len(h.search), 1);
	assert_string_equal(h.ntp[1], "ntp.example");
	assert_int_equal(h.mtu, 9000);
	assert_int_equal(h.master, 0xac19000a);
	assert_int_equal(h.etcd.addr, 0xac190009);
	assert_int_equal(h.etcd.port, 4002);
	assert_int_equal(h.cbr0.addr, 0xc0a80101);
	assert_int_equal(h.cbr0_mtu, 1450);
	assert_int_equal(h.service_network.addr, 0x0a640000);
	assert_false(h.nat);
	assert_int_equal(h.nat_exempt.n, 2);
	assert_int_equal(h.nat_exempt.v[1].addr, 0xc0000200);
	assert_int_equal(strv_len(h.bond), 2);
	assert_string_equal(h.bond_mode, "802.3ad");
	assert_int_equal(h.bond_miimon, 50);
	assert_int_equal(h.vlan, 100);
	assert_string_equal(h.pools[1], "192.168.128.0/17");
	assert_int_equal(h.bgp_as, 4200000010);
	assert_false(h.bgp_mesh);
	assert_string_equal(h.bgp_peers[1], "172.25.0.3 as 4200000001");
	assert_string_equal(h.bgp_node_peers[0], "172.25.0.4 as 64513");
	assert_string_equal(h.console, "ttyS0,115200");
	assert_string_equal(h.docker_options[0], "--insecure-registry=172.25.0.1:5000");
	assert_string_equal(h.ssh_keys[0], KEY);
	assert_string_equal(h.report, "http://172.25.0.1/report/node-1.json");
	assert_string_equal(host_where(&h, HOST_MTU, where, sizeof(where)), mtu);
}

/* A rendered host is read back to the same values, and has the expected text. */
static void test_rendered_host_is_read_back(void **state _unused_)
{
	_cleanup_host_ struct host h, again;
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *one = NULL, *two = NULL;

	host_init(&h);
	host_init(&again);
	assert_int_equal(load(&h, everything, &d), 0);
	one = host_render(&h);
	assert_string_equal(one, everything);
	assert_int_equal(load(&again, one, &d), 0);
	two = host_render(&again);
	assert_string_equal(two, one);
}

static void test_empty_and_zero_are_rendered(void **state _unused_)
{
	const char *text =
		"address = \"dhcp\";\ndns = [ ];\nmtu = 0;\nnat_exempt = [ ];\n";
	_cleanup_host_ struct host h;
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *out = NULL;

	host_init(&h);
	out = host_render(&h);
	assert_string_equal(out, "");
	free(out);
	assert_int_equal(load(&h, text, &d), 0);
	out = host_render(&h);
	assert_string_equal(out, text);
}

static void test_defaults_are_set(void **state _unused_)
{
	_cleanup_host_ struct host h;
	_cleanup_free_ char *pod = NULL, *nat = NULL, *name = NULL;
	char where[64];

	host_init(&h);
	pod = host_format(&h, HOST_POD_NETWORK);
	nat = host_format(&h, HOST_NAT);
	name = host_format(&h, HOST_NAME);
	assert_string_equal(pod, "\"192.168.0.0/16\"");
	assert_string_equal(nat, "true");
	assert_string_equal(name, "");
	assert_string_equal(host_where(&h, HOST_NAT, where, sizeof(where)), "default");
	assert_string_equal(host_where(&h, HOST_NAME, where, sizeof(where)), "not given");
	for (size_t i = 0; i < HOST_KEY_COUNT; i++)
		assert_false(h.set[i]);
}

/* A later source replaces values, also by empty ones. */
static void test_later_source_wins(void **state _unused_)
{
	_cleanup_host_ struct host h;
	_cleanup_diag_ struct diag d = {0};
	char where[64];

	host_init(&h);
	assert_int_equal(load(&h, everything, &d), 0);
	assert_int_equal(host_set(&h, "name", "node-9", "kernel command line", 0, &d), 0);
	assert_int_equal(host_set(&h, "dns", "", "kernel command line", 0, &d), 0);
	assert_int_equal(host_set(&h, "address", "dhcp", "kernel command line", 0, &d),
			 0);
	assert_int_equal(host_set(&h, "nat", "true", "kernel command line", 0, &d), 0);
	assert_int_equal(
		host_set(&h, "nat_exempt", "10.0.0.0/8", "kernel command line", 0, &d),
		0);
	assert_string_equal(h.name, "node-9");
	assert_int_equal(strv_len(h.dns), 0);
	assert_true(h.dhcp);
	assert_int_equal(h.address.prefix, 0);
	assert_true(h.nat);
	assert_int_equal(h.nat_exempt.n, 1);
	assert_string_equal(host_where(&h, HOST_NAME, where, sizeof(where)),
			    "kernel command line");
	assert_int_equal(host_set(&h, "address", "172.25.0.12/24", "rack.cfg", 7, &d), 0);
	assert_false(h.dhcp);
	assert_string_equal(host_where(&h, HOST_ADDRESS, where, sizeof(where)),
			    "rack.cfg:7");
}

static void test_every_type_is_set_from_text(void **state _unused_)
{
	_cleanup_host_ struct host h;
	_cleanup_diag_ struct diag d = {0};

	host_init(&h);
	assert_int_equal(host_set(&h, "mtu", "1500", "c", 0, &d), 0);
	assert_int_equal(host_set(&h, "gateway", "172.25.0.1", "c", 0, &d), 0);
	assert_int_equal(host_set(&h, "cbr0", "192.168.1.1/24", "c", 0, &d), 0);
	assert_int_equal(host_set(&h, "mac", "52-54-00-25-00-11", "c", 0, &d), 0);
	assert_int_equal(host_set(&h, "etcd", "172.25.0.10:4001", "c", 0, &d), 0);
	assert_int_equal(host_set(&h, "dns", "172.25.0.1,172.25.0.2", "c", 0, &d), 0);
	assert_int_equal(strv_len(h.dns), 2);
	assert_int_equal(h.mtu, 1500);
	assert_int_equal(host_set(&h, "bgp_as", "4294967295", "c", 0, &d), 0);
	assert_int_equal(h.bgp_as, UINT32_MAX);
	assert_int_equal(
		host_set(&h, "bgp_peers", "10.0.0.1 as 1,10.0.0.2 as 2", "c", 0, &d), 0);
	assert_string_equal(h.bgp_peers[1], "10.0.0.2 as 2");
	assert_lines(&d, "");
}

/* An AS number is a number, or a string above the range of libconfig's numbers. */
static void test_as_numbers_are_read(void **state _unused_)
{
	static const struct {
		const char *text, *out; /* NULL: refused */
	} cases[] = {
		{"bgp_as = 64512;", "bgp_as = 64512;\n"},
		{"bgp_as = \"64512\";", "bgp_as = 64512;\n"},
		{"bgp_as = 2147483647;", "bgp_as = 2147483647;\n"},
		{"bgp_as = \"2147483648\";", "bgp_as = \"2147483648\";\n"},
		{"bgp_as = 0;", NULL},
		{"bgp_as = -1;", NULL},
		{"bgp_as = \"4294967296\";", NULL},
		{"bgp_as = \"1.10\";", NULL},
		{"bgp_as = true;", NULL},
		{"bgp_as = [ ];", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_diag_ struct diag d = {0};
		_cleanup_free_ char *out = NULL;
		_cleanup_host_ struct host h;

		host_init(&h);
		assert_int_equal(load(&h, cases[i].text, &d), cases[i].out ? 0 : -1);
		out = host_render(&h);
		assert_string_equal(out, cases[i].out ? cases[i].out : "");
		assert_int_equal(h.bad[HOST_BGP_AS], !cases[i].out);
	}
}

static void test_wrong_text_is_refused(void **state _unused_)
{
	_cleanup_host_ struct host h;
	_cleanup_diag_ struct diag d = {0};

	host_init(&h);
	assert_int_equal(host_set(&h, "adress", "x", "kernel command line", 0, &d), -1);
	assert_int_equal(host_set(&h, "zzzzzzzzzz", "x", "kernel command line", 0, &d),
			 -1);
	assert_int_equal(host_set(&h, "mtu", "-1", "kernel command line", 0, &d), -1);
	assert_int_equal(host_set(&h, "nat", "yes", "kernel command line", 0, &d), -1);
	assert_int_equal(host_set(&h, "name", "", "kernel command line", 0, &d), -1);
	assert_int_equal(host_set(&h, "gateway", "0.0.0.0", "kernel command line", 0, &d),
			 -1);
	assert_int_equal(
		host_set(&h, "nat_exempt", "10.0.0.0/8,x", "kernel command line", 0, &d),
		-1);
	assert_int_equal(host_set(&h, "cbr0", "192.168.1.1", "rack.cfg", 4, &d), -1);
	assert_int_equal(host_set(&h, "pod_network", "1.2.3.4/0", "rack.cfg", 5, &d), -1);
	assert_int_equal(host_set(&h, "etcd", "172.25.0.10", "rack.cfg", 6, &d), -1);
	assert_true(h.bad[HOST_MTU]);
	assert_true(h.set[HOST_MTU]);
	assert_false(h.bad[HOST_ROLE]);
	assert_lines(
		&d,
		"kernel command line: unknown key 'rackstrap.adress' (did you mean "
		"'rackstrap.address'?)\n"
		"kernel command line: unknown key 'rackstrap.zzzzzzzzzz'\n"
		"kernel command line: rackstrap.mtu: must be 0 or a positive number, not "
		"\"-1\"\n"
		"kernel command line: rackstrap.nat: must be true or false, not \"yes\"\n"
		"kernel command line: rackstrap.name: must be a string that is not "
		"empty\n"
		"kernel command line: rackstrap.gateway: must be an IPv4 address like "
		"\"172.25.0.1\", not \"0.0.0.0\"\n"
		"kernel command line: rackstrap.nat_exempt: element 2 must be a network "
		"like \"10.0.0.0/8\", not \"x\"\n"
		"rack.cfg:4: cbr0: must be an IPv4 address with its prefix, like "
		"\"192.168.1.1/24\", not \"192.168.1.1\"\n"
		"rack.cfg:5: pod_network: must be an IPv4 network with its prefix, like "
		"\"172.25.0.0/24\", not \"1.2.3.4/0\"\n"
		"rack.cfg:6: etcd: must be an IPv4 address and a port, like "
		"\"172.25.0.10:4001\", not \"172.25.0.10\"\n");
}

/* A value that cannot be read leaves the old one, is reported once, and is not
 * checked. */
static void test_bad_value_is_left_out(void **state _unused_)
{
	_cleanup_host_ struct host h;
	_cleanup_diag_ struct diag d = {0};
	_cleanup_roles_ struct roles roles;
	bool bad[HOST_KEY_COUNT] = {false};

	host_init(&h);
	roles_builtin(&roles);
	assert_int_equal(load(&h, everything, &d), 0);
	assert_int_equal(load(&h,
			      "address = \"172.25.0.300/24\";\ncbr0 = 5;\n"
			      "pod_network = \"x\";\nnode_network = \"172.25.0.1/24\";\n",
			      &d),
			 -1);
	assert_true(h.bad[HOST_ADDRESS]);
	assert_true(h.bad[HOST_CBR0]);
	assert_int_equal(d.n, 3);
	assert_int_equal(host_check_keys(&h, &roles, &d, bad), -1);
	assert_int_equal(d.n, 5); /* node_network has host bits set; a bond's interface */
	assert_true(bad[HOST_NODE_NETWORK]);
	assert_false(bad[HOST_ADDRESS]);
	assert_false(bad[HOST_POD_NETWORK]);
}

static void test_other_keys_are_ignored_or_refused(void **state _unused_)
{
	const char *text = "name = \"node-1\";\nvm : { };\nconsol = \"x\";\ncbr0 = 1;\n"
			   "role = 1;\n";
	static const struct other_key others[] = {{"vm", NULL},
						  {"console", NULL},
						  {"cbr0", NULL},
						  {"role", "is the rack's"},
						  {NULL, NULL}};
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_host_ struct host h;
	_cleanup_diag_ struct diag d = {0};

	host_init(&h);
	assert_int_equal(conf_parse(&c, text, strlen(text), "r.cfg", CONF_MAX, 0, &d), 0);
	assert_int_equal(
		host_load_conf_except(&h, conf_root(c), "host 'node-1': ", others, &d),
		-1);
	assert_string_equal(h.name, "node-1");
	assert_false(h.set[HOST_CBR0]);
	assert_lines(&d, "r.cfg:3: host 'node-1': unknown key 'consol' (did you mean "
			 "'console'?)\n"
			 "r.cfg:5: host 'node-1': role is the rack's\n");
	assert_false(h.set[HOST_ROLE]);
}

/* --- derive ----------------------------------------------------------------------- */

static void derive_in(struct host *h, const char *text, const struct roles *roles)
{
	_cleanup_diag_ struct diag d = {0};

	host_init(h);
	assert_int_equal(load(h, text, &d), 0);
	host_derive(h, roles);
}

static void derive(struct host *h, const char *text)
{
	_cleanup_roles_ struct roles roles;

	roles_builtin(&roles);
	derive_in(h, text, &roles);
}

static void test_missing_values_are_derived(void **state _unused_)
{
	_cleanup_host_ struct host master, node, own, dhcp, bond;

	derive(&master, "role = \"master\"; address = \"172.25.0.10/24\";");
	assert_int_equal(master.master, 0xac19000a);
	assert_int_equal(master.etcd.addr, 0xac19000a);
	assert_int_equal(master.etcd.port, 4001);
	assert_string_equal(master.origin[HOST_MASTER].file, "from address");
	assert_string_equal(master.origin[HOST_ETCD].file, "from master");
	assert_false(master.set[HOST_ETCD]);

	derive(&node, "role = \"node\"; address = \"172.25.0.11/24\";");
	assert_int_equal(node.master, 0);
	assert_int_equal(node.etcd.addr, 0);

	derive(&own, "master = \"172.25.0.10\"; etcd = \"172.25.0.9:2379\";");
	assert_int_equal(own.etcd.addr, 0xac190009);
	assert_int_equal(own.etcd.port, 2379);

	derive(&dhcp, "role = \"master\"; address = \"dhcp\";");
	assert_int_equal(dhcp.master, 0);
	assert_null(dhcp.bond_mode);
	assert_string_equal(dhcp.pools[0], "192.168.0.0/16");
	assert_string_equal(dhcp.origin[HOST_POOLS].file, "from pod_network");

	derive(&bond, "bond = [ \"eth0\", \"eth1\" ]; pod_network = \"10.0.0.0/8\"; "
		      "pools = [ ];");
	host_derive(&bond, &(struct roles){0}); /* a second call changes nothing */
	assert_string_equal(bond.bond_mode, "active-backup");
	assert_int_equal(bond.bond_miimon, 100);
	assert_string_equal(bond.origin[HOST_BOND_MODE].file, "default");
	assert_int_equal(strv_len(bond.pools), 0);
}

/* --- checks without a file in should-fail ----------------------------------------- */

static int check(const char *text, struct diag *d)
{
	_cleanup_host_ struct host h;
	_cleanup_roles_ struct roles roles;

	derive(&h, text);
	roles_builtin(&roles);
	return host_check(&h, &roles, d);
}

/* Returns the text of a host with all keys that can be combined: a bond and a single
 * interface cannot both be the uplink. Owned by the caller. */
static char *everything_that_fits(void)
{
	const char *line = "interface = \"eth0\";\n";
	char *text = xstrdup(everything), *at = strstr(text, line);

	memset(at, '\n', strlen(line));
	return text;
}

static void test_valid_hosts_pass(void **state _unused_)
{
	_cleanup_free_ char *all = everything_that_fits();
	const char *const good[] = {
		all,
		"name = \"m\"; role = \"master\"; address = \"172.25.0.10/24\";",
		"name = \"n\"; role = \"node\"; address = \"172.25.0.11/24\"; "
		"gateway = \"172.25.0.1\"; master = \"172.25.0.10\"; "
		"cbr0 = \"192.168.255.254/24\";",
		/* The master is not in the subnet, which is smaller than the node
		 * network. */
		"name = \"n\"; role = \"node\"; address = \"172.25.0.11/26\"; "
		"gateway = \"172.25.0.1\"; master = \"198.51.100.7\"; "
		"cbr0 = \"192.168.1.1/24\"; cbr0_mtu = 9000;",
		/* The rack has a bond, this host does not use it. */
		"name = \"m\"; role = \"master\"; address = \"172.25.0.10/24\"; "
		"bond = [ ]; bond_mode = \"802.3ad\"; bond_hash = \"layer3+4\";",
		/* The links are given by name; the boot finds out which one has the MAC
		 * address. */
		"name = \"m\"; role = \"master\"; address = \"172.25.0.10/24\"; "
		"mac = \"52:54:00:25:00:11\"; bond = [ \"eth0\" ]; vlan = 4094; "
		"bgp_mesh = false; bgp_node_peers = [ \"198.51.100.1  as  1\" ];",
	};

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		_cleanup_diag_ struct diag d = {0};

		assert_int_equal(check(good[i], &d), 0);
		assert_lines(&d, "");
	}
}

/* An image's roles may be neither master nor node. */
static void test_roles_of_an_image_pass(void **state _unused_)
{
	_cleanup_host_ struct host h;
	_cleanup_diag_ struct diag d = {0};
	struct role plain = {.name = (char[]){"plain"}};
	struct roles roles = {.v = &plain, .n = 1};

	derive(&h, "name = \"p\"; role = \"plain\"; address = \"dhcp\";");
	assert_int_equal(host_check(&h, &roles, &d), 0);
	assert_lines(&d, "");
}

/* The role's `master` decides who is a master, not the role's name. */
static void test_master_role_may_have_any_name(void **state _unused_)
{
	struct role v[] = {{.name = (char[]){"boss"}, .master = true},
			   {.name = (char[]){"master"}}};
	const struct roles roles = {.v = v, .n = ARRAY_SIZE(v)};
	_cleanup_host_ struct host boss, other;
	_cleanup_diag_ struct diag d = {0};

	derive_in(&boss, "name = \"m\"; role = \"boss\"; address = \"172.25.0.10/24\";",
		  &roles);
	assert_int_equal(boss.master, 0xac19000a);
	assert_string_equal(boss.origin[HOST_MASTER].file, "from address");
	assert_int_equal(boss.etcd.addr, 0xac19000a);
	assert_int_equal(host_check(&boss, &roles, &d), 0);

	derive_in(&other,
		  "name = \"n\"; role = \"master\"; address = \"172.25.0.11/24\";",
		  &roles);
	assert_int_equal(other.master, 0);
	assert_int_equal(host_check(&other, &roles, &d), 0);
	assert_lines(&d, "");
}

static void test_empty_host_is_refused(void **state _unused_)
{
	_cleanup_diag_ struct diag d = {0};

	assert_int_equal(check("", &d), -1);
	assert_lines(&d, "host.cfg: is empty: a host needs at least name, role and "
			 "address\n");
}

/* An image may have any number of roles: a message names the first. */
static void test_few_roles_are_named(void **state _unused_)
{
	struct role v[10];
	char names[10][16];
	struct roles roles = {.v = v, .n = 10};
	static const char text[] = "name = \"x\"; role = \"zzzzzz\"; address = \"dhcp\";";

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		snprintf(names[i], sizeof(names[i]), "r%zu", i);
		v[i] = (struct role){.name = names[i]};
	}
	for (; roles.n >= 8; roles.n--) {
		_cleanup_host_ struct host h;
		_cleanup_diag_ struct diag d = {0};
		_cleanup_free_ char *want = xasprintf(
			"host.cfg:1: role: the image has no role \"zzzzzz\", it has: r0, "
			"r1, r2, r3, r4, r5, r6, r7%s\n",
			roles.n == 10  ? " and 2 others"
			: roles.n == 9 ? " and 1 other"
				       : "");

		derive_in(&h, text, &roles);
		assert_int_equal(host_check(&h, &roles, &d), -1);
		assert_lines(&d, want);
	}
}

/* A value that is shown may be cut anywhere in a URL. */
static void test_shown_values_have_no_credentials(void **state _unused_)
{
	static const char url[] = "http://me:PASSWORD@host/x";

	for (int n = 30; n < 62; n++) {
		_cleanup_diag_ struct diag d = {0};
		_cleanup_free_ char *text = NULL;

		text = xasprintf(
			"name = \"%0*d%s\"; role = \"node\"; address = \"dhcp\";", n, 0,
			url);
		assert_int_equal(check(text, &d), -1);
		assert_true(d.n > 0);
		assert_null(strstr(d.lines[0], "PA"));
	}
}

static void test_public_values_have_no_secrets(void **state _unused_)
{
	static const char text[] = "name = \"x\"; report = \"http://h/r?key=SECRET\"; "
				   "report_token = \"SECRET\";"
				   "environment = [ \"A=http://me:SECRET@h/?a\" ];";
	_cleanup_host_ struct host h;
	_cleanup_diag_ struct diag d = {0};

	host_init(&h);
	assert_int_equal(load(&h, text, &d), 0);
	for (size_t i = 0; i < HOST_KEY_COUNT; i++) {
		_cleanup_free_ char *value = host_format_public(&h, host_keys[i].id);

		assert_null(strstr(value, "SECRET"));
		if (i == HOST_REPORT)
			assert_string_equal(value, "\"http://h/r\"");
		if (i == HOST_REPORT_TOKEN)
			assert_string_equal(value, "\"(secret)\"");
		if (i == HOST_ENVIRONMENT)
			assert_string_equal(value, "[ \"A=http://h/?a\" ]");
		if (i == HOST_CLUSTER)
			assert_string_equal(value, "");
	}
}

/* Values for people and programs, with and without libconfig's syntax. */
static void test_values_are_shown_plainly(void **state _unused_)
{
	static const struct {
		enum host_key_id id;
		const char *setting, *shown, *json;
	} cases[] = {
		{HOST_NAME, "name = \"web-1\";", "web-1", "\"name\": \"web-1\""},
		{HOST_CLUSTER, "cluster = \"a, b\";", "\"a, b\"",
		 "\"cluster\": \"a, b\""},
		{HOST_CLUSTER, "cluster = \"(secret)\";", "\"(secret)\"",
		 "\"cluster\": \"(secret)\""},
		{HOST_CLUSTER, "cluster = \"x\\\"y\";", "\"x\\\"y\"",
		 "\"cluster\": \"x\\\"y\""},
		{HOST_NAT, "nat = false;", "false", "\"nat\": false"},
		{HOST_MTU, "mtu = 9000;", "9000", "\"mtu\": 9000"},
		{HOST_BGP_AS, "bgp_as = \"4200000000\";", "4200000000",
		 "\"bgp_as\": 4200000000"},
		{HOST_ADDRESS, "address = \"dhcp\";", "dhcp", "\"address\": \"dhcp\""},
		{HOST_ADDRESS, "address = \"10.0.0.2/24\";", "10.0.0.2/24",
		 "\"address\": \"10.0.0.2/24\""},
		{HOST_GATEWAY, "gateway = \"10.0.0.1\";", "10.0.0.1",
		 "\"gateway\": \"10.0.0.1\""},
		{HOST_MAC, "mac = \"52-54-00-AA-00-01\";", "52:54:00:aa:00:01",
		 "\"mac\": \"52:54:00:aa:00:01\""},
		{HOST_NTP, "ntp = [ \"a.example\", \"b.example\" ];",
		 "a.example, b.example",
		 "\"ntp\": [\n    \"a.example\",\n    \"b.example\"\n  ]"},
		{HOST_NTP, "ntp = [ ];", "", "\"ntp\": []"},
		{HOST_ENVIRONMENT, "environment = [ \"A=http://me:SECRET@h/\" ];",
		 "A=http://h/", "\"environment\": [\n    \"A=http://h/\"\n  ]"},
		{HOST_REPORT, "report = \"http://h/r?key=SECRET\";", "http://h/r",
		 "\"report\": \"http://h/r\""},
		{HOST_REPORT_TOKEN, "report_token = \"SECRET\";", "(secret)",
		 "\"report_token\": \"(secret)\""},
		{HOST_REPORT, "", "", "\"report\": null"},
		{HOST_MTU, "", "", "\"mtu\": null"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_host_ struct host h;
		_cleanup_diag_ struct diag d = {0};
		_cleanup_json_ struct json j = {0};
		_cleanup_free_ char *shown = NULL, *json = NULL, *want = NULL;

		host_init(&h);
		assert_int_equal(load(&h, cases[i].setting, &d), 0);
		shown = host_show(&h, cases[i].id);
		assert_string_equal(shown, cases[i].shown);
		json_open(&j, NULL, '{');
		host_json(&h, cases[i].id, &j);
		json_close(&j, '}');
		json = json_take(&j);
		want = xasprintf("{\n  %s\n}\n", cases[i].json);
		assert_string_equal(json, want);
	}
}

/* --- roles ------------------------------------------------------------------------ */

static void write_roles(const char *path, const char *text)
{
	assert_int_equal(file_write_at(AT_FDCWD, path, text, strlen(text), 0644), 0);
}

static void test_roles_file_is_read(void **state _unused_)
{
	char dir[] = "/tmp/test-host.XXXXXX";
	_cleanup_roles_ struct roles roles = {0}, none = {0};
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *path = NULL;

	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/roles.cfg", dir);
	write_roles(path,
		    "roles = ( { name = \"gw\"; units = [ \"a.service\" ]; "
		    "ready = [ \"http://127.0.0.1/\" ]; cbr0 = true; master = true; "
		    "}, { name = \"bare\"; } );");
	assert_int_equal(roles_read(&roles, path, &d), 0);
	assert_int_equal(roles.n, 2);
	assert_true(roles_find(&roles, "gw")->cbr0);
	assert_true(roles_find(&roles, "gw")->master);
	assert_string_equal(roles_find(&roles, "gw")->units[0], "a.service");
	assert_false(roles_find(&roles, "bare")->cbr0);
	assert_null(roles_find(&roles, "node"));

	write_roles(path,
		    "roles = ( { name = \"a\"; },\n{ name = \"a\"; unit = [ ]; } );");
	assert_int_equal(roles_read(&none, path, &d), -1);
	assert_int_equal(d.n, 2);
	assert_int_equal(none.n, 0);
	unlink(path);
	assert_int_equal(roles_read(&none, path, NULL), -1);
	rmdir(dir);
}

/* --- the man page ----------------------------------------------------------------- */

/* Every key has its entry in host.cfg(5), ".It Ic name". */
static void test_man_page_has_every_key(void **state _unused_)
{
	_cleanup_free_ char *page = NULL;

	assert_int_equal(file_read_at(AT_FDCWD, "man/host.cfg.5", 1 << 20, &page, NULL),
			 0);
	for (size_t i = 0; i < HOST_KEY_COUNT; i++) {
		_cleanup_free_ char *entry =
			xasprintf("\n.It Ic %s\n", host_keys[i].name);

		if (!strstr(page, entry))
			fail_msg("man/host.cfg.5 has no entry for %s", host_keys[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_table_is_complete),
		cmocka_unit_test(test_values_are_found_by_offset),
		cmocka_unit_test(test_flagged_types_are_used_once),
		cmocka_unit_test(test_every_key_is_read),
		cmocka_unit_test(test_rendered_host_is_read_back),
		cmocka_unit_test(test_empty_and_zero_are_rendered),
		cmocka_unit_test(test_defaults_are_set),
		cmocka_unit_test(test_later_source_wins),
		cmocka_unit_test(test_every_type_is_set_from_text),
		cmocka_unit_test(test_as_numbers_are_read),
		cmocka_unit_test(test_wrong_text_is_refused),
		cmocka_unit_test(test_bad_value_is_left_out),
		cmocka_unit_test(test_other_keys_are_ignored_or_refused),
		cmocka_unit_test(test_missing_values_are_derived),
		cmocka_unit_test(test_valid_hosts_pass),
		cmocka_unit_test(test_roles_of_an_image_pass),
		cmocka_unit_test(test_master_role_may_have_any_name),
		cmocka_unit_test(test_empty_host_is_refused),
		cmocka_unit_test(test_few_roles_are_named),
		cmocka_unit_test(test_public_values_have_no_secrets),
		cmocka_unit_test(test_values_are_shown_plainly),
		cmocka_unit_test(test_shown_values_have_no_credentials),
		cmocka_unit_test(test_roles_file_is_read),
		cmocka_unit_test(test_man_page_has_every_key),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
