/* SPDX-License-Identifier: Apache-2.0 */
/* lib/file.h: files. */
#include "test-lib-file.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

/* The system calls of the library, in order. */
static struct buf calls;
static bool fsync_fails, rename_fails;

static int log_call(const char *name, int fd, bool fails)
{
	struct stat st = {0};

	if (fd >= 0)
		assert_int_equal(fstat(fd, &st), 0);
	buf_printf(&calls, "%s%s ", name,
		   fd < 0                ? ""
		   : S_ISDIR(st.st_mode) ? " dir"
					 : " file");
	errno = EIO;
	return fails ? -1 : 0;
}

int fsync(int fd)
{
	return log_call("fsync", fd, fsync_fails);
}

int fchmod(int fd, mode_t mode)
{
	int r = log_call("fchmod", fd, false);

	return r < 0 ? r : (int)syscall(SYS_fchmod, fd, mode);
}

int renameat(int olddir, const char *old, int newdir, const char *new)
{
	int r = log_call("rename", -1, rename_fails);

	return r < 0 ? r : (int)syscall(SYS_renameat, olddir, old, newdir, new);
}

static void assert_calls(const char *want)
{
	_cleanup_free_ char *got = buf_take(&calls);

	assert_string_equal(got, want);
}

static void assert_text(const char *path, const char *want)
{
	_cleanup_free_ char *got = NULL;

	assert_int_equal(file_read_at(top, path, 4096, &got, NULL), 0);
	assert_string_equal(got, want);
}

