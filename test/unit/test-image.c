/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/image.h: valid and invalid manifests and reports. */
#include "pxe/image.h"

#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = make_scratch();
	return 0;
}

static int teardown(void **state)
{
	rm_rf_p((char **)state);
	return 0;
}

static void valid_image_is_read(void **state)
{
	_cleanup_free_ char *dir = image_make(*state);
	_cleanup_image_ struct image i = {0};
	struct err e = {0};

	assert_int_equal(image_open(&i, dir, &e), 0);
	assert_string_equal(i.name, "tiny");
	assert_string_equal(i.cmdline, "net.ifnames=0 quiet");
	assert_string_equal(i.root_sha256, SHA_OF("89ab"));
	assert_int_equal(i.initrd_size, strlen(INITRD_TEXT));
	assert_int_equal(i.epoch, 1435622400);
	assert_true(strv_has(i.standins, "kubelet"));
	assert_int_equal(i.roles.n, 2);
	assert_true(role_has(roles_find(&i.roles, "master"), FEATURE_KUBERNETES_MASTER));
	assert_true(role_has(roles_find(&i.roles, "node"), FEATURE_CBR0));
	assert_false(role_has(roles_find(&i.roles, "node"), FEATURE_KUBERNETES_MASTER));
}

/* Replaces `from` by `to` in the manifest and checks that it is refused with `want`. */
static void refuses(char *scratch, const char *from, const char *to, const char *want)
{
	_cleanup_rm_rf_ char *dir = xasprintf("%s/image", scratch);
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *whole = xasprintf("image %s: %s", dir, want);
	_cleanup_buf_ struct buf b = {0};
	struct image i;
	struct err e = {0};
	char *at;

	free(image_make(scratch));
	text = read_text(dir, "manifest.json");
	at = strstr(text, from);
	assert_non_null(at);
	buf_add(&b, text, (size_t)(at - text));
	buf_puts(&b, to);
	buf_puts(&b, at + strlen(from));
	write_text(dir, "manifest.json", b.p);
	assert_int_equal(image_open(&i, dir, &e), -1);
	assert_string_equal(e.msg, whole);
	assert_int_equal(e.code, ERR_FAILED);
}

/* Puts a pipe, a symlink or a folder in the place of a file and checks that the image is
 * refused. */
static void refuses_other(const char *dir, const char *name, const char *kind,
			  const char *want)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	_cleanup_free_ char *saved = xasprintf("%s.saved", path);
	_cleanup_free_ char *all = xasprintf("image %s: %s", dir, want);
	struct image i;
	struct err e = {0};

	assert_int_equal(rename(path, saved), 0);
	if (streq(kind, "pipe"))
		assert_int_equal(mkfifo(path, 0644), 0);
	else if (streq(kind, "link"))
		assert_int_equal(symlink(saved, path), 0);
	else
		assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(image_open(&i, dir, &e), -1);
	assert_string_equal(e.msg, all);
	assert_int_equal(remove(path), 0);
	assert_int_equal(rename(saved, path), 0);
}

static void only_regular_files_are_read(void **state)
{
	static const char *const names[] = {"manifest.json", "vmlinuz", "initrd.img",
					    "root.squashfs"};
	_cleanup_free_ char *dir = image_make(*state);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *file =
			xasprintf("%s: is not a regular file", names[i]);
		_cleanup_free_ char *link = xasprintf("%s: is a symbolic link", names[i]);

		refuses_other(dir, names[i], "pipe", file);
		refuses_other(dir, names[i], "folder", file);
		refuses_other(dir, names[i], "link", link);
	}
}

static void bad_manifests_are_refused(void **state)
{
	refuses(*state, "\"format\": 1", "\"format\": 2",
		"manifest.json: format 2 is not supported, only format 1 is");
	refuses(*state, "\"tiny\"", "7", "manifest.json: member 'name' must be a string");
	refuses(*state, "\"epoch\": 1435622400", "\"epoch\": -1",
		"manifest.json: member 'epoch' must be a whole number");
	refuses(*state, "\"root.squashfs\"", "\"root.ext4\"",
		"manifest.json: outputs: 'root.squashfs' is missing: the image was not "
		"built with --type pxe");
	refuses(*state, "\"size\": 13", "\"size\": 14",
		"vmlinuz has 13 bytes, not 14 as manifest.json says: build the image "
		"again");
	refuses(*state, SHA_OF("4567"), "4567",
		"manifest.json: outputs: 'initrd.img': sha256 must be 64 lower-case hex "
		"digits");
	refuses(*state, "\"cbr0\",", "\"cbr1\",",
		"manifest.json: roles: this version of rackstrap does not know the "
		"feature 'cbr1': use a newer one, or build the image again");
	refuses(*state, "\"name\": \"node\"", "\"name\": \"master\"",
		"manifest.json: roles: 'master' is there twice");
	refuses(*state, "{", "[", "manifest.json: line 2: ']' expected near ':'");
}

/* Each value takes a hundred times as much memory as text. */
static void number_of_values_is_limited(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	struct image image;
	struct err e = {0};

	(void)state;
	buf_puts(&b, "{\"x\": [{}");
	for (int i = 0; i < 500000; i++)
		buf_add(&b, ",{}", 3);
	buf_puts(&b, "]}");
	assert_int_equal(image_parse(&image, NULL, b.p, b.len, &e), -1);
	assert_string_equal(e.msg, "manifest.json: has more than 500000 values: refused");
}

static void missing_files_are_reported(void **state)
{
	_cleanup_free_ char *dir = image_make(*state);
	_cleanup_free_ char *path = xasprintf("%s/initrd.img", dir);
	_cleanup_free_ char *want =
		xasprintf("image %s: initrd.img: No such file or directory", dir);
	struct image i;
	struct err e = {0};

	assert_int_equal(unlink(path), 0);
	assert_int_equal(image_open(&i, dir, &e), -1);
	assert_string_equal(e.msg, want);
	assert_int_equal(image_open(&i, "/nonexistent", &e), -1);
	assert_string_equal(
		e.msg, "image /nonexistent: no manifest.json: not the folder of an image "
		       "(`rackstrap build` makes one in out/)");
}

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
		 "member 'verdict' must be \"ready\" or \"failed\""},
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
		cmocka_unit_test_setup_teardown(valid_image_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(only_regular_files_are_read, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bad_manifests_are_refused, setup,
						teardown),
		cmocka_unit_test(number_of_values_is_limited),
		cmocka_unit_test_setup_teardown(missing_files_are_reported, setup,
						teardown),
		cmocka_unit_test(valid_report_is_read),
		cmocka_unit_test(bad_reports_are_refused),
		cmocka_unit_test(damaged_reports_are_harmless),
		cmocka_unit_test(memory_of_a_report_is_bounded),
		cmocka_unit_test(names_and_lines_of_units_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
