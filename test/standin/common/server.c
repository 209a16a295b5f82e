/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every connection is read until its request is complete; then the listener's handler is
 * called once, the answer is sent with Connection: close, and the connection is closed. A
 * stream (Kubernetes' watch) has no length and stays open until its time is over. A
 * connection that is too slow or sends too much is closed.
 */
#include "test/standin/common/server.h"

#include "test/standin/common/standin.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>

#define REQUEST_MS 30000u

void http_server_init(struct http_server *s)
{
	memset(s, 0, sizeof(*s));
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++)
		s->conns[i].fd = -1;
}

int http_server_listen(struct http_server *s, uint32_t addr, uint16_t port,
		       http_handler handler, void *data)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(addr)};
	_cleanup_close_ int fd = -1;
	int one = 1;

	if (s->n_listeners == HTTP_LISTENERS)
		return -ENOSPC;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(fd, 64) < 0)
		return -errno;
	s->listeners[s->n_listeners].fd = TAKE_FD(fd);
	s->listeners[s->n_listeners].handler = handler;
	s->listeners[s->n_listeners].data = data;
	s->n_listeners++;
	return 0;
}

static void conn_close(struct http_conn *c)
{
	close(c->fd);
	buf_done(&c->in);
	buf_done(&c->out);
	*c = (struct http_conn){.fd = -1};
}

static void accept_one(struct http_server *s, size_t listener)
{
	int fd = accept4(s->listeners[listener].fd, NULL, NULL,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
		struct http_conn *c = &s->conns[i];

		if (c->fd >= 0)
			continue;
		c->fd = fd;
		c->handler = s->listeners[listener].handler;
		c->data = s->listeners[listener].data;
		c->deadline = clock_ms() + REQUEST_MS;
		return;
	}
	close(fd);
}

/* Returns a copy of a header's value without surrounding blanks, or NULL. Looks in the
 * lines after the request line. Owned by the caller. */
static char *header(const char *head, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
			const char *v = line + n + 1;

			v += strspn(v, " \t");
			return xstrndup(v, strcspn(v, "\r\n"));
		}
	}
	return NULL;
}

static const char *reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 400:
		return "Bad Request";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 409:
		return "Conflict";
	case 413:
		return "Request Entity Too Large";
	default:
		return status < 500 ? "Error" : "Internal Server Error";
	}
}

static void conn_answer(struct http_conn *c, struct http_out *out)
{
	int status = out->status ? out->status : 200;

	buf_printf(&c->out, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nConnection: close\r\n",
		   status, reason(status), out->type ? out->type : "application/json");
	if (!out->stream_ms)
		buf_printf(&c->out, "Content-Length: %zu\r\n", out->body.len);
	buf_puts(&c->out, "\r\n");
	if (out->body.len)
		buf_add(&c->out, out->body.p, out->body.len);
	c->answered = true;
	c->stream_id = out->stream_ms ? out->stream_id : 0;
	c->deadline = clock_ms() + (out->stream_ms ? out->stream_ms : REQUEST_MS);
}

static void conn_refuse(struct http_conn *c, int status, const char *text)
{
	struct http_out out = {.status = status, .type = "text/plain"};

	buf_puts(&out.body, text);
	conn_answer(c, &out);
	buf_done(&out.body);
}

