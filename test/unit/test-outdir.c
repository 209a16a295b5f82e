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
	*state = make_scratch();
	return setenv("RACKSTRAP_CACHE", *state, 1);
}

static int teardown(void **state)
{
	char *top = *state;

	exchange_again();
	rm_rf_p(&top);
	return 0;
}

/* A file that the build forgets in its folder, or NULL. */
static const char *leave;

/* Runs a build whose image is the file manifest.json with this text. */
static int build(const char *top, const char *text, struct err *e)
{
	static char *const names[] = {(char *)"manifest.json", NULL};
	_cleanup_outdir_ struct outdir o = OUTDIR_INIT;

	if (outdir_begin(&o, top, "vivid", e) < 0)
		return -1;
	write_text(o.scratch.path, "manifest.json", text);
	if (leave)
		write_text(o.scratch.path, leave, "forgotten\n");
	return outdir_commit(&o, names, e);
}

static void assert_built(const char *top, const char *text)
{
	_cleanup_free_ char *got = NULL;
	struct err e = {0};

	if (build(top, text, &e) < 0)
		fail_msg("%s", e.msg);
	got = read_text(top, "vivid/manifest.json");
	assert_string_equal(got, text);
}

/* Returns whether `name` exists, also as a dangling symlink. */
static bool is_there(const char *top, const char *name)
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

static void previous_image_is_replaced(void **state)
{
	assert_built(*state, "one");
	assert_built(*state, "two");
}

static void empty_folder_is_replaced(void **state)
{
	make_dir(*state, "vivid");
	assert_built(*state, "one");
}

/* Only the symlink is removed, not its target. */
static void symlink_is_replaced_not_its_target(void **state)
{
	_cleanup_free_ char *link = xasprintf("%s/vivid", (char *)*state);
	_cleanup_free_ char *text = NULL;

	make_dir(*state, "elsewhere");
	write_text(*state, "elsewhere/notes.txt", "precious\n");
	assert_int_equal(symlink("elsewhere", link), 0);
	assert_built(*state, "one");
	text = read_text(*state, "elsewhere/notes.txt");
	assert_string_equal(text, "precious\n");
}

/* A recipe's own folder has other files; it is the output folder when --output is the
 * folder of recipes. */
static void other_folders_are_refused(void **state)
{
	char *top = *state;
	_cleanup_free_ char *want = xasprintf("%s/vivid exists and is not an image: name "
					      "another folder with --output",
					      top);
	_cleanup_free_ char *text = NULL;
	struct err e = {0};

	make_dir(top, "vivid");
	write_text(top, "vivid/recipe.cfg", "version = 1;\n");
	assert_int_equal(build(top, "one", &e), -1);
	assert_string_equal(e.msg, want);
	assert_int_equal(e.code, ERR_FAILED);
	text = read_text(top, "vivid/recipe.cfg");
	assert_string_equal(text, "version = 1;\n");
	assert_false(is_there(top, "vivid/manifest.json"));
}

static void file_is_refused(void **state)
{
	struct err e = {0};

	write_text(*state, "vivid", "lots of wine\n");
	assert_int_equal(build(*state, "one", &e), -1);
	assert_non_null(strstr(e.msg, "exists and is not an image"));
	assert_true(is_there(*state, "vivid"));
}

/* An image has nothing that the build made for itself, such as the folder "parts". */
static void forgotten_file_is_an_error(void **state)
{
	struct err e = {0};

	assert_built(*state, "one");
	leave = "parts";
	assert_int_equal(build(*state, "two", &e), -1);
	leave = NULL;
	assert_non_null(strstr(e.msg, "/parts: could not be removed"));
	assert_false(is_there(*state, "vivid/parts"));
	assert_built(*state, "one");
}

/* --- without an exchange of names -------------------------------------------------- */

static void assert_names(const char *top, bool final, bool aside)
{
	assert_int_equal(is_there(top, "vivid"), final);
	assert_int_equal(is_there(top, ".vivid.old"), aside);
}

static void image_is_replaced_without_exchange(void **state)
{
	no_exchange = true;
	assert_built(*state, "one");
	assert_names(*state, true, false);
	assert_built(*state, "two");
	assert_names(*state, true, false);
}

/* The build is killed after zero, one and two renames. */
static void killed_build_keeps_the_old_image(void **state)
{
	char *top = *state;
	_cleanup_outdir_ struct outdir o = OUTDIR_INIT;
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
		text = read_text(top, "vivid/manifest.json");
		assert_string_equal(text, n < 2 ? "one" : "two");
	}
}

