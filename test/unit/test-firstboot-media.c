/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration sources beside the kernel command line and the boot server: the
 * host.cfg of the state disk and of the boot medium, this machine's entry in the medium's
 * rack.cfg, and rackstrap.config=URL.
 */
#include "test-firstboot-root.h"

#include "firstboot/config-url.h"
#include "firstboot/config.h"
#include "firstboot/owner.h"
#include "firstboot/rack-source.h"
#include "firstboot/state.h"
#include "test-firstboot-http.h"

#include <pthread.h>

/* --- precedence --------------------------------------------------------------------- */

/* Checks that a key is "VALUE from SOURCE". */
static void assert_value(const struct config *c, enum host_key_id id, const char *want)
{
	_cleanup_free_ char *value = host_format(&c->host, id), *got = NULL;
	char where[512];

	got = xasprintf("%s from %s", value,
			host_where(&c->host, id, where, sizeof(where)));
	assert_string_equal(got, want);
}

static void write_rack(const struct machine *m, const char *host)
{
	_cleanup_free_ char *text = NULL;

	text = xasprintf("cluster : { name = \"demo\"; gateway = \"172.25.0.1\";\n"
			 "boot_server = \"172.25.0.1\"; master = \"m\"; };\n"
			 "hosts = (\n{ name = \"m\"; role = \"master\"; "
			 "mac = \"52:54:00:25:00:10\"; address = \"172.25.0.10\"; },\n"
			 "%s );\n",
			 host);
	write_file(m, MEDIUM_RACK_CFG, text);
}

#define ENTRY(name, id)                                                                  \
	"{ name = \"" name "\"; role = \"node\"; address = \"172.25.0.11\";\n"           \
	"cbr0 = \"192.168.1.1/24\"; console = \"ttyS0\"; " id " }"
#define ENTRY_MAC "mac = \"52:54:00:25:00:11\";"

static void test_later_source_wins(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_config_ struct config c = {0};

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	write_file(&m, STATE_CFG,
		   "mtu = 1000; search = [ \"a\" ]; ntp = [ \"a\" ]; dns = [ "
		   "\"10.0.0.1\" ];\n"
		   "gateway = \"172.25.0.2\"; cbr0_mtu = 600;");
	write_rack(&m, ENTRY("node-1", ENTRY_MAC "mtu = 1001;"));
	write_file(&m, MEDIUM_CFG,
		   "search = [ \"b\" ]; ntp = [ \"b\" ]; dns = [ \"10.0.0.2\" ];");
	write_file(&m, HOST_CFG, "ntp = [ \"c\" ];\ndns = [ \"10.0.0.3\" ];");
	write_file(&m, CONFIG_CFG, "\n\ndns = [ \"10.0.0.4\" ];");
	m.fb.cmdline =
		"rackstrap.config=http://10.0.0.1/x rackstrap.docker-options=--debug";
	if (config_load(&c, &m.fb) < 0)
		fail_msg("%s", c.complaints.lines[0]);
	assert_value(&c, HOST_NAME, "\"node-1\" from boot medium's rack.cfg:5");
	assert_value(&c, HOST_CLUSTER, "\"demo\" from boot medium's rack.cfg:1");
	assert_value(&c, HOST_ADDRESS,
		     "\"172.25.0.11/24\" from boot medium's rack.cfg:5");
	assert_value(&c, HOST_MASTER, "\"172.25.0.10\" from boot medium's rack.cfg:2");
	assert_value(&c, HOST_GATEWAY, "\"172.25.0.1\" from boot medium's rack.cfg:1");
	assert_value(&c, HOST_CBR0_MTU, "600 from /" STATE_CFG ":2");
	assert_value(&c, HOST_MTU, "1001 from boot medium's rack.cfg:6");
	assert_value(&c, HOST_SEARCH, "[ \"b\" ] from boot medium's host.cfg:1");
	assert_value(&c, HOST_NTP, "[ \"c\" ] from host.cfg:1");
	assert_value(&c, HOST_DNS, "[ \"10.0.0.4\" ] from http://10.0.0.1/x:3");
	assert_value(&c, HOST_DOCKER_OPTIONS, "[ \"--debug\" ] from kernel command line");
	assert_value(&c, HOST_NAT, "true from default");
}

/* A state disk that another host has used supplies none of the keys that the host's own
 * file does not set. */
