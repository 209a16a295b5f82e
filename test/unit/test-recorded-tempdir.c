/* SPDX-License-Identifier: Apache-2.0 */
/* A build removes the folder below $TMPDIR that a killed build left and recorded. */
#include "builder/common/recorded-tempdir.h"
#include "lib/file.h"
#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

static char *top, *note;

static int setup(_unused_ void **state)
{
	const char *tmp = getenv("TMPDIR");

	if (tempdir_make(tmp ? tmp : "/tmp", "test-recorded-tempdir", &top) < 0)
		return -1;
	note = xasprintf("%s/note", top);
	return setenv("TMPDIR", top, 1);
}

static int teardown(_unused_ void **state)
{
	rm_rf_p(&top);
	free(note);
	return 0;
}

static char *make(void)
{
	_cleanup_free_ char *file = NULL;
	char *dir = NULL;
	struct err e;

	assert_int_equal(recorded_tempdir_make(note, "work", &dir, &e), 0);
	file = xasprintf("%s/tree.tar", dir);
	assert_int_equal(file_write_at(AT_FDCWD, file, "x", 1, 0644), 0);
	return dir;
}

static void test_folder_is_made_and_noted(_unused_ void **state)
{
	_cleanup_free_ char *prefix = xasprintf("%s/work.", top), *dir = make();
	_cleanup_free_ char *text = NULL;
	struct stat st;

	assert_non_null(str_after(dir, prefix));
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_int_equal(file_read_at(AT_FDCWD, note, 4096, &text, NULL), 0);
	assert_string_equal(text, dir);
	recorded_tempdir_remove(dir, note);
	assert_int_equal(access(dir, F_OK), -1);
	assert_int_equal(access(note, F_OK), -1);
}

static void test_leftover_folder_is_removed(_unused_ void **state)
{
	_cleanup_free_ char *killed = make(), *next = make();

	assert_string_not_equal(killed, next);
	assert_int_equal(access(killed, F_OK), -1);
	assert_int_equal(access(next, F_OK), 0);
	recorded_tempdir_remove(NULL, note);
	assert_int_equal(access(next, F_OK), -1);
	assert_int_equal(access(note, F_OK), -1);
}

static void test_missing_tmpdir_is_an_error(_unused_ void **state)
{
	_cleanup_free_ char *none = xasprintf("%s/none", top), *dir = NULL;
	struct err e;

	assert_int_equal(setenv("TMPDIR", none, 1), 0);
	assert_int_equal(recorded_tempdir_make(note, "work", &dir, &e), -1);
	assert_non_null(str_after(e.msg, "TMPDIR: "));
	assert_int_equal(access(note, F_OK), -1);
	assert_int_equal(setenv("TMPDIR", top, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_folder_is_made_and_noted),
		cmocka_unit_test(test_leftover_folder_is_removed),
		cmocka_unit_test(test_missing_tmpdir_is_an_error),
	};

	return cmocka_run_group_tests_name("recorded-tempdir", tests, setup, teardown);
}
