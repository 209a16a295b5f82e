/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a rack's hosts get their verdicts, without QEMU and without servers: see
 * test-rack-watch.h.
 */
#include "test-rack-watch.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

/* Seconds that are added to the wall clock and to the birth times of files. The Makefile
 * wraps clock_gettime() and statx(). */
static time_t clock_step;

int __real_clock_gettime(clockid_t clock, struct timespec *ts);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ts);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	int r = __real_clock_gettime(clock, ts);

	if (clock == CLOCK_REALTIME)
		ts->tv_sec += clock_step;
	return r;
}

int __real_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *x);
int __wrap_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *x);

int __wrap_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *x)
{
	int r = __real_statx(dirfd, path, flags, mask | STATX_CTIME, x);

	if (r == 0 && !(x->stx_mask & STATX_BTIME))
		x->stx_btime = x->stx_ctime;
	x->stx_mask |= STATX_BTIME;
	x->stx_btime.tv_sec += clock_step;
	return r;
}

/* --- fixture ----------------------------------------------------------------------- */

static void run_later(struct fixture *f, const char *commands)
{
	const char *const argv[] = {"sh", "-ec", commands, NULL};
	struct err e = {0};

	if (run_start(&(struct run){.argv = argv, .cwd = f->dir}, &f->writer, &e) < 0)
		fail_msg("%s", e.msg);
}

