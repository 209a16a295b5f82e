/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pxe/serve.h and pxe/watch.h with the real dnsmasq and nginx, in a user and network
 * namespace of the test's own, where the boot server's address is on the loopback link.
 */
#include "pxe/serve.h"

#include "lib/rtnl.h"
#include "pxe/watch.h"
#include "test-lib-namespace.h"
#include "test-pxe-image.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#define RACK        "test/golden/pxe/plain.cfg"
#define BOOT_SERVER 0xac190001 /* 172.25.0.1 */
#define ELSEWHERE   0x0a090909 /* 10.9.9.9: outside the node network */

struct fixture {
	char *scratch, *tree;
	struct serve s;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	_cleanup_free_ char *image_dir = NULL;
	_cleanup_image_ struct image image = {0};
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_diag_ struct diag d = {0};
	struct tree_options o = {0};
	struct err e = {0};

	f->scratch = scratch_make();
	f->tree = xasprintf("%s/tree", f->scratch);
	image_dir = image_make(f->scratch);
	*state = f;
	if (image_open(&image, image_dir, &e) < 0 ||
	    rack_load(&rack, RACK, &image.roles, &d) < 0 ||
	    tree_render(&rack, &image, f->tree, &o, &e) < 0 ||
	    serve_open(&f->s, f->tree, &(struct serve_options){0}, &e) < 0) {
		print_error("%s\n", e.msg);
		return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	serve_done(&f->s);
	rm_rf_p(&f->scratch);
	free(f->tree);
	free(f);
	return 0;
}

static void start(struct fixture *f)
{
	struct err e = {0};

	if (serve_start(&f->s, &e) < 0)
		fail_msg("%s", e.msg);
}

/* --- HTTP ------------------------------------------------------------------------- */

static int connect_from(uint32_t from)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(from)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	sa.sin_addr.s_addr = htonl(BOOT_SERVER);
	sa.sin_port = htons(80);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

/* Sends a request and returns the status; *ret_body, if not NULL, is the answer's
 * body. */
static unsigned request(uint32_t from, const char *method, const char *path,
			const char *body, char **ret_body)
{
	_cleanup_close_ int fd = connect_from(from);
	_cleanup_buf_ struct buf out = {0}, in = {0};
	char chunk[4096];
	unsigned status = 0;
	ssize_t n;

	buf_printf(&out, "%s %s HTTP/1.1\r\nHost: boot\r\nConnection: close\r\n", method,
		   path);
	if (body)
		buf_printf(&out, "Content-Length: %zu\r\n", strlen(body));
	buf_printf(&out, "\r\n%s", body ? body : "");
	/* A server that refuses need not read the body to its end. */
	(void)!send(fd, out.p, out.len, MSG_NOSIGNAL);
	while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		buf_add(&in, chunk, (size_t)n);
	assert_non_null(in.p);
	assert_int_equal(sscanf(in.p, "HTTP/1.1 %u", &status), 1);
	if (ret_body) {
		char *end = strstr(in.p, "\r\n\r\n");

		assert_non_null(end);
		*ret_body = xstrdup(end + 4);
	}
	return status;
}

static void get_serves_the_tree(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *want = read_text(f->tree, "http/boot.ipxe"), *got = NULL;

	start(f);
	assert_int_equal(request(BOOT_SERVER, "GET", "/boot.ipxe", NULL, &got), 200);
	assert_string_equal(got, want);
	assert_int_equal(request(BOOT_SERVER, "HEAD", "/boot.ipxe", NULL, NULL), 200);
	assert_int_equal(request(ELSEWHERE, "GET", "/boot.ipxe", NULL, NULL), 200);
	assert_int_equal(
		request(BOOT_SERVER, "GET", "/hosts/52:54:00:25:00:1a.grub", NULL, NULL),
		200);
	assert_int_equal(
		request(BOOT_SERVER, "GET", "/hosts/52-54-00-25-00-99.ipxe", NULL, NULL),
		404);
	/* Only files below http/ are served. */
	assert_int_equal(request(BOOT_SERVER, "GET", "/../nginx.conf", NULL, NULL), 400);
	assert_int_equal(request(BOOT_SERVER, "GET", "/..%2fnginx.conf", NULL, NULL),
			 400);
	assert_int_equal(request(BOOT_SERVER, "GET", "/nginx.conf", NULL, NULL), 404);
	assert_int_equal(request(BOOT_SERVER, "GET", "/hosts/", NULL, NULL), 403);
	assert_int_equal(request(BOOT_SERVER, "GET", "/report/", NULL, NULL), 403);
}

static void put_stores_reports(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *huge = xcalloc(1, 70000), *text = NULL;
	_cleanup_free_ char *path = xasprintf("%s/http/report/node-1.json", f->tree);
	struct stat st;

	memset(huge, 'x', 69999);
	start(f);
	assert_int_equal(request(BOOT_SERVER, "PUT", "/report/node-1.json", "one", NULL),
			 201);
	assert_int_equal(request(BOOT_SERVER, "PUT", "/report/node-1.json", "two", NULL),
			 204);
	assert_int_equal(request(BOOT_SERVER, "PUT", "/report/node-1.json", huge, NULL),
			 413);
	assert_int_equal(request(ELSEWHERE, "PUT", "/report/node-1.json", "no", NULL),
			 403);
	text = read_text(f->tree, "http/report/node-1.json");
	assert_string_equal(text, "two");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(request(BOOT_SERVER, "GET", "/report/node-1.json", NULL, NULL),
			 200);
}

static void other_requests_are_refused(void **state)
{
	static const char *const methods[] = {"PUT",  "DELETE",  "MKCOL", "POST",
					      "COPY", "OPTIONS", "PATCH"};
	static const char *const paths[] = {"/boot.ipxe",
					    "/new",
					    "/report/",
					    "/report/stranger.json",
					    "/report/node-1.json.x",
					    "/report/node-1.txt",
					    "/report/../boot.ipxe",
					    "/report/..%2fboot.ipxe",
					    "/report/NODE-1.json",
					    "/report/a/node-1.json",
					    "/hosts/52-54-00-25-00-1a.cpio"};
	struct fixture *f = *state;

	start(f);
	for (size_t m = 0; m < ARRAY_SIZE(methods); m++) {
		unsigned status;

		for (size_t p = 0; p < ARRAY_SIZE(paths); p++) {
			status = request(BOOT_SERVER, methods[m], paths[p], "x", NULL);
			if (status < 400)
				fail_msg("%s %s: %u", methods[m], paths[p], status);
		}
		if (m == 0)
			continue;
		status = request(BOOT_SERVER, methods[m], "/report/node-1.json", "x",
				 NULL);
		if (status < 400)
			fail_msg("%s: %u", methods[m], status);
	}
	assert_null(read_text(f->tree, "http/new"));
	assert_null(read_text(f->tree, "http/report/stranger.json"));
}

/* --- TFTP (RFC 1350) -------------------------------------------------------------- */

/* Requests a file by TFTP. Returns the opcode of the first packet of the answer and
 * copies its text. */
static unsigned tftp(const char *file, char *text, size_t size)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval limit = {.tv_sec = 5};
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons(69),
				 .sin_addr.s_addr = htonl(BOOT_SERVER)};
	_cleanup_buf_ struct buf b = {0};
	char in[600];
	ssize_t n;

	buf_add(&b, "\0\1", 2);
	buf_add(&b, file, strlen(file) + 1);
	buf_add(&b, "octet", 6);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	assert_int_equal(sendto(fd, b.p, b.len, 0, (struct sockaddr *)&sa, sizeof(sa)),
			 b.len);
	n = recv(fd, in, sizeof(in) - 1, 0);
	assert_true(n >= 4);
	in[n] = '\0';
	snprintf(text, size, "%s", in + 4);
	return (unsigned)in[1];
}

