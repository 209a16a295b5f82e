/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/watch.h with the real servers, and the limits of requests and logs. */
#include "test-serve.h"

#include "pxe/kept-images.h"
#include "pxe/watch.h"

#include <sys/resource.h>

/* --- messages of the watcher ------------------------------------------------------ */

#define REPORT                                                                           \
	"{\"format\":1,\"host\":\"node-1\",\"role\":\"node\",\"verdict\":\"ready\","     \
	"\"generation\":0,\"uptime_ms\":31249,\"phases\":[],\"units\":[]}"

static void expect(struct watch *w, const char *want)
{
	for (unsigned i = 0; i < LIMIT_S * 100; i++) {
		_cleanup_free_ char *line = watch_next(w);

		if (!line) {
			usleep(10000);
			continue;
		}
		assert_string_equal(line, want);
		return;
	}
	fail_msg("never told: %s", want);
}

static void watch_reports_machines(void **state)
{
	struct fixture *f = *state;
	_cleanup_watch_ struct watch w = {0};
	_cleanup_close_ int log = -1;
	static const char dhcp[] = "dnsmasq-dhcp: 7 DHCPDISCOVER(lo) 02:00:00:00:00:77 "
				   "no address available\n";
	static const char proxy[] = "dnsmasq-dhcp: 8 PXE(lo) 02:00:00:00:00:79 proxy\n"
				    "dnsmasq-dhcp: 9 PXE(lo) 02:00:00:00:00:78 "
				    "proxy-ignored\n";

	static const char kea[] =
		"7 WARN  [kea-dhcp4.alloc-engine/1.2] "
		"ALLOC_ENGINE_V4_ALLOC_FAIL_NO_POOLS "
		"[hwtype=1 02:00:00:00:00:76], cid=[no info], tid=0x7: no pools were "
		"available for the address allocation\n";

	start(f);
	watch_open(&w, &f->s);
	request(NODE, "GET", "/boot.ipxe", NULL, NULL);
	request(NODE, "GET", "/hosts/52-54-00-25-00-1a.ipxe", NULL, NULL);
	expect(&w, "node-1: asks for its boot script (52:54:00:25:00:1a, 172.25.0.11)");
	request(NEIGHBOUR, "GET", "/hosts/52-54-00-25-00-77.ipxe", NULL, NULL);
	request(NEIGHBOUR, "GET", "/hosts/52-54-00-25-00-77.ipxe", NULL, NULL);
	expect(&w,
	       "52:54:00:25:00:77 asks for a boot script and is not in the rack (from "
	       "172.25.0.99)");
	request(NODE, "PUT", "/report/node-1.json", REPORT, NULL);
	expect(&w, "node-1 (node): ready in 31.2 s");
	request(MASTER, "PUT", "/report/master.json", "{", NULL);
	expect(&w, "master (master): broken report: line 1: string or '}' expected near "
		   "end of file");
	log = open(f->s.dnsmasq.log, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write_all(log, dhcp, strlen(dhcp)), 0);
	assert_int_equal(write_all(log, dhcp, strlen(dhcp)), 0);
	expect(&w, "02:00:00:00:00:77 asks for an address and is not in the rack");
	assert_int_equal(write_all(log, proxy, strlen(proxy)), 0);
	expect(&w, "02:00:00:00:00:78 asks for an address and is not in the rack");
	assert_int_equal(write_all(log, kea, strlen(kea)), 0);
	expect(&w, "02:00:00:00:00:76 asks for an address and is not in the rack");
	assert_null(watch_next(&w));
}

/* Each machine that is refused is reported once. */
static void watch_reports_refusals(void **state)
{
	struct fixture *f = *state;
	_cleanup_watch_ struct watch w = {0};

	start(f);
	watch_open(&w, &f->s);
	for (int i = 0; i < 2; i++) {
		request(NEIGHBOUR, "GET", "/hosts/52-54-00-25-00-1a.ipxe", NULL, NULL);
		request(NEIGHBOUR, "GET", "/hosts/52-54-00-25-00-1a.cpio", NULL, NULL);
	}
	expect(&w,
	       "node-1: its files were refused to 172.25.0.99, because its address is "
	       "172.25.0.11");
	request(MASTER, "GET", "/hosts/52-54-00-25-00-1a.cpio", NULL, NULL);
	expect(&w,
	       "node-1: its files were refused to 172.25.0.10, because its address is "
	       "172.25.0.11");
	for (int i = 0; i < 2; i++)
		request(NEIGHBOUR, "PUT", "/report/node-1.json", REPORT, NULL);
	expect(&w, "node-1: a report from 172.25.0.99 was refused: it has neither the "
		   "host's address nor its token");
	assert_null(watch_next(&w));
	serve_stop(&f->s);
	watch_done(&w);

	render(f, &(struct tree_options){.secret = SECRET, .proxy_dhcp = true});
	start(f);
	watch_open(&w, &f->s);
	request(ELSEWHERE, "GET", "/hosts/52-54-00-25-00-1a.grub", NULL, NULL);
	expect(&w, "node-1: its files were refused to 10.9.9.9, which is not in the "
		   "rack's networks");
}

