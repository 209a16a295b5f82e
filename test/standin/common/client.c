/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.0 keeps the answer simple: it has no chunks and no keep-alive, and its body ends
 * with the connection. Sockets are non-blocking, and every wait ends at the request's
 * deadline.
 */
#include "test/standin/common/client.h"

#include "lib/net.h"
#include "lib/str.h"
#include "test/standin/common/standin.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static int wait_for(int fd, short events, uint64_t deadline)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = events};
		uint64_t now = clock_ms();
		int r;

		if (now >= deadline)
			return -ETIMEDOUT;
		r = poll(&p, 1, (int)(deadline - now));
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
	}
}

static int connect_socket(int fd, const struct sockaddr *sa, socklen_t len,
			  uint64_t deadline)
{
	int r, error = 0;
	socklen_t size = sizeof(error);

	if (connect(fd, sa, len) == 0)
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	r = wait_for(fd, POLLOUT, deadline);
	if (r < 0)
		return r;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		return -errno;
	return -error;
}

static int open_socket(const struct http_target *t, uint64_t deadline, int *ret)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(t->port),
				 .sin_addr.s_addr = htonl(t->addr)};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1;
	int r;

	fd = socket(t->path ? AF_UNIX : AF_INET,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (t->path) {
		if (strlen(t->path) >= sizeof(un.sun_path))
			return -ENAMETOOLONG;
		memcpy(un.sun_path, t->path, strlen(t->path) + 1);
		r = connect_socket(fd, (struct sockaddr *)&un, sizeof(un), deadline);
	} else {
		r = connect_socket(fd, (struct sockaddr *)&in, sizeof(in), deadline);
	}
	if (r < 0)
		return r;
	*ret = TAKE_FD(fd);
	return 0;
}

static int send_all(int fd, const char *p, size_t len, uint64_t deadline)
{
	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

		if (n > 0) {
			p += n;
			len -= (size_t)n;
			continue;
		}
		if (n < 0 && errno == EAGAIN) {
			int r = wait_for(fd, POLLOUT, deadline);

			if (r < 0)
				return r;
		} else if (n < 0 && errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

static int receive_all(int fd, struct buf *b, uint64_t deadline)
{
	char chunk[16384];

	for (;;) {
		ssize_t n = recv(fd, chunk, sizeof(chunk), 0);
		int r;

		if (n == 0)
			return 0;
		if (n > 0) {
			buf_add(b, chunk, (size_t)n);
			if (b->len > HTTP_ANSWER_MAX)
				return -EFBIG;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return -errno;
		r = wait_for(fd, POLLIN, deadline);
		if (r < 0)
			return r;
	}
}

/* Splits the received bytes into status and body. Returns 0 or -EPROTO. */
static int parse_answer(struct buf *b, struct http_answer *ret)
{
	const char *end = b->p ? strstr(b->p, "\r\n\r\n") : NULL;
	size_t head;
	int status;

	if (!end || sscanf(b->p, "HTTP/1.%*c %d", &status) != 1)
		return -EPROTO;
	head = (size_t)(end - b->p) + 4;
	ret->status = status;
	ret->len = b->len - head;
	ret->body = xmalloc(ret->len + 1);
	memcpy(ret->body, b->p + head, ret->len);
	ret->body[ret->len] = '\0';
	return 0;
}

static void format_head(struct buf *b, const struct http_target *t,
			const struct http_request *r)
{
	char addr[NET_ADDR_LEN];

	buf_printf(b, "%s %s HTTP/1.0\r\n", r->method, r->path);
	if (t->path)
		buf_puts(b, "Host: docker\r\n");
	else
		buf_printf(b, "Host: %s:%u\r\n", net_format_addr(t->addr, addr), t->port);
	buf_puts(b, "User-Agent: rackstrap-standin\r\nAccept: application/json\r\n");
	if (r->type)
		buf_printf(b, "Content-Type: %s\r\n", r->type);
	if (r->body || !streq(r->method, "GET"))
		buf_printf(b, "Content-Length: %zu\r\n", r->len);
	buf_puts(b, "\r\n");
}

static int exchange(const struct http_target *t, const struct http_request *r,
		    struct http_answer *ret)
{
	uint64_t deadline = clock_ms() + (r->timeout_ms ? r->timeout_ms : 10000);
	_cleanup_buf_ struct buf out = {0}, in = {0};
	_cleanup_close_ int fd = -1;
	int rc = open_socket(t, deadline, &fd);

	if (rc < 0)
		return rc;
	format_head(&out, t, r);
	rc = send_all(fd, out.p, out.len, deadline);
	if (rc == 0 && r->len)
		rc = send_all(fd, r->body, r->len, deadline);
	if (rc == 0)
		rc = receive_all(fd, &in, deadline);
	return rc < 0 ? rc : parse_answer(&in, ret);
}

int http_call(const struct http_target *t, const struct http_request *r,
	      struct http_answer *ret, struct err *e)
{
	char addr[NET_ADDR_LEN];
	int rc = exchange(t, r, ret);

	if (rc == 0)
		return 0;
	if (t->path)
		return err_errno(e, rc, "%s unix://%s%s: dial unix %s", r->method,
				 t->path, r->path, t->path);
	net_format_addr(t->addr, addr);
	return err_errno(e, rc, "%s http://%s:%u%s: dial tcp %s:%u", r->method, addr,
			 t->port, r->path, addr, t->port);
}

void http_answer_done(struct http_answer *a)
{
	free(a->body);
	*a = (struct http_answer){0};
}

int http_target_parse(const char *s, uint16_t default_port, struct http_target *ret,
		      struct err *e)
{
	const char *rest = str_after(s, "http://");
	_cleanup_free_ char *host = NULL;
	const char *colon, *slash;
	uint64_t port = default_port;

	if (!rest && str_after(s, "https://"))
		return err_set(e, ERR_FAILED, "%s: the stand-ins speak http only", s);
	host = xstrdup(rest ? rest : s);
	slash = strchr(host, '/');
	if (slash && slash[1])
		return err_set(e, ERR_FAILED, "%s: a server's URL has no path", s);
	host[strcspn(host, "/")] = '\0';
	colon = strchr(host, ':');
	if (colon && str_to_u64(colon + 1, UINT16_MAX, &port) < 0)
		return err_set(e, ERR_FAILED, "invalid port \"%s\"", colon + 1);
	host[strcspn(host, ":")] = '\0';
	*ret = (struct http_target){.port = (uint16_t)port};
	if (rest && streq(host, "localhost")) {
		ret->addr = 0x7f000001;
		return 0;
	}
	if (net_parse_addr(host, &ret->addr) == 0)
		return 0;
	if (rest)
		return err_set(e, ERR_FAILED, "dial tcp: lookup %s: no such host", host);
	return err_set(e, ERR_FAILED, "unsupported protocol scheme \"%s\"", host);
}

void http_escape(struct buf *b, const char *s)
{
	for (; *s; s++) {
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678"
			   "9"
			   "-._~",
			   *s))
			buf_add(b, s, 1);
		else
			buf_printf(b, "%%%02X", (unsigned char)*s);
	}
}
