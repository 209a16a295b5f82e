/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/status.h. */
#include "pxe/status.h"

#include "test-pxe-image.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <utime.h>

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

#define NOW 1700000000

/* The host chooses the modification time of its report, here a wrong one. */
static void write_report(const char *dir, const char *name, const char *role,
			 const char *verdict, const char *why, unsigned ms)
{
	_cleanup_free_ char *text = NULL, *file = xasprintf("%s.json", name);
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, file);
	struct utimbuf times = {.actime = NOW, .modtime = NOW};

	text = xasprintf(
		"{\"format\":1,\"host\":\"%s\",\"role\":\"%s\",\"cluster\":\"c\","
		"\"address\":\"10.0.0.9/24\",\"cbr0\":null,\"verdict\":\"%s\","
		"\"why\":%s%s%s,\"config_sha256\":\"ab\",\"image\":\"i\","
		"\"root_sha256\":\"cd\",\"boot_id\":\"ef\",\"generation\":0,"
		"\"uptime_ms\":%u,\"phases\":[{\"name\":\"kernel\",\"ms\":4200},"
		"{\"name\":\"units\",\"ms\":%u}],\"units\":[],\"warnings\":[]}",
		name, role, verdict, why ? "\"" : "", why ? why : "null", why ? "\"" : "",
		ms, ms - 4200);
	write_text(dir, file, text);
	assert_int_equal(utime(path, &times), 0);
}

static void unlink_in(const char *dir, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(unlink(path), 0);
}

static const char tree_cfg[] =
	"version = 1; rack = \"r\"; image = \"i\"; boot_server = \"10.0.0.1\";\n"
	"http_port = 80; proxy_dhcp = false; hosts = (\n"
	"{ name = \"master\"; role = \"master\"; mac = \"02:00:00:00:00:01\"; "
	"address = \"10.0.0.10/24\"; },\n"
	"{ name = \"node-1\"; role = \"node\"; mac = \"02:00:00:00:00:02\"; "
	"address = \"10.0.0.11/24\"; cbr0 = \"192.168.1.1/24\"; },\n"
	"{ name = \"node-2\"; role = \"node\"; mac = \"02:00:00:00:00:03\"; },\n"
	"{ name = \"node-3\"; role = \"node\"; mac = \"02:00:00:00:00:04\"; } );\n";

static void make_tree(const char *dir)
{
	_cleanup_free_ char *reports = xasprintf("%s/" TREE_REPORTS, dir);

	write_text(dir, TREE_INFO, tree_cfg);
	assert_int_equal(mkdir_p_at(AT_FDCWD, reports, 0755), 0);
	write_report(reports, "master", "master", "ready", NULL, 31249);
	write_report(reports, "node-1", "node", "failed", "docker.service failed", 20000);
	write_report(reports, "node-3", "node", "ready", NULL, 9999);
	write_text(reports, "stranger.json", "{}");
}

/* Gives the reports of make_tree() ages. */
static void set_ages(struct status *s)
{
	s->hosts[0].reported.tv_sec = NOW - 5;
	s->hosts[1].reported.tv_sec = NOW - 300;
	s->hosts[3].reported.tv_sec = NOW - 200000;
}

static void boot_tree_status_has_every_host(void **state)
{
	_cleanup_status_ struct status s = {0};
	_cleanup_buf_ struct buf b = {0};
	struct err e = {0};

	make_tree(*state);
	assert_int_equal(status_load(&s, *state, &e), 0);
	set_ages(&s);
	status_table(&s, NOW, &b);
	assert_string_equal(b.p, "HOST    ROLE    ADDRESS    CBR0            KERNEL  "
				 "UNITS  UPTIME  VERDICT  "
				 "  AGE\n"
				 "master  master  10.0.0.10  -                  4.2   "
				 "27.0    31.2  ready    "
				 "  5 s\n"
				 "node-1  node    10.0.0.11  192.168.1.1/24     4.2   "
				 "15.8    20.0  failed   "
				 "5 min\n"
				 "node-2  node    -          -                    -      "
				 "-       -  silent   "
				 "    -\n"
				 "node-3  node    10.0.0.9   -                  4.2    "
				 "5.8    10.0  ready    "
				 "  2 d\n"
				 "node-1: docker.service failed\n");
}