static void test_state_of_another_host_is_not_used(void **state _unused_)
{
	static const char *const others[] = {"name = \"node-2\";", "cluster = \"b\";"};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_free_ char *text = xasprintf(
			"vlan = 7;\nnat = false;\nmtu = 1000;\n%s\n", others[i]);
		_cleanup_config_ struct config c = {0};
		_cleanup_machine_ struct machine m;

		machine_make(&m);
		write_node(&m);
		write_file(&m, MEDIUM_CFG, "cluster = \"a\";");
		write_file(&m, STATE_CFG, text);
		if (config_load(&c, &m.fb) < 0)
			fail_msg("%s", c.complaints.lines[0]);
		assert_int_equal(c.host.vlan, 0);
		assert_true(c.host.f.nat.on);
		assert_int_equal(c.host.mtu, 0);
		assert_int_equal(c.warnings.n, 1);
		assert_string_equal(
			c.warnings.lines[0],
			i == 0 ? "/var/lib/rackstrap/host.cfg:4: name is \"node-2\", but "
				 "\"node-1\" in host.cfg:1: the file is another host's "
				 "and is not used"
			       : "/var/lib/rackstrap/host.cfg:4: cluster is \"b\", but "
				 "\"a\" in boot medium's host.cfg:1: the file is another "
				 "host's and is not used");
	}
}

/* Words on the command line are for this host, whatever its name was. */
static void test_state_file_and_command_line_make_one_host(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_config_ struct config c = {0};

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	write_file(&m, STATE_CFG, NODE_CFG);
	m.fb.cmdline = "rackstrap.name=node-9";
	if (config_load(&c, &m.fb) < 0)
		fail_msg("%s", c.complaints.lines[0]);
	assert_string_equal(c.host.name, "node-9");
	assert_string_equal(c.host.role, "node");
	assert_int_equal(c.warnings.n, 0);
}

/* Keys of the cluster, keys of one host, and keys that the cluster gives to each host. */
static void test_cluster_keys_apply_to_each_host(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_config_ struct config c = {0};

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	write_file(&m, MEDIUM_RACK_CFG,
		   "cluster : { name = \"demo\"; gateway = \"172.25.0.1\";\n"
		   "boot_server = \"172.25.0.1\"; master = \"172.25.0.10\";\n"
		   "bgp_as = 64512; bgp_peers = [ \"172.25.0.2 as 64500\" ];\n"
		   "pools = [ \"192.168.0.0/16 ipip\" ]; bgp_mesh = false;\n"
		   "bond_mode = \"802.3ad\"; vlan = 7; };\n"
		   "hosts = (\n" ENTRY("node-1",
				       ENTRY_MAC "bond = [ \"eth0\", \"eth1\" ];\n"
						 "vlan = 8; bgp_node_peers = "
						 "[ \"172.25.0.4 as 64501\" ];") ");");
	m.fb.cmdline = "rackstrap.bgp_as=4200000010 "
		       "rackstrap.bgp-peers=\"172.25.0.2 as 1,172.25.0.3 as 2\"";
	if (config_load(&c, &m.fb) < 0)
		fail_msg("%s", c.complaints.lines[0]);
	assert_value(&c, HOST_BGP_AS, "\"4200000010\" from kernel command line");
	assert_value(&c, HOST_BGP_PEERS,
		     "[ \"172.25.0.2 as 1\", \"172.25.0.3 as 2\" ] "
		     "from kernel command line");
	assert_value(&c, HOST_BGP_MESH, "false from boot medium's rack.cfg:4");
	assert_value(&c, HOST_POOLS,
		     "[ \"192.168.0.0/16 ipip\" ] from boot medium's rack.cfg:4");
	assert_value(&c, HOST_BGP_NODE_PEERS,
		     "[ \"172.25.0.4 as 64501\" ] from boot medium's rack.cfg:9");
	assert_value(&c, HOST_BOND,
		     "[ \"eth0\", \"eth1\" ] from boot medium's rack.cfg:8");
	assert_value(&c, HOST_BOND_MODE, "\"802.3ad\" from boot medium's rack.cfg:5");
	assert_value(&c, HOST_BOND_MIIMON, "100 from default");
	assert_value(&c, HOST_VLAN, "8 from boot medium's rack.cfg:9");
	assert_value(&c, HOST_CONSOLE, "\"ttyS0\" from boot medium's rack.cfg:8");
}

