/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests how a rack's hosts get their verdicts, without QEMU and without servers: the
 * machines are shell scripts, and the test writes the other inputs (console, report,
 * access log). Also tests which console lines are shown.
 */
#include "builder/rack/rack-run.h"
#include "lib/log.h"
#include "test-pxe-image.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/pidfd.h>
#include <sys/signalfd.h>
#include <time.h>

#include <cmocka.h>

#define HOSTS 3

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

/* Bytes that were moved. The Makefile wraps memmove(). */
static size_t moved;

void *__real_memmove(void *to, const void *from, size_t n);
void *__wrap_memmove(void *to, const void *from, size_t n);

void *__wrap_memmove(void *to, const void *from, size_t n)
{
	moved += n;
	return __real_memmove(to, from, n);
}

struct fixture {
	char *scratch, *dir, *path;
	struct image image;
	struct rack rack;
	struct rack_run run;
	struct machine machines[HOSTS];
	struct child writer; /* changes files while the watch runs */
	int wake;            /* the write end of run.signals */
};

/* --- fixture ----------------------------------------------------------------------- */

/* Writes a "QEMU" that logs its arguments, runs the shell commands `script`, and then
 * sleeps. */
static void write_qemu(struct fixture *f)
{
	_cleanup_free_ char *bin = xasprintf("%s/bin", f->scratch);
	_cleanup_free_ char *file = xasprintf("%s/" ACCEL_QEMU, bin);
	static const char text[] = "#!/bin/sh\n"
				   "echo \"$*\" >run/args\n"
				   "eval \"$RACK_TEST_SCRIPT\"\n"
				   "exec sleep 60\n";

	if (mkdir(bin, 0755) < 0 ||
	    file_write_at(AT_FDCWD, file, text, strlen(text), 0755) < 0)
		abort();
	f->path = xstrdup(getenv("PATH"));
	file = (free(file), xasprintf("%s:%s", bin, f->path));
	setenv("PATH", file, 1);
}

static void make_machine(struct fixture *f, size_t i)
{
	struct machine *m = &f->machines[i];
	const char *name = f->rack.hosts[i].host.name;
	_cleanup_free_ char *console = xasprintf("%s/log/%s.console", f->dir, name);
	_cleanup_free_ char *qemu = xasprintf("%s/log/%s.qemu", f->dir, name);

	*m = (struct machine){.vm = {.host = &f->rack.hosts[i], .pidfd = -1},
			      .host = &f->run.serve.info.hosts[i],
			      .on_ms = rack_now_ms()};
	assert_string_equal(m->host->name, name);
	m->vm.tap = (unsigned)i;
	console_open(&m->console, console);
	console_open(&m->qemu, qemu);
}

static int prepare(struct fixture *f, struct err *e)
{
	_cleanup_free_ char *image_dir = image_make(f->scratch);
	static const char *const folders[] = {"run", "log", "disk", "tree"};
	struct serve_options so = {0};
	struct tree_options o = {0};
	_cleanup_diag_ struct diag d = {0};

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", f->dir, folders[i]);

		if (mkdir_p_at(AT_FDCWD, path, 0755) < 0)
			return -1;
	}
	if (image_open(&f->image, image_dir, e) < 0)
		return -1;
	if (rack_load(&f->rack, "test/golden/rack/rack.cfg", &f->image.roles, &d) < 0)
		return diag_err(&d, e);
	return tree_render(&f->rack, &f->image, f->run.tree, &o, e) < 0
		       ? -1
		       : serve_open(&f->run.serve, f->run.tree, &so, e);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = {0};
	int fds[2];

	f->scratch = make_scratch();
	f->dir = xasprintf("%s/rack", f->scratch);
	*state = f;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	f->wake = fds[1];
	f->run = (struct rack_run){.rack = &f->rack,
				   .image = &f->image,
				   .dir = f->dir,
				   .tree = xasprintf("%s/tree", f->dir),
				   .timeout_ms = 20000,
				   .machines = f->machines,
				   .n = HOSTS,
				   .program_fd = -1,
				   .signals = fds[0]};
	if (prepare(f, &e) < 0) {
		print_error("%s\n", e.msg);
		return -1;
	}
	write_qemu(f);
	for (size_t i = 0; i < HOSTS; i++)
		make_machine(f, i);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	clock_step = 0;
	setenv("PATH", f->path, 1);
	child_done(&f->writer);
	for (size_t i = 0; i < HOSTS; i++) {
		struct vm *vm = &f->machines[i].vm;

		vm_stop(&vm, 1);
		free(f->machines[i].why);
		status_host_done(&f->machines[i].status);
		console_done(&f->machines[i].console);
		console_done(&f->machines[i].qemu);
	}
	serve_done(&f->run.serve);
	image_done(&f->image);
	rack_done(&f->rack);
	close_p(&f->run.signals);
	close_p(&f->wake);
	rm_rf_p(&f->scratch);
	free(f->run.tree);
	free(f->path);
	free(f->dir);
	free(f);
	return 0;
}