static void warnings_of_a_ready_host_are_shown(void **state)
{
	_cleanup_free_ char *reports = xasprintf("%s/" TREE_REPORTS, (char *)*state);
	_cleanup_status_ struct status s = {0};
	_cleanup_free_ char *json = NULL;
	_cleanup_buf_ struct buf b = {0};
	struct err e = {0};

	make_tree(*state);
	write_text(reports, "master.json",
		   "{\"format\":1,\"host\":\"master\",\"verdict\":\"ready\","
		   "\"generation\":0,\"uptime_ms\":1,\"phases\":[],\"units\":[],"
		   "\"warnings\":[\"/dev/sdb is not\\nused\"]}");
	assert_int_equal(status_load(&s, *state, &e), 0);
	status_table(&s, NOW, &b);
	assert_non_null(strstr(b.p, "\nmaster: warning: /dev/sdb is not used\n"));
	json = status_json(&s, NOW);
	assert_non_null(strstr(json, "\"/dev/sdb is not\\nused\""));
	assert_int_equal(s.hosts[0].verdict, STATUS_READY);
}

/* A host whose units start is neither ready nor failed. */
static void a_starting_host_is_named(void **state)
{
	_cleanup_free_ char *reports = xasprintf("%s/" TREE_REPORTS, (char *)*state);
	_cleanup_status_ struct status s = {0};
	_cleanup_free_ char *json = NULL;
	_cleanup_buf_ struct buf b = {0};
	struct err e = {0};

	make_tree(*state);
	write_report(reports, "node-2", "node", "starting", NULL, 9000);
	assert_int_equal(status_load(&s, *state, &e), 0);
	assert_int_equal(s.hosts[2].verdict, STATUS_STARTING);
	assert_null(s.hosts[2].why);
	status_table(&s, NOW, &b);
	assert_non_null(strstr(b.p, "     9.0  starting  "));
	json = status_json(&s, NOW);
	assert_non_null(strstr(json, "\"verdict\": \"starting\""));
	assert_int_equal(status_verdict(&s, &e), -1);
	assert_string_equal(e.msg, "2 of 4 hosts are not ready: node-1 (failed), node-2 "
				   "(starting)");
}

