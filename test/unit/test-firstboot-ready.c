/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decides when a role works, and reports why one does not: units, URLs, conditions.
 * systemctl is a script; curl is the real one, against a server of the test's own.
 */
#include "test-firstboot-configured.h"

#include <time.h>

/* Seconds that are added to the clock when a unit's log was read. The Makefile wraps both
 * functions. */
static time_t log_takes, clock_step;

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	int r = __real_clock_gettime(clock, t);

	t->tv_sec += clock_step;
	return r;
}

void __real_unit_read_log(struct unit *u);
void __wrap_unit_read_log(struct unit *u);
void __wrap_unit_read_log(struct unit *u)
{
	__real_unit_read_log(u);
	clock_step += log_takes;
}

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

static void test_unit_states_are_judged(void **state _unused_)
{
	_cleanup_units_ struct units u = {0};
	struct err e;

	assert_unit(UNIT("active", "running", "success", "simple", "0"), true,
		    "a.service is active (running)");
	assert_unit(UNIT("active", "exited", "success", "simple", "17"), true,
		    "a.service is active (exited)");
	/* firstboot pool: not ready while it runs. */
	assert_unit("RemainAfterExit=yes\n" UNIT("active", "running", "success", "simple",
						 "0"),
		    false, "a.service has not finished yet");
	assert_unit("RemainAfterExit=yes\n" UNIT("active", "exited", "success", "simple",
						 "1"),
		    true, "a.service is active (exited)");
	assert_unit("RemainAfterExit=no\n" UNIT("active", "running", "success", "simple",
						"0"),
		    true, "a.service is active (running)");
	assert_unit("RemainAfterExit=yes\nMainPID=17\nControlPID=0\n" UNIT(
			    "active", "running", "success", "simple", "0"),
		    false, "a.service has not finished yet");
	assert_unit(UNIT("activating", "auto-restart", "exit-code", "simple", "17"),
		    false, "a.service is activating (auto-restart, exit-code)");
	assert_unit(UNIT("failed", "failed", "exit-code", "oneshot", "17"), false,
		    "a.service is failed (failed, exit-code)");
	/* A oneshot that has not run yet, and one that has run. */
	assert_unit(UNIT("inactive", "dead", "success", "oneshot", "0"), false,
		    "a.service is inactive (dead)");
	assert_unit(UNIT("inactive", "dead", "success", "oneshot", "17"), true,
		    "a.service is inactive (dead)");
	assert_unit(UNIT("inactive", "dead", "success", "simple", "17"), false,
		    "a.service is inactive (dead)");
	assert_unit("LoadState=not-found\nActiveState=inactive\nSubState=dead\n", false,
		    "a.service is not-found");
	/* Not every unit has every property; an answer of systemctl that does not fit is
	 * an error. */
	assert_int_equal(units_parse(&u, two, UNIT("active", "x", "y", "z", "0"), &e),
			 -1);
	assert_string_equal(e.msg, "systemctl show printed nothing about b.service");
	assert_int_equal(units_parse(&u, two, "", &e), -1);
}

/* Returns the text for a unit whose process has this command line in the machine's /proc.
 * Owned by the caller. */
static char *text_with_command(const char *block, const char *cmdline, size_t len)
{
	char *const one[] = {(char[]){"a.service"}, NULL};
	_cleanup_machine_ struct machine m;
	_cleanup_units_ struct units u = {0};
	struct err e;

	machine_make(&m);
	assert_int_equal(mkdir_p_at(m.fb.rootfd, "proc/17", 0755), 0);
	assert_int_equal(
		file_write_at(m.fb.rootfd, "proc/17/cmdline", cmdline, len, 0644), 0);
	assert_int_equal(units_parse(&u, one, block, &e), 0);
	unit_read_command(&u.v[0], m.fb.rootfd);
	return unit_text(&u.v[0]);
}

static void test_starting_unit_is_named_with_its_command(void **state _unused_)
{
	static const char node[] = "firstboot\0pool", curl[] = "curl\0x\033";
	_cleanup_free_ char *main = NULL, *pre = NULL, *gone = NULL;

	main = text_with_command("MainPID=17\nControlPID=0\nRemainAfterExit=yes\n" UNIT(
					 "active", "running", "success", "simple", "0"),
				 node, sizeof(node));
	assert_string_equal(main, "a.service has not finished yet, waiting for "
				  "'firstboot pool'");
	pre = text_with_command("ControlPID=17\nMainPID=5\n" UNIT("activating",
								  "start-pre", "success",
								  "simple", "0"),
				curl, sizeof(curl));
	assert_string_equal(pre,
			    "a.service is activating (start-pre), waiting for 'curl x?'");
	gone = text_with_command(
		"MainPID=18\n" UNIT("activating", "start-pre", "success", "simple", "0"),
		curl, sizeof(curl));
	assert_string_equal(gone, "a.service is activating (start-pre)");
}

