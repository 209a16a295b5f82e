/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder/common/sandbox.h: programs in a sandbox see and change nothing of this
 * machine but what was added, and end with it. test/build/hostile.sh runs this test as
 * an ordinary user, too.
 */
#include "builder/common/sandbox.h"
#include "lib/file.h"
#include "lib/str.h"
#include "lib/userns.h"

#include "test-tempdir.h"

#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

static char *top;

static int setup(_unused_ void **state)
{
	const char *tmp = getenv("TMPDIR");

	return tempdir_make(tmp ? tmp : "/tmp", "test-sandbox", &top);
}

static int teardown(_unused_ void **state)
{
	rm_rf_p(&top);
	return 0;
}

static char *below(const char *name)
{
	return xasprintf("%s/%s", top, name);
}

/* Opens a sandbox with the writable folder TOP/work and TOP/seen, read-only. */
static void open_sandbox(struct sandbox *s)
{
	_cleanup_free_ char *work = below("work"), *seen = below("seen");
	struct err e = {0};

	if (sandbox_open(s, &e) < 0)
		fail_msg("%s", e.msg);
	if (mkdir(seen, 0755) < 0)
		assert_int_equal(errno, EEXIST);
	sandbox_add(s, seen);
	if (sandbox_make_folder(s, work, &e) < 0)
		fail_msg("%s", e.msg);
}

static void close_sandbox(struct sandbox *s)
{
	_cleanup_free_ char *work = below("work");

	assert_int_equal(sandbox_remove(s, work), 0);
	assert_int_equal(access(work, F_OK), -1);
	sandbox_done(s);
}

/* Runs a script, with TOP as $1, and returns what it wrote to both outputs. */
static char *run_script(const struct sandbox *s, const char *script)
{
	const char *const argv[] = {"sh", "-c", script, "sh", top, NULL};
	const char *const env[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	_cleanup_close_ int out = memfd_create("output", MFD_CLOEXEC);
	const struct run r = {.argv = argv, .env = env, .out = out, .err = out};
	struct child child;
	struct err e = {0};
	char *text = xcalloc(65536, 1);

	if (sandbox_start(s, &r, &child, &e) < 0 || run_wait(&child, &e) < 0)
		fail_msg("%s", e.msg);
	assert_true(pread(out, text, 65535, 0) >= 0);
	return text;
}

static void check_script(const char *script, const char *want)
{
	struct sandbox s;
	_cleanup_free_ char *got = NULL;

	open_sandbox(&s);
	got = run_script(&s, script);
	close_sandbox(&s);
	assert_string_equal(got, want);
}

static void root_of_a_sandbox_has_subordinate_ids(_unused_ void **state)
{
	_cleanup_free_ char *file = below("work/file"), *got = NULL;
	struct sandbox s;
	struct stat st;

	open_sandbox(&s);
	got = run_script(&s, "id; echo x >$1/work/file; chown 33:34 $1/work/file");
	assert_string_equal(got, "uid=0(root) gid=0(root) groups=0(root)\n");
	assert_true(s.ids.uid > 65536 && s.ids.gid > 65536);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_uid, s.ids.uid + 33);
	assert_int_equal(st.st_gid, s.ids.gid + 34);
	close_sandbox(&s);
}

static void files_of_the_machine_are_not_visible(_unused_ void **state)
{
	_cleanup_free_ char *secret = below("secret");

	assert_int_equal(file_write_at(AT_FDCWD, secret, "x", 1, 0644), 0);
	check_script(
		"top=/$(echo $1 | cut -d/ -f2); ls -d /[!bls]* /etc/* | "
		"grep -v -e ld.so -e ^$top\\$ -e ^/tmp\\$ -e ^/var\\$; ls -d /tmp /var; "
		"ls -A /root /run "
		"$1 | sed "
		"s,$1,TOP,;"
		"cat /etc/shadow $1/secret 2>&1 | sed 's/.*: //'",
		"/dev\n/etc\n/etc/alternatives\n/etc/group\n/etc/hosts\n/etc/passwd\n"
		"/proc\n/root\n/run\n/usr\n/tmp\n/var\n/root:\n\n/"
		"run:\n\nTOP:\nseen\nwork\n"
		"No such file or directory\nNo such file or directory\n");
}

static void other_paths_cannot_be_written(_unused_ void **state)
{
	check_script("for f in / /usr /usr/bin /etc /dev /root /var $1 $1/seen; do\n"
		     "  touch $f/new 2>/dev/null && echo $f is writable; done\n"
		     "mount -o remount,rw / 2>/dev/null && echo remounted\n"
		     "mount -o remount,rw,bind /usr 2>/dev/null && echo remounted\n"
		     "umount /usr 2>/dev/null && echo unmounted\n"
		     "mknod $1/work/sda b 8 0 2>/dev/null && echo a device\n"
		     "touch /tmp/new $1/work/new && echo good",
		     "good\n");
}

