/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mkfs.vfat makes the file system reach to the image's end unless it gets a size, in
 * blocks of 1024 bytes. mcopy copies its arguments in their order, but the files of a
 * folder in the order of readdir(3), which differs between machines, so it gets files
 * only.
 */
#include "builder/image/fat.h"

#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#define MTOOLSRC "MTOOLSRC=/dev/null"
#define CHUNK    (256 * 1024)

const struct tool fat_tools[] = {{"mkfs.vfat", "dosfstools"},
				 {"fsck.fat", "dosfstools"},
				 {"mcopy", "mtools"},
				 {NULL, NULL}};

static const char *const mtools_env[] = {"LC_ALL=C.UTF-8", MTOOLSRC, NULL};

/* Runs the program without its output. FAT stores local time, which is UTC here; the
 * user's mtoolsrc is not read. */
static int fat_run(const struct fat *f, char *const *argv, struct err *e)
{
	_cleanup_free_ char *epoch =
		xasprintf("SOURCE_DATE_EPOCH=%llu", (unsigned long long)f->epoch);
	const char *const env[] = {epoch, "TZ=UTC", "LC_ALL=C.UTF-8", MTOOLSRC, NULL};
	struct run r = {.argv = (const char *const *)argv, .env = env};
	_cleanup_free_ char *said = NULL;
	size_t len = 0;

	return run_capture(&r, &said, &len, e);
}

int fat_make(const struct fat *f, struct err *e)
{
	_cleanup_strv_ char **argv = NULL;

	strv_add(&argv, "mkfs.vfat");
	strv_add(&argv, "--invariant");
	strv_addf(&argv, "-F%u", f->bits);
	strv_addf(&argv, "-S%u", f->sector);
	strv_addf(&argv, "-h%llu", (unsigned long long)(f->offset / f->sector));
	strv_addf(&argv, "-i%08x", f->id);
	strv_addf(&argv, "-n%s", f->label);
	strv_addf(&argv, "--offset=%llu", (unsigned long long)(f->offset / f->sector));
	strv_add(&argv, f->image);
	strv_addf(&argv, "%llu", (unsigned long long)(f->size / 1024));
	return fat_run(f, argv, e);
}

static char **mtool(const struct fat *f, const char *name)
{
	char **argv = NULL;

	strv_add(&argv, name);
	strv_add(&argv, "-i");
	strv_addf(&argv, "%s@@%llu", f->image, (unsigned long long)f->offset);
	return argv;
}

/* Adds the folders of `path` that are not in *dirs yet: "a" and "a/b" of "a/b/c". */
static void add_parents(char ***dirs, const char *path)
{
	for (const char *s = strchr(path, '/'); s; s = strchr(s + 1, '/')) {
		_cleanup_free_ char *dir = xasprintf("::/%.*s", (int)(s - path), path);

		if (!strv_has(*dirs, dir))
			strv_add(dirs, dir);
	}
}

static int make_folders(const struct fat *f, char *const *paths, struct err *e)
{
	_cleanup_strv_ char **argv = mtool(f, "mmd"), **dirs = NULL;

	for (size_t i = 0; paths && paths[i]; i++)
		add_parents(&dirs, paths[i]);
	strv_extend(&argv, dirs);
	return dirs ? fat_run(f, argv, e) : 0;
}

static size_t folder_len(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (size_t)(slash - path) : 0;
}

/* Copies paths[*i] and the following files of the same folder with one command, and sets
 * *i to the first path of another folder. */
static int copy_folder(const struct fat *f, const char *dir, char *const *paths,
		       size_t *i, struct err *e)
{
	_cleanup_strv_ char **argv = mtool(f, "mcopy");
	const char *first = paths[*i];
	size_t len = folder_len(first);

	strv_add(&argv, "-m");
	for (; paths[*i] && folder_len(paths[*i]) == len &&
	       memcmp(paths[*i], first, len) == 0;
	     (*i)++)
		strv_addf(&argv, "%s/%s", dir, paths[*i]);
	strv_addf(&argv, "::/%.*s", (int)len, first);
	return fat_run(f, argv, e);
}

int fat_copy(const struct fat *f, const char *dir, char *const *paths, struct err *e)
{
	if (make_folders(f, paths, e) < 0)
		return -1;
	for (size_t i = 0; paths && paths[i];)
		if (copy_folder(f, dir, paths, &i, e) < 0)
			return -1;
	return 0;
}

/* --- reading back ------------------------------------------------------------------ */

/* Reads up to `len` bytes, fewer only at the end. Returns their number or -errno. */
static ssize_t read_full(int fd, char *buf, size_t len)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = read(fd, buf + have, len - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

/* Returns 1 when both have the same bytes to their ends, 0 when not, or -errno. */
static int compare_fds(int a, int b)
{
	_cleanup_free_ char *x = xmalloc(CHUNK), *y = xmalloc(CHUNK);

	for (;;) {
		ssize_t n = read_full(a, x, CHUNK), k = read_full(b, y, CHUNK);

		if (n < 0 || k < 0)
			return n < 0 ? (int)n : (int)k;
		if (n != k || memcmp(x, y, (size_t)n) != 0)
			return 0;
		if (n == 0)
			return 1;
	}
}

/* Compares the file with what mtype(1) reads from the file system. */
static int verify_file(const struct fat *f, const char *dir, const char *path,
		       struct err *e)
{
	_cleanup_strv_ char **argv = mtool(f, "mtype");
	_cleanup_free_ char *full = xasprintf("%s/%s", dir, path);
	_cleanup_close_ int want = file_open_foreign_at(AT_FDCWD, full), got = -1,
			    out = -1;
	_cleanup_child_ struct child child = {0};
	struct run r = {.env = mtools_env};
	int ends[2], same;

	if (want < 0)
		return err_set(e, ERR_FAILED, "%s: %s", full, file_strerror(want));
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(e, errno, "%s", full);
	got = ends[0];
	out = ends[1];
	strv_addf(&argv, "::/%s", path);
	r.argv = (const char *const *)argv;
	r.out = out;
	if (run_start(&r, &child, e) < 0)
		return -1;
	close(TAKE_FD(out));
	same = compare_fds(want, got);
	close(TAKE_FD(got)); /* ends mtype if it has more */
	if (same < 0)
		return err_errno(e, same, "%s: %s", f->image, path);
	if (same == 0)
		return err_set(e, ERR_FAILED,
			       "%s: %s is not as it was written: mcopy failed without "
			       "saying so (a full or failing disk?)",
			       f->image, path);
	return run_wait(&child, e);
}

int fat_verify(const struct fat *f, const char *dir, char *const *paths, struct err *e)
{
	_cleanup_free_ char *at = NULL;
	const char *name;
	int r = path_split(f->image, &at, &name);

	if (r < 0)
		return err_errno(e, r, "%s", f->image);
	if (fat_check(f->image, f->offset, f->size, at, NULL, e) < 0)
		return -1;
	for (size_t i = 0; paths && paths[i]; i++)
		if (verify_file(f, dir, paths[i], e) < 0)
			return -1;
	return 0;
}
