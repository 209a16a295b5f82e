/* SPDX-License-Identifier: Apache-2.0 */
/* Each signal is raised at this process: it is the descriptor that has to take it. */
#include "lib/signals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

static void each_comes(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	_cleanup_close_ int fd = -1;
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], SIG_DFL); /* nohup, or a shell's "&", ignores some */
	fd = signals_open(&e);
	assert_true(fd >= 0);
	assert_false(signals_came(fd));
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		assert_int_equal(raise(signals[i]), 0);
		assert_true(signals_came(fd));
		assert_false(signals_came(fd));
	}
}

/* As nohup(1) leaves it. What is blocked would arrive all the same. */
static void an_ignored_hangup_stays_so(void **state)
{
	_cleanup_close_ int fd = -1;
	struct err e = {0};
	sigset_t none;

	(void)state;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGHUP, SIG_IGN);
	fd = signals_open(&e);
	assert_true(fd >= 0);
	assert_int_equal(raise(SIGHUP), 0);
	assert_false(signals_came(fd));
	signal(SIGHUP, SIG_DFL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_comes),
		cmocka_unit_test(an_ignored_hangup_stays_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
