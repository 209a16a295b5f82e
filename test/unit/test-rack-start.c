/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a rack and the process in its namespaces, before a server or a machine
 * starts. */
#include "builder/rack/rack-folder.h"
#include "builder/rack/rack-ns.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "test-tempdir.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <cmocka.h>

static char *scratch, *dir;

static int open_folder(void **state)
{
	struct err e = {0};
	int lock;

	(void)state;
	if (tempdir_make("/tmp", "rackstrap-test", &scratch) < 0)
		return -1;
	dir = xasprintf("%s/rack", scratch);
	if (rack_folder_open(dir, false, &lock, &e) < 0)
		return -1;
	close(lock);
	return 0;
}

static int remove_folder(void **state)
{
	int r = rm_rf_at(AT_FDCWD, scratch);

	(void)state;
	free(scratch);
	free(dir);
	return r;
}

/* `rackstrap ssh` takes the lock shared for a moment, to see if a rack has it. */
static void a_shared_lock_is_waited_for(void **state)
{
	_cleanup_free_ char *path = xasprintf("%s/run/lock", dir);
	_cleanup_close_ int lock = -1, shared = -1;
	struct err e = {0};
	pid_t pid;

	(void)state;
	shared = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(shared, LOCK_SH), 0);
	pid = fork(); /* shares it too */
	if (pid == 0) {
		usleep(100000);
		_exit(0);
	}
	close(TAKE_FD(shared));
	assert_int_equal(rack_folder_open(dir, false, &lock, &e), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void another_rack_is_refused(void **state)
{
	_cleanup_close_ int lock = -1;
	struct err e = {0};
	int second;

	(void)state;
	assert_int_equal(rack_folder_open(dir, false, &lock, &e), 0);
	assert_int_equal(rack_folder_open(dir, false, &second, &e), -1);
	assert_non_null(strstr(e.msg, "another rack runs in this folder"));
}

/* The id that a killed rack has left may be another process's. */
static void an_old_process_id_is_removed(void **state)
{
	_cleanup_free_ char *path = xasprintf("%s/" RACK_PID_FILE, dir);
	_cleanup_close_ int lock = -1;
	struct err e = {0};

	(void)state;
	assert_int_equal(file_write_at(AT_FDCWD, path, "1\n", 2, 0644), 0);
	assert_int_equal(rack_folder_open(dir, false, &lock, &e), 0);
	assert_int_equal(access(path, F_OK), -1);
}

/* Returns the number of signals that have a handler. */
static int count_handlers(void *arg, struct err *e)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
	struct sigaction sa;
	int n = 0;

	(void)arg;
	(void)e;
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		n += sigaction(signals[i], NULL, &sa) == 0 && sa.sa_handler != SIG_DFL &&
		     sa.sa_handler != SIG_IGN;
	return n;
}

/* A handler in it would clean up what is its parent's, if that is process 1 as well. */
/* Enables the handlers, and counts them here and in process 1 of namespaces. */
static bool handlers_are_only_here(void)
{
	_cleanup_free_ char *path = xasprintf("%s/" RACK_PID_FILE, dir);
	struct err e = {0};

	signal(SIGINT, SIG_DFL); /* a shell's "&" ignores it */
	interrupt_enable("test");
	return count_handlers(NULL, NULL) >= 3 &&
	       ns_run(count_handlers, NULL, path, &e) == 0 &&
	       count_handlers(NULL, NULL) >= 3;
}

/* In a process of its own, because one in other namespaces cannot look for leaks. */
static void process_1_has_no_handlers(void **state)
{
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(handlers_are_only_here() ? 0 : 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shared_lock_is_waited_for),
		cmocka_unit_test(another_rack_is_refused),
		cmocka_unit_test(an_old_process_id_is_removed),
		cmocka_unit_test(process_1_has_no_handlers),
	};

	return cmocka_run_group_tests(tests, open_folder, remove_folder);
}
