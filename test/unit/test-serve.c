/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/serve.h: what the servers answer, how they start and how they end. */
#include "test-serve.h"

#include <sys/eventfd.h>
#include <sys/wait.h>

/* --- HTTP ------------------------------------------------------------------------- */

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
	await_dnsmasq();
	assert_int_equal(serve_wait(&f->s, -1, 0, &e), 0);
	kill(f->s.dnsmasq.child.pid, SIGKILL);
	assert_int_equal(serve_wait(&f->s, -1, LIMIT_S * 1000, &e), -1);
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
 * file nginx.refuse beside it, it keeps its configuration. It listens when it has a
 * worker and handles signals. */
#define NGINX                                                                            \
	"#!/usr/bin/python3\n"                                                           \
	"import os, signal, socket, sys, time\n"                                         \
	"if '-t' in sys.argv: sys.exit(0)\n"                                             \
	"s = socket.socket()\n"                                                          \
	"s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"                      \
	"s.bind(('172.25.0.1', 80))\n"                                                   \
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
