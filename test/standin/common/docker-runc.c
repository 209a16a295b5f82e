/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containerd's shim calls `RUNTIME --root DIR --log FILE --log-format json
 * [--systemd-cgroup] create ...` and uses the last "error" line of that file as the
 * reason of the failure. The options are read as runc 1.0 and 1.1 read them (their
 * main.go): one or two dashes, the value after '=' or in the next argument.
 */
#include "test/standin/common/docker-runc.h"

#include "lib/str.h"
#include "test/standin/common/standin.h"

#include <fcntl.h>

#define RESOLV_CONF "/etc/resolv.conf"

struct options {
	const char *command; /* runc's command, "create"; NULL: none */
	const char *log;     /* NULL: none */
	bool json;
};

static bool takes_value(const char *name, size_t len)
{
	static const char *const names[] = {"criu", "log", "log-format", "root",
					    "rootless"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (strlen(names[i]) == len && strncmp(names[i], name, len) == 0)
			return true;
	return false;
}

static struct options read_options(int argc, char **argv)
{
	struct options o = {0};

	for (int i = 0; i < argc; i++) {
		const char *name = argv[i] + strspn(argv[i], "-");
		size_t len = strcspn(name, "=");
		const char *value = name[len] ? name + len + 1 : NULL;

		if (argv[i][0] != '-') {
			o.command = argv[i];
			return o;
		}
		if (!value && takes_value(name, len) && i + 1 < argc)
			value = argv[++i];
		if (value && len == 3 && strncmp(name, "log", len) == 0)
			o.log = value;
		if (value && len == 10 && strncmp(name, "log-format", len) == 0)
			o.json = streq(value, "json");
	}
	return o;
}

static void report(const struct options *o, const char *message)
{
	_cleanup_free_ char *line = NULL;
	_cleanup_close_ int fd = -1;
	char now[TIME_LEN];

	fprintf(stderr, "%s\n", message);
	if (!o->log)
		return;
	now_rfc3339(now);
	line = o->json ? xasprintf(
				 "{\"level\":\"error\",\"msg\":\"%s\",\"time\":\"%s\"}\n",
				 message, now)
		       : xasprintf("time=\"%s\" level=error msg=\"%s\"\n", now, message);
	fd = open(o->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		fprintf(stderr, "%s: %s\n", o->log, strerror(errno));
}

static int become_runc(int argc, char **argv, const struct options *o)
{
	const char *other = getenv("RACKSTRAP_STANDIN_RUNC");
	const char *const paths[] = {other ? other : "/usr/sbin/runc", "/usr/bin/runc"};
	_cleanup_strv_ char **args = NULL;
	_cleanup_free_ char *why = NULL;

	strv_add(&args, "runc");
	for (int i = 0; i < argc; i++)
		strv_add(&args, argv[i]);
	for (size_t i = 0; i < (other ? 1 : ARRAY_SIZE(paths)); i++)
		execv(paths[i], args);
	why = xasprintf("%s: %s (the package runc brings it)", paths[0], strerror(errno));
	report(o, why);
	return 1;
}

int docker_runc(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	_cleanup_close_ int fd = -1;

	if (!o.command || !streq(o.command, "create"))
		return become_runc(argc, argv, &o);
	fd = open(RESOLV_CONF, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		_cleanup_free_ char *why = xasprintf(
			"open " RESOLV_CONF ": %s",
			errno == ENOENT ? "no such file or directory" : strerror(errno));

		report(&o, why);
		return 1;
	}
	return become_runc(argc, argv, &o);
}