static void pipe_or_folder_is_not_a_regular_file(void **state)
{
	static const char *const others[] = {"pipe", "folder", "link"};
	_cleanup_free_ char *got = NULL;

	(void)state;
	write_file("regular", "text");
	assert_int_equal(mkfifoat(top, "pipe", 0600), 0);
	assert_int_equal(mkdirat(top, "folder", 0700), 0);
	assert_int_equal(symlinkat("pipe", top, "link"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_int_equal(file_read_regular_at(top, others[i], 10, &got, NULL),
				 -EINVAL);
	assert_int_equal(file_read_regular_at(top, "none", 10, &got, NULL), -ENOENT);
	assert_int_equal(file_read_regular_at(top, "regular", 3, &got, NULL), -EFBIG);
	assert_null(got);
	assert_int_equal(file_read_regular_at(top, "regular", 4, &got, NULL), 0);
	assert_string_equal(got, "text");
}

static void foreign_file_is_no_symlink_pipe_socket_or_device(void **state)
{
	static const struct {
		const char *path;
		int want;
	} others[] = {{"f-pipe", -EINVAL},   {"f-folder", -EINVAL},
		      {"f-socket", -EINVAL}, {"/dev/null", -EINVAL},
		      {"/dev/tty", -EINVAL}, {"f-link", -ELOOP},
		      {"f-loop", -ELOOP},    {"f-absent", -ENOENT}};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = -1, s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	_cleanup_free_ char *got = NULL;

	(void)state;
	write_file("f-regular", "text");
	assert_int_equal(mkfifoat(top, "f-pipe", 0600), 0);
	assert_int_equal(mkdirat(top, "f-folder", 0700), 0);
	assert_int_equal(symlinkat("f-regular", top, "f-link"), 0);
	assert_int_equal(symlinkat("f-loop", top, "f-loop"), 0);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/f-socket", top);
	assert_int_equal(bind(s, (struct sockaddr *)&sa, sizeof(sa)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		int r = file_read_foreign_at(top, others[i].path, 10, &got, NULL);

		/* Without a terminal /dev/tty cannot be opened at all. */
		if (r != others[i].want && !streq(others[i].path, "/dev/tty"))
			fail_msg("%s: %d", others[i].path, r);
		assert_null(got);
		assert_int_equal(file_open_foreign_at(top, others[i].path), r);
	}
	assert_int_equal(file_read_regular_at(top, "f-link", 10, &got, NULL), 0);
	assert_string_equal(got, "text");
	fd = file_open_foreign_at(top, "f-regular");
	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_string_equal(file_strerror(-EINVAL), "is not a regular file");
	assert_string_equal(file_strerror(-ELOOP), "is a symbolic link");
	assert_string_equal(file_strerror(-ENOENT), strerror(ENOENT));
}

static void file_is_read_whole(void **state)
{
	_cleanup_free_ char *got = NULL, *proc = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(file_write_at(top, "a", "x\0yz", 4, 0600), 0);
	assert_int_equal(file_read_at(top, "a", 4, &got, &len), 0);
	assert_int_equal(len, 4);
	assert_memory_equal(got, "x\0yz", 5); /* including the NUL after it */
	assert_int_equal(file_read_at(top, "none", 4, &proc, NULL), -ENOENT);
	assert_int_equal(file_read_at(top, ".", 4, &proc, NULL), -EISDIR);
	assert_null(proc);
	/* a file whose size is reported as 0 */
	assert_int_equal(file_read_at(AT_FDCWD, "/proc/self/status", 65536, &proc, &len),
			 0);
	assert_true(len > 100);
	assert_int_equal(len, strlen(proc));
}

static void read_is_limited(void **state)
{
	static const size_t sizes[] = {0, 1, 4094, 4095, 4096, 4097, 100000};
	_cleanup_free_ char *text = xcalloc(1, 100000);
	char *got = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		size_t n = sizes[i], len;

		assert_int_equal(file_write_at(top, "f", text, n, 0600), 0);
		assert_int_equal(file_read_at(top, "f", n, &got, &len), 0);
		assert_int_equal(len, n);
		free(got);
		got = NULL;
		assert_int_equal(file_read_at(top, "f", SIZE_MAX, &got, &len), 0);
		assert_int_equal(len, n);
		free(got);
		got = NULL;
		if (n > 0)
			assert_int_equal(file_read_at(top, "f", n - 1, &got, &len),
					 -EFBIG);
		assert_null(got);
	}
	assert_int_equal(file_read_at(AT_FDCWD, "/dev/zero", 70000, &got, NULL), -EFBIG);
	assert_int_equal(file_read_at(AT_FDCWD, "/dev/zero", 10, &got, NULL), -EFBIG);
	assert_null(got);
}

static void pipe_is_read_to_its_end(void **state)
{
	_cleanup_free_ char *text = xmalloc(20000), *got = NULL, *path = NULL;
	size_t len;
	int ends[2];

	(void)state;
	memset(text, 'p', 20000);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write_all(ends[1], text, 20000), 0);
	close(ends[1]);
	path = xasprintf("/dev/fd/%d", ends[0]);
	assert_int_equal(file_read_at(AT_FDCWD, path, 20000, &got, &len), 0);
	assert_int_equal(len, 20000);
	assert_memory_equal(got, text, 20000);
	close(ends[0]);
}

static void write_replaces_the_whole_file(void **state)
{
	mode_t mask = umask(077);
	ino_t old;

	(void)state;
	write_file("a", "one");
	assert_text("a", "one");
	assert_int_equal(stat_of("a").st_mode, S_IFREG | 0644); /* despite the umask */
	old = stat_of("a").st_ino;
	assert_int_equal(file_write_at(top, "a", "two", 3, 04755), 0);
	assert_text("a", "two");
	assert_int_equal(stat_of("a").st_mode, S_IFREG | 04755);
	assert_int_not_equal(stat_of("a").st_ino, old);
	assert_names(".", "a");
	assert_int_equal(file_write_at(top, "a", NULL, 0, 0600), 0);
	assert_text("a", "");
	umask(mask);
}

static void write_accepts_any_path(void **state)
{
	_cleanup_free_ char *absolute = xasprintf("%s/d/b", top_path),
			    *name = xmalloc(256);

	(void)state;
	assert_int_equal(mkdirat(top, "d", 0755), 0);
	write_file("d/a", "1");
	assert_int_equal(file_write_at(AT_FDCWD, absolute, "2", 1, 0644), 0);
	write_file("./d/../d/c", "3");
	assert_names("d", "a b c");

	memset(name, 'n', 255);
	name[255] = '\0';
	write_file(name, "longest name");
	assert_text(name, "longest name");
	assert_int_equal(file_remove_at(top, name), 1);
	assert_names(".", "d");
}

static void write_refuses_bad_paths(void **state)
{
	static const struct {
		const char *path;
		int want;
	} cases[] = {
		{"", -EINVAL},       {".", -EINVAL},    {"..", -EINVAL},
		{"/", -EINVAL},      {"d/", -EINVAL},   {"d/..", -EINVAL},
		{"none/a", -ENOENT}, {"f/a", -ENOTDIR}, {"d", -EISDIR},
	};

	(void)state;
	assert_int_equal(mkdirat(top, "d", 0755), 0);
	write_file("f", "x");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(file_write_at(top, cases[i].path, "x", 1, 0644),
				 cases[i].want);
	assert_names(".", "d f");
	assert_names("d", "");
}

static void write_replaces_a_link_not_its_target(void **state)
{
	(void)state;
	write_file("target", "old");
	assert_int_equal(symlinkat("target", top, "link"), 0);
	write_file("link", "new");
	assert_text("target", "old");
	assert_text("link", "new");
	assert_true(S_ISREG(stat_of("link").st_mode));
}

/* A write that fails half way leaves only the old file. */
static void failed_write_leaves_the_old_file(void **state)
{
	static const char text[8192];
	struct rlimit limit;
	int r;

	(void)state;
	write_file("a", "old");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, limit.rlim_max}),
			 0);
	signal(SIGXFSZ, SIG_IGN);
	r = file_write_at(top, "a", text, sizeof(text), 0644);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(r, -EFBIG);
	assert_text("a", "old");
	assert_names(".", "a");
}

