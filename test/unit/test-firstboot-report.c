/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report, heal, status: what systemd says, what URLs answer, what is told to whom.
 * systemctl is a script; curl is the real one, against a server of the test's own.
 */
#include "firstboot/ready.h"
#include "firstboot/route.h"
#include "lib/rtnl.h"
#include "lib/run.h"
#include "test-firstboot-http.h"
#include "test-firstboot-root.h"
#include "test-lib-namespace.h"

#include <sys/mount.h>

#define UNIT(active, sub, result, type, ran)                                             \
	"Type=" type "\nResult=" result "\nExecMainExitTimestampMonotonic=" ran          \
	"\nLoadState=loaded\nActiveState=" active "\nSubState=" sub                      \
	"\nActiveEnterTimestampMonotonic=5000000\n"

static char *const two[] = {(char[]){"a.service"}, (char[]){"b.service"}, NULL};

/* --- units ------------------------------------------------------------------------ */

static void assert_unit(const char *block, bool ready, const char *text)
{
	_cleanup_units_ struct units u = {0};
	_cleanup_free_ char *all = xasprintf("%s\n%s", block, block), *got = NULL;
	struct err e;

	assert_int_equal(units_parse(&u, two, all, &e), 0);
	assert_int_equal(u.n, 2);
	assert_string_equal(u.v[1].name, "b.service");
	assert_int_equal(unit_ready(&u.v[0]), ready);
	assert_int_equal(unit_ready(&u.v[1]), ready);
	got = unit_text(&u.v[0]);
	assert_string_equal(got, text);
}

static void test_units(void **state _unused_)
{
	_cleanup_units_ struct units u = {0};
	struct err e;

	assert_unit(UNIT("active", "running", "success", "simple", "0"), true,
		    "a.service is active (running)");
	assert_unit(UNIT("active", "exited", "success", "simple", "17"), true,
		    "a.service is active (exited)");
	/* Calico's calicoctl: its work is not done while it runs. */
	assert_unit("RemainAfterExit=yes\n" UNIT("active", "running", "success", "simple",
						 "0"),
		    false, "a.service is active (running)");
	assert_unit("RemainAfterExit=yes\n" UNIT("active", "exited", "success", "simple",
						 "1"),
		    true, "a.service is active (exited)");
	assert_unit("RemainAfterExit=no\n" UNIT("active", "running", "success", "simple",
						"0"),
		    true, "a.service is active (running)");
	assert_unit(UNIT("activating", "auto-restart", "exit-code", "simple", "17"),
		    false, "a.service is activating (auto-restart, exit-code)");
	assert_unit(UNIT("failed", "failed", "exit-code", "oneshot", "17"), false,
		    "a.service is failed (failed, exit-code)");
	/* A oneshot that has not run yet, and one that has. */
	assert_unit(UNIT("inactive", "dead", "success", "oneshot", "0"), false,
		    "a.service is inactive (dead)");
	assert_unit(UNIT("inactive", "dead", "success", "oneshot", "17"), true,
		    "a.service is inactive (dead)");
	assert_unit(UNIT("inactive", "dead", "success", "simple", "17"), false,
		    "a.service is inactive (dead)");
	assert_unit("LoadState=not-found\nActiveState=inactive\nSubState=dead\n", false,
		    "a.service is not-found");
	/* Not every unit has every property; systemctl of another mind. */
	assert_int_equal(units_parse(&u, two, UNIT("active", "x", "y", "z", "0"), &e),
			 -1);
	assert_string_equal(e.msg, "systemctl show says nothing about b.service");
	assert_int_equal(units_parse(&u, two, "", &e), -1);
}

static void test_expand(void **state _unused_)
{
	const char *env =
		"# NAME=comment\nNAME=172.25.0.11\nQUOTED=\"a b\"\nNAME2=x\nE=\n";
	_cleanup_free_ char *a = NULL, *b = NULL, *c = NULL;
	struct err e;

	a = ready_expand("http://${NAME}:8080/${NAME2}/${QUOTED}/${E}$", env, &e);
	assert_string_equal(a, "http://172.25.0.11:8080/x/a b/$");
	b = ready_expand("http://plain/${", env, &e);
	assert_string_equal(b, "http://plain/${");
	c = ready_expand("http://${NAM}/", env, &e);
	assert_null(c);
	assert_string_equal(e.msg, "http://${NAM}/: /etc/network-environment has no NAM");
}