static void network_has_a_loopback_device_alone(_unused_ void **state)
{
	check_script("sed -n 's/^ *\\(.*\\):.*/\\1/p' /proc/net/dev; hostname",
		     "lo\nsandbox\n");
}

static void no_environment_and_no_descriptors_are_passed(_unused_ void **state)
{
	setenv("SECRET", "x", 1);
	check_script("env | grep -v -e ^PWD= -e ^_=; ls /proc/self/fd | tr '\\n' ' '",
		     "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n0 1 2 3 ");
}

static void other_processes_are_not_visible(_unused_ void **state)
{
	check_script("set -- /proc/[0-9]*; echo $#; umount /proc; set -- /proc/[0-9]*; "
		     "echo $#; cat /proc/1/cmdline /proc/1/mem 2>&1 | sed 's/.*: //'",
		     "1\n1\nNo such file or directory\n"
		     "No such file or directory\n");
}

/* Another sandbox of this session has the same ids, and a terminal takes input from the
 * programs of its session (TIOCSTI). */
static void programs_have_a_session_of_their_own(_unused_ void **state)
{
	check_script("set -- $(cat /proc/$$/stat); echo group $5 session $6 terminal $7",
		     "group 1 session 1 terminal 0\n");
}

static void mounts_below_usr_cannot_be_written(_unused_ void **state)
{
	static const char folder[] = "/usr/src";

	if (geteuid() != 0)
		skip(); /* cannot mount there */
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("test", folder, "tmpfs", 0, "mode=1777"), 0);
	check_script("grep -c ' /usr/src tmpfs' /proc/mounts; touch /usr/src/new "
		     "2>/dev/null && echo writable; true",
		     "1\n");
	assert_int_equal(umount(folder), 0);
}

static void keys_of_the_session_are_not_visible(_unused_ void **state)
{
	static const char name[] = "rackstrap-test-key";
	_cleanup_free_ char *keys = NULL;
	long key = syscall(SYS_add_key, "user", name, "x", (size_t)1,
			   KEY_SPEC_SESSION_KEYRING);

	assert_true(key > 0);
	assert_int_equal(file_read_at(AT_FDCWD, "/proc/keys", 1 << 20, &keys, NULL), 0);
	assert_non_null(strstr(keys, name));
	check_script("grep -c rackstrap-test-key /proc/keys; true", "0\n");
}

static void deep_folders_are_removed(_unused_ void **state)
{
	check_script("cd $1/work; for i in $(seq 700); do mkdir d; cd d; done; echo done",
		     "done\n"); /* close_sandbox() removes them */
}

static void programs_may_mount_in_it(_unused_ void **state)
{
	check_script("mkdir $1/work/p && mount -t proc p $1/work/p && ls -d $1/work/p/1 "
		     "| wc -l",
		     "1\n");
}

/* Waits until no process has the writing end of the pipe. */
static void wait_for_end(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char chunk[64];

	do
		assert_int_equal(poll(&p, 1, 60000), 1);
	while (read(fd, chunk, sizeof(chunk)) > 0);
}

static void start_in_background(const struct sandbox *s, const char *script, int out,
				struct child *ret)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	const char *const env[] = {"PATH=/usr/bin:/bin", NULL};
	const struct run r = {.argv = argv, .env = env, .out = out};
	struct err e = {0};

	if (sandbox_start(s, &r, ret, &e) < 0)
		fail_msg("%s", e.msg);
}

static void processes_end_with_the_first_one(_unused_ void **state)
{
	struct child child;
	struct sandbox s;
	struct err e = {0};
	int ends[2];

	open_sandbox(&s);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	start_in_background(&s, "setsid sleep 1000 & exit 3", ends[1], &child);
	close(ends[1]);
	assert_int_equal(run_wait(&child, &e), -1);
	assert_string_equal(e.msg, "sh exited with 3");
	wait_for_end(ends[0]);
	close(ends[0]);
	close_sandbox(&s);
}

static void processes_end_when_they_are_killed(_unused_ void **state)
{
	struct child child;
	struct sandbox s;
	char byte;
	int ends[2];

	open_sandbox(&s);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	start_in_background(&s, "trap '' TERM; setsid sleep 1000 & echo; sleep 1000",
			    ends[1], &child);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	run_kill(&child, 60000);
	wait_for_end(ends[0]);
	close(ends[0]);
	close_sandbox(&s);
}

/* Starts a sandbox in a process that then waits for its end by a signal. */
static _noreturn_ void run_parent(int to)
{
	struct child child;
	struct sandbox s;

	open_sandbox(&s);
	start_in_background(&s, "setsid sleep 1000 & echo; sleep 1000", to, &child);
	for (;;)
		pause();
}

static void processes_end_with_this_program(_unused_ void **state)
{
	_cleanup_free_ char *work = below("work");
	struct sandbox s = SANDBOX_NONE;
	struct err e;
	char byte;
	int ends[2];
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		run_parent(ends[1]);
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	wait_for_end(ends[0]);
	close(ends[0]);
	assert_int_equal(sandbox_open(&s, &e), 0);
	assert_int_equal(sandbox_remove(&s, work), 0);
	sandbox_done(&s);
}

