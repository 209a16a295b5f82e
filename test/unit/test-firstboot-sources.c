/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel command line, the precedence of the sources, and the choice of the uplink
 * among the links. */
#include "test-firstboot-root.h"

#include "firstboot/cmdline.h"
#include "firstboot/config.h"
#include "firstboot/uplink.h"

/* --- words ------------------------------------------------------------------------ */

/* Checks the words of a command line: "key|value;" for each word, "key;" without '='. */
static void assert_words(const char *text, const char *want)
{
	_cleanup_buf_ struct buf b = {0};
	const char *p = text;

	for (;;) {
		_cleanup_word_ struct cmdline_word w = {0};

		if (!cmdline_next(&p, &w))
			break;
		buf_puts(&b, w.key);
		if (w.value)
			buf_printf(&b, "|%s", w.value);
		buf_puts(&b, ";");
	}
	assert_string_equal(b.p ? b.p : "", want);
}

static void test_command_line_is_split(void **state _unused_)
{
	assert_words("", "");
	assert_words("  \n\t ", "");
	assert_words("quiet root=/dev/sda1 a=b=c\n", "quiet;root|/dev/sda1;a|b=c;");
	assert_words("a=\"b c\" d", "a|b c;d;");
	assert_words("\"a=b c\" d", "a|b c;d;");
	assert_words("\"a b\"", "a b;");
	assert_words("a=b\" \"c", "a|b\" \"c;");
	assert_words("a=\"b c", "a|b c;");
	assert_words("a=", "a|;");
	assert_words("a=\"\"", "a|;");
	assert_words("=x", "=x;"); /* the kernel requires a name before '=' */
	assert_words("\"", ";");
	assert_words("a=\"", "a|;");
}

static void test_key_of_a_word_is_found(void **state _unused_)
{
	struct cmdline_word ours = {.key = (char[]){"rackstrap.pod-network"}};
	struct cmdline_word other = {.key = (char[]){"systemd.pod-network"}};
	_cleanup_free_ char *key = cmdline_key(&ours);

	assert_string_equal(key, "pod_network");
	assert_null(cmdline_key(&other));
}

/* --- sources ---------------------------------------------------------------------- */

static void test_command_line_wins(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_config_ struct config c = {0};
	char where[64];

	machine_make(&m);
	write_node(&m);
	write_file(
		&m, "proc/cmdline",
		"quiet rackstrap.root_sha256=00 rackstrap.state=/dev/vda rackstrap.debug "
		"rackstrap.name=node-9 rackstrap.docker-options=--debug "
		"rackstrap.nat=false "
		"rackstrap.environment=\"A=b c\"\n");
	m.fb.cmdline = NULL;
	assert_int_equal(config_load(&c, &m.fb), 0);
	assert_string_equal(c.host.name, "node-9");
	assert_string_equal(c.host.f.docker.options[0], "--debug");
	assert_string_equal(c.host.f.environment.entries[0], "A=b c");
	assert_false(c.host.f.nat.on);
	assert_string_equal(c.host.role, "node");
	assert_string_equal(host_where(&c.host, HOST_NAME, where, sizeof(where)),
			    "kernel command line");
	assert_string_equal(host_where(&c.host, HOST_ROLE, where, sizeof(where)),
			    "host.cfg:2");
	assert_string_equal(c.role->name, "node");
}

static void test_command_line_is_enough(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_config_ struct config c = {0};

	machine_make(&m);
	m.fb.cmdline = "rackstrap.name=m rackstrap.role=master "
		       "rackstrap.address=172.25.0.10/24 rackstrap.nat";
	assert_int_equal(config_load(&c, &m.fb), 0);
	assert_true(role_has(c.role, FEATURE_KUBERNETES_MASTER));
	assert_true(c.host.f.nat.on);
	assert_true(c.host.set[HOST_NAT]);
}

/* All mistakes of all sources are reported together; a broken file does not hide those of
 * the command line. */
static void test_all_complaints_are_reported(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_config_ struct config c = {0};

	machine_make(&m);
	write_file(&m, HOST_CFG, "name = \"node-1\";\nadress = 1;\n");
	m.fb.cmdline = "rackstrap.rle=node rackstrap.role=nod rackstrap.gateway";
	assert_int_equal(config_load(&c, &m.fb), -1);
	assert_int_equal(c.complaints.n, 4);
	assert_string_equal(c.complaints.lines[0],
			    "host.cfg:2: unknown key 'adress' (did you mean 'address'?)");
	assert_string_equal(c.complaints.lines[1],
			    "kernel command line: unknown key 'rackstrap.rle' (did you "
			    "mean 'rackstrap.role'?)");
	assert_string_equal(c.complaints.lines[2],
			    "kernel command line: rackstrap.gateway: must be an IPv4 "
			    "address like \"172.25.0.1\"");
	assert_has(c.complaints.lines[3],
		   "kernel command line: role: the image has no role "
		   "\"nod\"");
	assert_true(c.bad[HOST_ROLE]);
	assert_true(c.bad[HOST_GATEWAY]);
	assert_true(c.bad[HOST_ADDRESS]);
	assert_false(c.bad[HOST_NAME]);
}

