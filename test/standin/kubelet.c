/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for kubelet 0.20.2: its flags, its ports, what it requires of its host (cgroup
 * v1, Docker, the network plugin) and its requests to the API server: it registers its
 * node once, when it starts, and posts the node's status every 10 s. If the API server
 * loses the node, the kubelet does not register it again. Unlike the original, it also
 * requires that Docker's bridge is cbr0, since that makes pods reachable in the guide.
 *
 * Its start takes as long as the original's where that depends on the host: the plugin's
 * `init` has no time limit, and then the cloud provider's credentials are looked up, by
 * three lookups of a name that only Google's machines have. The ports open after that.
 *
 * It runs no pods. The ports 10250 (TLS in the original) and 4194 serve only a few paths.
 *
 * RACKSTRAP_STANDIN_KUBELET_S adds that many seconds to its start; the plugin, which
 * inherits its environment, has a variable of its own. For tests,
 * RACKSTRAP_STANDIN_LOOKUP_PAUSE_MS sets another pause between two lookups.
 */
#include "lib/file.h"
#include "lib/net.h"
#include "lib/rtnl.h"
#include "lib/run.h"
#include "test/standin/common/api.h"
#include "test/standin/common/cgroup.h"
#include "test/standin/common/docker.h"
#include "test/standin/common/lists.h"
#include "test/standin/common/node.h"
#include "test/standin/common/resolver.h"
#include "test/standin/common/server.h"
#include "test/standin/common/standin.h"

#define PLUGIN_DIR       "/usr/libexec/kubernetes/kubelet-plugins/net/exec"
#define DOCKER_WAIT_MS   300000u
#define BRIDGE           "cbr0"
#define STATUS_RETRIES   5
#define REGISTER_STEP_MS 7000u
#define METADATA_HOST    "metadata.google.internal"
#define METADATA_LOOKUPS 3
#define LOOKUP_PAUSE_MS  2000u /* rest of the start without a name server */
#define RESOLV_CONF      "/etc/resolv.conf"
#define RESOLV_CONF_MAX  65536

static const struct standin standin = {.name = "kubelet",
				       .version = "v0.20.2",
				       .list = list_kubelet,
				       .style = FLAGS_PFLAG,
				       .exit_usage = 2};

struct kubelet {
	struct flags flags;
	struct http_server server;
	struct http_target api, docker;
	bool have_api;
	struct node_facts facts;
};

/* --- requirements on the host ------------------------------------------------------ */

/* Exits as the original does without cgroup v1: its cAdvisor does not know v2. */
static void check_cgroups(void)
{
	if (cgroup_v1_mounted("cpu"))
		return;
	klog_error("mountpoint for cpu not found");
	exit(1);
}

static void wait_for_docker(struct kubelet *k)
{
	uint64_t give_up = clock_ms() + DOCKER_WAIT_MS;
	const char *endpoint = flags_str(&k->flags, "docker-endpoint", "");
	struct err e;

	if (docker_target_parse(*endpoint ? endpoint : "unix://" DOCKER_SOCKET,
				&k->docker, &e) < 0)
		klog_fatal("Couldn't connect to docker: %s", e.msg);
	for (;;) {
		char *version = NULL;

		if (docker_api_version(&k->docker, &version, &e) >= 0) {
			k->facts.docker_version = version ? version : "";
			return;
		}
		if (clock_ms() >= give_up)
			klog_fatal("Container runtime doesn't seem to be up: %s", e.msg);
		klog_error("waiting for docker: %s", e.msg);
		pause_ms(2000);
	}
}

/* Logs an error when pidof finds no Docker daemon: the original finds it that way, to
 * move it into a cgroup of its own. */
static void look_for_dockerd(void)
{
	static const char *const names[] = {"docker", "dockerd"};
	_cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct err e;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *const argv[] = {"pidof", names[i], NULL};

		if (run(&(struct run){.argv = argv,
				      .timeout_ms = 5000,
				      .out = null,
				      .err = -1},
			&e) == 0)
			return;
	}
	klog_error("failed to find pid of Docker container: %s", e.msg);
}

