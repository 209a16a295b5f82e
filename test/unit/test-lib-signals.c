/* SPDX-License-Identifier: Apache-2.0 */
/* lib/signals.h: each signal is raised in this process and read from the descriptor. */
#include "lib/signals.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

static void each_signal_is_read(void **state)
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

static bool is_blocked(int sig)
{
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	return sigismember(&mask, sig);
}

/* A command may read a signal and go on, as serve does after SIGHUP. */
static void sigint_stays_blocked_until_the_end(void **state)
{
	_cleanup_close_ int fd = -1;
	struct err e = {0};

	(void)state;
	signal(SIGHUP, SIG_DFL);
	fd = signals_open(&e);
	assert_true(fd >= 0);
	assert_int_equal(signals_read(fd), 0);
	assert_int_equal(raise(SIGHUP), 0);
	assert_int_equal(signals_read(fd), SIGHUP);
	assert_true(is_blocked(SIGINT));
	signals_await_second();
	assert_false(is_blocked(SIGINT));
	assert_true(is_blocked(SIGTERM));
}

/* An ignored SIGHUP (nohup(1)) must not be read from the descriptor, as it would be if it
 * were blocked. */
static void ignored_hangup_stays_ignored(void **state)
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

static void a_write_without_reader_fails(void **state)
{
	struct sigaction before, after;
	sigset_t old, mask;
	int ends[2];

	(void)state;
	signal(SIGPIPE, SIG_DFL);
	assert_int_equal(sigaction(SIGPIPE, NULL, &before), 0);
	assert_int_equal(pipe(ends), 0);
	close(ends[0]);
	signals_block_pipe(&old);
	assert_int_equal(write(ends[1], "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	signals_restore_pipe(&old); /* ends the test if SIGPIPE is pending */
	close(ends[1]);
	assert_int_equal(sigaction(SIGPIPE, NULL, &after), 0);
	assert_ptr_equal(after.sa_handler, before.sa_handler);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	assert_false(sigismember(&mask, SIGPIPE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_signal_is_read),
		cmocka_unit_test(sigint_stays_blocked_until_the_end),
		cmocka_unit_test(ignored_hangup_stays_ignored),
		cmocka_unit_test(a_write_without_reader_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