/* Runs shell commands in the rack's folder; run_later() runs them while the watch goes
 * on. */
static void run_now(struct fixture *f, const char *commands)
{
	const char *const argv[] = {"sh", "-ec", commands, NULL};
	struct err e = {0};

	if (run(&(struct run){.argv = argv, .cwd = f->dir}, &e) < 0)
		fail_msg("%s", e.msg);
}

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

/* Gives all hosts but one a verdict. */
static void leave_only(struct fixture *f, size_t which)
{
	for (size_t i = 0; i < HOSTS; i++)
		if (i != which)
			machine_verdict(&f->machines[i], MACHINE_READY, NULL);
}

static void watch_to_the_end(struct fixture *f)
{
	struct err e = {0};
	int r = rack_watch(&f->run, false, &e);

	if (r != 0)
		fail_msg("rack_watch returned %d: %s", r, e.msg);
}

static void check_verdict(const struct machine *m, enum machine_state state,
			  const char *why)
{
	if (m->state != state)
		print_message("# %s: %s\n", m->host->name, m->why ? m->why : "ready");
	assert_int_equal(m->state, state);
	if (why)
		assert_string_equal(m->why ? m->why : "(nothing)", why);
	else
		assert_null(m->why);
}

#define REPORT(host, verdict, why)                                                       \
	"{\"format\":1,\"host\":\"" host "\",\"role\":\"node\",\"address\":null,"        \
	"\"cbr0\":null,\"verdict\":\"" verdict "\",\"why\":" why ",\"uptime_ms\":31200," \
	"\"generation\":1,\"phases\":[],\"units\":[],\"boot_id\":\"b\","                 \
	"\"config_sha256\":\"c\"}"

/* Writes a report atomically, as nginx does. */
#define PUT_REPORT(host, verdict, why)                                                   \
	"echo '" REPORT(host, verdict,                                                   \
			why) "' >tree/http/report/.new; "                                \
			     "mv tree/http/report/.new tree/http/report/" host ".json\n"

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
	assert_true(f->machines[1].total_ms < 60000);
	f->machines[2].state = MACHINE_PENDING;
	run_later(f,
		  PUT_REPORT("node-1", "ready",
			     "null") "touch -d @1700000000 tree/http/report/node-1.json; "
				     "sleep 0.6; " PUT_REPORT("node-2", "ready", "null"));
	watch_to_the_end(f);
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
	run_later(f, "sleep 0.4; echo ' line' >>log/node-2.console");
	watch_to_the_end(f);
	check_verdict(&f->machines[0], MACHINE_FAILED, "root.squashfs is damaged");
	check_verdict(&f->machines[1], MACHINE_FAILED, "kernel panic: VFS: none");
	check_verdict(&f->machines[2], MACHINE_FAILED, "not yet ended line");
}

/* A host that gave up and then became ready (panic=, the operator) is ready. */
static void test_a_report_after_a_failure_wins(void **state)
{
	struct fixture *f = *state;

	machine_verdict(&f->machines[0], MACHINE_READY, NULL);
	run_now(f, "echo 'rackstrap: boot failed: no disk' >log/node-1.console");
	run_later(f, "sleep 0.5; " PUT_REPORT(
			     "node-1", "ready",
			     "null") "sleep 0.5; " PUT_REPORT("node-2", "ready", "null"));
	watch_to_the_end(f);
	check_verdict(&f->machines[1], MACHINE_READY, NULL);
}

/* --- time -------------------------------------------------------------------------- */

#define FETCHED(what, status)                                                            \
	"1450000000.000 172.25.0.11 \"GET /hosts/52-54-00-25-00-" what                   \
	" HTTP/1.1\" " status " 100 0.001\n"

