/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a machine is read from three files: nginx's access log (its fetches), its
 * report (its verdict) and its console (a boot that failed). They are read four times a
 * second, which is cheap even for forty machines, and no line of them is missed. The ends
 * of the servers and machines, and signals, wake the loop at once. Of each file a turn of
 * the loop reads a limited part, so that a machine that writes without end delays no
 * other, nor a signal.
 *
 * When KVM fails, QEMU writes a line and the machine stops running; QEMU itself only ends
 * if one of its assertions fails. The machine is then started again under TCG, and its
 * time starts at 0.
 *
 * A verdict may be changed by a later report, until the table was printed (`keep`).
 */
#include "builder/rack/rack-run.h"
#include "builder/rack/rack-ssh.h"

#include "lib/clock.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "pxe/loaders.h"
#include "pxe/watch.h"

#include <poll.h>
#include <sys/epoll.h>

#define TICK_MS     250
#define BOOT_FAILED "rackstrap: boot failed: "
#define PANIC       "Kernel panic - not syncing: "

struct follower {
	struct rack_run *r;
	struct watch watch; /* lines for people */
	struct tail access; /* times */
	int epfd;           /* signals and ends of machines */
	bool keep;
	bool more; /* a turn left something to read: do not wait before the next */
	uint64_t start_ms; /* when the first machine was first switched on; 0: not yet */
};

uint64_t rack_now_ms(void)
{
	return clock_now_ms(CLOCK_MONOTONIC);
}

/* Returns the milliseconds between two times of rack_now_ms(), at least 1: 0 is "not yet"
 * in struct machine. */
static uint64_t since(uint64_t then_ms, uint64_t now_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 1;
}

/* Returns the same up to an event whose time is from the wall clock, as in the access log
 * and on files. The event's age is subtracted from the time now, so that it does not
 * matter if the wall clock was set between `then_ms` and the event. */
static uint64_t since_event(uint64_t then_ms, uint64_t wall_ms)
{
	uint64_t now = clock_now_ms(CLOCK_REALTIME);

	return since(then_ms + (now > wall_ms ? now - wall_ms : 0), rack_now_ms());
}

/* Logs a line with the time since the rack was started. */
static _printf_(2, 3) void log_event(const struct follower *f, const char *fmt, ...)
{
	uint64_t ms = since(f->start_ms, rack_now_ms());
	char *text;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	log_info("%5llu.%llu s  %s", (unsigned long long)(ms / 1000),
		 (unsigned long long)(ms % 1000 / 100), text);
	free(text);
}

void machine_verdict(struct machine *m, enum machine_state state, char *why)
{
	m->state = state;
	m->total_ms = since(m->on_ms, rack_now_ms());
	free(m->why);
	m->why = why;
}

static bool any_pending(const struct rack_run *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->machines[i].state == MACHINE_PENDING)
			return true;
	return false;
}

/* --- fetches ----------------------------------------------------------------------- */

static struct machine *by_mac(struct rack_run *r, struct mac mac)
{
	for (size_t i = 0; i < r->n; i++)
		if (memcmp(r->machines[i].vm.host->host.mac.b, mac.b, sizeof(mac.b)) == 0)
			return &r->machines[i];
	return NULL;
}

static void follow_fetches(struct follower *f)
{
	struct access a;
	struct machine *m;
	struct mac mac;

	while (access_next(&f->access, &a) == 1) {
		if (!streq(a.method, "GET") || a.status != 200)
			continue;
		m = pxe_loader_by_url(a.path, &mac) ? by_mac(f->r, mac) : NULL;
		if (m)
			rack_ssh_forget(f->r->dir, m->host->name);
		if (m && !m->first_ms)
			m->first_ms = since_event(m->on_ms, a.end_ms);
		m = host_file_match(&host_cpio_file, a.path, &mac) ? by_mac(f->r, mac)
								   : NULL;
		if (m && m->state == MACHINE_PENDING)
			m->last_ms = since_event(m->on_ms, a.end_ms);
	}
}

/* --- reports ----------------------------------------------------------------------- */

