/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The roles of an image. The builder writes them into the image from its recipe, for
 * firstboot. Without an image, on the operator's machine, the built-in roles are used,
 * which are those of the shipped recipes.
 */
#include "firstboot/model/host.h"
#include "lib/url.h"

#include <fcntl.h>

static const char *const role_keys[] = {"name", "units", "ready", "cbr0", "master", NULL};

static void role_done(struct role *r)
{
	free(r->name);
	strv_free(r->units);
	strv_free(r->ready);
}

/* Returns true for a URL, or a URL followed by a condition. */
static bool is_ready_entry(const char *s)
{
	const char *condition = strstr(s, READY_CONDITION);
	_cleanup_free_ char *url =
		xstrndup(s, condition ? (size_t)(condition - s) : strlen(s));
	const char *type = condition ? condition + strlen(READY_CONDITION) : "x";

	return (str_after(url, "http://") || str_after(url, "https://")) &&
	       !strpbrk(url, " \t\n\"") && *type && !strpbrk(type, " \t\n=");
}

static void check_ready(const struct role *r, const struct conf_node *n, struct diag *d)
{
	for (size_t i = 0; r->ready && r->ready[i]; i++)
		if (url_has_userinfo(r->ready[i]))
			conf_complain(n, d,
				      "ready: '%s' has a user name or password in it, "
				      "which everybody with the image could see",
				      r->ready[i]);
		else if (!is_ready_entry(r->ready[i]))
			conf_complain(
				n, d,
				"ready: '%s' must be a URL, \"http://...\", or a URL "
				"and a condition, \"http://... condition=Ready\"",
				r->ready[i]);
}

static int role_load(struct role *r, const struct conf_node *n, struct diag *d)
{
	const char *name = NULL;
	size_t before = d->n;

	if (conf_type(n) != CONF_GROUP)
		return conf_complain(n, d, "a role must be a group: { name = ...; }");
	(void)!conf_check_keys(n, role_keys, d);
	if (conf_get_str(n, "name", &name, d) == 0 || (name && !*name))
		conf_complain(n, d, "a role needs a name");
	(void)!conf_get_strv(n, "units", &r->units, d);
	(void)!conf_get_strv(n, "ready", &r->ready, d);
	check_ready(r, n, d);
	(void)!conf_get_bool(n, "cbr0", &r->cbr0, d);
	(void)!conf_get_bool(n, "master", &r->master, d);
	r->name = xstrdup(name);
	return d->n == before ? 0 : -1;
}

int roles_load(struct roles *ret, const struct conf_node *list, struct diag *d)
{
	bool is_new;
	int r = 0;

	ret->v = xcalloc(conf_len(list), sizeof(*ret->v));
	for (size_t i = 0; i < conf_len(list); i++) {
		struct role *role = &ret->v[ret->n++];

		if (role_load(role, conf_at(list, i), d) < 0)
			r = -1;
		if (!role->name)
			continue;
		intern(&ret->names, role->name, &is_new);
		if (!is_new)
			r = conf_complain(conf_at(list, i), d,
					  "role '%s' is defined twice", role->name);
	}
	return r;
}

static int roles_load_file(struct roles *ret, const struct conf *c, struct diag *d)
{
	static const char *const keys[] = {"roles", NULL};
	_cleanup_roles_ struct roles roles = {0};
	const struct conf_node *list = NULL;
	int r = conf_check_keys(conf_root(c), keys, d);

	if (conf_get_list(conf_root(c), "roles", &list, d) < 0)
		return -1;
	if (conf_len(list) == 0)
		return diag_add(d, "%s: no roles: ( { name = ...; }, ... )",
				conf_name(c));
	if (roles_load(&roles, list, d) < 0 || r < 0)
		return -1;
	*ret = roles;
	roles = (struct roles){0};
	return 0;
}

int roles_read(struct roles *ret, const char *path, struct diag *d)
{
	_cleanup_conf_ struct conf *c = NULL;
	_cleanup_diag_ struct diag local = {0};

	if (!d)
		d = &local; /* role_load needs a diag: it counts complaints */
	if (conf_read_at(&c, AT_FDCWD, path, path, CONF_MAX, CONF_NO_INCLUDE, d) < 0)
		return -1;
	return roles_load_file(ret, c, d);
}

int roles_read_root(struct roles *ret, int rootfd, struct diag *d)
{
	_cleanup_conf_ struct conf *c = NULL;

	if (conf_read_root(&c, rootfd, ROLES_PATH, ROLES_PATH, CONF_MAX, d) < 0)
		return -1;
	return roles_load_file(ret, c, d);
}

void roles_index(struct roles *r)
{
	for (size_t i = 0; i < r->n; i++)
		intern(&r->names, r->v[i].name, NULL);
}

const struct role *roles_find(const struct roles *r, const char *name)
{
	size_t at;

	if (r->names.n == r->n)
		return intern_find(&r->names, name, &at) ? &r->v[at] : NULL;
	for (size_t i = 0; i < r->n; i++)
		if (streq(r->v[i].name, name))
			return &r->v[i];
	return NULL;
}

bool role_is_of_cluster(const struct role *r)
{
	return r->cbr0 || r->master;
}

bool roles_have_cluster(const struct roles *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (role_is_of_cluster(&r->v[i]))
			return true;
	return false;
}

/* --- built-in roles ---------------------------------------------------------------- */

static const char *const master_units[] = {
	"docker.service",         "etcd.service",
	"kube-apiserver.service", "kube-controller-manager.service",
	"kube-scheduler.service", "rackstrap-pool.service",
	"calico-node.service",    "rackstrap-heal.timer",
};
static const char *const master_ready[] = {
	"http://127.0.0.1:4001/health",
	"http://127.0.0.1:8080/healthz",
	"http://127.0.0.1:10251/healthz",
	"http://127.0.0.1:10252/healthz",
};
static const char *const node_units[] = {
	"docker.service",       "calico-node.service",    "kube-proxy.service",
	"kube-kubelet.service", "rackstrap-pool.service", "rackstrap-heal.timer",
};
static const char *const node_ready[] = {
	"http://127.0.0.1:10248/healthz",
	"http://127.0.0.1:10249/healthz",
	"http://${KUBERNETES_MASTER}:8080/api/v1/nodes/${DEFAULT_IPV4}" READY_CONDITION
	"Ready",
};

static void role_set(struct role *r, const char *name, const char *const *units, size_t n,
		     const char *const *ready, size_t m)
{
	r->name = xstrdup(name);
	for (size_t i = 0; i < n; i++)
		strv_add(&r->units, units[i]);
	for (size_t i = 0; i < m; i++)
		strv_add(&r->ready, ready[i]);
}

void roles_builtin(struct roles *ret)
{
	*ret = (struct roles){.v = xcalloc(2, sizeof(*ret->v)), .n = 2, .builtin = true};
	role_set(&ret->v[0], "master", master_units, ARRAY_SIZE(master_units),
		 master_ready, ARRAY_SIZE(master_ready));
	ret->v[0].master = true;
	role_set(&ret->v[1], "node", node_units, ARRAY_SIZE(node_units), node_ready,
		 ARRAY_SIZE(node_ready));
	ret->v[1].cbr0 = true;
}

void roles_done(struct roles *r)
{
	for (size_t i = 0; i < r->n; i++)
		role_done(&r->v[i]);
	free(r->v);
	intern_done(&r->names);
	*r = (struct roles){0};
}