/* Everybody who may write to the output folder can make a folder of such a name. */
static void folders_of_another_user_are_not_used(void **state)
{
	char *top = *state;
	_cleanup_free_ char *aside = xasprintf("%s/.vivid.old", top);
	_cleanup_free_ char *theirs =
		xasprintf("%s/.vivid.rackstrap-aaaaaaaaaaaaaaaa", top);
	_cleanup_free_ char *want = xasprintf(
		"%s: belongs to another user (uid 65533): remove it, or chown it if it "
		"is what a killed rackstrap left",
		aside);
	struct err e = {0};

	if (geteuid() != 0)
		skip();
	make_dir(top, ".vivid.rackstrap-aaaaaaaaaaaaaaaa");
	make_dir(top, ".vivid.rackstrap-bbbbbbbbbbbbbbbb");
	assert_int_equal(chown(theirs, 65533, 65533), 0);
	assert_built(top, "one");
	assert_true(is_there(top, ".vivid.rackstrap-aaaaaaaaaaaaaaaa"));
	assert_false(is_there(top, ".vivid.rackstrap-bbbbbbbbbbbbbbbb"));

	make_dir(top, ".vivid.old");
	write_text(top, ".vivid.old/manifest.json", "planted");
	assert_int_equal(chown(aside, 65533, 65533), 0);
	assert_int_equal(build(top, "two", &e), -1);
	assert_string_equal(e.msg, want);
	assert_names(top, true, true);
}

/* CACHE/left names what is to be removed: another user must not be able to write to
 * it. */
static void records_of_another_user_are_not_used(void **state)
{
	char *top = *state;
	_cleanup_free_ char *left = xasprintf("%s/left", top), *dir = leftovers_dir();
	_cleanup_free_ char *precious =
		xasprintf("%s/.x.rackstrap-aaaaaaaaaaaaaaaa", top);
	_cleanup_free_ char *record = xasprintf("left/%s", strrchr(precious, '-') + 1);
	_cleanup_free_ char *text =
		xasprintf("scratch 1\nhost h\npath %s\nend\n", precious);
	static const struct {
		uid_t uid;
		mode_t mode;
		bool used;
	} cases[] = {{65533, 0700, false},
		     {0, 0770, false},
		     {0, 0702, false},
		     {0, 0700, true}};

	assert_string_equal(dir, left); /* it is made later */
	if (geteuid() != 0)
		skip();
	make_dir(top, "left");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *found = NULL;

		make_dir(top, strrchr(precious, '/') + 1);
		write_text(top, record, text);
		assert_int_equal(chown(left, cases[i].uid, cases[i].uid), 0);
		assert_int_equal(chmod(left, cases[i].mode), 0);
		found = leftovers_dir();
		assert_int_equal(found != NULL, cases[i].used);
		leftovers_sweep();
		assert_int_equal(is_there(top, strrchr(precious, '/') + 1),
				 !cases[i].used);
		rm_rf_at(AT_FDCWD, precious);
		assert_built(top, "one");
	}
	assert_int_equal(rm_rf_at(AT_FDCWD, left), 0);
	make_dir(top, "elsewhere");
	assert_int_equal(symlink("elsewhere", left), 0);
	assert_null(leftovers_dir());
}

static void failed_build_restores_the_old_image(void **state)
{
	_cleanup_free_ char *text = NULL;
	struct err e = {0};

	assert_built(*state, "one");
	no_exchange = true;
	renames_left = 1;
	assert_int_equal(build(*state, "two", &e), -1);
	assert_non_null(strstr(e.msg, strerror(EIO)));
	assert_names(*state, true, false);
	text = read_text(*state, "vivid/manifest.json");
	assert_string_equal(text, "one");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(previous_image_is_replaced),
		CASE(empty_folder_is_replaced),
		CASE(symlink_is_replaced_not_its_target),
		CASE(other_folders_are_refused),
		CASE(file_is_refused),
		CASE(forgotten_file_is_an_error),
		CASE(image_is_replaced_without_exchange),
		CASE(killed_build_keeps_the_old_image),
		CASE(failed_build_restores_the_old_image),
		CASE(folders_of_another_user_are_not_used),
		CASE(records_of_another_user_are_not_used),
	};

	return cmocka_run_group_tests_name("outdir", tests, NULL, NULL);
}