/* Everything is valid except that the role is empty (found by a fuzzer). */
static void test_empty_role_is_refused(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_config_ struct config c = {0};

	machine_make(&m);
	m.fb.cmdline =
		"rackstrap.name=m rackstrap.role= rackstrap.address=172.25.0.10/24";
	assert_int_equal(config_load(&c, &m.fb), -1);
	assert_int_equal(c.complaints.n, 1);
	assert_null(c.role);
}

static void test_machine_without_configuration_is_refused(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_config_ struct config c = {0}, d = {0};

	machine_make(&m);
	add_link(&m, "eth1", "52:54:00:25:00:22", 3, true);
	add_link(&m, "eth0", "52:54:00:25:00:21", 2, true);
	add_link(&m, "docker0", "02:42:00:00:00:01", 4, false);
	m.fb.cmdline = "quiet rackstrap.state=/dev/vda";
	assert_int_equal(config_load(&c, &m.fb), -1);
	assert_int_equal(c.complaints.n, 1);
	assert_string_equal(
		c.complaints.lines[0],
		"no host.cfg came with this boot and the kernel command line names no "
		"host; this machine has eth0 (52:54:00:25:00:21), eth1 "
		"(52:54:00:25:00:22)");
	assert_int_equal(rm_rf_at(m.fb.rootfd, "sys"), 0);
	assert_int_equal(config_load(&d, &m.fb), -1);
	assert_has(d.complaints.lines[0], "this machine has no Ethernet link");
}

static void test_image_roles_are_used(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_config_ struct config good = {0}, broken = {0};

	machine_make(&m);
	write_node(&m);
	write_file(&m, ROLES_PATH,
		   "roles = ( { name = \"edge\"; features = [ \"kubernetes\", \"cbr0\", "
		   "\"nat\", \"calico\", \"docker\", \"network-environment\" ]; } );");
	m.fb.cmdline = "rackstrap.role=edge";
	assert_int_equal(config_load(&good, &m.fb), 0);
	assert_string_equal(good.role->name, "edge");
	write_file(&m, ROLES_PATH, "roles = 1;");
	assert_int_equal(config_load(&broken, &m.fb), -1);
	assert_int_equal(broken.complaints.n, 1);
	assert_has(broken.complaints.lines[0], "roles.cfg:1: roles: must be a list");
	assert_null(broken.role);
}

/* The digest depends on the values that are used, not on their source. */
static void test_digest_depends_on_values_only(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_config_ struct config file = {0}, words = {0}, other = {0};

	machine_make(&m);
	write_node(&m);
	assert_int_equal(config_load(&file, &m.fb), 0);
	m.fb.cmdline = "rackstrap.name=node-1 rackstrap.nat=true";
	assert_int_equal(config_load(&words, &m.fb), 0);
	m.fb.cmdline = "rackstrap.nat=false";
	assert_int_equal(config_load(&other, &m.fb), 0);
	assert_int_equal(strlen(file.sha256), 64);
	assert_string_equal(file.sha256, words.sha256);
	assert_string_not_equal(file.sha256, other.sha256);
}

