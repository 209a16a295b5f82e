/* SPDX-License-Identifier: Apache-2.0 */
/* The result of a rack for people and programs: table, JSON, failures, exit status. */
#include "builder/rack/rack-run.h"
#include "lib/log.h"
#include "test-pxe-image.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define N 3

static struct tree_host hosts[N];
static struct report_phase phases[] = {
	{(char *)"kernel", 5400},          {(char *)"initramfs", 20900},
	{(char *)"system", 35300},         {(char *)"firstboot", 10600},
	{(char *)"something-new", 999000}, {(char *)"units", 61500},
};
static char *last_lines[] = {(char *)"etcd.service: bad \033[31mdata", NULL};
static char *warnings[] = {(char *)"a state disk is not used", NULL};
static char *failed_units[] = {(char *)"etcd.service", NULL};
static char *standins[] = {(char *)"etcd", (char *)"kubelet", NULL};
static struct machine machines[N];
static struct rack rack = {.name = (char *)"a"};
static struct image image = {.name = (char *)"tiny", .standins = standins};

/* Makes a run with a ready master without a disk, a node that failed, and one that never
 * reported. */
static struct rack_run make_run(void)
{
	struct report ready = {.verdict = (char *)"ready",
			       .uptime_ms = 133700,
			       .phases = phases,
			       .n_phases = ARRAY_SIZE(phases)};
	struct report failed = {.verdict = (char *)"failed",
				.uptime_ms = 60000,
				.phases = phases,
				.n_phases = 2,
				.failed_units = failed_units};

	for (size_t i = 0; i < N; i++) {
		hosts[i] = (struct tree_host){.role = (char *)(i ? "node" : "master"),
					      .address = {0xac19000a + (uint32_t)i, 24}};
		machines[i] = (struct machine){.host = &hosts[i]};
	}
	hosts[0].name = (char *)"master";
	hosts[1].name = (char *)"node-1";
	hosts[2].name = (char *)"node-2";
	hosts[1].columns.v[FEATURE_CBR0] = (char *)"192.168.1.1/24";
	hosts[2].address = (struct cidr){0}; /* uses DHCP */
	machines[0].state = MACHINE_READY;
	machines[0].status.report = ready;
	machines[0].total_ms = 153900;
	machines[0].vm.accel = ACCEL_KVM;
	machines[1].state = MACHINE_FAILED;
	machines[1].status.report = failed;
	machines[1].total_ms = 80000;
	machines[1].why = (char *)"etcd.service: failed";
	machines[2].state = MACHINE_FAILED;
	machines[2].total_ms = 600000;
	machines[2].why = (char *)"no report within 600 s";
	return (struct rack_run){.rack = &rack,
				 .image = &image,
				 .dir = "rack-a",
				 .accel = ACCEL_KVM,
				 .machines = machines,
				 .n = N};
}

static void test_table_has_every_host(void **state)
{
	struct rack_run r = make_run();
	_cleanup_free_ char *text = NULL;

	(void)state;
	machines[2].status.address = (char *)"172.25.0.99/24";
	text = rack_table(&r);
	assert_string_equal(
		text,
		"HOST    ROLE    ADDRESS         CBR0             PXE  KERNEL  INITRD  "
		"SYSTEM  FIRSTBOOT  UNITS  TOTAL  VERDICT\n"
		"master  master  172.25.0.10     -               20.2     5.4    20.9  "
		"  35.3       10.6   61.5  153.9  ready\n"
		"node-1  node    172.25.0.11     192.168.1.1/24  20.0     5.4    20.9  "
		"     -          -      -   80.0  failed\n"
		"node-2  node    172.25.0.99/24  -                  -       -       -  "
		"     -          -      -  600.0  failed\n");
}

/* A column of a feature is there only when a host has its value. */
static void test_table_of_hosts_without_features(void **state)
{
	struct rack_run r = make_run();
	_cleanup_free_ char *text = NULL, *json = NULL;

	(void)state;
	hosts[1].columns.v[FEATURE_CBR0] = NULL;
	text = rack_table(&r);
	json = rack_json(&r);
	assert_null(strstr(text, "CBR0"));
	assert_null(strstr(json, "cbr0"));
}

/* Text from a host cannot control the operator's terminal. */
static void test_table_has_no_control_characters(void **state)
{
	struct rack_run r = make_run();
	_cleanup_free_ char *text = NULL;

	(void)state;
	machines[2].status.address = (char *)"\033[2J";
	text = rack_table(&r);
	assert_null(strchr(text, '\033'));
	assert_non_null(strstr(text, "?[2J"));
}

static const char *str(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	return s ? s : "(null)";
}

