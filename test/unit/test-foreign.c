/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/common/foreign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/str.h"

/* Makes a folder of another user if this is root; /usr is another user's otherwise. */
static void other_users_folder_is_named(void **state)
{
	char dir[] = "/tmp/rackstrap-foreign.XXXXXX";
	const char *theirs = "/usr";
	struct err e = {0};

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_true(foreign_can_use(dir));
	assert_true(foreign_can_use("/nonexistent"));
	if (geteuid() == 0 && chown(dir, 1, 1) == 0)
		theirs = dir;
	if (geteuid() != 0 || theirs == dir) {
		assert_false(foreign_can_use(theirs));
		assert_int_equal(foreign_err("cache ", theirs, "go", &e), -1);
		assert_non_null(str_after(e.msg, "cache "));
		assert_non_null(strstr(e.msg, " belongs to user "));
		assert_true(str_ends(e.msg, " cannot use it: go"));
	}
	if (theirs == dir) {
		assert_int_equal(chmod(dir, 0777), 0);
		assert_true(foreign_can_use(dir));
	}
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_users_folder_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
