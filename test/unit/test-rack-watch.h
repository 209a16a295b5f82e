/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rack without QEMU and without servers: its machines are shell scripts, and the test
 * writes the other inputs (console, report, access log).
 */
#pragma once

#include "builder/rack/rack-run.h"
#include "lib/log.h"
#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/pidfd.h>
#include <time.h>

#include <cmocka.h>

#define HOSTS 3

struct fixture {
	char *scratch, *dir, *path;
	struct image image;
	struct rack rack;
	struct rack_run run;
	struct machine machines[HOSTS];
	struct child writer; /* changes files while the watch runs */
	int wake;            /* the write end of run.signals */
};

/* Writes a "QEMU" that logs its arguments, runs the shell commands `script`, and then
 * sleeps. */
static inline void write_qemu(struct fixture *f)
{
	_cleanup_free_ char *bin = xasprintf("%s/bin", f->scratch);
	_cleanup_free_ char *file = xasprintf("%s/" ACCEL_QEMU, bin);
	static const char text[] = "#!/bin/sh\n"
				   "echo \"$*\" >run/args\n"
				   "eval \"$RACK_TEST_SCRIPT\"\n"
				   "exec sleep 1000\n";

	if (mkdir(bin, 0755) < 0 ||
	    file_write_at(AT_FDCWD, file, text, strlen(text), 0755) < 0)
		abort();
	f->path = xstrdup(getenv("PATH"));
	file = (free(file), xasprintf("%s:%s", bin, f->path));
	setenv("PATH", file, 1);
}

static inline void make_machine(struct fixture *f, size_t i)
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

static inline int prepare(struct fixture *f, struct err *e)
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
	return tree_render(&f->rack, &f->image, f->run.tree, &o, NULL, e) < 0
		       ? -1
		       : serve_open(&f->run.serve, f->run.tree, &so, e);
}

static inline int setup(void **state)
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
				   .timeout_ms = 120000,
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
	return rack_watch_open(&f->run, &e);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

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
	rack_watch_done(&f->run);
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
static inline void run_now(struct fixture *f, const char *commands)
{
	const char *const argv[] = {"sh", "-ec", commands, NULL};
	struct err e = {0};

	if (run(&(struct run){.argv = argv, .cwd = f->dir}, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Gives all hosts but one a verdict. */
static inline void leave_only(struct fixture *f, size_t which)
{
	for (size_t i = 0; i < HOSTS; i++)
		if (i != which)
			machine_verdict(&f->machines[i], MACHINE_READY, NULL);
}

static inline void watch_to_the_end(struct fixture *f)
{
	struct err e = {0};
	int r = rack_watch(&f->run, false, &e);

	if (r != 0)
		fail_msg("rack_watch returned %d: %s", r, e.msg);
}

static inline void check_verdict(const struct machine *m, enum machine_state state,
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
