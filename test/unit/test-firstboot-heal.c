/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heal and route: lost rules, keys and registrations are restored, and a missing route is
 * reported. Some cases run in a network namespace of their own, with real iptables,
 * routes, and an API server's port.
 */
#include "firstboot/route.h"
#include "lib/rtnl.h"
#include "lib/run.h"
#include "test-firstboot-http.h"
#include "test-firstboot-units.h"
#include "test-lib-namespace.h"

#include <sys/mount.h>
#include <time.h>

/* --- default route ------------------------------------------------------------------ */

static void assert_missing(const struct machine *m, const char *routes, const char *want)
{
	_cleanup_free_ char *got = NULL;
	struct host h = {.gateway = 0xac190001};

	write_file(m, "proc/net/route", routes);
	got = route_missing(&m->fb, &h, "eth0");
	assert_string_equal(got ? got : "", want);
}

static void test_missing_default_route_is_reported(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_free_ char *dhcp = NULL, *console = NULL, *path = NULL;
	const struct host h = {.dhcp = true};
	struct err e;

	machine_make(&m);
	write_node(&m);
	assert_null(route_missing(&m.fb, &h, "eth0")); /* no /proc/net/route */
	assert_missing(&m, ROUTES DEFAULT_ROUTE, "");
	assert_missing(&m, ROUTES,
		       "no default route: eth0 has not been given the one to 172.25.0.1");
	assert_missing(&m, ROUTES REJECT_ROUTE HALF_ROUTE,
		       "no default route: eth0 has not been given the one to 172.25.0.1");
	dhcp = route_missing(&m.fb, &h, "eth0");
	assert_string_equal(dhcp, "no default route: DHCP has not given eth0 a router");
	write_file(&m, "sys/class/net/eth0/carrier", "0\n");
	assert_missing(&m, ROUTES, "no default route: eth0 is down or has no carrier");
	/* The command waits, and also writes the reason to the console. */
	write_file(&m, "console", "");
	path = xasprintf("%s/console", m.dir);
	m.fb.console = path;
	m.fb.timeout = 1;
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_int_equal(cmd_route(&m.fb, NULL, &e), -1);
	assert_string_equal(e.msg, "no default route: eth0 is down or has no carrier");
	console = read_file(&m, "console");
	assert_has(console,
		   "\nrackstrap: no default route: eth0 is down or has no carrier\n");
	write_file(&m, "proc/net/route", ROUTES DEFAULT_ROUTE);
	assert_int_equal(cmd_route(&m.fb, NULL, &e), 0);
}

/* --- heal: port 8080 is the API server's, 4001 etcd's --------------------------- */

static unsigned api_forgot(const char *request, const char *content _unused_,
			   const char **body _unused_)
{
	return streq(request, "GET /api/v1/nodes") ? 200 : 404;
}

static unsigned api_knows(const char *request _unused_, const char *content _unused_,
			  const char **body _unused_)
{
	return 200;
}

static unsigned api_starts(const char *request _unused_, const char *content _unused_,
			   const char **body _unused_)
{
	return 404;
}

/* Answers like an etcd that has lost its hosts. */
static unsigned etcd_forgot(const char *request, const char *content _unused_,
			    const char **body)
{
	*body = "{\"errorCode\":100,\"message\":\"Key not found\"}";
	return strstr(request, "/host/") ? 404 : 500;
}

static unsigned etcd_knows(const char *request _unused_, const char *content _unused_,
			   const char **body)
{
	*body = "{\"node\":{\"value\":\"172.25.0.11\",\"modifiedIndex\":7}}";
	return 200;
}

/* Returns the output of `systemctl show` for a unit that became active `s` seconds after
 * the boot. Owned by the caller. */
static char *active_since(uint64_t s)
{
	return xasprintf("LoadState=loaded\nActiveState=active\nSubState=running\n"
			 "ActiveEnterTimestampMonotonic=%llu\n",
			 (unsigned long long)s * 1000000);
}

