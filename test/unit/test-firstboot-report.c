/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report, status: what is reported to whom, and when. systemctl is a script; curl is the
 * real one, against a server of the test's own.
 */
#include "firstboot/generation.h"
#include "firstboot/snapshot.h"
#include "lib/run.h"
#include "test-firstboot-configured.h"

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

static void test_phases_come_from_records(void **state _unused_)
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
	/* Records that contradict each other give no negative times. */
	b.initramfs_end_ms = 20000;
	assert_phases(&b, &a, 31000, "kernel 4200 initramfs 15800 units 11000 ");
}

static void test_records_are_read_back(void **state _unused_)
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

	write_file(&m, BOOT_CFG,
		   "medium = \"pxe\"; root_sha256 = \"ab\"; "
		   "initramfs_start_ms = 4200; initramfs_end_ms = 5300;");
	write_file(&m, IMAGE_CFG, "name = \"bookworm-vm\"; epoch = \"1435622400\";");
	write_file(&m, "proc/sys/kernel/random/boot_id", "1-2-3\n");
	boot_info_read(&b, &m.fb);
	assert_string_equal(b.image, "bookworm-vm");
	assert_string_equal(b.root_sha256, "ab");
	assert_string_equal(b.boot_id, "1-2-3");
	assert_int_equal(b.initramfs_end_ms, 5300);
}

/* A damaged record gives no times and no error. */
static void test_damaged_record_is_ignored(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_applied_ struct applied a = {0};

	machine_make(&m);
	write_file(&m, APPLY_CFG, "verdict = \"app");
	applied_read(&a, &m.fb);
	assert_false(a.there);
	assert_false(a.ok);
}

/* --- ready and unready hosts -------------------------------------------------------- */

static void test_ready_host_is_reported(void **state _unused_)
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
	assert_true(str_after(log, "PUT /report/node-1.json {\n"));
	assert_has(log, "\"verdict\": \"starting\",\n  \"why\": null,\n");
	assert_has(log, "GET /ok \nGET /nodes/172.25.0.11 \nPUT /report/node-1.json {\n");
	json = read_file(&m, REPORT_JSON);
	assert_has(log, json);
	assert_has(json,
		   "\"format\": 1,\n  \"host\": \"node-1\",\n  \"role\": \"node\",\n"
		   "  \"cluster\": \"demo\",\n  \"address\": \"172.25.0.11/24\",\n"
		   "  \"cbr0\": \"192.168.1.1/24\",\n  \"verdict\": \"ready\",\n"
		   "  \"why\": null,\n  \"config_sha256\": \"");
	assert_has(json, "\"name\": \"units\"");
	assert_has(json, "\"name\": \"kube-kubelet.service\"");
	console = read_file(&m, "console");
	assert_has(console, "rackstrap: units ");
	assert_has(console, "\nrackstrap: node-1 (node) ready in ");
	verdict_read(&v, &m.fb);
	assert_true(v.ready);
	assert_true(v.uptime_ms > 0);
}

/* The first check finds the node not ready; that verdict is reported, and withdrawn
 * later. */
static unsigned node_late(const char *request, const char *content _unused_,
			  const char **body _unused_)
{
	static int asked;

	return strstr(request, "/nodes/") && asked++ < 3 ? 404 : 200;
}

static void test_report_waits_until_ready(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL;
	struct err e;

	server_start(&s, 0, node_late);
	configured(&m, &s);
	assert_int_equal(cmd_report(&m.fb, NULL, &e), 0);
	log = server_log(&s);
	/* A URL that has answered is not requested again. */
	assert_has(log, "GET /ok \nGET /nodes/172.25.0.11 \nGET /nodes/172.25.0.11 \n"
			"GET /nodes/172.25.0.11 \nGET /nodes/172.25.0.11 \nPUT ");
}

/* --- run by an operator --------------------------------------------------------- */

/* Without --wait the command checks once and sends no report, whatever the verdict is. */
static void test_report_without_wait_only_checks(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	struct verdict failed = {.why = (char[]){"a reason"}, .uptime_ms = 17};
	_cleanup_free_ char *log = NULL;
	struct err e;

	server_start(&s, 0, all_well);
	configured(&m, &s);
	m.fb.wait = false;
	write_file(&m, "show", BROKEN "\n" ACTIVE);
	assert_int_equal(cmd_report(&m.fb, NULL, &e), -1); /* would wait for 600 s */
	assert_string_equal(
		e.msg, "not ready: a.service is activating (auto-restart, exit-code)");
	assert_file(&m, REPORT_CFG, NULL);
	assert_int_equal(verdict_write(&failed, &m.fb, &e), 0);
	assert_int_equal(cmd_report(&m.fb, NULL, &e), -1);
	write_file(&m, "show", ACTIVE "\n" ACTIVE);
	assert_int_equal(cmd_report(&m.fb, NULL, &e), 0);
	log = server_log(&s);
	assert_null(strstr(log, "PUT "));
}

/* --- last log lines ------------------------------------------------------------- */

