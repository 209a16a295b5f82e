/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of downloads that need no server: the meaning of a response's headers, and
 * the paths of inputs in a mirror. test/build/fetch.sh tests the downloads themselves.
 */
#include "builder/input/fetch-response.h"
#include "builder/input/mirror.h"
#include "builder/input/netrc.h"
#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void headers(struct response *r, const char *const *lines)
{
	for (; *lines; lines++)
		response_header(r, *lines, strlen(*lines));
}

static void a_strong_etag_validates(void **state)
{
	static const char *const lines[] = {"HTTP/1.1 302 Found\r\n",
					    "ETag: \"redirect\"\r\n",
					    "\r\n",
					    "HTTP/1.1 200 OK\r\n",
					    "etag:  \"a b\"  \r\n",
					    "Content-Length: 12\r\n",
					    "Content-Type: text/html\r\n",
					    "\r\n",
					    NULL};
	struct response r = {0};

	(void)state;
	headers(&r, lines);
	assert_string_equal(response_validator(&r), "\"a b\"");
	assert_string_equal(r.content_type, "text/html");
	assert_true(r.framed);
	response_done(&r);
}

/* RFC 9110, 8.8.2.2: a date is a validator only when it is at least a second older than
 * the answer; otherwise a change in between could not be noticed. */