/* Pretends that this machine has run for a day longer. */
int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	int r = __real_clock_gettime(clock, t);

	if (clock == CLOCK_MONOTONIC)
		t->tv_sec += 86400;
	return r;
}

/* Makes the unit active for `s` seconds in systemctl's output. */
static void set_active_for(const struct machine *m, uint64_t s)
{
	_cleanup_free_ char *text = NULL;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	text = active_since((uint64_t)now.tv_sec - s);
	write_file(m, "show", text);
}

static void heal_machine(struct machine *m)
{
	machine_make(m);
	write_node(m);
	write_roles(m, 1);
	fake_systemctl(m);
	write_file(m, "console", "");
	write_file(m, "systemctl.log", "");
	m->fb.cmdline = "rackstrap.nat=false";
}

/* Runs heal once with a server that answers like `answer`. Returns whether heal restarted
 * the unit. */
static bool restarts_unit(const struct machine *m, uint16_t port, answer_fn *answer,
			  const char *unit)
{
	_cleanup_free_ char *log = NULL, *path = xasprintf("%s/console", m->dir),
			    *restart = xasprintf("try-restart --no-block %s\n", unit);
	struct firstboot fb = m->fb;
	_cleanup_server_ struct server s;
	struct err e;

	server_start(&s, port, answer);
	write_file(m, "systemctl.log", "");
	fb.console = path;
	if (cmd_heal(&fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	log = read_file(m, "systemctl.log");
	return strstr(log, restart);
}

#define KUBELET "kube-kubelet.service"

/* A kubelet that has not registered in this boot is never restarted, however long it
 * runs. */
static void test_unregistered_kubelet_is_not_restarted(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	heal_machine(&m);
	write_file(&m, "show", ACTIVE); /* since 5 s after the boot */
	assert_false(restarts_unit(&m, 8080, api_forgot, KUBELET));
	assert_false(restarts_unit(&m, 8080, api_forgot, KUBELET));
	assert_false(restarts_unit(&m, 8080, api_starts, KUBELET));
	assert_null(read_file(&m, "run/rackstrap/registered-kubelet"));
}

static void test_forgotten_kubelet_is_restarted(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_free_ char *console = NULL;

	heal_machine(&m);
	set_active_for(&m, 1000);
	assert_false(restarts_unit(&m, 8080, api_knows, KUBELET));
	assert_file(&m, "run/rackstrap/registered-kubelet",
		    "172.25.0.11 at 172.25.0.10:8080\n");
	assert_false(restarts_unit(&m, 8080, api_starts, KUBELET));
	assert_true(restarts_unit(&m, 8080, api_forgot, KUBELET));
	console = read_file(&m, "console");
	assert_string_equal(console,
			    "rackstrap: the API server no longer knows 172.25.0.11: "
			    "restarting kube-kubelet.service, so that it registers "
			    "again\n");
	/* The kubelet is not running at the moment. */
	write_file(&m, "show", BROKEN);
	assert_false(restarts_unit(&m, 8080, api_forgot, KUBELET));
	/* A record of another node's name or of another master's address does not
	 * count. */
	set_active_for(&m, 1000);
	write_file(&m, "run/rackstrap/registered-kubelet",
		   "172.25.0.99 at 172.25.0.10:8080\n");
	assert_false(restarts_unit(&m, 8080, api_forgot, KUBELET));
	write_file(&m, "run/rackstrap/registered-kubelet",
		   "172.25.0.11 at 172.25.0.77:8080\n");
	assert_false(restarts_unit(&m, 8080, api_forgot, KUBELET));
}

/* heal waits 200 s after the kubelet's start, then 400 s, then 600 s each time; after a
 * successful registration it begins with 200 s again. */
static void test_restarts_back_off(void **state _unused_)
{
	static const unsigned waits[] = {200, 400, 600, 600};
	_cleanup_machine_ struct machine m;

	heal_machine(&m);
	assert_false(restarts_unit(&m, 8080, api_knows, KUBELET));
	for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
		set_active_for(&m, waits[i] - 100);
		assert_false(restarts_unit(&m, 8080, api_forgot, KUBELET));
		set_active_for(&m, waits[i] + 1);
		assert_true(restarts_unit(&m, 8080, api_forgot, KUBELET));
	}
	assert_false(restarts_unit(&m, 8080, api_knows, KUBELET));
	set_active_for(&m, 201);
	assert_true(restarts_unit(&m, 8080, api_forgot, KUBELET));
}

/* heal restarts calico-node when its bird_ip is lost, which every host of the mesh
 * needs. */
static void test_forgotten_calico_node_is_restarted(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	heal_machine(&m);
	write_file(
		&m, "usr/lib/rackstrap/roles.cfg",
		"roles = ( { name = \"node\"; features = [ \"kubernetes\", \"cbr0\", "
		"\"nat\", \"calico\", \"docker\", \"network-environment\" ]; units = [ "
		"\"calico-node.service\" ]; } );");
	set_active_for(&m, 1000);
	assert_false(restarts_unit(&m, 4001, etcd_forgot, "calico-node.service"));
	assert_false(restarts_unit(&m, 4001, etcd_knows, "calico-node.service"));
	assert_file(&m, "run/rackstrap/registered-calico",
		    "node-1 at 172.25.0.10:4001\n");
	assert_false(restarts_unit(&m, 4001, api_starts, "calico-node.service"));
	assert_true(restarts_unit(&m, 4001, etcd_forgot, "calico-node.service"));
}

/* Answers correctly, but late. */
static unsigned api_slow(const char *request, const char *content, const char **body)
{
	sleep_ms(1500);
	return api_forgot(request, content, body);
}

static void test_slow_server_is_waited_for(void **state _unused_)
{
	_cleanup_machine_ struct machine m;

	heal_machine(&m);
	set_active_for(&m, 1000);
	write_file(&m, "run/rackstrap/registered-kubelet",
		   "172.25.0.11 at 172.25.0.10:8080\n");
	assert_true(restarts_unit(&m, 8080, api_slow, KUBELET));
}

/* Reports both faults when neither the rules nor a unit can be checked. */
static void test_all_failures_are_reported(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	struct err e;

	heal_machine(&m);
	write_file(&m, "run/rackstrap/registered-kubelet",
		   "172.25.0.11 at 172.25.0.10:8080\n");
	write_file(&m, "bin/iptables-save", "#!/bin/sh\necho no table >&2\nexit 3\n");
	assert_int_equal(fchmodat(m.fb.rootfd, "bin/iptables-save", 0755, 0), 0);
	write_file(&m, "bin/systemctl", "#!/bin/sh\necho no systemd >&2\nexit 4\n");
	assert_int_equal(fchmodat(m.fb.rootfd, "bin/systemctl", 0755, 0), 0);
	server_start(&s, 8080, api_forgot);
	assert_int_equal(cmd_heal(&m.fb, NULL, &e), -1);
	assert_has(e.msg, "no table");
	assert_has(e.msg, "; systemctl exited with 4: no systemd");
}

static char *nat_table(void)
{
	static const char *const argv[] = {"iptables-save", "-t", "nat", NULL};
	const struct run r = {.argv = argv};
	char *text = NULL;
	struct err e;

	if (run_capture(&r, &text, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	return text;
}

/* On a master, which has no kubelet, heal restores lost rules; with nat = false it
 * removes them. */
static void test_lost_nat_rules_are_restored(void **state _unused_)
{
	static const char *const flush[] = {"iptables", "-t", "nat", "-F", NULL};
	_cleanup_machine_ struct machine m;
	_cleanup_free_ char *made = NULL, *healed = NULL, *off = NULL;
	struct err e;

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	write_file(&m, HOST_CFG,
		   "name = \"m\"; role = \"master\"; address = \"172.25.0.10/24\";");
	assert_int_equal(cmd_heal(&m.fb, NULL, &e), 0);
	made = nat_table();
	assert_has(made, "-A POSTROUTING -j KUBE-OUTBOUND-NAT\n");
	assert_has(made, "-A KUBE-OUTBOUND-NAT -j MASQUERADE\n");
	assert_int_equal(run_argv(flush, &e), 0);
	assert_int_equal(cmd_heal(&m.fb, NULL, &e), 0);
	healed = nat_table();
	assert_has(healed, "-A POSTROUTING -j KUBE-OUTBOUND-NAT\n");
	assert_has(healed, "-A KUBE-OUTBOUND-NAT -d 192.168.0.0/16 -o eth0 -j RETURN\n");
	m.fb.cmdline = "rackstrap.nat=false";
	assert_int_equal(cmd_heal(&m.fb, NULL, &e), 0);
	off = nat_table();
	assert_null(strstr(off, "KUBE-OUTBOUND-NAT"));
}

/* The routes come from the kernel's own table. */
static void test_kernels_default_route_is_found(void **state _unused_)
{
	static const char *const add[] = {"ip",  "route", "add", "default",
					  "dev", "lo",    NULL};
	static const char *const del[] = {"ip", "route", "del", "default", NULL};
	struct firstboot fb = {.rootfd = open("/", O_RDONLY | O_DIRECTORY)};
	_cleanup_free_ char *missing = NULL;
	const struct host h = {.gateway = 0xac190001};
	struct err e;

	missing = route_missing(&fb, &h, "lo");
	assert_string_equal(
		missing, "no default route: lo has not been given the one to 172.25.0.1");
	assert_int_equal(run_argv(add, &e), 0);
	assert_null(route_missing(&fb, &h, "lo"));
	assert_int_equal(run_argv(del, &e), 0);
	close(fb.rootfd);
}

/* Brings lo up with the master's address, because a master is never at 127.0.0.1. */
static int make_network(void)
{
	_cleanup_rtnl_ struct rtnl r = {.fd = -1};
	struct cidr master = {.addr = 0xac19000a, .prefix = 32};
	struct rtnl_link lo;
	int ret = rtnl_open(&r);

	if (ret == 0)
		ret = rtnl_link_get(&r, "lo", &lo);
	if (ret == 0)
		ret = rtnl_link_set_up(&r, lo.index, true);
	return ret < 0 ? ret : rtnl_addr_add(&r, lo.index, master);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_missing_default_route_is_reported),
		cmocka_unit_test(test_lost_nat_rules_are_restored),
		cmocka_unit_test(test_kernels_default_route_is_found),
		cmocka_unit_test(test_unregistered_kubelet_is_not_restarted),
		cmocka_unit_test(test_forgotten_kubelet_is_restarted),
		cmocka_unit_test(test_restarts_back_off),
		cmocka_unit_test(test_forgotten_calico_node_is_restarted),
		cmocka_unit_test(test_slow_server_is_waited_for),
		cmocka_unit_test(test_all_failures_are_reported),
	};
	size_t n = ARRAY_SIZE(tests), live = 8;
	int r = become_root(CLONE_NEWNET | CLONE_NEWNS);

	if (r == 0)
		/* Legacy iptables writes its lock file in /run. */
		(void)!mount("none", "/run", "tmpfs", 0, NULL);

	if (r == 0)
		r = make_network();
	for (; r < 0 && live > 0; live--, n--) /* cmocka 1.1.5 calls a skip "not ok" */
		printf("ok %zu - %s # SKIP no namespace to be had: %s\n", n,
		       tests[n - 1].name, strerror(-r));
	return _cmocka_run_group_tests("firstboot-heal", tests, n, NULL, NULL);
}
