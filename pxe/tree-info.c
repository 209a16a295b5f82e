/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes and reads tree.cfg, a libconfig file in which a boot tree is described for
 * `rackstrap serve` and `rackstrap status`, whose only input is the tree, and for
 * `rackstrap diff`.
 */
#include "lib/file.h"
#include "pxe/dhcp-server.h"
#include "pxe/tree-parts.h"

#define VERSION 1

const char *const tree_image_files[TREE_IMAGE_FILES] = {"vmlinuz", "initrd.img",
							"root.cpio"};

const char *tree_image_id(const struct image *image, char out[static TREE_ID_LEN])
{
	snprintf(out, TREE_ID_LEN, "%.16s-%.8s-%.8s", image->root_sha256,
		 image->initrd_sha256, image->kernel_sha256);
	return out;
}

const char *tree_base(uint32_t boot_server, uint16_t port, char out[static TREE_BASE_LEN])
{
	char addr[NET_ADDR_LEN], text[8] = "";

	net_format_addr(boot_server, addr);
	if (port != TREE_HTTP_PORT)
		snprintf(text, sizeof(text), ":%u", port);
	snprintf(out, TREE_BASE_LEN, "http://%s%s", addr, text);
	return out;
}

static void append_str(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, "%s = ", key);
	conf_quote(b, value);
	buf_puts(b, ";");
}

/* Appends nothing if the prefix is 0. */
static void append_cidr(struct buf *b, const char *key, struct cidr c)
{
	char text[NET_CIDR_LEN];

	if (!c.prefix)
		return;
	buf_puts(b, " ");
	append_str(b, key, net_format_cidr(c, text));
}

/* Appends nothing for NULL. */
static void append_str_if_any(struct buf *b, const char *key, const char *value)
{
	if (!value)
		return;
	buf_puts(b, " ");
	append_str(b, key, value);
}

static void append_host(struct buf *b, const struct rack_host *rack_host)
{
	const struct host *h = &rack_host->host;
	struct host_columns columns;
	char mac[NET_MAC_LEN];

	buf_puts(b, "\t{ ");
	append_str(b, "name", h->name);
	buf_puts(b, " ");
	append_str(b, "role", h->role);
	buf_puts(b, " ");
	append_str(b, "mac", net_format_mac(h->mac, ':', mac));
	append_cidr(b, "address", h->address);
	append_str_if_any(b, "serial", rack_host->serial);
	append_str_if_any(b, "uuid", rack_host->uuid);
	columns_of_host(&columns, h);
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		append_str_if_any(b, column_key(i), columns.v[i]);
	append_str_if_any(b, "cmdline", rack_host->cmdline);
	append_str_if_any(b, "state_disk", rack_host->state_disk);
	columns_done(&columns);
	buf_puts(b, " }");
}

char *tree_info_text(const struct tree_plan *p)
{
	_cleanup_buf_ struct buf b = {0};
	char addr[NET_ADDR_LEN];

	buf_printf(&b, "# A boot tree, rendered by `rackstrap pxe`.\nversion = %d;\n",
		   VERSION);
	append_str(&b, "rack", p->rack->name);
	buf_puts(&b, "\n");
	append_str(&b, "image", p->image->name);
	buf_puts(&b, "\n");
	append_str(&b, "image_id", p->id);
	buf_puts(&b, "\n");
	append_str(&b, "image_cmdline", p->image->cmdline);
	buf_puts(&b, "\n");
	append_str(&b, "boot_server", net_format_addr(p->rack->boot_server, addr));
	buf_puts(&b, "\n");
	if (p->o.dhcp != dhcp_servers) {
		append_str(&b, "dhcp", p->o.dhcp->name);
		buf_puts(&b, "\n");
	}
	if (p->o.dhcp != dhcp_servers && p->rack->n_dhcp_servers > 0) {
		_cleanup_free_ char *pair = rack_dhcp_servers_text(p->rack);

		append_str(&b, "dhcp_servers", pair);
		buf_puts(&b, "\n");
	}
	if (p->o.interface) {
		append_str(&b, "interface", p->o.interface);
		buf_puts(&b, "\n");
	}
	if (p->o.router_advert)
		buf_puts(&b, "router_advert = true;\n");
	if (p->rack->strangers.policy != STRANGERS_ASK) {
		append_str(&b, "strangers_policy",
			   strangers_policy_name(p->rack->strangers.policy));
		buf_puts(&b, "\n");
	}
	if (p->rack->strangers.first) {
		char pool[STRANGERS_POOL_LEN];

		append_str(&b, "strangers_pool",
			   strangers_pool_format(p->rack->strangers.first,
						 p->rack->strangers.last, pool));
		buf_puts(&b, "\n");
	}
	buf_printf(&b, "http_port = %u;\nproxy_dhcp = %s;\nhosts = (\n", p->o.http_port,
		   p->o.proxy_dhcp ? "true" : "false");
	for (size_t i = 0; i < p->rack->n_hosts; i++) {
		append_host(&b, &p->rack->hosts[i]);
		buf_puts(&b, i + 1 < p->rack->n_hosts ? ",\n" : "\n");
	}
	buf_puts(&b, ");\n");
	return buf_take(&b);
}

