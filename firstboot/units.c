/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemctl prints one block of NAME=VALUE lines for each unit, in the order of its
 * arguments, separated by empty lines (systemctl(1), show). Blocks are assigned by that
 * order and not by their Id, which for an alias is that of another unit.
 */
#include "firstboot/units.h"
#include "firstboot/firstboot.h"
#include "lib/log.h"
#include "lib/root.h"
#include "lib/run.h"
#include "lib/str.h"

#include <time.h>

#define SYSTEMCTL_MS  20000
#define JOURNALCTL_MS 5000
#define COMMAND_MAX   (256 * 1024)

/* Parses "/etc/default/docker (ignore_errors=yes)". */
static void parse_environment(struct unit *u, const char *v)
{
	const char *end = strstr(v, " (");
	_cleanup_free_ char *path = end ? xstrndup(v, (size_t)(end - v)) : xstrdup(v);

	if (*path)
		strv_add(&u->environment, path);
}

/* Parses a process id. The control process (ExecStartPre=) takes precedence over the main
 * process, because the unit is waiting for it. */
static void parse_pid(struct unit *u, const char *v, bool control)
{
	uint64_t pid;

	if (str_to_u64(v, INT32_MAX, &pid) == 0 && pid != 0 && (control || u->pid == 0))
		u->pid = pid;
}

static void parse_property(struct unit *u, const char *line)
{
	const char *v;

	if ((v = str_after(line, "LoadState=")))
		u->load = (free(u->load), xstrdup(v));
	else if ((v = str_after(line, "ActiveState=")))
		u->active = (free(u->active), xstrdup(v));
	else if ((v = str_after(line, "SubState=")))
		u->sub = (free(u->sub), xstrdup(v));
	else if ((v = str_after(line, "Result=")))
		u->result = (free(u->result), xstrdup(v));
	else if ((v = str_after(line, "Type=")))
		u->oneshot = streq(v, "oneshot");
	else if ((v = str_after(line, "RemainAfterExit=")))
		u->remains = streq(v, "yes");
	else if ((v = str_after(line, "ExecMainExitTimestampMonotonic=")))
		u->ran = !streq(v, "0") && *v;
	else if ((v = str_after(line, "EnvironmentFiles=")) ||
		 (v = str_after(line, "EnvironmentFile="))) /* its name in systemd 219 */
		parse_environment(u, v);
	else if ((v = str_after(line, "MainPID=")))
		parse_pid(u, v, false);
	else if ((v = str_after(line, "ControlPID=")))
		parse_pid(u, v, true);
	else if ((v = str_after(line, "ActiveEnterTimestampMonotonic=")) &&
		 str_to_u64(v, UINT64_MAX, &u->active_since_us) < 0)
		u->active_since_us = 0;
}

int units_parse(struct units *ret, char *const *names, const char *text, struct err *e)
{
	struct units u = {.v = xcalloc(strv_len(names), sizeof(*u.v)),
			  .n = strv_len(names)};
	size_t at = 0;

	for (size_t i = 0; i < u.n; i++)
		u.v[i].name = xstrdup(names[i]);
	while (*text) {
		size_t len = strcspn(text, "\n");
		_cleanup_free_ char *line = xstrndup(text, len);

		if (len == 0)
			at++;
		else if (at < u.n)
			parse_property(&u.v[at], line);
		text += len + (text[len] == '\n');
	}
	for (size_t i = 0; i < u.n; i++) {
		if (u.v[i].load && u.v[i].active && u.v[i].sub)
			continue;
		err_set(e, ERR_FAILED, "systemctl show printed nothing about %s",
			names[i]);
		units_done(&u);
		return -1;
	}
	*ret = u;
	return 0;
}

int units_query(struct units *ret, char *const *names, struct err *e)
{
	const char *const head[] = {
		"systemctl", "show", "--no-pager",
		"--property=LoadState,ActiveState,SubState,Result,Type,"
		"RemainAfterExit,ExecMainExitTimestampMonotonic,EnvironmentFiles,"
		"ActiveEnterTimestampMonotonic,MainPID,ControlPID",
		"--"};
	size_t n = strv_len(names);
	_cleanup_free_ const char **argv =
		xcalloc(ARRAY_SIZE(head) + n + 1, sizeof(*argv));
	const struct run r = {.argv = argv, .timeout_ms = SYSTEMCTL_MS};
	_cleanup_free_ char *text = NULL;

	if (n == 0) {
		*ret = (struct units){0};
		return 0;
	}
	memcpy(argv, head, sizeof(head));
	for (size_t i = 0; i < n; i++)
		argv[ARRAY_SIZE(head) + i] = names[i];
	if (run_capture(&r, &text, NULL, e) < 0)
		return -1;
	return units_parse(ret, names, text, e);
}

