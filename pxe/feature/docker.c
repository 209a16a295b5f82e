/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Warns about networks that overlap docker0's. Docker makes docker0 on a host without
 * cbr0, and takes 172.17.0.0/16 for it unless the host has an address or a route there
 * when Docker starts (libnetwork, bridge driver and default address pools). Then packets
 * to the addresses below that are not in the host's own network go to docker0.
 *
 * Limit: a network of docker0's that a template sets is not known.
 */
#include "pxe/feature.h"
#include "pxe/rack-check.h"

#define DOCKER0_TEXT "172.17.0.0/16"
#define WHY          DOCKER0_TEXT ", which Docker takes for docker0 by default"

static const struct cidr docker0 = {.addr = 0xac110000, .prefix = 16};

static bool has_docker0(const struct host *h)
{
	return h->features & FEATURE_BIT(FEATURE_DOCKER) &&
	       !(h->features & FEATURE_BIT(FEATURE_CBR0));
}

static void warn_network(const struct rack *r, size_t i, enum host_key_id id,
			 struct cidr net, struct diag *d)
{
	char text[NET_CIDR_LEN];

	if (net.prefix && net_overlap(net, docker0))
		rack_warn_value(r, i, id, d, "%s overlaps " WHY,
				net_format_cidr(net, text));
}

/* Warns about addresses that the host reaches by its gateway. */
static void warn_addresses(const struct rack *r, size_t i, enum host_key_id id,
			   char *const *v, struct diag *d)
{
	const struct host *h = rack_host_at(r, i);
	uint32_t addr;

	for (size_t k = 0; v && v[k]; k++)
		if (net_parse_addr(v[k], &addr) == 0 && net_contains(docker0, addr) &&
		    !net_contains(h->address, addr))
			rack_warn_value(r, i, id, d,
					"%s is in " WHY ": the host will not reach it",
					v[k]);
}

static void warn_boot_server(const struct rack *r, size_t i, struct diag *d)
{
	const struct host *h = rack_host_at(r, i);
	const struct diag_place at = rack_host_place(&r->hosts[i]);
	char text[NET_ADDR_LEN];

	if (net_contains(docker0, r->boot_server) &&
	    !net_contains(h->address, r->boot_server))
		rack_complain_host(h, &at, d,
				   "boot_server %s is in " WHY ": the host will not "
				   "reach it",
				   net_format_addr(r->boot_server, text));
}

static void warn(const struct rack *r, struct diag *d)
{
	for (size_t i = 0; !r->any_roles && i < r->n_hosts; i++) {
		const struct host *h = rack_host_at(r, i);

		if (!has_docker0(h))
			continue;
		if (!h->dhcp)
			warn_network(r, i, HOST_ADDRESS, h->address, d);
		if (h->features & FEATURE_BIT(FEATURE_PODS))
			warn_network(r, i, HOST_POD_NETWORK, h->f.pods.network, d);
		if (h->features & FEATURE_BIT(FEATURE_KUBERNETES))
			warn_network(r, i, HOST_SERVICE_NETWORK,
				     h->f.kubernetes.service_network, d);
		if (!h->dhcp)
			warn_boot_server(r, i, d);
		warn_addresses(r, i, HOST_DNS, h->dns, d);
		warn_addresses(r, i, HOST_NTP, h->ntp, d);
	}
}

const struct feature_rack rack_docker = {
	.id = FEATURE_DOCKER,
	.warn = warn,
};
