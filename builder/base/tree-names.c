/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The nodes are found by their real paths, in which no component but the last is a
 * symlink. A folder with something in it cannot be replaced, so a node that is a folder
 * has only folders above it.
 *
 * tar(1) makes a symlink whose target is absolute or has ".." only at its end, and cannot
 * extract a member below one. Here it is followed within the tree, and the member is
 * written by its real path.
 */
#include "builder/base/tree-names.h"

#include "lib/intern.h"

#include <limits.h>

#define LINKS_MAX 40 /* as in Linux */

struct node {
	enum entry_type type; /* file, directory, symlink; or of a member left out */
	bool left_out;
	bool has_child;
	char *target; /* of a symlink */
};

struct tree_names {
	const char *archive;
	struct intern paths; /* a node's number is its path's */
	struct node *v;
	char *last; /* the last folder that was looked up, or NULL */
};

struct tree_names *tree_names_new(const char *archive)
{
	struct tree_names *t = xcalloc(1, sizeof(*t));

	t->archive = archive;
	return t;
}

void tree_names_free(struct tree_names *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->paths.n; i++)
		free(t->v[i].target);
	free(t->v);
	intern_done(&t->paths);
	free(t->last);
	free(t);
}

void tree_names_free_p(struct tree_names **t)
{
	tree_names_free(*t);
}

static struct node *find(const struct tree_names *t, const char *path)
{
	size_t i;

	return intern_find(&t->paths, path, &i) ? &t->v[i] : NULL;
}

/* Sets what is at the path. A node keeps has_child: it is a folder as long as it matters.
 */
static void set(struct tree_names *t, const char *path, enum entry_type type,
		bool left_out, const char *target)
{
	bool is_new;
	size_t i = intern(&t->paths, path, &is_new);
	struct node *node;

	if (is_new) {
		t->v = xgrow(t->v, i, sizeof(*t->v));
		t->v[i] = (struct node){0};
	}
	node = &t->v[i];
	free(node->target);
	node->type = type;
	node->left_out = left_out;
	node->target = type == ENTRY_SYMLINK ? xstrdup(target) : NULL;
	if (type != ENTRY_DIR && t->last && streq(t->last, path))
		free(TAKE_PTR(t->last));
}

/* Returns the length of the path of the folder that `path` is in, 0 for the top. */
static size_t folder_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

/* Notes that the folder of `path` is not empty. */
static void add_child(struct tree_names *t, const char *path)
{
	_cleanup_free_ char *folder = xstrndup(path, folder_len(path));
	struct node *node = find(t, folder);

	if (node)
		node->has_child = true;
}

/* --- symlinks ---------------------------------------------------------------------- */

struct walk {
	char *done;  /* a folder, real path */
	char *rest;  /* below it */
	size_t own;  /* length of the end of `rest` that is not of a symlink's target */
	char *link;  /* the first symlink that was followed, or NULL */
	char *block; /* the path in the way, which is no folder; NULL: nothing is there */
	unsigned links;
};

static void walk_done(struct walk *w)
{
	free(w->done);
	free(w->rest);
	free(w->link);
	free(w->block);
}
#define _cleanup_walk_ _cleanup_(walk_done)

/* Goes on with the target of the symlink `at`, then with the rest. */
static bool follow(struct walk *w, const char *at, const struct node *node)
{
	char *rest = xasprintf("%s/%s", node->target, w->rest);

	if (!w->link)
		w->link = xstrdup(at);
	w->own = strlen(w->rest) < w->own ? strlen(w->rest) : w->own;
	free(w->rest);
	w->rest = rest;
	if (node->target[0] == '/')
		w->done[0] = '\0';
	return ++w->links <= LINKS_MAX && strlen(rest) < 2 * (size_t)PATH_MAX;
}

/* Walks one component. Returns false when it is no folder. */
static bool step(struct tree_names *t, struct walk *w, bool imply)
{
	size_t len = strcspn(w->rest, "/");
	bool own = strlen(w->rest) <= w->own;
	_cleanup_free_ char *name = xstrndup(w->rest, len), *at = NULL;
	const struct node *node;

	memmove(w->rest, w->rest + len, strlen(w->rest + len) + 1);
	while (w->rest[0] == '/')
		memmove(w->rest, w->rest + 1, strlen(w->rest));
	if (!*name || streq(name, "."))
		return true;
	if (streq(name, "..")) {
		w->done[folder_len(w->done)] = '\0';
		return true;
	}
	at = xasprintf("%s%s%s", w->done, *w->done ? "/" : "", name);
	node = find(t, at);
	if (!node && imply && own) {
		set(t, at, ENTRY_DIR, false, NULL);
		add_child(t, at);
	} else if (node && node->type == ENTRY_SYMLINK) {
		return follow(w, at, node);
	} else if (!node || node->type != ENTRY_DIR) {
		w->block = node ? xstrdup(at) : NULL;
		return false;
	}
	free(w->done);
	w->done = TAKE_PTR(at);
	return true;
}

/* Walks to the folder that `path` is in; with `imply` missing ones are added. */
static bool walk(struct tree_names *t, struct walk *w, const char *path, bool imply)
{
	w->done = xstrdup("");
	w->rest = xstrndup(path, folder_len(path));
	w->own = strlen(w->rest);
	while (*w->rest)
		if (!step(t, w, imply))
			return false;
	return true;
}

/* Returns the path of what is called like the end of `path`, in the folder. Owned. */
static char *path_in(const char *folder, const char *path)
{
	size_t len = folder_len(path);

	return xasprintf("%s%s%s", folder, *folder ? "/" : "",
			 path + len + (path[len] == '/'));
}

