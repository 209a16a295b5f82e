/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/rack-fold.h */
#include "pxe/rack-fold.h"

#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void add(struct diag *d, const char *file, unsigned line, const char *message)
{
	diag_add_at(d, &(struct diag_place){.file = file, .line = line}, "%s", message);
}

/* Returns the lines and their details. Owned by the caller. */
static char *folded(struct diag *d)
{
	const size_t count = diag_count(d);
	struct buf b = {0};

	rack_fold(d);
	assert_int_equal(diag_count(d), count);
	for (size_t i = 0; i < d->n; i++) {
		_cleanup_free_ char *text = diag_text(d, i);

		buf_printf(&b, "%s\n", text);
	}
	return buf_take(&b);
}

static void few_are_left_as_they_are(void **state)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *got = NULL;

	(void)state;
	add(&d, "a", 1, "host 'x': bad");
	add(&d, "a", 2, "host 'y': bad");
	for (unsigned i = 3; i < 14; i++)
		add(&d, "a", i, "element 7 is bad");
	got = folded(&d);
	assert_int_equal(d.n, 13);
	assert_null(strstr(got, "more"));
}

/* Columns of a table's first row. */
static void line_of_all_is_named_once(void **state)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *got = NULL;

	(void)state;
	for (unsigned i = 1; i < 16; i++) {
		_cleanup_free_ char *text = xasprintf("column %u: unknown", i);

		add(&d, "l.csv", i < 14 ? 1 : 2, text);
	}
	got = folded(&d);
	assert_string_equal(strstr(got, "    and"), "    and 5 more: line 2\n");
}

static void first_ten_of_a_kind_are_left(void **state)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *got = NULL;
	struct buf want = {0};

	(void)state;
	for (unsigned i = 1; i <= 1000; i++) {
		_cleanup_free_ char *row = xasprintf("row %u: wrong \"%u\"", i, i),
				    *host = xasprintf("host 'h%u': value %u", i, i);

		add(&d, "l.csv", i, row);
		add(&d, "r.cfg", i, host);
		if (i <= 10)
			buf_printf(&want, "l.csv:%u: %s\n%sr.cfg:%u: %s\n", i, row,
				   i < 10 ? ""
					  : "    and 990 more: lines 11, 12, 13, 14, "
					    "...\n",
				   i, host);
	}
	buf_puts(&want, "    and 990 more hosts: h11 (line 11), h12 (line 12), h13 (line "
			"13), h14 (line 14), ...\n");
	got = folded(&d);
	assert_string_equal(got, want.p);
	assert_int_equal(d.folded[18], 990);
	assert_int_equal(d.folded[19], 990);
	buf_done(&want);
}

static void places_in_several_files_are_whole(void **state)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *got = NULL;
	const char *detail;

	(void)state;
	for (unsigned i = 1; i <= 12; i++)
		add(&d, i < 12 ? "a" : "b\033\n", i, "bad");
	for (unsigned i = 1; i <= 12; i++)
		diag_add(&d, "value %u", i);
	got = folded(&d);
	detail = strstr(got, "    and");
	assert_non_null(detail);
	assert_true(str_after(detail, "    and 2 more: a:11, b? :12\nvalue 1\n"));
	assert_true(str_ends(got, "\nvalue 10\n    and 2 more\n"));
}

/* A name in single quotes, such as a misspelt key, is shown in any case. */
static void kinds_stay_apart(void **state)
{
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		add(&d, "a", i + 1, i % 2 ? "unknown key 'mak'" : "unknown key 'nam'");
	add(&d, "a", 30, "with an excerpt");
	diag_detail(&d, "    x\n    ^");
	for (unsigned i = 0; i < 12; i++)
		add(&d, "a", i + 31, "with an excerpt");
	rack_fold(&d);
	assert_int_equal(d.n, 31);
	assert_string_equal(d.details[20], "    x\n    ^");
	assert_string_equal(d.details[30], "    and 2 more: lines 41, 42");
}

/* A host's complaints are all shown, but not a thousand of a kind. */
static void one_host_may_have_too_many(void **state)
{
	_cleanup_diag_ struct diag d = {0}, more = {0};
	_cleanup_free_ char *one = NULL, *several = NULL;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		add(&d, "a", i + 1, "host 'x': bad");
	one = folded(&d);
	assert_int_equal(d.n, 20);
	assert_string_equal(d.details[19], "    and 980 more of the host above");
	for (unsigned i = 0; i < 120; i++) {
		_cleanup_free_ char *text = xasprintf("host 'h%u': bad %u", i % 12, i);

		add(&more, "a", 1, text);
	}
	for (unsigned i = 0; i < 15; i++)
		add(&more, "a", 1, "host 'h3': bad 0");
	several = folded(&more);
	assert_int_equal(more.n, 110);
	assert_true(str_ends(several, "\n    and 2 more hosts: h10, h11\n"
				      "    and 5 more of the hosts above\n"));
}

/* The places and hosts of the complaints that are left go with them. */
static void places_move_along(void **state)
{
	_cleanup_diag_ struct diag d = {0};

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		_cleanup_free_ char *name = xasprintf("n%u", i),
				    *text = xasprintf("host 'n%u': bad", i);

		add(&d, "a", i, text);
		diag_host(&d, name);
	}
	add(&d, "b", 9, "last");
	rack_fold(&d);
	assert_int_equal(d.n, 2);
	assert_string_equal(d.about[0].host, "n1");
	assert_string_equal(d.about[1].at.file, "b");
	assert_string_equal(diag_message(&d, 1), "last");
}

static void whole_diag_is_not_folded(void **state)
{
	_cleanup_diag_ struct diag d = {.whole = true};

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		add(&d, "a", i, "bad");
	rack_fold(&d);
	assert_int_equal(d.n, 100);
	assert_null(d.details[99]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_are_left_as_they_are),
		cmocka_unit_test(line_of_all_is_named_once),
		cmocka_unit_test(first_ten_of_a_kind_are_left),
		cmocka_unit_test(places_in_several_files_are_whole),
		cmocka_unit_test(kinds_stay_apart),
		cmocka_unit_test(one_host_may_have_too_many),
		cmocka_unit_test(places_move_along),
		cmocka_unit_test(whole_diag_is_not_folded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
