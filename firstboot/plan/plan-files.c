/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The content of every file. words.c has checked that the values need no escaping.
 *
 * networkd 219 supports all directives that are written here; a test compares the files
 * with its list. Two of its properties matter. It switches forwarding off on a link that
 * a file without IPForward= matches (later versions do not): the uplink's file has
 * IPForward=, and no file may match another link, such as cbr0 and those of Docker and
 * Calico. And no version of networkd changes an existing bond or VLAN: new settings take
 * effect at the next boot.
 */
#include "firstboot/plan/plan-files.h"
#include "firstboot/model/words.h"
#include "firstboot/plan/plan.h"

/* Appends the first line of every file. */
static void begin(struct buf *b)
{
	buf_puts(b, PLAN_MARK "\n");
}

char *file_hosts(const struct host *h)
{
	_cleanup_buf_ struct buf b = {0};
	char addr[NET_ADDR_LEN];

	begin(&b);
	buf_puts(&b, "127.0.0.1\tlocalhost\n");
	/* A host with DHCP has no fixed address but must resolve its own name. */
	buf_puts(&b, h->dhcp ? "127.0.1.1" : net_format_addr(h->address.addr, addr));
	buf_puts(&b, "\t");
	if (h->search && h->search[0])
		buf_printf(&b, "%s.%s ", h->name, h->search[0]);
	buf_printf(&b, "%s\n", h->name);
	buf_puts(&b, "::1\tlocalhost ip6-localhost ip6-loopback\n");
	return buf_take(&b);
}

/* --- the uplink -------------------------------------------------------------------- */

const char *uplink_name(const struct host *h, const char *devices,
			char out[static IF_NAMESIZE])
{
	if (h->vlan)
		snprintf(out, IF_NAMESIZE, "vlan%u", h->vlan);
	else
		snprintf(out, IF_NAMESIZE, "%s",
			 strv_len(h->bond) ? UPLINK_BOND : devices);
	return out;
}

/*
 * The client identifier of the firmware, iPXE, ipconfig and udhcpc is the MAC address.
 * networkd's default has the machine-id in it, so that a DHCP server would take the host
 * for another client. systemd 219 does not know the setting and ignores it; there the
 * machine-id is at least the same at every boot.
 */
#define DHCP_SECTION "\n[DHCP]\nClientIdentifier=mac\n"

/* Sets *ret to the bond's MAC address: the host's, or that of the first link that is
 * given by its address. Returns false when there is none; networkd then generates one,
 * which DHCP and switches do not know. */
static bool bond_mac(const struct host *h, struct mac *ret)
{
	if (h->has_mac) {
		*ret = h->mac;
		return true;
	}
	for (size_t i = 0; h->bond[i]; i++)
		if (net_parse_mac(h->bond[i], ret) == 0)
			return true;
	return false;
}

char *file_bond(const struct host *h)
{
	_cleanup_buf_ struct buf b = {0};
	char text[NET_MAC_LEN];
	struct mac mac;

	if (strv_len(h->bond) == 0)
		return NULL;
	begin(&b);
	buf_puts(&b, "[NetDev]\nName=" UPLINK_BOND "\nKind=bond\n");
	if (bond_mac(h, &mac))
		buf_printf(&b, "MACAddress=%s\n", net_format_mac(mac, ':', text));
	if (h->mtu)
		buf_printf(&b, "MTUBytes=%u\n", h->mtu);
	buf_printf(&b, "\n[Bond]\nMode=%s\nMIIMonitorSec=%ums\n", h->bond_mode,
		   h->bond_miimon);
	if (h->bond_hash)
		buf_printf(&b, "TransmitHashPolicy=%s\n", h->bond_hash);
	if (h->bond_lacp_rate)
		buf_printf(&b, "LACPTransmitRate=%s\n", h->bond_lacp_rate);
	return buf_take(&b);
}

char *file_bond_links(const struct host *h, const char *devices)
{
	if (strv_len(h->bond) == 0)
		return NULL;
	return xasprintf(PLAN_MARK "\n"
				   "[Match]\n"
				   "Name=%s\n"
				   "\n"
				   "[Network]\n"
				   "Bond=" UPLINK_BOND "\n"
				   "LinkLocalAddressing=no\n",
			 devices);
}

char *file_vlan(const struct host *h)
{
	char name[IF_NAMESIZE];

	if (!h->vlan)
		return NULL;
	return xasprintf(PLAN_MARK "\n"
				   "[NetDev]\n"
				   "Name=%s\n"
				   "Kind=vlan\n"
				   "\n"
				   "[VLAN]\n"
				   "Id=%u\n",
			 uplink_name(h, "", name), h->vlan);
}

