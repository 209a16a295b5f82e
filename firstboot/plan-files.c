/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of every file. Values were checked to need no escaping where they stand
 * (words.c); the one place that quotes is an environment value with blanks.
 *
 * systemd.network(5): Unmanaged= came with systemd 233 and IPv6AcceptRA= with 230. An
 * older networkd warns and ignores the line; it also leaves alone what no file matches.
 */
#include "plan-files.h"
#include "plan.h"

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
	/* Without an address of its own a host still resolves its name. */
	buf_puts(&b, h->dhcp ? "127.0.1.1" : net_format_addr(h->address.addr, addr));
	buf_puts(&b, "\t");
	if (h->search && h->search[0])
		buf_printf(&b, "%s.%s ", h->name, h->search[0]);
	buf_printf(&b, "%s\n", h->name);
	buf_puts(&b, "::1\tlocalhost ip6-localhost ip6-loopback\n");
	return buf_take(&b);
}

char *file_unmanaged(void)
{
	return xstrdup(PLAN_MARK "\n"
				 "[Match]\n"
				 "Name=cbr0 docker0 veth* cali*\n"
				 "\n"
				 "[Link]\n"
				 "Unmanaged=yes\n");
}

static void uplink_static(struct buf *b, const struct host *h)
{
	char addr[NET_CIDR_LEN], gw[NET_ADDR_LEN];

	buf_printf(b, "Address=%s\n", net_format_cidr(h->address, addr));
	if (h->gateway)
		buf_printf(b, "Gateway=%s\n", net_format_addr(h->gateway, gw));
}

char *file_uplink(const struct host *h, const char *uplink)
{
	_cleanup_buf_ struct buf b = {0};
	char mac[NET_MAC_LEN];

	begin(&b);
	buf_puts(&b, "[Match]\n");
	if (h->has_mac)
		buf_printf(&b, "MACAddress=%s\n", net_format_mac(h->mac, ':', mac));
	if (!h->has_mac || h->interface)
		buf_printf(&b, "Name=%s\n", uplink);
	if (h->mtu)
		buf_printf(&b, "\n[Link]\nMTUBytes=%u\n", h->mtu);
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
	buf_puts(&b, "LinkLocalAddressing=no\nIPv6AcceptRA=no\n");
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
		"DHCP=ipv4\n");
}

char *file_resolv_conf(const struct host *h)
{
	_cleanup_buf_ struct buf b = {0};

	if (!h->dns || !h->dns[0])
		return NULL;
	begin(&b);
	for (size_t i = 0; h->dns[i]; i++)
		buf_printf(&b, "nameserver %s\n", h->dns[i]);
	for (size_t i = 0; h->search && h->search[i]; i++)
		buf_printf(&b, "%s %s", i ? "" : "search", h->search[i]);
	if (h->search && h->search[0])
		buf_puts(&b, "\n");
	return buf_take(&b);
}

char *file_sysctl(void)
{
	return xstrdup(PLAN_MARK "\nnet.ipv4.ip_forward = 1\n");
}

/* In the cluster kube-proxy and Calico keep the packet filter; Docker must not. */
char *file_docker(const struct host *h, const struct role *role)
{
	_cleanup_strv_ char **options = NULL;
	_cleanup_free_ char *all = NULL;

	if (role->cbr0)
		strv_add(&options, "--bridge=cbr0");
	if (role->cbr0 || role->master) {
		strv_add(&options, "--iptables=false");
		strv_add(&options, "--ip-masq=false");
	}
	strv_extend(&options, h->docker_options);
	all = strv_join(options, " ");
	return xasprintf(PLAN_MARK "\nDOCKER_OPTS=\"%s\"\n", all);
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

/* --- /etc/network-environment ----------------------------------------------------- */

#define CALICOCTL_PATH "/usr/local/bin/calicoctl"
#define API_PORT       8080

/* NAME=VALUE so that systemd's EnvironmentFile= and a shell read the same. */
static void env_add(struct buf *b, const char *entry)
{
	size_t len = strcspn(entry, "=") + 1;
	const char *value = entry + len;
	bool plain = value[strcspn(value, " #;&|<>()*?[]{}~!")] == '\0';

	buf_add(b, entry, len);
	buf_printf(b, plain ? "%s\n" : "\"%s\"\n", value);
}

char *file_environment(const struct host *h, const struct role *role)
{
	_cleanup_buf_ struct buf b = {0};
	char addr[NET_ADDR_LEN], net[NET_CIDR_LEN];

	begin(&b);
	if (!h->dhcp)
		buf_printf(&b, "DEFAULT_IPV4=%s\n",
			   net_format_addr(h->address.addr, addr));
	if (h->master)
		buf_printf(&b, "KUBERNETES_MASTER=%s\n",
			   net_format_addr(h->master, addr));
	if (role->master && !h->set[HOST_ETCD])
		buf_puts(&b, "ETCD_AUTHORITY=127.0.0.1:4001\n");
	else if (h->etcd_addr)
		buf_printf(&b, "ETCD_AUTHORITY=%s:%u\n",
			   net_format_addr(h->etcd_addr, addr), h->etcd_port);
	if (!role->master && h->master) {
		buf_printf(&b, "KUBE_API_ROOT=http://%s:%u/api/v1/\n",
			   net_format_addr(h->master, addr), API_PORT);
		buf_puts(&b, "CALICOCTL_PATH=" CALICOCTL_PATH "\n");
	}
	buf_printf(&b, "SERVICE_CLUSTER_IP_RANGE=%s\n",
		   net_format_cidr(h->service_network, net));
	for (size_t i = 0; h->environment && h->environment[i]; i++)
		env_add(&b, h->environment[i]);
	return buf_take(&b);
}
