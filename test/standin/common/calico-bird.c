/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renders bird.cfg as confd 0.9.0 does from the template of Calico 0.4.8, rewritten in C.
 *
 * Sources, in projectcalico/calico-docker (its history is in projectcalico/calico): from
 * before 0.4.8, node_filesystem/templates/bird.cfg.template at 86e7734f and
 * bird6.cfg.template at 063c53e0, with the keys below /calico/v1, the default AS 64511
 * and BIRD's options; from after it, at 86e5b854, bird.cfg.template (mesh, global and
 * node peers, the host's own AS) and bird_ipam.cfg.template (pools, tunnels), whose keys
 * are already below /calico/bgp/v1. The version at the tag 0.4.8 was not available. It is
 * reconstructed: the later text with the key names of 0.4.8 (docs/etcdStructure.md), the
 * block MESH4 that confd names in its error message, and the list of keys that confd
 * reads.
 *
 * Fails like the original: while the mesh is on, one host without bird_ip makes the whole
 * file fail; while it is off, no bird_ip is read. A number is printed as Go prints a
 * float64, so a peer's AS of 1000000 or more becomes 1e+06, which BIRD refuses. Nothing
 * checks the file before BIRD reads it. confd reads only keys with values: an empty
 * directory does not count as a host.
 *
 * Differs from the original: `debug { states }` instead of `debug all`, and no krt_tunnel
 * for pools with IPIP, an attribute that only Calico's own build of BIRD has. An error
 * message ends with the key.
 */
#include "test/standin/common/calico-bird.h"

#include "lib/str.h"
#include "test/standin/common/etcd.h"

#include <math.h>
#include <stdarg.h>

#define KEYS       "/calico/v1"
#define DEFAULT_AS "64511"

struct template
{
	const json_t *tree;
	const char *host, *ip;
	struct buf out;
};

/* --- etcd's nodes ------------------------------------------------------------------ */

static const char *base_name(const json_t *node)
{
	const char *key = json_string_value(json_object_get(node, "key"));
	const char *slash = key ? strrchr(key, '/') : NULL;

	return slash ? slash + 1 : "";
}

static const json_t *child(const json_t *dir, const char *name, size_t len)
{
	const json_t *nodes = json_object_get(dir, "nodes"), *node;
	size_t i;

	json_array_foreach(nodes, i, node)
	{
		const char *base = base_name(node);

		if (strlen(base) == len && memcmp(base, name, len) == 0)
			return node;
	}
	return NULL;
}

/* Returns the node at `path` below /calico/v1. Returns NULL when it is absent; then
 * *missing is the length of `path` up to the end of its first absent part. */
static const json_t *find(const json_t *tree, const char *path, size_t *missing)
{
	const json_t *node = tree;
	const char *p = path;

	while (node && *p == '/') {
		size_t len = strcspn(++p, "/");

		node = child(node, p, len);
		p += len;
	}
	if (missing)
		*missing = (size_t)(p - path);
	return node;
}

static const char *value(const struct template *t, const char *fmt, ...) _printf_(2, 3);

/* Returns the value of a key below /calico/v1, or NULL. */
static const char *value(const struct template *t, const char *fmt, ...)
{
	const json_t *node;
	char path[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	node = find(t->tree, path, NULL);
	return node ? etcd_node_value(node) : NULL;
}

static bool has_values(const json_t *node)
{
	const json_t *nodes = json_object_get(node, "nodes"), *below;
	size_t i;

	if (etcd_node_value(node))
		return true;
	json_array_foreach(nodes, i, below) if (has_values(below)) return true;
	return false;
}

/* --- Go's templates ---------------------------------------------------------------- */

/* Sets `e` to text/template's message for a call that failed. Returns -1. */
static int fail(struct err *e, const char *block, const char *at, const char *fmt, ...)
	_printf_(4, 5);

static int fail(struct err *e, const char *block, const char *at, const char *fmt, ...)
{
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_FAILED,
		       "template: bird.cfg.template: executing \"%s\" at %s: %s", block,
		       at, why);
}

/* Parses a value like confd's function json: anything but an object is an error. */
static int parse(const char *text, const char *key, json_t **ret, struct err *e)
{
	json_error_t je;

	*ret = json_loads(text, JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, &je);
	if (!*ret)
		return fail(e, "bird.cfg.template", "<json .Value>",
			    "error calling json: %s (%s)", je.text, key);
	if (json_is_object(*ret))
		return 0;
	return fail(e, "bird.cfg.template", "<json .Value>",
		    "error calling json: json: cannot unmarshal into Go value of type "
		    "map[string]interface {} (%s)",
		    key);
}