/* The content survives a power cut because of this order. */
static void writes_are_synced_in_order(void **state)
{
	(void)state;
	buf_done(&calls);
	write_file("a", "old");
	assert_calls("fchmod file fsync file rename fsync dir ");
	assert_int_equal(file_update_at(top, "a", "old", 3, 0644), 0);
	assert_calls("");
	assert_int_equal(file_symlink_at(top, "l", "a"), 1);
	assert_calls("rename fsync dir ");
	assert_int_equal(file_remove_at(top, "l"), 1);
	assert_calls("fsync dir ");
	assert_int_equal(fsync_parent_at(top, "a"), 0);
	assert_calls("fsync dir ");

	fsync_fails = true;
	assert_int_equal(file_write_at(top, "a", "new", 3, 0644), -EIO);
	assert_calls("fchmod file fsync file ");
	assert_int_equal(file_remove_at(top, "absent"), 0);
	fsync_fails = false;
	rename_fails = true;
	assert_int_equal(file_write_at(top, "a", "new", 3, 0644), -EIO);
	assert_int_equal(file_symlink_at(top, "l", "a"), -EIO);
	rename_fails = false;
	assert_text("a", "old");
	assert_names(".", "a");
	buf_done(&calls);
}

static void update_writes_only_what_differs(void **state)
{
	ino_t ino;

	(void)state;
	assert_int_equal(file_update_at(top, "a", "one", 3, 0644), 1);
	ino = stat_of("a").st_ino;
	assert_int_equal(file_update_at(top, "a", "one", 3, 0644), 0);
	assert_int_equal(stat_of("a").st_ino, ino);
	assert_int_equal(file_update_at(top, "a", "one", 3, 0600), 1); /* mode */
	assert_int_equal(stat_of("a").st_mode, S_IFREG | 0600);
	assert_int_equal(file_update_at(top, "a", "two", 3, 0600), 1); /* bytes */
	assert_int_equal(file_update_at(top, "a", "tw", 2, 0600), 1);  /* length */
	assert_int_equal(file_update_at(top, "a", "", 0, 0600), 1);
	assert_int_equal(file_update_at(top, "a", NULL, 0, 0600), 0);
	assert_int_equal(file_update_at(top, "none/a", "x", 1, 0600), -ENOENT);
	assert_names(".", "a");
}

static void update_replaces_other_types(void **state)
{
	(void)state;
	write_file("same", "text");
	assert_int_equal(symlinkat("same", top, "link"), 0);
	assert_int_equal(file_update_at(top, "link", "text", 4, 0644), 1);
	assert_true(S_ISREG(stat_of("link").st_mode));
	/* the FIFO has no writer: opening must not wait */
	assert_int_equal(mkfifoat(top, "fifo", 0644), 0);
	assert_int_equal(file_update_at(top, "fifo", "text", 4, 0644), 1);
	assert_text("fifo", "text");
}

