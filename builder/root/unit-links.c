/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unit's file is looked for in /etc/systemd/system, then in /usr/lib/systemd/system
 * (/lib/systemd/system where /usr is not merged), in the layer and in the base. A
 * template "getty@.service" is the file of every instance "getty@tty1.service".
 *
 * Limits: of the specifiers in WantedBy= and the like, %i, %p, %n and %% are known. Also=
 * is not followed: a recipe enables only the units that it names.
 */
#include "builder/root/unit-links.h"

#include "builder/common/unit-dirs.h"
#include "builder/root/unit-text.h"

#define ETC "etc/systemd/system/"

struct unit {
	char *path;       /* "etc/systemd/system/x.service" */
	const char *text; /* NULL for a link, such as a masked unit */
};

struct linker {
	struct layer *l;
	struct index *base;
};

/* --- finding ----------------------------------------------------------------------- */

bool unit_links_reads(const char *path)
{
	return unit_text_is(path);
}

static bool find_file(const struct linker *k, const char *name, struct unit *ret)
{
	for (size_t i = 0; i < UNIT_DIRS; i++) {
		_cleanup_free_ char *path = xasprintf("%s%s", unit_dirs[i], name);
		_cleanup_free_ char *real = index_resolve(k->base, path, false);
		const struct index_entry *entry = NULL;
		const struct layer_item *ours;

		if (!real)
			continue;
		ours = layer_find_added(k->l, real);
		if (ours) {
			*ret = (struct unit){TAKE_PTR(real), ours->text};
			return true;
		}
		entry = index_find(k->base, real);
		if (entry && entry->type != ENTRY_DIR) {
			*ret = (struct unit){TAKE_PTR(real), entry->text};
			return true;
		}
	}
	return false;
}

static bool find_unit(const struct linker *k, const char *name, struct unit *ret)
{
	_cleanup_free_ char *template = unit_text_template(name);

	*ret = (struct unit){0};
	return find_file(k, name, ret) || (template && find_file(k, template, ret));
}

/* --- [Install] --------------------------------------------------------------------- */

/* Returns the words of all lines "key=..." of [Install]. An empty value discards the
 * words of the lines before. Owned. */
static char **install_words(const char *text, const char *key)
{
	_cleanup_strv_ char **values = unit_text_values(text, "Install", key);
	struct strv_builder words = {0};

	for (size_t k = 0; values && values[k]; k++) {
		_cleanup_strv_ char **more = strv_split(values[k], " \t\r");

		if (!more)
			strv_builder_done(&words);
		for (size_t i = 0; more && more[i]; i++)
			strv_builder_add(&words, more[i]);
	}
	return strv_builder_take(&words);
}

/* --- links ------------------------------------------------------------------------- */

/* Adds a link to the unit, unless the layer or the base has it already. */
static void add_link(struct linker *k, const char *to, const struct unit *u,
		     const char *where)
{
	_cleanup_free_ char *target = xasprintf("/%s", u->path);
	struct index_entry *old = index_find(k->base, to);

	if (layer_find_added(k->l, to))
		return; /* a role and enable may both have it */
	if (old && !old->dropped && old->type == ENTRY_SYMLINK) {
		_cleanup_free_ char *real = index_resolve(k->base, old->target, false);

		if (real && streq(real, u->path))
			return;
	}
	layer_add_link(k->l, to, target, "unit link", where);
}

/* Returns false for words that would lead to another folder: "..", and "%i" in a unit
 * that is no instance, which is empty. */
static bool is_name(const char *s)
{
	return *s && *s != '.' && !strchr(s, '/');
}

/* Adds a link for each word of the key. Returns how many words there were. */
static size_t link_each(struct linker *k, const struct unit *u, const char *name,
			const char *key, const char *suffix, const char *where)
{
	_cleanup_strv_ char **words = install_words(u->text, key);
	size_t n = 0;

	for (; words && words[n]; n++) {
		_cleanup_free_ char *word = unit_text_expand(words[n], name), *to = NULL;

		if (!word || !is_name(word)) {
			diag_add(k->l->d, "%s: %s: [Install] %s=%s is not supported",
				 where, name, key, words[n]);
			continue;
		}
		to = suffix ? xasprintf("%s%s.%s/%s", ETC, word, suffix, name)
			    : xasprintf("%s%s", ETC, word);
		add_link(k, to, u, where);
	}
	return n;
}

static void enable_unit(struct linker *k, const struct recipe_switch *s)
{
	const char *name = s->unit, *where = s->where;
	struct unit u;
	size_t n = 0;

	if (!find_unit(k, name, &u) && s->why) {
		diag_add(k->l->d,
			 "%s: roles: the base has no unit '%s', but an image with roles "
			 "needs it: %s",
			 where, name, s->why);
		return;
	}
	if (!u.path) {
		diag_add(k->l->d,
			 "%s: enable: neither the recipe nor the base has a unit "
			 "'%s'",
			 where, name);
		return;
	}
	if (u.text) {
		n += link_each(k, &u, name, "WantedBy", "wants", where);
		n += link_each(k, &u, name, "RequiredBy", "requires", where);
		n += link_each(k, &u, name, "Alias", NULL, where);
	}
	if (n == 0)
		diag_add(
			k->l->d,
			"%s: enable: '%s' (/%s) has no [Install] section with WantedBy=, "
			"RequiredBy= or Alias=",
			where, name, u.path);
	free(u.path);
}