/* --- reading ---------------------------------------------------------------------- */

/* Reads a string that must be there. Returns 0, or -1 with a complaint. */
static int need_str(const struct conf_node *n, const char *key, const char **ret,
		    struct diag *d)
{
	int r = conf_get_str(n, key, ret, d);

	return r == 0 ? conf_complain(n, d, "%s is missing", key) : r < 0 ? -1 : 0;
}

static int get_copy(const struct conf_node *n, const char *key, char **ret,
		    struct diag *d)
{
	const char *s;

	if (need_str(n, key, &s, d) < 0)
		return -1;
	*ret = xstrdup(s);
	return 0;
}

/* Reads a string; if it is missing, *ret stays as it is. */
static int get_copy_if_any(const struct conf_node *n, const char *key, char **ret,
			   struct diag *d)
{
	const char *s;
	int r = conf_get_str(n, key, &s, d);

	if (r > 0)
		*ret = xstrdup(s);
	return r < 0 ? -1 : 0;
}

/* Reads an address with its prefix; if it is missing, *ret stays as it is. */
static int get_cidr(const struct conf_node *n, const char *key, struct cidr *ret,
		    struct diag *d)
{
	const char *s;
	int r = conf_get_str(n, key, &s, d);

	if (r > 0 && net_parse_cidr(s, ret) < 0)
		return conf_complain(n, d, "%s: must be an address with its prefix", key);
	return r < 0 ? -1 : 0;
}

static int read_host(struct tree_host *h, const struct conf_node *n, struct diag *d)
{
	const char *mac;

	if (get_copy(n, "name", &h->name, d) < 0 ||
	    get_copy(n, "role", &h->role, d) < 0 || need_str(n, "mac", &mac, d) < 0)
		return -1;
	if (strchr(h->name, '/') || h->name[0] == '.')
		return conf_complain(n, d, "name: cannot be a host's name");
	if (net_parse_mac(mac, &h->mac) < 0)
		return conf_complain(n, d, "mac: must be a MAC address");
	if (get_copy_if_any(n, "serial", &h->serial, d) < 0 ||
	    get_copy_if_any(n, "uuid", &h->uuid, d) < 0 ||
	    get_copy_if_any(n, "cmdline", &h->cmdline, d) < 0 ||
	    get_copy_if_any(n, "state_disk", &h->state_disk, d) < 0)
		return -1;
	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		const char *s = NULL;

		if (column_key(i) && conf_get_str(n, column_key(i), &s, d) < 0)
			return -1;
		h->columns.v[i] = xstrdup(s);
	}
	return get_cidr(n, "address", &h->address, d);
}