static void test_json_has_every_host(void **state)
{
	struct rack_run r = make_run();
	_cleanup_free_ char *text = NULL;
	json_t *j;
	const json_t *h, *list;

	(void)state;
	machines[1].console.path = (char *)"rack-a/log/node-1.console";
	text = rack_json(&r);
	j = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(j);
	assert_int_equal(json_integer_value(json_object_get(j, "format")), 1);
	assert_string_equal(str(j, "rack"), "a");
	assert_string_equal(str(j, "image"), "tiny");
	assert_string_equal(str(j, "accelerator"), "kvm");
	assert_string_equal(str(j, "firmware"), "bios");
	assert_int_equal(json_array_size(json_object_get(j, "standins")), 2);
	list = json_object_get(j, "hosts");
	assert_int_equal(json_array_size(list), N);

	h = json_array_get(list, 0);
	assert_string_equal(str(h, "accelerator"), "kvm");
	assert_string_equal(str(h, "verdict"), "ready");
	assert_true(json_is_null(json_object_get(h, "why")));
	assert_int_equal(json_integer_value(json_object_get(h, "pxe_ms")), 20200);
	assert_int_equal(json_array_size(json_object_get(h, "phases")), 6);

	h = json_array_get(list, 1);
	assert_string_equal(str(h, "name"), "node-1");
	assert_string_equal(str(h, "role"), "node");
	assert_string_equal(str(h, "address"), "172.25.0.11");
	assert_string_equal(str(h, "cbr0"), "192.168.1.1/24");
	assert_string_equal(str(h, "accelerator"), "tcg");
	assert_string_equal(str(h, "why"), "etcd.service: failed");
	assert_string_equal(str(h, "console"), "rack-a/log/node-1.console");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(h, "failed_units"), 0)),
		"etcd.service");

	h = json_array_get(list, 2);
	assert_null(json_object_get(h, "pxe_ms"));
	assert_true(json_is_null(json_object_get(h, "address")));
	json_decref(j);
}

static void test_result_names_unready_hosts(void **state)
{
	struct rack_run r = make_run();
	struct machine many[10];
	struct err e = {0};

	(void)state;
	assert_int_equal(rack_result(&r, &e), -1);
	assert_int_equal(e.code, ERR_FAILED);
	assert_string_equal(e.msg, "2 of 3 hosts are not ready: node-1, node-2");

	machines[1].state = MACHINE_READY;
	machines[2].state = MACHINE_PENDING;
	assert_int_equal(rack_result(&r, &e), -1);
	assert_string_equal(e.msg, "1 of 3 hosts is not ready: node-2");

	machines[2].state = MACHINE_READY;
	assert_int_equal(rack_result(&r, &e), 0);

	r.n = 1;
	machines[0].state = MACHINE_FAILED;
	assert_int_equal(rack_result(&r, &e), -1);
	assert_string_equal(e.msg, "1 of 1 host is not ready: master");

	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		many[i] = machines[0];
	r.machines = many;
	r.n = ARRAY_SIZE(many);
	assert_int_equal(rack_result(&r, &e), -1);
	assert_string_equal(e.msg,
			    "10 of 10 hosts are not ready: master, master, master, "
			    "master, master, master, master, master, ...");
}

/* Returns the text that `print_to_log` writes to standard error. Owned by the caller. */
static char *printed(void (*print_to_log)(const struct rack_run *r),
		     const struct rack_run *r)
{
	_cleanup_free_ char *path = NULL;
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);
	char *text = NULL;

	assert_non_null(f);
	path = xasprintf("/proc/self/fd/%d", fileno(f));
	dup2(fileno(f), STDERR_FILENO);
	print_to_log(r);
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_int_equal(file_read_at(AT_FDCWD, path, 1 << 20, &text, NULL), 0);
	fclose(f);
	return text;
}

static void test_failures_are_shown_with_their_consoles(void **state)
{
	_cleanup_rm_rf_ char *scratch = make_scratch();
	_cleanup_free_ char *console = xasprintf("%s/node-1.console", scratch);
	_cleanup_free_ char *text = NULL, *want = NULL;
	struct rack_run r = make_run();
	_cleanup_buf_ struct buf b = {0}, tail = {0};

	(void)state;
	for (int i = 1; i <= 20; i++)
		buf_printf(&b, "\033[1mline %d\r\n", i);
	write_text(scratch, "node-1.console", b.p);
	for (int i = 6; i <= 20; i++)
		buf_printf(&tail, "rackstrap:     line %d\n", i);
	machines[1].console.path = console;
	machines[1].status.report.last_lines = last_lines;
	machines[2].console.path = (char *)"/nonexistent/node-2.console";
	machines[0].status.report.warnings = warnings;
	text = printed(rack_log_problems, &r);
	want = xasprintf("rackstrap: warning: master: a state disk is not used\n"
			 "rackstrap: node-1: etcd.service: failed\n"
			 "rackstrap: node-1: the last lines of its units:\n"
			 "rackstrap:     etcd.service: bad ?[31mdata\n"
			 "rackstrap: node-1: the end of %s:\n%s"
			 "rackstrap: node-2: no report within 600 s\n"
			 "rackstrap: node-2: the end of /nonexistent/node-2.console:\n"
			 "rackstrap:     (nothing)\n",
			 console, tail.p);
	assert_string_equal(text, want);
}

static void test_access_to_the_rack_is_explained(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct rack_run r = make_run();

	(void)state;
	r.dir = "my-rack";
	text = printed(rack_log_access, &r);
	assert_non_null(strstr(text, "Ctrl-C ends it"));
	assert_non_null(strstr(text, "    log in     rackstrap ssh my-rack master\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_has_every_host),
		cmocka_unit_test(test_table_of_hosts_without_features),
		cmocka_unit_test(test_table_has_no_control_characters),
		cmocka_unit_test(test_json_has_every_host),
		cmocka_unit_test(test_result_names_unready_hosts),
		cmocka_unit_test(test_failures_are_shown_with_their_consoles),
		cmocka_unit_test(test_access_to_the_rack_is_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
