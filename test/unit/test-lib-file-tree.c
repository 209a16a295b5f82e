/* SPDX-License-Identifier: Apache-2.0 */
/* lib/file.h: folders and trees of files are made and removed. */
#include "test-lib-file.h"

#include "test-lib-namespace.h"

#include <sys/mount.h>

/* The folder `swapped` becomes a symlink to `swapped_for` after the library has seen that
 * it is a folder. */
static const char *swapped, *swapped_for;
static char *stuck; /* a name that cannot be removed */

int unlinkat(int fd, const char *name, int flags)
{
	int r, saved;

	if (stuck && streq(name, stuck)) {
		errno = EIO;
		return -1;
	}
	r = (int)syscall(SYS_unlinkat, fd, name, flags);
	saved = errno;
	if (r < 0 && flags == AT_REMOVEDIR && swapped && streq(name, swapped)) {
		assert_int_equal(syscall(SYS_renameat, fd, name, fd, "was-swapped"), 0);
		assert_int_equal(symlinkat(swapped_for, fd, name), 0);
		swapped = NULL;
	}
	errno = saved;
	return r;
}

static void mkdir_makes_parents(void **state)
{
	_cleanup_free_ char *absolute = xasprintf("%s//x/y//", top_path);
	mode_t mask = umask(022);

	(void)state;
	assert_int_equal(mkdir_p_at(top, "a/b/c", 0700), 0);
	assert_int_equal(stat_of("a").st_mode, S_IFDIR | 0700);
	assert_int_equal(mkdir_p_at(top, "a/b/c/d/", 0755), 0);
	assert_int_equal(stat_of("a/b/c/d").st_mode, S_IFDIR | 0755);
	assert_int_equal(stat_of("a/b/c").st_mode, S_IFDIR | 0700); /* unchanged */
	assert_int_equal(mkdir_p_at(AT_FDCWD, absolute, 0755), 0);
	assert_names("x", "y");
	assert_int_equal(mkdir_p_at(AT_FDCWD, "/", 0755), 0);
	assert_int_equal(mkdir_p_at(top, ".", 0755), 0);
	assert_int_equal(mkdir_p_at(top, "", 0755), -ENOENT);

	assert_int_equal(symlinkat("a", top, "to-a"), 0);
	assert_int_equal(mkdir_p_at(top, "to-a/e", 0755), 0);
	assert_names("a", "b e");
	write_file("f", "x");
	assert_int_equal(mkdir_p_at(top, "f", 0755), -ENOTDIR);
	assert_int_equal(mkdir_p_at(top, "f/g", 0755), -ENOTDIR);
	assert_int_equal(symlinkat("nowhere", top, "broken"), 0);
	assert_int_equal(mkdir_p_at(top, "broken", 0755), -ENOENT);
	umask(mask);
}

static void rm_rf_removes_links_not_targets(void **state)
{
	(void)state;
	write_file("keep", "me");
	assert_int_equal(mkdir_p_at(top, "keep-too/x", 0755), 0);
	assert_int_equal(mkdir_p_at(top, "t/a/b/c", 0755), 0);
	write_file("t/a/f", "x");
	write_file("t/a/b/c/.hidden", "x");
	assert_int_equal(symlinkat("../keep", top, "t/to-file"), 0);
	assert_int_equal(symlinkat("../../keep-too", top, "t/a/to-dir"), 0);
	assert_int_equal(mkfifoat(top, "t/fifo", 0600), 0);
	assert_int_equal(rm_rf_at(top, "t"), 0);
	assert_int_equal(rm_rf_at(top, "t"), 0);
	assert_int_equal(rm_rf_at(top, "none/t"), 0);
	assert_names(".", "keep keep-too");
	assert_names("keep-too", "x");

	assert_int_equal(symlinkat("keep-too", top, "l"), 0);
	assert_int_equal(rm_rf_at(top, "l"), 0); /* the link itself */
	assert_names("keep-too", "x");
	assert_int_equal(rm_rf_at(top, "keep"), 0);
	assert_names(".", "keep-too");
}