/* --- phases, records, JSON --------------------------------------------------------- */

static void assert_phases(const struct boot_info *b, const struct applied *a,
			  uint64_t end, const char *want)
{
	_cleanup_buf_ struct buf text = {0};
	struct phase p[PHASES_MAX];
	size_t n = phases_make(b, a, end, p);

	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%s %llu ", p[i].name, (unsigned long long)p[i].ms);
	assert_string_equal(text.p ? text.p : "", want);
}

static void test_phases(void **state _unused_)
{
	struct boot_info b = {.initramfs_start_ms = 4200, .initramfs_end_ms = 5300};
	struct boot_info unknown = {0};
	struct applied a = {.start_ms = 9000, .end_ms = 9040}, none = {0};

	assert_phases(&b, &a, 31000,
		      "kernel 4200 initramfs 1100 system 3700 firstboot 40 units 21960 ");
	assert_phases(&b, &a, 0, "kernel 4200 initramfs 1100 system 3700 firstboot 40 ");
	assert_phases(&unknown, &a, 31000, "system 9000 firstboot 40 units 21960 ");
	assert_phases(&b, &none, 0, "kernel 4200 initramfs 1100 ");
	assert_phases(&unknown, &none, 0, "");
	/* Records that contradict each other give no times below zero. */
	b.initramfs_end_ms = 20000;
	assert_phases(&b, &a, 31000, "kernel 4200 initramfs 15800 units 11000 ");
}

static void test_records(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_applied_ struct applied none = {0}, out = {0};
	_cleanup_verdict_ struct verdict v = {0};
	_cleanup_boot_info_ struct boot_info b = {0};
	struct applied in = {.ok = false,
			     .uplink = (char[]){"eth0"},
			     .start_ms = 5000000000,
			     .end_ms = 5000000001};
	struct verdict said = {.why = (char[]){"a \"b\"\\ c"}, .uptime_ms = 17};
	struct err e;

	machine_make(&m);
	applied_read(&none, &m.fb);
	assert_false(none.there);
	strv_add(&in.errors, "one \"quoted\" \\ line");
	strv_add(&in.errors, "two");
	assert_int_equal(applied_write(&in, &m.fb, &e), 0);
	strv_free(in.errors);
	applied_read(&out, &m.fb);
	assert_true(out.there);
	assert_false(out.ok);
	assert_int_equal(out.start_ms, 5000000000);
	assert_int_equal(out.end_ms, 5000000001);
	assert_string_equal(out.errors[0], "one \"quoted\" \\ line");
	assert_string_equal(out.errors[1], "two");
	assert_int_equal(strv_len(out.warnings), 0);

	assert_int_equal(verdict_write(&said, &m.fb, &e), 0);
	verdict_read(&v, &m.fb);
	assert_false(v.ready);
	assert_string_equal(v.why, "a \"b\"\\ c");

	put(&m, BOOT_CFG,
	    "medium = \"pxe\"; root_sha256 = \"ab\"; "
	    "initramfs_start_ms = 4200; initramfs_end_ms = 5300;");
	put(&m, IMAGE_CFG, "name = \"bookworm-vm\"; epoch = \"1435622400\";");
	put(&m, "proc/sys/kernel/random/boot_id", "1-2-3\n");
	boot_info_read(&b, &m.fb);
	assert_string_equal(b.image, "bookworm-vm");
	assert_string_equal(b.root_sha256, "ab");
	assert_string_equal(b.boot_id, "1-2-3");
	assert_int_equal(b.initramfs_end_ms, 5300);
}

/* A record that is damaged tells nothing, and breaks nothing. */
static void test_damaged_record(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_applied_ struct applied a = {0};

	machine_make(&m);
	put(&m, APPLY_CFG, "verdict = \"app");
	applied_read(&a, &m.fb);
	assert_false(a.there);
	assert_false(a.ok);
}

/* --- a host with a systemctl that answers from a file ------------------------------ */

static void fake_systemctl(const struct machine *m)
{
	_cleanup_free_ char *text = NULL, *path = NULL;

	text = xasprintf("#!/bin/sh\necho \"$@\" >>%s/systemctl.log\n"
			 "[ \"$1\" != show ] || exec cat %s/show\n",
			 m->dir, m->dir);
	put(m, "bin/systemctl", text);
	assert_int_equal(fchmodat(m->fb.rootfd, "bin/systemctl", 0755, 0), 0);
	path = xasprintf("%s/bin:/usr/sbin:/usr/bin:/sbin:/bin", m->dir);
	setenv("PATH", path, 1);
}

