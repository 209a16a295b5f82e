/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server for tests, in a child process. A function answers every request; the
 * requests are written to a log file for the test.
 */
#pragma once

#include "lib/file.h"
#include "lib/str.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cmocka.h>

/* Gets a request "PUT /path" and its body. Returns the status and sets *body to the
 * answer's body (a literal). */
typedef unsigned answer_fn(const char *request, const char *content, const char **body);

struct server {
	pid_t pid;
	uint16_t port;
	char log[64]; /* file: "PUT /path CONTENT" lines, and before it the header of a
		       * report's token, if there is one */
};

/* Reads one complete request. Owned by the caller. */
static char *server_read(int fd)
{
	struct buf b = {0};
	const char *end, *len;
	char chunk[4096];
	uint64_t want = 0;

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n <= 0)
			return buf_take(&b);
		buf_add(&b, chunk, (size_t)n);
		end = strstr(b.p, "\r\n\r\n");
		if (!end)
			continue;
		len = strcasestr(b.p, "\r\nContent-Length: ");
		if (len && len < end)
			want = strtoull(len + strlen("\r\nContent-Length: "), NULL, 10);
		if (b.len >= (size_t)(end + 4 - b.p) + want)
			return buf_take(&b);
	}
}

static void server_one(int fd, int log, answer_fn *answer)
{
	_cleanup_free_ char *text = server_read(fd), *line = NULL, *reply = NULL,
			    *note = NULL;
	const char *body = "", *content = strstr(text, "\r\n\r\n"), *token;
	size_t n = strcspn(text, " ");
	unsigned status;

	if (!content)
		return;
	content += 4;
	n += 1 + strcspn(text + n + 1, " ");
	line = xstrndup(text, n);
	token = strcasestr(text, "\r\nX-Rackstrap-Token: ");
	if (token && token < content)
		note = xasprintf("%.*s\n%s %s\n", (int)strcspn(token + 2, "\r"),
				 token + 2, line, content);
	else
		note = xasprintf("%s %s\n", line, content);
	if (write_all(log, note, strlen(note)) < 0)
		_exit(1);
	status = answer(line, content, &body);
	reply = xasprintf(
		"HTTP/1.1 %u X\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
		status, strlen(body), body);
	if (write_all(fd, reply, strlen(reply)) < 0)
		_exit(1);
}

static _noreturn_ void server_loop(int listener, int log, answer_fn *answer)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		_cleanup_close_ int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			_exit(1);
		server_one(fd, log, answer);
	}
}

/* Starts the server on all addresses; `port` 0 means any free port. */
static void server_start(struct server *s, uint16_t port, answer_fn *answer)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(port),
				.sin_addr.s_addr = htonl(INADDR_ANY)};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_close_ int log = -1;
	socklen_t len = sizeof(a);
	int one = 1;

	*s = (struct server){.log = "/tmp/test-server.XXXXXX"};
	log = mkstemp(s->log);
	assert_true(log >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	s->port = ntohs(a.sin_port);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		server_loop(fd, log, answer);
}

static _unused_ char *server_log(const struct server *s)
{
	char *text = NULL;

	assert_int_equal(file_read_at(AT_FDCWD, s->log, 1 << 20, &text, NULL), 0);
	return text;
}

static void server_stop(struct server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	unlink(s->log);
}
#define _cleanup_server_ _cleanup_(server_stop)
