/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/feature.h"

#define CALICOCTL_PATH "/usr/local/bin/calicoctl"
#define API_PORT       8080

/* Appends NAME=VALUE, quoted so that systemd's EnvironmentFile= and a shell read the
 * same. */
static void env_add(struct buf *b, const char *entry)
{
	size_t len = strcspn(entry, "=") + 1;
	const char *value = entry + len;
	bool plain = value[strcspn(value, " #;&|<>()*?[]{}~!")] == '\0';

	buf_add(b, entry, len);
	buf_printf(b, plain ? "%s\n" : "\"%s\"\n", value);
}

static char *content(const struct host *h)
{
	_cleanup_buf_ struct buf b = {0};
	bool master = h->features & FEATURE_BIT(FEATURE_KUBERNETES_MASTER);
	char addr[NET_ADDR_LEN], net[NET_CIDR_LEN], etcd[NET_HOSTPORT_LEN];

	buf_puts(&b, PLAN_MARK "\n");
	if (!h->dhcp)
		buf_printf(&b, "DEFAULT_IPV4=%s\n",
			   net_format_addr(h->address.addr, addr));
	if (h->f.kubernetes.master)
		buf_printf(&b, "KUBERNETES_MASTER=%s\n",
			   net_format_addr(h->f.kubernetes.master, addr));
	if (master && !h->set[HOST_ETCD])
		buf_puts(&b, "ETCD_AUTHORITY=127.0.0.1:4001\n");
	else if (h->f.kubernetes.etcd.addr)
		buf_printf(&b, "ETCD_AUTHORITY=%s\n",
			   net_format_hostport(h->f.kubernetes.etcd, etcd));
	if (!master && h->f.kubernetes.master) {
		buf_printf(&b, "KUBE_API_ROOT=http://%s:%u/api/v1/\n",
			   net_format_addr(h->f.kubernetes.master, addr), API_PORT);
		buf_puts(&b, "CALICOCTL_PATH=" CALICOCTL_PATH "\n");
		buf_printf(&b, "CLUSTER_DNS=%s\n",
			   net_format_addr(kubernetes_dns(&h->f.kubernetes), addr));
	}
	buf_printf(&b, "SERVICE_CLUSTER_IP_RANGE=%s\n",
		   net_format_cidr(h->f.kubernetes.service_network, net));
	for (size_t i = 0; h->f.environment.entries && h->f.environment.entries[i]; i++)
		env_add(&b, h->f.environment.entries[i]);
	return buf_take(&b);
}

static void plan(struct plan *p, bool has)
{
	plan_add_file(p, "etc/network-environment", 0644, has ? content(p->host) : NULL);
}

const struct feature_code code_network_environment = {
	.id = FEATURE_NETWORK_ENVIRONMENT,
	.plan = plan,
};
