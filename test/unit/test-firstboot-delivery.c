/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report: how the report comes to the boot server, with which token, and what happens
 * while the server is away. curl is the real one, against a server of the test's own.
 */
#include "firstboot/generation.h"
#include "firstboot/http.h"
#include "lib/run.h"
#include "test-firstboot-configured.h"

/* --- the token ---------------------------------------------------------------------- */

#define TOKEN "T0k-en_5eCret"

/* Configures a node whose host.cfg has a token, and a curl that records its command
 * line. */
static void configured_with_token(struct machine *m, const struct server *s)
{
	_cleanup_free_ char *cfg = NULL, *script = NULL, *curl = run_find("curl");
	struct err e;

	configured(m, s);
	cfg = xasprintf(NODE_CFG "report = \"http://127.0.0.1:%u/report/node-1.json\";\n"
				 "report_token = \"" TOKEN "\";\n",
			s->port);
	write_file(m, HOST_CFG, cfg);
	script = xasprintf("#!/bin/sh\necho \"$@\" >>\"$0.words\"\nexec %s \"$@\"\n",
			   curl);
	write_file(m, "bin/curl", script);
	assert_int_equal(fchmodat(m->fb.rootfd, "bin/curl", 0755, 0), 0);
	assert_int_equal(file_remove_at(m->fb.rootfd, GENERATION_CFG), 1);
	if (cmd_apply(&m->fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

/* The token is sent, and is in no file but host.cfg, nor on a command line or console. */
static void test_token_is_sent_and_nowhere_else(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL, *path = NULL, *out = NULL, *words = NULL;
	const char *argv[] = {"grep", "-rlF", TOKEN, NULL, NULL};
	struct err e;

	server_start(&s, 0, all_well);
	configured_with_token(&m, &s);
	path = xasprintf("%s/console", m.dir);
	m.fb.console = path;
	if (cmd_report(&m.fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	log = server_log(&s);
	assert_has(log, "X-Rackstrap-Token: " TOKEN "\nPUT /report/node-1.json {\n");
	assert_int_equal(count_of(log, "X-Rackstrap-Token: " TOKEN), 2);
	words = read_file(&m, "bin/curl.words");
	assert_has(words, "/report/node-1.json");
	argv[3] = m.dir;
	if (run_capture(&(struct run){.argv = argv}, &out, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	assert_true(str_ends(out, "/" HOST_CFG "\n"));
	assert_int_equal(strchr(out, '\n') - out, (ptrdiff_t)strlen(out) - 1);
}

/* The URL of another source may be another server's. */
static void test_token_is_for_its_own_url(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL, *cmdline = NULL;
	struct err e;

	server_start(&s, 0, all_well);
	configured_with_token(&m, &s);
	m.fb.cmdline = cmdline =
		xasprintf("rackstrap.report=http://127.0.0.1:%u/other", s.port);
	if (cmd_report(&m.fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	log = server_log(&s);
	assert_has(log, "PUT /other {\n");
	assert_null(strstr(log, TOKEN));
}

/* Runs `firstboot explain` and returns what it prints. Owned by the caller. */
static char *explained(const struct machine *m)
{
	_cleanup_free_ char *path = xasprintf("%s/explained", m->dir);
	int out = dup(STDOUT_FILENO), fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct err e;
	int r;

	fflush(stdout);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	r = cmd_explain(&m->fb, NULL, &e);
	fflush(stdout);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	close(out);
	close(fd);
	assert_int_equal(r, 0);
	return read_file(m, "explained");
}

static void test_token_is_not_shown(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *text = NULL;
	_cleanup_config_ struct config c = {0};

	server_start(&s, 0, all_well);
	configured_with_token(&m, &s);
	text = explained(&m);
	assert_has(text, "report_token = \"(secret)\";");
	assert_null(strstr(text, TOKEN));
	/* Nor in the complaint about a wrong one. */
	write_file(&m, HOST_CFG, NODE_CFG "report_token = \"" TOKEN " x\";\n");
	assert_int_equal(config_load(&c, &m.fb), -1);
	assert_int_equal(c.complaints.n, 1);
	assert_string_equal(c.complaints.lines[0],
			    "host.cfg:8: report_token: must be at most 128 letters, "
			    "digits, '-' and '_'");
}

/* curl's configuration has escapes of its own. */
static void test_any_text_is_sent_whole(void **state _unused_)
{
	static const char text[] = "{\"a\": \"\\n \\\\ \\\"\",\n\t\r#x = y\n\"}\n";
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL, *url = NULL, *want = NULL;
	struct err e;

	server_start(&s, 0, all_well);
	url = xasprintf("http://127.0.0.1:%u/x", s.port);
	want = xasprintf("PUT /x %s\n", text);
	if (http_put_json(url, text, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	log = server_log(&s);
	assert_string_equal(log, want);
}

/* --- a server that is away ------------------------------------------------------- */

/* Refuses the first two reports that have a verdict. */
static unsigned away_at_first(const char *request, const char *content,
			      const char **body _unused_)
{
	static int asked;

	if (!str_after(request, "PUT "))
		return 200;
	if (strstr(content, "\"verdict\": \"starting\""))
		return 201;
	return asked++ < 2 ? 503 : 201;
}

/* Refuses the first report. */
static unsigned away_while_starting(const char *request, const char *content _unused_,
				    const char **body _unused_)
{
	static int asked;

	if (!str_after(request, "PUT "))
		return 200;
	return asked++ < 1 ? 503 : 201;
}

static void test_report_is_sent_until_it_arrives(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL;
	struct err e;

	server_start(&s, 0, away_at_first);
	configured(&m, &s);
	assert_int_equal(cmd_report(&m.fb, NULL, &e), 0);
	log = server_log(&s);
	assert_int_equal(count_of(log, "PUT /report/node-1.json {\n"), 4);
	assert_int_equal(count_of(log, "\"verdict\": \"starting\""), 1);
	assert_int_equal(count_of(log, "\"verdict\": \"ready\""), 3);
}

/* A host that does not become ready says again that it starts, until that arrives. */
static void test_start_is_sent_until_it_arrives(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL;

	server_start(&s, 0, away_while_starting);
	configured(&m, &s);
	write_file(&m, "show", BROKEN "\n" ACTIVE);
	log = log_of_failure(&m, &s, 3, 5);
	assert_int_equal(count_of(log, "\"verdict\": \"starting\""), 2);
	assert_int_equal(count_of(log, "\"verdict\": \"failed\""), 1);
}

/* A host that becomes ready before that arrives says only that it is ready. */
static void test_start_is_not_sent_by_a_ready_host(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL;
	struct err e;

	server_start(&s, 0, away_while_starting);
	configured(&m, &s);
	assert_int_equal(cmd_report(&m.fb, NULL, &e), 0);
	log = server_log(&s);
	assert_int_equal(count_of(log, "\"verdict\": \"starting\""), 1);
	assert_int_equal(count_of(log, "\"verdict\": \"ready\""), 1);
}

/* The report of a failed host is also sent again while the host is observed. */
static void test_failure_is_sent_until_it_arrives(void **state _unused_)
{
	_cleanup_machine_ struct machine m;
	_cleanup_server_ struct server s;
	_cleanup_free_ char *log = NULL;

	server_start(&s, 0, away_at_first);
	configured(&m, &s);
	write_file(&m, "show", BROKEN "\n" ACTIVE);
	log = log_of_failure(&m, &s, 4, 1);
	assert_int_equal(count_of(log, "\"verdict\": \"failed\""), 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token_is_sent_and_nowhere_else),
		cmocka_unit_test(test_token_is_for_its_own_url),
		cmocka_unit_test(test_token_is_not_shown),
		cmocka_unit_test(test_any_text_is_sent_whole),
		cmocka_unit_test(test_report_is_sent_until_it_arrives),
		cmocka_unit_test(test_failure_is_sent_until_it_arrives),
		cmocka_unit_test(test_start_is_sent_until_it_arrives),
		cmocka_unit_test(test_start_is_not_sent_by_a_ready_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