static void switch_on(struct fixture *f, size_t i, enum accel accel, const char *commands)
{
	struct err e = {0};

	setenv("RACK_TEST_SCRIPT", commands, 1);
	f->machines[i].vm.accel = accel;
	if (vm_start(&f->machines[i].vm, f->dir, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Reads once what is new: the watch returns after a turn, as if its program had ended. */
static void watch_once(struct fixture *f)
{
	_cleanup_close_ int ended = eventfd(1, EFD_CLOEXEC);
	struct err e = {0};
	int r;

	f->run.program_fd = ended;
	r = rack_watch(&f->run, false, &e);
	f->run.program_fd = -1;
	if (r != 0)
		fail_msg("rack_watch returned %d: %s", r, e.msg);
}

static int set_clock_back(void **state)
{
	clock_step = 0;
	return teardown(state);
}

/* --- reports ----------------------------------------------------------------------- */

static void test_reports_make_verdicts(void **state)
{
	struct fixture *f = *state;

	run_now(f, PUT_REPORT("master", "ready", "null")
			   PUT_REPORT("node-1", "failed", "\"etcd.service: failed\""));
	run_later(f, "sleep 0.4; " PUT_REPORT("node-2", "ready", "null"));
	watch_to_the_end(f);
	check_verdict(&f->machines[0], MACHINE_READY, NULL);
	check_verdict(&f->machines[1], MACHINE_FAILED, "etcd.service: failed");
	check_verdict(&f->machines[2], MACHINE_READY, NULL);
	assert_true(f->machines[2].total_ms >= 300);
	assert_int_equal(f->machines[0].status.report.uptime_ms, 31200);
}

/* The rack waits on for a host that only starts its units. */
static void test_a_starting_host_has_no_verdict(void **state)
{
	struct fixture *f = *state;

	run_now(f, PUT_REPORT("node-1", "starting", "null"));
	watch_once(f);
	assert_int_equal(f->machines[1].state, MACHINE_PENDING);
	run_now(f, PUT_REPORT("node-1", "ready", "null"));
	watch_once(f);
	check_verdict(&f->machines[1], MACHINE_READY, NULL);
}

/* The host chooses the modification time of its report. */
static void test_a_report_with_a_wrong_date_is_seen(void **state)
{
	struct fixture *f = *state;

	leave_only(f, HOSTS);
	f->machines[1].state = MACHINE_PENDING;
	run_now(f,
		PUT_REPORT("node-1", "failed",
			   "\"no\"") "touch -d @1700000000 tree/http/report/node-1.json");
	watch_to_the_end(f);
	check_verdict(&f->machines[1], MACHINE_FAILED, "no");
	run_now(f,
		PUT_REPORT("node-1", "ready",
			   "null") "touch -d @1700000000 tree/http/report/node-1.json");
	watch_once(f);
	check_verdict(&f->machines[1], MACHINE_READY, NULL);
}

static void test_an_unreadable_report_fails(void **state)
{
	struct fixture *f = *state;

	leave_only(f, 1);
	run_now(f, "echo '{\"format\":' >tree/http/report/node-1.json");
	watch_to_the_end(f);
	assert_int_equal(f->machines[1].state, MACHINE_FAILED);
	assert_non_null(f->machines[1].why);
}

/* With --keep only a signal ends the watch, and no verdict changes. */
static void test_keep_ends_by_a_signal_and_keeps_verdicts(void **state)
{
	static const struct signalfd_siginfo si = {.ssi_signo = SIGINT};
	struct fixture *f = *state;
	struct err e = {0};

	leave_only(f, HOSTS);
	run_now(f, "echo '" REPORT("node-1", "failed",
				   "\"no\"") "' "
					     ">tree/http/report/node-1.json");
	assert_int_equal(write(f->wake, &si, sizeof(si)), sizeof(si));
	assert_int_equal(rack_watch(&f->run, true, &e), 1);
	check_verdict(&f->machines[1], MACHINE_READY, NULL);
}

/* --- consoles ---------------------------------------------------------------------- */

static void test_failure_on_a_console_fails_at_once(void **state)
{
	struct fixture *f = *state;

	run_now(f,
		"printf 'x\\nrackstrap: boot failed: root.squashfs is damaged\\r\\n' "
		">log/master.console\n"
		"printf '[ 1.2] \\033[1mKernel panic - not syncing: VFS: none\\n' "
		">log/node-1.console\n"
		"printf 'rackstrap: boot failed: not yet ended' >log/node-2.console\n");
	watch_once(f);
	check_verdict(&f->machines[2], MACHINE_PENDING, NULL);
	run_now(f, "echo ' line' >>log/node-2.console");
	watch_to_the_end(f);
	check_verdict(&f->machines[0], MACHINE_FAILED, "root.squashfs is damaged");
	check_verdict(&f->machines[1], MACHINE_FAILED, "kernel panic: VFS: none");
	check_verdict(&f->machines[2], MACHINE_FAILED, "not yet ended line");
}

/* A host that gave up and then became ready (panic=, the operator) is ready. */
static void test_a_report_after_a_failure_wins(void **state)
{
	struct fixture *f = *state;

	run_now(f, "echo 'rackstrap: boot failed: no disk' >log/node-1.console");
	watch_once(f);
	check_verdict(&f->machines[1], MACHINE_FAILED, "no disk");
	run_now(f, PUT_REPORT("node-1", "ready", "null"));
	watch_once(f);
	check_verdict(&f->machines[1], MACHINE_READY, NULL);
}

/* --- time -------------------------------------------------------------------------- */

#define STEP_S       3600 /* by which the clock is set */
#define HALF_STEP_MS (STEP_S * 1000 / 2)

#define FETCHED(what, status)                                                            \
	"1450000000.000 172.25.0.11 \"GET /hosts/52-54-00-25-00-" what                   \
	" HTTP/1.1\" " status " 100 0.001\n"

static void test_time_limit_reports_the_progress(void **state)
{
	struct fixture *f = *state;

	f->run.timeout_ms = 1000;
	run_now(f, "printf '" FETCHED("1a.ipxe", "200") FETCHED("12.ipxe", "200")
			   FETCHED("12.cpio", "200")
				   FETCHED("10.ipxe", "404") "' >>tree/run/access.log");
	watch_to_the_end(f);
	check_verdict(&f->machines[0], MACHINE_FAILED,
		      "never asked for its boot script within 1 s");
	check_verdict(&f->machines[1], MACHINE_FAILED,
		      "not loaded within 1 s (it asked for its boot script after 0 s)");
	check_verdict(&f->machines[2], MACHINE_FAILED,
		      "no report within 1 s (it had loaded everything after 0 s)");
	assert_true(f->machines[0].total_ms >= 1000);
}

static void test_time_counts_from_a_machines_own_start(void **state)
{
	struct fixture *f = *state;
	uint64_t began = rack_now_ms();

	leave_only(f, 2);
	f->run.timeout_ms = 700;
	f->machines[2].on_ms = began + 600;
	watch_to_the_end(f);
	assert_true(rack_now_ms() - began >= 1300);
}

/* NTP may set the clock while the rack boots. */
static void test_a_clock_set_forward_is_no_timeout(void **state)
{
	struct fixture *f = *state;

	leave_only(f, 2);
	clock_step = STEP_S;
	run_later(f, "sleep 0.4; "
		     "echo '" REPORT(
			     "node-2", "ready",
			     "null") "' >run/node-2.json; "
				     "mv run/node-2.json tree/http/report/node-2.json");
	watch_to_the_end(f);
	check_verdict(&f->machines[2], MACHINE_READY, NULL);
	assert_in_range(f->machines[2].total_ms, 300, HALF_STEP_MS);
}

static void test_a_clock_set_back_does_not_stop_the_timeout(void **state)
{
	struct fixture *f = *state;

	leave_only(f, 2);
	f->run.timeout_ms = 700;
	clock_step = -STEP_S;
	watch_to_the_end(f);
	check_verdict(&f->machines[2], MACHINE_FAILED,
		      "never asked for its boot script within 0 s");
	assert_true(f->machines[2].total_ms >= 700);
}

/* Times in the access log are of the wall clock. */
static void test_fetches_are_timed_after_a_clock_step(void **state)
{
	struct fixture *f = *state;

	leave_only(f, 2);
	f->run.timeout_ms = 1500;
	clock_step = STEP_S;
	run_now(f, "sleep 0.8; t=$(date -d '1 hour' +%s.%3N); "
		   "printf \"$t 172.25.0.12 \\\"GET /hosts/52-54-00-25-00-12.ipxe "
		   "HTTP/1.1\\\" 200 100 0.001\\n\" >>tree/run/access.log");
	watch_to_the_end(f);
	assert_in_range(f->machines[2].first_ms, 700, HALF_STEP_MS);
	assert_int_equal(f->machines[2].last_ms, 0);
}

static void test_a_signal_ends_the_watch(void **state)
{
	static const struct signalfd_siginfo si = {.ssi_signo = SIGTERM};
	struct fixture *f = *state;
	struct err e = {0};

	assert_int_equal(write(f->wake, &si, sizeof(si)), sizeof(si));
	assert_int_equal(rack_watch(&f->run, false, &e), 1);
	check_verdict(&f->machines[0], MACHINE_PENDING, NULL);
}

/* --- ends of machines -------------------------------------------------------------- */

static void test_a_machine_that_ends_has_failed(void **state)
{
	struct fixture *f = *state;

	switch_on(f, 0, ACCEL_TCG, "exit 0");
	switch_on(f, 1, ACCEL_TCG,
		  "echo 'first' >&2; echo 'no such device: tap1' >&2; "
		  "echo \"warning: TCG doesn't support requested feature: x\" >&2; "
		  "exit 1");
	switch_on(f, 2, ACCEL_TCG, "kill -SEGV $$");
	watch_to_the_end(f);
	check_verdict(&f->machines[0], MACHINE_FAILED,
		      "its machine ended: it powered off");
	check_verdict(&f->machines[1], MACHINE_FAILED,
		      "its machine ended: " ACCEL_QEMU " exited with 1: no such device: "
		      "tap1");
	check_verdict(&f->machines[2], MACHINE_FAILED,
		      "its machine ended: " ACCEL_QEMU " was killed by SIGSEGV");
}

/* --- failing KVM ------------------------------------------------------------------- */

#define DIES_UNDER_KVM                                                                   \
	"case \"$*\" in *'-accel kvm'*) "                                                \
	"echo 'host does not support feature x' >&2; echo BIOS >log/node-1.console; "    \
	"printf 'KVM internal error. Suberror: 1\\nEAX=0000\\n' >&2 ;; "                 \
	"*) echo REPORT >tree/run/tcg; echo 'KVM internal error' >&2; "                  \
	"echo 'rackstrap: boot failed: seen' >>log/node-1.console;; esac"

static bool file_has(const struct fixture *f, const char *name, const char *text)
{
	_cleanup_free_ char *s = read_text(f->dir, name);

	return s && strstr(s, text);
}

static void test_kvm_failure_restarts_under_tcg(void **state)
{
	struct fixture *f = *state;
	struct machine *m = &f->machines[1];
	uint64_t on = m->on_ms;

	leave_only(f, 1);
	switch_on(f, 1, ACCEL_KVM, DIES_UNDER_KVM);
	watch_to_the_end(f);
	/* Its message under TCG does not start it a third time. */
	check_verdict(m, MACHINE_FAILED, "seen");
	assert_int_equal(m->vm.accel, ACCEL_TCG);
	assert_true(m->on_ms > on);
	assert_true(file_has(f, "run/args", "-accel tcg"));
	assert_true(file_has(f, "log/node-1.qemu.kvm", "EAX=0000"));
	assert_false(file_has(f, "log/node-1.console", "BIOS"));
	assert_true(m->vm.child.pid > 0);
}

/* The times of log lines are since the rack's start, also when its first machine is
 * started again. */
static void test_a_restart_does_not_set_the_log_back(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = xasprintf("%s/run/lines", f->dir), *text = NULL;
	unsigned long long seconds, began = rack_now_ms();
	const char *line;
	int saved = dup(STDERR_FILENO),
	    fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0644);

	leave_only(f, 0);
	f->run.timeout_ms = INT64_MAX;
	f->machines[0].on_ms = 1;
	switch_on(f, 0, ACCEL_KVM,
		  "case \"$*\" in *'-accel kvm'*) echo 'KVM internal error. Suberror: 1' "
		  ">&2 ;; *) echo 'rackstrap: boot failed: seen' >log/master.console;; "
		  "esac");
	log_setup("test", LOG_LEVEL_INFO);
	dup2(fd, STDERR_FILENO);
	watch_to_the_end(f);
	dup2(saved, STDERR_FILENO);
	log_setup("test", LOG_LEVEL_ERROR);
	close(saved);
	close(fd);
	check_verdict(&f->machines[0], MACHINE_FAILED, "seen");
	text = read_text(f->dir, "run/lines");
	line = strstr(text, "master: its machine failed");
	assert_non_null(line);
	line = strstr(line, "\n");
	assert_int_equal(sscanf(line, " test: %llu.", &seconds), 1);
	assert_true(seconds >= began / 1000);
}

/* QEMU can also end by a failed assertion about a register. */
static void test_qemu_that_ends_because_of_kvm_starts_again(void **state)
{
	struct fixture *f = *state;
	struct machine *m = &f->machines[1];

	leave_only(f, 1);
	switch_on(f, 1, ACCEL_KVM,
		  "case \"$*\" in *'-accel kvm'*) echo 'kvm.c:3134: kvm_buf_set_msrs: "
		  "Assertion failed' >&2; kill -ABRT $$;; "
		  "*) echo 'rackstrap: boot failed: seen' >log/node-1.console;; esac");
	watch_to_the_end(f);
	check_verdict(m, MACHINE_FAILED, "seen");
	assert_int_equal(m->vm.accel, ACCEL_TCG);
}

static void test_other_ends_under_kvm_are_failures(void **state)
{
	struct fixture *f = *state;

	leave_only(f, 1);
	switch_on(f, 1, ACCEL_KVM, "echo 'disk/node-1.img: locked' >&2; exit 1");
	watch_to_the_end(f);
	check_verdict(&f->machines[1], MACHINE_FAILED,
		      "its machine ended: " ACCEL_QEMU " exited with 1: disk/node-1.img: "
		      "locked");
}

static void test_kvm_failure_is_final_with_accel_kvm(void **state)
{
	struct fixture *f = *state;

	leave_only(f, 1);
	f->run.only_kvm = true;
	switch_on(f, 1, ACCEL_KVM, DIES_UNDER_KVM);
	watch_to_the_end(f);
	check_verdict(&f->machines[1], MACHINE_FAILED,
		      "its machine failed under KVM: KVM internal error. Suberror: 1");
	assert_true(file_has(f, "run/args", "-accel kvm"));
}

int main(void)
{
#define unit(t) cmocka_unit_test_setup_teardown(t, setup, set_clock_back)
	const struct CMUnitTest tests[] = {
		unit(test_reports_make_verdicts),
		unit(test_a_starting_host_has_no_verdict),
		unit(test_a_report_with_a_wrong_date_is_seen),
		unit(test_an_unreadable_report_fails),
		unit(test_keep_ends_by_a_signal_and_keeps_verdicts),
		unit(test_failure_on_a_console_fails_at_once),
		unit(test_a_report_after_a_failure_wins),
		unit(test_time_limit_reports_the_progress),
		unit(test_time_counts_from_a_machines_own_start),
		unit(test_a_clock_set_forward_is_no_timeout),
		unit(test_a_clock_set_back_does_not_stop_the_timeout),
		unit(test_fetches_are_timed_after_a_clock_step),
		unit(test_a_signal_ends_the_watch),
		unit(test_a_machine_that_ends_has_failed),
		unit(test_kvm_failure_restarts_under_tcg),
		unit(test_a_restart_does_not_set_the_log_back),
		unit(test_qemu_that_ends_because_of_kvm_starts_again),
		unit(test_other_ends_under_kvm_are_failures),
		unit(test_kvm_failure_is_final_with_accel_kvm),
	};

	/* The watch's messages for people would not be valid TAP. */
	log_setup("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
