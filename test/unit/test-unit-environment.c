/* SPDX-License-Identifier: Apache-2.0 */
/* builder/root/unit-environment.h: the files that units of an image read. */
#include "builder/root/unit-environment.h"
#include "test-merge.h"

#define LIB     "./usr/lib/systemd/system/"
#define SYSTEM  "/etc/systemd/system/"
#define SERVICE "[Service]\nEnvironmentFile="

static const struct entry entries[] = {
	DIR("./", 0755),
	LINK("./lib", "usr/lib"),
	DIR("./etc/", 0755),
	DIR("./etc/systemd/", 0755),
	DIR("./etc/systemd/system/", 0755),
	TEXT("./etc/shadow", 0640, "root:*:1:\n"),
	DIR("./usr/", 0755),
	DIR("./usr/lib/", 0755),
	DIR("./usr/lib/systemd/", 0755),
	DIR(LIB, 0755),
	TEXT(LIB "a.service", 0644,
	     "[Unit]\nEnvironmentFile=/not/this\n[Service]\nEnvironmentFile=-/etc/a\n"
	     "EnvironmentFile = /etc/%p-%n \\\n\n"),
	TEXT(LIB "reset.service", 0644,
	     SERVICE "/etc/old\nEnvironmentFile=\nEnvironmentFile=/etc/new\n"),
	TEXT(LIB "b@.service", 0644, SERVICE "/etc/b-%i\n"),
	TEXT(LIB "odd.service", 0644, SERVICE "/etc/%H\n"),
	TEXT(LIB "none.service", 0644, "[Service]\nType=oneshot\n"),
	DIR(LIB "none.service.d/", 0755),
	TEXT(LIB "none.service.d/20-x.conf", 0644, SERVICE "/base/20\n"),
	TEXT(LIB "none.service.d/30-y.conf", 0644, SERVICE "/base/30\n"),
	LINK(LIB "alias.service", "a.service"),
};

static int setup_units(void **state)
{
	(void)state;
	return setup_from(entries, ARRAY_SIZE(entries));
}

/* Checks that the unit's files are known and are those of `want`. */
static void reads(const char *unit, const char *want)
{
	_cleanup_strv_ char **files = NULL;
	_cleanup_free_ char *all = NULL;

	assert_true(unit_environment(&files, &w.index, &w.layer, unit));
	all = strv_join(files, " ");
	assert_string_equal(all ? all : "", want);
}

static void unknown(const char *unit)
{
	char **files = NULL;

	assert_false(unit_environment(&files, &w.index, &w.layer, unit));
	assert_null(files);
}

static void files_of_units_are_found(void **state)
{
	(void)state;
	layer_finish(&w.layer);
	reads("a.service", "/etc/a /etc/a-a.service");
	reads("alias.service", "/etc/a /etc/alias-alias.service");
	reads("reset.service", "/etc/new");
	reads("b@tty1.service", "/etc/b-tty1");
	reads("none.service", "/base/20 /base/30");
	unknown("odd.service");
	unknown("absent.service");
}

static void follows(const char *unit, const char *want)
{
	_cleanup_strv_ char **units = NULL;
	_cleanup_free_ char *all = NULL;

	assert_true(unit_follows(&units, &w.index, &w.layer, unit));
	all = strv_join(units, " ");
	assert_string_equal(all, want);
}

static void units_that_a_unit_follows_are_found(void **state)
{
	char **units = NULL;

	(void)state;
	file(SYSTEM "f.service",
	     "[Unit]\nPartOf=x.service y.target\nRequires=z.socket\nWants=no.service\n"
	     "[Service]\nPartOf=no.service\n");
	file(SYSTEM "f.service.d/a.conf", "[Unit]\nBindsTo=%p-own.device\n");
	layer_finish(&w.layer);
	follows("f.service", "x.service y.target z.socket f-own.device");
	follows("a.service", "");
	assert_false(unit_follows(&units, &w.index, &w.layer, "absent.service"));
}

static void layer_replaces_units_and_drop_ins(void **state)
{
	(void)state;
	file(SYSTEM "a.service", SERVICE "/own\n");
	file(SYSTEM "none.service.d/20-x.conf", SERVICE "/own/20\n");
	file(SYSTEM "none.service.d/10-first.conf", SERVICE "/own/10\n");
	file(SYSTEM "none.service.d/15 with blanks.conf", SERVICE "/own/15\n");
	file(SYSTEM "none.service.d/40-no.txt", SERVICE "/own/40\n");
	file(SYSTEM "b@.service.d/x.conf", SERVICE "\nEnvironmentFile=/own/b\n");
	layer_add_link(&w.layer, SYSTEM "odd.service", "/dev/null", "mask", "r.cfg:1");
	layer_finish(&w.layer);
	reads("a.service", "/own");
	reads("none.service", "/own/10 /own/15 /own/20 /base/30");
	reads("b@x.service", "/own/b");
	unknown("odd.service");
}

static void file_that_is_not_there_is_not_known(void **state)
{
	struct layer_item *item;

	(void)state;
	item = layer_add(&w.layer, ENTRY_FILE, SYSTEM "a.service", 0644, "t", "r.cfg:1");
	assert_non_null(item);
	item->source = LAYER_MEMBER;
	item = layer_add(&w.layer, ENTRY_FILE, SYSTEM "none.service.d/x.conf", 0644, "t",
			 "r.cfg:1");
	assert_non_null(item);
	item->source = LAYER_FILE;
	item->file = xstrdup("/nonexistent/x.conf");
	layer_finish(&w.layer);
	unknown("a.service");
	unknown("none.service");
}

static void index_keeps_the_texts_of_drop_ins(void **state)
{
	(void)state;
	assert_true(unit_environment_reads("usr/lib/systemd/system/a.service"));
	assert_true(unit_environment_reads("usr/lib/systemd/system/a.service.d/x.conf"));
	assert_true(unit_environment_reads("etc/systemd/system/a.service.d/x.conf"));
	assert_false(unit_environment_reads("etc/systemd/system/a.wants/b.service"));
	assert_false(unit_environment_reads("etc/x.conf"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup_units, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(files_of_units_are_found),
		TEST(units_that_a_unit_follows_are_found),
		TEST(layer_replaces_units_and_drop_ins),
		TEST(file_that_is_not_there_is_not_known),
		TEST(index_keeps_the_texts_of_drop_ins),
	};

	return cmocka_run_group_tests_name("unit-environment", tests, NULL, NULL);
}
