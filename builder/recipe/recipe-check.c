/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks that need the whole recipe, with all included files: that mandatory parts are
 * there, that no path is written twice, that the lists of units do not contradict each
 * other.
 */
#include "builder/recipe/base-type.h"
#include "builder/recipe/recipe-parse.h"

void recipe_firsts_done(struct recipe_firsts *f)
{
	intern_done(&f->names);
	free(f->where);
}

const char *recipe_first_add(struct recipe_firsts *f, const char *name, const char *where)
{
	bool is_new;
	size_t i = intern(&f->names, name, &is_new);

	if (!is_new)
		return f->where[i];
	f->where = xgrow(f->where, i, sizeof(*f->where));
	f->where[i] = where;
	return NULL;
}

const char *recipe_first_find(const struct recipe_firsts *f, const char *name)
{
	size_t i;

	return intern_find(&f->names, name, &i) ? f->where[i] : NULL;
}

/* --- paths and names --------------------------------------------------------------- */

/* Returns true for a folder and for all that is below it. */
static bool is_below(const char *path, const char *folder)
{
	const char *rest = str_after(path, folder);

	return rest && (!*rest || *rest == '/');
}

const char *recipe_path_refusal(const char *path)
{
	path += *path == '/';
	if (is_below(path, "run/rackstrap/secrets"))
		return "made by firstboot itself: a secret is given in 'secrets' of the "
		       "rack file, so that no image has it";
	if (is_below(path, "run/rackstrap") || is_below(path, "var/lib/rackstrap"))
		return "made by firstboot itself";
	return NULL;
}

/* `to`: NULL when it is missing or wrong. */
static void target_add(struct recipe_firsts *t, const char *to, const char *where,
		       struct diag *d)
{
	const char *first = to ? recipe_first_add(t, to, where) : NULL;

	if (to && recipe_path_refusal(to))
		diag_add(d, "%s: to: '%s' is %s", where, to, recipe_path_refusal(to));
	if (first)
		diag_add(d, "%s: %s is already written (%s)", where, to, first);
}

/* Paths of templates are checked with more than recipe_path_refusal(). */
static void template_add(struct recipe_firsts *t, const struct recipe_template *one,
			 struct diag *d)
{
	const char *first = one->path ? recipe_first_add(t, one->path, one->where) : NULL;

	if (first)
		diag_add(d, "%s: %s is already written (%s)", one->where, one->path,
			 first);
}

static void targets_add_extract(struct recipe_firsts *t, const struct recipe_extract *v,
				size_t n, struct diag *d)
{
	for (size_t i = 0; i < n; i++) {
		target_add(t, v[i].to, v[i].where, d);
		targets_add_extract(t, v[i].v, v[i].n, d);
	}
}

static void check_targets(const struct recipe *r, struct diag *d)
{
	_cleanup_recipe_firsts_ struct recipe_firsts t = {0};

	for (size_t i = 0; i < r->n_files; i++)
		target_add(&t, r->files[i].to, r->files[i].where, d);
	for (size_t i = 0; i < r->n_templates; i++)
		template_add(&t, &r->templates[i], d);
	for (size_t i = 0; i < r->n_artifacts; i++) {
		const struct recipe_artifact *a = &r->artifacts[i];

		target_add(&t, a->to, a->where, d);
		targets_add_extract(&t, a->v, a->n, d);
	}
}

/* Adds a name, and complains if there is one already. `what`: "artifact" or the like. */
static void name_add(struct recipe_firsts *f, const char *what, const char *name,
		     const char *where, struct diag *d)
{
	const char *first = name ? recipe_first_add(f, name, where) : NULL;

	if (first)
		diag_add(d, "%s: %s '%s' is already defined (%s)", where, what, name,
			 first);
}

static void check_names(const struct recipe *r, struct diag *d)
{
	_cleanup_recipe_firsts_ struct recipe_firsts artifacts = {0}, containers = {0};

	for (size_t i = 0; i < r->n_artifacts; i++)
		name_add(&artifacts, "artifact", r->artifacts[i].name,
			 r->artifacts[i].where, d);
	for (size_t i = 0; i < r->n_containers; i++)
		name_add(&containers, "container", r->containers[i].image,
			 r->containers[i].where, d);
}

/* --- units ------------------------------------------------------------------------- */

/* The recipe's units, and the lists that name units. */
struct unit_names {
	struct recipe_firsts units, enable, disable, mask;
};

static void unit_names_done(struct unit_names *u)
{
	recipe_firsts_done(&u->units);
	recipe_firsts_done(&u->enable);
	recipe_firsts_done(&u->disable);
	recipe_firsts_done(&u->mask);
}
#define _cleanup_unit_names_ _cleanup_(unit_names_done)