static void put_roles(const struct machine *m, uint16_t port)
{
	_cleanup_free_ char *text =
		xasprintf("roles = ( { name = \"node\"; cbr0 = true;\n"
			  "  units = [ \"a.service\", \"kube-kubelet.service\" ];\n"
			  "  ready = [ \"http://127.0.0.1:%u/ok\", "
			  "\"http://127.0.0.1:%u/nodes/${DEFAULT_IPV4}\" ]; },\n"
			  "{ name = \"master\"; master = true; } );\n",
			  port, port);

	put(m, "usr/lib/rackstrap/roles.cfg", text);
}

#define ACTIVE UNIT("active", "running", "success", "simple", "0")
#define BROKEN UNIT("activating", "auto-restart", "exit-code", "simple", "17")

/* A machine that apply has been over, with a report URL on the server. */
static void configured(struct machine *m, const struct server *s)
{
	_cleanup_free_ char *cfg = NULL;
	struct err e;

	machine_make(m);
	put_node(m);
	cfg = xasprintf(NODE_CFG "cluster = \"demo\";\n"
				 "report = \"http://127.0.0.1:%u/report/node-1.json\";\n",
			s->port);
	put(m, HOST_CFG, cfg);
	put_roles(m, s->port);
	put(m, "show", ACTIVE "\n" ACTIVE);
	put(m, "console", "");
	fake_systemctl(m);
	if (cmd_apply(&m->fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

static unsigned all_well(const char *request, const char *content _unused_,
			 const char **body)
{
	*body = "fine";
	return str_after(request, "PUT ") ? 201 : 200;
}

static void test_report_ready(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL, *json = NULL, *console = NULL, *path = NULL;
	_cleanup_verdict_ struct verdict v = {0};
	struct err e;

	server_start(&s, 0, all_well);
	configured(&m, &s);
	path = xasprintf("%s/console", m.dir);
	m.fb.console = path;
	if (cmd_report(&m.fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	log = server_log(&s);
	assert_has(log, "GET /ok \nGET /nodes/172.25.0.11 \nPUT /report/node-1.json {\n");
	json = get(&m, REPORT_JSON);
	assert_has(log, json);
	assert_has(json,
		   "\"format\": 1,\n  \"host\": \"node-1\",\n  \"role\": \"node\",\n"
		   "  \"cluster\": \"demo\",\n  \"address\": \"172.25.0.11/24\",\n"
		   "  \"cbr0\": \"192.168.1.1/24\",\n  \"verdict\": \"ready\",\n"
		   "  \"why\": null,\n  \"config_sha256\": \"");
	assert_has(json, "\"name\": \"units\"");
	assert_has(json, "\"name\": \"kube-kubelet.service\"");
	console = get(&m, "console");
	assert_has(console, "rackstrap: units ");
	assert_has(console, "\nrackstrap: node-1 (node) ready in ");
	verdict_read(&v, &m.fb);
	assert_true(v.ready);
	assert_true(v.uptime_ms > 0);
}

/* The first look finds it unready; the verdict is then told, and taken back later. */
static unsigned node_late(const char *request, const char *content _unused_,
			  const char **body _unused_)
{
	static int asked;

	return strstr(request, "/nodes/") && asked++ < 3 ? 404 : 200;
}

static void test_report_waits(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL;
	struct err e;

	server_start(&s, 0, node_late);
	configured(&m, &s);
	assert_int_equal(cmd_report(&m.fb, NULL, &e), 0);
	log = server_log(&s);
	/* A URL that has answered is not asked again. */
	assert_has(log, "GET /ok \nGET /nodes/172.25.0.11 \nGET /nodes/172.25.0.11 \n"
			"GET /nodes/172.25.0.11 \nGET /nodes/172.25.0.11 \nPUT ");
}

static unsigned never(const char *request, const char *content _unused_,
		      const char **body _unused_)
{
	return strstr(request, "/nodes/") ? 404 : 200;
}

static void test_not_ready(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_snapshot_ struct snapshot snap = {0};
	_cleanup_free_ char *units = NULL, *url = NULL, *log = NULL, *want = NULL;

	server_start(&s, 0, never);
	configured(&m, &s);
	put(&m, "show", BROKEN "\n" ACTIVE);
	snapshot_read(&snap, &m.fb);
	assert_false(ready_wait(&m.fb, &snap, 0, 1, &units));
	assert_string_equal(units, "a.service is activating (auto-restart, exit-code)");
	log = server_log(&s);
	assert_string_equal(log, ""); /* no URL before the units are there */
	assert_int_equal(snap.units.n, 2);
	put(&m, "show", ACTIVE "\n" ACTIVE);
	assert_false(ready_wait(&m.fb, &snap, 0, 1, &url));
	want = xasprintf("http://127.0.0.1:%u/nodes/172.25.0.11 answers 404", s.port);
	assert_string_equal(url, want);
}

/* What the units at fault said last is on the console and in the report. */
static void test_report_last_words(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL, *console = NULL, *path = NULL;
	struct err e;
	pid_t pid;

	server_start(&s, 0, all_well);
	configured(&m, &s);
	put(&m, "show", BROKEN "\n" ACTIVE);
	put(&m, "bin/journalctl",
	    "#!/bin/sh\n[ \"$*\" = '--quiet --no-pager --boot --lines=5 --output=cat "
	    "_SYSTEMD_UNIT=a.service' ] && printf 'one\\n\\ntwo\\033[31m\\n'\n");
	assert_int_equal(fchmodat(m.fb.rootfd, "bin/journalctl", 0755, 0), 0);
	path = xasprintf("%s/console", m.dir);
	m.fb.console = path;
	m.fb.timeout = 1;
	pid = fork();
	if (pid == 0) /* goes on watching for an hour */
		_exit(cmd_report(&m.fb, NULL, &e) < 0);
	for (int i = 0; i < 200; i++) {
		free(log);
		log = server_log(&s);
		if (strstr(log, "PUT "))
			break;
		usleep(100000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	console = get(&m, "console");
	assert_has(console, "rackstrap: a.service: one\n"
			    "rackstrap: a.service: two [31m\n"
			    "rackstrap: node-1 (node) failed: a.service is activating "
			    "(auto-restart, exit-code)\n");
	assert_has(log, "\"log\": [\n        \"one\",\n        \"two [31m\"\n      ]");
}

/* --- the way out -------------------------------------------------------------------- */

#define ROUTES                                                                           \
	"Iface\tDestination\tGateway "                                                   \
	"\tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\t"                            \
	"IRTT\n"                                                                         \
	"eth0\t000019AC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
#define DEFAULT_ROUTE "eth0\t00000000\t010019AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
#define REJECT_ROUTE  "*\t00000000\t00000000\t0200\t0\t0\t-1\t00000000\t0\t0\t0\n"
/* 0.0.0.0/1: half of the way out is none. */
#define HALF_ROUTE "eth0\t00000000\t010019AC\t0003\t0\t0\t0\t00000080\t0\t0\t0\n"

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

/* The first reason of a node that is not ready; no URL is asked then. */
static void test_not_ready_without_route(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_snapshot_ struct snapshot snap = {0};
	_cleanup_free_ char *why = NULL, *log = NULL;

	server_start(&s, 0, all_well);
	configured(&m, &s);
	put(&m, "proc/net/route", ROUTES);
	put(&m, "show", BROKEN "\n" ACTIVE);
	snapshot_read(&snap, &m.fb);
	assert_false(ready_wait(&m.fb, &snap, 0, 1, &why));
	assert_string_equal(
		why, "no default route: eth0 has not been given the one to 172.25.0.1; "
		     "a.service is activating (auto-restart, exit-code)");
	log = server_log(&s);
	assert_string_equal(log, "");
}

static void test_report_of_wrong_host(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL, *console = NULL, *path = NULL;
	struct err e;

	server_start(&s, 0, all_well);
	configured(&m, &s);
	path = xasprintf("%s/console", m.dir);
	m.fb.console = path;
	m.fb.cmdline = "rackstrap.role=nod rackstrap.cbr0=x";
	assert_int_equal(cmd_apply(&m.fb, NULL, &e), -1);
	assert_int_equal(cmd_report(&m.fb, NULL, &e), -1);
	assert_int_equal(e.code, ERR_FAILED);
	log = server_log(&s);
	assert_has(log, "PUT /report/node-1.json {\n");
	assert_has(log, "\"verdict\": \"failed\",\n  \"why\": \"kernel command line: "
			"rackstrap.cbr0: must be");
	assert_has(log, "\"errors\": [\n    \"kernel command line: rackstrap.cbr0");
	assert_has(log, "role: the image has no role");
	assert_null(strstr(log, "GET ")); /* nothing is waited for */
	console = get(&m, "console");
	assert_has(
		console,
		"\nrackstrap: node-1 (nod) failed: kernel command line: rackstrap.cbr0");
}

static void test_report_without_apply(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_free_ char *json = NULL;
	struct err e;

	machine_make(&m);
	put_node(&m);
	assert_int_equal(cmd_report(&m.fb, NULL, &e), -1);
	assert_string_equal(e.msg, "firstboot apply left no record of this boot");
	json = get(&m, REPORT_JSON);
	assert_has(json, "\"verdict\": \"failed\"");
}

/* --- status ------------------------------------------------------------------------ */

static void test_status_text(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_snapshot_ struct snapshot snap = {0};
	_cleanup_free_ char *before = NULL, *after = NULL;
	struct err e;

	server_start(&s, 0, all_well);
	configured(&m, &s);
	snapshot_read(&snap, &m.fb);
	verdict_read(&snap.verdict, &m.fb);
	before = snapshot_text(&snap);
	assert_has(before, "host      node-1 (node)\n");
	assert_has(before, "cbr0      \"192.168.1.1/24\"\n");
	assert_has(before, "\nfiles     generation 1\nverdict   not yet\n");
	assert_has(before, "\nconfig    sha256 ");
	assert_int_equal(cmd_report(&m.fb, NULL, &e), 0);
	verdict_read(&snap.verdict, &m.fb);
	assert_int_equal(units_query(&snap.units, snap.config.role->units, &e), 0);
	after = snapshot_text(&snap);
	assert_has(after, "verdict   ready in ");
	assert_has(after, "units     a.service: active (running)\n");
}

/* --- the host's own console --------------------------------------------------------- */

static void assert_console(const char *console, const char *active, const char *want)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	put(&m, "dev/ttyS1", "");
	if (active)
		put(&m, "sys/class/tty/console/active", active);
	console_of_host(&m.fb, console);
	console_line(&m.fb, "%s", "a line");
	assert_file(&m, "dev/ttyS1", want);
}

static void test_console(void **state _unused_)
{
	static const char line[] = "rackstrap: a line\n";

	assert_console("ttyS1,115200n8", NULL, line);
	assert_console("ttyS1", "ttyS0\n", line);
	assert_console("ttyS1", "ttyS1 tty0\n", line);
	assert_console("ttyS1", "tty0 ttyS1\n", ""); /* /dev/console gets it */
	assert_console("ttyS7", NULL, "");           /* is not there */
	assert_console("../dev/ttyS1", NULL, "");
	assert_console(NULL, NULL, "");
}

/* The verdict is on it too. */
static void test_console_of_report(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_free_ char *text = NULL;
	struct err e;

	machine_make(&m);
	put(&m, "dev/ttyS1", "");
	put(&m, HOST_CFG, NODE_CFG "console = \"ttyS1\";");
	assert_int_equal(cmd_report(&m.fb, NULL, &e), -1);
	text = get(&m, "dev/ttyS1");
	assert_has(text, "rackstrap: node-1 (node) failed: ");
}

/* --- heal: port 8080 is the API server's, so in a network of our own --------------- */

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
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_expand),
		cmocka_unit_test(test_phases),
		cmocka_unit_test(test_records),
		cmocka_unit_test(test_damaged_record),
		cmocka_unit_test(test_report_ready),
		cmocka_unit_test(test_report_waits),
		cmocka_unit_test(test_not_ready),
		cmocka_unit_test(test_report_last_words),
		cmocka_unit_test(test_route),
		cmocka_unit_test(test_not_ready_without_route),
		cmocka_unit_test(test_report_of_wrong_host),
		cmocka_unit_test(test_report_without_apply),
		cmocka_unit_test(test_status_text),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_console_of_report),
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
	return _cmocka_run_group_tests("firstboot-report", tests, n, NULL, NULL);
}