static void symlink_replaces_what_differs(void **state)
{
	ino_t ino;

	(void)state;
	assert_int_equal(file_symlink_at(top, "l", "to/here"), 1);
	ino = stat_of("l").st_ino;
	assert_int_equal(file_symlink_at(top, "l", "to/here"), 0);
	assert_int_equal(stat_of("l").st_ino, ino);
	assert_int_equal(file_symlink_at(top, "l", "to/her"), 1);
	assert_int_equal(file_symlink_at(top, "l", "to/here2"), 1);
	assert_int_equal(stat_of("l").st_size, 8);
	write_file("f", "x");
	assert_int_equal(file_symlink_at(top, "f", "l"), 1);
	assert_true(S_ISLNK(stat_of("f").st_mode));
	assert_int_equal(mkdirat(top, "d", 0755), 0);
	assert_int_equal(file_symlink_at(top, "d", "l"), -EISDIR);
	assert_int_equal(file_symlink_at(top, "new", ""), -ENOENT);
	assert_int_equal(file_symlink_at(top, "none/l", "x"), -ENOENT);
	assert_names(".", "d f l");
}

static void remove_accepts_absent_files_but_no_folders(void **state)
{
	(void)state;
	write_file("a", "x");
	assert_int_equal(file_remove_at(top, "a"), 1);
	assert_int_equal(file_remove_at(top, "a"), 0);
	assert_int_equal(file_remove_at(top, "none/a"), 0);
	assert_int_equal(symlinkat("nowhere", top, "l"), 0);
	assert_int_equal(file_remove_at(top, "l"), 1);
	assert_int_equal(mkdirat(top, "d", 0755), 0);
	assert_int_equal(file_remove_at(top, "d"), -EISDIR);
	assert_names(".", "d");
}