static void test_time_limit_reports_the_progress(void **state)
{
	struct fixture *f = *state;

	f->run.timeout_ms = 1000;
	run_later(f, "sleep 0.3; printf '" FETCHED("1a.ipxe", "200")
			     FETCHED("12.ipxe", "200") FETCHED("12.cpio", "200")
				     FETCHED("10.ipxe", "404") "' >>tree/run/access.log");
	watch_to_the_end(f);
	check_verdict(&f->machines[0], MACHINE_FAILED,
		      "never asked for its boot script within 1 s");
	check_verdict(&f->machines[1], MACHINE_FAILED,
		      "not loaded within 1 s (it asked for its boot script after 0 s)");
	check_verdict(&f->machines[2], MACHINE_FAILED,
		      "no report within 1 s (it had loaded everything after 0 s)");
	assert_in_range(f->machines[0].total_ms, 1000, 3000);
}

static void test_time_counts_from_a_machines_own_start(void **state)
{
	struct fixture *f = *state;
	uint64_t began = rack_now_ms();

	leave_only(f, 2);
	f->run.timeout_ms = 700;
	f->machines[2].on_ms = began + 600;
	watch_to_the_end(f);
	assert_in_range(rack_now_ms() - began, 1300, 5000);
}

/* NTP may set the clock while the rack boots. */
static void test_a_clock_set_forward_is_no_timeout(void **state)
{
	struct fixture *f = *state;

	leave_only(f, 2);
	clock_step = 3600;
	run_later(f, "sleep 0.4; "
		     "echo '" REPORT(
			     "node-2", "ready",
			     "null") "' >run/node-2.json; "
				     "mv run/node-2.json tree/http/report/node-2.json");
	watch_to_the_end(f);
	check_verdict(&f->machines[2], MACHINE_READY, NULL);
	assert_in_range(f->machines[2].total_ms, 300, 10000);
}

static void test_a_clock_set_back_does_not_stop_the_timeout(void **state)
{
	struct fixture *f = *state;

	leave_only(f, 2);
	f->run.timeout_ms = 700;
	clock_step = -3600;
	watch_to_the_end(f);
	check_verdict(&f->machines[2], MACHINE_FAILED,
		      "never asked for its boot script within 0 s");
	assert_in_range(f->machines[2].total_ms, 700, 5000);
}

/* Times in the access log are of the wall clock. */
static void test_fetches_are_timed_after_a_clock_step(void **state)
{
	struct fixture *f = *state;

	leave_only(f, 2);
	f->run.timeout_ms = 1500;
	clock_step = 3600;
	run_later(f, "sleep 0.8; t=$(date -d '1 hour' +%s.%3N); "
		     "printf \"$t 172.25.0.12 \\\"GET /hosts/52-54-00-25-00-12.ipxe "
		     "HTTP/1.1\\\" 200 100 0.001\\n\" >>tree/run/access.log");
	watch_to_the_end(f);
	assert_in_range(f->machines[2].first_ms, 700, 1500);
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
	"echo 'KVM internal error. Suberror: 1' >&2; echo 'EAX=0000' >&2 ;; "            \
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

/* --- console lines that are shown -------------------------------------------------- */

static void test_console_lines_are_cleaned(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"one\r\ntwo\n\n\n  \nthree", "one|two|three"},
		{"\033[0;32m  OK  \033[0m] Started", "  OK  ] Started"},
		{"\033[2J\033[01;01HSeaBIOS\033[8;1Hnext", "SeaBIOSnext"},
		{"\033]0;title\atext", "text"},
		{"\033]0;no end\ntext", "text"},
		{"\033(Btext\033", "text"},
		{"\033[31", ""},
		{"one\rtwo\r\n", "one|two"},
		/* systemd's animation, which would push all other lines out */
		{"\r\033[K[   \033[0;31m*\033[0;1;31m*\033[0m\033[0;31m* \033[0m] (1 of "
		 "2) A start "
		 "job is running for x (5s / no limit)\r\033[K[  \033[0;32mOK\033[0m  ] "
		 "Started x.\n",
		 "[  OK  ] Started x."},
		{"[*     ] A start job is running\r\n[ end", "[ end"},
		{"[    ] [] [x*] [*", "[    ] [] [x*] [*"},
		{"a\tb\001c\bd\177", "a bcd?"},
		{"caf\303\251", "caf??"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strv_ char **v =
			console_lines(cases[i].text, strlen(cases[i].text));
		_cleanup_free_ char *joined = strv_join(v, "|");

		assert_string_equal(joined, cases[i].want);
	}
}

static void test_console_lines_are_cut(void **state)
{
	_cleanup_free_ char *text = xmalloc(5000);
	_cleanup_strv_ char **v = NULL;

	(void)state;
	memset(text, 'x', 4999);
	memcpy(text + 4000, "\nyy", 3);
	v = console_lines(text, 4003);
	assert_int_equal(strv_len(v), 2);
	assert_int_equal(strlen(v[0]), 1000);
	assert_string_equal(v[1], "yy");
}

