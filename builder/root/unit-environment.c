/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A unit's file is the first of its name in the folders of units, else that of its
 * template; then come the drop-ins NAME.d/ (*.conf) by their names, of which the first
 * folder's replaces others of its name (systemd.unit(5)).
 *
 * Limits: drop-ins for all units of a type or of a prefix ("service.d", "a-.service.d")
 * are not read, and the only specifiers that are known are %i, %n, %p and %%.
 */
#include "builder/root/unit-environment.h"

#include "builder/common/unit-dirs.h"
#include "builder/root/unit-text.h"
#include "lib/file.h"

#define UNIT_MAX (1024 * 1024)

bool unit_environment_reads(const char *path)
{
	return unit_dirs_have(path) && (str_ends(path, ".conf") || unit_text_is(path));
}

/* Sets *ret to the text of a file of the image, owned by the caller. Returns 1, 0 when
 * there is no such file, or -1 when it cannot be read. */
static int read_text(char **ret, const struct index *base, const struct layer *l,
		     const char *path)
{
	const struct layer_item *ours = layer_find(l, path);
	const struct index_entry *entry;

	if (ours && ours->type != ENTRY_FILE)
		return 0;
	if (ours && ours->source == LAYER_TEXT)
		return *ret = xstrdup(ours->text), 1;
	if (ours)
		return ours->source == LAYER_FILE &&
				       file_read_regular_at(AT_FDCWD, ours->file,
							    UNIT_MAX, ret, NULL) == 0
			       ? 1
			       : -1;
	entry = index_find(base, path);
	if (!entry || entry->dropped || entry->type == ENTRY_DIR)
		return 0;
	*ret = xstrdup(entry->text);
	return *ret ? 1 : -1;
}

/* Does the same for a unit's own file. */
static int read_unit(char **ret, const struct index *base, const struct layer *l,
		     const char *name)
{
	for (size_t i = 0; i < UNIT_DIRS; i++) {
		_cleanup_free_ char *path = xasprintf("%s%s", unit_dirs[i], name);
		_cleanup_free_ char *real = index_resolve(base, path, true);
		int r = real ? read_text(ret, base, l, real) : 0;

		if (r != 0)
			return r;
	}
	return 0;
}

/* --- drop-ins ---------------------------------------------------------------------- */

/* Returns the drop-in's name if the path is that of one in the folder, else NULL. */
static const char *drop_in_name(const char *path, const char *folder)
{
	const char *name = str_after(path, folder);

	return name && !strchr(name, '/') && str_ends(name, ".conf") ? name : NULL;
}

/* Adds "NAME\nPATH" for the drop-ins in one folder, unless one of the name is there. A
 * name may have blanks. */
static void list_folder(struct strv_builder *v, struct intern *names,
			const struct index *base, const struct layer *l,
			const char *folder)
{
	for (size_t i = 0; i < base->n; i++) {
		const char *name = drop_in_name(base->v[i].path, folder);

		if (name && !base->v[i].dropped && !intern_find(names, name, NULL))
			strv_builder_addf(v, "%s\n%s", name, base->v[i].path);
	}
	for (size_t i = 0; i < l->n; i++) {
		const char *name = drop_in_name(l->v[i].path, folder);

		if (name && !intern_find(names, name, NULL))
			strv_builder_addf(v, "%s\n%s", name, l->v[i].path);
	}
	for (size_t i = 0; i < v->n; i++) {
		_cleanup_free_ char *name = xstrndup(v->v[i], strcspn(v->v[i], "\n"));

		intern(names, name, NULL);
	}
}

/* Returns "NAME\nPATH" of all drop-ins of a unit, sorted. Owned by the caller. */
static char **drop_ins(const struct index *base, const struct layer *l, const char *unit)
{
	_cleanup_free_ char *template = unit_text_template(unit);
	_cleanup_intern_ struct intern names = {0};
	struct strv_builder v = {0};
	const char *const owners[] = {unit, template};
	char **ret;

	for (size_t i = 0; i < UNIT_DIRS; i++)
		for (size_t k = 0; k < ARRAY_SIZE(owners); k++) {
			_cleanup_free_ char *folder = NULL;

			if (!owners[k])
				continue;
			folder = xasprintf("%s%s.d/", unit_dirs[i], owners[k]);
			list_folder(&v, &names, base, l, folder);
		}
	ret = strv_builder_take(&v);
	strv_sort(ret);
	return ret;
}

/* --- keys -------------------------------------------------------------------------- */

/* Adds the texts of a unit and its drop-ins. Returns false when one is not known. */
static bool read_all(struct strv_builder *v, const struct index *base,
		     const struct layer *l, const char *unit)
{
	_cleanup_free_ char *template = unit_text_template(unit), *text = NULL;
	_cleanup_strv_ char **more = drop_ins(base, l, unit);
	int r = read_unit(&text, base, l, unit);

	if (r == 0 && template)
		r = read_unit(&text, base, l, template);
	if (r <= 0)
		return false;
	strv_builder_add(v, text);
	for (size_t i = 0; more && more[i]; i++) {
		_cleanup_free_ char *one = NULL;

		r = read_text(&one, base, l, strchr(more[i], '\n') + 1);
		if (r < 0)
			return false;
		if (r > 0)
			strv_builder_add(v, one);
	}
	return true;
}

/* Adds a value, and for an empty one discards those before. Returns false when there is
 * an unknown specifier. */
static bool add_value(struct strv_builder *v, const char *value, const char *unit)
{
	_cleanup_free_ char *expanded = unit_text_expand(value, unit);

	if (!expanded)
		return false;
	if (*expanded)
		strv_builder_add(v, expanded);
	else
		strv_builder_done(v);
	return true;
}

bool unit_environment(char ***ret, const struct index *base, const struct layer *l,
		      const char *unit)
{
	_cleanup_strv_builder_ struct strv_builder v = {0}, texts = {0};

	if (!read_all(&texts, base, l, unit))
		return false;
	for (size_t i = 0; i < texts.n; i++) {
		_cleanup_strv_ char **values =
			unit_text_values(texts.v[i], "Service", "EnvironmentFile");

		for (size_t k = 0; values && values[k]; k++)
			if (!add_value(&v, values[k] + (values[k][0] == '-'), unit))
				return false;
	}
	*ret = strv_builder_take(&v);
	return true;
}

/* Adds the words of a key, which no empty value discards. Returns as add_value(). */
static bool add_words(struct strv_builder *v, const char *text, const char *key,
		      const char *unit)
{
	_cleanup_strv_ char **values = unit_text_values(text, "Unit", key);

	for (size_t i = 0; values && values[i]; i++) {
		_cleanup_strv_ char **words = strv_split(values[i], " \t");

		for (size_t k = 0; words && words[k]; k++)
			if (!add_value(v, words[k], unit))
				return false;
	}
	return true;
}

bool unit_follows(char ***ret, const struct index *base, const struct layer *l,
		  const char *unit)
{
	static const char *const keys[] = {"PartOf", "Requires", "BindsTo"};
	_cleanup_strv_builder_ struct strv_builder v = {0}, texts = {0};

	if (!read_all(&texts, base, l, unit))
		return false;
	for (size_t i = 0; i < texts.n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(keys); k++)
			if (!add_words(&v, texts.v[i], keys[k], unit))
				return false;
	*ret = strv_builder_take(&v);
	return true;
}