static void test_digest_is_sha256(void **state _unused_)
{
	char out[DIGEST_LEN]; /* FIPS 180-2, B.1 */

	assert_string_equal(
		digest_sha256("abc", 3, out),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_include_in_host_cfg_is_refused(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_config_ struct config c = {0};

	machine_make(&m);
	write_file(&m, HOST_CFG, "@include \"/etc/passwd\"\n");
	assert_int_equal(config_load(&c, &m.fb), -1);
	assert_string_equal(c.complaints.lines[0],
			    "host.cfg:1: @include is not allowed in this file");
}

/* A state disk or medium may be anybody's: no source is waited for. */
static void test_pipe_is_no_source(void **state _unused_)
{
	static const struct {
		const char *path, *complaint;
	} sources_of_files[] = {
		{STATE_CFG, "/" STATE_CFG ": cannot be read: is not a regular file"},
		{MEDIUM_RACK_CFG,
		 "boot medium's rack.cfg: cannot be read: is not a regular file"},
		{MEDIUM_CFG,
		 "boot medium's host.cfg: cannot be read: is not a regular file"},
		{HOST_CFG, "host.cfg: cannot be read: is not a regular file"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(sources_of_files); i++) {
		const char *path = sources_of_files[i].path;
		_cleanup_machine_ struct machine m;
		_cleanup_config_ struct config c = {0};

		machine_make(&m);
		write_file(&m, path, "");
		assert_int_equal(file_remove_at(m.fb.rootfd, path), 1);
		assert_int_equal(mkfifoat(m.fb.rootfd, path, 0600), 0);
		assert_int_equal(config_load(&c, &m.fb), -1);
		assert_string_equal(c.complaints.lines[0], sources_of_files[i].complaint);
	}
}

/* --- links ------------------------------------------------------------------------ */

static void host_of(struct host *h, const char *mac, const char *interface)
{
	host_init(h);
	if (mac)
		assert_int_equal(host_set(h, "mac", mac, "host.cfg", 3, NULL), 0);
	if (interface)
		assert_int_equal(host_set(h, "interface", interface, "host.cfg", 4, NULL),
				 0);
}

/* Checks the name of the uplink, or the error message. */
static void assert_uplink(const struct machine *m, const char *mac, const char *interface,
			  const char *want)
{
	_cleanup_free_ char *devices = NULL;
	_cleanup_host_ struct host h;
	struct err e;

	host_of(&h, mac, interface);
	if (uplink_wait(&m->fb, &h, &devices, &e) == 0)
		assert_string_equal(devices, want);
	else
		assert_string_equal(e.msg, want);
}

static void test_links_are_listed(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_free_ struct link *v = NULL;
	size_t n;

	machine_make(&m);
	assert_int_equal(links_list(m.fb.rootfd, &v, &n), -ENOENT);
	add_link(&m, "eth1", "52:54:00:25:00:22", 3, true);
	add_link(&m, "eth0", "52:54:00:25:00:21", 2, true);
	/* A VLAN and a bridge have the MAC address of their device. */
	add_link(&m, "eth0.5", "52:54:00:25:00:21", 4, false);
	add_link(&m, "lo", "00:00:00:00:00:00", 1, false);
	write_file(&m, "sys/class/net/lo/type", "772\n");
	write_file(&m, "sys/class/net/bonding_masters", "\n");
	assert_int_equal(links_list(m.fb.rootfd, &v, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(v[0].name, "eth0");
	assert_int_equal(v[0].index, 2);
	assert_true(v[0].physical);
	assert_false(v[1].physical);
	assert_true(v[0].settled);

	assert_uplink(&m, "52:54:00:25:00:21", NULL, "eth0");
	assert_uplink(&m, "52:54:00:25:00:22", NULL, "eth1");
	assert_uplink(&m, "52:54:00:25:00:22", "eth1", "eth1");
	assert_uplink(&m, NULL, "eth1", "eth1");
	assert_uplink(&m, NULL, "eth0.5", "eth0.5");
	assert_uplink(&m, NULL, NULL,
		      "mac: say which link is the uplink, there are several: eth0 "
		      "(52:54:00:25:00:21), eth1 (52:54:00:25:00:22)");
	assert_uplink(&m, "52:54:00:25:00:99", NULL,
		      "host.cfg:3: mac: no link has 52:54:00:25:00:99; there are: eth0 "
		      "(52:54:00:25:00:21), eth1 (52:54:00:25:00:22)");
	assert_uplink(&m, "52:54:00:25:00:21", "eth1",
		      "host.cfg:3: mac: no link named eth1 has 52:54:00:25:00:21; there "
		      "are: eth0 (52:54:00:25:00:21), eth1 (52:54:00:25:00:22)");
	assert_uplink(&m, NULL, "eth7",
		      "host.cfg:4: interface: no link is named eth7; there are: eth0 "
		      "(52:54:00:25:00:21), eth1 (52:54:00:25:00:22)");
	add_link(&m, "eth2", "52:54:00:25:00:22", 5, true);
	assert_uplink(&m, "52:54:00:25:00:22", NULL,
		      "host.cfg:3: mac: several links have 52:54:00:25:00:22: eth0 "
		      "(52:54:00:25:00:21), eth1 (52:54:00:25:00:22), eth2 "
		      "(52:54:00:25:00:22)");
}

static void test_only_physical_link_is_the_uplink(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	assert_int_equal(mkdir_p_at(m.fb.rootfd, "sys/class/net", 0755), 0);
	assert_uplink(&m, NULL, NULL, "this machine has no Ethernet link");
	add_link(&m, "cbr0", "52:54:00:25:00:33", 3, false);
	add_link(&m, "ens3", "52:54:00:25:00:21", 2, true);
	assert_uplink(&m, NULL, NULL, "ens3");
}

/* Checks the devices of a bond, or the error message. */
static void assert_bond(const struct machine *m, const char *mac, const char *bond,
			const char *want)
{
	_cleanup_free_ char *devices = NULL;
	_cleanup_host_ struct host h;
	char name[IF_NAMESIZE];
	struct err e;

	host_of(&h, mac, NULL);
	assert_int_equal(host_set(&h, "bond", bond, "host.cfg", 5, NULL), 0);
	if (uplink_wait(&m->fb, &h, &devices, &e) < 0) {
		assert_string_equal(e.msg, want);
		return;
	}
	assert_string_equal(devices, want);
	assert_string_equal(uplink_name(&h, devices, name), "bond-uplink");
	h.vlan = 4094;
	assert_string_equal(uplink_name(&h, devices, name), "vlan4094");
}

#define THERE                                                                            \
	"; there are: eth0 (52:54:00:25:00:21), eth1 (52:54:00:25:00:22), eth2 "         \
	"(52:54:00:25:00:23)"

static void test_devices_of_a_bond_are_found(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	add_link(&m, "eth0", "52:54:00:25:00:21", 2, true);
	/* Already in a bond, all its links show the same address, but the permanent ones
	 * differ. */
	add_link(&m, "eth1", "52:54:00:25:00:21", 3, true);
	write_file(&m, "sys/class/net/eth1/bonding_slave/perm_hwaddr",
		   "52:54:00:25:00:22\n");
	add_link(&m, "eth2", "52:54:00:25:00:23", 4, true);
	add_link(&m, "bond-uplink", "52:54:00:25:00:21", 5, false);

	assert_bond(&m, NULL, "eth0,eth2", "eth0 eth2");
	assert_bond(&m, NULL, "52:54:00:25:00:22,52:54:00:25:00:21", "eth1 eth0");
	assert_bond(&m, "52:54:00:25:00:21", "eth0,eth1", "eth0 eth1");
	assert_bond(&m, NULL, "52:54:00:25:00:22,eth0", "eth1 eth0");
	assert_bond(&m, NULL, "eth0,eth7", "host.cfg:5: bond: no link is eth7" THERE);
	assert_bond(&m, NULL, "52:54:00:25:00:99",
		    "host.cfg:5: bond: no link is 52:54:00:25:00:99" THERE);
	assert_bond(&m, NULL, "eth0,52:54:00:25:00:21",
		    "host.cfg:5: bond: the same link twice: eth0" THERE);
	assert_bond(&m, "52:54:00:25:00:23", "eth0,eth1",
		    "host.cfg:3: mac: none of the bond's links has "
		    "52:54:00:25:00:23" THERE);
	assert_uplink(&m, "52:54:00:25:00:22", NULL, "eth1");
}

/* A link is waited for while udev may still rename it; after the time limit it is used as
 * it is. */
static void test_link_is_waited_for(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_free_ struct link *v = NULL, *w = NULL;
	size_t n;

	machine_make(&m);
	add_link(&m, "eth0", "52:54:00:25:00:21", 7, true);
	write_file(&m, "run/udev/control", "");
	assert_int_equal(links_list(m.fb.rootfd, &v, &n), 0);
	assert_false(v[0].settled);
	assert_uplink(&m, "52:54:00:25:00:21", NULL, "eth0");
	write_file(&m, "run/udev/data/n7", "I:1\n");
	assert_int_equal(links_list(m.fb.rootfd, &w, &n), 0);
	assert_true(w[0].settled);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_line_is_split),
		cmocka_unit_test(test_key_of_a_word_is_found),
		cmocka_unit_test(test_command_line_wins),
		cmocka_unit_test(test_command_line_is_enough),
		cmocka_unit_test(test_all_complaints_are_reported),
		cmocka_unit_test(test_empty_role_is_refused),
		cmocka_unit_test(test_machine_without_configuration_is_refused),
		cmocka_unit_test(test_image_roles_are_used),
		cmocka_unit_test(test_digest_depends_on_values_only),
		cmocka_unit_test(test_digest_is_sha256),
		cmocka_unit_test(test_include_in_host_cfg_is_refused),
		cmocka_unit_test(test_pipe_is_no_source),
		cmocka_unit_test(test_links_are_listed),
		cmocka_unit_test(test_only_physical_link_is_the_uplink),
		cmocka_unit_test(test_devices_of_a_bond_are_found),
		cmocka_unit_test(test_link_is_waited_for),
	};

	return cmocka_run_group_tests_name("firstboot-sources", tests, NULL, NULL);
}