static void check_bridge(const struct kubelet *k)
{
	_cleanup_rtnl_ struct rtnl nl = {.fd = -1};
	_cleanup_json_t_ json_t *answer = NULL;
	_cleanup_free_ struct cidr *addrs = NULL;
	struct rtnl_link link;
	size_t n = 0;
	struct err e;
	const char *bridge;
	int status, r;

	status = docker_call(&k->docker, "GET", "/networks/bridge", NULL, &answer, &e);
	if (status != 200)
		klog_fatal("Docker's bridge: %s",
			   status < 0 ? e.msg : docker_message(answer));
	bridge = json_string_value(json_object_get(json_object_get(answer, "Options"),
						   "com.docker.network.bridge.name"));
	if (!bridge || !streq(bridge, BRIDGE))
		klog_fatal("Docker's bridge is %s and not %s: its option --bridge=%s is "
			   "missing",
			   bridge ? bridge : "unknown", BRIDGE, BRIDGE);
	r = rtnl_open(&nl);
	if (r == 0)
		r = rtnl_link_get(&nl, BRIDGE, &link);
	if (r == 0)
		r = rtnl_addr_list(&nl, link.index, &addrs, &n);
	if (r < 0)
		klog_fatal("%s: %s", BRIDGE, strerror(-r));
	if (n == 0)
		klog_fatal("%s has no IPv4 address", BRIDGE);
}

static void start_network_plugin(const struct kubelet *k)
{
	const char *name = flags_str(&k->flags, "network-plugin", "");
	_cleanup_free_ char *path = xasprintf("%s/%s/%s", PLUGIN_DIR, name, name);
	const char *const argv[] = {path, "init", NULL};
	struct err e;

	if (!*name)
		return;
	if (access(path, X_OK) < 0)
		klog_fatal("failed to create kubelet: Network plugin \"%s\" not found.",
			   name);
	if (run(&(struct run){.argv = argv, .out = 2, .err = -1}, &e) < 0)
		klog_fatal(
			"failed to create kubelet: Network plugin \"%s\" failed init: %s",
			name, e.msg);
	klog_info("network plugin %s: init done", name);
}

/* --- duration of the start --------------------------------------------------------- */

static uint64_t environment_number(const char *variable, uint64_t max)
{
	uint64_t n;
	struct err e;

	if (standin_number(variable, max, &n, &e) < 0)
		klog_fatal("%s", e.msg);
	return n;
}

/* Looks METADATA_HOST up and logs the result. The original does this for each of the
 * three kinds of credentials that Google's machines may have. */
static void lookup_metadata(const struct resolver *r, int n)
{
	uint64_t start = clock_ms(), ms;
	enum resolver_result result = resolver_lookup(r, METADATA_HOST);

	ms = clock_ms() - start;
	klog_info("lookup %s (%d of %d): %s after %u.%u s", METADATA_HOST, n,
		  METADATA_LOOKUPS, resolver_strresult(result), (unsigned)(ms / 1000),
		  (unsigned)(ms % 1000 / 100));
}

static void look_for_credentials(void)
{
	uint64_t pause = LOOKUP_PAUSE_MS;
	_cleanup_free_ char *text = NULL;
	struct resolver resolver;
	char host[256] = "";

	if (getenv("RACKSTRAP_STANDIN_LOOKUP_PAUSE_MS"))
		pause = environment_number("RACKSTRAP_STANDIN_LOOKUP_PAUSE_MS", 60000);
	gethostname(host, sizeof(host) - 1);
	if (file_read_at(AT_FDCWD, RESOLV_CONF, RESOLV_CONF_MAX, &text, NULL) < 0)
		text = NULL;
	resolver_parse(&resolver, text, host);
	klog_info("%zu name server(s), up to %u s for a name when silent",
		  resolver.n_servers, resolver_silence_s(&resolver));
	for (int i = 1; i <= METADATA_LOOKUPS; i++) {
		lookup_metadata(&resolver, i);
		if (i < METADATA_LOOKUPS)
			pause_ms(pause);
	}
	resolver_done(&resolver);
}