static void switches_add(struct recipe_firsts *f, const struct recipe_switches *s,
			 const char *key, struct diag *d)
{
	for (size_t i = 0; i < s->n; i++) {
		const char *first = recipe_first_add(f, s->v[i].unit, s->v[i].where);

		if (first)
			diag_add(d, "%s: %s: '%s' is already defined (%s)", s->v[i].where,
				 key, s->v[i].unit, first);
	}
}

/* Complains about units of `enable` that another list has too. */
static void check_contradiction(const struct recipe *r, const struct recipe_firsts *other,
				const char *key, struct diag *d)
{
	for (size_t i = 0; i < r->enable.n; i++) {
		const struct recipe_switch *s = &r->enable.v[i];
		const char *where = recipe_first_find(other, s->unit);

		if (where)
			diag_add(d, "%s: '%s' is in both enable and %s (%s)", s->where,
				 s->unit, key, where);
	}
}

static void check_units(struct unit_names *u, const struct recipe *r, struct diag *d)
{
	for (size_t i = 0; i < r->n_units; i++)
		name_add(&u->units, "unit", r->units[i].name, r->units[i].where, d);
	switches_add(&u->enable, &r->enable, "enable", d);
	switches_add(&u->disable, &r->disable, "disable", d);
	switches_add(&u->mask, &r->mask, "mask", d);
	check_contradiction(r, &u->disable, "disable", d);
	check_contradiction(r, &u->mask, "mask", d);
	for (size_t i = 0; i < r->mask.n; i++) {
		const struct recipe_switch *s = &r->mask.v[i];
		const char *where = recipe_first_find(&u->units, s->unit);

		if (where)
			diag_add(d,
				 "%s: mask: '%s' is a unit of this recipe (%s): remove "
				 "one of the two",
				 s->where, s->unit, where);
	}
}

static void check_roles(const struct unit_names *u, const struct recipe *r,
			struct diag *d)
{
	for (size_t i = 0; i < r->roles.n; i++) {
		const struct role *role = &r->roles.v[i];

		for (size_t k = 0; role->units && role->units[k]; k++) {
			const char *masked = recipe_first_find(&u->mask, role->units[k]);

			if (masked)
				diag_add(d, "%s: role '%s': '%s' is masked (%s)",
					 r->role_wheres[i], role->name, role->units[k],
					 masked);
		}
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

static bool matches_all(const char *glob)
{
	return streq(glob, "/*") || streq(glob, "/**");
}

/* Complains about globs that leave out the whole base of a recipe that has no file to
 * add. Other globs are checked when the base's files are known (host-needs.c). */
static void check_exclude(const struct recipe *r, struct diag *d)
{
	bool adds = r->n_files > 0 || r->n_units > 0 || r->n_containers > 0;

	for (size_t i = 0; i < r->n_artifacts; i++)
		adds |= r->artifacts[i].use != ARTIFACT_BASE;
	for (size_t i = 0; !adds && r->exclude && r->exclude[i]; i++)
		if (matches_all(r->exclude[i]))
			diag_add(d,
				 "%s: exclude: '%s' leaves out every file of the base, "
				 "and the recipe adds none: the root image would be "
				 "empty",
				 r->exclude_where, r->exclude[i]);
}

void recipe_add_misspelled(char ***dst, const struct conf_node *group,
			   const char *const *keys)
{
	for (size_t i = 0; keys[i]; i++)
		if (!conf_member(group, keys[i]) && !conf_is_missing(group, keys[i]))
			strv_add(dst, keys[i]);
}

void recipe_check(const struct recipe *r, struct diag *d)
{
	_cleanup_unit_names_ struct unit_names units = {0};

	if (!r->name && !strv_has(r->misspelled, "name"))
		diag_add(d, "%s: name: missing%s, as in name = \"web\";", r->file,
			 r->includes ? ": a recipe that includes another needs its own"
				     : "");
	if (!r->base.where && !strv_has(r->misspelled, "base"))
		diag_add(d,
			 "%s: base: missing: an image is made from one, as in base = { "
			 "type = \"suite\"; ... };",
			 r->file);
	if (r->base.where && r->base.type)
		r->base.type->check(r, d);
	if (r->n_images == 0 && !d->n)
		diag_add(d, "%s: images: missing, as in images = [ \"pxe\" ];", r->file);
	check_initramfs(r, d);
	if (!d->n)
		check_exclude(r, d);
	check_names(r, d);
	check_targets(r, d);
	check_units(&units, r, d);
	check_roles(&units, r, d);
	recipe_product_check(r, d);
}
