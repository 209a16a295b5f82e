/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of `rackstrap rack --run` and what it finds: its environment, its exit
 * status, and ssh's key and configuration. No machine and no server runs.
 */
#include "builder/rack/rack-program.h"
#include "builder/rack/rack-ssh.h"
#include "lib/run.h"
#include "test-pxe-image.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/signalfd.h>

#include <cmocka.h>

#define HOSTS 3

struct fixture {
	char *scratch, *dir, *path;
	struct image image;
	struct rack rack;
	struct rack_run run;
	struct machine machines[HOSTS];
	int wake; /* the write end of run.signals */
};

static int prepare(struct fixture *f, struct err *e)
{
	_cleanup_free_ char *image_dir = image_make(f->scratch);
	_cleanup_free_ char *run = xasprintf("%s/run", f->dir);
	struct serve_options so = {0};
	struct tree_options o = {0};
	_cleanup_diag_ struct diag d = {0};

	if (mkdir_p_at(AT_FDCWD, run, 0755) < 0 ||
	    image_open(&f->image, image_dir, e) < 0)
		return -1;
	if (rack_load(&f->rack, "test/golden/rack/rack.cfg", &f->image.roles, &d) < 0)
		return diag_err(&d, e);
	return rack_ssh_make_key(&f->rack, f->dir, e) < 0 ||
			       tree_render(&f->rack, &f->image, f->run.tree, &o, NULL,
					   e) < 0 ||
			       serve_open(&f->run.serve, f->run.tree, &so, e) < 0
		       ? -1
		       : 0;
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = {0};
	int fds[2];

	f->scratch = make_scratch();
	f->dir = xasprintf("%s/my \"rack\" 100%%", f->scratch);
	f->path = xstrdup(getenv("PATH"));
	*state = f;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -1;
	f->wake = fds[1];
	f->run = (struct rack_run){.rack = &f->rack,
				   .image = &f->image,
				   .dir = f->dir,
				   .tree = xasprintf("%s/tree", f->dir),
				   .machines = f->machines,
				   .n = HOSTS,
				   .program_fd = -1,
				   .signals = fds[0]};
	if (prepare(f, &e) < 0) {
		print_error("%s\n", e.msg);
		return -1;
	}
	for (size_t i = 0; i < HOSTS; i++) {
		_cleanup_free_ char *log = xasprintf("%s/log", f->scratch);

		f->machines[i] =
			(struct machine){.vm = {.host = &f->rack.hosts[i], .pidfd = -1},
					 .host = &f->run.serve.info.hosts[i],
					 .state = MACHINE_READY,
					 .on_ms = rack_now_ms()};
		console_open(&f->machines[i].console, log);
		console_open(&f->machines[i].qemu, log);
	}
	return rack_watch_open(&f->run, &e);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	setenv("PATH", f->path, 1);
	for (size_t i = 0; i < HOSTS; i++) {
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

/* Runs a shell script as the program, in the rack's folder. */
static int program(struct fixture *f, const char *script, struct err *e)
{
	const char *const argv[] = {"sh", "-c", script, "sh", "a b", NULL};

	*e = (struct err){0};
	f->run.program = argv;
	return rack_program_run(&f->run, e);
}

static void expect(struct fixture *f, const char *script, int status, const char *message)
{
	struct err e;
	int r = program(f, script, &e);

	assert_string_equal(e.msg, message);
	assert_int_equal(r, status == 0 ? 0 : -1);
	assert_int_equal(e.code, status);
}

static void test_exit_status(void **state)
{
	expect(*state, "exit 0", 0, "");
	expect(*state, "exit 3", 3, "--run: sh exited with 3");
	expect(*state, "exit 130", 130, "--run: sh exited with 130");
	expect(*state, "kill -SEGV $$", 128 + SIGSEGV, "--run: sh was killed by SIGSEGV");
}

static void test_environment(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *want = realpath(f->dir, NULL);

	setenv("WANT", want, 1);
	expect(f, "test \"$RACK_DIR\" = \"$WANT\"", 0, "");
	expect(f, "test \"$RACK_HOSTS\" = 'master node-1 node-2'", 0, "");
	expect(f, "test \"$RACK_ADDRESS_node_1\" = 172.25.0.11", 0, "");
	expect(f, "test \"$1\" = 'a b'", 0, "");
	expect(f, "test \"$(command -v scp)\" = \"$RACK_DIR/run/ssh/bin/scp\"", 0, "");
}

static void test_a_signal_ends_the_program(void **state)
{
	static const struct signalfd_siginfo si = {.ssi_signo = SIGINT};
	struct fixture *f = *state;

	assert_int_equal(write(f->wake, &si, sizeof(si)), sizeof(si));
	expect(f, "exec sleep 1000", ERR_INTERRUPTED, "interrupted while sh ran");
}

static void test_programs_that_cannot_run(void **state)
{
	struct fixture *f = *state;
	char missing[] = "no-such-program", path[] = "./no-such";
	struct err e = {0};

	assert_int_equal(rack_program_check((char *[]){missing, NULL}, f->dir, &e), -1);
	assert_string_equal(e.msg, "rack: --run: no-such-program: not found in PATH");
	assert_int_equal(e.code, ERR_USAGE);
	assert_int_equal(rack_program_check((char *[]){path, NULL}, f->dir, &e), -1);
	assert_string_equal(e.msg, "rack: --run: ./no-such: No such file or directory");
	assert_int_equal(rack_program_check((char *[]){f->dir, NULL}, f->dir, &e), -1);
	assert_non_null(strstr(e.msg, ": Is a directory"));
	assert_int_equal(rack_program_check((char *[]){path, NULL}, "a:b", &e), -1);
	assert_string_equal(
		e.msg, "rack: --run: the rack's folder a:b has a ':' in its name, so "
		       "that $PATH cannot contain it: name another with --dir");
}

/* --- ssh --------------------------------------------------------------------------- */

static void test_each_host_has_the_key_of_this_run(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *key = read_text(f->dir, "run/ssh/key.pub"), *cpio = NULL;
	_cleanup_free_ char *path = xasprintf("%s/run/ssh/key", f->dir);
	_cleanup_free_ char *again = NULL, *cpio_path = NULL;
	struct err e = {0};
	struct stat st;
	size_t len;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	key[strcspn(key, "\n")] = '\0';
	cpio_path = xasprintf("%s/http/hosts/52-54-00-25-00-12.cpio", f->run.tree);
	assert_int_equal(file_read_at(AT_FDCWD, cpio_path, 1 << 20, &cpio, &len), 0);
	assert_non_null(memmem(cpio, len, key, strlen(key)));
	assert_int_equal(rack_ssh_make_key(&f->rack, f->dir, &e), 0);
	again = read_text(f->dir, "run/ssh/key.pub");
	assert_string_not_equal(key, again);
	rack_ssh_remove(f->dir);
	assert_int_equal(stat(path, &st), -1);
}

/* Asks ssh itself. */
static void test_configuration(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *dir = realpath(f->dir, NULL);
	_cleanup_free_ char *env = xasprintf("RACK_DIR=%s", dir);
	const struct run r = {
		.argv = (const char *const[]){"ssh", "-F", RACK_SSH_CONFIG, "-G",
					      "node-1", NULL},
		.env = (const char *const[]){env, NULL},
		.cwd = f->dir,
	};
	static const char *const lines[] = {
		"user root",           "hostname 172.25.0.11",
		"hostkeyalias node-1", "batchmode yes",
		"identitiesonly yes",  "stricthostkeychecking accept-new"};
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **got = NULL;
	struct err e = {0};

	assert_int_equal(rack_ssh_write_config(&f->run, &e), 0);
	if (run_capture(&r, &text, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	got = strv_split(text, "\n");
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		if (!strv_has(got, lines[i]))
			fail_msg("no line '%s' in: %s", lines[i], text);
}

/* Between two calls of rack_watch() nothing is read, and nothing is lost. */
static void test_no_event_is_missed(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *log = xasprintf("%s/" TREE_ACCESS_LOG, f->run.tree);
	static const char line[] = "1450000000.000 172.25.0.11 \"GET "
				   "/hosts/52-54-00-25-00-1a.ipxe HTTP/1.1\" 200 100 "
				   "0.001\n";

	expect(f, "touch \"$RACK_DIR/run/ssh/known_hosts.node-1\"", 0, "");
	assert_int_equal(file_write_at(AT_FDCWD, log, line, strlen(line), 0644), 0);
	expect(f, "exit 0", 0, "");
	expect(f, "! test -e \"$RACK_DIR/run/ssh/known_hosts.node-1\"", 0, "");
}

static void test_a_host_that_boots_gets_new_host_keys(void **state)
{
	struct fixture *f = *state;

	expect(f,
	       "cd \"$RACK_DIR\" && touch run/ssh/known_hosts.node-1 "
	       "run/ssh/known_hosts.node-2 && "
	       "echo '1450000000.000 172.25.0.11 \"GET "
	       "/hosts/52-54-00-25-00-1a.ipxe HTTP/1.1\" 200 100 0.001' "
	       ">>tree/run/access.log && "
	       "for i in $(seq 2000); do [ -e run/ssh/known_hosts.node-1 ] || exit 0; "
	       "sleep 0.1; done; exit 1",
	       0, "");
	expect(f, "test -e \"$RACK_DIR/run/ssh/known_hosts.node-2\"", 0, "");
}

int main(void)
{
#define unit(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
	const struct CMUnitTest tests[] = {
		unit(test_exit_status),
		unit(test_environment),
		unit(test_a_signal_ends_the_program),
		unit(test_programs_that_cannot_run),
		unit(test_each_host_has_the_key_of_this_run),
		unit(test_configuration),
		unit(test_no_event_is_missed),
		unit(test_a_host_that_boots_gets_new_host_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
