/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings about a rack that is right. */
#include "lib/log.h"
#include "pxe/rack.h"

static void warn_boot_server(const struct rack *r)
{
	char addr[NET_ADDR_LEN];

	if (r->network.prefix && !net_contains(r->network, r->boot_server))
		log_warn("%s: boot_server %s is outside every host's network: a DHCP "
			 "relay is needed",
			 r->file, net_format_addr(r->boot_server, addr));
}

void rack_warn(const struct rack *r)
{
	rack_warn_secrets(r);
	warn_boot_server(r);
	rack_warn_keys(r);
}

void rack_warn_keys(const struct rack *r)
{
	size_t without = 0, first = 0;
	char where[512];

	for (size_t i = 0; i < r->n_hosts; i++)
		if (strv_len(r->hosts[i].host.ssh_keys) == 0 && without++ == 0)
			first = i;
	if (without == 0)
		return;
	if (without == r->n_hosts)
		log_warn("%s: no host has ssh_keys: nobody will be able to log in",
			 r->file);
	else
		log_warn("%s: host '%s'%s no ssh_keys: nobody will be able to log in "
			 "there",
			 rack_host_where(&r->hosts[first], where, sizeof(where)),
			 r->hosts[first].host.name,
			 without > 1 ? " and others have" : " has");
}
