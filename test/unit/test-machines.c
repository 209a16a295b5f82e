/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pxe/machines.h: which machine the table forgets. test/cli/discover.sh tests what is in
 * it.
 */
#include "pxe/machines.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

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
		cmocka_unit_test(machine_that_asked_last_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