/* Appends [Match] and [Link]. Matches by MAC address only when one link has it. */
static void match(struct buf *b, const struct host *h, const char *name)
{
	bool alone = strv_len(h->bond) == 0 && !h->vlan;
	char mac[NET_MAC_LEN];

	buf_puts(b, "[Match]\n");
	if (h->has_mac && alone)
		buf_printf(b, "MACAddress=%s\n", net_format_mac(h->mac, ':', mac));
	if (!h->has_mac || h->interface || !alone)
		buf_printf(b, "Name=%s\n", name);
	if (h->mtu)
		buf_printf(b, "\n[Link]\nMTUBytes=%u\n", h->mtu);
}

char *file_vlan_device(const struct host *h, const char *devices)
{
	_cleanup_buf_ struct buf b = {0};
	char vlan[IF_NAMESIZE];

	if (!h->vlan)
		return NULL;
	begin(&b);
	match(&b, h, strv_len(h->bond) ? UPLINK_BOND : devices);
	buf_printf(&b, "\n[Network]\nVLAN=%s\nLinkLocalAddressing=no\n",
		   uplink_name(h, devices, vlan));
	return buf_take(&b);
}

static void uplink_static(struct buf *b, const struct host *h)
{
	char addr[NET_CIDR_LEN], gw[NET_ADDR_LEN];

	buf_printf(b, "Address=%s\n", net_format_cidr(h->address, addr));
	if (h->gateway)
		buf_printf(b, "Gateway=%s\n", net_format_addr(h->gateway, gw));
}

char *file_uplink(const struct host *h, const char *devices, bool forward)
{
	_cleanup_buf_ struct buf b = {0};
	char name[IF_NAMESIZE];

	begin(&b);
	match(&b, h, uplink_name(h, devices, name));
	buf_puts(&b, "\n[Network]\n");
	if (h->dhcp)
		buf_puts(&b, "DHCP=ipv4\n");
	else
		uplink_static(&b, h);
	for (size_t i = 0; h->dns && h->dns[i]; i++)
		buf_printf(&b, "DNS=%s\n", h->dns[i]);
	for (size_t i = 0; h->search && h->search[i]; i++)
		buf_printf(&b, "%s%s", i ? " " : "Domains=", h->search[i]);
	if (h->search && h->search[0])
		buf_puts(&b, "\n");
	for (size_t i = 0; h->ntp && h->ntp[i]; i++)
		buf_printf(&b, "NTP=%s\n", h->ntp[i]);
	/* Without a link-local address networkd ignores router advertisements too. */
	buf_puts(&b, "LinkLocalAddressing=no\n");
	if (forward)
		buf_puts(&b, "IPForward=ipv4\n");
	if (h->dhcp)
		buf_puts(&b, DHCP_SECTION);
	return buf_take(&b);
}

char *file_rescue(void)
{
	return xstrdup(
		PLAN_MARK
		"\n"
		"# This host's configuration is wrong; see rackstrap-firstboot.service.\n"
		"[Match]\n"
		"Name=en* eth* em* p*p*\n"
		"\n"
		"[Network]\n"
		"DHCP=ipv4\n" DHCP_SECTION);
}

/* Never returns NULL: without the file Docker 1.7.0 starts no container (libnetwork's
 * resolvconf.Get), and the kubelet of 0.20.2 opens it for every pod. */
char *file_resolv_conf(const struct host *h)
{
	_cleanup_buf_ struct buf b = {0};

	begin(&b);
	if (strv_len(h->dns) == 0)
		buf_puts(&b, "# This host has no name servers (no `dns`).\n");
	for (size_t i = 0; h->dns && h->dns[i]; i++)
		buf_printf(&b, "nameserver %s\n", h->dns[i]);
	for (size_t i = 0; h->search && h->search[i]; i++)
		buf_printf(&b, "%s %s", i ? "" : "search", h->search[i]);
	if (h->search && h->search[0])
		buf_puts(&b, "\n");
	return buf_take(&b);
}

char *file_authorized_keys(char *const *keys)
{
	_cleanup_buf_ struct buf b = {0};

	if (strv_len(keys) == 0)
		return NULL;
	begin(&b);
	for (size_t i = 0; keys[i]; i++)
		buf_printf(&b, "%s\n", keys[i]);
	return buf_take(&b);
}