/* `rackstrap rack` has the same names of columns. */
static void titles_are_those_of_rack(void **state)
{
	static const char *const phases[][2] = {
		{"initramfs", "INITRD"}, {"firstboot", "FIRSTBOOT"}, {"x-1", "X-1"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		_cleanup_free_ char *title = status_phase_title(phases[i][0]);

		assert_string_equal(title, phases[i][1]);
	}
}

static void the_folder_of_a_rack_has_the_status_of_its_tree(void **state)
{
	_cleanup_free_ char *tree = xasprintf("%s/tree", (char *)*state);
	_cleanup_status_ struct status s = {0};
	struct err e = {0};

	assert_int_equal(mkdir(tree, 0755), 0);
	make_tree(tree);
	assert_int_equal(status_load(&s, *state, &e), 0);
	assert_string_equal(s.rack, "r");
	assert_int_equal(s.n, 4);
	assert_int_equal(s.hosts[1].verdict, STATUS_FAILED);
}

static void reports_arrive_when_they_are_written(void **state)
{
	_cleanup_free_ char *reports = xasprintf("%s/" TREE_REPORTS, (char *)*state);
	_cleanup_free_ char *one = xasprintf("%s/master.json", reports);
	_cleanup_free_ char *two = xasprintf("%s/other.json", reports);
	_cleanup_status_ struct status s = {0};
	struct report_id id = {0};
	time_t before = time(NULL);
	struct err e = {0};

	make_tree(*state);
	assert_int_equal(status_load(&s, *state, &e), 0);
	assert_in_range(s.hosts[0].reported.tv_sec, before - 1, time(NULL));
	assert_int_equal(s.hosts[2].reported.tv_sec, 0);

	assert_false(report_changed(&id, *state, "node-2"));
	assert_true(report_changed(&id, *state, "master"));
	assert_false(report_changed(&id, *state, "master"));
	/* Another file with the same size and modification time. */
	write_report(reports, "other", "master", "ready", NULL, 31249);
	assert_int_equal(rename(two, one), 0);
	assert_true(report_changed(&id, *state, "master"));
	assert_false(report_changed(&id, *state, "master"));
}

/* A reason is text from a host: it is neither long nor has it a URL's secrets. */
static void reasons_are_stripped_and_cut(void **state)
{
	_cleanup_free_ char *reports = xasprintf("%s/" TREE_REPORTS, (char *)*state);
	char why[4000];

	make_tree(*state);
	for (size_t n = 1960; n < 2010; n++) {
		_cleanup_status_ struct status s = {0};
		struct err e = {0};

		memset(why, 'x', n);
		strcpy(why + n, "http://me:PASSWORD@host/?sig=PASSWORD");
		write_report(reports, "master", "master", "failed", why, 9000);
		assert_int_equal(status_load(&s, *state, &e), 0);
		assert_in_range(strlen(s.hosts[0].why), 1900, 2000);
		assert_null(strstr(s.hosts[0].why, "PA"));
	}
}

static void verdicts_name_unready_hosts(void **state)
{
	_cleanup_status_ struct status s = {0};
	struct err e = {0};

	make_tree(*state);
	assert_int_equal(status_load(&s, *state, &e), 0);
	assert_int_equal(status_verdict(&s, &e), -1);
	assert_string_equal(e.msg, "2 of 4 hosts are not ready: node-1 (failed), node-2 "
				   "(no report)");
	assert_int_equal(s.hosts[1].verdict, STATUS_FAILED);
	assert_int_equal(s.hosts[2].verdict, STATUS_SILENT);
	s.hosts[1].verdict = s.hosts[2].verdict = STATUS_READY;
	assert_int_equal(status_verdict(&s, &e), 0);
}

static void wrong_reports_are_noticed(void **state)
{
	_cleanup_free_ char *reports = xasprintf("%s/" TREE_REPORTS, (char *)*state);
	_cleanup_free_ char *one = xasprintf("%s/node-1.json", reports);
	_cleanup_free_ char *two = xasprintf("%s/node-2.json", reports);
	_cleanup_free_ char *huge = xcalloc(1, 70000);
	_cleanup_status_ struct status s = {0};
	struct err e = {0};

	make_tree(*state);
	assert_int_equal(rename(one, two), 0);
	memset(huge, ' ', 69999);
	write_text(reports, "node-3.json", huge);
	write_text(reports, "master.json", "{\"format\":1");
	assert_int_equal(status_load(&s, *state, &e), 0);
	assert_int_equal(s.hosts[0].verdict, STATUS_BROKEN);
	assert_int_equal(s.hosts[1].verdict, STATUS_SILENT);
	assert_int_equal(s.hosts[2].verdict, STATUS_BROKEN);
	assert_string_equal(s.hosts[2].why, "the report is of host 'node-1'");
	assert_int_equal(s.hosts[3].verdict, STATUS_BROKEN);
	assert_string_equal(s.hosts[3].why, "File too large");
}

/* Makes what is no report in the place of a report. */
static void make_others(const char *reports)
{
	_cleanup_free_ char *pipe = xasprintf("%s/master.json", reports);
	_cleanup_free_ char *link = xasprintf("%s/node-1.json", reports);
	_cleanup_free_ char *dir = xasprintf("%s/node-2.json", reports);
	_cleanup_free_ char *huge = xasprintf("%s/node-3.json", reports);
	_cleanup_free_ char *secret = xasprintf("%s/../secret.json", reports);

	write_report(reports, "../secret", "node", "ready", NULL, 9000);
	(void)!unlink(pipe);
	(void)!unlink(link);
	assert_int_equal(mkfifo(pipe, 0644), 0);
	assert_int_equal(symlink(secret, link), 0);
	assert_int_equal(mkdir(dir, 0755), 0);
	write_text(reports, "node-3.json", "{");
	assert_int_equal(truncate(huge, (off_t)1 << 40), 0);
}

static void check_others(const struct status *s)
{
	static const char *const why[] = {"is not a regular file", "is a symbolic link",
					  "is not a regular file", "File too large"};

	assert_int_equal(s->n, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(s->hosts[i].verdict, STATUS_BROKEN);
		assert_string_equal(s->hosts[i].why, why[i]);
	}
}

/* The folder of reports belongs to the servers' user. */
static void only_regular_files_are_read(void **state)
{
	_cleanup_free_ char *reports = xasprintf("%s/" TREE_REPORTS, (char *)*state);
	_cleanup_free_ char *cfg = xasprintf("%s/" TREE_INFO, (char *)*state);
	_cleanup_status_ struct status tree = {0}, folder = {0}, s = {0};
	struct err e = {0};

	make_tree(*state);
	make_others(reports);
	assert_int_equal(status_load(&tree, *state, &e), 0);
	check_others(&tree);
	unlink_in(reports, "stranger.json");
	assert_int_equal(status_load(&folder, reports, &e), 0);
	check_others(&folder);
	assert_int_equal(unlink(cfg), 0);
	assert_int_equal(mkfifo(cfg, 0644), 0);
	assert_int_equal(status_load(&s, *state, &e), -1);
	assert_non_null(strstr(e.msg, "/" TREE_INFO ": cannot be read: is not a regular "
				      "file"));
}

/* Control characters in a report's reason, errors and names of phases (which are columns)
 * do not reach the operator's terminal. */
static void control_characters_do_not_reach_the_terminal(void **state)
{
	_cleanup_free_ char *reports = xasprintf("%s/" TREE_REPORTS, (char *)*state);
	_cleanup_status_ struct status s = {0};
	_cleanup_free_ char *json = NULL;
	_cleanup_buf_ struct buf b = {0};
	struct err e = {0};

	make_tree(*state);
	write_report(reports, "master", "master", "failed",
		     "\\u001b[2Jgone\\nnode-2  ready\\u009b1m", 9000);
	write_text(reports, "node-1.json", "{\"format\":\033[31m}");
	write_text(reports, "node-2.json",
		   "{\"format\":1,\"host\":\"x\\u001b[31m\",\"verdict\":\"ready\","
		   "\"generation\":0,\"uptime_ms\":1,\"phases\":[],\"units\":[]}");
	write_text(reports, "node-3.json",
		   "{\"format\":1,\"verdict\":\"ready\",\"generation\":0,\"uptime_ms\":1,"
		   "\"phases\":[{\"name\":\"\\u001b[31m\",\"ms\":1}],\"units\":[]}");
	assert_int_equal(status_load(&s, *state, &e), 0);
	assert_int_equal(s.hosts[1].verdict, STATUS_BROKEN);
	assert_string_equal(s.hosts[3].why,
			    "phases: a name must be of at most 32 lower-case letters, "
			    "digits and '-'");
	status_table(&s, NOW, &b);
	for (const char *c = b.p; *c; c++)
		assert_true((*c >= ' ' && *c != 0x7f) || *c == '\n');
	assert_non_null(strstr(b.p, "\nmaster: ?[2Jgone node-2  ready??1m\n"));
	assert_non_null(strstr(b.p, "\nnode-2: the report is of host 'x?[31m'\n"));
	/* JSON has them, escaped. */
	json = status_json(&s, NOW);
	assert_non_null(
		strstr(json, "\"why\": \"\\u001b[2Jgone\\nnode-2  ready\\u009b1m\""));
}

/* A host that could not even read its name reports under the URL it was given. */
static void report_without_a_name_is_accepted(void **state)
{
	_cleanup_free_ char *reports = xasprintf("%s/" TREE_REPORTS, (char *)*state);
	_cleanup_status_ struct status s = {0};
	struct err e = {0};

	make_tree(*state);
	write_text(
		reports, "node-2.json",
		"{\"format\":1,\"host\":null,\"role\":null,\"verdict\":\"failed\","
		"\"why\":"
		"\"host.cfg:3: role: no such role\",\"generation\":0,\"uptime_ms\":9000,"
		"\"phases\":[],\"units\":[]}");
	assert_int_equal(status_load(&s, *state, &e), 0);
	assert_int_equal(s.hosts[2].verdict, STATUS_FAILED);
	assert_string_equal(s.hosts[2].why, "host.cfg:3: role: no such role");
}

static void folder_of_reports_has_a_status(void **state)
{
	_cleanup_status_ struct status s = {0};
	struct err e = {0};

	write_report(*state, "node-10", "node", "ready", NULL, 9000);
	write_report(*state, "node-9", "node", "ready", NULL, 9000);
	write_text(*state, "README", "not a report\n");
	assert_int_equal(status_load(&s, *state, &e), 0);
	assert_null(s.rack);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.hosts[0].name, "node-9"); /* sorted by number */
	assert_string_equal(s.hosts[0].role, "node");
	assert_int_equal(status_verdict(&s, &e), 0);
}