/* The last log lines of the failed units are on the console and in the report. */
static void test_report_has_last_log_lines(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL, *console = NULL, *path = NULL;

	server_start(&s, 0, all_well);
	configured(&m, &s);
	write_file(&m, "show", BROKEN "\n" ACTIVE);
	write_file(
		&m, "bin/journalctl",
		"#!/bin/sh\n[ \"$*\" = '--quiet --no-pager --boot --lines=5 --output=cat "
		"_SYSTEMD_UNIT=a.service' ] && printf 'one\\n\\npull "
		"http://u:PASSWORD@h/v1 failed\\ntwo\\033[31m\\n'\n");
	assert_int_equal(fchmodat(m.fb.rootfd, "bin/journalctl", 0755, 0), 0);
	path = xasprintf("%s/console", m.dir);
	m.fb.console = path;
	log = log_of_failure(&m, &s, 2, 1);
	console = read_file(&m, "console");
	assert_has(console, "rackstrap: a.service: one\n"
			    "rackstrap: a.service: pull http://h/v1 failed\n"
			    "rackstrap: a.service: two?[31m\n"
			    "rackstrap: node-1 (node) failed: a.service is activating "
			    "(auto-restart, exit-code), its last line: two?[31m\n");
	assert_null(strstr(log, "PASSWORD"));
	assert_has(log, "\"log\": [\n        \"one\",\n        \"pull "
			"http://h/v1 failed\",\n        \"two?[31m\"\n      ]");
}

static void test_wrong_configuration_is_reported(void **state _unused_)
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
	assert_null(strstr(log, "GET ")); /* it waits for nothing */
	console = read_file(&m, "console");
	assert_has(
		console,
		"\nrackstrap: node-1 (nod) failed: kernel command line: rackstrap.cbr0");
}

static void test_missing_apply_is_reported(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_free_ char *json = NULL;
	struct err e;

	machine_make(&m);
	write_node(&m);
	m.fb.wait = true;
	assert_int_equal(cmd_report(&m.fb, NULL, &e), -1);
	assert_string_equal(e.msg, "firstboot apply left no record of this boot");
	json = read_file(&m, REPORT_JSON);
	assert_has(json, "\"verdict\": \"failed\"");
}

/* --- status ------------------------------------------------------------------------ */

static void test_status_text_is_complete(void **state _unused_)
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
	assert_has(before, "cbr0      192.168.1.1/24\n");
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
	write_file(&m, "dev/ttyS1", "");
	if (active)
		write_file(&m, "sys/class/tty/console/active", active);
	console_of_host(&m.fb, console);
	console_line(&m.fb, "%s", "a line");
	assert_file(&m, "dev/ttyS1", want);
}

static void test_console_gets_each_line_once(void **state _unused_)
{
	static const char line[] = "rackstrap: a line\n";

	assert_console("ttyS1,115200n8", NULL, line);
	assert_console("ttyS1", "ttyS0\n", line);
	assert_console("ttyS1", "ttyS1 tty0\n", line);
	assert_console("ttyS1", "tty0 ttyS1\n", ""); /* /dev/console is ttyS1 */
	assert_console("ttyS7", NULL, "");           /* the device does not exist */
	assert_console("../dev/ttyS1", NULL, "");
	assert_console(NULL, NULL, "");
}

/* A line may end anywhere in a URL: also then no part of its password is left. */
static void test_console_has_no_credentials(void **state _unused_)
{
	char line[2200];

	for (size_t n = 1950; n < 2060; n += 5) {
		_cleanup_machine_ struct machine m;
		_cleanup_free_ char *text = NULL;

		machine_make(&m);
		write_file(&m, "dev/ttyS1", "");
		console_of_host(&m.fb, "ttyS1");
		memset(line, 'x', n);
		strcpy(line + n, "http://me:PASSWORD@host/x: no");
		console_line(&m.fb, "%s", line);
		text = read_file(&m, "dev/ttyS1");
		assert_has(text, "rackstrap: xxx");
		assert_null(strstr(text, "PA"));
	}
}

/* The console also gets the verdict. */
static void test_console_gets_the_verdict(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_free_ char *text = NULL;
	struct err e;

	machine_make(&m);
	write_file(&m, "dev/ttyS1", "");
	write_file(&m, HOST_CFG, NODE_CFG "console = \"ttyS1\";");
	m.fb.wait = true;
	assert_int_equal(cmd_report(&m.fb, NULL, &e), -1);
	text = read_file(&m, "dev/ttyS1");
	assert_has(text, "rackstrap: node-1 (node) failed: ");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_phases_come_from_records),
		cmocka_unit_test(test_records_are_read_back),
		cmocka_unit_test(test_damaged_record_is_ignored),
		cmocka_unit_test(test_ready_host_is_reported),
		cmocka_unit_test(test_report_waits_until_ready),
		cmocka_unit_test(test_report_without_wait_only_checks),
		cmocka_unit_test(test_report_has_last_log_lines),
		cmocka_unit_test(test_wrong_configuration_is_reported),
		cmocka_unit_test(test_missing_apply_is_reported),
		cmocka_unit_test(test_status_text_is_complete),
		cmocka_unit_test(test_console_gets_each_line_once),
		cmocka_unit_test(test_console_gets_the_verdict),
		cmocka_unit_test(test_console_has_no_credentials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
