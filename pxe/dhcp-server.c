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
		.started = "started, version",
		.capabilities = 1U << CAP_NET_BIND_SERVICE | 1U << CAP_NET_ADMIN |
				1U << CAP_NET_RAW,
		.child = offsetof(struct serve, dnsmasq),
		.argv = serve_dnsmasq_argv,
		.can_reload = serve_dnsmasq_can_reload,
		.reload = serve_dnsmasq_reload,
	},
	{
		.name = "kea",
		.program = "kea-dhcp4",
		.package = "kea-dhcp4-server",
		.needs_interface = true,
		.conf = TREE_KEA_CONF,
		.started = " DHCP4_STARTED ",
		.capabilities = 1U << CAP_NET_BIND_SERVICE | 1U << CAP_NET_RAW,
		.child = offsetof(struct serve, kea),
		.argv = serve_kea_argv,
		.env = serve_kea_env,
		.prepare = serve_kea_prepare,
		.can_reload = serve_kea_can_reload,
		.reload = serve_kea_reload,
	},
	{.name = NULL},
};

const char *dhcp_server_name(size_t i)
{
	return dhcp_servers[i].name;
}

const struct dhcp_server *dhcp_server_find(const char *name)
{
	for (const struct dhcp_server *d = dhcp_servers; d->name; d++)
		if (streq(d->name, name))
			return d;
	return NULL;
}