/* Checks quickly if `path` is in the last folder, or in a folder of that name. */
static bool is_in_folder(struct tree_names *t, const char *path)
{
	size_t len = folder_len(path);
	const struct node *node;
	char *folder;

	if (len == 0 || (t->last && strncmp(t->last, path, len) == 0 && !t->last[len]))
		return true;
	folder = xstrndup(path, len);
	node = find(t, folder);
	if (!node || node->type != ENTRY_DIR) {
		free(folder);
		return false;
	}
	free(t->last);
	t->last = folder;
	return true;
}

/* --- members ----------------------------------------------------------------------- */

static int refuse(const struct tree_names *t, const char *member, const char *what,
		  struct err *e)
{
	return err_set(e, ERR_FAILED, "%s: member '%s' %s: archive refused", t->archive,
		       member, what);
}

/* Checks the lengths that Linux's file systems have. */
static int check_lengths(const struct tree_names *t, const char *member, const char *path,
			 struct err *e)
{
	for (const char *p = path; *p; p += strspn(p, "/")) {
		size_t len = strcspn(p, "/");

		if (len > NAME_MAX)
			return refuse(t, member,
				      "has a name of more than 255 bytes in its path", e);
		p += len;
	}
	return strlen(path) < PATH_MAX
		       ? 0
		       : refuse(t, member, "has a path of more than 4095 bytes", e);
}

int tree_names_resolve(struct tree_names *t, const char *member, const char *path,
		       char **ret, struct err *e)
{
	_cleanup_walk_ struct walk w = {0};
	_cleanup_free_ char *real = NULL, *what = NULL;

	if (is_in_folder(t, path)) {
		real = xstrdup(path);
	} else if (walk(t, &w, path, true)) {
		real = path_in(w.done, path);
	} else {
		if (w.block)
			what = xasprintf("is below '%s', which is a %s", w.block,
					 entry_type_name(find(t, w.block)->type));
		else
			what = xasprintf("is below the symlink '%s', which does not lead "
					 "to a folder before it",
					 w.link);
		return refuse(t, member, what, e);
	}
	if (check_lengths(t, member, real, e) < 0)
		return -1;
	*ret = TAKE_PTR(real);
	return 0;
}

/* Finds the file of a hard link. Returns 1, 0 when there is nothing to extract, or -1. */
static int find_file(struct tree_names *t, const char *member, const char *path,
		     const char *target, char **ret, struct err *e)
{
	_cleanup_walk_ struct walk w = {0};
	_cleanup_free_ char *real = NULL, *what = NULL;
	const struct node *node;

	if (is_in_folder(t, target))
		real = xstrdup(target);
	else if (walk(t, &w, target, false))
		real = path_in(w.done, target);
	node = find(t, real ? real : target); /* left out, if not real */
	if (node && node->left_out && node->type >= ENTRY_CHAR)
		return 0;
	if (node && node->left_out)
		what = xasprintf("is a hard link to '%s', which a base does not have",
				 target);
	else if (real && (!*real || (node && node->type == ENTRY_DIR)))
		what = xasprintf("is a hard link to '%s', which is a folder", target);
	else if (!node && real && streq(path, real))
		what = xstrdup("is a hard link to itself");
	else if (!node)
		what = xasprintf("is a hard link to '%s', but no member before it has "
				 "that name",
				 target);
	if (what)
		return refuse(t, member, what, e);
	*ret = TAKE_PTR(real);
	return !streq(path, *ret);
}

/* Checks if tar(1) makes a symlink with this target at its end only. */
static bool is_made_last(const char *target)
{
	_cleanup_free_ char *normal = archive_path_normal(target);

	return target[0] == '/' || !normal;
}

/* Checks that tar(1) can replace what is at the path by this. */
static int check_replaced(const struct tree_names *t, const char *member,
			  const char *path, enum entry_type type, const char *target,
			  struct err *e)
{
	const struct node *old = find(t, path);
	_cleanup_free_ char *what = NULL;

	if (!old || old->left_out)
		return 0;
	if (old->type == ENTRY_DIR && old->has_child && type != ENTRY_DIR)
		return refuse(t, member, "replaces a folder that is not empty", e);
	if (old->type != ENTRY_SYMLINK || !is_made_last(old->target) ||
	    (type == ENTRY_SYMLINK && streq(target, old->target)))
		return 0;
	what = xasprintf("replaces a symlink to '%s', which tar(1) would keep",
			 old->target);
	return refuse(t, member, what, e);
}

int tree_names_add(struct tree_names *t, const struct entry *entry, const char *path,
		   const char *target, char **ret_target, struct err *e)
{
	_cleanup_free_ char *copy = NULL;
	enum entry_type type = entry->type;
	int r;

	*ret_target = NULL;
	if (type == ENTRY_SYMLINK && !*target)
		return refuse(t, entry->path, "is a symlink without a target", e);
	if (type == ENTRY_HARDLINK) {
		const struct node *file;

		r = find_file(t, entry->path, path, target, ret_target, e);
		if (r <= 0)
			return r;
		file = find(t, *ret_target);
		type = file->type;
		target = file->target;
	}
	if (check_replaced(t, entry->path, path, type, target, e) < 0)
		return -1;
	if (!*path)
		return 1;
	copy = target ? xstrdup(target) : NULL; /* `target` may be in the node */
	set(t, path, type, false, copy);
	add_child(t, path);
	return 1;
}

void tree_names_drop(struct tree_names *t, const struct entry *entry, const char *path)
{
	if (*path && !find(t, path))
		set(t, path, entry->type, true, entry->target);
}
