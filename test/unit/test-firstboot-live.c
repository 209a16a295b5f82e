/* SPDX-License-Identifier: Apache-2.0 */
/* A whole `apply` on a live system, in namespaces of the test's own, with a systemctl
 * that logs its arguments. */
#include "firstboot/feature/cbr0.h"
#include "firstboot/feature/nat.h"
#include "firstboot/state.h"
#include "firstboot/steps.h"
#include "lib/rtnl.h"
#include "lib/run.h"
#include "test-firstboot-root.h"
#include "test-lib-namespace.h"

#include <sys/mount.h>

/* Installs a systemctl in front of PATH that writes its arguments to `log`. */
static void fake_systemctl(const struct machine *m)
{
	_cleanup_free_ char *text = NULL, *path = NULL;

	text = xasprintf("#!/bin/sh\necho \"$@\" >>%s/systemctl.log\n", m->dir);
	write_file(m, "bin/systemctl", text);
	assert_int_equal(fchmodat(m->fb.rootfd, "bin/systemctl", 0755, 0), 0);
	path = xasprintf("%s/bin:/usr/sbin:/usr/bin:/sbin:/bin", m->dir);
	setenv("PATH", path, 1);
}

/* Like fake_systemctl(), and `show` answers from a file for each unit. */
static void fake_show(const struct machine *m)
{
	_cleanup_free_ char *text = NULL;

	text = xasprintf(
		"#!/bin/sh\ncase $1 in show) ;; *) echo \"$@\" >>%s/systemctl.log;"
		" exit ;; esac\n"
		"while [ \"$1\" != -- ]; do shift; done; shift\n"
		"for u in \"$@\"; do\n"
		"echo LoadState=loaded; echo ActiveState=active; echo SubState=x\n"
		"case $u in\n"
		"docker*) echo 'EnvironmentFiles=/etc/default/docker "
		"(ignore_errors=yes)' ;;\n"
		"kube-kubelet* | etcd*) echo 'EnvironmentFile=/etc/network-environment "
		"(ignore_errors=no)' ;;\n"
		"esac; echo; done\n",
		m->dir);
	write_file(m, "bin/systemctl", text);
	assert_int_equal(fchmodat(m->fb.rootfd, "bin/systemctl", 0755, 0), 0);
}

static void assert_bridge(const char *address, uint32_t mtu)
{
	_cleanup_rtnl_ struct rtnl r = {.fd = -1};
	_cleanup_free_ struct cidr *v = NULL;
	char text[NET_CIDR_LEN];
	struct rtnl_link l;
	size_t n;

	assert_int_equal(rtnl_open(&r), 0);
	assert_int_equal(rtnl_link_get(&r, "cbr0", &l), 0);
	assert_string_equal(l.kind, "bridge");
	assert_true(l.flags & IFF_UP);
	assert_int_equal(rtnl_addr_list(&r, l.index, &v, &n), 0);
	assert_int_equal(n, 1);
	assert_string_equal(net_format_cidr(v[0], text), address);
	if (mtu)
		assert_int_equal(l.mtu, mtu);
}