static void copy_fd_copies_all_bytes(void **state)
{
	_cleanup_free_ char *text = xmalloc(100001), *got = NULL, *version = NULL;
	_cleanup_close_ int from = -1, to = -1, proc = -1;
	int ends[2];
	size_t len;

	(void)state;
	for (size_t i = 0; i < 100001; i++)
		text[i] = (char)(i * 7);
	assert_int_equal(file_write_at(top, "a", text, 100001, 0600), 0);
	from = openat(top, "a", O_RDONLY | O_CLOEXEC);
	to = openat(top, "b", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(copy_fd(from, to), 0);
	assert_int_equal(file_read_at(top, "b", SIZE_MAX, &got, &len), 0);
	assert_int_equal(len, 100001);
	assert_memory_equal(got, text, len);

	/* copies from the descriptor's offset, into a pipe */
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(lseek(from, 100001 - 10, SEEK_SET), 100001 - 10);
	assert_int_equal(copy_fd(from, ends[1]), 0);
	assert_int_equal(read(ends[0], got, 20), 10);
	assert_memory_equal(got, text + 100001 - 10, 10);
	close(ends[0]);
	close(ends[1]);

	/* a file whose size is reported as 0 */
	proc = open("/proc/version", O_RDONLY | O_CLOEXEC);
	assert_int_equal(ftruncate(to, 0), 0);
	assert_int_equal(lseek(to, 0, SEEK_SET), 0);
	assert_int_equal(copy_fd(proc, to), 0);
	assert_int_equal(file_read_at(top, "b", SIZE_MAX, &version, &len), 0);
	assert_true(str_after(version, "Linux") != NULL);

	assert_int_equal(copy_fd(-1, to), -EBADF);
	assert_int_equal(copy_fd(to, from), 0); /* nothing left to read */
	assert_int_equal(lseek(to, 0, SEEK_SET), 0);
	assert_int_equal(copy_fd(to, from), -EBADF); /* `from` cannot be written */
}

static void write_all_waits_for_a_full_pipe(void **state)
{
	static const char *const sink[] = {"sh", "-c", "exec wc -c >count", NULL};
	_cleanup_child_ struct child c = {0};
	_cleanup_free_ char *text = xcalloc(1, 1 << 20);
	struct err e;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(fcntl(ends[0], F_SETFL, 0), 0);
	assert_int_equal(
		run_start(&(struct run){.argv = sink, .in = ends[0], .cwd = top_path}, &c,
			  &e),
		0);
	close(ends[0]);
	assert_int_equal(write_all(ends[1], text, 1 << 20), 0);
	close(ends[1]);
	assert_int_equal(run_wait(&c, &e), 0);
	assert_text("count", "1048576\n");
}

static void fsync_parent_accepts_any_path(void **state)
{
	(void)state;
	assert_int_equal(mkdirat(top, "d", 0755), 0);
	assert_int_equal(fsync_parent_at(top, "d"), 0);
	assert_int_equal(fsync_parent_at(top, "d//"), 0);
	assert_int_equal(fsync_parent_at(top, "d/absent"), 0);
	assert_int_equal(fsync_parent_at(top, "none/x"), -ENOENT);
	assert_int_equal(fsync_parent_at(AT_FDCWD, "/tmp"), 0);
}

static void touch(const char *path)
{
	assert_int_equal(file_write_at(top, path, "x", 1, 0644), 0);
}

static bool is_there(const char *path)
{
	return faccessat(top, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Only files that file_write_at() of this same name may have left are removed. */
static void sweep_removes_only_own_temporaries(void **state)
{
	static const char *const others[] = {"d/hostname",
					     "d/.hostname",
					     "d/.hostname.abcdefgh",
					     "d/.hostname.ABCDEFGHIJ",
					     "d/.hostname.abcdefghijk",
					     "d/.hosts.abcdefghij",
					     "d/hostname.abcdefghij"};

	(void)state;
	assert_int_equal(file_sweep_at(top, "d/hostname"), 0);
	assert_int_equal(mkdir_p_at(top, "d", 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		touch(others[i]);
	assert_int_equal(file_sweep_at(top, "d/hostname"), 0);
	touch("d/.hostname.abcdefghij");
	assert_int_equal(symlinkat("x", top, "d/.hostname.abcde01234"), 0);
	assert_int_equal(file_sweep_at(top, "d/hostname"), 2);
	assert_false(is_there("d/.hostname.abcdefghij"));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_true(is_there(others[i]));
}

static void temporaries_are_told_by_their_names(void **state)
{
	(void)state;
	assert_true(file_is_temporary(".hostname.abcdefghij"));
	assert_true(file_is_temporary(".a.cfg.abcde01234"));
	assert_false(file_is_temporary(".gitignore"));
	assert_false(file_is_temporary(".hostname.ABCDEFGHIJ"));
	assert_false(file_is_temporary(".hostname.abcdefghijk"));
	assert_false(file_is_temporary("hostname.abcdefghij"));
	assert_false(file_is_temporary("..abcdefghij"));
	assert_false(file_is_temporary(".abcdefghij"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(file_is_read_whole),
		CASE(pipe_or_folder_is_not_a_regular_file),
		CASE(foreign_file_is_no_symlink_pipe_socket_or_device),
		CASE(read_is_limited),
		CASE(pipe_is_read_to_its_end),
		CASE(write_replaces_the_whole_file),
		CASE(write_accepts_any_path),
		CASE(write_refuses_bad_paths),
		CASE(write_replaces_a_link_not_its_target),
		CASE(failed_write_leaves_the_old_file),
		CASE(writes_are_synced_in_order),
		CASE(update_writes_only_what_differs),
		CASE(update_replaces_other_types),
		CASE(symlink_replaces_what_differs),
		CASE(remove_accepts_absent_files_but_no_folders),
		CASE(copy_fd_copies_all_bytes),
		CASE(write_all_waits_for_a_full_pipe),
		CASE(fsync_parent_accepts_any_path),
		CASE(sweep_removes_only_own_temporaries),
		CASE(temporaries_are_told_by_their_names),
	};
	int bad = cmocka_run_group_tests(tests, NULL, NULL);

	buf_done(&calls);
	return bad;
}
