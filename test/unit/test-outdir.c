/* SPDX-License-Identifier: Apache-2.0 */
/* builder/common/outdir.h: which existing folders a new image may replace. */
#include "builder/common/outdir.h"

#include "test-no-exchange.h"
#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = scratch_make();
	return 0;
}

static int teardown(void **state)
{
	char *top = *state;

	exchange_again();
	rm_rf_p(&top);
	return 0;
}

/* Runs a build whose image is the file manifest.json with this text. */
static int build(const char *top, const char *text, struct err *e)
{
	_cleanup_outdir_ struct outdir o = {.fd = -1, .lock = -1};

	if (outdir_begin(&o, top, "vivid", e) < 0)
		return -1;
	put_text(o.path, "manifest.json", text);
	return outdir_commit(&o, e);
}

static void assert_built(const char *top, const char *text)
{
	_cleanup_free_ char *got = NULL;
	struct err e = {0};

	if (build(top, text, &e) < 0)
		fail_msg("%s", e.msg);
	got = get_text(top, "vivid/manifest.json");
	assert_string_equal(got, text);
}

/* Returns whether `name` exists, also as a dangling symlink. */
static bool there(const char *top, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", top, name);
	struct stat st;

	return lstat(path, &st) == 0;
}

static void make_dir(const char *top, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", top, name);

	assert_int_equal(mkdir(path, 0755), 0);
}

/* --- folders that may be replaced -------------------------------------------------- */

static void an_image_of_before(void **state)
{
	assert_built(*state, "one");
	assert_built(*state, "two");
}

static void an_empty_folder(void **state)
{
	make_dir(*state, "vivid");
	assert_built(*state, "one");
}

/* Only the symlink is removed, not its target. */
static void a_link(void **state)
{
	_cleanup_free_ char *link = xasprintf("%s/vivid", (char *)*state);
	_cleanup_free_ char *text = NULL;

	make_dir(*state, "elsewhere");
	put_text(*state, "elsewhere/thesis.tex", "ten years\n");
	assert_int_equal(symlink("elsewhere", link), 0);
	assert_built(*state, "one");
	text = get_text(*state, "elsewhere/thesis.tex");
	assert_string_equal(text, "ten years\n");
}

/* A recipe's own folder has other files; it is the output folder when --out is the folder
 * of recipes. */
static void nothing_else(void **state)
{
	char *top = *state;
	_cleanup_free_ char *want = xasprintf("%s/vivid exists and is not an image: name "
					      "another folder with --out",
					      top);
	_cleanup_free_ char *text = NULL;
	struct err e = {0};

	make_dir(top, "vivid");
	put_text(top, "vivid/recipe.cfg", "version = 1;\n");
	assert_int_equal(build(top, "one", &e), -1);
	assert_string_equal(e.msg, want);
	assert_int_equal(e.code, ERR_FAILED);
	text = get_text(top, "vivid/recipe.cfg");
	assert_string_equal(text, "version = 1;\n");
	assert_false(there(top, "vivid/manifest.json"));
}

static void nor_a_file(void **state)
{
	struct err e = {0};

	put_text(*state, "vivid", "lots of wine\n");
	assert_int_equal(build(*state, "one", &e), -1);
	assert_non_null(strstr(e.msg, "exists and is not an image"));
	assert_true(there(*state, "vivid"));
}

/* --- without an exchange of names -------------------------------------------------- */

static void assert_names(const char *top, bool final, bool aside)
{
	assert_int_equal(there(top, "vivid"), final);
	assert_int_equal(there(top, ".vivid.old"), aside);
}

static void without_exchange(void **state)
{
	no_exchange = true;
	assert_built(*state, "one");
	assert_names(*state, true, false);
	assert_built(*state, "two");
	assert_names(*state, true, false);
}

/* The build is killed after zero, one and two renames. */
static void the_old_one_survives(void **state)
{
	char *top = *state;
	_cleanup_outdir_ struct outdir o = {.fd = -1, .lock = -1};
	struct err e = {0};

	assert_built(top, "one");
	no_exchange = killed = true;
	for (int n = 0; n < 3; n++) {
		_cleanup_free_ char *text = NULL;

		renames_left = n;
		assert_int_equal(build(top, "two", &e), -1);
		assert_names(top, n != 1, n > 0);
		/* The next build restores it, even if that build fails. */
		renames_left = 100;
		assert_int_equal(outdir_begin(&o, top, "vivid", &e), 0);
		outdir_done(&o);
		assert_names(top, true, false);
		text = get_text(top, "vivid/manifest.json");
		assert_string_equal(text, n < 2 ? "one" : "two");
	}
}

static void a_failure_puts_it_back(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct err e = {0};

	assert_built(*state, "one");
	no_exchange = true;
	renames_left = 1;
	assert_int_equal(build(*state, "two", &e), -1);
	assert_non_null(strstr(e.msg, strerror(EIO)));
	assert_names(*state, true, false);
	text = get_text(*state, "vivid/manifest.json");
	assert_string_equal(text, "one");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_image_of_before),
		CASE(an_empty_folder),
		CASE(a_link),
		CASE(nothing_else),
		CASE(nor_a_file),
		CASE(without_exchange),
		CASE(the_old_one_survives),
		CASE(a_failure_puts_it_back),
	};

	return cmocka_run_group_tests_name("outdir", tests, NULL, NULL);
}
