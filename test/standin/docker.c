/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for Docker 1.7.0: takes the command line of its daemon (`docker -d`), refuses
 * what it would refuse, and becomes the real dockerd 20.10 of the distribution with the
 * same options. The storage driver "overlay" becomes overlay2, its successor. Options
 * that 20.10 lacks or means otherwise, and Docker's other commands, are refused by name.
 *
 * RACKSTRAP_STANDIN_DOCKERD names another real dockerd than /usr/sbin/dockerd, for tests.
 */
#include "test/standin/common/docker.h"
#include "lib/file.h"
#include "test/standin/common/lists.h"
#include "test/standin/common/standin.h"

#define REAL_DOCKERD "/usr/sbin/dockerd"

static const struct standin standin = {.name = "docker",
				       .version = "1.7.0",
				       .list = list_docker,
				       .style = FLAGS_GO,
				       .exit_usage = 2};

/* The short forms, as the long ones that flags_parse() knows. */
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

/* --- the two client commands that firstboot runs ------------------------------------ */

#define SOCKET "unix:///var/run/docker.sock"

static int fail(const char *text)
{
	fprintf(stderr, "%s\n", text);
	return 1;
}

static int call(const char *method, const char *path, const void *body, size_t len,
		struct http_answer *a, struct err *e)
{
	const char *host = getenv("DOCKER_HOST");
	struct http_target t;
	const struct http_request r = {.method = method,
				       .path = path,
				       .type = body ? "application/x-tar" : NULL,
				       .body = body,
				       .len = len,
				       .timeout_ms = 300000};

	if (docker_target_parse(host ? host : SOCKET, &t, e) < 0)
		return -1;
	return http_call(&t, &r, a, e);
}

/* docker load -i FILE */
static int client_load(const char *file)
{
	_cleanup_http_answer_ struct http_answer a = {0};
	_cleanup_free_ char *tar = NULL;
	struct err e = {0};
	size_t len;
	int r = file_read_at(AT_FDCWD, file, 1U << 30, &tar, &len);

	if (r < 0)
		return fail(strerror(-r));
	if (call("POST", "/images/load", tar, len, &a, &e) < 0)
		return fail(e.msg);
	return a.status == 200 && !strstr(a.body, "\"error\"") ? 0 : fail(a.body);
}

/* docker inspect --format={{.Id}} IMAGE, in the words of 1.7.0 */
static int client_inspect(const char *image)
{
	_cleanup_http_answer_ struct http_answer a = {0};
	_cleanup_free_ char *path = xasprintf("/images/%s/json", image);
	_cleanup_json_t_ json_t *j = NULL;
	struct err e = {0};

	if (call("GET", path, NULL, 0, &a, &e) < 0)
		return fail(e.msg);
	if (a.status == 404) {
		fprintf(stderr, "Error: No such image or container: %s\n", image);
		return 1;
	}
	j = json_loadb(a.body, a.len, 0, NULL);
	if (a.status != 200 || !json_string_value(json_object_get(j, "Id")))
		return fail(a.body);
	puts(json_string_value(json_object_get(j, "Id")));
	return 0;
}

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

int main(int argc, char **argv)
{
	_cleanup_strv_ char **args = long_forms(argc, argv), **real = NULL;
	_cleanup_free_ char *line = NULL;
	const char *program = getenv("RACKSTRAP_STANDIN_DOCKERD");
	struct flags flags;

	if (argc == 4 && streq(argv[1], "load") && streq(argv[2], "-i"))
		return client_load(argv[3]);
	if (argc == 4 && streq(argv[1], "inspect") && streq(argv[2], "--format={{.Id}}"))
		return client_inspect(argv[3]);
	if (!program)
		program = REAL_DOCKERD;
	standin_start(&standin, (int)strv_len(args), args, &flags);
	if (flags.args || !flags_bool(&flags, "daemon", false))
		refuse("the stand-in is the daemon, load and inspect only: docker -d");
	strv_add(&real, program);
	translate(&flags, &real);
	line = strv_join(real, " ");
	klog_info("becomes %s", line);
	execv(program, real);
	klog_fatal("%s: %s (the package docker.io brings it)", program, strerror(errno));
}