static void tftp_serves_the_tree(void **state)
{
	char text[600];

	start(*state);
	assert_int_equal(tftp("grub/grub.cfg", text, sizeof(text)), 3);
	assert_non_null(str_after(text, "# SPDX-License-Identifier: Apache-2.0\n"));
	assert_int_equal(tftp("../nginx.conf", text, sizeof(text)), 5);
	assert_int_equal(tftp("/etc/passwd", text, sizeof(text)), 5);
}

/* --- start and stop --------------------------------------------------------------- */

static void check_passes_before_and_after(void **state)
{
	struct fixture *f = *state;
	_cleanup_diag_ struct diag d = {0};

	assert_int_equal(serve_check(&f->s, &d), 0);
	start(f);
	serve_stop(&f->s);
	assert_int_equal(serve_check(&f->s, &d), 0); /* the ports are free again */
	start(f);
}

/* Opens a socket that must not disturb the servers. */
static int bystander(int type, uint16_t port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void taken_ports_are_reported(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int one = bystander(SOCK_DGRAM, 66);
	_cleanup_close_ int two = bystander(SOCK_STREAM, 79);
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *dhcp = NULL, *tftp_line = NULL, *http = NULL;

	assert_true(one >= 0 && two >= 0);
	start(f);
	dhcp = xasprintf("port 67/udp is taken by dnsmasq (pid %d)",
			 f->s.dnsmasq.child.pid);
	tftp_line = xasprintf("port 69/udp is taken by dnsmasq (pid %d)",
			      f->s.dnsmasq.child.pid);
	http = xasprintf("port 80/tcp is taken by nginx (pid %d)", f->s.nginx.child.pid);
	assert_int_equal(serve_check(&f->s, &d), -1);
	assert_int_equal(d.n, 3);
	assert_string_equal(d.lines[0], dhcp);
	assert_string_equal(d.lines[1], tftp_line);
	assert_string_equal(d.lines[2], http);
}

static void missing_address_is_reported(void **state)
{
	struct fixture *f = *state;
	_cleanup_diag_ struct diag d = {0};

	f->s.info.boot_server = 0xac1900fe;
	assert_int_equal(serve_check(&f->s, &d), -1);
	assert_int_equal(d.n, 1);
	assert_string_equal(
		d.lines[0],
		"the boot server's address 172.25.0.254 is on no interface of "
		"this machine (ip address add 172.25.0.254/24 dev INTERFACE)");
	diag_done(&d);
	f->s.info.boot_server = BOOT_SERVER;
	f->s.info.interface = xstrdup("br9");
	assert_int_equal(serve_check(&f->s, &d), -1);
	assert_string_equal(d.lines[0], "there is no interface 'br9' on this machine");
}

/* When a server cannot start, its output is the error message, and the other server is
 * stopped. */
static void failed_start_stops_both_servers(void **state)
{
	struct fixture *f = *state;
	_cleanup_diag_ struct diag d = {0};
	struct err e = {0};

	write_text(f->tree, "dnsmasq.conf", "no-such-option\n");
	assert_int_equal(serve_start(&f->s, &e), -1);
	assert_non_null(str_after(e.msg, "dnsmasq exited with 1: "));
	assert_non_null(strstr(e.msg, "bad option at line 1 of"));
	assert_int_equal(f->s.nginx.child.pid, 0);
	write_text(f->tree, "nginx.conf", "events { }\nhttp { listen 80; }\n");
	assert_int_equal(serve_start(&f->s, &e), -1);
	assert_non_null(str_after(e.msg, "nginx exited with 1: "));
	assert_non_null(strstr(e.msg, "\"listen\" directive is not allowed here"));
	assert_int_equal(serve_check(&f->s, &d), 0);
}

static void death_of_a_server_is_reported(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	start(f);
	assert_int_equal(serve_wait(&f->s, -1, 0, &e), 0);
	kill(f->s.dnsmasq.child.pid, SIGKILL);
	assert_int_equal(serve_wait(&f->s, -1, 10000, &e), -1);
	assert_non_null(str_after(e.msg, "dnsmasq was killed by SIGKILL: "));
	assert_non_null(strstr(e.msg, "TFTP root is")); /* its last lines */
	assert_int_equal(f->s.dnsmasq.child.pid, 0);
	assert_true(f->s.nginx.child.pid > 0);
}

static void wake_up_wins_over_a_death(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int wake = eventfd(1, EFD_CLOEXEC);
	struct err e = {0};
	siginfo_t si;

	start(f);
	/* Ctrl-C reaches the children as well: the wake-up must win over their end. */
	kill(f->s.dnsmasq.child.pid, SIGKILL);
	assert_int_equal(
		waitid(P_PID, (id_t)f->s.dnsmasq.child.pid, &si, WEXITED | WNOWAIT), 0);
	assert_int_equal(serve_wait(&f->s, wake, -1, &e), 1);
}

/* --- messages of the watcher ------------------------------------------------------ */

#define REPORT                                                                           \
	"{\"format\":1,\"host\":\"node-1\",\"role\":\"node\",\"verdict\":\"ready\","     \
	"\"generation\":0,\"uptime_ms\":31249,\"phases\":[],\"units\":[]}"

static void expect(struct watch *w, const char *want)
{
	for (unsigned i = 0; i < 500; i++) {
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

	start(f);
	watch_open(&w, &f->s);
	request(BOOT_SERVER, "GET", "/boot.ipxe", NULL, NULL);
	request(BOOT_SERVER, "GET", "/hosts/52-54-00-25-00-1a.ipxe", NULL, NULL);
	expect(&w, "node-1: asks for its boot script (52:54:00:25:00:1a, 172.25.0.1)");
	request(BOOT_SERVER, "GET", "/hosts/52-54-00-25-00-77.ipxe", NULL, NULL);
	request(BOOT_SERVER, "GET", "/hosts/52-54-00-25-00-77.ipxe", NULL, NULL);
	expect(&w,
	       "52:54:00:25:00:77 asks for a boot script and is not in the rack (from "
	       "172.25.0.1)");
	request(BOOT_SERVER, "PUT", "/report/node-1.json", REPORT, NULL);
	expect(&w, "node-1 (node): ready in 31.2 s");
	request(BOOT_SERVER, "PUT", "/report/master.json", "{", NULL);
	expect(&w, "master (master): broken report: line 1: string or '}' expected near "
		   "end of file");
	log = open(f->s.dnsmasq.log, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write_all(log, dhcp, strlen(dhcp)), 0);
	assert_int_equal(write_all(log, dhcp, strlen(dhcp)), 0);
	expect(&w, "02:00:00:00:00:77 asks for an address and is not in the rack");
	assert_int_equal(write_all(log, proxy, strlen(proxy)), 0);
	expect(&w, "02:00:00:00:00:78 asks for an address and is not in the rack");
	assert_null(watch_next(&w));
}

/* --- the namespace ---------------------------------------------------------------- */

static int make_network(void)
{
	static const struct cidr addresses[] = {{.addr = BOOT_SERVER, .prefix = 24},
						{.addr = ELSEWHERE, .prefix = 32}};
	_cleanup_rtnl_ struct rtnl r = {.fd = -1};
	struct rtnl_link lo;
	int n = rtnl_open(&r);

	if (n == 0)
		n = rtnl_link_get(&r, "lo", &lo);
	if (n == 0)
		n = rtnl_link_set_up(&r, lo.index, true);
	for (size_t i = 0; n == 0 && i < ARRAY_SIZE(addresses); i++)
		n = rtnl_addr_add(&r, lo.index, addresses[i]);
	return n;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(get_serves_the_tree),           T(put_stores_reports),
		T(other_requests_are_refused),    T(tftp_serves_the_tree),
		T(check_passes_before_and_after), T(taken_ports_are_reported),
		T(missing_address_is_reported),   T(failed_start_stops_both_servers),
		T(death_of_a_server_is_reported), T(wake_up_wins_over_a_death),
		T(watch_reports_machines),
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
