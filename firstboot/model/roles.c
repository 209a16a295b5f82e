/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/feature.h"
#include "lib/url.h"

#include <fcntl.h>

static const char *const role_keys[] = {"name", "units", "ready", "features", NULL};

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
	const struct conf_node *list = conf_member(n, "ready");

	for (size_t i = 0; r->ready && r->ready[i]; i++)
		if (url_has_userinfo(r->ready[i]))
			conf_complain(list, d,
				      "ready: '%s' has a user name or password in it, "
				      "which everybody with the image could see",
				      r->ready[i]);
		else if (!is_ready_entry(r->ready[i]))
			conf_complain(
				list, d,
				"ready: '%s' must be a URL, \"http://...\", or a URL "
				"and a condition, \"http://... condition=Ready\"",
				r->ready[i]);
}

static void complain_unknown_feature(const struct conf_node *n, const char *name,
				     struct diag *d)
{
	_cleanup_strv_ char **names = feature_names(FEATURES_ALL);
	_cleanup_free_ char *all = strv_join(names, ", ");
	const char *near = feature_nearest(name);

	conf_complain(n, d, "features: there is no feature '%s', there are: %s%s%s%s",
		      name, all, near ? " (did you mean '" : "", near ? near : "",
		      near ? "'?)" : "");
}

static void load_features(struct role *r, const struct conf_node *n, struct diag *d)
{
	const struct conf_node *list = conf_member(n, "features");
	_cleanup_strv_ char **names = NULL;

	if (!list || conf_get_strv(n, "features", &names, d) < 0)
		return;
	for (size_t i = 0; names && names[i]; i++) {
		const struct feature *f = feature_find(names[i]);

		if (f)
			r->features |= FEATURE_BIT(f->id);
		else
			complain_unknown_feature(conf_at(list, i), names[i], d);
	}
	r->features = features_close(r->features);
}

/* Complains about a key that features have replaced. Returns true when there is one. */
static bool has_flags(const struct conf_node *n, struct diag *d)
{
	bool found = false;

	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		const char *flag = features[i]->role_flag;

		if (!flag || !conf_member(n, flag))
			continue;
		conf_complain(
			conf_member(n, flag), d,
			"%s is no longer a key of a role: write features = [ \"%s\" "
			"], with all others that it needs (recipe.cfg(5) lists them)",
			flag, features[i]->name);
		found = true;
	}
	return found;
}

static int role_load(struct role *r, const struct conf_node *n, struct diag *d)
{
	const char *name = NULL;
	size_t before = d->n;

	r->name = xstrdup("");
	if (conf_type(n) != CONF_GROUP)
		return conf_complain(n, d, "a role must be a group: { name = ...; }");
	if (!has_flags(n, d))
		(void)!conf_check_keys(n, role_keys, d);
	if (conf_get_str(n, "name", &name, d) == 0 || (name && !*name))
		conf_complain(n, d, "a role needs a name");
	(void)!conf_get_strv(n, "units", &r->units, d);
	(void)!conf_get_strv(n, "ready", &r->ready, d);
	check_ready(r, n, d);
	load_features(r, n, d);
	if (name) {
		free(r->name);
		r->name = xstrdup(name);
	}
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
		if (!*role->name)
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
	if (conf_read_at(&c, AT_FDCWD, path, path, CONF_MAX_IMAGE, CONF_NO_INCLUDE, d) <
	    0)
		return -1;
	return roles_load_file(ret, c, d);
}

int roles_read_root(struct roles *ret, int rootfd, struct diag *d)
{
	_cleanup_conf_ struct conf *c = NULL;

	if (conf_read_root(&c, rootfd, ROLES_PATH, ROLES_PATH, CONF_MAX_IMAGE, d) < 0)
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

uint32_t roles_features(const struct roles *r)
{
	uint32_t set = 0;

	if (r->any)
		return FEATURES_ALL;
	for (size_t i = 0; i < r->n; i++)
		set |= r->v[i].features;
	return set;
}

void roles_done(struct roles *r)
{
	for (size_t i = 0; i < r->n; i++)
		role_done(&r->v[i]);
	free(r->v);
	free(r->image);
	intern_done(&r->names);
	*r = (struct roles){0};
}
