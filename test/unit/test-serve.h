/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Serves a boot tree with the real dnsmasq and nginx, in a user and network namespace of
 * the test's own, where the boot server's address is on the loopback link.
 */
#pragma once

#include "lib/rtnl.h"
#include "pxe/serve.h"
#include "test-lib-namespace.h"
#include "test-pxe-image.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#define SECRET "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define TOKEN                                                                            \
	"e387ba867cbcc58dfec41982282e7b3ba05b74c9f0a170aaebd6761900891a01" /* node-1's */

#ifndef RACK
#define RACK "test/golden/pxe/plain.cfg"
#endif
#define BOOT_SERVER 0xac190001 /* 172.25.0.1 */
#define MASTER      0xac19000a /* 172.25.0.10 */
#define NODE        0xac19000b /* 172.25.0.11: node-1 */
#define NEIGHBOUR   0xac190063 /* 172.25.0.99: in the node network, not in the rack */
#define ELSEWHERE   0x0a090909 /* 10.9.9.9: outside the node network */

#define LIMIT_S 120 /* for an answer, on a loaded machine */

struct fixture {
	char *scratch, *tree;
	struct serve s;
};

/* Renders the tree, in place of an earlier one. */
static inline void render_only(struct fixture *f, const struct tree_options *o)
{
	_cleanup_free_ char *image_dir = xasprintf("%s/image", f->scratch);
	_cleanup_image_ struct image image = {0};
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_diag_ struct diag d = {0};
	struct err e = {0};

	if (image_open(&image, image_dir, &e) < 0 ||
	    rack_load(&rack, RACK, &image.roles, &d) < 0 ||
	    tree_render(&rack, &image, f->tree, o, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Renders and opens the tree. */
static inline void render(struct fixture *f, const struct tree_options *o)
{
	struct err e = {0};

	serve_done(&f->s);
	render_only(f, o);
	if (serve_open(&f->s, f->tree, &(struct serve_options){0}, &e) < 0)
		fail_msg("%s", e.msg);
}

static inline int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->s = (struct serve)SERVE_INIT;
	f->scratch = make_scratch();
	f->tree = xasprintf("%s/tree", f->scratch);
	free(image_make(f->scratch));
	*state = f;
	render(f, &(struct tree_options){.secret = SECRET});
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	serve_done(&f->s);
	rm_rf_p(&f->scratch);
	free(f->tree);
	free(f);
	return 0;
}

static inline void start(struct fixture *f)
{
	struct err e = {0};

	if (serve_start(&f->s, &e) < 0)
		fail_msg("%s", e.msg);
}

static inline int connect_from(uint32_t from)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(from)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval limit = {.tv_sec = LIMIT_S};

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
static inline unsigned request_with(uint32_t from, const char *method, const char *path,
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

static inline unsigned request(uint32_t from, const char *method, const char *path,
			       const char *body, char **ret_body)
{
	return request_with(from, method, path, "", body, ret_body);
}

/* Requests a file by TFTP. Returns the opcode of the first packet of the answer and
 * copies its text. */
static inline unsigned tftp(const char *file, char *text, size_t size)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct timeval limit = {.tv_sec = LIMIT_S};
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

/* Waits until dnsmasq has written its first lines: it answers after the last of them. */
static inline void await_dnsmasq(void)
{
	char text[600];

	assert_int_equal(tftp("none", text, sizeof(text)), 5);
}

static inline int make_network(void)
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
