/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heal and route: what got lost is put back, and what is missing is named. Some of it in
 * a network of our own, with real iptables, routes, and an API server's port.
 */
#include "firstboot/route.h"
#include "lib/rtnl.h"
#include "lib/run.h"
#include "test-firstboot-http.h"
#include "test-firstboot-units.h"
#include "test-lib-namespace.h"

#include <sys/mount.h>

/* --- the way out -------------------------------------------------------------------- */

static void assert_missing(const struct machine *m, const char *routes, const char *want)
{
	_cleanup_free_ char *got = NULL;
	struct host h = {.gateway = 0xac190001};

	put(m, "proc/net/route", routes);
	got = route_missing(&m->fb, &h, "eth0");
	assert_string_equal(got ? got : "", want);
}

static void test_route(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_free_ char *dhcp = NULL, *console = NULL, *path = NULL;
	const struct host h = {.dhcp = true};
	struct err e;

	machine_make(&m);
	put_node(&m);
	assert_null(route_missing(&m.fb, &h, "eth0")); /* the kernel does not say */
	assert_missing(&m, ROUTES DEFAULT_ROUTE, "");
	assert_missing(&m, ROUTES,
		       "no default route: eth0 has not been given the one to 172.25.0.1");
	assert_missing(&m, ROUTES REJECT_ROUTE HALF_ROUTE,
		       "no default route: eth0 has not been given the one to 172.25.0.1");
	dhcp = route_missing(&m.fb, &h, "eth0");
	assert_string_equal(dhcp, "no default route: DHCP has not given eth0 a router");
	put(&m, "sys/class/net/eth0/carrier", "0\n");
	assert_missing(&m, ROUTES, "no default route: eth0 is down or has no carrier");
	/* The command waits, and tells it on the console too. */
	put(&m, "console", "");
	path = xasprintf("%s/console", m.dir);
	m.fb.console = path;
	m.fb.timeout = 1;
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), 0);
	assert_int_equal(cmd_route(&m.fb, NULL, &e), -1);
	assert_string_equal(e.msg, "no default route: eth0 is down or has no carrier");
	console = get(&m, "console");
	assert_has(console,
		   "\nrackstrap: no default route: eth0 is down or has no carrier\n");
	put(&m, "proc/net/route", ROUTES DEFAULT_ROUTE);
	assert_int_equal(cmd_route(&m.fb, NULL, &e), 0);
}

/* --- heal: port 8080 is the API server's ------------------------------------------- */

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

/* What systemctl was told, when the kubelet is in that state. */
static char *run_heal(answer_fn *answer, const char *kubelet)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	struct err e;
	char *log;

	server_start(&s, 8080, answer);
	machine_make(&m);
	put_node(&m);
	put_roles(&m, 1);
	put(&m, "show", kubelet);
	fake_systemctl(&m);
	m.fb.cmdline = "rackstrap.nat=false";
	if (cmd_heal(&m.fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	log = get(&m, "systemctl.log");
	return log ? log : xstrdup("");
}

static void test_heal(void **state _unused_)
{
	_cleanup_free_ char *forgot = NULL, *knows = NULL, *starts = NULL, *young = NULL;
	const char *restart = "\nrestart kube-kubelet.service\n";

	forgot = run_heal(api_forgot, ACTIVE);
	assert_has(forgot, restart);
	knows = run_heal(api_knows, ACTIVE);
	assert_null(strstr(knows, restart));
	starts = run_heal(api_starts, ACTIVE);
	assert_null(strstr(starts, restart));
	/* Active since a moment that has not come yet: it has only just started. */
	young = run_heal(api_forgot,
			 "LoadState=loaded\nActiveState=active\nSubState=running\n"
			 "ActiveEnterTimestampMonotonic=999999999999999\n");
	assert_null(strstr(young, restart));
	free(young);
	young = run_heal(api_forgot, BROKEN);
	assert_null(strstr(young, restart));
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

/* On a master, which has no kubelet: rules that are gone come back; off, they go. */
static void test_heal_nat(void **state _unused_)
{
	static const char *const flush[] = {"iptables", "-t", "nat", "-F", NULL};
	_cleanup_machine_ struct machine m;
	_cleanup_free_ char *made = NULL, *healed = NULL, *off = NULL;
	struct err e;

	machine_make(&m);
	put_link(&m, "eth0", NODE_MAC, 2, true);
	put(&m, HOST_CFG,
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

/* The kernel's own table. */
static void test_real_route(void **state _unused_)
{
	static const char *const add[] = {"ip",  "route", "add", "default",
					  "dev", "lo",    NULL};
	static const char *const del[] = {"ip", "route", "del", "default", NULL};
	struct firstboot fb = {.root = "/", .rootfd = open("/", O_RDONLY | O_DIRECTORY)};
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

/* lo up, with the master's address on it: a master is not at 127.0.0.1. */
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
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_heal_nat),
		cmocka_unit_test(test_real_route),
		cmocka_unit_test(test_heal),
	};
	size_t n = ARRAY_SIZE(tests), live = 3;
	int r = become_root(CLONE_NEWNET | CLONE_NEWNS);

	if (r == 0)
		/* Legacy iptables wants to write its lock there. */
		(void)!mount("none", "/run", "tmpfs", 0, NULL);

	if (r == 0)
		r = make_network();
	for (; r < 0 && live > 0; live--, n--) /* cmocka 1.1.5 calls a skip "not ok" */
		printf("ok %zu - %s # SKIP no namespace to be had: %s\n", n,
		       tests[n - 1].name, strerror(-r));
	return _cmocka_run_group_tests("firstboot-heal", tests, n, NULL, NULL);
}
