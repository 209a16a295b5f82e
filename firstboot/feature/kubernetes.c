/* SPDX-License-Identifier: Apache-2.0 */
/* The kubelet registers its node with the API server only when it starts. */
#include "firstboot/feature.h"
#include "firstboot/http.h"

#define API_PORT 8080

/* Returns the node's name, the kubelet's --hostname_override. */
static char *node_name(const struct host *h)
{
	char self[NET_ADDR_LEN];

	return xstrdup(net_format_addr(h->address.addr, self));
}

static char *api_server(const struct host *h)
{
	const struct hostport at = {.addr = h->f.kubernetes.master, .port = API_PORT};
	char text[NET_HOSTPORT_LEN];

	return xstrdup(net_format_hostport(at, text));
}

static enum registration_state node_look(const struct host *h)
{
	_cleanup_free_ char *nodes = NULL, *node = NULL, *name = node_name(h),
			    *server = api_server(h);
	unsigned status;
	struct err e;

	nodes = xasprintf("http://%s/api/v1/nodes", server);
	node = xasprintf("%s/%s", nodes, name);
	if (http_get(node, &status, NULL, &e) < 0)
		return REGISTRATION_UNKNOWN;
	if (status == 200)
		return REGISTRATION_PRESENT;
	/* A server that is starting answers 404 to every request. */
	if (status == 404 && http_get(nodes, &status, NULL, &e) == 0 && status == 200)
		return REGISTRATION_ABSENT;
	return REGISTRATION_UNKNOWN;
}

static const struct registration registration = {"kubelet",        "kube-kubelet.service",
						 "the API server", node_name,
						 api_server,       node_look};

const struct feature_code code_kubernetes = {
	.id = FEATURE_KUBERNETES,
	.registration = &registration,
};
