/* SPDX-License-Identifier: Apache-2.0 */
/* The status page with the real servers: who may read it, and that it shows a boot. */
#include "test-serve.h"

#include "lib/dir.h"
#include "pxe/status-files.h"

#include <time.h>

#define REPORT(verdict)                                                                  \
	"{\"format\":1,\"host\":\"node-1\",\"role\":\"node\",\"verdict\":\"" verdict     \
	"\",\"generation\":0,\"uptime_ms\":31249,\"phases\":[],\"units\":[]}"

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Returns the whole answer to a GET, with its headers. Owned by the caller. */
static char *answer(uint32_t from, const char *path)
{
	_cleanup_close_ int fd = connect_from(from);
	_cleanup_free_ char *text = xasprintf(
		"GET %s HTTP/1.1\r\nHost: boot\r\nConnection: close\r\n\r\n", path);
	struct buf in = {0};
	char chunk[4096];
	ssize_t n;

	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		buf_add(&in, chunk, (size_t)n);
	return buf_take(&in);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in: %s", part, text);
}

static void it_is_served_to_everybody(void **state)
{
	struct fixture *f = *state;
	_cleanup_status_files_ struct status_files files = {0};
	_cleanup_free_ char *page = NULL, *json = NULL, *metrics = NULL;

	start(f);
	assert_int_equal(request(ELSEWHERE, "GET", "/status/", NULL, NULL), 404);
	status_files_open(&files, f->tree, &f->s.info, now_ms());
	page = answer(ELSEWHERE, "/status/");
	assert_non_null(str_after(page, "HTTP/1.1 200 "));
	assert_has(page, "Content-Type: text/html; charset=utf-8\r\n");
	assert_has(page, "Content-Security-Policy: default-src 'none'; ");
	assert_has(page, "Cache-Control: no-cache\r\n");
	assert_has(page, "\r\n\r\n<!DOCTYPE html>\n");
	json = answer(ELSEWHERE, "/status/status.json");
	assert_has(json, "Content-Type: application/json\r\n");
	metrics = answer(NODE, "/status/metrics");
	assert_has(metrics, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	assert_has(metrics, "\r\n\r\n# HELP rackstrap_rack_info ");
}

/* Also not with the host's address and token. */
static void nobody_writes_it(void **state)
{
	static const char *const paths[] = {"/status/index.html",
					    "/status/metrics",
					    "/status/new.json",
					    "/status/",
					    "/report/../status/index.html",
					    "/report/%2e%2e/status/node-1.json"};
	static const char *const methods[] = {"PUT", "DELETE", "MKCOL", "POST", "COPY"};
	static const char header[] = "X-Rackstrap-Token: " TOKEN "\r\n";
	struct fixture *f = *state;
	_cleanup_status_files_ struct status_files files = {0};
	_cleanup_free_ char *folder = xasprintf("%s/" TREE_STATUS, f->tree);
	_cleanup_free_ char *before = NULL, *after = NULL;
	_cleanup_strv_ char **names = NULL;

	start(f);
	status_files_open(&files, f->tree, &f->s.info, now_ms());
	before = read_text(f->tree, TREE_STATUS "/index.html");
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		for (size_t k = 0; k < ARRAY_SIZE(methods); k++) {
			unsigned status = request_with(NODE, methods[k], paths[i], header,
						       "no", NULL);

			if (status < 400 || status >= 500)
				fail_msg("%s %s: %u", methods[k], paths[i], status);
		}
	after = read_text(f->tree, TREE_STATUS "/index.html");
	assert_string_equal(after, before);
	assert_int_equal(dir_names_at(AT_FDCWD, folder, &names), 0);
	assert_int_equal(strv_len(names), 3);
}

static void turn_to(struct status_files *files, const char *want)
{
	_cleanup_free_ char *text = NULL;

	for (unsigned i = 0; i < LIMIT_S * 100; i++) {
		(void)status_files_turn(files, now_ms());
		free(text);
		text = tracker_text(&files->tracker, 1, now_ms());
		if (streq(text, want))
			return;
		usleep(10000);
	}
	fail_msg("it is not '%s' but '%s'", want, text);
}

/* nginx's log has what the tracker reads of it. */
static void a_boot_is_shown(void **state)
{
	struct fixture *f = *state;
	_cleanup_status_files_ struct status_files files = {0};
	_cleanup_free_ char *images = xasprintf("%s/http/images", f->tree);
	_cleanup_free_ char *kernel = NULL, *root = NULL, *text = NULL;
	_cleanup_strv_ char **ids = NULL;

	start(f);
	assert_int_equal(dir_names_at(AT_FDCWD, images, &ids), 0);
	assert_int_equal(strv_len(ids), 1);
	kernel = xasprintf("/images/%s/vmlinuz", ids[0]);
	root = xasprintf("/images/%s/root.cpio", ids[0]);
	status_files_open(&files, f->tree, &f->s.info, now_ms());
	assert_string_equal(f->s.info.hosts[1].name, "node-1");
	turn_to(&files, "silent");
	assert_int_equal(
		request(NODE, "GET", "/hosts/52-54-00-25-00-1a.ipxe", NULL, NULL), 200);
	turn_to(&files, "asked");
	assert_int_equal(request(NODE, "GET", kernel, NULL, NULL), 200);
	turn_to(&files, "loading 1 %");
	assert_int_equal(request(NODE, "GET", root, NULL, NULL), 200);
	turn_to(&files, "kernel");
	usleep(20000); /* later by the clock of file systems */
	assert_int_equal(
		request(NODE, "PUT", "/report/node-1.json", REPORT("starting"), NULL),
		201);
	turn_to(&files, "units");
	assert_int_equal(
		request(NODE, "PUT", "/report/node-1.json", REPORT("ready"), NULL), 204);
	turn_to(&files, "ready");
	/* A report may be seen before its line in the log. */
	for (unsigned i = 0; i < LIMIT_S * 100; i++) {
		if (files.tracker.counts[TRACKER_REPORT].ok == 2)
			break;
		usleep(10000);
		(void)status_files_turn(&files, now_ms());
	}
	assert_int_equal(files.tracker.counts[TRACKER_REPORT].ok, 2);
	assert_int_equal(files.tracker.counts[TRACKER_IMAGE].ok, 2);
	assert_int_equal(request(BOOT_SERVER, "GET", "/status/status.json", NULL, &text),
			 200);
	assert_has(text, "\"state\": \"");
}

/* Requests a file from the host's address and reads no more than the kernel takes in
 * itself. Returns the connection. */
static int request_slowly(const char *path)
{
	_cleanup_free_ char *text =
		xasprintf("GET %s HTTP/1.1\r\nHost: boot\r\n\r\n", path);
	int fd = connect_from(NODE);

	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	return fd;
}

/* The access log has nothing of it yet. */
static void a_slow_download_is_shown(void **state)
{
	struct fixture *f = *state;
	_cleanup_status_files_ struct status_files files = {0};
	_cleanup_free_ char *images = xasprintf("%s/http/images", f->tree);
	_cleanup_free_ char *root = NULL, *url = NULL;
	_cleanup_strv_ char **ids = NULL;
	_cleanup_close_ int fd = -1;
	unsigned percent = 0;

	start(f);
	assert_int_equal(dir_names_at(AT_FDCWD, images, &ids), 0);
	root = xasprintf("%s/%s/root.cpio", images, ids[0]);
	url = xasprintf("/images/%s/root.cpio", ids[0]);
	assert_int_equal(truncate(root, 256 << 20), 0);
	status_files_open(&files, f->tree, &f->s.info, now_ms());
	assert_int_equal(
		request(NODE, "GET", "/hosts/52-54-00-25-00-1a.ipxe", NULL, NULL), 200);
	turn_to(&files, "asked");
	fd = request_slowly(url);
	for (unsigned i = 0; i < LIMIT_S * 100 && percent < 20; i++) {
		char chunk[256 * 1024];

		assert_true(recv(fd, chunk, sizeof(chunk), 0) > 0);
		usleep(2000);
		(void)status_files_turn(&files, now_ms());
		percent = tracker_percent(&files.tracker, 1);
	}
	assert_in_range(percent, 20, 98);
	assert_int_equal(tracker_state(&files.tracker, 1), TRACKER_LOADING);
	assert_int_equal(files.tracker.counts[TRACKER_IMAGE].ok, 0);
}

/* A tree that is rendered again has no page until the next one is written. */
static void a_new_tree_gets_its_page(void **state)
{
	struct fixture *f = *state;
	_cleanup_status_files_ struct status_files files = {0};

	start(f);
	status_files_open(&files, f->tree, &f->s.info, now_ms());
	assert_int_equal(request(NODE, "GET", "/status/", NULL, NULL), 200);
	render_only(f, &(struct tree_options){0});
	(void)status_files_turn(&files, now_ms() + 60000);
	assert_int_equal(request(NODE, "GET", "/status/", NULL, NULL), 200);
	assert_false(files.fault);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(it_is_served_to_everybody), T(nobody_writes_it),
		T(a_boot_is_shown),           T(a_slow_download_is_shown),
		T(a_new_tree_gets_its_page),
	};
	int r = become_root(CLONE_NEWNET);

	if (r == 0)
		r = make_network();
	if (r < 0) {
		printf("1..1\nnot ok 1 - a network namespace: %s\n", strerror(-r));
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
