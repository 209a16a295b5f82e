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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

#define SECRET "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define TOKEN                                                                            \
	"e387ba867cbcc58dfec41982282e7b3ba05b74c9f0a170aaebd6761900891a01" /* node-1's */

#define RACK        "test/golden/pxe/plain.cfg"
#define BOOT_SERVER 0xac190001 /* 172.25.0.1 */
#define MASTER      0xac19000a /* 172.25.0.10 */
#define NODE        0xac19000b /* 172.25.0.11: node-1 */
#define NEIGHBOUR   0xac190063 /* 172.25.0.99: in the node network, not in the rack */
#define ELSEWHERE   0x0a090909 /* 10.9.9.9: outside the node network */

struct fixture {
	char *scratch, *tree;
	struct serve s;
};

/* Renders the tree, in place of an earlier one. */
static void render_only(struct fixture *f, const struct tree_options *o)
{
	_cleanup_free_ char *image_dir = xasprintf("%s/image", f->scratch);
	_cleanup_image_ struct image image = {0};
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_diag_ struct diag d = {0};
	struct err e = {0};

	if (image_open(&image, image_dir, &e) < 0 ||
	    rack_load(&rack, RACK, &image.roles, &d) < 0 ||
	    tree_render(&rack, &image, f->tree, o, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Renders and opens the tree. */
static void render(struct fixture *f, const struct tree_options *o)
{
	struct err e = {0};

	serve_done(&f->s);
	render_only(f, o);
	if (serve_open(&f->s, f->tree, &(struct serve_options){0}, &e) < 0)
		fail_msg("%s", e.msg);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->s = (struct serve){.dnsmasq = {.pidfd = -1}, .nginx = {.pidfd = -1}};
	f->scratch = make_scratch();
	f->tree = xasprintf("%s/tree", f->scratch);
	free(image_make(f->scratch));
	*state = f;
	render(f, &(struct tree_options){.secret = SECRET});
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
	const struct timeval limit = {.tv_sec = 10};

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	sa.sin_addr.s_addr = htonl(BOOT_SERVER);
	sa.sin_port = htons(80);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

/* Sends a request with one more header, "" or a line, and returns the status; *ret_body,
 * if not NULL, is the answer's body. */
static unsigned request_with(uint32_t from, const char *method, const char *path,
			     const char *header, const char *body, char **ret_body)
{
	_cleanup_close_ int fd = connect_from(from);
	_cleanup_buf_ struct buf out = {0}, in = {0};
	char chunk[4096];
	unsigned status = 0;
	ssize_t n;

	buf_printf(&out, "%s %s HTTP/1.1\r\nHost: boot\r\nConnection: close\r\n%s",
		   method, path, header);
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

static unsigned request(uint32_t from, const char *method, const char *path,
			const char *body, char **ret_body)
{
	return request_with(from, method, path, "", body, ret_body);
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
	/* Only files below http/ are served. */
	assert_int_equal(request(BOOT_SERVER, "GET", "/../nginx.conf", NULL, NULL), 400);
	assert_int_equal(request(BOOT_SERVER, "GET", "/..%2fnginx.conf", NULL, NULL),
			 400);
	assert_int_equal(request(BOOT_SERVER, "GET", "/nginx.conf", NULL, NULL), 404);
	assert_int_equal(request(BOOT_SERVER, "GET", "/hosts/", NULL, NULL), 404);
	assert_int_equal(request(BOOT_SERVER, "GET", "/report/", NULL, NULL), 403);
}

/* The files of a host are for its own address, not even for the server's. */
static void host_files_are_for_the_host(void **state)
{
	static const char *const files[] = {"/hosts/52-54-00-25-00-1a.ipxe",
					    "/hosts/52-54-00-25-00-1a.grub",
					    "/hosts/52-54-00-25-00-1a.cpio",
					    "/hosts/52:54:00:25:00:1a.grub",
					    "/hosts/52:54:00:25:00:1a.cpio",
					    "/hosts/52-54-00-25-00-1a.cpio?x=y",
					    "//hosts/./52-54-00-25-00-1a.cpio",
					    "/hosts/%35%32-54-00-25-00-1a.cpio",
					    "/images/../hosts/52-54-00-25-00-1a.cpio"};
	static const uint32_t others[] = {BOOT_SERVER, MASTER, NEIGHBOUR, ELSEWHERE};
	struct fixture *f = *state;

	start(f);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (request(NODE, "GET", files[i], NULL, NULL) != 200 ||
		    request(NODE, "HEAD", files[i], NULL, NULL) != 200)
			fail_msg("%s", files[i]);
		for (size_t k = 0; k < ARRAY_SIZE(others); k++) {
			_cleanup_free_ char *body = NULL;

			assert_int_equal(request(others[k], "GET", files[i], NULL, &body),
					 403);
			assert_null(strstr(body, "node-1"));
		}
	}
	/* A file that does not exist is no secret: the machine is told to be added. */
	for (size_t k = 0; k < ARRAY_SIZE(others); k++)
		assert_int_equal(request(others[k], "GET",
					 "/hosts/52-54-00-25-00-99.ipxe", NULL, NULL),
				 404);
	assert_int_equal(
		request(NODE, "GET", "/hosts/52-54-00-25-00-1A.ipxe", NULL, NULL), 404);
	assert_int_equal(
		request(NODE, "GET", "/hosts/52-54-00-25-00-1a.cpio/", NULL, NULL), 404);
	assert_int_equal(request(NODE, "GET", "/hosts/refused", NULL, NULL), 404);
}

static void put_stores_reports(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *huge = xcalloc(1, 70000), *text = NULL;
	_cleanup_free_ char *path = xasprintf("%s/http/report/node-1.json", f->tree);
	struct stat st;

	memset(huge, 'x', 69999);
	start(f);
	assert_int_equal(request(NODE, "PUT", "/report/node-1.json", "one", NULL), 201);
	assert_int_equal(request(NODE, "PUT", "/report/node-1.json", "two", NULL), 204);
	assert_int_equal(request(NODE, "PUT", "/report/node-1.json", huge, NULL), 413);
	assert_int_equal(request(NODE, "PUT", "/report/master.json", "no", NULL), 403);
	assert_int_equal(request(ELSEWHERE, "PUT", "/report/node-1.json", "no", NULL),
			 403);
	assert_int_equal(request(MASTER, "PUT", "/report/node-1.json", "no", NULL), 403);
	assert_int_equal(request(NEIGHBOUR, "PUT", "/report/node-1.json", "no", NULL),
			 403);
	assert_int_equal(request(BOOT_SERVER, "PUT", "/report/node-1.json", "no", NULL),
			 403);
	text = read_text(f->tree, "http/report/node-1.json");
	assert_string_equal(text, "two");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(request(BOOT_SERVER, "GET", "/report/node-1.json", NULL, NULL),
			 200);
}

/* A host whose address is not that of rack.cfg, as in rescue mode, has the token. */
static void token_allows_a_report(void **state)
{
	static const char header[] = "X-Rackstrap-Token: " TOKEN "\r\n";
	static const char *const wrong[] = {
		"X-Rackstrap-Token: " SECRET "\r\n", "X-Rackstrap-Token:\r\n",
		"X-Rackstrap-Token: 1\r\n", "X-Rackstrap-Tokens: " TOKEN "\r\n",
		"X-Rackstrap-Token: " TOKEN " /report/node-1.json\r\n"};
	static const char node[] = "/report/node-1.json",
			  master[] = "/report/master.json";
	struct fixture *f = *state;
	_cleanup_free_ char *text = NULL;

	start(f);
	assert_int_equal(request_with(NEIGHBOUR, "PUT", node, header, "one", NULL), 201);
	assert_int_equal(request_with(NEIGHBOUR, "PUT", master, header, "no", NULL), 403);
	assert_int_equal(request_with(ELSEWHERE, "PUT", node, header, "no", NULL), 403);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(
			request_with(NEIGHBOUR, "PUT", node, wrong[i], "no", NULL), 403);
	/* It allows nothing else. */
	assert_int_equal(request_with(NEIGHBOUR, "GET", "/hosts/52-54-00-25-00-1a.cpio",
				      header, NULL, NULL),
			 403);
	text = read_text(f->tree, "http/report/node-1.json");
	assert_string_equal(text, "one");
}

/* With --proxy-dhcp nobody knows the address that a host boots with. */
static void proxy_tree_is_for_the_networks_of_the_rack(void **state)
{
	struct fixture *f = *state;
	struct tree_options o = {.secret = SECRET, .proxy_dhcp = true};

	render(f, &o);
	start(f);
	assert_int_equal(
		request(NEIGHBOUR, "GET", "/hosts/52-54-00-25-00-1a.cpio", NULL, NULL),
		200);
	assert_int_equal(
		request(ELSEWHERE, "GET", "/hosts/52-54-00-25-00-1a.cpio", NULL, NULL),
		403);
	assert_int_equal(
		request(NEIGHBOUR, "GET", "/hosts/52-54-00-25-00-99.cpio", NULL, NULL),
		404);
	assert_int_equal(request(NODE, "PUT", "/report/node-1.json", "one", NULL), 201);
	assert_int_equal(request(NEIGHBOUR, "PUT", "/report/node-1.json", "no", NULL),
			 403);
	assert_int_equal(request_with(NEIGHBOUR, "PUT", "/report/node-1.json",
				      "X-Rackstrap-Token: " TOKEN "\r\n", "two", NULL),
			 204);
}

/* A tree may have been copied without its modes, for example over FAT. */
static void secrets_of_a_copied_tree_are_protected(void **state)
{
	static const struct {
		const char *path;
		mode_t mode;
	} secrets[] = {{TREE_SECRET, 0600}, {TREE_NGINX_CONF, 0600}, {TREE_HOSTS, 0750}};
	struct fixture *f = *state;
	_cleanup_free_ char *secret = xasprintf("%s/" TREE_SECRET, f->tree);
	_cleanup_free_ char *want = xasprintf("%s: is a symbolic link", secret);
	struct err e = {0};
	struct stat st;

	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", f->tree, secrets[i].path);

		assert_int_equal(chmod(path, 0777), 0);
	}
	write_text(f->scratch, "precious", "");
	assert_int_equal(unlink(secret), 0);
	assert_int_equal(symlink("../precious", secret), 0);
	assert_int_equal(serve_start(&f->s, &e), -1);
	assert_string_equal(e.msg, want);
	assert_int_equal(unlink(secret), 0);
	write_text(f->tree, TREE_SECRET, SECRET "\n");
	assert_int_equal(chmod(secret, 0777), 0);
	start(f);
	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", f->tree, secrets[i].path);

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, secrets[i].mode);
	}
	assert_int_equal(
		request(NODE, "GET", "/hosts/52-54-00-25-00-1a.cpio", NULL, NULL), 200);
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
					    "/hosts/52-54-00-25-00-1a.cpio",
					    "/hosts/52-54-00-25-00-10.cpio",
					    "/hosts/new"};
	struct fixture *f = *state;

	start(f);
	for (size_t m = 0; m < ARRAY_SIZE(methods); m++) {
		unsigned status;

		for (size_t p = 0; p < ARRAY_SIZE(paths); p++) {
			status = request(NODE, methods[m], paths[p], "x", NULL);
			if (status < 400)
				fail_msg("%s %s: %u", methods[m], paths[p], status);
		}
		if (m == 0)
			continue;
		status = request(NODE, methods[m], "/report/node-1.json", "x", NULL);
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

#define OF_SERVE ", of a rackstrap serve that runs (pid %d)"

static void taken_ports_are_reported(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int one = bystander(SOCK_DGRAM, 66);
	_cleanup_close_ int two = bystander(SOCK_STREAM, 79);
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *dhcp = NULL, *tftp_line = NULL, *http = NULL;

	assert_true(one >= 0 && two >= 0);
	start(f);
	dhcp = xasprintf("port 67/udp is taken by dnsmasq (pid %d)" OF_SERVE,
			 f->s.dnsmasq.child.pid, getpid());
	tftp_line = xasprintf("port 69/udp is taken by dnsmasq (pid %d)" OF_SERVE,
			      f->s.dnsmasq.child.pid, getpid());
	http = xasprintf("port 80/tcp is taken by nginx (pid %d)" OF_SERVE,
			 f->s.nginx.child.pid, getpid());
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

/* Every file is read by the servers as their user. */
static void unreadable_file_is_reported(void **state)
{
	static const char *const paths[] = {"http/boot.ipxe", "http/images", "tftp",
					    "http/hosts/52-54-00-25-00-1a.cpio"};
	struct fixture *f = *state;
	_cleanup_diag_ struct diag d = {0};
	struct stat st;

	f->s.user = xstrdup("nobody");
	f->s.uid = f->s.gid = 65534;
	assert_int_equal(chmod(f->scratch, 0755), 0);
	assert_int_equal(serve_check(&f->s, &d), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", f->tree, paths[i]);
		_cleanup_free_ char *want =
			xasprintf("user 'nobody', who is to serve, may not read %s: copy "
				  "the tree with the modes of its files (cp -a)",
				  path);

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(chmod(path, st.st_mode & 0700), 0);
		assert_int_equal(serve_check(&f->s, &d), -1);
		assert_int_equal(d.n, 1);
		assert_string_equal(d.lines[0], want);
		assert_int_equal(chmod(path, st.st_mode & 07777), 0);
		diag_done(&d);
		d = (struct diag){0};
	}
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

/* --- reading the tree again ------------------------------------------------------- */

static const struct serve_options no_options;

static void taken_port_of_the_new_tree_is_found_before(void **state)
{
	struct fixture *f = *state;
	_cleanup_close_ int other = bystander(SOCK_STREAM, 8080);
	struct err e = {0};

	assert_true(other >= 0);
	start(f);
	render_only(f, &(struct tree_options){.secret = SECRET, .http_port = 8080});
	assert_int_equal(serve_reload(&f->s, &no_options, &e), -1);
	assert_non_null(str_after(e.msg, "port 8080/tcp is taken by test-serve (pid "));
	assert_int_equal(f->s.info.http_port, 80);
	assert_int_equal(request(BOOT_SERVER, "GET", "/boot.ipxe", NULL, NULL), 200);
	assert_int_equal(serve_wait(&f->s, -1, 0, &e), 0);
	/* The other ports are those of our own servers. */
	render_only(f, &(struct tree_options){.secret = SECRET, .proxy_dhcp = true});
	if (serve_reload(&f->s, &no_options, &e) < 0)
		fail_msg("%s", e.msg);
	assert_true(f->s.info.proxy_dhcp);
}

/* The configuration is accepted by dnsmasq --test. */
static void dnsmasq_that_does_not_start_again_ends_the_service(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	start(f);
	write_text(f->tree, TREE_DNSMASQ_CONF,
		   "port=0\nbind-interfaces\nlisten-address=10.8.8.8\n");
	assert_int_equal(serve_reload(&f->s, &no_options, &e), -1);
	assert_non_null(str_after(e.msg, "dnsmasq exited with "));
	assert_int_equal(serve_wait(&f->s, -1, -1, &e), -1);
	assert_string_equal(e.msg, "dnsmasq does not run: it did not start again");
}

/* In place of nginx with a master process, which this namespace does not allow. With a
 * file nginx.refuse beside it, it keeps its configuration. */
#define NGINX                                                                            \
	"#!/usr/bin/python3\n"                                                           \
	"import os, signal, socket, sys, time\n"                                         \
	"if '-t' in sys.argv: sys.exit(0)\n"                                             \
	"s = socket.create_server(('172.25.0.1', 80))\n"                                 \
	"workers = []\n"                                                                 \
	"def work(*_):\n"                                                                \
	"    if os.path.exists(sys.argv[0] + '.refuse'):\n"                              \
	"        print('[emerg] 7#7: bind() to 0.0.0.0:80 failed', file=sys.stderr)\n"   \
	"        print('[emerg] 7#7: no memory', file=sys.stderr, flush=True)\n"         \
	"        return\n"                                                               \
	"    pid = os.fork()\n"                                                          \
	"    if pid == 0:\n"                                                             \
	"        signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"                        \
	"        while True: signal.pause()\n"                                           \
	"    workers.append(pid)\n"                                                      \
	"def end(*_):\n"                                                                 \
	"    for pid in workers: os.kill(pid, signal.SIGTERM)\n"                         \
	"    sys.exit(0)\n"                                                              \
	"signal.signal(signal.SIGHUP, work)\n"                                           \
	"signal.signal(signal.SIGTERM, end)\n"                                           \
	"work()\n"                                                                       \
	"s.listen()\n"                                                                   \
	"while True: signal.pause()\n"

static void nginx_that_keeps_its_configuration_is_reported(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *old = xstrdup(getenv("PATH"));
	_cleanup_free_ char *path = xasprintf("%s:%s", f->scratch, old);
	_cleanup_free_ char *nginx = xasprintf("%s/nginx", f->scratch);
	_cleanup_free_ char *refuse = xasprintf("%s.refuse", nginx);
	struct err e = {0};
	pid_t dnsmasq;

	write_text(f->scratch, "nginx", NGINX);
	assert_int_equal(chmod(nginx, 0755), 0);
	setenv("PATH", path, 1);
	start(f);
	dnsmasq = f->s.dnsmasq.child.pid;
	f->s.single_id_ns = false;
	render_only(f, &(struct tree_options){.secret = SECRET, .proxy_dhcp = true});
	write_text(f->scratch, "nginx.refuse", "");
	assert_int_equal(serve_reload(&f->s, &no_options, &e), -1);
	assert_string_equal(e.msg,
			    "nginx keeps its old configuration: [emerg] 7#7: no memory");
	assert_false(f->s.info.proxy_dhcp);
	assert_int_equal(f->s.dnsmasq.child.pid, dnsmasq);
	assert_int_equal(serve_wait(&f->s, -1, 0, &e), 0);
	assert_int_equal(unlink(refuse), 0);
	f->s.single_id_ns = true;
	serve_stop(&f->s);
	start(f);
	f->s.single_id_ns = false;
	if (serve_reload(&f->s, &no_options, &e) < 0)
		fail_msg("%s", e.msg);
	assert_true(f->s.info.proxy_dhcp);
	f->s.single_id_ns = true;
	setenv("PATH", old, 1);
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

/* The limits are of each address. */
static void too_many_requests_are_refused(void **state)
{
	static const char begin[] = "PUT /report/node-1.json HTTP/1.1\r\nHost: "
				    "x\r\nContent-Length: 9\r\n\r\n";
	struct fixture *f = *state;
	unsigned refused = 0;
	int fds[128];

	start(f);
	for (int i = 0; i < 300; i++)
		refused += request(NEIGHBOUR, "GET", "/hosts/52-54-00-25-00-99.ipxe",
				   NULL, NULL) == 429;
	assert_true(refused > 0);
	assert_int_equal(
		request(NODE, "GET", "/hosts/52-54-00-25-00-1a.ipxe", NULL, NULL), 200);
	/* Requests at a time: the server waits for their bodies. */
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = connect_from(NODE);
		assert_int_equal(send(fds[i], begin, strlen(begin), 0), strlen(begin));
	}
	for (int i = 0; i < 500; i++) {
		if (request(NODE, "GET", "/boot.ipxe", NULL, NULL) == 429)
			break;
		usleep(10000);
	}
	assert_int_equal(request(NODE, "GET", "/boot.ipxe", NULL, NULL), 429);
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
	for (int i = 0; i < 500 && size_of(f->s.dnsmasq.log) == 0; i++)
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

/* --- the namespace ---------------------------------------------------------------- */

static int make_network(void)
{
	static const struct cidr addresses[] = {{.addr = BOOT_SERVER, .prefix = 24},
						{.addr = MASTER, .prefix = 24},
						{.addr = NODE, .prefix = 24},
						{.addr = NEIGHBOUR, .prefix = 24},
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
		T(get_serves_the_tree),
		T(host_files_are_for_the_host),
		T(put_stores_reports),
		T(token_allows_a_report),
		T(proxy_tree_is_for_the_networks_of_the_rack),
		T(secrets_of_a_copied_tree_are_protected),
		T(other_requests_are_refused),
		T(tftp_serves_the_tree),
		T(check_passes_before_and_after),
		T(taken_ports_are_reported),
		T(missing_address_is_reported),
		T(unreadable_file_is_reported),
		T(failed_start_stops_both_servers),
		T(death_of_a_server_is_reported),
		T(wake_up_wins_over_a_death),
		T(taken_port_of_the_new_tree_is_found_before),
		T(dnsmasq_that_does_not_start_again_ends_the_service),
		T(nginx_that_keeps_its_configuration_is_reported),
		T(watch_reports_machines),
		T(watch_reports_refusals),
		T(half_open_requests_do_not_end_the_service),
		T(too_many_requests_are_refused),
		T(long_headers_are_refused),
		T(access_log_stays_small),
		T(stderr_logs_stay_small),
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
