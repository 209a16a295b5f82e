/* SPDX-License-Identifier: Apache-2.0 */
#include "test/standin/common/calico.h"

#include "lib/net.h"
#include "lib/str.h"

#define KEYS     "/calico/v1"
#define IP_POOL  "192.168.0.0/16"
#define IP6_POOL "fd80:24e2:f998:72d6::/64"

int calico_open(struct calico *c, struct err *e)
{
	const char *docker = getenv("DOCKER_HOST");
	_cleanup_free_ char *url = NULL;

	*c = (struct calico){.etcd_authority = getenv("ETCD_AUTHORITY")};
	if (!c->etcd_authority || !*c->etcd_authority)
		c->etcd_authority = "127.0.0.1:4001";
	if (gethostname(c->host, sizeof(c->host) - 1) < 0)
		return err_errno(e, errno, "gethostname");
	url = xasprintf("http://%s", c->etcd_authority);
	if (!strchr(c->etcd_authority, ':') ||
	    http_target_parse(url, 4001, &c->etcd, e) < 0)
		return err_set(e, ERR_FAILED, "ETCD_AUTHORITY=%s: must be ADDRESS:PORT",
			       c->etcd_authority);
	return docker_target_parse(docker ? docker : "unix:/" DOCKER_SOCKET, &c->docker,
				   e);
}

static int write_key(struct calico *c, const char *value, struct err *e, const char *fmt,
		     ...) _printf_(4, 5);

static int write_key(struct calico *c, const char *value, struct err *e, const char *fmt,
		     ...)
{
	_cleanup_free_ char *key = NULL;
	va_list ap;
	int r;

	va_start(ap, fmt);
	r = vasprintf(&key, fmt, ap);
	va_end(ap);
	if (r < 0)
		return err_errno(e, ENOMEM, "vasprintf");
	return etcd_put(&c->etcd, key, value, ETCD_ALWAYS, 0, NULL, e) < 0 ? -1 : 0;
}

/* Returns a pool's key: its network with '-' instead of '/'. Owned by the caller; NULL
 * when it is not a network. *normal is the network without host bits. */
static char *pool_key(const char *cidr, char **normal)
{
	char text[NET_CIDR_LEN];
	struct cidr c;
	char *key;

	if (strchr(cidr, ':')) {
		*normal = xstrdup(cidr);
		key = xasprintf(KEYS "/ipam/v6/pool/%s", cidr);
	} else {
		if (net_parse_cidr(cidr, &c) < 0)
			return NULL;
		c.addr = net_network(c);
		*normal = xstrdup(net_format_cidr(c, text));
		key = xasprintf(KEYS "/ipam/v4/pool/%s", text);
	}
	*strrchr(key, '/') = '-';
	return key;
}

int calico_pool_add(struct calico *c, const char *cidr, bool ipip, bool masquerade,
		    struct err *e)
{
	_cleanup_free_ char *normal = NULL, *key = pool_key(cidr, &normal);
	_cleanup_free_ char *value = NULL;

	if (!key)
		return err_set(e, ERR_FAILED, "Invalid CIDR %s", cidr);
	value = xasprintf("{\"cidr\": \"%s\"%s%s}", normal,
			  ipip ? ", \"ipip\": \"tunl0\"" : "",
			  masquerade ? ", \"masquerade\": true" : "");
	return write_key(c, value, e, "%s", key);
}

int calico_pool_remove(struct calico *c, const char *cidr, struct err *e)
{
	_cleanup_free_ char *normal = NULL, *key = pool_key(cidr, &normal);

	if (!key)
		return err_set(e, ERR_FAILED, "Invalid CIDR %s", cidr);
	return etcd_delete(&c->etcd, key, e);
}

int calico_values(struct calico *c, const char *dir, char ***ret, struct err *e)
{
	_cleanup_free_ char *key = xasprintf(KEYS "%s", dir);
	_cleanup_json_t_ json_t *node = NULL;
	const json_t *children, *child;
	size_t i;

	*ret = NULL;
	if (etcd_get(&c->etcd, key, &node, e) < 0)
		return -1;
	children = json_object_get(node, "nodes");
	json_array_foreach(children, i, child) if (etcd_node_value(child))
		strv_add(ret, etcd_node_value(child));
	return 0;
}

static int default_pools(struct calico *c, struct err *e)
{
	static const char *const pools[][2] = {{"/ipam/v4/pool", IP_POOL},
					       {"/ipam/v6/pool", IP6_POOL}};

	for (size_t i = 0; i < ARRAY_SIZE(pools); i++) {
		_cleanup_strv_ char **have = NULL;

		if (calico_values(c, pools[i][0], &have, e) < 0)
			return -1;
		if (!have && calico_pool_add(c, pools[i][1], false, false, e) < 0)
			return -1;
	}
	return 0;
}

int calico_set_up(struct calico *c, const char *ip, const char *ip6, struct err *e)
{
	_cleanup_json_t_ json_t *config = NULL;
	int r;

	if (default_pools(c, e) < 0)
		return -1;
	r = etcd_get(&c->etcd, KEYS "/config", &config, e);
	if (r < 0)
		return -1;
	if (r == 0 && write_key(c, "cali", e, KEYS "/config/InterfacePrefix") < 0)
		return -1;
	if (write_key(c, "true", e, KEYS "/Ready") < 0 ||
	    write_key(c, ip, e, KEYS "/host/%s/bird_ip", c->host) < 0 ||
	    write_key(c, ip6, e, KEYS "/host/%s/bird6_ip", c->host) < 0 ||
	    write_key(c, "created", e, KEYS "/host/%s/config/marker", c->host) < 0)
		return -1;
	/* The original deletes the host's own AS number at every run, even with --as. */
	{
		_cleanup_free_ char *as = xasprintf(KEYS "/host/%s/bgp_as", c->host);

		return etcd_delete(&c->etcd, as, e) < 0 ? -1 : 0;
	}
}