/* @include is refused on a node: it is only for the operator's own files on the
 * operator's machine. */
static void test_include_is_refused(void **state _unused_)
{
	static const char *const paths[] = {STATE_CFG, MEDIUM_CFG, MEDIUM_RACK_CFG,
					    HOST_CFG, CONFIG_CFG};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_machine_ struct machine m;
		_cleanup_config_ struct config c = {0};

		machine_make(&m);
		write_file(&m, paths[i], "@include \"/etc/passwd\"\n");
		if (i == 4)
			m.fb.cmdline = "rackstrap.config=http://10.0.0.1/x";
		assert_int_equal(config_load(&c, &m.fb), -1);
		assert_has(c.complaints.lines[0], ":1: @include is not allowed");
	}
}

static void test_too_large_file_is_refused(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_config_ struct config c = {0};
	_cleanup_free_ char *text = xcalloc(CONF_MAX + 2, 1);

	machine_make(&m);
	memset(text, '\n', CONF_MAX + 1);
	write_file(&m, MEDIUM_CFG, text);
	assert_int_equal(config_load(&c, &m.fb), -1);
	assert_string_equal(c.complaints.lines[0],
			    "boot medium's host.cfg: larger than 65536 bytes");
}

/* --- the entry in rack.cfg ---------------------------------------------------------- */

/* Checks the name of the host that the machine becomes, or the first complaint. */
static void assert_entry(const struct machine *m, const char *want)
{
	_cleanup_config_ struct config c = {0};
	int r = config_load(&c, &m->fb);

	assert_string_equal(r < 0 ? c.complaints.lines[0] : c.host.name, want);
}

static void test_machine_finds_its_entry(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	add_link(&m, "eth0", "52:54:00:25:00:77", 2, true);
	add_link(&m, "eth1", "52:54:00:25:00:11", 3, true);
	add_link(&m, "br0", "52:54:00:25:00:12", 4, false);
	write_rack(&m,
		   ENTRY("a", ENTRY_MAC) "," ENTRY("b", "mac = \"52:54:00:25:00:12\";"));
	assert_entry(&m, "a");
	/* The UUID or serial number decides between two entries with its cards. */
	write_file(&m, "sys/class/dmi/id/product_uuid",
		   "4C4C4544-0051-3510-8052-b7c04f4e3232\n");
	write_file(&m, "sys/class/dmi/id/product_serial", " CZ 12 \n");
	write_rack(&m, ENTRY("a", ENTRY_MAC) "," ENTRY(
			       "b", "mac = \"52:54:00:25:00:77\"; uuid = "
				    "\"4c4c4544-0051-3510-8052-b7c04f4e3232\";"));
	assert_entry(&m, "b");
	/* A serial number wins over a UUID, when no entry has one of its cards. */
	write_rack(&m, ENTRY("a", "mac = \"52:54:00:25:00:99\";") ",\n" ENTRY(
			       "b", "uuid = \"4c4c4544-0051-3510-8052-b7c04f4e3232\";"));
	assert_entry(&m, "b");
	write_rack(&m, ENTRY("c", "serial = \"  cz 12 \";") ",\n" ENTRY(
			       "b", "uuid = \"4c4c4544-0051-3510-8052-b7c04f4e3232\";"));
	assert_entry(&m, "c");
	write_rack(&m, ENTRY("a", "serial = \"CZ 12\";") ",\n" ENTRY(
			       "c", "serial = \"CZ 12\";"));
	assert_entry(&m,
		     "boot medium's rack.cfg:7: two hosts have this machine's serial, "
		     "the other is in line 5");
	write_rack(&m, ENTRY("a", ENTRY_MAC) ",\n" ENTRY("c",
							 "mac = \"52:54:00:25:00:77\";"));
	assert_entry(&m,
		     "boot medium's rack.cfg:7: two hosts have this machine's mac, the "
		     "other is in line 5");
	write_rack(&m, ENTRY("a", "mac = \"52:54:00:25:00:78\";"));
	assert_entry(&m,
		     "boot medium's rack.cfg: no entry in 'hosts' is for this machine "
		     "(serial CZ 12, uuid "
		     "4C4C4544-0051-3510-8052-b7c04f4e3232, mac 52:54:00:25:00:77, mac "
		     "52:54:00:25:00:11)");
}

