/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/root.h. Every case runs twice: with openat2(), and as on a kernel that does not
 * have it. A case begins with a folder that has the root and, beside it, a folder
 * `outside` which must be the same afterwards.
 */
#include "lib/file.h"
#include "lib/root.h"
#include "lib/str.h"
#include "test-no-openat2.h"
#include "test-tempdir.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char *top_path;
static int top = -1, root = -1, fds_before;
static bool walks; /* there is no openat2() */

/* --- a case --------------------------------------------------------------------- */

static int count_fds(void)
{
	_cleanup_closedir_ DIR *d = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	return n;
}

static void put(const char *path, const char *text)
{
	_cleanup_free_ char *dir = NULL;
	const char *name;

	assert_int_equal(path_split(path, &dir, &name), 0);
	assert_int_equal(mkdir_p_at(top, dir, 0755), 0);
	assert_int_equal(file_write_at(top, path, text, strlen(text), 0644), 0);
}

static void put_link(const char *target, const char *path)
{
	assert_int_equal(symlinkat(target, top, path), 0);
}

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	_cleanup_free_ char *secret = NULL;

	(void)state;
	if (tempdir_make(tmp ? tmp : "/tmp", "test-lib-root", &top_path) < 0)
		return -1;
	top = open(top_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	put("outside/secret", "secret");
	put("root/etc/a", "a");
	put("root/usr/lib/b", "b");
	put_link("usr/lib", "root/lib");
	put_link("../outside", "root/out");
	secret = xasprintf("%s/outside", top_path);
	put_link(secret, "root/out-abs");
	root = openat(top, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds_before = count_fds();
	return root < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct stat st;
	_cleanup_free_ char *text = NULL;

	(void)state;
	assert_int_equal(count_fds(), fds_before);
	assert_int_equal(file_read_at(top, "outside/secret", 100, &text, NULL), 0);
	assert_string_equal(text, "secret");
	assert_int_equal(fstatat(top, "outside", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(file_remove_at(top, "outside/secret"), 1);
	assert_int_equal(unlinkat(top, "outside", AT_REMOVEDIR),
			 0); /* it has nothing else */
	close_p(&root);
	close_p(&top);
	rm_rf_p(&top_path);
	top_path = NULL;
	return 0;
}

/* Checks what a path leads to: the file or directory at `want`, relative to the root,
 * without symlinks; or the error `r`. */
static void assert_leads(const char *path, int flags, const char *want, int r)
{
	_cleanup_close_ int fd = root_open(root, path, flags);
	struct stat have, st;

	if (!want && fd != r)
		fail_msg("%s: %d, not %d", path, fd, r);
	if (!want)
		return;
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(-fd));
	assert_int_equal(fstat(fd, &have), 0);
	assert_int_equal(fstatat(root, want, &st, AT_SYMLINK_NOFOLLOW), 0);
	if (have.st_ino != st.st_ino || have.st_dev != st.st_dev)
		fail_msg("%s does not lead to %s", path, want);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void assert_text(const char *path, const char *want)
{
	_cleanup_free_ char *text = NULL;
	int r = root_read(root, path, 100, &text, NULL);

	if (r < 0)
		fail_msg("%s: %s", path, strerror(-r));
	assert_string_equal(text, want);
}

/* --- paths ---------------------------------------------------------------------- */

static void paths_are_resolved_below_the_root(void **state)
{
	static const struct {
		const char *path, *want;
		int flags, r;
	} cases[] = {
		{"etc/a", "etc/a", O_RDONLY, 0},
		{"/etc/a", "etc/a", O_RDONLY, 0},
		{"//etc//./a", "etc/a", O_RDONLY, 0},
		{"lib/b", "usr/lib/b", O_RDONLY, 0},
		{"lib/../lib/b", "usr/lib/b", O_RDONLY, 0},
		{"lib/..", "usr", O_RDONLY, 0},
		{"..", ".", O_RDONLY, 0},
		{"../../../etc/a", "etc/a", O_RDONLY, 0},
		{"/..", ".", O_PATH, 0},
		{"/", ".", O_RDONLY | O_DIRECTORY, 0},
		{".", ".", O_RDONLY, 0},
		{"lib", "usr/lib", O_RDONLY, 0},
		{"lib/", "usr/lib", O_RDONLY | O_NOFOLLOW, 0},
		{"lib/.", "usr/lib", O_RDONLY | O_NOFOLLOW, 0},
		{"lib", "usr/lib", O_RDONLY | O_DIRECTORY, 0},
		{"lib", "usr/lib", O_PATH, 0},
		{"lib", "lib", O_PATH | O_NOFOLLOW, 0},
		{"lib", NULL, O_RDONLY | O_NOFOLLOW, -ELOOP},
		{"lib", NULL, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, -ENOTDIR},
		{"etc", NULL, O_WRONLY, -EISDIR},
		{"", NULL, O_RDONLY, -ENOENT},
		{"none", NULL, O_RDONLY, -ENOENT},
		{"none/../etc/a", NULL, O_RDONLY, -ENOENT},
		{"etc/a/..", NULL, O_RDONLY, -ENOTDIR},
		{"etc/a/", NULL, O_RDONLY, -ENOTDIR},
		{"etc/a/.", NULL, O_RDONLY, -ENOTDIR},
		{"etc/a", NULL, O_RDONLY | O_DIRECTORY, -ENOTDIR},
		{"out/secret", NULL, O_RDONLY, -ENOENT},
		{"out", NULL, O_RDONLY, -ENOENT},
		{"out-abs/secret", NULL, O_RDONLY, -ENOENT},
		{"../outside/secret", NULL, O_RDONLY, -ENOENT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_leads(cases[i].path, cases[i].flags, cases[i].want, cases[i].r);
}

static void symlinks_begin_at_the_root(void **state)
{
	static const struct {
		const char *target, *want;
		int r;
	} cases[] = {
		{"/etc/a", "etc/a", 0},
		{"///etc/../etc/a", "etc/a", 0},
		{"../../../../etc/a", "etc/a", 0},
		{"/", ".", 0},
		{"..", ".", 0},
		{".", ".", 0},
		{"etc/", "etc", 0},
		{"lib/b", "usr/lib/b", 0},
		{"/lib/../lib/", "usr/lib", 0},
		{"etc/a/", NULL, -ENOTDIR},
		{"none", NULL, -ENOENT},
		{"/none/x", NULL, -ENOENT},
		{"link", NULL, -ELOOP},
		{"../link", NULL, -ELOOP},
		{"link/x", NULL, -ELOOP},
	};
	static const char *const dirs[] = {"", "usr/lib/"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (size_t k = 0; k < ARRAY_SIZE(dirs); k++) {
			_cleanup_free_ char *link = xasprintf("%slink", dirs[k]);
			const char *target = cases[i].target;

			assert_int_equal(symlinkat(target, root, link), 0);
			if (k == 0 || *target == '/' || str_after(target, "../../.."))
				assert_leads(link, O_RDONLY, cases[i].want, cases[i].r);
			assert_int_equal(unlinkat(root, link, 0), 0);
		}
}

static void forty_symlinks_are_followed(void **state)
{
	(void)state;
	put_link("etc/a", "root/l0");
	for (int i = 1; i < 41; i++) {
		_cleanup_free_ char *target = xasprintf("l%d", i - 1);
		_cleanup_free_ char *path = xasprintf("root/l%d", i);

		put_link(target, path);
	}
	assert_leads("l39", O_RDONLY, "etc/a", 0);
	assert_leads("l40", O_RDONLY, NULL, -ELOOP);
}

static void names_have_a_limit(void **state)
{
	_cleanup_free_ char *name = xmalloc(257);

	(void)state;
	memset(name, 'n', 256);
	name[256] = '\0';
	assert_leads(name, O_RDONLY, NULL, -ENAMETOOLONG);
	name[255] = '\0';
	assert_leads(name, O_RDONLY, NULL, -ENOENT);
}

/* Only the walk has a limit; openat2() keeps no directory open. */
static void depth_has_a_limit(void **state)
{
	_cleanup_buf_ struct buf b = {0};

	(void)state;
	for (int i = 0; i < 255; i++)
		buf_puts(&b, "d/");
	assert_int_equal(root_mkdir_p(root, b.p, 0755), 0);
	buf_puts(&b, "d/");
	assert_int_equal(root_mkdir_p(root, b.p, 0755), 0);
	buf_puts(&b, "d/d/");
	assert_int_equal(root_mkdir_p(root, b.p, 0755), walks ? -ENAMETOOLONG : 0);
}

/* Every file and symlink of this machine that a program may use leads to the same. */
static void own_root_is_as_without(void **state)
{
	static const char *const dirs[] = {"/",
					   "/etc",
					   "/etc/alternatives",
					   "/usr/bin",
					   "/sys/class/net",
					   "/sys/class/block",
					   "/proc/net",
					   "/var"};
	_cleanup_close_ int slash = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat want, have;
	unsigned n = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		_cleanup_strv_ char **names = NULL;

		assert_int_equal(root_names(slash, dirs[i], &names), 0);
		for (size_t k = 0; names && names[k]; k++) {
			_cleanup_free_ char *path = xasprintf("%s/%s", dirs[i], names[k]);
			/* An open file in /proc keeps its inode number. */
			_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
			int r = fd < 0 ? -errno : 0;

			if (root_stat(slash, path, 0, &have) != r ||
			    (r == 0 &&
			     (fstat(fd, &want) < 0 || have.st_ino != want.st_ino ||
			      have.st_dev != want.st_dev)))
				fail_msg("%s leads elsewhere", path);
			n++;
		}
	}
	assert_true(n > 100);
}

/* --- the same results with and without openat2() -------------------------------- */

#define PATHS 4000

static uint64_t random_state;

static unsigned pick(unsigned below)
{
	random_state = random_state * 6364136223846793005 + 1442695040888963407;
	return (unsigned)(random_state >> 33) % below;
}

/* Returns a path of random components; owned. */
static char *random_path(void)
{
	static const char *const parts[] = {"a", "b", "c", "d", "e", "..", "..", ".", ""};
	_cleanup_buf_ struct buf b = {0};

	for (unsigned n = 1 + pick(5); n > 0; n--)
		buf_printf(&b, "%s%s", parts[pick(ARRAY_SIZE(parts))],
			   n > 1 || pick(8) == 0 ? "/" : "");
	return b.len ? buf_take(&b) : xstrdup("/");
}

/* Makes 60 files, directories and symlinks; some of the names exist already. */
static void random_tree(void)
{
	for (unsigned i = 0; i < 60; i++) {
		_cleanup_free_ char *path = random_path(), *target = random_path();
		const char *name;
		_cleanup_close_ int dir = root_open_parent(root, path, &name);

		if (dir < 0)
			continue;
		switch (pick(3)) {
		case 0:
			(void)!mkdirat(dir, name, 0755);
			break;
		case 1:
			(void)!symlinkat(target, dir, name);
			break;
		case 2:
			(void)!mknodat(dir, name, S_IFREG | 0644, 0);
			break;
		}
	}
}

/* Returns the error, or the place of what was opened among all that was opened. */
static int outcome(const char *path, int flags, ino_t *seen, int *n_seen)
{
	_cleanup_close_ int fd = root_open(root, path, flags);
	struct stat st;
	int i;

	if (fd < 0)
		return fd;
	assert_int_equal(fstat(fd, &st), 0);
	for (i = 0; i < *n_seen && seen[i] != st.st_ino; i++)
		;
	if (i == *n_seen)
		seen[(*n_seen)++] = st.st_ino;
	return i;
}

static void random_trees_give_equal_results(void **state)
{
	static const int flags[] = {O_RDONLY, O_RDONLY | O_NOFOLLOW, O_PATH,
				    O_PATH | O_NOFOLLOW, O_RDONLY | O_DIRECTORY};
	static int results[PATHS];
	static bool have_results;
	static ino_t seen[PATHS];
	int n_seen = 0, opened = 0;

	(void)state;
	random_state = 1;
	for (int i = 0; i < PATHS; i++) {
		_cleanup_free_ char *path = NULL;
		int r;

		if (i % 100 == 0)
			random_tree();
		path = random_path();
		r = outcome(path, flags[pick(ARRAY_SIZE(flags))], seen, &n_seen);
		if (have_results && r != results[i])
			fail_msg("%s: %d, with openat2 %d", path, r, results[i]);
		results[i] = r;
		opened += r >= 0;
	}
	have_results = true;
	assert_true(opened > PATHS / 10 && opened < PATHS - PATHS / 10);
}

/* --- reading -------------------------------------------------------------------- */

static void reading_follows_symlinks(void **state)
{
	_cleanup_free_ char *text = NULL, *target = NULL;
	_cleanup_strv_ char **names = NULL, **none = NULL;
	struct stat st;

	(void)state;
	put_link("/etc/a", "root/usr/lib/c");
	assert_text("lib/c", "a");
	assert_int_equal(root_read(root, "out-abs/secret", 100, &text, NULL), -ENOENT);
	assert_int_equal(root_read(root, "etc", 100, &text, NULL), -EINVAL);
	assert_int_equal(root_read(root, "lib/b", 0, &text, NULL), -EFBIG);
	assert_null(text);

	assert_int_equal(root_stat(root, "lib/c", 0, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(root_stat(root, "lib/c", AT_SYMLINK_NOFOLLOW, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(root_stat(root, "out", AT_SYMLINK_NOFOLLOW, &st), 0);
	assert_int_equal(root_access(root, "lib/c"), 0);
	assert_int_equal(root_access(root, "out/secret"), -ENOENT);
	assert_int_equal(root_access(root, "etc/a/b"), -ENOTDIR);

	assert_int_equal(root_readlink(root, "lib/c", &target), 0);
	assert_string_equal(target, "/etc/a");
	assert_int_equal(root_readlink(root, "etc/a", &target), -EINVAL);
	assert_int_equal(root_names(root, "lib", &names), 0);
	assert_int_equal(strv_len(names), 2);
	assert_string_equal(names[0], "b");
	assert_int_equal(root_names(root, "out", &none), -ENOENT);
	assert_int_equal(root_names(root, "etc/a", &none), -ENOTDIR);
	assert_null(none);
}

static void reading_does_not_wait_for_a_pipe(void **state)
{
	_cleanup_free_ char *got = NULL;

	(void)state;
	assert_int_equal(mkfifoat(root, "fifo", 0600), 0);
	assert_int_equal(root_read(root, "fifo", 10, &got, NULL), -EINVAL);
	assert_int_equal(root_open_regular(root, "etc"), -EINVAL);
	assert_int_equal(root_open_regular(root, "absent"), -ENOENT);
}

/* --- writing -------------------------------------------------------------------- */

static void writing_follows_only_parents(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(root_write(root, "lib/n", "n", 1, 0640), 0);
	assert_text("usr/lib/n", "n");
	assert_true(root_file_is(root, "/lib/n", "n", 1, 0640));
	assert_false(root_file_is(root, "/lib/n", "n", 1, 0644));
	put_link("n", "root/usr/lib/link");
	assert_false(root_file_is(root, "lib/link", "n", 1, 0640));
	assert_int_equal(root_update(root, "lib/link", "x", 1, 0644), 1);
	assert_int_equal(root_update(root, "lib/link", "x", 1, 0644), 0);
	assert_text("lib/n", "n");
	assert_text("lib/link", "x");

	put_link("../../../outside/secret", "root/etc/s");
	assert_int_equal(root_write(root, "etc/s", "mine", 4, 0644), 0);
	assert_text("etc/s", "mine");
	assert_int_equal(root_write(root, "out/secret", "x", 1, 0644), -ENOENT);
	assert_int_equal(root_write(root, "out-abs/new", "x", 1, 0644), -ENOENT);
	assert_int_equal(root_write(root, "../outside/new", "x", 1, 0644), -ENOENT);
	assert_false(root_file_is(root, "out/secret", "secret", 6, 0644));
	assert_int_equal(root_write(root, "../top", "x", 1, 0644), 0); /* is "top" */
	assert_int_equal(fstatat(root, "top", &st, 0), 0);
}

/* A link out of the root leads to the same path below the root. */
static void writing_through_an_escape_lands_inside(void **state)
{
	static const char *const paths[] = {"out/new", "out-abs/new"};
	_cleanup_free_ char *inside = xasprintf("%s/outside", top_path);
	_cleanup_free_ char *file = xasprintf("%s/new", inside);

	(void)state;
	assert_int_equal(root_mkdir_p(root, "outside", 0755), 0);
	assert_int_equal(root_mkdir_p(root, inside, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_int_equal(
			root_write(root, paths[i], paths[i], strlen(paths[i]), 0644), 0);
		assert_text(paths[i], paths[i]);
	}
	assert_text("outside/new", paths[0]);
	assert_text(file, paths[1]);
}

static void removing_never_follows(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(root_remove(root, "out"), 1);
	assert_int_equal(root_remove(root, "out"), 0);
	assert_int_equal(root_remove(root, "out-abs/secret"), 0);
	assert_int_equal(root_remove(root, "none/x"), 0);
	assert_int_equal(root_remove(root, "etc"), -EISDIR);
	assert_int_equal(root_remove(root, "etc/a/x"), -ENOTDIR);
	assert_int_equal(root_remove(root, "lib/b"), 1);

	assert_int_equal(root_remove_dir(root, "etc"), 0);
	assert_int_equal(root_remove_dir(root, "etc/a"), 0);
	assert_int_equal(root_remove_dir(root, "none"), 0);
	assert_int_equal(root_remove_dir(root, "out-abs"), 0);
	assert_int_equal(root_remove_dir(root, "lib"), 0); /* a symlink to an empty one */
	assert_int_equal(root_remove_dir(root, "usr/lib"), 1);
	assert_int_equal(fstatat(root, "usr/lib", &st, 0), -1);
	assert_int_equal(fstatat(root, "lib", &st, AT_SYMLINK_NOFOLLOW), 0);
}

static void sweeping_stays_inside(void **state)
{
	(void)state;
	put("root/usr/lib/.b.abcdefghij", "x");
	assert_int_equal(root_sweep(root, "lib/b"), 1);
	assert_int_equal(root_sweep(root, "lib/b"), 0);
	assert_int_equal(root_sweep(root, "none/b"), 0);
	assert_int_equal(root_sweep(root, "etc/a/b"), 0);
	put("outside/.secret.abcdefghij", "x");
	assert_int_equal(root_sweep(root, "out/secret"), 0);
	assert_int_equal(root_sweep(root, "out-abs/secret"), 0);
	assert_int_equal(unlinkat(top, "outside/.secret.abcdefghij", 0), 0);
}

static void renaming_stays_in_the_directory(void **state)
{
	(void)state;
	assert_int_equal(root_rename(root, "lib/b", "c"), 0);
	assert_text("usr/lib/c", "b");
	assert_int_equal(root_rename(root, "lib/none", "c"), -ENOENT);
	assert_int_equal(root_rename(root, "out/secret", "c"), -ENOENT);
	put_link("../../outside/secret", "root/usr/lib/d");
	assert_int_equal(root_rename(root, "lib/c", "d"), 0); /* in the link's place */
	assert_text("lib/d", "b");
}

static void directories_are_made_inside(void **state)
{
	mode_t mask = umask(022);
	struct stat st;

	(void)state;
	assert_int_equal(root_mkdir_p(root, "lib/x/y", 0750), 0);
	assert_int_equal(root_mkdir_p(root, "/lib/x/y/z/", 0755), 0);
	assert_int_equal(fstatat(root, "usr/lib/x/y", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0750);
	assert_int_equal(root_mkdir_p(root, "lib/../new", 0755), 0);
	assert_int_equal(fstatat(root, "usr/new", &st, 0), 0);
	assert_int_equal(root_mkdir_p(root, "/", 0755), 0);
	assert_int_equal(root_mkdir_p(root, "", 0755), -ENOENT);
	assert_int_equal(root_mkdir_p(root, "etc/a", 0755), -ENOTDIR);
	assert_int_equal(root_mkdir_p(root, "etc/a/b", 0755), -ENOTDIR);
	assert_int_equal(root_mkdir_p(root, "out", 0755), -ENOENT);
	assert_int_equal(root_mkdir_p(root, "out-abs/new", 0755), -ENOENT);
	assert_int_equal(root_mkdir_p(root, "../../beside", 0755), 0);
	assert_int_equal(fstatat(root, "beside", &st, 0), 0);

	assert_int_equal(root_chmod_dir(root, "lib", 0700), 0);
	assert_int_equal(fstatat(root, "usr/lib", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(root_chmod_dir(root, "out-abs", 0700), -ENOENT);
	assert_int_equal(root_chmod_dir(root, "etc/a", 0700), -ENOTDIR);
	umask(mask);
}

static void bad_paths_are_refused(void **state)
{
	static const char *const paths[] = {"",     "/",      ".",    "..",
					    "etc/", "etc/..", "etc/."};
	const char *name;
	char *target;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		assert_int_equal(root_open_parent(root, paths[i], &name), -EINVAL);
		assert_int_equal(root_write(root, paths[i], "x", 1, 0644), -EINVAL);
		assert_int_equal(root_remove(root, paths[i]), -EINVAL);
		assert_int_equal(root_remove_dir(root, paths[i]), -EINVAL);
		assert_int_equal(root_rename(root, paths[i], "x"), -EINVAL);
		assert_int_equal(root_readlink(root, paths[i], &target), -EINVAL);
	}
}

/* --- changes meanwhile ---------------------------------------------------------- */

/* Called before or after the library opens a component of that name. */
static struct hook {
	const char *name;
	bool after;
	void (*call)(void);
} hook;

int __real_openat64(int dirfd, const char *path, int flags, ...);
int __wrap_openat64(int dirfd, const char *path, int flags, ...);
int __wrap___openat64_2(int dirfd, const char *path, int flags);
int __wrap_openat64(int dirfd, const char *path, int flags, ...)
{
	struct hook h = hook;
	mode_t mode = 0;
	int fd, saved;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (!h.name || !str_after(path, h.name))
		return __real_openat64(dirfd, path, flags, mode);
	hook.name = NULL;
	if (!h.after)
		h.call();
	fd = __real_openat64(dirfd, path, flags, mode);
	saved = errno;
	if (h.after)
		h.call();
	errno = saved;
	return fd;
}

/* The name of a call without a mode when the C library checks its flags. */
int __wrap___openat64_2(int dirfd, const char *path, int flags)
{
	return __wrap_openat64(dirfd, path, flags);
}

static void move_out(void)
{
	assert_int_equal(renameat(top, "root/usr/lib", top, "moved"), 0);
}

/* A directory on the path is moved out of the root: ".." does not lead to where it is
 * now. */
static void moved_directory_does_not_lead_out(void **state)
{
	(void)state;
	put("root/usr/secret", "inside");
	put("secret", "outside");
	hook = (struct hook){"lib", true, move_out};
	assert_text("usr/lib/../secret", "inside");
	assert_int_equal(hook.name == NULL, walks);
	hook.name = NULL;
}

static void link_becomes_file(void)
{
	put("root/lib", "now a file");
}

/* A symlink is replaced by a file after it was seen. */
static void replaced_symlink_is_read_again(void **state)
{
	(void)state;
	if (!walks)
		return; /* openat2() does this in one call */
	hook = (struct hook){"lib", true, link_becomes_file};
	assert_text("lib", "now a file");
	assert_null(hook.name);
}

static void swap_for_link(void)
{
	assert_int_equal(renameat(top, "root/etc", top, "root/was-etc"), 0);
	put_link("../outside", "root/etc");
}

/* The parent becomes a symlink out of the root after it was opened: the file is written
 * into the directory that it was. */
static void swapped_parent_is_not_followed(void **state)
{
	(void)state;
	hook = (struct hook){".secret.", false, swap_for_link}; /* its temporary file */
	assert_int_equal(root_write(root, "etc/secret", "mine", 4, 0644), 0);
	assert_null(hook.name);
	assert_text("was-etc/secret", "mine");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(paths_are_resolved_below_the_root),
		CASE(symlinks_begin_at_the_root),
		CASE(forty_symlinks_are_followed),
		CASE(names_have_a_limit),
		CASE(depth_has_a_limit),
		CASE(own_root_is_as_without),
		CASE(random_trees_give_equal_results),
		CASE(reading_follows_symlinks),
		CASE(reading_does_not_wait_for_a_pipe),
		CASE(writing_follows_only_parents),
		CASE(writing_through_an_escape_lands_inside),
		CASE(removing_never_follows),
		CASE(sweeping_stays_inside),
		CASE(renaming_stays_in_the_directory),
		CASE(directories_are_made_inside),
		CASE(bad_paths_are_refused),
		CASE(moved_directory_does_not_lead_out),
		CASE(replaced_symlink_is_read_again),
		CASE(swapped_parent_is_not_followed),
	};
	int bad, r;

	umask(022);
	walks = !have_openat2();
	if (walks)
		printf("# this kernel has no openat2()\n");
	bad = _cmocka_run_group_tests("openat2", tests, ARRAY_SIZE(tests), NULL, NULL);
	r = forbid_openat2();
	if (r < 0) {
		printf("Bail out! no seccomp filter: %s\n", strerror(-r));
		return 1;
	}
	walks = true;
	return bad +
	       _cmocka_run_group_tests("walk", tests, ARRAY_SIZE(tests), NULL, NULL);
}
