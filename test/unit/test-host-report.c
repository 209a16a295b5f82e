/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/host-report.h. */
#include "pxe/host-report.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define REPORT_HEAD                                                                      \
	"{\"format\":1,\"host\":\"node-1\",\"role\":\"node\",\"cluster\":\"demo\","      \
	"\"address\":\"172.25.0.11/24\",\"cbr0\":\"192.168.1.1/24\","
#define REPORT_TAIL                                                                      \
	"\"config_sha256\":\"ab\",\"image\":\"tiny\",\"root_sha256\":\"cd\","            \
	"\"boot_id\":\"ef\",\"generation\":0,\"uptime_ms\":31234,\"phases\":["           \
	"{\"name\":\"kernel\",\"ms\":4200},{\"name\":\"units\",\"ms\":9000}],"           \
	"\"units\":[{\"name\":\"docker.service\",\"active\":\"active\",\"sub\":"         \
	"\"running\",\"result\":\"success\",\"log\":[\"waits\",5]},{\"name\":\"kube-"    \
	"kubelet.service\","                                                             \
	"\"active\":\"failed\",\"sub\":\"failed\",\"result\":\"exit-code\",\"log\":["    \
	"\"dies\"]}],"                                                                   \
	"\"warnings\":[\"a state disk is not used\",7,\"http://u:p@h/ failed\"]}"

static void valid_report_is_read(void **state)
{
	static const char text[] =
		REPORT_HEAD "\"verdict\":\"failed\",\"why\":\"kube-kubelet.service "
			    "failed\"," REPORT_TAIL;
	_cleanup_report_ struct report r = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(report_parse(&r, text, strlen(text), 9, &e), 0);
	assert_string_equal(r.host, "node-1");
	assert_string_equal(r.columns.v[FEATURE_CBR0], "192.168.1.1/24");
	assert_string_equal(r.why, "kube-kubelet.service failed");
	assert_int_equal(r.uptime_ms, 31234);
	assert_int_equal(r.n_phases, 2);
	assert_string_equal(r.phases[1].name, "units");
	assert_int_equal(r.phases[1].ms, 9000);
	assert_int_equal(strv_len(r.failed_units), 1);
	assert_true(strv_has(r.failed_units, "kube-kubelet.service"));
	/* The lines of the failed unit come first. */
	assert_int_equal(strv_len(r.last_lines), 2);
	assert_string_equal(r.last_lines[0], "kube-kubelet.service: dies");
	assert_string_equal(r.last_lines[1], "docker.service: waits");
	assert_int_equal(strv_len(r.warnings), 2);
	assert_string_equal(r.warnings[0], "a state disk is not used");
	assert_string_equal(r.warnings[1], "http://h/ failed");
}

static void bad_reports_are_refused(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"", "line 1: '[' or '{' expected near end of file"},
		{"[1]", "not a JSON object"},
		{"{\"format\":1}", "member 'verdict' must be a string"},
		{"{\"format\":1,\"host\":7}", "member 'host' must be a string"},
		{"{\"format\":1,\"format\":1}", "line 1: duplicate object key near "
						"'\"format\"'"},
		{REPORT_HEAD "\"verdict\":\"fine\",\"why\":null," REPORT_TAIL,
		 "member 'verdict' must be \"ready\", \"failed\" or \"starting\""},
		{REPORT_HEAD "\"verdict\":\"ready\",\"why\":7," REPORT_TAIL,
		 "member 'why' must be a string"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct report r;
		struct err e = {0};

		assert_int_equal(
			report_parse(&r, cases[i].text, strlen(cases[i].text), 9, &e),
			-1);
		assert_string_equal(e.msg, cases[i].want);
	}
}

/* Returns a report with `units` units, each with a name of `name` bytes and `lines` log
 * lines. Owned by the caller. */
