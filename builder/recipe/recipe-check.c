/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks that need the whole recipe, with all included files: that mandatory parts are
 * there, that no path is written twice, that the lists of units do not contradict each
 * other.
 */
#include "builder/recipe/base-type.h"
#include "builder/recipe/recipe-parse.h"

/* The paths that are written, each with its place in the recipe. */
struct targets {
	struct target {
		const char *to, *where;
	} * v;
	size_t n;
};

static void target_add(struct targets *t, const char *to, const char *where,
		       struct diag *d)
{
	if (!to)
		return;
	for (size_t i = 0; i < t->n; i++)
		if (streq(t->v[i].to, to)) {
			diag_add(d, "%s: %s is already written (%s)", where, to,
				 t->v[i].where);
			return;
		}
	t->v = xrealloc(t->v, (t->n + 1) * sizeof(*t->v));
	t->v[t->n++] = (struct target){to, where};
}

static void targets_add_extract(struct targets *t, const struct recipe_extract *v,
				size_t n, struct diag *d)
{
	for (size_t i = 0; i < n; i++) {
		target_add(t, v[i].to, v[i].where, d);
		targets_add_extract(t, v[i].v, v[i].n, d);
	}
}

static void check_targets(const struct recipe *r, struct diag *d)
{
	struct targets t = {0};

	for (size_t i = 0; i < r->n_files; i++)
		target_add(&t, r->files[i].to, r->files[i].where, d);
	for (size_t i = 0; i < r->n_artifacts; i++) {
		const struct recipe_artifact *a = &r->artifacts[i];

		target_add(&t, a->to, a->where, d);
		targets_add_extract(&t, a->v, a->n, d);
	}
	free(t.v);
}

static void check_artifacts(const struct recipe *r, struct diag *d)
{
	for (size_t i = 0; i < r->n_artifacts; i++)
		for (size_t k = 0; k < i; k++) {
			const struct recipe_artifact *a = &r->artifacts[i];
			const struct recipe_artifact *first = &r->artifacts[k];

			if (a->name && first->name && streq(a->name, first->name))
				diag_add(d, "%s: artifact '%s' is already defined (%s)",
					 a->where, a->name, first->where);
		}
}

static void check_containers(const struct recipe *r, struct diag *d)
{
	for (size_t i = 0; i < r->n_containers; i++)
		for (size_t k = 0; k < i; k++) {
			const struct recipe_container *c = &r->containers[i];
			const struct recipe_container *first = &r->containers[k];

			if (c->image && first->image && streq(c->image, first->image))
				diag_add(d, "%s: container '%s' is already defined (%s)",
					 c->where, c->image, first->where);
		}
}

static const struct recipe_unit *find_unit(const struct recipe *r, const char *name)
{
	for (size_t i = 0; i < r->n_units; i++)
		if (streq(r->units[i].name, name))
			return &r->units[i];
	return NULL;
}

static void check_units(const struct recipe *r, struct diag *d)
{
	for (size_t i = 0; i < r->n_units; i++) {
		const struct recipe_unit *first = find_unit(r, r->units[i].name);

		if (first != &r->units[i])
			diag_add(d, "%s: unit '%s' is already defined (%s)",
				 r->units[i].where, r->units[i].name, first->where);
	}
}

static const struct recipe_switch *find_switch(const struct recipe_switches *s,
					       const char *unit)
{
	for (size_t i = 0; i < s->n; i++)
		if (streq(s->v[i].unit, unit))
			return &s->v[i];
	return NULL;
}

static void check_contradiction(const struct recipe_switches *a, const char *a_key,
				const struct recipe_switches *b, const char *b_key,
				struct diag *d)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct recipe_switch *other = find_switch(b, a->v[i].unit);

		if (a == b && other == &a->v[i])
			continue;
		if (a == b)
			diag_add(d, "%s: %s: '%s' is already defined (%s)", a->v[i].where,
				 a_key, a->v[i].unit, other->where);
		else if (other)
			diag_add(d, "%s: '%s' is in both %s and %s (%s)", a->v[i].where,
				 a->v[i].unit, a_key, b_key, other->where);
	}
}

static void check_switches(const struct recipe *r, struct diag *d)
{
	check_contradiction(&r->enable, "enable", &r->enable, "enable", d);
	check_contradiction(&r->disable, "disable", &r->disable, "disable", d);
	check_contradiction(&r->mask, "mask", &r->mask, "mask", d);
	check_contradiction(&r->enable, "enable", &r->disable, "disable", d);
	check_contradiction(&r->enable, "enable", &r->mask, "mask", d);
	for (size_t i = 0; i < r->mask.n; i++) {
		const struct recipe_unit *u = find_unit(r, r->mask.v[i].unit);

		if (u)
			diag_add(d,
				 "%s: mask: '%s' is a unit of this recipe (%s): remove "
				 "one of the two",
				 r->mask.v[i].where, u->name, u->where);
	}
}

/* firstboot starts rackstrap-<role>.target and nothing else. */
static void check_roles(const struct recipe *r, struct diag *d)
{
	for (size_t i = 0; i < r->roles.n; i++) {
		const struct role *role = &r->roles.v[i];
		_cleanup_free_ char *target = NULL;

		if (!role->name || !role->units)
			continue;
		target = xasprintf("rackstrap-%s.target", role->name);
		if (!find_unit(r, target))
			diag_add(d,
				 "%s: role '%s' needs a unit '%s' in 'units': it is what "
				 "a host of that role starts",
				 r->roles_where, role->name, target);
		for (size_t k = 0; role->units && role->units[k]; k++)
			if (find_switch(&r->mask, role->units[k]))
				diag_add(d, "%s: role '%s': '%s' is masked (%s)",
					 r->roles_where, role->name, role->units[k],
					 find_switch(&r->mask, role->units[k])->where);
	}
}

static void check_initramfs(const struct recipe *r, struct diag *d)
{
	const struct recipe_initramfs *i = &r->initramfs;

	if (i->policy == INITRAMFS_LIST && !i->modules)
		diag_add(d,
			 "%s: initramfs: modules: missing: list the modules that the "
			 "kernel needs to find its root, or set policy = \"most\";",
			 i->where ? i->where : r->file);
}

void recipe_check(const struct recipe *r, struct diag *d)
{
	if (!r->name)
		diag_add(d, "%s: name: missing (a variant needs its own name)", r->file);
	if (!r->base.where)
		diag_add(d,
			 "%s: base: missing, as in base = { type = \"suite\"; ... };: an "
			 "image is made from a base",
			 r->file);
	else if (r->base.type)
		r->base.type->check(r, d);
	if (r->n_images == 0 && !d->n)
		diag_add(d, "%s: images: missing, as in images = [ \"pxe\" ];", r->file);
	check_initramfs(r, d);
	check_artifacts(r, d);
	check_containers(r, d);
	check_targets(r, d);
	check_units(r, d);
	check_switches(r, d);
	check_roles(r, d);
}
