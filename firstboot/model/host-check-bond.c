/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of a bonded or tagged uplink. Modes, policies and their combinations are those
 * of the kernel (drivers/net/bonding, bond_options.c), which networkd 219 uses as well.
 */
#include "firstboot/model/conf-note.h"
#include "firstboot/model/host-check-parts.h"
#include "firstboot/model/words.h"

#define MIIMON_MIN 10
#define MIIMON_MAX 10000

static const char *const modes[] = {
	"balance-rr", "active-backup", "balance-xor", "broadcast",
	"802.3ad",    "balance-tlb",   "balance-alb", NULL,
};
static const char *const hashes[] = {"layer2",   "layer2+3", "layer3+4",
				     "encap2+3", "encap3+4", NULL};
static const char *const hashed_modes[] = {"802.3ad", "balance-xor", "balance-tlb", NULL};
static const char *const rates[] = {"slow", "fast", NULL};

static bool among(const char *s, const char *const *words)
{
	for (size_t i = 0; words[i]; i++)
		if (streq(s, words[i]))
			return true;
	return false;
}

/* Returns true when `s` is one of the words. Otherwise complains, unless there is no
 * value or it could not be read. */
static bool check_choice(struct check *c, enum host_key_id id, const char *s,
			 const char *const *words)
{
	_cleanup_buf_ struct buf all = {0};
	_cleanup_free_ char *hint = NULL;
	char shown[CHECK_SHOWN];

	if (!s || c->h->bad[id])
		return false;
	if (among(s, words))
		return true;
	for (size_t i = 0; words[i]; i++)
		buf_printf(&all, "%s%s", i ? ", " : "", words[i]);
	hint = str_hint(str_nearest(s, words));
	check_complain(c, id, "must be one of %s, not %s%s%s", all.p,
		       check_show(s, shown), conf_value_note(s), hint);
	return false;
}

/* --- the links ---------------------------------------------------------------------- */

static bool same_link(const char *a, const char *b)
{
	struct mac x, y;

	if (net_parse_mac(a, &x) == 0 && net_parse_mac(b, &y) == 0)
		return memcmp(&x, &y, sizeof(x)) == 0;
	return streq(a, b);
}

static void check_links_once(struct check *c)
{
	char **v = c->h->bond, shown[CHECK_SHOWN];

	for (size_t i = 0; v[i]; i++)
		for (size_t k = 0; k < i; k++) {
			if (!same_link(v[i], v[k]))
				continue;
			check_complain(c, HOST_BOND, "%s is listed twice",
				       check_show(v[i], shown));
			break;
		}
}

/* When all links are given by MAC address, the host's own must be one of them: it boots
 * from that link, and the bond has its address. */
static void check_mac_is_in_bond(struct check *c)
{
	const struct host *h = c->h;
	char mac[NET_MAC_LEN];
	struct mac one;

	if (!h->has_mac || h->bad[HOST_MAC])
		return;
	for (size_t i = 0; h->bond[i]; i++)
		if (net_parse_mac(h->bond[i], &one) < 0 ||
		    memcmp(&one, &h->mac, sizeof(one)) == 0)
			return;
	check_complain(c, HOST_MAC, "%s is none of the bond's links",
		       net_format_mac(h->mac, ':', mac));
}

/* --- settings of the bond ----------------------------------------------------------- */

static const enum host_key_id bond_settings[] = {HOST_BOND_MODE, HOST_BOND_MIIMON,
						 HOST_BOND_HASH, HOST_BOND_LACP_RATE};

/* Complains about settings of a bond that is not given. "bond = [ ]" is allowed: it
 * removes the rack's bond from one host. */
static void check_no_bond(struct check *c)
{
	for (size_t i = 0; !c->h->set[HOST_BOND] && i < ARRAY_SIZE(bond_settings); i++)
		if (c->h->set[bond_settings[i]])
			check_complain(
				c, bond_settings[i],
				"there is no bond: give its links as bond = [ ... ]");
}

static void check_settings(struct check *c)
{
	const struct host *h = c->h;
	bool known = check_choice(c, HOST_BOND_MODE, h->bond_mode, modes);

	if (!h->bad[HOST_BOND_MIIMON] &&
	    (h->bond_miimon < MIIMON_MIN || h->bond_miimon > MIIMON_MAX))
		check_complain(c, HOST_BOND_MIIMON,
			       "must be %d to %d milliseconds, not %u: without "
			       "monitoring, a dead link is not detected",
			       MIIMON_MIN, MIIMON_MAX, h->bond_miimon);
	if (check_choice(c, HOST_BOND_HASH, h->bond_hash, hashes) && known &&
	    !among(h->bond_mode, hashed_modes))
		check_complain(c, HOST_BOND_HASH,
			       "has no effect in mode %s: leave it out", h->bond_mode);
	if (check_choice(c, HOST_BOND_LACP_RATE, h->bond_lacp_rate, rates) && known &&
	    !streq(h->bond_mode, "802.3ad"))
		check_complain(c, HOST_BOND_LACP_RATE,
			       "mode %s does not use LACP: leave it out", h->bond_mode);
}

void check_bond(struct check *c)
{
	const struct host *h = c->h;

	if (!h->bad[HOST_VLAN] && h->vlan > 4094)
		check_complain(c, HOST_VLAN, "must be 1 to 4094, or 0 for none, not %u",
			       h->vlan);
	check_words(c, HOST_BOND, h->bond, 0, word_bond_link_wrong);
	if (!check_have(c, HOST_BOND)) {
		check_no_bond(c);
		return;
	}
	check_links_once(c);
	check_mac_is_in_bond(c);
	if (h->interface && !h->bad[HOST_INTERFACE])
		check_complain(c, HOST_INTERFACE,
			       "a bond's links are named in 'bond': leave it out");
	check_settings(c);
}
