/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks hosts' bonds against the other hosts. MAC addresses are texts in a table with
 * the first host that has each, so the cost grows with the number of addresses only.
 */
#include "pxe/owners.h"
#include "pxe/rack-check.h"

static int check_bond(const struct rack *r, size_t i, struct owners *macs, struct diag *d)
{
	const struct host *h = &r->hosts[i].host;
	char text[NET_MAC_LEN], what[64];
	struct mac mac;
	int ret = 0;

	for (size_t k = 0; !h->bad[HOST_BOND] && h->bond && h->bond[k]; k++) {
		size_t other;

		if (net_parse_mac(h->bond[k], &mac) < 0)
			continue;
		net_format_mac(mac, ':', text);
		other = owner(macs, text, i);
		snprintf(what, sizeof(what), "bond: %s is also", text);
		if (other != i)
			ret = rack_complain(r, i, HOST_BOND, what, other, HOST_NAME, "",
					    d);
	}
	return ret;
}

int rack_check_bonds(const struct rack *r, struct diag *d)
{
	_cleanup_owners_ struct owners macs = {.host = NULL};
	char text[NET_MAC_LEN];
	int ret = 0;

	for (size_t i = 0; i < r->n_hosts; i++)
		if (host_has_mac(rack_host_at(r, i)))
			owner(&macs, net_format_mac(rack_host_at(r, i)->mac, ':', text),
			      i);
	for (size_t i = 0; i < r->n_hosts; i++)
		if (check_bond(r, i, &macs, d) < 0)
			ret = -1;
	return ret;
}
