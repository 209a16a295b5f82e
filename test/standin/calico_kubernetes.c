/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for the Calico plugin of the kubelet (calico_kubernetes 0.4.8): `init`, `setup
 * NAMESPACE POD CONTAINER`, `teardown NAMESPACE POD CONTAINER`. It requires what the
 * original requires from the kubelet's environment and from the host, and reports what is
 * missing. It gives no pod an interface (the stand-in kubelet runs none).
 *
 * RACKSTRAP_STANDIN_PLUGIN_S is the duration of `init` in seconds, 0 by default. The
 * original unpacks itself and loads Python, which takes half a minute on a slow machine.
 */
#include "lib/file.h"
#include "lib/net.h"
#include "lib/rtnl.h"
#include "lib/run.h"
#include "test/standin/common/api.h"
#include "test/standin/common/docker.h"
#include "test/standin/common/onefile.h"
#include "test/standin/common/standin.h"

#define TOKEN_FILE "/var/lib/kubelet/kubernetes_auth"

static const struct standin standin = {.name = "calico_kubernetes", .version = "v0.4.8"};

struct plugin {
	const char *calicoctl, *etcd_authority, *api_root;
	struct http_target api, docker;
	char *api_path; /* "/api/v1/" */
};

static const char *env(const char *name, const char *fallback)
{
	const char *v = getenv(name);

	return v && *v ? v : fallback;
}

/* Reads the environment and checks CALICOCTL_PATH; the original does this when it is
 * loaded, before it reads its arguments. */
static int load(struct plugin *p, struct err *e)
{
	p->calicoctl = env("CALICOCTL_PATH", "/home/vagrant/calicoctl");
	p->etcd_authority = env("ETCD_AUTHORITY", "kubernetes-master:6666");
	p->api_root = env("KUBE_API_ROOT", "https://kubernetes-master:443/api/v1/");
	if (access(p->calicoctl, X_OK) < 0)
		return err_errno(e, errno, "CALICOCTL_PATH=%s", p->calicoctl);
	return 0;
}

static int split_api_root(struct plugin *p, struct err *e)
{
	const char *rest = str_after(p->api_root, "http://");
	const char *slash = rest ? strchr(rest, '/') : NULL;
	_cleanup_free_ char *server = NULL;

	if (!str_ends(p->api_root, "/"))
		return err_set(e, ERR_FAILED, "KUBE_API_ROOT=%s: must end with a slash",
			       p->api_root);
	if (!slash)
		return err_set(e, ERR_FAILED,
			       "KUBE_API_ROOT=%s: must be http://IP:PORT/api/v1/",
			       p->api_root);
	server = xstrndup(p->api_root, (size_t)(slash - p->api_root));
	p->api_path = xstrdup(slash);
	return http_target_parse(server, 80, &p->api, e);
}

static int check_token(struct err *e)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_json_t_ json_t *auth = NULL;
	int r = file_read_at(AT_FDCWD, TOKEN_FILE, 65536, &text, NULL);

	if (r < 0)
		return err_errno(e, r, TOKEN_FILE);
	auth = json_loads(text, 0, NULL);
	if (!json_is_string(json_object_get(auth, "BearerToken")))
		return err_set(e, ERR_FAILED, TOKEN_FILE ": no BearerToken");
	return 0;
}

/* Checks that there is a default route: the original finds the node's address by the
 * route to 8.8.8.8. */
static int check_route(struct err *e)
{
	_cleanup_rtnl_ struct rtnl nl = {.fd = -1};
	int r = rtnl_open(&nl);

	if (r == 0)
		r = rtnl_have_default_route(&nl);
	if (r < 0)
		return err_errno(e, r, "rtnetlink");
	return r ? 0 : err_set(e, ERR_FAILED, "Network is unreachable: no default route");
}

static int check_container(struct plugin *p, const char *id, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("/containers/%s/json", id);
	_cleanup_json_t_ json_t *answer = NULL;
	int status;

	if (docker_target_parse("unix://" DOCKER_SOCKET, &p->docker, e) < 0)
		return -1;
	status = docker_call(&p->docker, "GET", path, NULL, &answer, e);
	if (status < 0)
		return -1;
	return status == 200 ? 0
			     : err_set(e, ERR_FAILED, "Container %s was not found.", id);
}

static int check_pod(struct plugin *p, const char *namespace, const char *pod,
		     struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%spods", p->api_path);
	_cleanup_json_t_ json_t *list = NULL;
	const json_t *items, *item;
	int status = api_call(&p->api, "GET", path, NULL, &list, e);
	size_t i;

	if (status < 0)
		return -1;
	items = json_object_get(list, "items");
	json_array_foreach(items, i, item)
	{
		const json_t *m = json_object_get(item, "metadata");
		const char *ns = json_string_value(json_object_get(m, "namespace"));

		if (ns && streq(ns, namespace) && streq(api_node_name(item), pod))
			return 0;
	}
	return err_set(e, ERR_FAILED, "Pod %s/%s: not in the API (status %d)", namespace,
		       pod, status);
}

static int set_up(struct plugin *p, char **argv, struct err *e)
{
	if (split_api_root(p, e) < 0 || check_token(e) < 0 || check_route(e) < 0 ||
	    check_container(p, argv[4], e) < 0 || check_pod(p, argv[2], argv[3], e) < 0)
		return -1;
	printf("pod %s/%s: everything is there that an interface needs\n", argv[2],
	       argv[3]);
	return 0;
}

static int init(struct err *e)
{
	uint64_t seconds;

	if (standin_number("RACKSTRAP_STANDIN_PLUGIN_S", STANDIN_SECONDS_MAX, &seconds,
			   e) < 0)
		return -1;
	fflush(stdout);
	pause_ms(seconds * 1000);
	puts("No initialization work to perform");
	return 0;
}

int main(int argc, char **argv)
{
	struct plugin p = {0};
	struct err e;
	char banner[128];
	const char *mode = argc > 1 ? argv[1] : "";
	int r;

	onefile_unpack();
	standin_banner(&standin, banner, sizeof(banner));
	puts(banner);
	if (streq(mode, "--version"))
		return 0;
	r = load(&p, &e);
	if (r == 0 && streq(mode, "init"))
		r = init(&e);
	else if (r == 0 && streq(mode, "setup") && argc == 5)
		r = set_up(&p, argv, &e);
	else if (r == 0 && streq(mode, "teardown") && argc == 5)
		printf("pod %s/%s is gone\n", argv[2], argv[3]);
	else if (r == 0)
		r = err_set(
			&e, ERR_FAILED,
			"usage: calico init | setup|teardown NAMESPACE POD CONTAINER");
	fflush(stdout);
	if (r < 0)
		fprintf(stderr, "%s\n", e.msg);
	free(p.api_path);
	return r < 0 ? 1 : 0;
}
