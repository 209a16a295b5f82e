/* SPDX-License-Identifier: Apache-2.0 */
/* firstboot/model/host-check.h: which hosts pass, and how values are shown. */
#include "test-host.h"
#include "test-roles.h"

#include "lib/json.h"

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

	roles_2015(&roles);
	derive_in(h, text, &roles);
}

static void test_missing_values_are_derived(void **state _unused_)
{
	_cleanup_host_ struct host master, node, own, dhcp, bond;

	derive(&master, "role = \"master\"; address = \"172.25.0.10/24\";");
	assert_int_equal(master.f.kubernetes.master, 0xac19000a);
	assert_int_equal(master.f.kubernetes.etcd.addr, 0xac19000a);
	assert_int_equal(master.f.kubernetes.etcd.port, 4001);
	assert_string_equal(master.origin[HOST_MASTER].file, "from address");
	assert_string_equal(master.origin[HOST_ETCD].file, "from master");
	assert_false(master.set[HOST_ETCD]);

	derive(&node, "role = \"node\"; address = \"172.25.0.11/24\";");
	assert_int_equal(node.f.kubernetes.master, 0);
	assert_int_equal(node.f.kubernetes.etcd.addr, 0);

	derive(&own, "master = \"172.25.0.10\"; etcd = \"172.25.0.9:2379\";");
	assert_int_equal(own.f.kubernetes.etcd.addr, 0xac190009);
	assert_int_equal(own.f.kubernetes.etcd.port, 2379);

	derive(&dhcp, "role = \"master\"; address = \"dhcp\";");
	assert_int_equal(dhcp.f.kubernetes.master, 0);
	assert_null(dhcp.bond_mode);
	assert_string_equal(dhcp.f.calico.pools[0], "192.168.0.0/16");
	assert_string_equal(dhcp.origin[HOST_POOLS].file, "from pod_network");

	derive(&bond, "bond = [ \"eth0\", \"eth1\" ]; pod_network = \"10.0.0.0/8\"; "
		      "pools = [ ];");
	host_derive(&bond, &(struct roles){0}); /* a second call changes nothing */
	assert_string_equal(bond.bond_mode, "active-backup");
	assert_int_equal(bond.bond_miimon, 100);
	assert_string_equal(bond.origin[HOST_BOND_MODE].file, "default");
	assert_int_equal(strv_len(bond.f.calico.pools), 0);
}

/* --- checks without a file in should-fail ----------------------------------------- */

static int check(const char *text, struct diag *d)
{
	_cleanup_host_ struct host h;
	_cleanup_roles_ struct roles roles;

	derive(&h, text);
	roles_2015(&roles);
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

	derive_in(&h, "name = \"p\"; role = \"plain\"; address = \"dhcp\";", &roles);
	assert_int_equal(host_check(&h, &roles, &d), 0);
	assert_lines(&d, "");
}

/* The role's features decide who is a master, not the role's name. */
static void test_master_role_may_have_any_name(void **state _unused_)
{
	struct role v[] = {{.name = (char[]){"boss"},
			    .features = FEATURE_BIT(FEATURE_KUBERNETES) |
					FEATURE_BIT(FEATURE_KUBERNETES_MASTER)},
			   {.name = (char[]){"master"}}};
	const struct roles roles = {.v = v, .n = ARRAY_SIZE(v)};
	_cleanup_host_ struct host boss, other;
	_cleanup_diag_ struct diag d = {0};

	derive_in(&boss, "name = \"m\"; role = \"boss\"; address = \"172.25.0.10/24\";",
		  &roles);
	assert_int_equal(boss.f.kubernetes.master, 0xac19000a);
	assert_string_equal(boss.origin[HOST_MASTER].file, "from address");
	assert_int_equal(boss.f.kubernetes.etcd.addr, 0xac19000a);
	assert_int_equal(host_check(&boss, &roles, &d), 0);

	derive_in(&other,
		  "name = \"n\"; role = \"master\"; address = \"172.25.0.11/24\";",
		  &roles);
	assert_int_equal(other.f.kubernetes.master, 0);
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
		_cleanup_free_ char *value = host_format_public(&h, (enum host_key_id)i);

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
	_cleanup_free_ char *path = NULL, *many = NULL;

	assert_non_null(mkdtemp(dir));
	path = xasprintf("%s/roles.cfg", dir);
	write_roles(path, "roles = ( { name = \"gw\"; units = [ \"a.service\" ]; "
			  "ready = [ \"http://127.0.0.1/\" ]; features = [ \"cbr0\" ]; "
			  "}, { name = \"bare\"; }, { name = \"router\"; "
			  "features = [ \"calico\" ]; } );");
	assert_int_equal(roles_read(&roles, path, &d), 0);
	assert_int_equal(roles.n, 3);
	assert_true(role_has(roles_find(&roles, "gw"), FEATURE_CBR0));
	assert_true(role_has(roles_find(&roles, "gw"), FEATURE_PODS));
	assert_false(role_has(roles_find(&roles, "gw"), FEATURE_NAT));
	assert_string_equal(roles_find(&roles, "gw")->units[0], "a.service");
	assert_int_equal(roles_find(&roles, "bare")->features, 0);
	/* Calico's settings are in the etcd that Kubernetes names. */
	assert_true(role_has(roles_find(&roles, "router"), FEATURE_KUBERNETES));
	assert_null(roles_find(&roles, "node"));

	roles_done(&roles);
	many = xasprintf("%*sroles = ( { name = \"a\"; } );", CONF_MAX, "");
	write_roles(path, many); /* of an image with hundreds of roles */
	assert_int_equal(roles_read(&roles, path, &d), 0);
	assert_int_equal(roles.n, 1);

	write_roles(path,
		    "roles = ( { name = \"a\"; },\n{ name = \"a\"; unit = [ ]; } );");
	assert_int_equal(roles_read(&none, path, &d), -1);
	assert_int_equal(d.n, 2);
	assert_int_equal(none.n, 0);
	unlink(path);
	assert_int_equal(roles_read(&none, path, NULL), -1);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
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
	};

	return cmocka_run_group_tests_name("host-check", tests, NULL, NULL);
}
