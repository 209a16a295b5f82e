/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A package is an ar archive with data.tar.* (deb(5)). All of it is decompressed, which
 * takes a few seconds for a whole base; what is found saves the minutes of making one.
 *
 * Limits: files that packages divert or make with update-alternatives(1) are not seen.
 * Whoever checks the forecast must not rely on their absence.
 */
#include "builder/base/deb-files.h"

#include "builder/base/base-tree.h"
#include "builder/common/archive.h"
#include "builder/common/temp-file.h"
#include "builder/common/unit-dirs.h"
#include "lib/dir.h"
#include "lib/file.h"
#include "lib/intern.h"

#include <fcntl.h>
#include <fnmatch.h>

#define TEXT_MAX (4U << 20)
#define SHADOW   "etc/shadow"

/* Folders that are links to those of the same name in /usr, if /usr is merged. */
static const char *const merged_dirs[] = {
	"bin", "sbin", "lib", "lib32", "lib64", "libx32",
};

struct forecast {
	const struct recipe *r;
	struct deb_files *ret;
	struct archive_out *out;
	struct intern paths; /* that are written */
	bool merged;
	bool debs; /* the entries are of packages, not of the tree */
};

/* Returns the path at which the entry will be, without "./". NULL if it has none. Owned.
 */
static char *place(const struct forecast *f, const char *written)
{
	_cleanup_free_ char *path = archive_path_normal(written);
	size_t first = path ? strcspn(path, "/") : 0;

	for (size_t i = 0; path && f->merged && i < ARRAY_SIZE(merged_dirs); i++)
		if (strlen(merged_dirs[i]) == first && path[first] == '/' &&
		    strncmp(path, merged_dirs[i], first) == 0)
			return xasprintf("usr/%s", path);
	return TAKE_PTR(path);
}

/* Returns true for a path that dpkg does not unpack. */
static bool is_left_out(const struct forecast *f, const char *path)
{
	_cleanup_free_ char *full = xasprintf("/%s", path);

	for (size_t i = 0;
	     f->debs && f->r->base.path_exclude && f->r->base.path_exclude[i]; i++)
		if (fnmatch(f->r->base.path_exclude[i], full, 0) == 0)
			return true;
	return false;
}

static int write_entry(struct forecast *f, const struct entry *entry, const char *path,
		       const char *text, struct err *e)
{
	size_t len = text ? strlen(text) : 0;
	struct entry copy = {
		.type = entry->type == ENTRY_HARDLINK ? ENTRY_FILE : entry->type,
		.path = path,
		.target = entry->type == ENTRY_SYMLINK ? entry->target : NULL,
		.mode = entry->mode,
		.size = len,
	};
	bool is_new;

	intern(&f->paths, path, &is_new);
	if (!is_new)
		return 0;
	if (archive_out_entry(f->out, &copy, e) < 0)
		return -1;
	return len > 0 ? archive_out_data(f->out, text, len, e) : 0;
}

static int add_entry(struct forecast *f, struct archive_in *in, const struct entry *entry,
		     struct err *e)
{
	_cleanup_free_ char *path = place(f, entry->path);
	_cleanup_buf_ struct buf text = {0};
	bool builtin, wanted;

	if (!path || !*path || entry->type >= ENTRY_CHAR || is_left_out(f, path))
		return 0;
	f->ret->kernels += fnmatch("boot/vmlinu[xz]-*", path, 0) == 0;
	if (module_is_file(path) && module_names_add(&f->ret->modules, path, e) < 0)
		return -1;
	builtin = module_is_builtin_list(path);
	wanted = unit_dirs_have(path) || streq(path, SHADOW);
	if (entry->type == ENTRY_FILE && (builtin || wanted) &&
	    archive_in_text(in, TEXT_MAX, &text, e) < 0)
		return -1;
	if (builtin && text.p &&
	    module_names_add_builtin(&f->ret->modules, text.p, e) < 0)
		return -1;
	return write_entry(f, entry, path, wanted ? text.p : NULL, e);
}

static int add_tar(struct forecast *f, struct archive_in *in, struct err *e)
{
	const struct entry *entry;
	int r;

	while ((r = archive_in_next(in, &entry, e)) > 0)
		if (add_entry(f, in, entry, e) < 0)
			return -1;
	return r;
}

static int add_file(struct forecast *f, const char *path, const char *text, struct err *e)
{
	const struct entry entry = {.type = ENTRY_FILE, .mode = 0644};

	return write_entry(f, &entry, path, text, e);
}

