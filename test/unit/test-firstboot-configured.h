/* SPDX-License-Identifier: Apache-2.0 */
/* A machine that apply has configured, and a server that answers what a ready node
 * needs. */
#pragma once

#include "firstboot/ready.h"
#include "test-firstboot-http.h"
#include "test-firstboot-units.h"

/* Makes a machine, applies its configuration and sets a report URL on the server. */
static _unused_ void configured(struct machine *m, const struct server *s)
{
	_cleanup_free_ char *cfg = NULL;
	struct err e;

	machine_make(m);
	write_node(m);
	cfg = xasprintf(NODE_CFG "cluster = \"demo\";\n"
				 "report = \"http://127.0.0.1:%u/report/node-1.json\";\n",
			s->port);
	write_file(m, HOST_CFG, cfg);
	write_roles(m, s->port);
	write_file(m, "show", ACTIVE "\n" ACTIVE);
	write_file(m, "console", "");
	fake_systemctl(m);
	m->fb.wait = true;
	if (cmd_apply(&m->fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

static _unused_ unsigned all_well(const char *request, const char *content _unused_,
				  const char **body)
{
	*body = "fine";
	return str_after(request, "PUT ") ? 201 : 200;
}

static _unused_ size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *s = text; (s = strstr(s, part)); s++)
		n++;
	return n;
}

/* Runs cmd_report(), which observes a failed host for an hour, with this timeout until
 * the server was asked `n` times by PUT. Returns the server's log, owned. */
static _unused_ char *log_of_failure(struct machine *m, const struct server *s, size_t n,
				     unsigned timeout)
{
	char *log = NULL;
	struct err e;
	pid_t pid;

	m->fb.timeout = timeout;
	pid = fork();
	if (pid == 0)
		_exit(cmd_report(&m->fb, NULL, &e) < 0);
	do {
		usleep(100000);
		free(log);
		log = server_log(s);
	} while (count_of(log, "PUT ") < n);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return log;
}

/* Checks the machine once, as ready_wait() does. Returns why it is not ready, or "" when
 * it is. Owned. */
static _unused_ char *why_not_ready(const struct machine *m)
{
	_cleanup_snapshot_ struct snapshot snap = {0};
	char *why = NULL;

	snapshot_read(&snap, &m->fb);
	return ready_wait(&m->fb, &snap, 0, 1, &why) ? xstrdup("") : why;
}

static _unused_ void assert_not_ready(const struct machine *m, const char *want)
{
	_cleanup_free_ char *why = why_not_ready(m);

	assert_string_equal(why, want);
}

#define assert_ready(m) assert_not_ready(m, "")
