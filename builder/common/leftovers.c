/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/common/leftovers.h"

#include "builder/common/guest-cache.h"
#include "builder/common/sandbox.h"
#include "builder/common/temp-file.h"
#include "lib/durable.h"
#include "lib/file.h"
#include "lib/str.h"
#include "pxe/tree.h"

#include <stdio.h>

#define FOLDER "left"

char *cache_dir_default(void)
{
	const char *own = getenv("RACKSTRAP_CACHE"), *xdg = getenv("XDG_CACHE_HOME"),
		   *home = getenv("HOME");

	if (own && *own)
		return xstrdup(own);
	if (xdg && xdg[0] == '/')
		return xasprintf("%s/rackstrap", xdg);
	if (home && home[0] == '/')
		return xasprintf("%s/.cache/rackstrap", home);
	return NULL;
}

/* Returns false for a folder that somebody else may write to: records of others would
 * name what this user then removes, as with sudo and the user's own HOME. */
static bool is_private(const char *dir)
{
	struct stat st;

	if (lstat(dir, &st) < 0)
		return errno == ENOENT;
	return S_ISDIR(st.st_mode) && file_is_private(&st);
}

/* Returns a folder in /var/tmp that is ours alone, or NULL. Owned. */
static char *private_dir(void)
{
	_cleanup_free_ char *dir =
		xasprintf("/var/tmp/rackstrap-%u", (unsigned)geteuid());

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return NULL;
	return is_private(dir) ? TAKE_PTR(dir) : NULL;
}

char *leftovers_dir(void)
{
	_cleanup_free_ char *cache = cache_dir_default(), *dir = NULL;

	if (!cache)
		cache = private_dir();
	dir = cache ? xasprintf("%s/" FOLDER, cache) : NULL;
	return dir && is_private(dir) ? TAKE_PTR(dir) : NULL;
}

/* Checks for root outside of user namespaces. In one, the owner of /tmp may be a
 * stranger, and nothing can be done with the rights of this machine's root. */
static bool is_real_root(void)
{
	_cleanup_free_ char *map = NULL;
	unsigned inside, outside, count;

	return geteuid() == 0 &&
	       file_read_regular_at(AT_FDCWD, "/proc/self/uid_map", 4096, &map, NULL) ==
		       0 &&
	       sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && outside == 0 &&
	       count == UINT32_MAX;
}

int leftovers_make(struct scratch *ret, const char *parent, const char *name,
		   struct err *e)
{
	_cleanup_free_ char *records = leftovers_dir();
	_cleanup_scratch_ struct scratch s = SCRATCH_INIT;

	if (scratch_make(&s, records, parent ? parent : temp_dir(), name, NULL, e) < 0)
		return parent ? -1 : err_wrap(e, "TMPDIR");
	/* Programs work there by its path, and read their settings there. */
	if (!parent && s.parent >= 0 && is_real_root())
		return err_set(e, ERR_FAILED,
			       "TMPDIR: %s: other users can rename what is in it: name a "
			       "folder of root's",
			       temp_dir());
	*ret = s;
	s = (struct scratch)SCRATCH_INIT;
	return 0;
}

int leftovers_make_beside(struct scratch *ret, const char *path, char **ret_to,
			  struct err *e)
{
	_cleanup_free_ char *parent = NULL, *hidden = NULL;
	const char *name;
	int r = path_split(path, &parent, &name);

	if (r < 0)
		return err_errno(e, r, "%s", path);
	hidden = xasprintf(".%s", name);
	if (leftovers_make(ret, parent, hidden, e) < 0)
		return -1;
	*ret_to = scratch_beside(ret, name);
	return 0;
}

int leftovers_write_file(const char *path, const void *data, size_t len, mode_t mode,
			 struct err *e)
{
	_cleanup_scratch_ struct scratch s = SCRATCH_INIT;
	_cleanup_free_ char *temp = NULL, *to = NULL;
	int r;

	if (leftovers_make_beside(&s, path, &to, e) < 0)
		return -1;
	temp = xasprintf("%s/file", s.inside);
	r = file_write_at(AT_FDCWD, temp, data, len, mode);
	if (r == 0)
		r = durable_rename_at(AT_FDCWD, temp, AT_FDCWD, to);
	return r < 0 ? err_errno(e, r, "%s", path) : 0;
}

int leftovers_remove_tree(const char *path)
{
	_cleanup_sandbox_ struct sandbox s = SANDBOX_NONE;
	int r = rm_rf_at(AT_FDCWD, path);

	/* Files with ids other than ours can only be removed by the root of a user
	 * namespace that has them. */
	if (r == 0 || sandbox_open(&s, NULL) < 0)
		return r;
	return sandbox_remove(&s, path);
}

static int remove_leftover(const char *path, const char *target)
{
	int r = target ? tree_rescue(path, target) : 0;

	return r < 0 ? r : leftovers_remove_tree(path);
}

void leftovers_sweep(void)
{
	_cleanup_free_ char *records = leftovers_dir();

	if (records)
		scratch_sweep(records, remove_leftover);
	guest_cache_sweep();
}