/* Drops the base's links in /etc/systemd/system that start one of the units or are an
 * alias of one. */
static void drop_links(struct linker *k, const struct recipe_switches *units)
{
	_cleanup_intern_ struct intern names = {0};

	for (size_t i = 0; i < units->n; i++)
		intern(&names, units->v[i].unit, NULL);
	for (size_t i = 0; i < k->base->n; i++) {
		struct index_entry *entry = &k->base->v[i];
		const char *file, *target;

		if (entry->type != ENTRY_SYMLINK || !str_after(entry->path, ETC))
			continue;
		file = strrchr(entry->path, '/') + 1;
		target = strrchr(entry->target, '/');
		target = target ? target + 1 : entry->target;
		if (intern_find(&names, file, NULL) || intern_find(&names, target, NULL))
			entry->dropped = true;
	}
}

static void disable_units(struct linker *k, const struct recipe_switches *units)
{
	for (size_t i = 0; i < units->n; i++) {
		const struct recipe_switch *s = &units->v[i];
		struct unit u;

		if (!find_unit(k, s->unit, &u))
			diag_add(k->l->d,
				 "%s: disable: neither the recipe nor the base has a "
				 "unit '%s'",
				 s->where, s->unit);
		free(u.path);
	}
	drop_links(k, units);
}

static void mask_units(struct linker *k, const struct recipe_switches *units)
{
	drop_links(k, units);
	for (size_t i = 0; i < units->n; i++) {
		const struct recipe_switch *s = &units->v[i];
		_cleanup_free_ char *to = xasprintf("%s%s", ETC, s->unit);

		layer_add_link(k->l, to, "/dev/null", "mask", s->where);
	}
}

static void link_role(struct linker *k, const struct role *role, const char *where)
{
	for (size_t i = 0; role->units && role->units[i]; i++) {
		const char *name = role->units[i];
		_cleanup_free_ char *to = xasprintf("%srackstrap-%s.target.wants/%s", ETC,
						    role->name, name);
		struct unit u;

		if (find_unit(k, name, &u))
			add_link(k, to, &u, where);
		else
			diag_add(k->l->d,
				 "%s: role '%s': neither the recipe nor the base has a "
				 "unit '%s'",
				 where, role->name, name);
		free(u.path);
	}
}

/* Complains about units of a template that the image does not have: a host could not
 * restart them. */
static void check_template(const struct linker *k, const struct recipe_template *t)
{
	for (size_t i = 0; t->units && t->units[i]; i++) {
		struct unit u;

		if (!find_unit(k, t->units[i], &u))
			diag_add(k->l->d,
				 "%s: template: units: neither the recipe nor the base "
				 "has a unit '%s'",
				 t->units_where, t->units[i]);
		free(u.path);
	}
}

void unit_links(struct layer *l, struct index *base, const struct recipe *r)
{
	struct linker k = {.l = l, .base = base};

	disable_units(&k, &r->disable);
	for (size_t i = 0; i < r->enable.n; i++)
		enable_unit(&k, &r->enable.v[i]);
	for (size_t i = 0; i < r->roles.n; i++)
		link_role(&k, &r->roles.v[i], r->role_wheres[i]);
	for (size_t i = 0; i < r->n_templates; i++)
		check_template(&k, &r->templates[i]);
	mask_units(&k, &r->mask);
}

/* --- forecasts --------------------------------------------------------------------- */

/* Adds the links that a unit's [Install] asks for to the words: "PATH TARGET". */
static void collect_links(struct intern *links, const char *path, const char *text)
{
	static const struct {
		const char *key, *folder;
	} keys[] = {{"WantedBy", ".wants/"}, {"RequiredBy", ".requires/"}, {"Alias", ""}};
	const char *name = strrchr(path, '/') + 1;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_strv_ char **words = install_words(text, keys[i].key);

		for (size_t k = 0; words && words[k]; k++) {
			_cleanup_free_ char *link =
				xasprintf("%s%s%s%s /%s", ETC, words[k], keys[i].folder,
					  *keys[i].folder ? name : "", path);

			if (is_name(words[k]) && !strpbrk(link, "%"))
				intern(links, link, NULL);
		}
	}
}

void unit_links_forecast(struct index *base)
{
	_cleanup_intern_ struct intern links = {0}, paths = {0};
	_cleanup_free_ bool *add = NULL;

	for (size_t i = 0; i < base->n; i++)
		if (base->v[i].text && unit_dirs_have(base->v[i].path))
			collect_links(&links, base->v[i].path, base->v[i].text);
	add = xcalloc(links.n + 1, sizeof(*add));
	for (size_t i = 0; i < links.n; i++) {
		_cleanup_free_ char *path =
			xstrndup(links.texts[i], strcspn(links.texts[i], " "));
		bool is_new;

		intern(&paths, path, &is_new);
		add[i] = is_new && !index_find(base, path);
	}
	/* Nothing is looked up until all are added and sorted. */
	for (size_t i = 0; i < links.n; i++) {
		size_t len = strcspn(links.texts[i], " ");
		_cleanup_free_ char *path = xstrndup(links.texts[i], len);

		if (add[i])
			index_add_link(base, path, links.texts[i] + len + 1);
	}
	index_sort(base);
}
