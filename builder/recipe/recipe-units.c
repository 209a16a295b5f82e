/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recipe's units (our files for /etc/systemd/system), the lists of units that are
 * enabled, disabled and masked, and the roles, which consist of units.
 */
#include "builder/recipe/recipe-parse.h"

static void unit_done(void *entry)
{
	struct recipe_unit *u = entry;

	free(u->name);
	free(u->source);
	free(u->text);
	free(u->written);
	free(u->where);
}

static void switches_empty(struct recipe_switches *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->v[i].unit);
		free(s->v[i].where);
	}
	free(s->v);
	*s = (struct recipe_switches){0};
}

void recipe_units_done(struct recipe *r)
{
	for (size_t i = 0; i < r->n_units; i++)
		unit_done(&r->units[i]);
	free(r->units);
	switches_empty(&r->enable);
	switches_empty(&r->disable);
	switches_empty(&r->mask);
	roles_done(&r->roles);
	free(r->roles_where);
	strv_free(r->role_wheres);
}

/* Reads element `i` of a list of units. */
static int unit_string(const struct conf_node *list, size_t i, const char *key,
		       const char **ret, struct diag *d)
{
	const struct conf_node *n = conf_at(list, i);

	if (conf_type(n) != CONF_STRING)
		return conf_complain(n, d, "%s: element %zu must be a string", key,
				     i + 1);
	return conf_str(n, ret, d);
}

static void parse_unit(void *entry, const struct conf_node *n, struct diag *d)
{
	struct recipe_unit *u = entry;
	const char *s = NULL, *slash;

	if (conf_str(n, &s, d) < 0)
		return;
	slash = strrchr(s, '/');
	recipe_set_where(&u->where, n);
	u->written = xstrdup(s);
	u->name = xstrdup(slash ? slash + 1 : s);
	u->source = recipe_beside(n, s);
	if (!recipe_is_unit(u->name))
		recipe_complain_unit(n, "units: ", u->name, d);
	else
		recipe_check_file(n, "units", u->source, d);
}

static void parse_units(struct recipe *r, const struct conf_node *root, struct diag *d)
{
	static const struct recipe_list type = {
		.key = "units",
		.strings = true,
		.size = sizeof(struct recipe_unit),
		.name = offsetof(struct recipe_unit, name),
		.where = offsetof(struct recipe_unit, where),
		.parse = parse_unit,
		.done = unit_done,
	};

	r->units = recipe_lay_list(&type, r->units, &r->n_units, root, d);
}

static void parse_switches(struct recipe_switches *s, const struct conf_node *root,
			   const char *key, struct diag *d)
{
	const struct conf_node *list = NULL;

	if (conf_get_list(root, key, &list, d) <= 0)
		return;
	switches_empty(s);
	s->v = xcalloc(conf_len(list), sizeof(*s->v));
	for (size_t i = 0; i < conf_len(list); i++) {
		const struct conf_node *n = conf_at(list, i);
		const char *unit = NULL;

		if (unit_string(list, i, key, &unit, d) < 0)
			continue;
		if (!recipe_is_unit(unit)) {
			_cleanup_free_ char *prefix = xasprintf("%s: ", key);

			recipe_complain_unit(n, prefix, unit, d);
		}
		s->v[s->n].unit = xstrdup(unit);
		s->v[s->n++].where = recipe_node_where(n);
	}
}

/* A role's name becomes that of a systemd target. */
static bool is_role(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz0123456789-";

	return *s && s[0] != '-' && !s[strspn(s, ok)] && strlen(s) <= 32;
}

/* Complains about ${NAME} in `ready` of a role without the feature whose file has the
 * value. */
static void check_ready(const struct role *role, const struct conf_node *n,
			struct diag *d)
{
	for (size_t i = 0; role->ready && role->ready[i]; i++)
		if (strstr(role->ready[i], "${") &&
		    !role_has(role, FEATURE_NETWORK_ENVIRONMENT))
			conf_complain(conf_member(n, "ready"), d,
				      "role '%s': ready: '%s' has a ${NAME}, which needs "
				      "the feature 'network-environment'",
				      role->name, role->ready[i]);
}

static void check_role(const struct role *role, const struct conf_node *n, struct diag *d)
{
	_cleanup_free_ char *prefix = xasprintf("role '%s': ", role->name);

	if (*role->name && !is_role(role->name))
		conf_complain(conf_member(n, "name"), d,
			      "%smust be lower-case letters, digits and '-', at most 32",
			      prefix);
	check_ready(role, n, d);
	for (size_t i = 0; role->units && role->units[i]; i++)
		if (!recipe_is_unit(role->units[i]))
			recipe_complain_unit(conf_member(n, "units"), prefix,
					     role->units[i], d);
}

static void parse_roles(struct recipe *r, const struct conf_node *root, struct diag *d)
{
	_cleanup_strv_builder_ struct strv_builder wheres = {0};
	const struct conf_node *list = NULL;

	if (conf_get_list(root, "roles", &list, d) <= 0)
		return;
	roles_done(&r->roles);
	recipe_set_where(&r->roles_where, list);
	(void)!roles_load(&r->roles, list, d);
	for (size_t i = 0; i < r->roles.n; i++) {
		const struct conf_node *n = conf_at(list, i),
				       *units = conf_member(n, "units");
		_cleanup_free_ char *where = recipe_node_where(units ? units : n);

		check_role(&r->roles.v[i], n, d);
		strv_builder_add(&wheres, where);
	}
	strv_free(r->role_wheres);
	r->role_wheres = strv_builder_take(&wheres);
}

void recipe_parse_units(struct recipe *r, const struct conf_node *root, struct diag *d)
{
	parse_units(r, root, d);
	parse_switches(&r->enable, root, "enable", d);
	parse_switches(&r->disable, root, "disable", d);
	parse_switches(&r->mask, root, "mask", d);
	parse_roles(r, root, d);
}
