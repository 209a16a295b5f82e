/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for Docker 1.7.0: reads the command line of its daemon (`docker -d`), refuses
 * what the original would refuse, and executes the real dockerd 20.10 of the distribution
 * with the same options. The storage driver "overlay" becomes overlay2, its successor.
 * Options that 20.10 lacks or defines differently are refused by name, as are client
 * commands other than those in docker-client.h.
 *
 * 1.7.0 starts no container on a host without /etc/resolv.conf, 20.10 does. So a
 * configuration file, written at each start, makes the real dockerd use `docker
 * standin-runc` (docker-runc.h) as its OCI runtime.
 *
 * RACKSTRAP_STANDIN_DOCKERD names another real dockerd than /usr/sbin/dockerd, and
 * RACKSTRAP_STANDIN_DOCKER_CONFIG another configuration file than the one in /run; both
 * are for tests.
 */
#include "lib/file.h"
#include "test/standin/common/cgroup.h"
#include "test/standin/common/docker-client.h"
#include "test/standin/common/docker-runc.h"
#include "test/standin/common/etcd.h"
#include "test/standin/common/lists.h"
#include "test/standin/common/standin.h"

#include <limits.h>

#define REAL_DOCKERD "/usr/sbin/dockerd"
#define CONFIG_FILE  "/run/rackstrap-standin-docker.json"

static const struct standin standin = {.name = "docker",
				       .version = "1.7.0",
				       .list = list_docker,
				       .style = FLAGS_GO,
				       .exit_usage = 2};

/* Short options and the long ones that flags_parse() knows. */
static const struct {
	const char *letter, *name;
} letters[] = {
	{"-d", "--daemon"},    {"-D", "--debug"},       {"-H", "--host"},
	{"-b", "--bridge"},    {"-g", "--graph"},       {"-G", "--group"},
	{"-p", "--pidfile"},   {"-e", "--exec-driver"}, {"-s", "--storage-driver"},
	{"-l", "--log-level"}, {"-h", "--help"},        {"-v", "--version"},
};

/* Options whose meaning has not changed between 1.7.0 and 20.10. */
static const char *const same[] = {
	"bip",
	"bridge",
	"debug",
	"default-gateway",
	"default-ulimit",
	"dns",
	"dns-search",
	"exec-opt",
	"fixed-cidr",
	"group",
	"host",
	"icc",
	"insecure-registry",
	"ip",
	"ip-forward",
	"ip-masq",
	"iptables",
	"ipv6",
	"label",
	"log-driver",
	"log-level",
	"log-opt",
	"mtu",
	"pidfile",
	"registry-mirror",
	"userland-proxy",
};

static _noreturn_ void refuse(const char *why)
{
	fprintf(stderr, "docker: %s.\nSee '/usr/bin/docker --help'.\n", why);
	exit(2);
}

static char **long_forms(int argc, char **argv)
{
	char **ret = NULL;

	for (int i = 0; i < argc; i++) {
		size_t n = strcspn(argv[i], "=");
		bool found = false;

		for (size_t k = 0; k < ARRAY_SIZE(letters) && !found; k++) {
			found = strlen(letters[k].letter) == n &&
				strncmp(argv[i], letters[k].letter, n) == 0;
			if (found)
				strv_addf(&ret, "%s%s", letters[k].name, argv[i] + n);
		}
		if (!found)
			strv_add(&ret, argv[i]);
	}
	return ret;
}

static bool is_same(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (streq(same[i], name))
			return true;
	return false;
}

/* --- the daemon --------------------------------------------------------------------- */

static void translate(const struct flags *flags, char ***argv)
{
	for (size_t i = 0; i < flags->n; i++) {
		const char *name = flags->v[i].name, *value = flags->v[i].value;

		if (streq(name, "daemon"))
			continue;
		if (streq(name, "storage-driver")) {
			strv_addf(argv, "--storage-driver=%s",
				  streq(value, "overlay") ? "overlay2" : value);
		} else if (streq(name, "graph")) {
			strv_addf(argv, "--data-root=%s", value);
		} else if (is_same(name)) {
			strv_addf(argv, "--%s=%s", name, value);
		} else {
			_cleanup_free_ char *why = xasprintf(
				"--%s: the stand-in has no translation for it", name);

			refuse(why);
		}
	}
}

/* Exits as the original does without cgroup v1: its libcontainer does not know v2. */
static void check_cgroups(void)
{
	char now[TIME_LEN];

	if (cgroup_v1_mounted("devices"))
		return;
	fprintf(stderr,
		"time=\"%s\" level=fatal msg=\"Error mounting devices cgroup: mountpoint "
		"for "
		"devices not found\"\n",
		now_rfc3339(now));
	exit(1);
}

/* Writes the configuration that makes this program the runtime. Returns its path. */
static const char *write_config(void)
{
	const char *path = getenv("RACKSTRAP_STANDIN_DOCKER_CONFIG");
	_cleanup_json_t_ json_t *config = NULL;
	_cleanup_free_ char *text = NULL;
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int r;

	if (n < 0)
		klog_fatal("/proc/self/exe: %s", strerror(errno));
	self[n] = '\0';
	config = json_pack("{s:{s:{s:s, s:[s]}}, s:s}", "runtimes", "standin", "path",
			   self, "runtimeArgs", DOCKER_RUNC_WORD, "default-runtime",
			   "standin");
	text = json_dumps(config, JSON_COMPACT);
	if (!path)
		path = CONFIG_FILE;
	r = file_write_at(AT_FDCWD, path, text, strlen(text), 0644);
	if (r < 0)
		klog_fatal("%s: %s", path, strerror(-r));
	return path;
}

int main(int argc, char **argv)
{
	_cleanup_strv_ char **args = long_forms(argc, argv), **real = NULL;
	_cleanup_free_ char *line = NULL;
	const char *program = getenv("RACKSTRAP_STANDIN_DOCKERD");
	struct flags flags;
	int r;

	if (argc > 1 && streq(argv[1], DOCKER_RUNC_WORD))
		return docker_runc(argc - 2, argv + 2);
	r = docker_client(argc - 1, argv + 1);
	if (r >= 0)
		return r;
	if (!program)
		program = REAL_DOCKERD;
	standin_start(&standin, (int)strv_len(args), args, &flags);
	if (flags.args || !flags_bool(&flags, "daemon", false))
		refuse("the stand-in knows the daemon (docker -d) and the commands "
		       "create, inspect, load, rm -f, start and wait only");
	check_cgroups();
	strv_add(&real, program);
	translate(&flags, &real);
	strv_addf(&real, "--config-file=%s", write_config());
	line = strv_join(real, " ");
	klog_info("becomes %s", line);
	execv(program, real);
	klog_fatal("%s: %s (the package docker.io brings it)", program, strerror(errno));
}