/* Reads what only some trees have. */
static int read_servers(struct tree_info *i, const struct conf_node *n, struct diag *d)
{
	const char *dhcp = dhcp_servers->name, *pool = NULL;

	if (conf_get_str(n, "dhcp", &dhcp, d) < 0 ||
	    get_copy_if_any(n, "interface", &i->interface, d) < 0 ||
	    get_copy_if_any(n, "dhcp_servers", &i->dhcp_servers, d) < 0 ||
	    get_copy_if_any(n, "strangers_policy", &i->strangers_policy, d) < 0 ||
	    conf_get_bool(n, "router_advert", &i->router_advert, d) < 0 ||
	    conf_get_str(n, "strangers_pool", &pool, d) < 0)
		return -1;
	i->dhcp = dhcp_server_find(dhcp);
	if (!i->dhcp)
		return conf_complain(n, d, "dhcp: there is no DHCP server '%s'", dhcp);
	if (pool && strangers_pool_parse(pool, &i->pool_first, &i->pool_last) < 0)
		return conf_complain(n, d, "strangers_pool: must be two addresses");
	return 0;
}

static int read_root(struct tree_info *i, const struct conf_node *n, struct diag *d)
{
	const struct conf_node *hosts = NULL;
	int version = 0, port = 0;
	const char *s;

	if (conf_get_int(n, "version", VERSION, VERSION, &version, d) <= 0)
		return conf_complain(n, d, "version: must be %d", VERSION);
	if (get_copy(n, "rack", &i->name, d) < 0 ||
	    get_copy(n, "image", &i->image, d) < 0 ||
	    get_copy_if_any(n, "image_id", &i->image_id, d) < 0 ||
	    get_copy_if_any(n, "image_cmdline", &i->image_cmdline, d) < 0 ||
	    need_str(n, "boot_server", &s, d) < 0)
		return -1;
	if (net_parse_addr(s, &i->boot_server) < 0)
		return conf_complain(n, d, "boot_server: must be an IPv4 address");
	if (read_servers(i, n, d) < 0)
		return -1;
	if (conf_get_int(n, "http_port", 1, 65535, &port, d) <= 0 ||
	    conf_get_bool(n, "proxy_dhcp", &i->proxy_dhcp, d) <= 0 ||
	    conf_get_list(n, "hosts", &hosts, d) <= 0)
		return conf_complain(n, d, "http_port, proxy_dhcp or hosts is missing");
	i->http_port = (uint16_t)port;
	i->hosts = xcalloc(conf_len(hosts) + 1, sizeof(*i->hosts));
	for (size_t k = 0; k < conf_len(hosts); k++)
		if (read_host(&i->hosts[i->n_hosts++], conf_at(hosts, k), d) < 0)
			return -1;
	return 0;
}

int tree_info_read(struct tree_info *ret, const char *dir, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/" TREE_INFO, dir);
	_cleanup_conf_ struct conf *conf = NULL;
	_cleanup_diag_ struct diag d = {0};
	struct stat st;

	*ret = (struct tree_info){0};
	if (stat(dir, &st) < 0)
		return err_errno(e, errno, "%s", dir);
	if (access(path, F_OK) < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_errno(e, errno, "%s", path);
	if (access(path, F_OK) < 0)
		return err_set(e, ERR_FAILED,
			       "%s is not a boot tree (there is no " TREE_INFO
			       "): render one with `rackstrap pxe`",
			       dir);
	if (conf_read_at(&conf, AT_FDCWD, path, path, CONF_MAX_RACK,
			 CONF_NO_INCLUDE | CONF_FOREIGN, &d) == 0 &&
	    read_root(ret, conf_root(conf), &d) == 0)
		return 0;
	tree_info_done(ret);
	if (diag_err(&d, e) == 0)
		return err_set(e, ERR_FAILED, "%s cannot be read", path);
	if (e)
		e->code = ERR_FAILED; /* nobody wrote it by hand */
	return -1;
}

void tree_info_done(struct tree_info *i)
{
	for (size_t k = 0; k < i->n_hosts; k++) {
		free(i->hosts[k].name);
		free(i->hosts[k].role);
		free(i->hosts[k].serial);
		free(i->hosts[k].uuid);
		free(i->hosts[k].cmdline);
		free(i->hosts[k].state_disk);
		columns_done(&i->hosts[k].columns);
	}
	free(i->hosts);
	free(i->name);
	free(i->image);
	free(i->image_id);
	free(i->image_cmdline);
	free(i->interface);
	free(i->dhcp_servers);
	free(i->strangers_policy);
	*i = (struct tree_info){0};
}