/* Logs an error when resolv.conf is missing. The original opens it for each container of
 * a pod, and its node is Ready even without it. */
static void check_resolv_conf(void)
{
	_cleanup_close_ int fd = open(RESOLV_CONF, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		klog_error("Error syncing pods, skipping: open " RESOLV_CONF ": %s "
			   "(the original starts no container now)",
			   errno == ENOENT ? "no such file or directory"
					   : strerror(errno));
}

static void start_slowly(uint64_t seconds)
{
	look_for_credentials();
	if (seconds) {
		klog_info("RACKSTRAP_STANDIN_KUBELET_S: %llu s more",
			  (unsigned long long)seconds);
		pause_ms(seconds * 1000);
	}
	check_resolv_conf();
}

/* --- ports ------------------------------------------------------------------------- */

static void serve_node(void *data, const struct http_in *in, struct http_out *out)
{
	const struct kubelet *k = data;
	struct err e;

	if (streq(in->path, "/healthz") && docker_api_version(&k->docker, NULL, &e) < 0) {
		out->status = 500;
		buf_printf(&out->body, "docker: %s\n", e.msg);
	} else if (streq(in->path, "/pods")) {
		buf_puts(&out->body, "{\"kind\": \"PodList\", \"apiVersion\": \"v1\", "
				     "\"metadata\": {}, \"items\": []}\n");
	} else {
		http_healthz(NULL, in, out);
	}
}

static void listen_on(struct kubelet *k, const char *bind, uint16_t port,
		      http_handler handler)
{
	uint32_t addr;
	int r;

	if (!port)
		return;
	if (net_parse_addr(bind, &addr) < 0)
		klog_fatal("%s: the stand-in listens on IPv4 only", bind);
	r = http_server_listen(&k->server, addr, port, handler, k);
	if (r < 0)
		klog_fatal("listen tcp %s:%u: %s", bind, port, strerror(-r));
}

static void open_ports(struct kubelet *k)
{
	const char *address = flags_str(&k->flags, "address", "0.0.0.0");

	http_server_init(&k->server);
	listen_on(k, flags_str(&k->flags, "healthz-bind-address", "127.0.0.1"),
		  (uint16_t)flags_u64(&k->flags, "healthz-port", 10248), http_healthz);
	if (flags_bool(&k->flags, "enable-server", true))
		listen_on(k, address, (uint16_t)flags_u64(&k->flags, "port", 10250),
			  serve_node);
	listen_on(k, address, (uint16_t)flags_u64(&k->flags, "read-only-port", 10255),
		  serve_node);
	listen_on(k, "0.0.0.0", (uint16_t)flags_u64(&k->flags, "cadvisor-port", 4194),
		  http_healthz);
}

/* --- requests to the API server ---------------------------------------------------- */

static const char *why_not_ready(const struct kubelet *k)
{
	struct err e;

	return docker_api_version(&k->docker, NULL, &e) < 0 ? "container runtime is down"
							    : NULL;
}

/* Tries to register the node once. Returns whether it is registered. */
static bool register_once(struct kubelet *k)
{
	_cleanup_json_t_ json_t *node = node_make(&k->facts), *answer = NULL,
				*current = NULL;
	_cleanup_free_ char *path = xasprintf("/api/v1/nodes/%s", k->facts.name);
	struct err e = {0};
	const char *id;
	int status;

	klog_info("Attempting to register node %s", k->facts.name);
	node_set_status(node, &k->facts, why_not_ready(k));
	status = api_call(&k->api, "POST", "/api/v1/nodes", node, &answer, &e);
	if (status == 201) {
		klog_info("Successfully registered node %s", k->facts.name);
		return true;
	}
	if (status != 409) {
		klog_info("Unable to register %s with the apiserver: %s", k->facts.name,
			  status < 0 ? e.msg : api_message(answer));
		return false;
	}
	status = api_call(&k->api, "GET", path, NULL, &current, &e);
	if (status != 200) {
		klog_error("error getting node \"%s\": %s", k->facts.name,
			   status < 0 ? e.msg : api_message(current));
		return false;
	}
	id = json_string_value(
		json_object_get(json_object_get(current, "spec"), "externalID"));
	if (id && streq(id, k->facts.name)) {
		klog_info("Node %s was previously registered", k->facts.name);
		return true;
	}
	klog_error("Previously \"%s\" had externalID \"%s\"; now it is \"%s\"; will "
		   "delete and "
		   "recreate.",
		   k->facts.name, id ? id : "", k->facts.name);
	json_decref(answer);
	answer = NULL;
	if (api_call(&k->api, "DELETE", path, NULL, &answer, &e) != 200)
		klog_error("Unable to delete old node: %s", e.msg);
	return false;
}

static void register_node(struct kubelet *k)
{
	uint64_t step = 100;

	if (!flags_bool(&k->flags, "register-node", true))
		return;
	do {
		http_server_run(&k->server, clock_ms() + step);
		step = step * 2 < REGISTER_STEP_MS ? step * 2 : REGISTER_STEP_MS;
	} while (!register_once(k));
}

static int update_status(struct kubelet *k, struct err *e)
{
	_cleanup_json_t_ json_t *node = NULL, *answer = NULL;
	_cleanup_free_ char *path = xasprintf("/api/v1/nodes/%s", k->facts.name);
	_cleanup_free_ char *status_path = xasprintf("%s/status", path);
	int status = api_call(&k->api, "GET", path, NULL, &node, e);

	if (status < 0)
		return err_wrap(e, "error getting node \"%s\"", k->facts.name);
	if (status != 200)
		return err_set(e, ERR_FAILED, "error getting node \"%s\": %s",
			       k->facts.name, api_message(node));
	node_set_status(node, &k->facts, why_not_ready(k));
	status = api_call(&k->api, "PUT", status_path, node, &answer, e);
	if (status < 0)
		return -1;
	return status == 200 ? 0 : err_set(e, ERR_FAILED, "%s", api_message(answer));
}

static void post_status(struct kubelet *k)
{
	struct err e;

	for (int i = 0; i < STATUS_RETRIES; i++) {
		if (update_status(k, &e) == 0)
			return;
		klog_error("Error updating node status, will retry: %s", e.msg);
	}
	klog_error(
		"Unable to update node status: update node status exceeds retry count");
}

/* --- start ------------------------------------------------------------------------- */

static void apply_flags(struct kubelet *k)
{
	static char host[256];
	const char *servers = flags_str(&k->flags, "api-servers", "");
	const char *config = flags_str(&k->flags, "config", "");
	_cleanup_strv_ char **list = strv_split(servers, ",");
	struct err e;

	gethostname(host, sizeof(host) - 1);
	k->facts.name = flags_str(&k->flags, "hostname-override", "");
	if (!*k->facts.name)
		k->facts.name = host;
	k->facts.max_pods = flags_u64(&k->flags, "max-pods", 40);
	k->facts.kubelet_version = "v0.20.2-standin";
	k->have_api = list != NULL;
	if (k->have_api && http_target_parse(list[0], 80, &k->api, &e) < 0)
		klog_fatal("--api-servers: %s", e.msg);
	if (!k->have_api)
		klog_warning("No API client: no api servers specified");
	if (*config && access(config, F_OK) < 0)
		klog_error("Unable to read config path \"%s\": path does not exist, "
			   "ignoring",
			   config);
}

int main(int argc, char **argv)
{
	static struct kubelet k;
	uint64_t period, next, slow;

	standin_start(&standin, argc, argv, &k.flags);
	slow = environment_number("RACKSTRAP_STANDIN_KUBELET_S", STANDIN_SECONDS_MAX);
	apply_flags(&k);
	check_cgroups();
	wait_for_docker(&k);
	look_for_dockerd();
	check_bridge(&k);
	start_network_plugin(&k);
	start_slowly(slow);
	open_ports(&k);
	if (k.have_api)
		register_node(&k);
	period = flags_ms(&k.flags, "node-status-update-frequency", 10000);
	for (next = clock_ms();; next = clock_ms() + period) {
		http_server_run(&k.server, next);
		if (k.have_api)
			post_status(&k);
	}
}
