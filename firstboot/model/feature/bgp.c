/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/feature/bgp.h"
#include "lib/str.h"

int bgp_pool_parse(const char *s, struct bgp_pool *ret)
{
	_cleanup_strv_ char **v = strv_split(s, " ");
	struct bgp_pool p = {0};

	if (strv_len(v) == 0 || net_parse_cidr(v[0], &p.net) < 0 || p.net.prefix == 0)
		return -EINVAL;
	for (size_t i = 1; v[i]; i++) {
		bool *option = streq(v[i], "ipip")           ? &p.ipip
			       : streq(v[i], "nat-outgoing") ? &p.nat_outgoing
							     : NULL;

		if (!option || *option)
			return -EINVAL;
		*option = true;
	}
	*ret = p;
	return 0;
}

int bgp_peer_parse(const char *s, struct bgp_peer *ret)
{
	_cleanup_strv_ char **v = strv_split(s, " ");
	struct bgp_peer p;
	uint64_t as;

	if (strv_len(v) != 3 || net_parse_addr(v[0], &p.addr) < 0 || p.addr == 0 ||
	    !streq(v[1], "as") || str_to_u64(v[2], UINT32_MAX, &as) < 0 || as == 0)
		return -EINVAL;
	p.as = (uint32_t)as;
	*ret = p;
	return 0;
}

const char *bgp_pool_wrong(const char *s)
{
	struct bgp_pool p;

	if (bgp_pool_parse(s, &p) < 0)
		return "is not a pool like \"192.168.0.0/16\", with \"ipip\" or "
		       "\"nat-outgoing\" behind it if wanted";
	return NULL;
}

const char *bgp_peer_wrong(const char *s)
{
	struct bgp_peer p;

	if (bgp_peer_parse(s, &p) < 0)
		return "is not a peer like \"10.0.0.1 as 64512\"";
	return bgp_as_is_reserved(p.as) ? "has an AS number that is reserved" : NULL;
}

bool bgp_as_is_reserved(uint32_t as)
{
	return as == 23456 || as == 65535 || as == UINT32_MAX; /* RFC 6793, RFC 7300 */
}
