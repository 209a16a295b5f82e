/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The installed files are found from the program's own path: ../share/rackstrap from
 * where `make install` puts it, and the folder above for a program in the build folder of
 * its sources.
 *
 * Limit: files that were installed with another datadir are not found by name.
 */
#include "builder/installed.h"

#include "lib/dir.h"
#include "lib/log.h"
#include "lib/str.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

char *installed_program_dir(void)
{
	char self[PATH_MAX], *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	return slash ? xstrndup(self, (size_t)(slash - self)) : NULL;
}

/* Returns the folder `name` of the installed files, or NULL. Owned by the caller. */
static char *find_folder(const char *name)
{
	static const char *const places[] = {"../share/rackstrap", ".."};
	_cleanup_free_ char *self = installed_program_dir();

	for (size_t i = 0; self && i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *folder =
			xasprintf("%s/%s/%s", self, places[i], name);
		char *real = realpath(folder, NULL);

		if (real)
			return real;
	}
	return NULL;
}

static bool is_path(const char *arg)
{
	return strchr(arg, '/') || access(arg, F_OK) == 0;
}

/* Sets the error of a recipe that is not there; `folder` has those that are installed. */
static int unknown_recipe(const char *arg, const char *folder, struct err *e)
{
	_cleanup_strv_ char **names = NULL, **recipes = NULL;
	_cleanup_free_ char *list = NULL, *hint = NULL;

	if (dir_names_at(AT_FDCWD, folder, &names) < 0)
		return err_set(e, ERR_FAILED, "%s: %s", arg, strerror(ENOENT));
	for (size_t i = 0; names && names[i]; i++) {
		_cleanup_free_ char *file =
			xasprintf("%s/%s/recipe.cfg", folder, names[i]);

		if (access(file, F_OK) == 0)
			strv_add(&recipes, names[i]);
	}
	list = recipes ? strv_join(recipes, ", ") : xstrdup("none");
	hint = str_hint(recipes ? str_nearest(arg, (const char *const *)recipes) : NULL);
	return err_set(e, ERR_FAILED,
		       "recipe '%s' is neither in this folder nor installed%s: the "
		       "installed recipes are %s",
		       arg, hint, list);
}

/* Returns true for a path: a folder without recipe.cfg, such as one that was built into,
 * does not hide the installed recipe of its name. */
static bool is_recipe_path(const char *arg)
{
	_cleanup_free_ char *file = xasprintf("%s/recipe.cfg", arg);
	struct stat st;

	return strchr(arg, '/') || access(file, F_OK) == 0 ||
	       (stat(arg, &st) == 0 && !S_ISDIR(st.st_mode));
}

int installed_recipe(const char *arg, char **ret, char **ret_lock, struct err *e)
{
	_cleanup_free_ char *folder = is_recipe_path(arg) ? NULL : find_folder("images");
	_cleanup_free_ char *recipe = NULL, *file = NULL;

	*ret_lock = NULL;
	if (!folder) {
		*ret = xstrdup(arg);
		return 0;
	}
	recipe = xasprintf("%s/%s", folder, arg);
	file = xasprintf("%s/recipe.cfg", recipe);
	if (access(file, F_OK) < 0) {
		if (!is_path(arg))
			return unknown_recipe(arg, folder, e);
		*ret = xstrdup(arg);
		return 0;
	}
	log_info("recipe '%s': %s", arg, recipe);
	*ret = TAKE_PTR(recipe);
	*ret_lock = xasprintf("%s.lock", arg);
	return 0;
}

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *installed_rack(const char *arg)
{
	size_t n = strlen(arg);
	_cleanup_free_ char *own = NULL, *folder = NULL, *file = NULL;

	while (n > 1 && arg[n - 1] == '/')
		n--;
	own = is_folder(arg) ? xasprintf("%.*s/rack.cfg", (int)n, arg) : xstrdup(arg);
	if (strchr(arg, '/') || access(own, F_OK) == 0)
		return TAKE_PTR(own);
	folder = find_folder("configs");
	file = folder ? xasprintf("%s/%s.cfg", folder, arg) : NULL;
	return file && access(file, F_OK) == 0 ? TAKE_PTR(file) : TAKE_PTR(own);
}

char *built_image(const char *arg)
{
	_cleanup_free_ char *own = NULL, *folder = NULL, *manifest = NULL;

	if (!arg || strchr(arg, '/'))
		return xstrdup(arg);
	own = xasprintf("%s/manifest.json", arg);
	folder = xasprintf("out/%s", arg);
	manifest = xasprintf("%s/manifest.json", folder);
	return access(own, F_OK) < 0 && access(manifest, F_OK) == 0 ? TAKE_PTR(folder)
								    : xstrdup(arg);
}