/* A line may be cut, and the tail may begin, anywhere in a URL. */
static void test_console_lines_have_no_credentials(void **state)
{
	static const char url[] = "http://me:PASSWORD@host/x";
	struct fixture *f = *state;
	const char *path = f->machines[0].console.path;
	_cleanup_free_ char *text = xcalloc(1, 64 * 1024);

	for (size_t n = 970; n < 1002; n++) {
		_cleanup_strv_ char **v = NULL;

		memset(text, 'x', n);
		strcpy(text + n, url);
		v = console_lines(text, strlen(text));
		assert_int_equal(strv_len(v), 1);
		assert_null(strstr(v[0], "PA"));
	}
	for (size_t n = 0; n < sizeof(url); n++) {
		_cleanup_strv_ char **v = NULL;

		strcpy(text, url);
		memset(text + strlen(url), '\n', 32 * 1024);
		strcpy(text + 32 * 1024 + n - 4, "\nend");
		assert_int_equal(file_write_at(AT_FDCWD, path, text, strlen(text), 0644),
				 0);
		v = console_tail(path, 9);
		assert_string_equal(v[strv_len(v) - 1], "end");
		for (size_t i = 0; v[i]; i++)
			assert_null(strstr(v[i], "WORD"));
	}
}

static void expect_next(struct console *c, const char *want)
{
	_cleanup_free_ char *line = console_next(c);

	if (!want)
		assert_null(line);
	else
		assert_string_equal(line ? line : "(nothing)", want);
}

static void test_console_is_followed(void **state)
{
	struct fixture *f = *state;
	struct console *c = &f->machines[0].console;

	expect_next(c, NULL); /* QEMU has not created the file yet */
	run_now(f, "printf 'one\\ntw' >log/master.console");
	expect_next(c, "one");
	expect_next(c, NULL);
	run_now(f, "printf 'o\\r\\n\\nthree\\n' >>log/master.console");
	expect_next(c, "two");
	expect_next(c, "");
	expect_next(c, "three");
	expect_next(c, NULL);
	/* After a restart QEMU begins the file anew. */
	run_now(f, "printf 'new\\n' >log/master.console");
	expect_next(c, "new");
	expect_next(c, NULL);
}

static void test_console_tail_has_the_last_lines(void **state)
{
	struct fixture *f = *state;
	const char *path = f->machines[0].console.path;
	_cleanup_strv_ char **none = console_tail(path, 3), **v = NULL;
	_cleanup_free_ char *joined = NULL;

	assert_null(none);
	run_now(f,
		"yes a long line that is not wanted | head -n 3000 >log/master.console\n"
		"printf '\\nx\\n\\ny\\nunended' >>log/master.console");
	v = console_tail(path, 3);
	joined = strv_join(v, "|");
	assert_string_equal(joined, "x|y|unended");
}

#define FLOOD_BYTES 4000000

/* Writes lines of two bytes to a console. */
static void flood(struct fixture *f)
{
	run_now(f, "yes | head -c 4000000 >log/master.console");
}

/* Each line is taken from the front of a buffer, which is not moved for each. */
static void test_many_lines_move_few_bytes(void **state)
{
	struct fixture *f = *state;
	struct console *c = &f->machines[0].console;
	size_t n = 0;
	char *line;

	flood(f);
	moved = 0;
	for (; (line = console_next(c)); n++)
		free(line);
	assert_int_equal(n, FLOOD_BYTES / 2);
	assert_true(moved < FLOOD_BYTES);
}

static void test_turn_of_a_console_is_limited(void **state)
{
	struct fixture *f = *state;
	struct console *c = &f->machines[0].console;
	size_t n = 0, turns = 0;
	bool more;
	char *line;

	flood(f);
	do {
		more = console_turn(c);
		for (; (line = console_next(c)); n++)
			free(line);
		turns++;
		assert_true(c->at <= (off_t)(turns * CONSOLE_TURN));
	} while (more || turns == 1);
	assert_int_equal(n, FLOOD_BYTES / 2);
	assert_true(turns > FLOOD_BYTES / CONSOLE_TURN);
	assert_false(console_turn(c));
}