static void follow_report(struct follower *f, struct machine *m)
{
	struct status_host s;

	if (!report_changed(&m->reported, f->r->tree, m->host->name) || f->keep)
		return;
	status_load_host(&s, f->r->tree, m->host, REPORT_LINES_MAX);
	if (s.verdict == STATUS_SILENT || s.verdict == STATUS_STARTING) {
		status_host_done(&s);
		return;
	}
	status_host_done(&m->status);
	m->status = s;
	machine_verdict(m, s.verdict == STATUS_READY ? MACHINE_READY : MACHINE_FAILED,
			xstrdup(s.why));
	m->total_ms = since_event(m->on_ms, timespec_ms(s.reported));
}

/* --- consoles ---------------------------------------------------------------------- */

/* Returns the reason in a console line that says that the boot failed, or NULL. Owned by
 * the caller. */
static char *boot_failure(const char *line)
{
	const char *s = strstr(line, BOOT_FAILED);

	if (s)
		return xstrdup(s + strlen(BOOT_FAILED));
	s = strstr(line, PANIC);
	return s ? xasprintf("kernel panic: %s", s + strlen(PANIC)) : NULL;
}

/* A guest can write to its console, and provoke messages of QEMU, without end. */
static void bound(const struct follower *f, const struct machine *m, struct console *c)
{
	if (console_bound(c))
		log_event(f, "%s: %s was larger than %d MiB: only its end is kept",
			  m->host->name, c->path, CONSOLE_MAX >> 20);
}

static void follow_console(struct follower *f, struct machine *m)
{
	char *line;

	while ((line = console_next(&m->console))) {
		_cleanup_free_ char *why = boot_failure(line);

		free(line);
		if (!why || m->state != MACHINE_PENDING)
			continue;
		log_event(f, "%s: %s", m->host->name, why);
		machine_verdict(m, MACHINE_FAILED, TAKE_PTR(why));
	}
}

/* --- ends -------------------------------------------------------------------------- */

/* Wakes the loop when a process ends. */
static int follow_pid(struct follower *f, int pidfd, struct err *e)
{
	struct epoll_event ev = {.events = EPOLLIN};

	if (pidfd >= 0 && epoll_ctl(f->epfd, EPOLL_CTL_ADD, pidfd, &ev) < 0 &&
	    errno != EEXIST)
		return err_errno(e, errno, "epoll");
	return 0;
}

static void reopen(struct console *c)
{
	_cleanup_free_ char *path = xstrdup(c->path);

	console_done(c);
	console_open(c, path);
}

/* Handles a failure of KVM: restarts the machine under TCG unless that is forbidden. */
static void handle_kvm_failure(struct follower *f, struct machine *m, const char *said)
{
	const char *name = m->host->name;
	struct err e = {0};

	if (f->r->only_kvm) {
		log_event(f, "%s: its machine failed under KVM: %s", name, said);
		if (m->state == MACHINE_PENDING)
			machine_verdict(
				m, MACHINE_FAILED,
				xasprintf("its machine failed under KVM: %s", said));
		return;
	}
	log_event(f, "%s: its machine failed under KVM (%s): started again under TCG",
		  name, said);
	reopen(&m->console);
	reopen(&m->qemu);
	m->on_ms = rack_now_ms();
	m->first_ms = m->last_ms = 0;
	if (vm_restart_tcg(&m->vm, f->r->dir, &e) < 0 ||
	    follow_pid(f, m->vm.pidfd, &e) < 0)
		machine_verdict(m, MACHINE_FAILED, xstrdup(e.msg));
}

static void follow_qemu(struct follower *f, struct machine *m)
{
	char *line;

	while (m->vm.accel == ACCEL_KVM && (line = console_next(&m->qemu))) {
		if (accel_is_death(line))
			handle_kvm_failure(f, m, line);
		free(line);
	}
}

static void follow_end(struct follower *f, struct machine *m)
{
	struct pollfd pfd = {.fd = m->vm.pidfd, .events = POLLIN};
	_cleanup_free_ char *why = NULL;

	if (m->vm.pidfd < 0 || poll(&pfd, 1, 0) <= 0)
		return;
	epoll_ctl(f->epfd, EPOLL_CTL_DEL, m->vm.pidfd, NULL);
	close(TAKE_FD(m->vm.pidfd));
	why = vm_exit_reason(&m->vm, f->r->dir);
	if (m->vm.accel == ACCEL_KVM && strcasestr(why, "kvm")) {
		handle_kvm_failure(f, m, why);
		return;
	}
	log_event(f, "%s: its machine ended: %s", m->host->name, why);
	if (m->state == MACHINE_PENDING)
		machine_verdict(m, MACHINE_FAILED,
				xasprintf("its machine ended: %s", why));
}

