/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Adds to a recipe with roles what every host needs and no recipe has to name:
 * firstboot's units, a target for each role, the timer that repairs hosts of a cluster,
 * and systemd-networkd. An entry of the recipe comes first: a unit or a file of the same
 * name replaces the unit, and a unit that is disabled or masked is not enabled.
 */
#include "builder/recipe/product.h"

#include "builder/recipe/recipe-parse.h"
#include "firstboot/model/feature.h"
#include "pxe/variables.h"

#define FIRSTBOOT  "rackstrap-firstboot.service"
#define REPORT     "rackstrap-report.service"
#define CONTAINERS "rackstrap-containers.service"
#define HEAL       "rackstrap-heal.service"
#define HEAL_TIMER "rackstrap-heal.timer"

static bool switches_have(const struct recipe_switches *s, const char *unit)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->v[i].unit, unit))
			return true;
	return false;
}

static bool is_off(const struct recipe *r, const char *unit)
{
	return switches_have(&r->disable, unit) || switches_have(&r->mask, unit);
}

/* Checks if the recipe has a unit of that name, or a file in its place. */
static bool has_unit(const struct recipe *r, const char *name)
{
	for (size_t i = 0; i < r->n_units; i++)
		if (r->units[i].name && streq(r->units[i].name, name))
			return true;
	for (size_t i = 0; i < r->n_files; i++) {
		const char *to = r->files[i].to;

		to = to ? str_after(to, RECIPE_UNIT_DIR) : NULL;
		if (to && streq(to, name))
			return true;
	}
	return false;
}

/* Takes `text` over. */
static void add_unit(struct recipe *r, const char *name, char *text)
{
	if (has_unit(r, name) || switches_have(&r->mask, name)) {
		free(text);
		return;
	}
	r->units = xgrow(r->units, r->n_units, sizeof(*r->units));
	r->units[r->n_units++] = (struct recipe_unit){
		.name = xstrdup(name),
		.text = text,
		.written = xstrdup(RECIPE_OWN),
		.where = xstrdup(RECIPE_OWN),
	};
}

static void enable(struct recipe *r, const char *unit, const char *why)
{
	struct recipe_switches *s = &r->enable;

	if (is_off(r, unit) || switches_have(s, unit))
		return;
	s->v = xgrow(s->v, s->n, sizeof(*s->v));
	s->v[s->n++] = (struct recipe_switch){
		.unit = xstrdup(unit), .where = xstrdup(r->roles_where), .why = why};
}

/* --- roles ------------------------------------------------------------------------- */

static char *target_of(const struct role *role)
{
	return xasprintf("rackstrap-%s.target", role->name);
}

/* Appends the targets of other roles than `except` to the text, behind `key`. */
static char *other_targets(const struct recipe *r, const struct role *except)
{
	struct buf b = {0};

	for (size_t i = 0; i < r->roles.n; i++) {
		_cleanup_free_ char *target = target_of(&r->roles.v[i]);

		if (&r->roles.v[i] != except)
			buf_printf(&b, "%s%s", b.len > 0 ? " " : "Conflicts=", target);
	}
	return buf_take(&b);
}

static void add_target(struct recipe *r, const struct role *role)
{
	_cleanup_free_ char *target = target_of(role), *others = other_targets(r, role);
	const struct variable vars[] = {
		{"role", role->name}, {"conflicts", others}, {NULL, NULL}};
	struct buf b = {0};

	variables_replace(&b, embed_unit_role, vars);
	add_unit(r, target, buf_take(&b));
}

/* Returns true when the role has a feature that `firstboot heal` repairs. */
static bool is_healed(const struct role *role)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (role_has(role, i) && features[i]->heals)
			return true;
	return false;
}

/* Adds the timer to the units of roles that it repairs. Returns the targets of all roles
 * that have it, owned by the caller. */
static char *add_heal_timer(struct recipe *r)
{
	struct buf b = {0};

	for (size_t i = 0; i < r->roles.n; i++) {
		struct role *role = &r->roles.v[i];
		_cleanup_free_ char *target = target_of(role);

		if (is_healed(role) && !is_off(r, HEAL_TIMER) &&
		    !strv_has(role->units, HEAL_TIMER))
			strv_add(&role->units, HEAL_TIMER);
		if (strv_has(role->units, HEAL_TIMER))
			buf_printf(&b, "%s%s", b.len > 0 ? " " : "", target);
	}
	return buf_take(&b);
}

static void add_heal(struct recipe *r)
{
	_cleanup_free_ char *targets = add_heal_timer(r);
	const struct variable vars[] = {{"targets", targets}, {NULL, NULL}};
	struct buf b = {0};

	if (!*targets)
		return;
	variables_replace(&b, embed_unit_heal_timer, vars);
	add_unit(r, HEAL_TIMER, buf_take(&b));
	add_unit(r, HEAL, xstrdup(embed_unit_heal));
}

/* --- checks ------------------------------------------------------------------------ */

static void check_needed(const struct recipe *r, const struct recipe_switches *s,
			 const char *key, const char *unit, const char *what,
			 struct diag *d)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->v[i].unit, unit))
			diag_add(d,
				 "%s: %s: '%s' %s: an image with roles needs it (%s); a "
				 "unit of this name in 'units' replaces it",
				 s->v[i].where, key, unit, what, r->roles_where);
}

void recipe_product_check(const struct recipe *r, struct diag *d)
{
	static const char configures[] = "configures the host";
	static const char reports[] = "reports that the host is ready";

	if (r->roles.n == 0)
		return;
	check_needed(r, &r->disable, "disable", FIRSTBOOT, configures, d);
	check_needed(r, &r->mask, "mask", FIRSTBOOT, configures, d);
	check_needed(r, &r->disable, "disable", REPORT, reports, d);
	check_needed(r, &r->mask, "mask", REPORT, reports, d);
	for (size_t i = 0; i < r->roles.n; i++) {
		_cleanup_free_ char *target = target_of(&r->roles.v[i]);

		check_needed(r, &r->mask, "mask", target, "starts the role's units", d);
	}
}

void recipe_product_add(struct recipe *r)
{
	if (r->roles.n == 0)
		return;
	add_unit(r, FIRSTBOOT, xstrdup(embed_unit_firstboot));
	add_unit(r, REPORT, xstrdup(embed_unit_report));
	add_unit(r, RECIPE_SSH_KEYS, xstrdup(embed_unit_ssh_keys));
	enable(r, FIRSTBOOT, NULL);
	enable(r, REPORT, NULL);
	enable(r, RECIPE_SSH_KEYS, NULL);
	enable(r, RECIPE_NETWORKD,
	       "firstboot configures the network of a host through it, and packages of "
	       "the base bring it (Debian's and Ubuntu's is systemd)");
	if (r->n_containers > 0 || switches_have(&r->enable, CONTAINERS)) {
		add_unit(r, CONTAINERS, xstrdup(embed_unit_containers));
		enable(r, CONTAINERS, NULL);
	}
	for (size_t i = 0; i < r->roles.n; i++)
		add_target(r, &r->roles.v[i]);
	add_heal(r);
}
