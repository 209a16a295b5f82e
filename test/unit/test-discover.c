/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pxe/discover.h and pxe/machines.h: the times of dnsmasq's log, and what the table of
 * machines forgets. test/cli/discover.sh tests the command.
 */
#include "pxe/discover.h"

#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NOW 1767225600 /* 2026-01-01T00:00:00Z */

static void line_has_a_time_of_the_last_year(void **state)
{
	static const struct {
		const char *line;
		uint64_t s;
	} cases[] = {
		{"Dec 31 23:59:59 ", NOW - 1},
		{"Jan  1 00:00:00 ", NOW},
		{"Jan  1 23:00:00 ", NOW + 23 * 3600}, /* another clock */
		{"Jan  3 00:00:00 ", NOW - 363 * 24 * 3600},
		{"Feb 29 00:00:00 ", NOW - 306 * 24 * 3600}, /* no such day: the next */
		{"", 0},
		{"Abc 31 23:59:59 ", 0},
		{"Dec 31 23:59 ", 0},
		{"Dec 99 23:59:59 ", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *line = xasprintf(
			"%sdnsmasq-dhcp[1]: DHCPDISCOVER(br0) 52:54:00:99:99:99",
			cases[i].line);
		struct machines t = {.n = 0};

		discover_dhcp_line(&t, line, NOW);
		assert_int_equal(t.n, 1);
		if (t.newest->first_ms != cases[i].s * 1000)
			fail_msg("'%s': %llu, not %llu", cases[i].line,
				 (unsigned long long)t.newest->first_ms / 1000,
				 (unsigned long long)cases[i].s);
		machines_done(&t);
	}
}

static struct mac nth(unsigned i)
{
	return (struct mac){
		{0x02, 0, 0, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i}};
}

static void machine_that_asked_last_is_kept(void **state)
{
	struct machines t = {.n = 0};
	struct machine *first;

	(void)state;
	for (unsigned i = 0; i < MACHINES_MAX; i++)
		machine_asked(machines_note(&t, nth(i)), 1000 + i);
	assert_int_equal(t.n, MACHINES_MAX);
	assert_int_equal(t.forgotten, 0);
	first = machines_note(&t, nth(0));
	assert_int_equal(first->seen, 1);
	machine_asked(first, 5);
	machine_asked(first, 0); /* at an unknown time */
	machine_asked(machines_note(&t, nth(MACHINES_MAX)), 1);
	assert_int_equal(t.n, MACHINES_MAX);
	assert_int_equal(t.forgotten, 1);
	assert_ptr_equal(machines_note(&t, nth(0)), first);
	assert_int_equal(first->seen, 3);
	assert_int_equal(first->first_ms, 5);
	assert_int_equal(first->last_ms, 1000);
	assert_int_equal(machines_note(&t, nth(1))->seen, 0); /* was forgotten: is new */
	assert_int_equal(t.forgotten, 2);
	assert_int_equal(machines_note(&t, nth(3))->seen, 1);
	machines_done(&t);
	assert_null(t.root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(line_has_a_time_of_the_last_year),
		cmocka_unit_test(machine_that_asked_last_is_kept),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