/* Fails the machines whose time is over. */
static void fail_late(struct rack_run *r)
{
	unsigned long long s = r->timeout_ms / 1000;
	uint64_t now = rack_now_ms();

	for (size_t i = 0; i < r->n; i++) {
		struct machine *m = &r->machines[i];

		if (m->state != MACHINE_PENDING || since(m->on_ms, now) <= r->timeout_ms)
			continue;
		if (m->last_ms)
			machine_verdict(m, MACHINE_FAILED,
					xasprintf("no report within %llu s (it had "
						  "loaded everything after %llu s)",
						  s,
						  (unsigned long long)m->last_ms / 1000));
		else if (m->first_ms)
			machine_verdict(
				m, MACHINE_FAILED,
				xasprintf("not loaded within %llu s (it asked "
					  "for its boot script after %llu s)",
					  s, (unsigned long long)m->first_ms / 1000));
		else
			machine_verdict(m, MACHINE_FAILED,
					xasprintf("never asked for its boot script "
						  "within %llu s",
						  s));
	}
}

/* --- the loop ---------------------------------------------------------------------- */

int rack_watch_open(struct rack_run *r, struct err *e)
{
	_cleanup_free_ char *log = xasprintf("%s/" TREE_ACCESS_LOG, r->tree);
	struct epoll_event ev = {.events = EPOLLIN};
	struct follower *f = xcalloc(1, sizeof(*f));

	r->follower = f;
	f->r = r;
	watch_open(&f->watch, &r->serve);
	tail_open(&f->access, log, true);
	f->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (f->epfd < 0 || epoll_ctl(f->epfd, EPOLL_CTL_ADD, r->signals, &ev) < 0)
		return err_errno(e, errno, "epoll");
	return 0;
}

void rack_watch_done(struct rack_run *r)
{
	struct follower *f = r->follower;

	if (!f)
		return;
	watch_done(&f->watch);
	tail_done(&f->access);
	close_p(&f->epfd);
	free(f);
	r->follower = NULL;
}

/* Reads what is new, of each file as much as a turn allows. The watch comes first, so
 * that its line about a report is logged before a line that follows from that report. */
static void follow_all(struct follower *f)
{
	char *line;

	f->more = watch_turn(&f->watch);
	f->more |= tail_turn(&f->access, WATCH_TURN);
	while ((line = watch_next(&f->watch))) {
		log_event(f, "%s", line);
		free(line);
	}
	follow_fetches(f);
	for (size_t i = 0; i < f->r->n; i++) {
		struct machine *m = &f->r->machines[i];

		bound(f, m, &m->console);
		bound(f, m, &m->qemu);
		f->more |= console_turn(&m->console);
		f->more |= console_turn(&m->qemu);
		follow_console(f, m);
		follow_report(f, m);
		follow_qemu(f, m);
		follow_end(f, m);
	}
}

static bool program_ended(const struct rack_run *r)
{
	struct pollfd pfd = {.fd = r->program_fd, .events = POLLIN};

	return r->program_fd >= 0 && poll(&pfd, 1, 0) > 0;
}

static int follow(struct follower *f, struct err *e)
{
	struct rack_run *r = f->r;

	for (;;) {
		if (serve_wait(&r->serve, f->epfd, f->more ? 0 : TICK_MS, e) < 0)
			return -1;
		if (signals_came(r->signals))
			return 1;
		follow_all(f);
		if (program_ended(r))
			return 0;
		if (f->keep)
			continue;
		fail_late(r);
		if (!any_pending(r))
			return 0;
	}
}

int rack_watch(struct rack_run *r, bool keep, struct err *e)
{
	struct follower *f = r->follower;

	f->keep = keep;
	if (!f->start_ms)
		f->start_ms = r->machines[0].on_ms;
	if (r->program_fd >= 0 && follow_pid(f, r->program_fd, e) < 0)
		return -1;
	for (size_t i = 0; i < r->n; i++)
		if (follow_pid(f, r->machines[i].vm.pidfd, e) < 0)
			return -1;
	return follow(f, e);
}