/* Adds the data of a package, and the list of its files, which is empty. */
static int add_deb(struct forecast *f, int dirfd, const char *name, struct err *e)
{
	_cleanup_close_ int fd = file_open_regular_at(dirfd, name);
	_cleanup_archive_in_ struct archive_in *deb = NULL;
	_cleanup_free_ char *list =
		xasprintf("var/lib/dpkg/info/%.*s.list", (int)strcspn(name, "_"), name);
	struct archive_limit limit = base_limit(&f->r->base);
	const struct entry *entry;
	int r;

	if (fd < 0)
		return err_set(e, ERR_FAILED, "%s: %s", name, file_strerror(fd));
	if (archive_in_open(
		    &deb,
		    &(struct archive_source){.name = name, .fd = fd, .limit = &limit},
		    e) < 0)
		return -1;
	while ((r = archive_in_next(deb, &entry, e)) > 0) {
		_cleanup_archive_in_ struct archive_in *tar = NULL;

		if (!str_after(entry->path, "data.tar"))
			continue;
		if (archive_in_open(&tar,
				    &(struct archive_source){.name = name, .outer = deb},
				    e) < 0 ||
		    add_tar(f, tar, e) < 0)
			return -1;
		return add_file(f, list, NULL, e);
	}
	return r < 0 ? -1
		     : err_set(e, ERR_FAILED, "%s: not a package: it has no data.tar",
			       name);
}

static int add_tree(struct forecast *f, const char *tree, struct err *e)
{
	_cleanup_close_ int fd = file_open_foreign_at(AT_FDCWD, tree);
	_cleanup_archive_in_ struct archive_in *in = NULL;

	if (fd < 0)
		return err_set(e, ERR_FAILED, "%s: %s", tree, file_strerror(fd));
	if (archive_in_open(&in, &(struct archive_source){.name = "the tree", .fd = fd},
			    e) < 0)
		return -1;
	return add_tar(f, in, e);
}

/* mmdebstrap's hook merges /usr if the suite has this package, which is then installed
 * (apt-resolve.c). */
static bool is_merged(char *const *names)
{
	for (; names && *names; names++)
		if (str_after(*names, "usr-is-merged_"))
			return true;
	return false;
}

static int add_links(struct forecast *f, struct err *e)
{
	for (size_t i = 0; f->merged && i < ARRAY_SIZE(merged_dirs); i++) {
		_cleanup_free_ char *target = xasprintf("usr/%s", merged_dirs[i]);
		const struct entry link = {
			.type = ENTRY_SYMLINK, .target = target, .mode = 0777};

		if (write_entry(f, &link, merged_dirs[i], NULL, e) < 0)
			return -1;
	}
	return 0;
}

static int write_all_entries(struct forecast *f, const char *dir, const char *tree,
			     struct err *e)
{
	_cleanup_close_ int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_strv_ char **names = NULL;
	int r = dirfd < 0 ? -errno : dir_names_at(dirfd, ".", &names);

	if (r < 0)
		return err_errno(e, r, "%s", dir);
	f->merged = !tree && is_merged(names);
	if (tree ? add_tree(f, tree, e) < 0 : add_links(f, e) < 0)
		return -1;
	f->debs = true;
	for (size_t i = 0; names && names[i]; i++)
		if (str_ends(names[i], ".deb") && add_deb(f, dirfd, names[i], e) < 0)
			return -1;
	if (!tree && add_file(f, SHADOW, "root:*:1:\n", e) < 0)
		return -1;
	return archive_out_end(f->out, e);
}

int deb_files_write(struct deb_files *ret, const char *dir, const char *tree,
		    const struct recipe *r, int to, struct err *e)
{
	struct forecast f = {.r = r, .ret = ret};
	int result;

	f.out = archive_out_new(to, "forecast of the base");
	result = write_all_entries(&f, dir, tree, e);
	archive_out_free(f.out);
	intern_done(&f.paths);
	return result;
}

/* A tree may have a kernel of its own. Modules may be built in, so that without a list of
 * these nothing is known of the modules that are missing. */
static void check_kernel(const struct deb_files *f, const struct recipe *r,
			 const char *tree, struct diag *d)
{
	if (f->kernels == 0)
		diag_add(d, "base: %s brings no /boot/vmlinuz-* (%s)",
			 r->base.kernel ? r->base.kernel : "the tree", r->base.where);
	else if (f->kernels > 1 && !tree)
		diag_add(d,
			 "base: has %zu kernels: name one kernel package in the recipe's "
			 "base (%s)",
			 f->kernels, r->base.where);
	if (f->modules.builtin.n > 0)
		module_names_check(&f->modules, r, d);
}

int deb_files_check(const struct base_work *w, const char *dir, const char *tree,
		    struct err *e)
{
	_cleanup_deb_files_ struct deb_files f = {0};
	_cleanup_close_ int fd = temp_file_open(e);
	_cleanup_diag_ struct diag d = {0};

	if (fd < 0 || deb_files_write(&f, dir, tree, w->r, fd, e) < 0)
		return -1;
	check_kernel(&f, w->r, tree, &d);
	if (w->forecast && w->forecast(w->forecast_data, fd, &d, e) < 0)
		return -1;
	return diag_err(&d, e);
}

void deb_files_done(struct deb_files *f)
{
	module_names_done(&f->modules);
}
