/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pxe/watch.h: one host that sends reports without end delays no other. Without servers:
 * the test writes the access log. Counts the reports that are parsed.
 */
#include "pxe/watch.h"

#include "test-pxe-image.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HOSTS 40

/* How often a JSON text was parsed. The Makefile wraps json_loadb(). */
static size_t parsed;

json_t *__real_json_loadb(const char *text, size_t len, size_t flags, json_error_t *e);
json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags, json_error_t *e);

json_t *__wrap_json_loadb(const char *text, size_t len, size_t flags, json_error_t *e)
{
	parsed++;
	return __real_json_loadb(text, len, flags, e);
}

static const char *verdict = "ready"; /* of the reports that put() writes */

struct fixture {
	char *dir, *log;
	struct serve s;
	struct watch w;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	_cleanup_buf_ struct buf b = {0};
	_cleanup_free_ char *reports = NULL, *run = NULL;
	struct err e = {0};

	f->dir = make_scratch();
	f->log = xasprintf("%s/" TREE_ACCESS_LOG, f->dir);
	reports = xasprintf("%s/" TREE_REPORTS, f->dir);
	run = xasprintf("%s/run", f->dir);
	buf_puts(&b, "version = 1; rack = \"r\"; image = \"i\"; boot_server = "
		     "\"10.0.0.1\"; http_port = 80; proxy_dhcp = false; hosts = (");
	for (unsigned i = 0; i < HOSTS; i++)
		buf_printf(&b,
			   "%s{ name = \"h%u\"; role = \"node\"; mac = "
			   "\"02:00:00:00:00:%02x\"; address = \"10.0.0.%u/24\"; }",
			   i ? "," : "", i, i, 10 + i);
	buf_puts(&b, ");");
	write_text(f->dir, TREE_INFO, b.p);
	f->s.dir = f->dir;
	if (mkdir_p_at(AT_FDCWD, reports, 0755) < 0 ||
	    mkdir_p_at(AT_FDCWD, run, 0755) < 0 ||
	    tree_info_read(&f->s.info, f->dir, &e) < 0) {
		print_error("%s\n", e.msg);
		return -1;
	}
	watch_open(&f->w, &f->s);
	parsed = 0;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	watch_done(&f->w);
	tree_info_done(&f->s.info);
	rm_rf_p(&f->dir);
	free(f->log);
	free(f);
	return 0;
}

/* Writes the report of host `i`, as nginx does, and its line in the access log. */
static void put(struct fixture *f, unsigned i, unsigned uptime_ms)
{
	_cleanup_free_ char *new = xasprintf("%s/" TREE_REPORTS "/new", f->dir);
	_cleanup_free_ char *path = xasprintf("%s/" TREE_REPORTS "/h%u.json", f->dir, i);
	_cleanup_free_ char *text = xasprintf(
		"{\"format\":1,\"host\":\"h%u\",\"verdict\":\"%s\",\"generation\":0,"
		"\"uptime_ms\":%u,\"phases\":[],\"units\":[]}",
		i, verdict, uptime_ms);
	_cleanup_free_ char *line = xasprintf("1700000000.123 10.0.0.%u \"PUT "
					      "/report/h%u.json HTTP/1.1\" 204 0 0.001\n",
					      10 + i, i);
	_cleanup_close_ int log =
		open(f->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	write_text(f->dir, TREE_REPORTS "/new", text);
	assert_int_equal(rename(new, path), 0);
	assert_int_equal(write_all(log, line, strlen(line)), 0);
}

static void expect(struct fixture *f, const char *want)
{
	_cleanup_free_ char *line = watch_next(&f->w);

	if (want)
		assert_string_equal(line ? line : "(nothing)", want);
	else
		assert_null(line);
}

/* A report in which the host has no verdict yet is another event. */
static void a_starting_host_is_an_event(void **state)
{
	struct fixture *f = *state;

	verdict = "starting";
	put(f, 3, 1000);
	verdict = "ready";
	expect(f, "h3 (node): starts its units");
	expect(f, NULL);
}

static void reports_that_arrive_together_are_one(void **state)
{
	struct fixture *f = *state;

	for (unsigned i = 1; i <= 200; i++)
		put(f, 3, i * 1000);
	put(f, 4, 7000);
	assert_false(watch_turn(&f->w));
	expect(f, "h3 (node): ready in 200.0 s");
	expect(f, "h4 (node): ready in 7.0 s");
	expect(f, NULL);
	assert_int_equal(parsed, 2);
	put(f, 3, 1000);
	expect(f, "h3 (node): ready in 1.0 s");
	expect(f, NULL);
	assert_int_equal(parsed, 3);
}

/* The boot server's tree is read again, with a host less, while a host boots. */
static void no_event_is_lost_when_the_rack_changes(void **state)
{
	struct fixture *f = *state;
	size_t n = f->s.info.n_hosts;

	put(f, 3, 1000);
	f->s.info.n_hosts = n - 1;
	watch_rack_changed(&f->w);
	expect(f, "h3 (node): ready in 1.0 s");
	expect(f, NULL);
	f->s.info.n_hosts = n;
}

/* A line of the log that is read in a later turn than its report. */
static void same_report_is_described_once(void **state)
{
	struct fixture *f = *state;
	size_t lines = 2 * WATCH_TURN /
		       strlen("1700000000.123 10.0.0.10 \"PUT "
			      "/report/h0.json HTTP/1.1\" 204 0 0.001\n");

	for (size_t i = 0; i < lines; i++)
		put(f, 0, 1000);
	watch_turn(&f->w);
	expect(f, "h0 (node): ready in 1.0 s");
	expect(f, NULL);
	assert_true(watch_turn(&f->w));
	expect(f, NULL);
	watch_turn(&f->w);
	expect(f, NULL);
	assert_int_equal(parsed, 1);
}

/* In each turn few reports are read, and no host is read twice before all others were. */
static void reports_of_a_turn_are_limited(void **state)
{
	struct fixture *f = *state;
	size_t turns = 0;
	bool more;

	for (unsigned i = 0; i < HOSTS; i++)
		put(f, i, i * 1000);
	do {
		_cleanup_free_ char *line = NULL;
		size_t n = 0;

		more = watch_turn(&f->w);
		put(f, 0, 1000000);
		while ((line = (free(line), watch_next(&f->w))))
			n++;
		turns++;
		assert_true(n <= WATCH_REPORTS);
		assert_true(parsed <= turns * WATCH_REPORTS);
		assert_true(turns < HOSTS);
	} while (more || turns == 1);
	assert_in_range(parsed, HOSTS, HOSTS + turns);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(reports_that_arrive_together_are_one),
		T(a_starting_host_is_an_event),
		T(same_report_is_described_once),
		T(reports_of_a_turn_are_limited),
		T(no_event_is_lost_when_the_rack_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