/* --- limits ----------------------------------------------------------------------- */

/* Opens `n` connections from an address and sends the beginning of a request on each.
 * Returns the descriptors, owned by the caller. */
static int *half_open(uint32_t from, size_t n)
{
	static const char begin[] = "GET /boot.ipxe HTTP/1.1\r\nHost: x\r\n";
	int *fds = xcalloc(n, sizeof(*fds));

	for (size_t i = 0; i < n; i++) {
		fds[i] = connect_from(from);
		assert_int_equal(send(fds[i], begin, strlen(begin), MSG_NOSIGNAL),
				 strlen(begin));
	}
	return fds;
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

/* One machine's connections leave the others theirs. */
static void half_open_requests_do_not_end_the_service(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ int *fds = NULL;
	struct rlimit limit;
	size_t n = 12000;

	/* The servers raise the limit that they inherit. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 1024;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	start(f);
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_max < n + 1000)
		n = limit.rlim_max > 2000 ? limit.rlim_max - 1000 : limit.rlim_max / 2;
	fds = half_open(NEIGHBOUR, n);
	for (int i = 0; i < 20; i++)
		assert_int_equal(
			request(NODE, "GET", "/hosts/52-54-00-25-00-1a.ipxe", NULL, NULL),
			200);
	assert_int_equal(request(NODE, "PUT", "/report/node-1.json", REPORT, NULL), 201);
	close_all(fds, n);
}

/* Sends requests on one connection, all at once, so that the server answers them as fast
 * as it can. Returns how many were refused because there were too many. */
static unsigned count_refused(uint32_t from, const char *path, unsigned n)
{
	static const char refused[] = "HTTP/1.1 429 ";
	_cleanup_buf_ struct buf out = {0}, in = {0};
	_cleanup_close_ int fd = connect_from(from);
	unsigned count = 0;
	char chunk[4096];
	ssize_t len;

	for (unsigned i = 1; i <= n; i++)
		buf_printf(&out, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: %s\r\n\r\n",
			   path, i < n ? "keep-alive" : "close");
	assert_int_equal(send(fd, out.p, out.len, MSG_NOSIGNAL), out.len);
	while ((len = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		buf_add(&in, chunk, (size_t)len);
	assert_non_null(in.p);
	for (const char *s = in.p; (s = strstr(s, refused)); s++)
		count++;
	return count;
}

/* The limits are of each address. */
static void too_many_requests_are_refused(void **state)
{
	static const char begin[] = "PUT /report/node-1.json HTTP/1.1\r\nHost: "
				    "x\r\nContent-Length: 9\r\n\r\n";
	struct fixture *f = *state;
	bool refused = false;
	int fds[128];

	start(f);
	assert_true(count_refused(NEIGHBOUR, "/hosts/52-54-00-25-00-99.ipxe", 900) > 0);
	assert_int_equal(
		request(NODE, "GET", "/hosts/52-54-00-25-00-1a.ipxe", NULL, NULL), 200);
	/* Requests at a time: the server waits for their bodies. */
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_from(NODE);
		assert_int_equal(send(fds[i], begin, strlen(begin), 0), strlen(begin));
	}
	for (unsigned i = 0; i < LIMIT_S * 100 && !refused; i++) {
		usleep(10000);
		refused = request(NODE, "GET", "/boot.ipxe", NULL, NULL) == 429;
	}
	assert_true(refused);
	assert_int_equal(request(MASTER, "GET", "/boot.ipxe", NULL, NULL), 200);
	close_all(fds, ARRAY_SIZE(fds));
}

static void long_headers_are_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = xcalloc(1, 1600), *header = xcalloc(1, 1600);

	start(f);
	memset(path, 'x', 1500);
	path[0] = '/';
	assert_int_equal(request(NODE, "GET", path, NULL, NULL), 414);
	memset(header, 'x', 1500);
	memcpy(header, "X-A: ", 5);
	memcpy(header + 1500, "\r\n", 2);
	assert_int_equal(request_with(NODE, "GET", "/boot.ipxe", header, NULL, NULL),
			 400);
	/* Headers as those of browsers are accepted. */
	header[700] = '\r';
	header[701] = '\n';
	header[702] = '\0';
	assert_int_equal(request_with(NODE, "GET", "/boot.ipxe", header, NULL, NULL),
			 200);
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : st.st_size;
}

/* Only requests that rackstrap reads are logged; the log is renamed in time, and no line
 * of it is lost. */
static void access_log_stays_small(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *log = xasprintf("%s/" TREE_ACCESS_LOG, f->tree);
	_cleanup_free_ char *old = xasprintf("%s.old", log);
	_cleanup_watch_ struct watch w = {0};
	struct err e = {0};
	unsigned renamed = 0;

	f->s.log_max = 2000;
	start(f);
	watch_open(&w, &f->s);
	for (int i = 0; i < 100; i++)
		request(NEIGHBOUR, "GET", i % 2 ? "/none" : "/boot.ipxe?x", NULL, NULL);
	assert_int_equal(size_of(log), 0);
	for (unsigned i = 0; i < 150; i++) {
		_cleanup_free_ char *path =
			xasprintf("/hosts/52-54-00-25-01-%02x.ipxe", i);
		_cleanup_free_ char *want =
			xasprintf("52:54:00:25:01:%02x asks for a boot script and is not "
				  "in the rack (from 172.25.0.99)",
				  i);
		off_t before = size_of(log);

		assert_int_equal(request(NEIGHBOUR, "GET", path, NULL, NULL), 404);
		if (i % 3 == 0)
			expect(&w, want); /* else it is read after the renaming */
		assert_int_equal(serve_wait(&f->s, -1, 0, &e), 0);
		renamed += size_of(log) < before;
		if (i % 3 != 0)
			expect(&w, want);
		assert_true(size_of(log) < 4000 && size_of(old) < 4000);
	}
	assert_true(renamed > 3);
	assert_null(watch_next(&w));
}

/* Makes an image that was replaced and whose time was over when requests were not
 * known. */
static void make_kept(struct fixture *f, const char *id)
{
	_cleanup_free_ char *path = xasprintf("%s/http/images/%s", f->tree, id);
	_cleanup_free_ char *list = xasprintf("keep-for 3600\n%s 1\n", id);

	assert_int_equal(mkdir(path, 0755), 0);
	write_text(path, "root.cpio", "an old image");
	write_text(f->tree, TREE_KEPT_IMAGES, list);
}

static bool is_kept(const struct fixture *f, const char *id)
{
	_cleanup_free_ char *path = xasprintf("%s/http/images/%s", f->tree, id);

	return access(path, F_OK) == 0;
}

static void server_removes_images_whose_time_is_over(void **state)
{
	static const char id[] = "0000000000000000-00000000-00000001";
	static const char url[] = "/images/0000000000000000-00000000-00000001/root.cpio";
	struct fixture *f = *state;
	_cleanup_free_ char *log = xasprintf("%s/" TREE_ACCESS_LOG, f->tree);
	_cleanup_free_ char *current = xasprintf(
		"%s/http/images/89ab89ab89ab89ab-45674567-01230123/root.cpio", f->tree);
	struct err e = {0};

	make_kept(f, id);
	start(f);
	assert_int_equal(request(NODE, "GET", url, NULL, NULL), 200);
	for (unsigned i = 0; i < LIMIT_S * 100 && size_of(log) <= 0; i++)
		usleep(10000);
	assert_int_equal(serve_wait(&f->s, -1, 0, &e), 0);
	assert_true(is_kept(f, id)); /* it was asked for just now */
	assert_int_equal(truncate(log, 0), 0);
	f->s.prune_ms = 0; /* an hour later */
	assert_int_equal(serve_wait(&f->s, -1, 0, &e), 0);
	assert_true(is_kept(f, id)); /* which is noted in the tree */

	write_text(f->tree, TREE_KEPT_IMAGES,
		   "keep-for 3600\n0000000000000000-00000000-00000001 1\n");
	assert_int_equal(serve_wait(&f->s, -1, 0, &e), 0);
	assert_true(is_kept(f, id)); /* the hour is not over */
	f->s.prune_ms = 0;
	assert_int_equal(serve_wait(&f->s, -1, 0, &e), 0);
	assert_false(is_kept(f, id));
	assert_int_equal(access(current, F_OK), 0);
}

/* No request is lost when the log is renamed for the second time. */
static void requests_are_noted_before_the_log_is_renamed(void **state)
{
	static const char id[] = "0000000000000000-00000000-00000001";
	static const char url[] = "/images/0000000000000000-00000000-00000001/root.cpio";
	struct fixture *f = *state;
	_cleanup_free_ char *log = xasprintf("%s/" TREE_ACCESS_LOG, f->tree);
	_cleanup_free_ char *old = xasprintf("%s.old", log), *text = NULL;
	struct err e = {0};

	f->s.log_max = 10;
	start(f);
	make_kept(f, id);
	f->s.prune_ms = UINT64_MAX;
	assert_int_equal(request(NODE, "GET", url, NULL, NULL), 200);
	for (unsigned i = 0; i < LIMIT_S * 100 && size_of(log) <= 0; i++)
		usleep(10000);
	assert_int_equal(serve_wait(&f->s, -1, 0, &e), 0);
	assert_true(size_of(old) > 0);
	assert_int_equal(truncate(old, 0), 0);
	text = read_text(f->tree, TREE_KEPT_IMAGES);
	assert_null(strstr(text, " 1\n"));
	assert_true(is_kept(f, id));
}

/* Logs of standard error are truncated; the server goes on writing at their end. */
static void stderr_logs_stay_small(void **state)
{
	static const char dhcp[] = "dnsmasq-dhcp: 7 DHCPDISCOVER(lo) 02:00:00:00:00:77 "
				   "no address available\n";
	static const char again[] = "dnsmasq-dhcp: 8 DHCPDISCOVER(lo) 02:00:00:00:00:78 "
				    "no address available\n";
	struct fixture *f = *state;
	_cleanup_free_ char *old = xasprintf("%s.old", f->s.dnsmasq.log);
	_cleanup_free_ char *noise = xcalloc(1, 100001), *text = NULL, *kept = NULL;
	char answer[600];
	_cleanup_watch_ struct watch w = {0};
	_cleanup_close_ int log = -1;
	struct err e = {0};
	size_t len = 0;

	f->s.log_max = 20000;
	start(f);
	await_dnsmasq();
	watch_open(&w, &f->s);
	log = open(f->s.dnsmasq.log, O_WRONLY | O_APPEND | O_CLOEXEC);
	memset(noise, '\n', 100000);
	assert_int_equal(write_all(log, dhcp, strlen(dhcp)), 0);
	expect(&w, "02:00:00:00:00:77 asks for an address and is not in the rack");
	assert_int_equal(write_all(log, noise, 100000), 0);
	assert_int_equal(write_all(log, "the end\n", 8), 0);
	assert_int_equal(serve_wait(&f->s, -1, 0, &e), 0);
	assert_int_equal(size_of(f->s.dnsmasq.log), 0);
	assert_int_equal(file_read_at(AT_FDCWD, old, 1 << 20, &kept, &len), 0);
	assert_int_equal(len, 20000);
	assert_string_equal(kept + len - 8, "the end\n");
	assert_int_equal(tftp("grub/grub.cfg", answer, sizeof(answer)), 3);
	assert_int_equal(tftp("none", answer, sizeof(answer)), 5);
	for (unsigned i = 0; i < LIMIT_S * 100 && size_of(f->s.dnsmasq.log) == 0; i++)
		usleep(10000);
	text = read_text("", f->s.dnsmasq.log);
	assert_non_null(strstr(text, "dnsmasq"));
	assert_int_equal(write_all(log, again, strlen(again)), 0);
	expect(&w, "02:00:00:00:00:78 asks for an address and is not in the rack");
	assert_int_equal(size_of(f->s.nginx.log), 0); /* no client writes there */
}

/* A client may fill the logs, with MAC addresses that it makes up. */
static void flood_of_the_logs_is_limited(void **state)
{
	struct fixture *f = *state;
	_cleanup_watch_ struct watch w = {0};
	_cleanup_buf_ struct buf b = {0};
	_cleanup_close_ int log = -1;
	size_t n = 0, turns = 0;
	bool more;
	char *line;

	start(f);
	watch_open(&w, &f->s);
	for (unsigned i = 0; i < 5000; i++)
		buf_printf(&b,
			   "dnsmasq-dhcp: 7 DHCPDISCOVER(lo) 02:00:00:00:%02x:%02x no "
			   "address available\n",
			   i >> 8, i & 255);
	log = open(f->s.dnsmasq.log, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write_all(log, b.p, b.len), 0);
	do {
		size_t before = n;

		more = watch_turn(&w);
		for (; (line = watch_next(&w)); n++)
			free(line);
		assert_true((n - before) * (b.len / 5000) <= WATCH_TURN + 100);
		turns++;
	} while (more || turns == 1);
	assert_int_equal(n, 1000);
	assert_true(turns > b.len / WATCH_TURN);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(watch_reports_machines),
		T(watch_reports_refusals),
		T(half_open_requests_do_not_end_the_service),
		T(too_many_requests_are_refused),
		T(long_headers_are_refused),
		T(access_log_stays_small),
		T(stderr_logs_stay_small),
		T(server_removes_images_whose_time_is_over),
		T(requests_are_noted_before_the_log_is_renamed),
		T(flood_of_the_logs_is_limited),
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