static void a_date_older_than_the_answer_validates(void **state)
{
	static const struct {
		const char *modified, *date;
		bool strong;
	} cases[] = {
		{"Mon, 01 Jun 2015 12:00:00 GMT", "Mon, 01 Jun 2015 12:00:01 GMT", true},
		{"Mon, 01 Jun 2015 12:00:00 GMT", "Mon, 01 Jun 2015 12:00:00 GMT", false},
		{"Mon, 01 Jun 2015 12:00:00 GMT", NULL, false},
		{"yesterday", "Mon, 01 Jun 2015 12:00:01 GMT", false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *m =
			xasprintf("Last-Modified: %s\r\n", cases[i].modified);
		_cleanup_free_ char *d = xasprintf(
			"Date: %s\r\n", cases[i].date ? cases[i].date : "never");
		const char *const lines[] = {"HTTP/1.1 200 OK\r\n",
					     "ETag: W/\"weak\"\r\n", m,
					     cases[i].date ? d : "X: y\r\n", NULL};
		struct response r = {0};

		headers(&r, lines);
		if (cases[i].strong)
			assert_string_equal(response_validator(&r), cases[i].modified);
		else
			assert_null(response_validator(&r));
		response_done(&r);
	}
}

static void ranges_and_framing_are_recognised(void **state)
{
	static const struct {
		const char *status, *header;
		bool framed, ranged;
		uint64_t start, total;
	} cases[] = {
		{"HTTP/1.1 200 OK\r\n", "X: y\r\n", false, false, 0, 0},
		{"HTTP/1.0 200 OK\r\n", "Content-Length: 5\r\n", true, false, 0, 0},
		{"HTTP/1.1 200 OK\r\n", "Content-Length: -1\r\n", false, false, 0, 0},
		{"HTTP/1.1 200 OK\r\n", "Transfer-Encoding: chunked\r\n", true, false, 0,
		 0},
		{"HTTP/1.1 200 OK\r\n", "Transfer-Encoding: gzip\r\n", false, false, 0,
		 0},
		{"HTTP/2 200\r\n", "X: y\r\n", true, false, 0, 0},
		{"HTTP/2 206\r\n", "Content-Range: bytes 7-9/10\r\n", true, true, 7, 10},
		{"HTTP/2 206\r\n", "Content-Range: bytes 7-9/*\r\n", true, true, 7, 0},
		{"HTTP/2 206\r\n", "Content-Range: bytes 7-9\r\n", true, false, 0, 0},
		{"HTTP/2 206\r\n", "Content-Range: bytes 7-9/9\r\n", true, false, 0, 0},
		{"HTTP/2 206\r\n", "Content-Range: bytes 7-6/10\r\n", true, false, 0, 0},
		{"HTTP/2 206\r\n", "Content-Range: bytes 7-9/1O\r\n", true, false, 0, 0},
		{"HTTP/2 206\r\n", "Content-Range: bytes */10\r\n", true, false, 0, 0},
		{"HTTP/2 206\r\n", "Content-Range: lines 7-9/10\r\n", true, false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *const lines[] = {cases[i].status, cases[i].header, NULL};
		struct response r = {0};

		headers(&r, lines);
		assert_int_equal(r.framed, cases[i].framed);
		assert_int_equal(r.has_range, cases[i].ranged);
		assert_int_equal(r.range_start, cases[i].start);
		assert_int_equal(r.range_total, cases[i].total);
		response_done(&r);
	}
}

/* --- mirrors ---------------------------------------------------------------------- */

static void urls_map_to_paths_of_an_exported_tree(void **state)
{
	static const struct {
		const char *url, *path;
	} cases[] = {
		{"https://h.example/a/b", "h.example/a/b"},
		{"http://h.example:8080/a", "h.example:8080/a"},
		{"https://h.example/a%20b%2Bc#there", "h.example/a b+c"},
		{"https://h.example/get?v=1%262", "h.example/get?v=1&2"},
		{"file:///srv/a", "localhost/srv/a"},
		{"package:Debian/pool/main/a/a_1%2b1.deb", "packages/Debian/pool/main/a/"
							   "a_1+1.deb"},
		{"docker://quay.example/x/y@sha256:12", "quay.example/x/y@sha256:12"},
		{"https://h.example/a/../../etc/passwd", NULL},
		{"https://h.example/a/%2e%2e/%2e%2e/b", NULL},
		{"https://h.example/a%00b", NULL},
		{"https://h.example/", NULL},
		{"h.example/a", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *path = mirror_path(cases[i].url);

		if (cases[i].path)
			assert_string_equal(path, cases[i].path);
		else
			assert_null(path);
	}
}

static void finds(const char *const *mirrors, const char *url, const char *source,
		  const char *want)
{
	_cleanup_strv_ char **v = NULL;
	_cleanup_free_ char *got = NULL;
	struct err e = {0};

	for (; *mirrors; mirrors++)
		if (mirrors_add(&v, *mirrors, &e) < 0)
			fail_msg("%s", e.msg);
	got = mirror_find(v, url, source);
	assert_string_equal(got, want);
}

static void longest_prefix_wins_over_the_tree(void **state)
{
	static const char *const some[] = {"https://a.example/=http://m/a/",
					   "https://a.example/x/=/srv/x y/",
					   "http://tree/t", "/usr", NULL};
	static const char *const folder[] = {"/usr", NULL}, *const none[] = {NULL};
	const char *deb = "package:Debian/pool/a+b.deb";

	(void)state;
	finds(some, "https://a.example/1", "https://a.example/1", "http://m/a/1");
	finds(some, "https://a.example/x/1", "https://a.example/x/1",
	      "file:///srv/x y/1");
	finds(some, "https://b.example/1?q", "https://b.example/1?q",
	      "http://tree/t/b.example/1%3Fq");
	finds(some, deb, "https://a.example/pool/a+b.deb", "http://m/a/pool/a+b.deb");
	finds(some, deb, "http://deb.example/pool/a+b.deb",
	      "http://tree/t/packages/Debian/pool/a+b.deb");
	finds(folder, "https://b.example/1", "https://b.example/1",
	      "file:///usr/b.example/1");
	finds(none, deb, "http://deb.example/pool/a+b.deb",
	      "http://deb.example/pool/a+b.deb");
}

/* --- netrc ------------------------------------------------------------------------- */

static void assert_login(const struct netrc *n, const char *host, const char *login,
			 const char *password)
{
	const struct netrc_entry *x = netrc_find(n, host);

	if (!login) {
		assert_null(x);
		return;
	}
	assert_non_null(x);
	assert_string_equal(x->login, login);
	assert_string_equal(x->password, password);
}

static void netrc_has_logins_of_hosts(void **state)
{
	static const char text[] =
		"# a comment with machine x\n"
		"machine a.example login me password secret\n"
		"  # indented\n"
		"machine\tB.example\n\tlogin \"a user\" account acc\n"
		"\tpassword \"p\\\"a\\\\s\\ns#\"\n"
		"macdef init\nput x y\nmachine m.example login no password no\n\n"
		"machine ftp.example login anonymous\n"
		"machine only.example password x\n"
		"machine ::1 login six password seven#\n"
		"machine a.example login second password second\n"
		"default login any password one";
	_cleanup_netrc_ struct netrc n = {0};
	struct err e;

	(void)state;
	assert_int_equal(netrc_parse(&n, text, "n", &e), 0);
	assert_login(&n, "a.example", "me", "secret");
	assert_login(&n, "A.EXAMPLE", "me", "secret");
	assert_login(&n, "b.example", "a user", "p\"a\\s\ns#");
	assert_login(&n, "[::1]", "six", "seven#");
	assert_login(&n, "m.example", NULL, NULL);
	assert_login(&n, "ftp.example", NULL, NULL);
	assert_login(&n, "only.example", NULL, NULL);
	assert_login(&n, "other.example", NULL, NULL);
	assert_login(&n, "a.exampl", NULL, NULL);
	assert_login(&n, "a.example.", NULL, NULL);
	assert_login(&n, "", NULL, NULL);
	assert_null(netrc_find(NULL, "a.example"));
}

/* No message has a word of the file, which may be a password. */
static void wrong_netrc_is_refused(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"secret", "n:1: must be machine, login, password, account, macdef or "
			   "default here"},
		{"\nlogin secret", "n:2: must be machine, login, password, account, "
				   "macdef or default here"},
		{"machine a login b password c\n\nsecret",
		 "n:3: must be machine, login, password, account, macdef or default "
		 "here"},
		{"machine a login", "n:1: login: its value is missing"},
		{"machine", "n:1: machine: its value is missing"},
		{"machine a password \"secret\nlogin b", "n:1: a quote without its end"},
		{"machine a password \"secret\\", "n:1: a quote without its end"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct netrc n = {0};
		struct err e;

		assert_int_equal(netrc_parse(&n, cases[i].text, "n", &e), -1);
		assert_string_equal(e.msg, cases[i].want);
		assert_int_equal(n.n, 0);
	}
}

/* A secret query is that of the source, not of its mirrors. */
static void secret_query_is_not_sent_to_a_mirror(void **state)
{
	static const char *const prefix[] = {"http://a/=http://m/", NULL};
	static const char *const tree[] = {"http://m/", NULL};
	static const char *const none[] = {NULL};

	(void)state;
	finds(prefix, "http://a/x", "http://a/x?secret", "http://m/x");
	finds(prefix, "http://a/x?y", "http://a/x?y", "http://m/x?y");
	finds(tree, "http://a/x", "http://a/x?secret", "http://m/a/x");
	finds(none, "http://a/x", "http://a/x?secret", "http://a/x?secret");
	finds(prefix, "http://b/x", "http://b/x?secret", "http://b/x?secret");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_strong_etag_validates),
		cmocka_unit_test(a_date_older_than_the_answer_validates),
		cmocka_unit_test(ranges_and_framing_are_recognised),
		cmocka_unit_test(urls_map_to_paths_of_an_exported_tree),
		cmocka_unit_test(netrc_has_logins_of_hosts),
		cmocka_unit_test(wrong_netrc_is_refused),
		cmocka_unit_test(secret_query_is_not_sent_to_a_mirror),
		cmocka_unit_test(longest_prefix_wins_over_the_tree),
	};

	return cmocka_run_group_tests_name("fetch", tests, NULL, NULL);
}