static void test_live_apply_configures_the_system(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_free_ char *log = NULL;
	char name[64] = "";
	struct err e;

	machine_make(&m);
	write_node(&m);
	fake_systemctl(&m);
	fake_show(&m);
	m.fb.live = true;
	if (cmd_apply(&m.fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(gethostname(name, sizeof(name)), 0);
	assert_string_equal(name, "node-1");
	assert_bridge("192.168.1.1/24", 0);
	m.fb.cmdline = "rackstrap.cbr0=192.168.7.1/24 rackstrap.cbr0_mtu=1400";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_bridge("192.168.7.1/24", 1400);
	log = read_file(&m, "systemctl.log");
	assert_has(log, "start --no-block rackstrap-node.target\n");
}

/* Applies `cfg` and `cmdline` and checks that systemctl restarted the units in `want`. */
static void assert_restarts(const struct machine *m, const char *cfg, const char *cmdline,
			    const char *want)
{
	struct firstboot fb = m->fb;
	_cleanup_free_ char *log = NULL;
	struct err e;

	(void)!file_remove_at(fb.rootfd, "systemctl.log");
	write_file(m, HOST_CFG, cfg);
	fb.cmdline = cmdline;
	if (cmd_apply(&fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	log = read_file(m, "systemctl.log");
	assert_string_equal(log, want);
}

#define START(role) "start --no-block rackstrap-" role ".target\n"
#define STOP(role)  "stop rackstrap-" role ".target\n"
#define RESTART(u)  "try-restart --no-block " u " rackstrap-report.service\n"
#define MASTER_CFG  "name = \"m\"; role = \"master\"; address = \"172.25.0.10/24\";"

static bool nat_is_there(void)
{
	static const char *const save[] = {"iptables-save", "-t", "nat", NULL};
	const struct run run = {.argv = save};
	_cleanup_free_ char *saved = NULL;
	struct err e;

	assert_int_equal(run_capture(&run, &saved, NULL, &e), 0);
	return strstr(saved, NAT_CHAIN);
}

/* Units restart when the configuration they were started with changed; other units do
 * not. */
static void test_changed_units_restart(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_rtnl_ struct rtnl r = {.fd = -1};
	struct rtnl_link l;
	struct err e;

	machine_make(&m);
	write_node(&m);
	fake_systemctl(&m);
	fake_show(&m);
	m.fb.live = true;
	assert_restarts(&m, NODE_CFG, "", START("node"));
	assert_restarts(&m, NODE_CFG, "", START("node"));
	assert_restarts(&m, NODE_CFG, "rackstrap.environment=A=1",
			RESTART("kube-kubelet.service") START("node"));
	assert_restarts(&m, NODE_CFG, "rackstrap.environment=A=1 rackstrap.mtu=1400",
			RESTART("systemd-networkd.service") START("node"));
	assert_restarts(&m, NODE_CFG,
			"rackstrap.environment=A=1 rackstrap.mtu=1400 "
			"rackstrap.docker-options=--debug",
			RESTART("docker.service") START("node"));
	assert_restarts(&m, NODE_CFG, "rackstrap.cbr0=192.168.2.1/24",
			RESTART("systemd-networkd.service docker.service "
				"kube-kubelet.service") START("node"));
	assert_restarts(&m, NODE_CFG, "rackstrap.cbr0=192.168.2.1/24 rackstrap.name=b",
			RESTART("calico-node.service") START("node"));
	assert_restarts(&m, NODE_CFG, "rackstrap.cbr0=192.168.3.1/24 rackstrap.name=b",
			RESTART("docker.service") START("node"));
	assert_restarts(&m, NODE_CFG, "rackstrap.cbr0=192.168.3.1/24 rackstrap.name=b",
			START("node"));
	/* An apply that fails in between does not make the next one forget. */
	write_file(&m, "bin/systemctl", "#!/bin/sh\nexit 1\n");
	m.fb.cmdline = "rackstrap.docker-options=--debug";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), -1);
	fake_show(&m);
	assert_restarts(&m, NODE_CFG, "rackstrap.docker-options=--debug",
			RESTART("docker.service calico-node.service") START("node"));
	/* A node that becomes a master keeps no settings of the node. */
	assert_restarts(&m, MASTER_CFG, "",
			STOP("node")
				RESTART("systemd-networkd.service calico-node.service "
					"docker.service etcd.service") START("master"));
	assert_int_equal(rtnl_open(&r), 0);
	assert_int_equal(rtnl_link_get(&r, "cbr0", &l), -ENODEV);
	/* A role outside the cluster has no rules and no forwarding. */
	write_file(&m, ROLES_PATH, "roles = ( { name = \"idle\"; units = [ ]; } );");
	assert_true(nat_is_there());
	assert_restarts(&m, MASTER_CFG, "rackstrap.role=idle",
			STOP("master") RESTART("systemd-networkd.service") START("idle"));
	assert_false(nat_is_there());
}

/* A template names the units that read its file: they restart when it changes, also when
 * another role has no such file, and not otherwise. */
static void test_units_of_a_template_restart(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	machine_make_empty(&m);
	write_file(&m, ROLES_PATH,
		   "roles = ( { name = \"node\"; units = [ \"a.service\" ]; },\n"
		   "  { name = \"idle\"; units = [ ]; } );\n");
	write_file(&m, TEMPLATES_CFG,
		   "templates = ( { path = \"/etc/app.conf\"; mode = \"0644\";\n"
		   "  format = \"plain\"; roles = [ \"node\" ]; text = \"app\";\n"
		   "  units = [ \"a.service\", \"b.timer\" ]; },\n"
		   "{ path = \"/etc/other.conf\"; mode = \"0644\"; format = \"plain\";\n"
		   "  roles = [ \"node\" ]; text = \"other\"; } );\n");
	write_file(&m, TEMPLATES_DIR "/app",
		   "{{host.name}}\n{{#host.dns}}\n{{.}}\n{{/host.dns}}\n");
	write_file(&m, TEMPLATES_DIR "/other", "{{#host.ntp}}\n{{.}}\n{{/host.ntp}}\n");
	add_link(&m, "eth0", NODE_MAC, 2, true);
	fake_systemctl(&m);
	fake_show(&m);
	m.fb.live = true;
#define APP_CFG                                                                          \
	"name = \"a\"; role = \"node\"; mac = \"" NODE_MAC "\"; address = "              \
	"\"172.25.0.11/24\"; search = [ \"example.org\" ];"
	assert_restarts(&m, APP_CFG, "", START("node"));
	assert_restarts(&m, APP_CFG, "", START("node"));
	assert_restarts(&m, APP_CFG, "rackstrap.dns=172.25.0.1",
			RESTART("systemd-networkd.service a.service b.timer")
				START("node"));
	assert_restarts(&m, APP_CFG, "rackstrap.dns=172.25.0.1", START("node"));
	assert_restarts(&m, APP_CFG, "rackstrap.dns=172.25.0.1 rackstrap.ntp=172.25.0.1",
			RESTART("systemd-networkd.service") START("node"));
	assert_restarts(&m, APP_CFG,
			"rackstrap.dns=172.25.0.1 rackstrap.ntp=172.25.0.1 "
			"rackstrap.role=idle",
			STOP("node") RESTART("a.service b.timer") START("idle"));
	assert_file(&m, "etc/app.conf", NULL);
}

/* networkd changes no VLAN that exists: the console has a line about it. */
static void test_new_vlan_asks_for_a_boot(void **state _unused_)
{
	_cleanup_free_ char *first = NULL, *second = NULL, *console = NULL;
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	write_node(&m);
	fake_systemctl(&m);
	fake_show(&m);
	m.fb.live = true;
	console = xasprintf("%s/console", m.dir);
	m.fb.console = console;
	write_file(&m, "console", "");
	assert_restarts(&m, NODE_CFG, "rackstrap.vlan=5", START("node"));
	first = read_file(&m, "console");
	assert_null(strstr(first, "boot this host again"));
	assert_restarts(&m, NODE_CFG, "rackstrap.vlan=6",
			RESTART("systemd-networkd.service") START("node"));
	second = read_file(&m, "console");
	assert_has(second,
		   "boot this host again: /etc/systemd/network/07-rackstrap-vlan.netdev "
		   "changed, which networkd applies to new devices only");
}

static void test_second_live_apply_changes_nothing(void **state _unused_)
{
	_cleanup_host_ struct host h;
	_cleanup_plan_ struct plan p = {.host = &h,
					.features = FEATURES_ALL,
					.uplink = xstrdup("eth0"),
					.hostname = xstrdup("again"),
					.target = xstrdup("x.target")};
	_cleanup_machine_ struct machine m;
	struct err e;

	host_init(&h);
	h.f.cbr0 =
		(struct cbr0){.address = {.addr = 0xc0a80901, .prefix = 24}, .mtu = 1400};
	machine_make(&m);
	fake_systemctl(&m);
	m.fb.live = true;
	if (steps_run(&m.fb, &p, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(steps_run(&m.fb, &p, &e), 0);
}

static void test_foreign_bridge_is_taken_over(void **state _unused_)
{
	struct cidr want = {.addr = 0xc0a80101, .prefix = 24};
	struct cidr foreign = {.addr = 0x0a010101, .prefix = 16};
	_cleanup_rtnl_ struct rtnl r = {.fd = -1};
	static const char *const veth[] = {"ip",   "link", "add", "cbr0",
					   "type", "veth", NULL};
	struct rtnl_link l;
	struct err e;

	assert_int_equal(rtnl_open(&r), 0);
	if (rtnl_link_get(&r, "cbr0", &l) == 0)
		assert_int_equal(rtnl_link_del(&r, l.index), 0);
	/* The bridge exists, has foreign addresses and is down. */
	assert_int_equal(rtnl_bridge_add(&r, "cbr0"), 0);
	assert_int_equal(rtnl_link_get(&r, "cbr0", &l), 0);
	assert_int_equal(rtnl_addr_add(&r, l.index, foreign), 0);
	assert_true(bridge_apply(want, 0, &e) > 0);
	assert_bridge("192.168.1.1/24", 0);
	assert_int_equal(bridge_apply(want, 0, &e), 0);
	/* The name belongs to another kind of link. */
	assert_int_equal(rtnl_link_del(&r, l.index), 0);
	if (run_argv(veth, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(bridge_apply(want, 0, &e), -1);
	assert_string_equal(e.msg,
			    "cbr0 exists already as a veth, not as a bridge: remove "
			    "or rename it");
	assert_int_equal(rtnl_link_get(&r, "cbr0", &l), 0);
	assert_int_equal(rtnl_link_del(&r, l.index), 0);
}

/* A failure on the running system is a failure of the host, and no unit is started. */
static void test_live_failure_starts_nothing(void **state _unused_)
{
	static const char *const veth[] = {"ip",   "link", "add", "cbr0",
					   "type", "veth", NULL};
	_cleanup_machine_ struct machine m;
	_cleanup_rtnl_ struct rtnl r = {.fd = -1};
	_cleanup_applied_ struct applied a = {0};
	struct rtnl_link l;
	struct err e;

	machine_make(&m);
	write_node(&m);
	fake_systemctl(&m);
	m.fb.live = true;
	assert_int_equal(run_argv(veth, &e), 0);
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), -1);
	assert_int_equal(e.code, ERR_FAILED);
	assert_file(&m, "systemctl.log", NULL);
	applied_read(&a, &m.fb);
	assert_false(a.ok);
	assert_has(a.errors[0], "cbr0 exists already as a veth");
	assert_int_equal(rtnl_open(&r), 0);
	assert_int_equal(rtnl_link_get(&r, "cbr0", &l), 0);
	assert_int_equal(rtnl_link_del(&r, l.index), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_live_apply_configures_the_system),
		cmocka_unit_test(test_changed_units_restart),
		cmocka_unit_test(test_units_of_a_template_restart),
		cmocka_unit_test(test_new_vlan_asks_for_a_boot),
		cmocka_unit_test(test_second_live_apply_changes_nothing),
		cmocka_unit_test(test_foreign_bridge_is_taken_over),
		cmocka_unit_test(test_live_failure_starts_nothing),
	};
	size_t n = ARRAY_SIZE(tests);
	int r = become_root(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS);

	if (r == 0)
		/* Legacy iptables writes its lock file in /run. */
		(void)!mount("none", "/run", "tmpfs", 0, NULL);
	for (; r < 0 && n > 0; n--) /* cmocka 1.1.5 calls a skip "not ok" */
		printf("ok %zu - %s # SKIP no namespace to be had: %s\n", n,
		       tests[n - 1].name, strerror(-r));
	return _cmocka_run_group_tests("firstboot-live", tests, n, NULL, NULL);
}