/* Checks the name of the host, and its only warning. */
static void assert_warned(const struct machine *m, const char *name, const char *warning)
{
	_cleanup_config_ struct config c = {0};

	if (config_load(&c, &m->fb) < 0)
		fail_msg("%s", c.complaints.lines[0]);
	assert_string_equal(c.host.name, name);
	assert_int_equal(c.warnings.n, warning ? 1 : 0);
	if (warning)
		assert_string_equal(c.warnings.lines[0], warning);
}

/* An entry for many hosts, which only the operator's machine expands, is refused. */
static void test_compact_rack_is_refused(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	write_rack(&m, ENTRY("node-[1-2]", ENTRY_MAC));
	assert_entry(&m,
		     "boot medium's rack.cfg:5: name: a medium's rack.cfg has an entry "
		     "for each host: give it what `rackstrap check --expand` prints");
	write_rack(&m, ENTRY("a", ENTRY_MAC "\nprofiles = [ \"big\" ];"));
	assert_entry(&m, "boot medium's rack.cfg:7: profiles: a medium's rack.cfg has an "
			 "entry for each host: give it what `rackstrap check --expand` "
			 "prints");
	write_rack(&m, ENTRY("a", "mac = [ \"52:54:00:25:00:11\" ];"));
	assert_entry(&m,
		     "boot medium's rack.cfg:6: mac: a medium's rack.cfg has an entry "
		     "for each host: give it what `rackstrap check --expand` prints");
}

static void test_mac_wins_over_serial(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	write_file(&m, "sys/class/dmi/id/product_serial", "CZ12\n");
	write_rack(&m, ENTRY("b", "serial = \"CZ12\";") ",\n" ENTRY("a", ENTRY_MAC));
	assert_warned(
		&m, "a",
		"boot medium's rack.cfg:5: this entry has this machine's serial, but "
		"the entry in line 7 has its mac and is used");
}

/* Every board of a model has the same serial number and UUID. */
static void test_placeholders_are_ignored(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	write_file(&m, "sys/class/dmi/id/product_serial", "To be filled by O.E.M.\n");
	write_rack(
		&m,
		ENTRY("b", "serial = \"To be filled by O.E.M.\";") ",\n" ENTRY(
			"c",
			"serial = \"To be filled by O.E.M.\";") ",\n" ENTRY("a",
									    ENTRY_MAC));
	assert_warned(&m, "a",
		      "this machine's serial number is the placeholder 'To be filled by "
		      "O.E.M.', which identifies no machine: it is ignored");
	write_file(&m, "sys/class/dmi/id/product_serial", "CZ12\n");
	write_file(&m, "sys/class/dmi/id/product_uuid",
		   "03000200-0400-0500-0006-000700080009\n");
	assert_warned(&m, "a",
		      "this machine's UUID is the placeholder "
		      "03000200-0400-0500-0006-000700080009, which identifies no "
		      "machine: it is ignored");
	write_rack(&m, ENTRY("b", "uuid = \"03000200-0400-0500-0006-000700080009\";"));
	assert_entry(&m,
		     "boot medium's rack.cfg: no entry in 'hosts' is for this machine "
		     "(serial CZ12, mac " NODE_MAC ")");
}

#define CZ12_AND_OWN ENTRY("stranger", "serial = \"CZ12\";") ",\n" ENTRY("own", ENTRY_MAC)

/* Adds the machine's card after a delay, like a driver that loads late. */
static void *late_link(void *m)
{
	usleep(300000);
	add_link(m, "eth1", NODE_MAC, 3, true);
	return NULL;
}

static void add_late_link(pthread_t *late, struct machine *m)
{
	assert_int_equal(pthread_create(late, NULL, late_link, m), 0);
}

static void test_serial_waits_for_a_late_link(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	pthread_t late;

	machine_make(&m);
	m.fb.link_timeout = 600;
	write_file(&m, "sys/class/dmi/id/product_serial", "CZ12\n");
	write_rack(&m, CZ12_AND_OWN);
	add_late_link(&late, &m);
	assert_entry(&m, "own");
	pthread_join(late, NULL);
}

