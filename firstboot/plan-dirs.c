/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/plan-dirs.h"

static void add_dir(char ***v, const char *path, size_t len, char *const *except)
{
	_cleanup_free_ char *dir = xstrndup(path, len);

	if (!strv_has(*v, dir) && !strv_has(except, dir))
		strv_add(v, dir);
}

static void add_parents(char ***v, const char *path, char *const *except)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/'))
		add_dir(v, path, (size_t)(slash - path), except);
}

char **plan_dirs(const struct plan *p)
{
	char **v = NULL;

	for (size_t i = 0; i < p->n_files; i++) {
		const struct plan_file *f = &p->files[i];

		if (f->kind == PLAN_REMOVE)
			continue;
		add_parents(&v, f->path, NULL);
		if (f->kind == PLAN_DIR)
			add_dir(&v, f->path, strlen(f->path), NULL);
	}
	return v;
}

char **plan_dirs_left(const struct plan *p)
{
	_cleanup_strv_ char **needed = plan_dirs(p), **down = NULL;
	char **v = NULL;

	for (size_t i = 0; i < p->n_files; i++)
		if (p->files[i].kind == PLAN_REMOVE)
			add_parents(&down, p->files[i].path, needed);
	for (size_t i = strv_len(down); i > 0; i--)
		strv_add(&v, down[i - 1]);
	return v;
}
