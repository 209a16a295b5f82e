/* SPDX-License-Identifier: Apache-2.0 */
/* lib/dir.h. */
#include "lib/dir.h"
#include "lib/file.h"
#include "lib/str.h"

#include "test-tempdir.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char *folder;

static int setup(void **state)
{
	(void)state;
	return tempdir_make("/tmp", "test-lib-dir", &folder);
}

static int teardown(void **state)
{
	(void)state;
	rm_rf_p(&folder);
	return 0;
}

static void names_are_sorted(void **state)
{
	_cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_strv_ char **names = NULL, **again = NULL;
	_cleanup_free_ char *joined = NULL;

	(void)state;
	assert_int_equal(mkdir_p_at(fd, "d/b", 0755), 0);
	assert_int_equal(mkdir_p_at(fd, "d/.hidden", 0755), 0);
	assert_int_equal(file_write_at(fd, "d/a", "", 0, 0644), 0);
	assert_int_equal(file_write_at(fd, "d/...", "", 0, 0644), 0);
	assert_int_equal(dir_names_at(fd, "d", &names), 0);
	joined = strv_join(names, " ");
	assert_string_equal(joined, "... .hidden a b");
	/* The position of the caller's descriptor does not matter. */
	assert_int_equal(dir_names_at(fd, ".", &again), 0);
	assert_int_equal(strv_len(again), 1);
	strv_done(&again);
	assert_int_equal(dir_names_at(fd, ".", &again), 0);
	assert_int_equal(strv_len(again), 1);
}

static void an_empty_folder_has_no_names(void **state)
{
	char x[] = "x", *unset[] = {x, NULL}, **names = unset;

	(void)state;
	assert_int_equal(dir_names_at(AT_FDCWD, folder, &names), 0);
	assert_null(names);
}

static void errors_leave_the_result_alone(void **state)
{
	_cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char x[] = "x", *unset[] = {x, NULL}, **names = unset;

	(void)state;
	assert_int_equal(file_write_at(fd, "file", "", 0, 0644), 0);
	assert_int_equal(dir_names_at(fd, "absent", &names), -ENOENT);
	assert_int_equal(dir_names_at(fd, "file", &names), -ENOTDIR);
	assert_ptr_equal(names, unset);
}

static int fail_with;

struct dirent *__real_readdir64(DIR *d);
struct dirent *__wrap_readdir64(DIR *d);
struct dirent *__wrap_readdir64(DIR *d)
{
	struct dirent *entry = __real_readdir64(d);

	if (entry || !fail_with)
		return entry;
	errno = fail_with;
	return NULL;
}

static void an_error_of_readdir_is_not_the_end(void **state)
{
	_cleanup_close_ int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char x[] = "x", *unset[] = {x, NULL}, **names = unset;

	(void)state;
	assert_int_equal(mkdir_p_at(fd, "a", 0755), 0);
	fail_with = EIO;
	assert_int_equal(dir_names_at(fd, ".", &names), -EIO);
	assert_ptr_equal(names, unset);
	assert_int_equal(file_sweep_at(fd, "b"), -EIO);
	assert_false(dir_is_empty(folder));
	assert_int_equal(rm_rf_at(AT_FDCWD, folder), -EIO);
	fail_with = 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(names_are_sorted),
		CASE(an_empty_folder_has_no_names),
		CASE(errors_leave_the_result_alone),
		CASE(an_error_of_readdir_is_not_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