/* Neither a command nor a line of a log has a URL's secrets, wherever it is cut. */
static void test_lines_have_no_credentials(void **state _unused_)
{
	static const char curl[] = "curl\0http://me:PASSWORD@host/x?sig=PASSWORD\0-s";
	_cleanup_free_ char *text = NULL;
	char line[UNIT_LOG_MAX + 100];

	text = text_with_command("MainPID=17\nRemainAfterExit=yes\n" UNIT(
					 "active", "running", "success", "simple", "0"),
				 curl, sizeof(curl));
	assert_string_equal(text, "a.service has not finished yet, waiting for "
				  "'curl http://host/x -s'");
	for (size_t n = UNIT_LOG_MAX - 50; n < UNIT_LOG_MAX + 10; n++) {
		memset(line, 'x', n);
		strcpy(line + n, "http://me:PASSWORD@host/?sig=PASSWORD failed");
		line_clean(line, UNIT_LOG_MAX);
		assert_null(strstr(line, "PA"));
		assert_in_range(strlen(line), 1, UNIT_LOG_MAX);
	}
}

static void test_variables_in_urls_are_expanded(void **state _unused_)
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

/* --- one check --------------------------------------------------------------------- */

static unsigned never(const char *request, const char *content _unused_,
		      const char **body _unused_)
{
	return strstr(request, "/nodes/") ? 404 : 200;
}

static void test_first_reason_is_reported(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_snapshot_ struct snapshot snap = {0};
	_cleanup_free_ char *units = NULL, *url = NULL, *log = NULL, *want = NULL;

	server_start(&s, 0, never);
	configured(&m, &s);
	write_file(&m, "show", BROKEN "\n" ACTIVE);
	snapshot_read(&snap, &m.fb);
	assert_false(ready_wait(&m.fb, &snap, 0, 1, &units));
	assert_string_equal(units, "a.service is activating (auto-restart, exit-code)");
	log = server_log(&s);
	assert_string_equal(log, ""); /* no URL before the units */
	assert_int_equal(snap.units.n, 2);
	write_file(&m, "show", ACTIVE "\n" ACTIVE);
	assert_false(ready_wait(&m.fb, &snap, 0, 1, &url));
	want = xasprintf("http://127.0.0.1:%u/nodes/172.25.0.11 answers 404", s.port);
	assert_string_equal(url, want);
}

/* The missing route is the first reason that is reported; no URL is requested then. */
static void test_missing_route_comes_first(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL;

	server_start(&s, 0, all_well);
	configured(&m, &s);
	write_file(&m, "proc/net/route", ROUTES);
	write_file(&m, "show", BROKEN "\n" ACTIVE);
	assert_not_ready(
		&m, "no default route: eth0 has not been given the one to 172.25.0.1; "
		    "a.service is activating (auto-restart, exit-code)");
	log = server_log(&s);
	assert_string_equal(log, "");
}

/* Failed units come first, whatever the order in the role is. */
static void test_failed_units_come_first(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;

	server_start(&s, 0, all_well);
	configured(&m, &s);
	write_file(&m, "show",
		   UNIT("activating", "start-pre", "success", "simple", "0") "\n" BROKEN);
	assert_not_ready(&m, "kube-kubelet.service is activating (auto-restart, "
			     "exit-code); a.service is activating (start-pre)");
}

/* Answers every request late. */
static unsigned slow(const char *request _unused_, const char *content _unused_,
		     const char **body)
{
	sleep_ms(1500);
	*body = "fine";
	return 200;
}

static void test_slow_server_is_waited_for(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;

	server_start(&s, 0, slow);
	configured(&m, &s);
	assert_ready(&m);
}

/* A unit that has been active only for a moment may still fail. */
static void test_just_started_unit_is_not_ready(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;

	server_start(&s, 0, all_well);
	configured(&m, &s);
	write_file(&m, "show",
		   "LoadState=loaded\nActiveState=active\nSubState=running\n"
		   "ActiveEnterTimestampMonotonic=999999999999999\n\n" ACTIVE);
	assert_not_ready(&m, "a.service has been active for less than 5 s");
}

