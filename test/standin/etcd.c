/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for etcd 2.0.9: reads its command line and environment, refuses what the
 * original would refuse, and executes the real etcd 3.4 of the distribution with its v2
 * store enabled and the same addresses, name and data directory. Features of 2.0.9 that
 * 3.4 lacks (proxies, 0.4's peers) are refused by name.
 *
 * RACKSTRAP_STANDIN_ETCD names another real etcd than /usr/bin/etcd, for tests.
 */
#include "lib/net.h"
#include "test/standin/common/lists.h"
#include "test/standin/common/standin.h"

#include <ctype.h>

#define REAL_ETCD "/usr/bin/etcd"

static const struct standin standin = {.name = "etcd",
				       .version = "2.0.9",
				       .list = list_etcd,
				       .style = FLAGS_GO,
				       .exit_usage = 2};

extern char **environ;

/* Flags whose meaning has not changed between 2.0.9 and 3.4. */
static const char *const same[] = {
	"name",
	"data-dir",
	"max-snapshots",
	"max-wals",
	"election-timeout",
	"heartbeat-interval",
	"initial-cluster-state",
	"initial-cluster-token",
	"force-new-cluster",
	"cors",
	"discovery",
	"discovery-srv",
};

/* Flags that the stand-in translates into others. */
static const char *const translated[] = {
	"addr",
	"bind-addr",
	"peer-addr",
	"peer-bind-addr",
	"advertise-client-urls",
	"listen-client-urls",
	"version",
	"listen-peer-urls",
	"initial-advertise-peer-urls",
	"initial-cluster",
};

static bool is_in(const char *const *words, size_t n, const char *s)
{
	for (size_t i = 0; i < n; i++)
		if (streq(words[i], s))
			return true;
	return false;
}

static _noreturn_ void refuse(const char *why)
{
	fprintf(stderr, "etcd: error verifying flags, %s. See 'etcd -help'.\n", why);
	exit(1);
}

/* Adds flags from the environment: ETCD_BIND_ADDR=x counts as -bind-addr=x unless that
 * flag was given. Then unsets all ETCD_ variables, because the real etcd would read them
 * again. */
static void read_environment(struct flags *flags)
{
	_cleanup_strv_ char **names = NULL, **args = NULL;
	_cleanup_free_ char *complaint = NULL;
	struct flags from_env = {.program = "etcd", .style = FLAGS_GO, .list = list_etcd};

	strv_add(&args, "etcd");
	for (char **p = environ; *p; p++) {
		const char *body = str_after(*p, "ETCD_");
		_cleanup_free_ char *name =
			body ? xstrndup(body, strcspn(body, "=")) : NULL;
		_cleanup_free_ char *line = NULL;

		if (!name)
			continue;
		strv_addf(&names, "ETCD_%s", name);
		for (char *c = name; *c; c++)
			*c = *c == '_' ? '-' : (char)tolower((unsigned char)*c);
		line = xasprintf("\n--%s ", name);
		if (strstr(list_etcd, line) && !flags_str(flags, name, NULL))
			strv_addf(&args, "--%s=%s", name, strchr(body, '=') + 1);
	}
	if (flags_parse(&from_env, (int)strv_len(args), args, &complaint) != 0)
		refuse(complaint);
	for (size_t i = 0; i < strv_len(names); i++)
		unsetenv(names[i]);
	for (size_t i = 0; i < from_env.n; i++) {
		flags->v = xrealloc(flags->v, (flags->n + 1) * sizeof(*flags->v));
		flags->v[flags->n++] =
			(struct flag){.name = xstrdup(from_env.v[i].name),
				      .value = xstrdup(from_env.v[i].value)};
	}
	flags_done(&from_env);
}

/* Returns the URLs from one of 2.0.9's pairs of an old and a new flag; the value of the
 * old one gets the prefix "http://". Owned by the caller. */
static char *client_urls(const struct flags *flags, const char *old, const char *new,
			 const char *fallback)
{
	const char *addr = flags_str(flags, old, NULL),
		   *urls = flags_str(flags, new, NULL);

	if (addr && urls) {
		_cleanup_free_ char *why = xasprintf(
			"cannot set both %s and %s flags simultaneously", new, old);

		refuse(why);
	}
	if (addr)
		return xasprintf("http://%s", addr);
	return xstrdup(urls ? urls : fallback);
}

static void add(char ***argv, const char *name, char *value)
{
	strv_addf(argv, "--%s=%s", name, value);
	free(value);
}

static void translate(const struct flags *flags, char ***argv)
{
	const char *name = flags_str(flags, "name", "default");
	const char *peer = "http://localhost:2380";
	_cleanup_free_ char *advertised =
		client_urls(flags, "peer-addr", "initial-advertise-peer-urls", peer);

	for (size_t i = 0; i < flags->n; i++) {
		const char *flag = flags->v[i].name;

		if (is_in(same, ARRAY_SIZE(same), flag)) {
			strv_addf(argv, "--%s=%s", flag, flags->v[i].value);
		} else if (!is_in(translated, ARRAY_SIZE(translated), flag)) {
			_cleanup_free_ char *why = xasprintf(
				"-%s: the stand-in has no translation for it", flag);

			refuse(why);
		}
	}
	add(argv, "listen-client-urls",
	    client_urls(flags, "bind-addr", "listen-client-urls",
			"http://localhost:2379,http://localhost:4001"));
	add(argv, "advertise-client-urls",
	    client_urls(flags, "addr", "advertise-client-urls",
			"http://localhost:2379,http://localhost:4001"));
	add(argv, "listen-peer-urls",
	    client_urls(flags, "peer-bind-addr", "listen-peer-urls", peer));
	strv_addf(argv, "--initial-advertise-peer-urls=%s", advertised);
	if (flags_str(flags, "initial-cluster", NULL))
		strv_addf(argv, "--initial-cluster=%s",
			  flags_str(flags, "initial-cluster", NULL));
	else if (!flags_str(flags, "discovery", NULL))
		strv_addf(argv, "--initial-cluster=%s=%s", name, advertised);
}

int main(int argc, char **argv)
{
	_cleanup_strv_ char **real = NULL;
	_cleanup_free_ char *line = NULL;
	struct flags flags;
	const char *program = getenv("RACKSTRAP_STANDIN_ETCD");

	if (!program)
		program = REAL_ETCD;
	standin_start(&standin, argc, argv, &flags);
	read_environment(&flags);
	if (flags.args) {
		_cleanup_free_ char *why =
			xasprintf("'%s' is not a valid flag", flags.args[0]);

		refuse(why);
	}
	strv_add(&real, program);
	strv_add(&real, "--enable-v2");
	translate(&flags, &real);
	line = strv_join(real, " ");
	klog_info("becomes %s", line);
	/* etcd 3.3 of Debian 11 does not have the option, but ignores the variable. */
	setenv("ETCD_LOGGER", "zap", 1);
	setenv("ETCD_LOG_LEVEL", "warn", 1);
	execv(program, real);
	klog_fatal("%s: %s (the package etcd-server brings it)", REAL_ETCD,
		   strerror(errno));
}
