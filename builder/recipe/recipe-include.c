/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lays the lists of named entries of a recipe over those of the recipe that it includes.
 * An entry with the name of an included one replaces it as a whole and in its place,
 * another one is appended, and the recipe's group `remove` removes included ones.
 *
 * An included entry is replaced once: a second entry of that name in the same file is
 * appended, and recipe_check() reports the name as a duplicate.
 */
#include "builder/recipe/recipe-parse.h"
#include "lib/intern.h"

#include <sys/stat.h>

#define GUESSES_MAX                                                                      \
	20 /* in a list of wrong names, because each guess compares all names */

const char *const recipe_remove_keys[] = {"artifacts", "containers", "files",
					  "templates", "units",      NULL};

/* --- lists ------------------------------------------------------------------------- */

/* A list while a file's entries are laid over it. */
struct overlay {
	const struct recipe_list *type;
	char *v;
	size_t n;
	const char **names;  /* of the included entries; "" for a replaced one */
	struct intern found; /* the names that were included, ... */
	size_t *first;       /* ... and the first entry of each, by its number */
	size_t *next;        /* for each entry the next of its name, or `included` */
	const struct conf_node **removed; /* for each of these, the node in `remove` that
					     names it, or NULL */
	size_t included;
	size_t misses; /* how many names in `remove` no included entry has */
};

static const char *entry_name(const struct overlay *o, size_t i)
{
	char *name;

	memcpy(&name, o->v + i * o->type->size + o->type->name, sizeof(name));
	return name;
}

static const char *entry_where(const struct overlay *o, size_t i)
{
	recipe_where where;

	memcpy(&where, o->v + i * o->type->size + o->type->where, sizeof(where));
	return where;
}

/* Returns the index of the first included entry of that name that was not replaced, or
 * -1. */
static ssize_t find_included(struct overlay *o, const char *name)
{
	size_t number, i;

	if (!*name || !intern_find(&o->found, name, &number))
		return -1;
	for (i = o->first[number]; i < o->included && !*o->names[i];)
		i = o->next[i];
	o->first[number] = i; /* those before are never found again */
	return i < o->included ? (ssize_t)i : -1;
}

/* Notes the names of the included entries, in the reverse order: so the first entry of a
 * name is the one that is noted last. */
static void note_names(struct overlay *o)
{
	o->removed = xcalloc(o->n + 1, sizeof(*o->removed));
	o->names = xcalloc(o->n + 1, sizeof(*o->names));
	o->first = xcalloc(o->n + 1, sizeof(*o->first));
	o->next = xcalloc(o->n + 1, sizeof(*o->next));
	for (size_t i = o->n; i-- > 0;) {
		const char *name = entry_name(o, i);
		bool is_new;
		size_t number;

		name = name ? name : "";
		number = intern(&o->found, name, &is_new);
		o->names[i] = o->found.texts[number];
		o->next[i] = is_new ? o->included : o->first[number];
		o->first[number] = i;
	}
}

static void overlay_begin(struct overlay *o, size_t more)
{
	o->included = o->n;
	note_names(o);
	o->v = xgrow_to(o->v, o->n + more + 1, o->type->size);
	memset(o->v + o->n * o->type->size, 0, (more + 1) * o->type->size);
}

static void overlay_done(struct overlay *o)
{
	free(o->names);
	free(o->removed);
	free(o->first);
	free(o->next);
	intern_done(&o->found);
}

/* Complains about a second included entry of the name of entry `at`: when the entry is
 * removed, recipe_check() no longer sees the duplicate. */
static void check_included_twice(const struct overlay *o, size_t at, struct diag *d)
{
	size_t i = o->next[at];

	if (i < o->included)
		diag_add(d, "%s: %s: '%s' is already defined (%s)", entry_where(o, i),
			 o->type->key, o->names[at], entry_where(o, at));
}

/* Marks the entry that name `i` of a list in `remove` names as removed. */
static void remove_one(struct overlay *o, const struct conf_node *list, size_t i,
		       struct diag *d)
{
	const struct conf_node *n = conf_at(list, i), *before;
	const char *key = o->type->key, *name = NULL, *near = NULL;
	_cleanup_free_ char *hint = NULL;
	ssize_t at;

	if (conf_type(n) != CONF_STRING) {
		conf_complain(n, d, "remove: %s: element %zu must be a string", key,
			      i + 1);
		return;
	}
	if (conf_str(n, &name, d) < 0)
		return;
	at = find_included(o, name);
	if (at < 0) {
		if (o->misses++ < GUESSES_MAX)
			near = str_nearest(name, o->names);
		hint = str_hint(near);
		conf_complain(n, d, "remove: %s: '%s' is not in the included recipe%s",
			      key, name, hint);
		return;
	}
	before = o->removed[at];
	if (before)
		conf_complain(n, d, "remove: %s: '%s' is in remove twice (%s:%u)", key,
			      name, conf_file(before), conf_line(before));
	else
		check_included_twice(o, (size_t)at, d);
	o->removed[at] = n;
}

/* Moves the entry behind the last one to its place: over the included one of its name, or
 * to the end of the list. */