static void other_folders_are_refused(void **state)
{
	_cleanup_free_ char *want = xasprintf(
		"%s is neither a boot tree nor a rack's folder nor a folder with reports",
		(char *)*state);
	struct status s;
	struct err e = {0};

	assert_int_equal(status_load(&s, *state, &e), -1);
	assert_string_equal(e.msg, want);
	assert_int_equal(status_load(&s, "/nonexistent", &e), -1);
	assert_string_equal(e.msg, "/nonexistent: No such file or directory");
}

static void json_has_every_host(void **state)
{
	_cleanup_status_ struct status s = {0};
	_cleanup_free_ char *text = NULL;
	const json_t *h;
	struct err e = {0};
	json_t *j;

	make_tree(*state);
	assert_int_equal(status_load(&s, *state, &e), 0);
	set_ages(&s);
	text = status_json(&s, NOW);
	j = json_loads(text, 0, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "rack")), "r");
	h = json_array_get(json_object_get(j, "hosts"), 1);
	assert_string_equal(json_string_value(json_object_get(h, "verdict")), "failed");
	assert_string_equal(json_string_value(json_object_get(h, "why")),
			    "docker.service failed");
	assert_int_equal(json_integer_value(json_object_get(h, "age_s")), 300);
	assert_int_equal(json_array_size(json_object_get(h, "phases")), 2);
	h = json_array_get(json_object_get(j, "hosts"), 2);
	assert_true(json_is_null(json_object_get(h, "age_s")));
	json_decref(j);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(boot_tree_status_has_every_host),
		T(reports_arrive_when_they_are_written),
		T(reasons_are_stripped_and_cut),
		T(verdicts_name_unready_hosts),
		T(a_starting_host_is_named),
		T(warnings_of_a_ready_host_are_shown),
		T(titles_are_those_of_rack),
		T(the_folder_of_a_rack_has_the_status_of_its_tree),
		T(wrong_reports_are_noticed),
		T(only_regular_files_are_read),
		T(control_characters_do_not_reach_the_terminal),
		T(report_without_a_name_is_accepted),
		T(folder_of_reports_has_a_status),
		T(other_folders_are_refused),
		T(json_has_every_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