static int hex(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void decode(char *s)
{
	char *to = s;

	for (; *s; s++, to++) {
		if (*s == '%' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
			*to = (char)(hex(s[1]) * 16 + hex(s[2]));
			s += 2;
		} else {
			*to = *s;
		}
	}
	*to = '\0';
}

static void conn_dispatch(struct http_conn *c, const char *head, const char *body,
			  size_t len)
{
	_cleanup_free_ char *method = xstrndup(head, strcspn(head, " \r"));
	const char *target = head + strlen(method) + (head[strlen(method)] == ' ');
	_cleanup_free_ char *path = xstrndup(target, strcspn(target, " \r"));
	_cleanup_free_ char *accept = header(head, "Accept");
	_cleanup_free_ char *query = NULL;
	struct http_out out = {0};
	struct http_in in;

	query = xstrdup(strchr(path, '?') ? strchr(path, '?') + 1 : "");
	path[strcspn(path, "?")] = '\0';
	decode(path);
	in = (struct http_in){.method = method,
			      .path = path,
			      .query = query,
			      .accept = accept ? accept : "",
			      .body = body,
			      .len = len};
	c->handler(c->data, &in, &out);
	conn_answer(c, &out);
	buf_done(&out.body);
}

/* Calls the handler when the request is complete. */
static void conn_try(struct http_conn *c)
{
	const char *end = c->in.p ? strstr(c->in.p, "\r\n\r\n") : NULL;
	_cleanup_free_ char *head = NULL, *length = NULL;
	uint64_t len = 0;
	size_t head_len;

	if (!end) {
		if (c->in.len > HTTP_HEAD_MAX)
			conn_refuse(c, 413, "request too large\n");
		return;
	}
	head_len = (size_t)(end - c->in.p) + 4;
	head = xstrndup(c->in.p, head_len);
	length = header(head, "Content-Length");
	if (length && str_to_u64(length, HTTP_BODY_MAX, &len) < 0)
		conn_refuse(c, 413, "request too large\n");
	else if (c->in.len - head_len >= len)
		conn_dispatch(c, head, c->in.p + head_len, (size_t)len);
}

static void conn_read(struct http_conn *c)
{
	char chunk[16384];
	ssize_t n = recv(c->fd, chunk, sizeof(chunk), 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_close(c);
		return;
	}
	if (c->answered) /* bytes after the request are ignored */
		return;
	buf_add(&c->in, chunk, (size_t)n);
	conn_try(c);
}

static void conn_write(struct http_conn *c)
{
	while (c->sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.p + c->sent, c->out.len - c->sent,
				 MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) {
			conn_close(c);
			return;
		}
		c->sent += (size_t)n;
	}
	if (c->answered && !c->stream_id)
		conn_close(c);
}

static void serve_ready(struct http_server *s, const struct pollfd *p)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
		struct http_conn *c = &s->conns[i];
		short events = p[s->n_listeners + i].revents;

		if (c->fd >= 0 && (events & (POLLIN | POLLHUP | POLLERR)))
			conn_read(c);
		if (c->fd >= 0 && c->out.len > c->sent)
			conn_write(c);
		if (c->fd >= 0 && clock_ms() >= c->deadline)
			conn_close(c);
	}
	for (size_t i = 0; i < s->n_listeners; i++)
		if (p[i].revents)
			accept_one(s, i);
}

void http_server_run(struct http_server *s, uint64_t until)
{
	struct pollfd p[HTTP_LISTENERS + HTTP_CONNECTIONS];

	do {
		uint64_t now = clock_ms(), wake = until > now ? until : now;

		for (size_t i = 0; i < s->n_listeners; i++)
			p[i] = (struct pollfd){.fd = s->listeners[i].fd,
					       .events = POLLIN};
		for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
			struct http_conn *c = &s->conns[i];
			bool out = c->out.len > c->sent;

			p[s->n_listeners + i] = (struct pollfd){
				.fd = c->fd, .events = out ? POLLIN | POLLOUT : POLLIN};
			if (c->fd >= 0 && c->deadline < wake)
				wake = c->deadline;
		}
		wake = wake > now ? wake - now : 0;
		if (poll(p, s->n_listeners + HTTP_CONNECTIONS,
			 wake > 60000 ? 60000 : (int)wake) >= 0)
			serve_ready(s, p);
	} while (clock_ms() < until);
}

void http_server_stream(struct http_server *s, unsigned id, const char *line, size_t len)
{
	for (size_t i = 0; i < HTTP_CONNECTIONS; i++) {
		struct http_conn *c = &s->conns[i];

		if (c->fd < 0 || c->stream_id != id)
			continue;
		buf_add(&c->out, line, len);
		if (c->out.len - c->sent > HTTP_BODY_MAX)
			conn_close(c);
	}
}

char *http_query(const char *query, const char *name)
{
	_cleanup_strv_ char **fields = strv_split(query, "&");

	for (size_t i = 0; i < strv_len(fields); i++) {
		const char *rest = str_after(fields[i], name);
		char *value;

		if (!rest || (*rest && *rest != '='))
			continue;
		value = xstrdup(*rest ? rest + 1 : "");
		decode(value);
		return value;
	}
	return NULL;
}

void http_healthz(void *data, const struct http_in *in, struct http_out *out)
{
	(void)data;
	out->type = "text/plain; charset=utf-8";
	if (streq(in->path, "/healthz")) {
		buf_puts(&out->body, "ok");
		return;
	}
	out->status = 404;
	buf_puts(&out->body, "404 page not found\n");
}
