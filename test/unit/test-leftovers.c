/* SPDX-License-Identifier: Apache-2.0 */
/* builder/common/leftovers.h: temporary folders are made in one place, recorded, and
 * swept from there. */
#include "builder/common/leftovers.h"

#include "builder/common/temp-file.h"
#include "lib/file.h"
#include "lib/str.h"

#include "test-tempdir.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char *top;

static int setup(_unused_ void **state)
{
	if (tempdir_make("/tmp", "test-leftovers", &top) < 0)
		return -1;
	return setenv("RACKSTRAP_CACHE", top, 1);
}

static int teardown(_unused_ void **state)
{
	unsetenv("TMPDIR");
	rm_rf_p(&top);
	top = NULL;
	return 0;
}

/* Makes a folder as a process that is then killed does, and checks that it is in `dir`
 * and that the sweep of another one removes it. */
static void assert_made_and_swept_in(const char *dir)
{
	_cleanup_free_ char *prefix = xasprintf("%s/work.rackstrap-", dir), *path = NULL;
	struct scratch s = SCRATCH_INIT;
	struct err e = {0};

	assert_string_equal(temp_dir(), dir);
	if (leftovers_make(&s, NULL, "work", &e) < 0)
		fail_msg("%s", e.msg);
	if (!str_after(s.path, prefix))
		fail_msg("%s is not in %s", s.path, dir);
	path = xstrdup(s.path);
	scratch_keep(&s);
	leftovers_sweep();
	assert_int_equal(access(path, F_OK), -1);
}

static void folders_are_made_in_tmpdir(_unused_ void **state)
{
	setenv("TMPDIR", top, 1);
	assert_made_and_swept_in(top);
}

static void folders_are_made_in_var_tmp_without_tmpdir(_unused_ void **state)
{
	unsetenv("TMPDIR");
	assert_made_and_swept_in("/var/tmp");
	setenv("TMPDIR", "", 1);
	assert_made_and_swept_in("/var/tmp");
}

/* Another user could put a folder of settings in the place of root's. */
static void root_needs_a_tmpdir_of_its_own(_unused_ void **state)
{
	_cleanup_free_ char *want =
		xasprintf("TMPDIR: %s: other users can rename what is "
			  "in it: name a folder of root's",
			  top);
	struct scratch s = SCRATCH_INIT;
	struct err e = {0};

	if (geteuid() != 0)
		skip();
	setenv("TMPDIR", top, 1);
	assert_int_equal(chown(top, 65533, 65533), 0);
	assert_int_equal(leftovers_make(&s, NULL, "work", &e), -1);
	assert_string_equal(e.msg, want);
	assert_int_equal(chown(top, 0, 0), 0);
	assert_int_equal(chmod(top, 0777), 0);
	assert_int_equal(leftovers_make(&s, NULL, "work", &e), -1);
	assert_string_equal(e.msg, want);
	assert_int_equal(chmod(top, 01777), 0);
	assert_int_equal(leftovers_make(&s, NULL, "work", &e), 0);
	scratch_done(&s);
}

static void missing_tmpdir_is_named(_unused_ void **state)
{
	struct scratch s = SCRATCH_INIT;
	struct err e = {0};

	setenv("TMPDIR", "/nonexistent", 1);
	assert_int_equal(leftovers_make(&s, NULL, "work", &e), -1);
	assert_non_null(str_after(e.msg, "TMPDIR: /nonexistent: "));
}

/* A folder's name with a slash at its end has no file. */
static void file_needs_a_name(_unused_ void **state)
{
	_cleanup_free_ char *path = xasprintf("%s/", top);
	struct err e = {0};

	assert_int_equal(leftovers_write_file(path, "x", 1, 0644, &e), -1);
}

/* --- libguestfs's cache ------------------------------------------------------------- */

/* Takes supermin's lock, as of another process: it belongs to the descriptor, which is
 * returned. */
static int hold_lock(const char *path)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &whole), 0);
	return fd;
}

static void incomplete_machines_are_removed(_unused_ void **state)
{
	_cleanup_free_ char *dir = xasprintf("%s/.guestfs-%u", top, (unsigned)geteuid());
	_cleanup_free_ char *dead = xasprintf("%s/appliance.d.0abcdefg", dir);
	_cleanup_free_ char *file = xasprintf("%s/root", dead);
	_cleanup_free_ char *whole = xasprintf("%s/appliance.d", dir);
	_cleanup_free_ char *lock = xasprintf("%s/lock", dir);
	int held;

	setenv("LIBGUESTFS_CACHEDIR", top, 1);
	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(mkdir(dead, 0755), 0);
	assert_int_equal(mkdir(whole, 0755), 0);
	assert_int_equal(file_write_at(AT_FDCWD, file, "x", 1, 0644), 0);
	held = hold_lock(lock);
	leftovers_sweep();
	assert_int_equal(access(file, F_OK), 0);
	close(held);

	assert_int_equal(chmod(dir, 0777), 0); /* somebody else's, maybe */
	leftovers_sweep();
	assert_int_equal(access(file, F_OK), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	leftovers_sweep();
	assert_int_equal(access(dead, F_OK), -1);
	assert_int_equal(access(whole, F_OK), 0);
	assert_int_equal(access(lock, F_OK), 0);
	unsetenv("LIBGUESTFS_CACHEDIR");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(folders_are_made_in_tmpdir, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			folders_are_made_in_var_tmp_without_tmpdir, setup, teardown),
		cmocka_unit_test_setup_teardown(root_needs_a_tmpdir_of_its_own, setup,
						teardown),
		cmocka_unit_test_setup_teardown(missing_tmpdir_is_named, setup, teardown),
		cmocka_unit_test_setup_teardown(file_needs_a_name, setup, teardown),
		cmocka_unit_test_setup_teardown(incomplete_machines_are_removed, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
