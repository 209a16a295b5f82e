/* SPDX-License-Identifier: Apache-2.0 */
/* Warnings about a rack that is right. */
#include "lib/log.h"
#include "pxe/feature.h"

static struct diag_place whole_file(const struct rack *r)
{
	return (struct diag_place){.file = r->file};
}

static void warn_boot_server(const struct rack *r, struct diag *d)
{
	const struct diag_place at = whole_file(r);
	char addr[NET_ADDR_LEN];

	if (r->network.prefix && !net_contains(r->network, r->boot_server))
		diag_add_at(d, &at,
			    "boot_server %s is outside every host's network: a DHCP "
			    "relay is needed",
			    net_format_addr(r->boot_server, addr));
}

void rack_warnings(const struct rack *r, struct diag *d)
{
	rack_warn_secrets(r, d);
	warn_boot_server(r, d);
	rack_warn_keys(r, d);
	for (size_t i = 0; feature_racks[i]; i++)
		if (feature_racks[i]->warn)
			feature_racks[i]->warn(r, d);
}

void rack_warn(const struct rack *r)
{
	_cleanup_diag_ struct diag d = {0};

	rack_warnings(r, &d);
	log_diag(LOG_LEVEL_WARN, &d);
}

void rack_warn_keys(const struct rack *r, struct diag *d)
{
	size_t without = 0, first = 0;
	struct diag_place at = whole_file(r);

	for (size_t i = 0; i < r->n_hosts; i++)
		if (strv_len(r->hosts[i].host.ssh_keys) == 0 && without++ == 0)
			first = i;
	if (without == 0)
		return;
	if (without == r->n_hosts) {
		diag_add_at(d, &at,
			    "no host has ssh_keys: nobody will be able to log in");
		return;
	}
	at = rack_host_place(&r->hosts[first]);
	diag_add_at(d, &at,
		    "host '%s'%s no ssh_keys: nobody will be able to log in there",
		    r->hosts[first].host.name, without > 1 ? " and others have" : " has");
	diag_host(d, r->hosts[first].host.name);
}
