/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads sysfs rather than rtnetlink, because sysfs shows which links have a device, and a
 * test can make such files below its root. All links of a bond get the same address;
 * sysfs also has their permanent one (drivers/net/bonding/bond_sysfs_slave.c).
 *
 * udev keeps a file for every device it has handled, /run/udev/data/n<ifindex> for a
 * network interface (systemd, src/libsystemd/sd-device/device-private.c), and the file
 * /run/udev/queue while it has events to handle (src/udev/udev-manager.c).
 */
#include "firstboot/link.h"
#include "lib/root.h"

#include <net/if_arp.h>

#define SYS_NET  "sys/class/net"
#define ATTR_MAX 4096

/* Returns a sysfs attribute without its newline, or NULL. Owned by the caller. */
static char *attr(int rootfd, const char *link, const char *name)
{
	_cleanup_free_ char *path = xasprintf(SYS_NET "/%s/%s", link, name);
	char *text = NULL;

	if (root_read(rootfd, path, ATTR_MAX, &text, NULL) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

static bool attr_number(int rootfd, const char *link, const char *name, uint64_t *ret)
{
	_cleanup_free_ char *text = attr(rootfd, link, name);

	return text && str_to_u64(text, INT32_MAX, ret) == 0;
}

static bool settled(int rootfd, unsigned index)
{
	char path[64];

	if (root_access(rootfd, "run/udev") < 0)
		return true;
	snprintf(path, sizeof(path), "run/udev/data/n%u", index);
	return root_access(rootfd, path) == 0;
}

/* Reads one link. Returns false when it is not an Ethernet link or was removed
 * meanwhile. */
static bool link_read(int rootfd, const char *name, struct link *ret)
{
	_cleanup_free_ char *own = attr(rootfd, name, "bonding_slave/perm_hwaddr");
	_cleanup_free_ char *address =
		own ? TAKE_PTR(own) : attr(rootfd, name, "address");
	_cleanup_free_ char *device = xasprintf(SYS_NET "/%s/device", name);
	uint64_t type, index;

	*ret = (struct link){0};
	if (strlen(name) >= sizeof(ret->name) || !address ||
	    net_parse_mac(address, &ret->mac) < 0 ||
	    !attr_number(rootfd, name, "type", &type) || type != ARPHRD_ETHER ||
	    !attr_number(rootfd, name, "ifindex", &index))
		return false;
	memcpy(ret->name, name, strlen(name) + 1);
	ret->index = (unsigned)index;
	ret->physical = root_access(rootfd, device) == 0;
	ret->settled = settled(rootfd, ret->index);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct link *)a)->name, ((const struct link *)b)->name);
}

int links_list(int rootfd, struct link **ret, size_t *n)
{
	_cleanup_free_ struct link *v = NULL;
	_cleanup_strv_ char **names = NULL;
	int r = root_names(rootfd, SYS_NET, &names);
	size_t len = 0;

	if (r < 0)
		return r;
	for (size_t i = 0; names && names[i]; i++) {
		struct link l;

		if (names[i][0] == '.' || !link_read(rootfd, names[i], &l))
			continue;
		v = xgrow(v, len, sizeof(*v));
		v[len++] = l;
	}
	if (len > 0)
		qsort(v, len, sizeof(*v), by_name);
	*ret = TAKE_PTR(v);
	*n = len;
	return 0;
}

bool links_settled(int rootfd)
{
	_cleanup_free_ struct link *v = NULL;
	bool found = false;
	size_t n = 0;

	if (root_access(rootfd, "run/udev/queue") == 0 || links_list(rootfd, &v, &n) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (v[i].physical && !v[i].settled)
			return false;
		found = found || v[i].physical;
	}
	return found;
}

char *links_format(const struct link *v, size_t n)
{
	_cleanup_buf_ struct buf b = {0};
	char mac[NET_MAC_LEN];

	for (size_t i = 0; i < n; i++)
		if (v[i].physical)
			buf_printf(&b, "%s%s (%s)", b.len ? ", " : "", v[i].name,
				   net_format_mac(v[i].mac, ':', mac));
	return buf_take(&b);
}

char *links_text(int rootfd)
{
	_cleanup_free_ struct link *v = NULL;
	size_t n = 0;

	return links_list(rootfd, &v, &n) < 0 ? xstrdup("") : links_format(v, n);
}

/* Returns true when a link matches the host's keys. A link found by MAC address must be
 * physical, because bridges and VLANs have the address of their device; one that is named
 * may be of any kind. */
static bool matches(const struct host *h, const struct link *l)
{
	if (h->interface && !streq(h->interface, l->name))
		return false;
	if (h->has_mac && memcmp(&h->mac, &l->mac, sizeof(l->mac)) != 0)
		return false;
	return h->interface || l->physical;
}

static int not_found(const struct host *h, size_t matching, const char *have,
		     struct err *e)
{
	char mac[NET_MAC_LEN], where[512];

	if (!*have)
		have = "none";
	net_format_mac(h->mac, ':', mac);
	if (matching > 1 && h->has_mac)
		return err_set(e, ERR_CONFIG, "%s: mac: several links have %s: %s",
			       host_where(h, HOST_MAC, where, sizeof(where)), mac, have);
	if (matching > 1)
		return err_set(e, ERR_CONFIG,
			       "mac: say which link is the uplink, there are several: %s",
			       have);
	if (h->has_mac && h->interface)
		return err_set(e, ERR_CONFIG,
			       "%s: mac: no link named %s has %s; there are: %s",
			       host_where(h, HOST_MAC, where, sizeof(where)),
			       h->interface, mac, have);
	if (h->has_mac)
		return err_set(e, ERR_CONFIG, "%s: mac: no link has %s; there are: %s",
			       host_where(h, HOST_MAC, where, sizeof(where)), mac, have);
	if (h->interface)
		return err_set(e, ERR_CONFIG,
			       "%s: interface: no link is named %s; there are: %s",
			       host_where(h, HOST_INTERFACE, where, sizeof(where)),
			       h->interface, have);
	return err_set(e, ERR_FAILED, "this machine has no Ethernet link");
}

int link_find(const struct host *h, const struct link *links, size_t n, struct link *ret,
	      struct err *e)
{
	_cleanup_free_ char *have = NULL;
	const struct link *found = NULL;
	size_t matching = 0;

	for (size_t i = 0; i < n; i++) {
		if (!matches(h, &links[i]))
			continue;
		found = &links[i];
		matching++;
	}
	if (matching == 1) {
		*ret = *found;
		return 0;
	}
	have = links_format(links, n);
	return not_found(h, matching, have, e);
}
