/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for kube-scheduler 0.20.2: its flags, its port, and its need of the API
 * server, from which it repeatedly lists the nodes and unbound pods. It binds no pod.
 */
#include "lib/net.h"
#include "test/standin/common/api.h"
#include "test/standin/common/lists.h"
#include "test/standin/common/server.h"
#include "test/standin/common/standin.h"

#define RETRY_MS 1000u
#define LIST_MS  10000u

static const struct standin standin = {.name = "kube-scheduler",
				       .version = "v0.20.2",
				       .list = list_kube_scheduler,
				       .style = FLAGS_PFLAG,
				       .exit_usage = 2};

/* Sets *n to the number of objects. Returns 0, or -1 after logging the error. */
static int list(const struct http_target *api, const char *kind, const char *path,
		size_t *n)
{
	_cleanup_json_t_ json_t *answer = NULL;
	struct err e = {0};
	int status = api_call(api, "GET", path, NULL, &answer, &e);

	if (status == 200) {
		*n = json_array_size(json_object_get(answer, "items"));
		return 0;
	}
	klog_error("Failed to list *api.%s: %s", kind,
		   status < 0 ? e.msg : api_message(answer));
	return -1;
}

int main(int argc, char **argv)
{
	static struct http_server server;
	struct http_target api;
	struct flags flags;
	size_t nodes = 0, pods = 0, logged = SIZE_MAX;
	uint32_t addr;
	uint16_t port;
	int r;

	standin_start(&standin, argc, argv, &flags);
	api_master(&flags, &api);
	if (net_parse_addr(flags_str(&flags, "address", "127.0.0.1"), &addr) < 0)
		klog_fatal("--address: the stand-in listens on IPv4 only");
	port = (uint16_t)flags_u64(&flags, "port", 10251);
	http_server_init(&server);
	r = http_server_listen(&server, addr, port, http_healthz, NULL);
	if (r < 0)
		klog_fatal("listen tcp :%u: %s", port, strerror(-r));

	for (;;) {
		bool ok = list(&api, "Node", "/api/v1/nodes", &nodes) == 0 &&
			  list(&api, "Pod", "/api/v1/pods", &pods) == 0;

		if (ok && nodes != logged)
			klog_info("%zu nodes, %zu pods", logged = nodes, pods);
		http_server_run(&server, clock_ms() + (ok ? LIST_MS : RETRY_MS));
	}
}
