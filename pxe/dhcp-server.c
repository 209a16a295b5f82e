/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/dhcp-server.h"

#include "pxe/serve-parts.h"

#include <linux/capability.h>

const struct dhcp_server dhcp_servers[] = {
	{
		.name = "dnsmasq",
		.program = "dnsmasq",
		.package = "dnsmasq-base",
		.conf = TREE_DNSMASQ_CONF,
		.hosts = TREE_DNSMASQ_HOSTS,
		.test = "--test",
		.started = "started, version",
		.capabilities = 1U << CAP_NET_BIND_SERVICE | 1U << CAP_NET_ADMIN |
				1U << CAP_NET_RAW,
		.child = offsetof(struct serve, dnsmasq),
		.argv = serve_dnsmasq_argv,
		.can_reload = serve_dnsmasq_can_reload,
		.reload = serve_dnsmasq_reload,
	},
	{.name = NULL},
};