static void rm_rf_continues_and_returns_the_first_error(void **state)
{
	struct dirent *entry;
	DIR *d;

	(void)state;
	for (int i = 0; i < 8; i++) {
		_cleanup_free_ char *name = xasprintf("t/%d", i);

		assert_int_equal(mkdir_p_at(top, name, 0755), 0);
	}
	/* The first error in the folder's order must not be hidden by a later one. */
	d = fdopendir(openat(top, "t", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	assert_non_null(d);
	while ((entry = readdir(d)) && entry->d_name[0] == '.')
		;
	assert_non_null(entry);
	stuck = xstrdup(entry->d_name);
	closedir(d);
	assert_int_equal(rm_rf_at(top, "t"), -EIO);
	assert_names("t", stuck);
	free(stuck);
	stuck = NULL;
	assert_int_equal(rm_rf_at(top, "t"), 0);
}

static void rm_rf_does_not_follow_a_swapped_link(void **state)
{
	(void)state;
	assert_int_equal(mkdir_p_at(top, "t/d", 0755), 0);
	assert_int_equal(mkdirat(top, "victim", 0755), 0);
	write_file("t/d/f", "x");
	write_file("victim/precious", "x");
	swapped_for = "../victim";
	swapped = "d";
	assert_true(rm_rf_at(top, "t") < 0);
	assert_null(swapped);
	assert_names("victim", "precious");
	assert_int_equal(rm_rf_at(top, "t"), 0);
}

static void rm_rf_removes_read_only_directories(void **state)
{
	bool root = geteuid() == 0;

	(void)state;
	/* Root may write everywhere, so the case runs as another user. */
	if (root) {
		assert_int_equal(fchown(top, 65534, 65534), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	assert_int_equal(mkdir_p_at(top, "t/a/b", 0755), 0);
	write_file("t/a/b/f", "x");
	assert_int_equal(fchmodat(top, "t/a/b", 0500, 0), 0);
	assert_int_equal(fchmodat(top, "t/a", 0500, 0), 0);
	assert_int_equal(fchmodat(top, "t", 0500, 0), 0);
	assert_int_equal(rm_rf_at(top, "t"), 0);
	assert_names(".", "");
}

static void rm_rf_removes_many_files(void **state)
{
	char name[32];

	(void)state;
	assert_int_equal(mkdirat(top, "t", 0755), 0);
	for (int i = 0; i < 3000; i++) {
		snprintf(name, sizeof(name), "t/file-%d", i);
		assert_int_equal(mknodat(top, name, S_IFREG | 0600, 0), 0);
	}
	assert_int_equal(rm_rf_at(top, "t"), 0);
	assert_names(".", "");
}

/* A tree deeper than the limit is an error, not a crash; up to the limit all of it is
 * removed. */
static void rm_rf_limits_the_depth(void **state)
{
	static const char *const rm[] = {"rm", "-rf", "deep", NULL};
	struct buf path = {0};
	int fd = fcntl(top, F_DUPFD_CLOEXEC, 0);
	struct err e;

	(void)state;
	for (int i = 0; i < 600; i++) {
		int next;

		if (mkdirat(fd, "deep", 0755) < 0)
			fail();
		next = openat(fd, "deep", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	close(fd);
	assert_int_equal(rm_rf_at(top, "deep"), -ELOOP);
	for (int i = 0; i < 100; i++)
		buf_puts(&path, i > 0 ? "/deep" : "deep");
	assert_int_equal(rm_rf_at(top, path.p), 0); /* 500 levels */
	assert_int_equal(run(&(struct run){.argv = rm, .cwd = top_path}, &e), 0);
	assert_names(".", "");
	buf_done(&path);
}

/* Continues after a mount point that it cannot remove, and returns the error. Runs in
 * namespaces of its own. */
static int cross_file_system(const char *path)
{
	_cleanup_free_ char *left = NULL;
	int fd, r = become_root(CLONE_NEWNS);

	if (r < 0) {
		printf("refused: %s\n", strerror(-r));
		return 0;
	}
	/* A descriptor opened earlier would be in the other namespace's mount. */
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 8; i++) {
		_cleanup_free_ char *name = xasprintf("t/z%d", i);

		if (mkdir_p_at(fd, name, 0755) < 0)
			return 1;
	}
	if (mkdir_p_at(fd, "t/a/mnt", 0755) < 0 ||
	    file_write_at(fd, "t/f", "x", 1, 0644) < 0 || fchdir(fd) < 0)
		return 1;
	if (mount("none", "t/a/mnt", "tmpfs", 0, NULL) < 0) {
		printf("refused: mount: %s\n", strerror(errno));
		return 0;
	}
	if (file_write_at(fd, "t/a/mnt/precious", "x", 1, 0644) < 0)
		return 1;
	r = rm_rf_at(fd, "t");
	left = list(fd, "t");
	printf("%s, left %s, %s\n", r == -EXDEV || r == -EBUSY ? "not all" : "?", left,
	       faccessat(fd, "t/a/mnt/precious", F_OK, 0) == 0 ? "kept" : "lost");
	return 0;
}

/* Runs the case in namespaces. Returns "refused: ..." when they are not available. Owned
 * by the caller. */
static char *in_namespaces(void)
{
	const char *argv[] = {"/proc/self/exe", "cross", top_path, NULL};
	struct err e = {0};
	char *out = NULL;

	if (run_capture(&(struct run){.argv = argv}, &out, NULL, &e) < 0)
		return xstrdup(e.msg);
	return out;
}

static void rm_rf_stays_on_its_file_system(void **state)
{
	_cleanup_free_ char *out = in_namespaces();

	(void)state;
	assert_string_equal(out, "not all, left a, kept\n");
}

static void guarded_tree_is_removed(_unused_ void **state)
{
	_cleanup_free_ char *copy = NULL;

	assert_int_equal(mkdirat(top, "d", 0755), 0);
	assert_int_equal(mkdirat(top, "d/sub", 0755), 0);
	copy = xasprintf("%s/d", top_path);
	{
		_cleanup_rm_rf_ char *guarded = xstrdup(copy);

		assert_int_equal(access(guarded, F_OK), 0);
	}
	assert_int_equal(access(copy, F_OK), -1);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		CASE(mkdir_makes_parents),
		CASE(rm_rf_removes_links_not_targets),
		CASE(rm_rf_continues_and_returns_the_first_error),
		CASE(rm_rf_does_not_follow_a_swapped_link),
		CASE(rm_rf_removes_read_only_directories),
		CASE(rm_rf_removes_many_files),
		CASE(rm_rf_limits_the_depth),
		CASE(guarded_tree_is_removed),
	};
	static const struct CMUnitTest isolated[] = {
		CASE(rm_rf_stays_on_its_file_system)};
	_cleanup_free_ char *refused = NULL;
	int bad;

	if (argc == 3 && streq(argv[1], "cross"))
		return cross_file_system(argv[2]);
	bad = cmocka_run_group_tests(tests, NULL, NULL);
	if (setup(NULL) < 0)
		return 1;
	refused = in_namespaces();
	teardown(NULL);
	if (str_after(refused, "refused"))
		/* cmocka 1.1.5 calls a skip "not ok" */
		printf("ok - rm_rf_stays_on_its_file_system # SKIP %s", refused);
	else
		bad += cmocka_run_group_tests(isolated, NULL, NULL);
	return bad;
}