bool unit_ready(const struct unit *u)
{
	if (streq(u->active, "active"))
		return !u->remains || streq(u->sub, "exited");
	return u->oneshot && u->ran && streq(u->active, "inactive") && u->result &&
	       streq(u->result, "success");
}

static const char *failure(const struct unit *u)
{
	return u->result && !streq(u->result, "success") ? u->result : NULL;
}

unsigned unit_active_s(const struct unit *u)
{
	struct timespec t;
	uint64_t now;

	if (!streq(u->active, "active"))
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &t);
	now = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
	return now > u->active_since_us ? (unsigned)((now - u->active_since_us) / 1000000)
					: 0;
}

bool unit_failed(const struct unit *u)
{
	return !streq(u->load, "loaded") || streq(u->active, "failed") ||
	       (failure(u) && !unit_ready(u));
}

/* Returns true when the unit is active but its program, which must end, still runs. */
static bool unit_unfinished(const struct unit *u)
{
	return streq(u->active, "active") && u->remains && !streq(u->sub, "exited");
}

char *unit_text(const struct unit *u)
{
	const char *result = failure(u);
	_cleanup_buf_ struct buf b = {0};

	if (!streq(u->load, "loaded"))
		buf_printf(&b, "%s is %s", u->name, u->load);
	else if (unit_unfinished(u))
		buf_printf(&b, "%s has not finished yet", u->name);
	else
		buf_printf(&b, "%s is %s (%s%s%s)", u->name, u->active, u->sub,
			   result ? ", " : "", result ? result : "");
	if (u->command)
		buf_printf(&b, ", waiting for '%s'", u->command);
	if (u->log)
		buf_printf(&b, ", its last line: %s", u->log[strv_len(u->log) - 1]);
	return buf_take(&b);
}

void unit_read_command(struct unit *u, int rootfd)
{
	_cleanup_free_ char *path = NULL, *text = NULL;
	size_t len = 0;

	if (u->pid == 0)
		return;
	path = xasprintf("proc/%llu/cmdline", (unsigned long long)u->pid);
	if (root_read(rootfd, path, COMMAND_MAX, &text, &len) < 0 || len == 0)
		return;
	for (size_t i = 0; i + 1 < len; i++) /* words end with a NUL (proc(5)) */
		if (text[i] == '\0')
			text[i] = ' ';
	line_clean(text, UNIT_LOG_MAX);
	free(u->command);
	u->command = TAKE_PTR(text);
}

/* The match _SYSTEMD_UNIT= excludes systemd's own messages about the unit. */
void unit_read_log(struct unit *u)
{
	_cleanup_free_ char *lines = xasprintf("--lines=%u", UNIT_LOG_LINES);
	_cleanup_free_ char *match = xasprintf("_SYSTEMD_UNIT=%s", u->name);
	const char *const argv[] = {"journalctl", "--quiet",      "--no-pager", "--boot",
				    lines,        "--output=cat", match,        NULL};
	const struct run r = {.argv = argv, .timeout_ms = JOURNALCTL_MS};
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **v = NULL;
	struct err e;

	if (run_capture(&r, &text, NULL, &e) < 0) {
		log_debug("%s", e.msg);
		return;
	}
	v = strv_split(text, "\n");
	for (size_t i = 0; v && v[i]; i++) {
		line_clean(v[i], UNIT_LOG_MAX);
		if (*v[i])
			strv_add(&u->log, v[i]);
	}
}

void units_done(struct units *u)
{
	for (size_t i = 0; i < u->n; i++) {
		free(u->v[i].name);
		free(u->v[i].load);
		free(u->v[i].active);
		free(u->v[i].sub);
		free(u->v[i].result);
		free(u->v[i].command);
		strv_free(u->v[i].environment);
		strv_free(u->v[i].log);
	}
	free(u->v);
	*u = (struct units){0};
}
