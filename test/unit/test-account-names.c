/* SPDX-License-Identifier: Apache-2.0 */
/* builder/root/account-names.h: the names in a base's passwd and group. */
#include "builder/root/account-names.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Returns the names as "a b c", or "unknown". `layer`: a path that the recipe brings, or
 * NULL. Owned by the caller. */
static char *names_of(const char *text, const char *layer, bool dropped)
{
	struct index base = {.v = xcalloc(1, sizeof(*base.v)), .n = 1};
	struct layer_item item = {.path = xstrdup(layer ? layer : "etc/motd"),
				  .type = ENTRY_FILE};
	struct layer l = {.v = &item, .n = 1};
	_cleanup_strv_ char **names = NULL;
	char *joined;

	base.v[0] = (struct index_entry){.path = xstrdup(ACCOUNT_USERS),
					 .type = ENTRY_FILE,
					 .text = xstrdup(text),
					 .size = text ? strlen(text) : 0,
					 .dropped = dropped};
	index_finish(&base);
	names = account_names(&base, &l, ACCOUNT_USERS);
	joined = names ? strv_join(names, " ") : xstrdup("unknown");
	assert_null(account_names(&base, &l, ACCOUNT_GROUPS));
	index_done(&base);
	free(item.path);
	return joined;
}

#define assert_names(want, ...)                                                          \
	do {                                                                             \
		_cleanup_free_ char *got_ = names_of(__VA_ARGS__);                       \
		assert_string_equal(got_, want);                                         \
	} while (0)

static void test_names_are_listed(void **state _unused_)
{
	assert_true(account_names_reads("etc/passwd"));
	assert_true(account_names_reads("etc/group"));
	assert_false(account_names_reads("etc/shadow"));
	assert_names("root munge last",
		     "root:x:0:0::/root:/bin/sh\n\n:x:1\nnobody\nmunge:x:1:1:\nlast:x",
		     NULL, false);
}

static void test_other_files_are_not_known(void **state _unused_)
{
	assert_names("unknown", NULL, NULL, false);
	assert_names("unknown", "", NULL, false);
	assert_names("unknown", "root:x:0:0\n", ACCOUNT_USERS, false);
	assert_names("unknown", "root:x:0:0\n", NULL, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_are_listed),
		cmocka_unit_test(test_other_files_are_not_known),
	};

	return cmocka_run_group_tests_name("account-names", tests, NULL, NULL);
}
