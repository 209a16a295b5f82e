/* SPDX-License-Identifier: Apache-2.0 */
/* A folder for each test of lib/file.h. */
#pragma once

#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"
#include "test-tempdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/syscall.h>

#include <cmocka.h>

/* Each case starts with an empty folder, open as `top`. */
static char *top_path;
static int top = -1;

static inline int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	if (tempdir_make(tmp ? tmp : "/tmp", "test-lib-file", &top_path) < 0)
		return -1;
	top = open(top_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return top < 0 ? -1 : 0;
}

static inline int teardown(void **state)
{
	(void)state;
	if (getuid() == 0 && seteuid(0) < 0) /* a case may have changed it */
		return -1;
	close_p(&top);
	top = -1;
	rm_rf_p(&top_path);
	top_path = NULL;
	return 0;
}

/* Returns the names in a folder, sorted, joined by blanks. Owned by the caller. */
static inline char *list(int dir, const char *path)
{
	_cleanup_strv_ char **v = NULL;
	struct dirent **entries;
	int n = scandirat(dir, path, &entries, NULL, alphasort);

	assert_true(n >= 2);
	for (int i = 0; i < n; i++) {
		if (!streq(entries[i]->d_name, ".") && !streq(entries[i]->d_name, ".."))
			strv_add(&v, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return strv_join(v, " ");
}

static inline void assert_names(const char *path, const char *want)
{
	_cleanup_free_ char *got = list(top, path);

	assert_string_equal(got, want);
}

static inline struct stat stat_of(const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(top, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st;
}

static inline void write_file(const char *path, const char *text)
{
	assert_int_equal(file_write_at(top, path, text, strlen(text), 0644), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