static void failure_names_the_step(_unused_ void **state)
{
	const char *const argv[] = {"true", NULL};
	const struct run r = {.argv = argv};
	struct sandbox s = SANDBOX_NONE;
	struct child child;
	struct err e = {0};

	assert_int_equal(sandbox_open(&s, &e), 0);
	sandbox_add(&s, "/does/not/exist");
	assert_int_equal(sandbox_start(&s, &r, &child, &e), -1);
	assert_string_equal(e.msg,
			    "the sandbox: /does/not/exist: true: cannot start: No such "
			    "file or directory");
	sandbox_done(&s);
}

static void check_refusal(const char *name, const char *value, const char *want)
{
	_cleanup_free_ char *proc = below("proc"), *file = xasprintf("%s/%s", proc, name);
	_cleanup_free_ char *got = NULL;

	assert_true(mkdir_p_at(AT_FDCWD, file, 0755) == 0);
	assert_int_equal(rmdir(file), 0);
	if (value)
		assert_int_equal(
			file_write_at(AT_FDCWD, file, value, strlen(value), 0644), 0);
	else
		assert_int_equal(symlink(top, file), 0);
	got = userns_refusal(EPERM, proc);
	assert_string_equal(got, want);
	assert_int_equal(rm_rf_at(AT_FDCWD, proc), 0);
}

static void refusal_names_the_setting(_unused_ void **state)
{
	check_refusal("sys/user/max_user_namespaces", "0\n",
		      "user.max_user_namespaces is 0; as root: sysctl "
		      "user.max_user_namespaces=10000");
	check_refusal(
		"sys/kernel/apparmor_restrict_unprivileged_userns", "1\n",
		"kernel.apparmor_restrict_unprivileged_userns is on; as root: sysctl "
		"kernel.apparmor_restrict_unprivileged_userns=0");
	check_refusal("sys/kernel/unprivileged_userns_clone", "0\n",
		      "kernel.unprivileged_userns_clone is 0; as root: sysctl "
		      "kernel.unprivileged_userns_clone=1");
	check_refusal(
		"1/root", NULL,
		"this is a chroot, where Linux allows no user namespaces; run it in a "
		"container or on the machine itself");
	check_refusal("sys/user/max_user_namespaces", "100\n", "Operation not permitted");
}

static void range_is_the_first_large_one_of_getsubids(_unused_ void **state)
{
	assert_int_equal(subids_parse("0: u 100000 65536\n"), 100000);
	assert_int_equal(subids_parse("0: u 5000 10\n1: u 200000 70000\n"), 200000);
	assert_int_equal(subids_parse("0: u 100000 65535\n"), 0);
	assert_int_equal(subids_parse("0: u 0 65536\n"), 0);
	assert_int_equal(subids_parse("0: u 4294967295 65536\n"), 0);
	assert_int_equal(subids_parse("Error fetching ranges\n"), 0);
	assert_int_equal(subids_parse(""), 0);
}

static void free_range_is_one_that_nothing_uses(_unused_ void **state)
{
	static const char all[] = "         0          0 4294967295\n";

	assert_int_equal(subids_free("", all), 0x70000000);
	assert_int_equal(subids_free("root:1879048192:65536\n", all), 0x70010000);
	assert_int_equal(subids_free("u:1879113727:2\nv:100000:65536\n", all),
			 0x70020000);
	assert_int_equal(subids_free("u:0:4294967295\n", all), 0);
	/* In a container, root has the ids of a map alone. */
	assert_int_equal(subids_free("", "0 100000 65536\n"), 0);
	assert_int_equal(subids_free("", "0 1000 1\n1 100000 300000\n"), 0x20000);
	assert_int_equal(subids_free("", ""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_of_a_sandbox_has_subordinate_ids),
		cmocka_unit_test(files_of_the_machine_are_not_visible),
		cmocka_unit_test(other_paths_cannot_be_written),
		cmocka_unit_test(network_has_a_loopback_device_alone),
		cmocka_unit_test(no_environment_and_no_descriptors_are_passed),
		cmocka_unit_test(other_processes_are_not_visible),
		cmocka_unit_test(programs_have_a_session_of_their_own),
		cmocka_unit_test(mounts_below_usr_cannot_be_written),
		cmocka_unit_test(keys_of_the_session_are_not_visible),
		cmocka_unit_test(deep_folders_are_removed),
		cmocka_unit_test(programs_may_mount_in_it),
		cmocka_unit_test(processes_end_with_the_first_one),
		cmocka_unit_test(processes_end_when_they_are_killed),
		cmocka_unit_test(processes_end_with_this_program),
		cmocka_unit_test(failure_names_the_step),
		cmocka_unit_test(refusal_names_the_setting),
		cmocka_unit_test(range_is_the_first_large_one_of_getsubids),
		cmocka_unit_test(free_range_is_one_that_nothing_uses),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
