/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/plan-dirs.h"

static void add_dir(struct intern *in, const char *path, size_t len,
		    const struct intern *except)
{
	_cleanup_free_ char *dir = xstrndup(path, len);

	if (!except || !intern_find(except, dir, NULL))
		intern(in, dir, NULL);
}

static void add_parents(struct intern *in, const char *path, const struct intern *except)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
		add_dir(in, path, (size_t)(slash - path), except);
}

void plan_dirs(struct intern *ret, const struct plan *p)
{
	for (size_t i = 0; i < p->n_files; i++) {
		const struct plan_file *f = &p->files[i];

		if (f->kind == PLAN_REMOVE)
			continue;
		add_parents(ret, f->path, NULL);
		if (f->kind == PLAN_DIR)
			add_dir(ret, f->path, strlen(f->path), NULL);
	}
}

void plan_dirs_left(struct intern *ret, const struct plan *p)
{
	_cleanup_intern_ struct intern needed = {0};

	plan_dirs(&needed, p);
	for (size_t i = 0; i < p->n_files; i++)
		if (p->files[i].kind == PLAN_REMOVE)
			add_parents(ret, p->files[i].path, &needed);
}