/* The verdicts of all hosts are found in one turn, however much one of them writes. */
static void test_flood_on_a_console_delays_nobody(void **state)
{
	struct fixture *f = *state;

	flood(f);
	run_now(f, PUT_REPORT("master", "ready", "null")
			   PUT_REPORT("node-1", "ready", "null")
				   PUT_REPORT("node-2", "failed", "\"no\""));
	watch_to_the_end(f);
	check_verdict(&f->machines[0], MACHINE_READY, NULL);
	check_verdict(&f->machines[1], MACHINE_READY, NULL);
	check_verdict(&f->machines[2], MACHINE_FAILED, "no");
	assert_true(f->machines[0].console.at > 0);
	assert_true(f->machines[0].console.at < FLOOD_BYTES / 2);
}

/* A line that is too long is read in pieces: a password is not told from the end of its
 * URL. */
static void test_password_in_two_pieces_is_not_shown(void **state)
{
	struct fixture *f = *state;
	struct console *c = &f->machines[0].console;
	static const char url[] = "https://bob:ABCDEFGHIJKLMNOP@proxy/ failed ";
	size_t before = 64 * 1024 - strlen("https://bob:ABCD");
	_cleanup_buf_ struct buf b = {0};
	char *line;

	for (size_t i = 0; i < before; i++)
		buf_puts(&b, i % 8 ? "x" : " ");
	buf_puts(&b, url);
	for (size_t i = 0; i < 70000; i++)
		buf_puts(&b, i % 8 ? "y" : " ");
	buf_puts(&b, "\n");
	assert_int_equal(file_write_at(AT_FDCWD, c->path, b.p, b.len, 0644), 0);
	while ((line = console_next(c))) {
		assert_null(strstr(line, "EFGH"));
		free(line);
	}
}

static void skip_to(struct console *c, const char *want)
{
	bool found = false;

	while (!found) {
		_cleanup_free_ char *line = console_next(c);

		assert_non_null(line);
		found = streq(line, want);
	}
}

static off_t size_of_console(struct fixture *f)
{
	struct stat st;

	assert_int_equal(stat(f->machines[0].console.path, &st), 0);
	return st.st_size;
}

/* The reader goes on at the line at which it was, if that is kept. */
static void test_console_is_bounded(void **state)
{
	struct fixture *f = *state;
	struct console *c = &f->machines[0].console;

	assert_false(console_bound(c)); /* QEMU has not created the file yet */
	run_now(f, "echo early >log/master.console\n"
		   "yes 0123456 | head -c 16777216 >>log/master.console\n"
		   "printf 'one\\ntwo\\n' >>log/master.console");
	expect_next(c, "early");
	assert_true(console_bound(c));
	assert_in_range(size_of_console(f), CONSOLE_KEPT - 100, CONSOLE_KEPT + 100);
	assert_false(console_bound(c));
	expect_next(c, "0123456");
	skip_to(c, "one");
	run_now(f, "yes three | head -c 16777212 >>log/master.console");
	expect_next(c, "two");
	assert_false(console_bound(c)); /* not the first time */
	assert_in_range(size_of_console(f), CONSOLE_KEPT - 100, CONSOLE_KEPT + 100);
	expect_next(c, "three");
	run_now(f, "echo four >>log/master.console");
	skip_to(c, "four");
	expect_next(c, NULL);
}

static void test_watch_bounds_the_consoles(void **state)
{
	struct fixture *f = *state;

	run_now(f, "yes | head -c 20000000 >log/master.console\n"
		   "yes | head -c 20000000 >log/master.qemu\n" PUT_REPORT(
			   "master", "ready", "null"));
	leave_only(f, 0);
	watch_to_the_end(f);
	assert_in_range(size_of_console(f), 1, CONSOLE_MAX);
	assert_true(f->machines[0].qemu.cut);
}

#define unit(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		unit(test_reports_make_verdicts),
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
		unit(test_qemu_that_ends_because_of_kvm_starts_again),
		unit(test_other_ends_under_kvm_are_failures),
		unit(test_kvm_failure_is_final_with_accel_kvm),
		cmocka_unit_test(test_console_lines_are_cleaned),
		cmocka_unit_test(test_console_lines_are_cut),
		unit(test_console_lines_have_no_credentials),
		unit(test_console_is_followed),
		unit(test_console_tail_has_the_last_lines),
		unit(test_password_in_two_pieces_is_not_shown),
		unit(test_many_lines_move_few_bytes),
		unit(test_turn_of_a_console_is_limited),
		unit(test_flood_on_a_console_delays_nobody),
		unit(test_console_is_bounded),
		unit(test_watch_bounds_the_consoles),
	};

	/* The watch's messages for people would not be valid TAP. */
	log_setup("test", LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
