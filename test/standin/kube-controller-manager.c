/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for kube-controller-manager 0.20.2: its flags, its port, and the one of its
 * controllers that a rack needs: a node that has not posted its status for
 * --node-monitor-grace-period (40 s) is no longer Ready. As in the original, only this
 * program's clock counts: the time since it last saw the node's heartbeat change.
 */
#include "lib/net.h"
#include "test/standin/common/api.h"
#include "test/standin/common/lists.h"
#include "test/standin/common/server.h"
#include "test/standin/common/standin.h"

static const struct standin standin = {.name = "kube-controller-manager",
				       .version = "v0.20.2",
				       .list = list_kube_controller_manager,
				       .style = FLAGS_PFLAG,
				       .exit_usage = 2};

struct seen { /* the last known state of a node */
	char *name, *heartbeat;
	uint64_t changed; /* when the heartbeat last changed (clock_ms) */
	bool present;
};

struct monitor {
	struct http_target api;
	struct seen *v;
	size_t n;
	uint64_t grace_ms;
};

static struct seen *seen_find(struct monitor *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (streq(m->v[i].name, name))
			return &m->v[i];
	m->v = xrealloc(m->v, (m->n + 1) * sizeof(*m->v));
	m->v[m->n] = (struct seen){
		.name = xstrdup(name), .heartbeat = xstrdup(""), .changed = clock_ms()};
	return &m->v[m->n++];
}

static void forget_absent(struct monitor *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n; i++) {
		if (m->v[i].present) {
			m->v[kept++] = m->v[i];
			continue;
		}
		klog_info("node %s is gone", m->v[i].name);
		free(m->v[i].name);
		free(m->v[i].heartbeat);
	}
	m->n = kept;
}

static void set_str(json_t *object, const char *key, const char *value)
{
	json_object_set_new(object, key, json_string(value));
}

static void mark_unknown(const struct monitor *m, json_t *node, json_t *ready)
{
	_cleanup_free_ char *path =
		xasprintf("/api/v1/nodes/%s/status", api_node_name(node));
	_cleanup_json_t_ json_t *answer = NULL;
	struct err e = {0};
	char now[TIME_LEN];
	int status;

	set_str(ready, "status", "Unknown");
	set_str(ready, "reason", "Kubelet stopped posting node status.");
	set_str(ready, "lastTransitionTime", now_rfc3339(now));
	status = api_call(&m->api, "PUT", path, node, &answer, &e);
	if (status != 200)
		klog_error("Error updating node %s: %s", api_node_name(node),
			   status < 0 ? e.msg : api_message(answer));
	else
		klog_info("node %s: no status for %llu s, it is NotReady now",
			  api_node_name(node), (unsigned long long)m->grace_ms / 1000);
}

static void check_node(struct monitor *m, json_t *node)
{
	struct seen *s = seen_find(m, api_node_name(node));
	json_t *ready = api_node_ready(node);
	const char *heartbeat =
		json_string_value(json_object_get(ready, "lastHeartbeatTime"));
	const char *status = json_string_value(json_object_get(ready, "status"));

	s->present = true;
	if (heartbeat && !streq(heartbeat, s->heartbeat)) {
		free(s->heartbeat);
		s->heartbeat = xstrdup(heartbeat);
		s->changed = clock_ms();
	}
	if (status && !streq(status, "Unknown") && clock_ms() - s->changed > m->grace_ms)
		mark_unknown(m, node, ready);
}

static void monitor_once(struct monitor *m)
{
	_cleanup_json_t_ json_t *list = NULL;
	json_t *items, *node;
	struct err e = {0};
	int status = api_call(&m->api, "GET", "/api/v1/nodes", NULL, &list, &e);
	size_t i;

	if (status != 200) {
		klog_error("Error monitoring node status: %s",
			   status < 0 ? e.msg : api_message(list));
		return;
	}
	for (i = 0; i < m->n; i++)
		m->v[i].present = false;
	items = json_object_get(list, "items");
	json_array_foreach(items, i, node) check_node(m, node);
	forget_absent(m);
}

int main(int argc, char **argv)
{
	static struct http_server server;
	struct monitor m = {0};
	struct flags flags;
	uint64_t period;
	uint32_t addr;
	uint16_t port;
	int r;

	standin_start(&standin, argc, argv, &flags);
	api_master(&flags, &m.api);
	m.grace_ms = flags_ms(&flags, "node-monitor-grace-period", 40000);
	period = flags_ms(&flags, "node-monitor-period", 5000);
	if (net_parse_addr(flags_str(&flags, "address", "127.0.0.1"), &addr) < 0)
		klog_fatal("--address: the stand-in listens on IPv4 only");
	port = (uint16_t)flags_u64(&flags, "port", 10252);
	http_server_init(&server);
	r = http_server_listen(&server, addr, port, http_healthz, NULL);
	if (r < 0)
		klog_fatal("listen tcp :%u: %s", port, strerror(-r));
	for (;;) {
		monitor_once(&m);
		http_server_run(&server, clock_ms() + period);
	}
}