/* rackstrap-state asks so before the state disk is used. */
static void test_claim_waits_for_a_late_link(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_host_ struct host h = {0};
	pthread_t late;

	machine_make(&m);
	m.fb.link_timeout = 600;
	write_file(&m, "sys/class/dmi/id/product_serial", "CZ12\n");
	write_rack(&m, CZ12_AND_OWN ",\n" ENTRY("twin", "serial = \"CZ12\";"));
	add_late_link(&late, &m);
	host_load_early(&h, &m.fb);
	assert_string_equal(h.name, "own");
	pthread_join(late, NULL);
}

static void test_serial_waits_for_udev(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	pthread_t late;

	machine_make(&m);
	m.fb.link_timeout = 600;
	write_file(&m, "sys/class/dmi/id/product_serial", "CZ12\n");
	add_link(&m, "eth0", "52:54:00:25:00:77", 2, true);
	/* It has another device to load a driver for. */
	write_file(&m, "run/udev/data/n2", "");
	write_file(&m, "run/udev/queue", "");
	write_rack(&m, CZ12_AND_OWN);
	add_late_link(&late, &m);
	assert_entry(&m, "own");
	pthread_join(late, NULL);
}

/* A machine whose card was replaced does not wait until the end of the time. */
static void test_serial_decides_with_settled_links(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	m.fb.link_timeout = 600;
	write_file(&m, "sys/class/dmi/id/product_serial", "CZ12\n");
	add_link(&m, "eth0", "52:54:00:25:00:77", 2, true);
	write_file(&m, "run/udev/data/n2", "");
	write_rack(&m, CZ12_AND_OWN);
	assert_entry(&m, "stranger");
	/* At the end of the time it decides in any case. */
	m.fb.link_timeout = 0;
	assert_int_equal(unlinkat(m.fb.rootfd, "run/udev/data/n2", 0), 0);
	assert_entry(&m, "stranger");
}

/* Loads each source, as config_load() does after the wait: the state disk's looks at the
 * others, so that a wait in each of them would be a second one. */
static void test_no_source_waits_again(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_diag_ struct diag d = {0}, warnings = {0};
	_cleanup_host_ struct host h = {0};

	machine_make(&m);
	m.fb.link_timeout = 600;
	write_file(&m, STATE_CFG, "name = \"a\";");
	write_rack(&m, ENTRY("a", ENTRY_MAC));
	host_init(&h);
	for (size_t i = 0; i < n_sources; i++)
		(void)!sources[i].load(&m.fb, &h, &d, &warnings);
	assert_int_equal(d.n, 1);
	assert_string_equal(d.lines[0],
			    "boot medium's rack.cfg: no entry in 'hosts' is for this "
			    "machine (no serial, UUID or MAC address)");
}

static void test_mistakes_in_rack_cfg_are_reported(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	write_rack(&m, ENTRY("a", ENTRY_MAC "pod_network = \"10.0.0.0/8\";"));
	assert_entry(&m, "boot medium's rack.cfg:6: pod_network belongs to the cluster: "
			 "write it in the cluster group");
	write_rack(&m, ENTRY("a", ENTRY_MAC "adress = 1;"));
	assert_entry(&m, "boot medium's rack.cfg:6: unknown key 'adress' (did you mean "
			 "'address'?)");
	write_file(
		&m, MEDIUM_RACK_CFG,
		"cluster : { master = \"x\"; };\nhosts = ( " ENTRY("a", ENTRY_MAC) " );");
	assert_entry(&m, "boot medium's rack.cfg:1: cluster: master: no host of this "
			 "name has an address");
	write_file(&m, MEDIUM_RACK_CFG, "hosts = ( 1 );");
	assert_entry(&m, "boot medium's rack.cfg: no entry in 'hosts' is for this "
			 "machine (mac " NODE_MAC ")");
}

/* --- the URL ------------------------------------------------------------------------ */

/* Answers the third request for /late (503 and 429 are temporary), and /once only the
 * first time. */
static unsigned answer(const char *request, const char *content _unused_,
		       const char **body)
{
	static unsigned late, once;

	*body = NODE_CFG "mtu = 1234;\n";
	if (strstr(request, "/late"))
		return ++late < 3 ? (late == 1 ? 429 : 503) : 200;
	if (strstr(request, "/once"))
		return ++once < 2 ? 200 : 404;
	if (strstr(request, "/wrong"))
		*body = "name = 1;\n";
	return strstr(request, "/gone") ? 404 : 200;
}

