/* SPDX-License-Identifier: Apache-2.0 */
/* lib/str.h. */
#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void prefixes_and_suffixes_are_found(void **state)
{
	(void)state;
	assert_string_equal(str_after("rackstrap.role", "rackstrap."), "role");
	assert_string_equal(str_after("same", "same"), "");
	assert_string_equal(str_after("x", ""), "x");
	assert_null(str_after("rack", "rackstrap."));
	assert_null(str_after("", "a"));
	assert_true(str_ends("a.service", ".service"));
	assert_true(str_ends("a", ""));
	assert_false(str_ends("e", ".service"));
	assert_false(str_ends("a.services", ".service"));
}

static void blanks_around_a_text_are_dropped(void **state)
{
	static const struct {
		const char *in, *want;
	} cases[] = {
		{" \tCZ 1234\n ", "CZ 1234"},
		{"CZ1234", "CZ1234"},
		{"  ", NULL},
		{"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *got = str_trimmed(cases[i].in, " \t\n");

		if (cases[i].want) {
			assert_non_null(got);
			assert_string_equal(got, cases[i].want);
		} else {
			assert_null(got);
		}
	}
}

static void zeros_are_found(void **state)
{
	(void)state;
	assert_true(mem_is_zero("", 0));
	assert_true(mem_is_zero("\0\0\0", 3));
	assert_false(mem_is_zero("\0\0x", 3));
	assert_false(mem_is_zero("x\0\0", 3));
}

static void empty_allocation_is_not_null(void **state)
{
	void *a = xmalloc(0), *b = xcalloc(0, 8);

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	a = xrealloc(a, 0);
	assert_non_null(a);
	free(a);
	free(b);
	assert_null(xstrdup(NULL));
}

static void copies_end_in_nul(void **state)
{
	_cleanup_free_ char *a = xstrndup("abcdef", 3), *b = xstrndup("ab", 9);
	_cleanup_free_ char *c = xasprintf("%s-%d", "node", 7);
	static const char raw[] = {'x', 'y'}; /* no NUL: nothing after n may be read */
	_cleanup_free_ char *d = xstrndup(raw, 2);

	(void)state;
	assert_string_equal(a, "abc");
	assert_string_equal(b, "ab");
	assert_string_equal(c, "node-7");
	assert_string_equal(d, "xy");
}

static void buf_grows(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	char *taken;

	(void)state;
	buf_add(&b, NULL, 0);
	assert_null(b.p);
	for (int i = 0; i < 1000; i++) {
		buf_puts(&b, "ab");
		buf_printf(&b, "%03d", i);
		buf_add(&b, "\0", 1);
		assert_int_equal(b.len, (size_t)(i + 1) * 6);
		assert_int_equal(b.p[b.len], 0);
	}
	assert_memory_equal(b.p, "ab000\0ab001\0", 12);
	assert_memory_equal(b.p + b.len - 6, "ab999\0", 6);

	taken = buf_take(&b);
	assert_memory_equal(taken, "ab000", 6);
	free(taken);
	assert_null(b.p);
	assert_int_equal(b.len, 0);
	taken = buf_take(&b);
	assert_string_equal(taken, "");
	free(taken);

	buf_printf(&b, "%s", "");
	assert_string_equal(b.p, "");
}

static void lists_grow_and_join(void **state)
{
	_cleanup_strv_ char **v = NULL, **copy = NULL;
	_cleanup_free_ char *joined = NULL, *nothing = NULL;

	(void)state;
	assert_int_equal(strv_len(NULL), 0);
	assert_null(strv_dup(NULL));
	strv_add(&v, "a");
	strv_addf(&v, "b%d", 2);
	strv_add(&v, "");
	assert_int_equal(strv_len(v), 3);
	assert_true(strv_has(v, "b2"));
	assert_true(strv_has(v, ""));
	assert_false(strv_has(v, "b"));
	assert_false(strv_has(NULL, "b"));

	copy = strv_dup(v);
	assert_ptr_not_equal(copy[0], v[0]);
	strv_extend(&copy, v);
	strv_extend(&copy, NULL);
	joined = strv_join(copy, ", ");
	assert_string_equal(joined, "a, b2, , a, b2, ");
	nothing = strv_join(NULL, ", ");
	assert_string_equal(nothing, "");
	strv_free(NULL);
}

static void lists_are_sorted_by_bytes(_unused_ void **state)
{
	_cleanup_strv_ char **v = strv_split("b \xc3\xa4 a B ab a", " ");
	_cleanup_free_ char *joined = NULL;

	strv_sort(NULL);
	strv_sort(v);
	joined = strv_join(v, " ");
	assert_string_equal(joined, "B a a ab b \xc3\xa4");
}

static void split_drops_empty_fields(void **state)
{
	static const struct {
		const char *in, *separators, *want;
	} cases[] = {
		{"a,b", ",", "a|b"}, {",a,,b,", ",", "a|b"}, {"a b\tc", " \t", "a|b|c"},
		{"a", ",", "a"},     {"", ",", NULL},        {",,", ",", NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strv_ char **v = strv_split(cases[i].in, cases[i].separators);
		_cleanup_free_ char *got = strv_join(v, "|");

		assert_string_equal(got, cases[i].want ? cases[i].want : "");
		if (!cases[i].want)
			assert_null(v);
	}
}

#define MANY 200000

/* Quadratic code needs minutes for so many lines. */
static void many_lines_are_split_fast(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	_cleanup_strv_ char **v = NULL;

	(void)state;
	for (int i = 0; i < MANY; i++)
		buf_printf(&b, "%d\n", i);
	v = strv_split(b.p, "\n");
	assert_int_equal(strv_len(v), MANY);
	assert_string_equal(v[0], "0");
	assert_string_equal(v[MANY - 1], "199999");
}

static void many_words_are_added_fast(void **state)
{
	_cleanup_strv_builder_ struct strv_builder b = {0};
	_cleanup_strv_ char **v = NULL;

	(void)state;
	assert_null(strv_builder_take(&b));
	for (int i = 0; i < MANY; i += 2) {
		strv_builder_add(&b, "word");
		assert_null(b.v[i + 1]);
		strv_builder_addf(&b, "%d", i);
		assert_null(b.v[i + 2]);
	}
	assert_int_equal(b.n, MANY);
	v = strv_builder_take(&b);
	assert_null(b.v);
	assert_int_equal(b.n, 0);
	assert_int_equal(strv_len(v), MANY);
	assert_string_equal(v[MANY - 2], "word");
	assert_string_equal(v[MANY - 1], "199998");
	strv_builder_add(&b, "left for the guard");
}

/* Times that an array was moved. The Makefile wraps realloc(). */
static size_t moves;

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);

void *__wrap_realloc(void *p, size_t n)
{
	moves++;
	return __real_realloc(p, n);
}

static void arrays_are_moved_rarely(void **state)
{
	_cleanup_strv_builder_ struct strv_builder b = {0};
	size_t *v = NULL, n = 0;

	(void)state;
	moves = 0;
	for (; n < MANY; n++) {
		v = xgrow(v, n, sizeof(*v));
		v[n] = n;
	}
	for (size_t i = 0; i < n; i++)
		assert_int_equal(v[i], i);
	assert_true(moves <= 20); /* 2 to the power of 18 is more than MANY */
	moves = 0;
	for (size_t i = 0; i < MANY; i++)
		strv_builder_add(&b, "x");
	assert_true(moves <= 20);
	/* Made with room for more, shortened, and grown on. */
	v = xgrow_to(v, 5, sizeof(*v));
	for (n = 3; n < 100; n++) {
		v = xgrow(v, n, sizeof(*v));
		v[n] = n;
	}
	assert_int_equal(v[2], 2);
	assert_int_equal(v[99], 99);
	free(v);
}

static void numbers_are_parsed(void **state)
{
	static const struct {
		const char *in;
		uint64_t max;
		int want;
		uint64_t value;
	} cases[] = {
		{"0", 9, 0, 0},
		{"9", 9, 0, 9},
		{"10", 9, -ERANGE, 0},
		{"007", 9, 0, 7},
		{"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
		{"18446744073709551616", UINT64_MAX, -ERANGE, 0},
		{"99999999999999999999999", UINT64_MAX, -ERANGE, 0},
		{"99999999999999999999999x", UINT64_MAX, -EINVAL, 0},
		{"", 9, -EINVAL, 0},
		{"+1", 9, -EINVAL, 0},
		{"-1", 9, -EINVAL, 0},
		{" 1", 9, -EINVAL, 0},
		{"1 ", 9, -EINVAL, 0},
		{"0x1", 9, -EINVAL, 0},
		{"1.0", 9, -EINVAL, 0},
		{"\xb2", 9, -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 4711;

		assert_int_equal(str_to_u64(cases[i].in, cases[i].max, &value),
				 cases[i].want);
		assert_int_equal(value, cases[i].want == 0 ? cases[i].value : 4711);
	}
}

static void sizes_are_parsed(void **state)
{
	static const struct {
		const char *in;
		int want;
		uint64_t value;
	} cases[] = {
		{"4096", 0, 4096},
		{"0", 0, 0},
		{"256K", 0, 256 << 10},
		{"512M", 0, 512 << 20},
		{"8G", 0, 8ull << 30},
		{"2T", 0, 2ull << 40},
		{"16777215T", 0, 16777215ull << 40},
		{"16777216T", -ERANGE, 0},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18014398509481983K", 0, 18014398509481983ull << 10},
		{"18014398509481984K", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"G", -EINVAL, 0},
		{"8g", -EINVAL, 0},
		{"8GB", -EINVAL, 0},
		{"8 G", -EINVAL, 0},
		{"8KM", -EINVAL, 0},
		{"-8G", -EINVAL, 0},
		{"1.5G", -EINVAL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 4711;

		assert_int_equal(str_to_size(cases[i].in, &value), cases[i].want);
		assert_int_equal(value, cases[i].want == 0 ? cases[i].value : 4711);
	}
}

static void modes_are_parsed(void **state)
{
	unsigned mode = 1;

	(void)state;
	assert_int_equal(str_to_mode("0755", &mode), 0);
	assert_int_equal(mode, 0755);
	assert_int_equal(str_to_mode("7777", &mode), 0);
	assert_int_equal(mode, 07777);
	assert_int_equal(str_to_mode("0", &mode), 0);
	assert_int_equal(mode, 0);
	assert_int_equal(str_to_mode("00755", &mode), -EINVAL);
	assert_int_equal(str_to_mode("0788", &mode), -EINVAL);
	assert_int_equal(str_to_mode("", &mode), -EINVAL);
	assert_int_equal(str_to_mode("rwx", &mode), -EINVAL);
	assert_int_equal(mode, 0);
}

static void nearest_word_is_found(void **state)
{
	static const char *const nodes[] = {"node-1", "node-2", NULL};
	const char *many[STR_NEAREST_MAX + 2] = {NULL};
	static const char *const words[] = {"name", "address", "gateway",     "role",
					    "cbr0", "mtu",     "pod_network", NULL};
	static const struct {
		const char *in, *want;
	} cases[] = {
		{"adress", "address"},
		{"nmae", "name"}, /* a swap counts as one edit */
		{"pod-network", "pod_network"},
		{"podnetwork", "pod_network"},
		{"gatway", "gateway"},
		{"roles", "role"},
		{"mut", "mtu"},
		{"cbr", "cbr0"},
		{"address", "address"},
		{"hostname", NULL},
		{"x", NULL},
		{"", NULL},
		{"rack", NULL},
		{"em", NULL}, /* too different: two of four letters */
	};
	static const char *const first[] = {"ab", "ac", NULL}, *const none[] = {NULL},
				 *const short_[] = {"y", NULL};
	char giant[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *got = str_nearest(cases[i].in, words);

		if (cases[i].want) {
			assert_non_null(got);
			assert_string_equal(got, cases[i].want);
		} else {
			assert_null(got);
		}
	}
	assert_string_equal(str_nearest("ad", first), "ab"); /* the first of equals */
	assert_null(str_nearest("a", none));
	assert_null(str_nearest("x", short_)); /* no letter in common */
	assert_string_equal(str_nearest("yx", short_), "y");
	assert_null(str_nearest("a", NULL));
	assert_string_equal(str_nearest("node-7", nodes), "node-1");
	assert_null(str_nearest_name("node-7", nodes)); /* another one, not a mistake */
	assert_null(str_nearest_name("node-12", nodes));
	assert_string_equal(str_nearest_name("node1", nodes), "node-1");
	assert_string_equal(str_nearest_name("nod-1", nodes), "node-1");
	assert_string_equal(str_nearest_name("node-01", nodes), "node-1");
	assert_null(str_nearest_name("node-10", nodes));
	for (size_t i = 0; i < STR_NEAREST_MAX; i++)
		many[i] = "other";
	many[STR_NEAREST_MAX - 1] = "last-1";
	many[STR_NEAREST_MAX] = "beyond";
	assert_string_equal(str_nearest("lst-1", many), "last-1");
	assert_null(str_nearest("beyod", many));
	memset(giant, 'a', sizeof(giant) - 1);
	giant[sizeof(giant) - 1] = '\0';
	assert_null(str_nearest(giant, words));
}

static void hint_is_empty_without_a_word(void **state)
{
	_cleanup_free_ char *hint = str_hint("address"), *none = str_hint(NULL);

	(void)state;
	assert_string_equal(hint, " (did you mean 'address'?)");
	assert_string_equal(none, "");
}

static void bytes_become_hex(void **state)
{
	static const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
	char out[9];

	(void)state;
	str_hex(bytes, sizeof(bytes), out);
	assert_string_equal(out, "000fa5ff");
	str_hex(bytes, 0, out);
	assert_string_equal(out, "");
	assert_int_equal(str_hex_byte("000"), 0);
	assert_int_equal(str_hex_byte("a5"), 0xa5);
	assert_int_equal(str_hex_byte("Fc"), 0xfc);
	assert_int_equal(str_hex_byte(""), -EINVAL);
	assert_int_equal(str_hex_byte("9"), -EINVAL);
	assert_int_equal(str_hex_byte("g0"), -EINVAL);
	assert_int_equal(str_hex_byte("0-"), -EINVAL);
}

static const char *no_word(size_t i)
{
	(void)i;
	return NULL;
}

static const char *one_word(size_t i)
{
	return i == 0 ? "a" : NULL;
}

static const char *three_words(size_t i)
{
	static const char *const words[] = {"a", "b", "c"};

	return i < ARRAY_SIZE(words) ? words[i] : NULL;
}

static void words_are_listed_as_a_sentence(void **state)
{
	_cleanup_free_ char *none = str_list(no_word, "or"),
			    *one = str_list(one_word, "or"),
			    *three = str_list(three_words, "and");

	(void)state;
	assert_string_equal(none, "");
	assert_string_equal(one, "a");
	assert_string_equal(three, "a, b and c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_and_suffixes_are_found),
		cmocka_unit_test(blanks_around_a_text_are_dropped),
		cmocka_unit_test(zeros_are_found),
		cmocka_unit_test(empty_allocation_is_not_null),
		cmocka_unit_test(copies_end_in_nul),
		cmocka_unit_test(buf_grows),
		cmocka_unit_test(lists_grow_and_join),
		cmocka_unit_test(lists_are_sorted_by_bytes),
		cmocka_unit_test(split_drops_empty_fields),
		cmocka_unit_test(many_lines_are_split_fast),
		cmocka_unit_test(many_words_are_added_fast),
		cmocka_unit_test(arrays_are_moved_rarely),
		cmocka_unit_test(numbers_are_parsed),
		cmocka_unit_test(sizes_are_parsed),
		cmocka_unit_test(modes_are_parsed),
		cmocka_unit_test(nearest_word_is_found),
		cmocka_unit_test(hint_is_empty_without_a_word),
		cmocka_unit_test(bytes_become_hex),
		cmocka_unit_test(words_are_listed_as_a_sentence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