/* Prints with the fewest digits that give the same number; from 1e+06 and below 1e-04
 * with an exponent (strconv.FormatFloat, 'g', -1). */
static void print_number(struct buf *b, double v)
{
	char text[64];
	int digits = 0, exponent;

	do
		snprintf(text, sizeof(text), "%.*e", digits, v);
	while (strtod(text, NULL) != v && ++digits < 17);
	exponent = atoi(strchr(text, 'e') + 1);
	if (exponent >= -4 && exponent < 6)
		snprintf(text, sizeof(text), "%.*f",
			 digits > exponent ? digits - exponent : 0, v);
	buf_puts(b, text);
}

static void print(struct buf *b, const json_t *v)
{
	if (json_is_string(v))
		buf_puts(b, json_string_value(v));
	else if (json_is_number(v))
		print_number(b, json_number_value(v));
	else if (json_is_boolean(v))
		buf_puts(b, json_is_true(v) ? "true" : "false");
	else
		buf_puts(b, "<no value>");
}

/* Returns how a template's `if` evaluates the value: false, 0, "", empty and absent
 * values are false. */
static bool is_true(const json_t *v)
{
	if (json_is_number(v))
		return fpclassify(json_number_value(v)) != FP_ZERO;
	if (json_is_string(v))
		return *json_string_value(v) != '\0';
	return json_is_true(v) || json_array_size(v) > 0 || json_object_size(v) > 0;
}

/* --- the file ---------------------------------------------------------------------- */

static const char *as_number(const struct template *t, const char *host)
{
	const char *as = value(t, "/host/%s/bgp_as", host);

	if (!as)
		as = value(t, "/config/bgp_as");
	return as ? as : DEFAULT_AS;
}

static int filters(struct template *t, struct err *e)
{
	const json_t *nodes =
		json_object_get(find(t->tree, "/ipam/v4/pool", NULL), "nodes");
	_cleanup_buf_ struct buf tunnels = {0};
	const json_t *node;
	size_t i;

	buf_puts(&t->out, "filter calico_pools {\n");
	json_array_foreach(nodes, i, node)
	{
		const char *text = etcd_node_value(node);
		_cleanup_json_t_ json_t *pool = NULL;

		if (!text)
			continue;
		if (parse(text, base_name(node), &pool, e) < 0)
			return -1;
		buf_puts(&t->out, "\tif ( net ~ ");
		print(&t->out, json_object_get(pool, "cidr"));
		buf_puts(&t->out, " ) then { accept; }\n");
		if (!is_true(json_object_get(pool, "ipip")))
			continue;
		buf_puts(&tunnels, "\t# not in this BIRD: krt_tunnel for ");
		print(&tunnels, json_object_get(pool, "cidr"));
		buf_puts(&tunnels, "\n");
	}
	buf_printf(&t->out, "\treject;\n}\n\nfilter calico_ipip {\n%s\taccept;\n}\n\n",
		   tunnels.p ? tunnels.p : "");
	return 0;
}

static void protocols(struct template *t)
{
	buf_puts(&t->out, "protocol kernel {\n"
			  "\tlearn;\n"
			  "\tpersist;\n"
			  "\tscan time 2;\n"
			  "\timport all;\n"
			  "\texport filter calico_ipip;\n"
			  "\tgraceful restart;\n"
			  "}\n\n"
			  "protocol device {\n"
			  "\tscan time 2;\n"
			  "}\n\n"
			  "protocol direct {\n"
			  "\tdebug { states };\n"
			  "\tinterface -\"cali*\", \"*\";\n"
			  "}\n\n");
	buf_printf(&t->out,
		   "template bgp bgp_template {\n"
		   "\tdebug { states };\n"
		   "\tlocal as %s;\n"
		   "\tmultihop;\n"
		   "\tgateway recursive;\n"
		   "\timport all;\n"
		   "\texport filter calico_pools;\n"
		   "\tnext hop self;\n"
		   "\tsource address %s;\n"
		   "\tadd paths on;\n"
		   "\tgraceful restart;\n"
		   "}\n\n",
		   as_number(t, t->host), t->ip);
}

/* Writes the beginning of a protocol that is named after its neighbour, up to the
 * neighbour's AS. */