/* The unit settles while its log is read. */
static void test_unit_that_settles_at_the_limit_is_a_reason(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *show = NULL, *why = NULL;
	struct timespec t;

	server_start(&s, 0, all_well);
	configured(&m, &s);
	clock_gettime(CLOCK_MONOTONIC, &t);
	show = xasprintf("LoadState=loaded\nActiveState=active\nSubState=running\n"
			 "ActiveEnterTimestampMonotonic=%lld\n\n" ACTIVE,
			 ((long long)t.tv_sec + 3600) * 1000000);
	write_file(&m, "show", show);
	log_takes = 7200;
	why = why_not_ready(&m);
	log_takes = 0;
	assert_int_equal(clock_step, 7200);
	clock_step = 0;
	assert_string_equal(why, "a.service has been active for less than 5 s");
}

/* --- a node's condition ------------------------------------------------------------- */

#define CONDITION(status)                                                                \
	"{\"kind\": \"Node\", \"status\": {\"conditions\": [ {\"type\": \"Other\", "     \
	"\"status\": \"True\"}, {\"type\": \"Ready\", " status "} ]}}"

static const char *node_json;

static unsigned answer_node(const char *request, const char *content _unused_,
			    const char **body)
{
	*body = node_json;
	return str_after(request, "PUT ") ? 201 : 200;
}

/* Returns why a host is not ready when the API server answers this node, "" when it is
 * ready. Owned. */
static char *why_of_node(const char *json)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *roles = NULL, *port = NULL;
	char *why;

	node_json = json;
	server_start(&s, 0, answer_node);
	configured(&m, &s);
	roles = xasprintf(
		"roles = ( { name = \"node\"; features = [ \"kubernetes\", \"cbr0\", "
		"\"nat\", \"calico\", \"docker\", \"network-environment\" ]; units = [ "
		"]; ready = [ "
		"\"http://127.0.0.1:%u/${DEFAULT_IPV4} condition=Ready\" ]; } );",
		s.port);
	write_file(&m, "usr/lib/rackstrap/roles.cfg", roles);
	why = why_not_ready(&m);
	if (!*why)
		return why;
	port = xasprintf("http://127.0.0.1:%u/172.25.0.11: ", s.port);
	assert_ptr_equal(strstr(why, port), why);
	memmove(why, why + strlen(port), strlen(why + strlen(port)) + 1);
	return why;
}

static void assert_why_of_node(const char *json, const char *want)
{
	_cleanup_free_ char *why = why_of_node(json);

	assert_string_equal(why, want);
}

/* A node that the API server knows may still not be Ready. */
static void test_ready_condition_is_checked(void **state _unused_)
{
	assert_why_of_node(CONDITION("\"status\": \"True\""), "");
	assert_why_of_node(CONDITION("\"status\": \"False\""),
			   "the condition Ready is False");
	assert_why_of_node(CONDITION("\"status\": \"Unknown\", \"reason\": \"Kubelet "
				     "stopped posting node status.\""),
			   "the condition Ready is Unknown (Kubelet stopped posting node "
			   "status.)");
	assert_why_of_node(CONDITION("\"reason\": 5"), "the condition Ready is missing");
	assert_why_of_node("{\"status\": {}}", "the condition Ready is missing");
	assert_why_of_node("{\"status\": {\"conditions\": []}}",
			   "the condition Ready is missing");
	assert_why_of_node("ok", "the condition Ready is missing");
	/* The text may come from anybody: it is cleaned. */
	assert_why_of_node(CONDITION("\"status\": \"False\", \"reason\": "
				     "\"x)\\nrackstrap: ready \\u001b[2J\""),
			   "the condition Ready is False (x) rackstrap: ready ?[2J)");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unit_states_are_judged),
		cmocka_unit_test(test_starting_unit_is_named_with_its_command),
		cmocka_unit_test(test_lines_have_no_credentials),
		cmocka_unit_test(test_variables_in_urls_are_expanded),
		cmocka_unit_test(test_first_reason_is_reported),
		cmocka_unit_test(test_missing_route_comes_first),
		cmocka_unit_test(test_failed_units_come_first),
		cmocka_unit_test(test_just_started_unit_is_not_ready),
		cmocka_unit_test(test_unit_that_settles_at_the_limit_is_a_reason),
		cmocka_unit_test(test_slow_server_is_waited_for),
		cmocka_unit_test(test_ready_condition_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
