/* SPDX-License-Identifier: Apache-2.0 */
/* firstboot/model/host.h: the table of keys, and how values are read. */
#include "test-host.h"
#include "test-roles.h"

#include "firstboot/model/host-value.h"

static void test_key_table_is_complete(void **state _unused_)
{
	for (size_t i = 0; i < HOST_KEY_COUNT; i++) {
		assert_int_equal(host_key(i)->id, i);
		assert_non_null(host_key(i)->name);
		assert_non_null(host_key(i)->summary);
		assert_true(i == 0 || host_key(i)->offset > 0);
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
	struct host_key k = *host_key(i);

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
		const struct host_value_type *t = &host_value_types[host_key(i)->type];
		_cleanup_free_ char *want = host_format(&from, host_key(i)->id);
		_cleanup_free_ char *text =
			xasprintf("%s = %s;", host_key(i)->name, want);
		const struct host_key k = second_key(i);
		_cleanup_buf_ struct buf got = {0};
		_cleanup_conf_ struct conf *c = NULL;
		_cleanup_strv_ char **v = NULL;
		const struct conf_node *n;
		const char *s = want;
		int r;

		two = (struct two){0};
		if (conf_parse(&c, text, strlen(text), "x", CONF_MAX, 0, &d) < 0)
			fail_msg("everything[] must have %s", host_key(i)->name);
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
		macs += host_key(i)->type == HOST_T_MAC;
		addresses += host_key(i)->type == HOST_T_CIDR_OR_DHCP;
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
				 host_key(i)->name, i + 1);
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
	assert_int_equal(h.f.kubernetes.master, 0xac19000a);
	assert_int_equal(h.f.kubernetes.etcd.addr, 0xac190009);
	assert_int_equal(h.f.kubernetes.etcd.port, 4002);
	assert_int_equal(h.f.cbr0.address.addr, 0xc0a80101);
	assert_int_equal(h.f.cbr0.mtu, 1450);
	assert_int_equal(h.f.kubernetes.service_network.addr, 0x0a640000);
	assert_false(h.f.nat.on);
	assert_int_equal(h.f.nat.exempt.n, 2);
	assert_int_equal(h.f.nat.exempt.v[1].addr, 0xc0000200);
	assert_int_equal(strv_len(h.bond), 2);
	assert_string_equal(h.bond_mode, "802.3ad");
	assert_int_equal(h.bond_miimon, 50);
	assert_int_equal(h.vlan, 100);
	assert_string_equal(h.f.calico.pools[1], "192.168.128.0/17");
	assert_int_equal(h.f.calico.as, 4200000010);
	assert_false(h.f.calico.mesh);
	assert_string_equal(h.f.calico.peers[1], "172.25.0.3 as 4200000001");
	assert_string_equal(h.f.calico.node_peers[0], "172.25.0.4 as 64513");
	assert_string_equal(h.console, "ttyS0,115200");
	assert_string_equal(h.f.docker.options[0], "--insecure-registry=172.25.0.1:5000");
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
	assert_true(h.f.nat.on);
	assert_int_equal(h.f.nat.exempt.n, 1);
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
	assert_int_equal(h.f.calico.as, UINT32_MAX);
	assert_int_equal(
		host_set(&h, "bgp_peers", "10.0.0.1 as 1,10.0.0.2 as 2", "c", 0, &d), 0);
	assert_string_equal(h.f.calico.peers[1], "10.0.0.2 as 2");
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
	roles_2015(&roles);
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
	static const struct host_group group = {.others = others};
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_host_ struct host h;
	_cleanup_diag_ struct diag d = {0};

	host_init(&h);
	assert_int_equal(conf_parse(&c, text, strlen(text), "r.cfg", CONF_MAX, 0, &d), 0);
	assert_int_equal(host_load_group(&h, conf_root(c), "host 'node-1': ", &group, &d),
			 -1);
	assert_string_equal(h.name, "node-1");
	assert_false(h.set[HOST_CBR0]);
	assert_lines(&d, "r.cfg:3: host 'node-1': unknown key 'consol' (did you mean "
			 "'console'?)\n"
			 "r.cfg:5: host 'node-1': role is the rack's\n");
	assert_false(h.set[HOST_ROLE]);
}

/* Returns the title of the subsection that `at` is in. Owned by the caller. */
static char *subsection(const char *page, const char *at)
{
	const char *s, *title = page;

	for (s = page; (s = strstr(s, "\n.Ss ")) && s < at; s++)
		title = s + strlen("\n.Ss ");
	return xstrndup(title, strcspn(title, "\n"));
}

/* Every key has its entry in host.cfg(5), ".It Ic name", and a key of a feature has it
 * under the feature's name. */
static void test_man_page_has_every_key(void **state _unused_)
{
	_cleanup_free_ char *page = NULL;

	assert_int_equal(file_read_at(AT_FDCWD, "man/host.cfg.5", 1 << 20, &page, NULL),
			 0);
	for (size_t i = 0; i < HOST_KEY_COUNT; i++) {
		const struct feature *f = feature_of_key(i);
		_cleanup_free_ char *entry =
			xasprintf("\n.It Ic %s\n", host_key(i)->name);
		const char *at = strstr(page, entry);
		_cleanup_free_ char *title = NULL;

		if (!at)
			fail_msg("man/host.cfg.5 has no entry for %s", host_key(i)->name);
		title = subsection(page, at);
		if (f)
			assert_string_equal(str_after(title, "Feature "), f->name);
		else
			assert_null(str_after(title, "Feature "));
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
		cmocka_unit_test(test_man_page_has_every_key),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