static void place(struct overlay *o, const struct conf_node *n, struct diag *d)
{
	size_t size = o->type->size;
	char *entry = o->v + o->n * size;
	const char *name = entry_name(o, o->n);
	ssize_t at = name ? find_included(o, name) : -1;
	const struct conf_node *removed = at >= 0 ? o->removed[at] : NULL;

	if (removed)
		conf_complain(n, d,
			      "%s: '%s' is in remove, too (%s:%u): without that, this "
			      "entry replaces the included one (%s)",
			      o->type->key, name, conf_file(removed), conf_line(removed),
			      entry_where(o, (size_t)at));
	if (at < 0 || removed) {
		o->n++;
		return;
	}
	o->type->done(o->v + (size_t)at * size);
	memcpy(o->v + (size_t)at * size, entry, size);
	memset(entry, 0, size);
	o->names[at] = "";
}

/* Reads element `i` of a file's list into the place behind the last entry. Returns false,
 * with a complaint, when it is not an entry. */
static bool read_entry(struct overlay *o, const struct conf_node *list, size_t i,
		       struct diag *d)
{
	const struct conf_node *n = conf_at(list, i);
	const char *key = o->type->key;
	bool strings = o->type->strings;

	if (conf_type(n) != (strings ? CONF_STRING : CONF_GROUP))
		conf_complain(n, d, "%s: element %zu must be a %s", key, i + 1,
			      strings ? "string" : "group: { ... }");
	else if (conf_member(n, "remove"))
		conf_complain(conf_member(n, "remove"), d,
			      "%s: element %zu: remove is a group of the file, as in "
			      "remove = { %s = [ \"...\" ]; };",
			      key, i + 1, key);
	else {
		o->type->parse(o->v + o->n * o->type->size, n, d);
		return true;
	}
	return false;
}

/* Complains about an empty list, which looks as if it removed everything. */
static void check_empty(const struct overlay *o, const struct conf_node *list,
			bool removes, struct diag *d)
{
	const char *key = o->type->key;

	if (!list || conf_len(list) > 0 || o->included == 0)
		return;
	if (removes)
		conf_complain(list, d,
			      "%s: empty, which removes no more than remove does: delete "
			      "the empty list",
			      key);
	else
		conf_complain(list, d,
			      "%s: empty, which removes nothing of the included recipe: "
			      "name it, as in remove = { %s = [ \"...\" ]; };",
			      key, key);
}

static void lay(struct overlay *o, const struct conf_node *list, struct diag *d)
{
	for (size_t i = 0; i < conf_len(list); i++)
		if (read_entry(o, list, i, d))
			place(o, conf_at(list, i), d);
}

static void drop_removed(struct overlay *o)
{
	size_t kept = 0, size = o->type->size;

	for (size_t i = 0; i < o->n; i++) {
		if (i < o->included && o->removed[i]) {
			o->type->done(o->v + i * size);
			continue;
		}
		memmove(o->v + kept * size, o->v + i * size, size);
		kept++;
	}
	o->n = kept;
}

/* Returns the names of a list in `remove`, or NULL. */
static const struct conf_node *get_removed(const struct conf_node *root, const char *key,
					   struct diag *d)
{
	const struct conf_node *remove = conf_member(root, "remove"), *list;

	if (!remove || conf_type(remove) != CONF_GROUP || !conf_member(root, "include"))
		return NULL;
	list = conf_member(remove, key);
	if (!list || conf_type(list) == CONF_LIST)
		return list;
	conf_complain(list, d, "remove: %s: must be a list of strings: [ \"...\", ... ]",
		      key);
	return NULL;
}

void *recipe_lay_list(const struct recipe_list *type, void *v, size_t *n,
		      const struct conf_node *root, struct diag *d)
{
	struct overlay o = {.type = type, .v = v, .n = *n};
	const struct conf_node *gone, *list = NULL;

	(void)!conf_get_list(root, type->key, &list, d);
	gone = get_removed(root, type->key, d);
	if (!list && !gone)
		return v;
	overlay_begin(&o, conf_len(list));
	for (size_t i = 0; i < conf_len(gone); i++)
		remove_one(&o, gone, i, d);
	check_empty(&o, list, conf_len(gone) > 0, d);
	lay(&o, list, d);
	drop_removed(&o);
	overlay_done(&o);
	*n = o.n;
	return o.v;
}

void recipe_parse_remove(const struct conf_node *root, struct diag *d)
{
	const struct conf_node *group = NULL;

	if (conf_get_group(root, "remove", &group, d) <= 0)
		return;
	(void)!conf_check_keys(group, recipe_remove_keys, d);
	if (!conf_member(root, "include"))
		conf_complain(group, d,
			      "remove: this recipe includes no other: delete the entry "
			      "itself");
}

/* --- paths ------------------------------------------------------------------------- */

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

char *recipe_tidy_path(const char *path)
{
	_cleanup_strv_ char **parts = strv_split(path, "/");
	_cleanup_strv_builder_ struct strv_builder kept = {0};
	_cleanup_free_ char *joined = NULL, *tidy = NULL;

	for (size_t i = 0; parts && parts[i]; i++) {
		if (streq(parts[i], "."))
			continue;
		if (streq(parts[i], "..") && kept.n > 0 &&
		    !streq(kept.v[kept.n - 1], "..")) {
			kept.n--;
			free(TAKE_PTR(kept.v[kept.n]));
			continue;
		}
		strv_builder_add(&kept, parts[i]);
	}
	joined = strv_join(kept.v, "/");
	tidy = xasprintf("%s%s", path[0] == '/' ? "/" : "", joined ? joined : "");
	return is_same_file(path, tidy) ? TAKE_PTR(tidy) : xstrdup(path);
}