static char *report_of_size(size_t units, int name, size_t lines, const char *line)
{
	_cleanup_buf_ struct buf b = {0};

	buf_puts(&b,
		 "{\"format\":1,\"verdict\":\"failed\",\"generation\":0,\"uptime_ms\":1,"
		 "\"phases\":[],\"units\":[");
	for (size_t i = 0; i < units; i++) {
		buf_printf(&b,
			   "%s{\"name\":\"%0*d\",\"active\":\"failed\",\"result\":\"x\","
			   "\"log\":[",
			   i ? "," : "", name, 7);
		for (size_t k = 0; k < lines; k++)
			buf_printf(&b, "%s\"%s\"", k ? "," : "", line);
		buf_puts(&b, "]}");
	}
	buf_puts(&b, "]}");
	return buf_take(&b);
}

static size_t bytes_of(char *const *lines)
{
	size_t n = 0;

	for (size_t i = 0; lines && lines[i]; i++)
		n += strlen(lines[i]);
	return n;
}

/* The memory for last lines does not depend on the report. */
static void memory_of_a_report_is_bounded(void **state)
{
	static const struct {
		size_t units;
		int name;
		size_t lines, want;
		const char *line;
	} cases[] = {
		{1, 255, 16000, 10, ""},
		{1000, 12, 1, REPORT_LINES_MAX, ""},
		{20, 250, 40, REPORT_LINES_MAX, "text"},
		{1, 10, 3, 3, "0123456789"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *text = report_of_size(cases[i].units, cases[i].name,
							   cases[i].lines, cases[i].line);
		_cleanup_report_ struct report r = {0}, none = {0};
		struct err e = {0};

		assert_int_equal(
			report_parse(&r, text, strlen(text), REPORT_LINES_MAX, &e), 0);
		assert_int_equal(strv_len(r.last_lines), cases[i].want);
		assert_true(bytes_of(r.last_lines) <= REPORT_LINES_MAX * 557);
		assert_int_equal(report_parse(&none, text, strlen(text), 0, &e), 0);
		assert_null(none.last_lines);
	}
}

static void names_and_lines_of_units_are_limited(void **state)
{
	static const char url[] = "http://me:PASSWORD@host/";
	char line[400];
	struct report r;
	struct err e = {0};
	_cleanup_free_ char *text = report_of_size(1, 256, 0, "");

	(void)state;
	assert_int_equal(report_parse(&r, text, strlen(text), 9, &e), -1);
	assert_string_equal(e.msg, "units: a name must be of at most 255 bytes");
	for (size_t n = 260; n < 310; n++) {
		_cleanup_free_ char *cut = NULL;

		memset(line, 'x', n);
		strcpy(line + n, url);
		cut = report_of_size(1, 1, 1, line);
		assert_int_equal(report_parse(&r, cut, strlen(cut), 9, &e), 0);
		assert_true(strlen(r.last_lines[0]) <= strlen("7: ") + 300);
		assert_null(strstr(r.last_lines[0], "PA"));
		report_done(&r);
	}
}

/* Every prefix of a report, and the report with each byte changed, is either read or
 * refused. */
static void damaged_reports_are_harmless(void **state)
{
	static const char text[] = REPORT_HEAD "\"verdict\":\"ready\"," REPORT_TAIL;
	char damaged[sizeof(text)];

	(void)state;
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		_cleanup_report_ struct report a = {0}, b = {0};
		struct err e = {0};

		assert_int_equal(report_parse(&a, text, i, 9, &e), -1);
		memcpy(damaged, text, sizeof(text));
		damaged[i] ^= 0x20;
		if (report_parse(&b, damaged, sizeof(text) - 1, 9, &e) == 0)
			assert_non_null(b.verdict);
		else
			assert_true(e.msg[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_report_is_read),
		cmocka_unit_test(bad_reports_are_refused),
		cmocka_unit_test(damaged_reports_are_harmless),
		cmocka_unit_test(memory_of_a_report_is_bounded),
		cmocka_unit_test(names_and_lines_of_units_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