static void neighbour(struct template *t, const char *kind, const char *ip)
{
	_cleanup_free_ char *id = xstrdup(ip);

	for (char *p = id; *p; p++)
		if (*p == '.')
			*p = '_';
	buf_printf(&t->out, "protocol bgp %s_%s from bgp_template {\n\tneighbor %s as ",
		   kind, id, ip);
}

static int mesh_is_on(const struct template *t, bool *ret, struct err *e)
{
	const char *text = value(t, "/config/bgp_node_mesh");
	_cleanup_json_t_ json_t *mesh = NULL;

	*ret = true;
	if (!text)
		return 0;
	if (parse(text, KEYS "/config/bgp_node_mesh", &mesh, e) < 0)
		return -1;
	*ret = is_true(json_object_get(mesh, "enabled"));
	return 0;
}

static int mesh(struct template *t, struct err *e)
{
	const json_t *nodes = json_object_get(find(t->tree, "/host", NULL), "nodes"),
		     *node;
	bool on;
	size_t i;

	if (mesh_is_on(t, &on, e) < 0)
		return -1;
	if (!on)
		buf_puts(&t->out, "# Node-to-node mesh disabled\n\n");
	json_array_foreach(nodes, i, node)
	{
		const char *host = base_name(node), *ip;

		if (!on || etcd_node_value(node) || !has_values(node))
			continue;
		ip = value(t, "/host/%s/bird_ip", host);
		if (!ip)
			return fail(e, "MESH4", "<getv $onode_ip_key>",
				    "error calling getv: key does not exist "
				    "(" KEYS "/host/%s/bird_ip)",
				    host);
		buf_printf(&t->out, "# " KEYS "/host/%s/bird_ip\n", host);
		if (streq(ip, "") || streq(ip, t->ip))
			continue;
		neighbour(t, "Mesh", ip);
		buf_printf(&t->out, "%s;\n}\n\n", as_number(t, host));
	}
	return 0;
}

/* Writes a protocol for each peer below the directory `path`: {"ip": "A.B.C.D", "as_num":
 * N}. */
static int peers(struct template *t, const char *kind, const char *path, struct err *e)
{
	const json_t *nodes = json_object_get(find(t->tree, path, NULL), "nodes"), *node;
	size_t i;

	json_array_foreach(nodes, i, node)
	{
		const char *text = etcd_node_value(node);
		_cleanup_free_ char *key = xasprintf(KEYS "%s/%s", path, base_name(node));
		_cleanup_json_t_ json_t *peer = NULL;
		const json_t *ip;

		if (!text)
			continue;
		if (parse(text, key, &peer, e) < 0)
			return -1;
		ip = json_object_get(peer, "ip");
		if (!json_is_string(ip))
			return fail(e, "bird.cfg.template", "<$data.ip>",
				    "%s; expected string (%s)",
				    ip ? "wrong type for value" : "invalid value", key);
		buf_printf(&t->out, "# %s\n", key);
		neighbour(t, kind, json_string_value(ip));
		print(&t->out, json_object_get(peer, "as_num"));
		buf_puts(&t->out, ";\n}\n\n");
	}
	return 0;
}

/* Checks that etcd has the keys that confd requests. etcd's error names the first absent
 * part of the key. */
static int check_keys(const struct template *t, struct err *e)
{
	static const char *const keys[] = {"/host", "/config", "/ipam/v4/pool"};
	size_t missing;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (!find(t->tree, keys[i], &missing))
			return err_set(e, ERR_FAILED, "100: Key not found (" KEYS "%.*s)",
				       (int)missing, keys[i]);
	return 0;
}

static int render(struct template *t, struct err *e)
{
	_cleanup_free_ char *own = xasprintf("/host/%s/bgp_peer_v4", t->host);

	if (check_keys(t, e) < 0)
		return -1;
	buf_printf(&t->out,
		   "# Generated by rackstrap's stand-in for calico-node\n"
		   "router id %s;\n\n",
		   t->ip);
	if (filters(t, e) < 0)
		return -1;
	protocols(t);
	if (mesh(t, e) < 0 || peers(t, "Global", "/config/bgp_peer_v4", e) < 0)
		return -1;
	return peers(t, "Node", own, e);
}

int calico_bird_render(const json_t *tree, const char *host, const char *ip, char **ret,
		       struct err *e)
{
	struct template t = {.tree = tree, .host = host, .ip = ip};
	int r = render(&t, e);

	if (r == 0)
		*ret = buf_take(&t.out);
	buf_done(&t.out);
	return r;
}