static int apply_url(struct machine *m, const struct server *s, const char *path,
		     struct applied *a)
{
	_cleanup_free_ char *cmdline = xasprintf("rackstrap.config=http://127.0.0.1:%u%s",
						 (unsigned)s->port, path);
	struct err e;
	int r;

	m->fb.cmdline = cmdline;
	r = cmd_apply(&m->fb, NULL, &e);
	m->fb.cmdline = "";
	applied_done(a);
	applied_read(a, &m->fb);
	return r;
}

static void boot_again(const struct machine *m)
{
	assert_int_equal(file_remove_at(m->fb.rootfd, CONFIG_CFG) < 0, 0);
	assert_int_equal(file_remove_at(m->fb.rootfd, APPLY_CFG) < 0, 0);
}

static void test_last_good_configuration_is_kept(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_applied_ struct applied a = {0};
	_cleanup_free_ char *net = NULL;

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	server_start(&s, 0, answer);
	assert_int_equal(apply_url(&m, &s, "/late", &a), 0);
	assert_int_equal(strv_len(a.warnings), 0);
	net = read_file(&m, "etc/systemd/network/10-rackstrap-uplink.network");
	assert_has(net, "MTUBytes=1234\n");
	/* The last good configuration is used only with the URL it came from. */
	boot_again(&m);
	assert_int_equal(apply_url(&m, &s, "/gone?token=SECRET", &a), -1);
	assert_null(strstr(a.warnings[0], "SECRET")); /* a report is sent elsewhere */
	assert_null(strstr(a.errors[0], "SECRET"));
	assert_has(a.warnings[0],
		   "/gone: the server answered 404; there is no earlier good");
	assert_has(a.errors[0],
		   "kernel command line: rackstrap.config: nothing was fetched from");
	boot_again(&m);
	assert_int_equal(apply_url(&m, &s, "/once", &a), 0);
	boot_again(&m);
	assert_int_equal(apply_url(&m, &s, "/once", &a), 0);
	assert_has(a.warnings[0],
		   "/once: the server answered 404; using the last good configuration "
		   "from there");
}

/* A wrong configuration is reported and does not replace the last good one. */
static void test_wrong_configuration_is_not_kept(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_applied_ struct applied a = {0};
	struct err e;

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	server_start(&s, 0, answer);
	assert_int_equal(apply_url(&m, &s, "/wrong", &a), -1);
	assert_has(a.errors[0], "/wrong:1: name: must be a string");
	assert_file(&m, LAST_GOOD_CFG, NULL);
	m.fb.cmdline = "rackstrap.config=ftp://x";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), -1);
	applied_done(&a);
	applied_read(&a, &m.fb);
	assert_has(a.errors[0], "rackstrap.config: 'ftp://x' is not a URL");
	m.fb.cmdline = "rackstrap.config=http://me:SECRET@x/y?SECRET";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), -1);
	applied_done(&a);
	applied_read(&a, &m.fb);
	assert_has(a.errors[0], "rackstrap.config: 'http://x/y' has a user name or "
				"password in it, which everybody on the host could see");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_later_source_wins),
		cmocka_unit_test(test_state_of_another_host_is_not_used),
		cmocka_unit_test(test_state_file_and_command_line_make_one_host),
		cmocka_unit_test(test_cluster_keys_apply_to_each_host),
		cmocka_unit_test(test_include_is_refused),
		cmocka_unit_test(test_too_large_file_is_refused),
		cmocka_unit_test(test_machine_finds_its_entry),
		cmocka_unit_test(test_compact_rack_is_refused),
		cmocka_unit_test(test_mac_wins_over_serial),
		cmocka_unit_test(test_placeholders_are_ignored),
		cmocka_unit_test(test_serial_waits_for_a_late_link),
		cmocka_unit_test(test_claim_waits_for_a_late_link),
		cmocka_unit_test(test_serial_waits_for_udev),
		cmocka_unit_test(test_serial_decides_with_settled_links),
		cmocka_unit_test(test_no_source_waits_again),
		cmocka_unit_test(test_mistakes_in_rack_cfg_are_reported),
		cmocka_unit_test(test_last_good_configuration_is_kept),
		cmocka_unit_test(test_wrong_configuration_is_not_kept),
	};

	return cmocka_run_group_tests_name("firstboot-media", tests, NULL, NULL);
}
