/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for kube-proxy 0.20.2: its flags, its port, its need of a default route, the
 * iptables chains of its userspace proxy, and its requests to the API server for services
 * and endpoints. It opens no proxy port and writes no rule for a service.
 */
#include "lib/net.h"
#include "lib/rtnl.h"
#include "lib/run.h"
#include "test/standin/common/api.h"
#include "test/standin/common/lists.h"
#include "test/standin/common/server.h"
#include "test/standin/common/standin.h"

#define RETRY_MS 1000u
#define LIST_MS  10000u

static const struct standin standin = {.name = "kube-proxy",
				       .version = "v0.20.2",
				       .list = list_kube_proxy,
				       .style = FLAGS_PFLAG,
				       .exit_usage = 2};

/* A rule that sends packets to one of the proxy's chains. */
struct jump {
	const char *chain, *from, *comment;
	bool local; /* only packets to an address of this host */
};

static const struct jump jumps[] = {
	{"KUBE-PORTALS-CONTAINER", "PREROUTING",
	 "handle ClusterIPs; NOTE: this must be before the NodePort rules", false},
	{"KUBE-PORTALS-HOST", "OUTPUT",
	 "handle ClusterIPs; NOTE: this must be before the NodePort rules", false},
	{"KUBE-NODEPORT-CONTAINER", "PREROUTING",
	 "handle service NodePorts; NOTE: this must be the last rule in the chain", true},
	{"KUBE-NODEPORT-HOST", "OUTPUT",
	 "handle service NodePorts; NOTE: this must be the last rule in the chain", true},
};

static int iptables(const char *const *args, struct err *e)
{
	const char *argv[24] = {"iptables", "-w", "-t", "nat"};
	size_t n = 4;

	while (*args && n < ARRAY_SIZE(argv) - 1)
		argv[n++] = *args++;
	return run(&(struct run){.argv = argv, .timeout_ms = 30000, .out = -1, .err = -1},
		   e);
}

/* Creates or empties the chain, and adds the rule if it is absent, in the original's
 * order. */
static int ensure_jump(const struct jump *j, struct err *e)
{
	const char *rule[16] = {NULL, j->from, "-m", "comment", "--comment", j->comment};
	size_t n = 6;

	if (j->local) {
		const char *const local[] = {"-m", "addrtype", "--dst-type", "LOCAL"};

		memcpy(rule + n, local, sizeof(local));
		n += ARRAY_SIZE(local);
	}
	rule[n++] = "-j";
	rule[n] = j->chain;
	if (iptables((const char *[]){"-N", j->chain, NULL}, e) < 0 &&
	    iptables((const char *[]){"-F", j->chain, NULL}, e) < 0)
		return -1;
	rule[0] = "-C";
	if (iptables(rule, e) == 0)
		return 0;
	rule[0] = j->local ? "-A" : "-I";
	return iptables(rule, e);
}

static void check_route(const struct flags *flags)
{
	_cleanup_rtnl_ struct rtnl nl = {.fd = -1};
	const char *bind = flags_str(flags, "bind-address", "0.0.0.0");
	int r = rtnl_open(&nl);

	if (!streq(bind, "0.0.0.0"))
		return;
	if (r == 0)
		r = rtnl_have_default_route(&nl);
	if (r < 0)
		klog_fatal("rtnetlink: %s", strerror(-r));
	if (r == 0)
		klog_fatal("Unable to create proxer: failed to select a host interface: "
			   "Unable to select an IP.");
}

static bool list(const struct http_target *api, const char *what, const char *path)
{
	_cleanup_json_t_ json_t *answer = NULL;
	struct err e = {0};
	int status = api_call(api, "GET", path, NULL, &answer, &e);

	if (status == 200)
		return true;
	klog_error("Unable to load %s: %s", what,
		   status < 0 ? e.msg : api_message(answer));
	return false;
}

int main(int argc, char **argv)
{
	static struct http_server server;
	struct http_target api;
	struct flags flags;
	struct err e;
	bool told = false;
	uint32_t addr;
	uint16_t port;
	int r;

	standin_start(&standin, argc, argv, &flags);
	api_master(&flags, &api);
	check_route(&flags);
	for (size_t i = 0; i < ARRAY_SIZE(jumps); i++)
		if (ensure_jump(&jumps[i], &e) < 0)
			klog_fatal("Unable to create proxer: failed to initialize "
				   "iptables: %s",
				   e.msg);
	http_server_init(&server);
	port = (uint16_t)flags_u64(&flags, "healthz-port", 10249);
	if (net_parse_addr(flags_str(&flags, "healthz-bind-address", "127.0.0.1"),
			   &addr) < 0)
		klog_fatal("--healthz-bind-address: the stand-in listens on IPv4 only");
	r = port ? http_server_listen(&server, addr, port, http_healthz, NULL) : 0;
	if (r < 0)
		klog_fatal("listen tcp :%u: %s", port, strerror(-r));
	for (;;) {
		bool ok = list(&api, "services", "/api/v1/services") &&
			  list(&api, "endpoints", "/api/v1/endpoints");

		if (ok && !told)
			klog_info("the API server answers; services are loaded");
		told = ok;
		http_server_run(&server, clock_ms() + (ok ? LIST_MS : RETRY_MS));
	}
}
