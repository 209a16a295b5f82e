/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child that run_start() forks enters the sandbox before it executes the program:
 *
 *	1. It joins the user namespace `setup`. There it is the caller, who can open the
 *	   paths that were added, with the rights to mount and to use the sandbox's ids.
 *	   Root has them in its own namespace.
 *	2. It makes mount, process, network, IPC and UTS namespaces and forks. The new
 *	   process mounts a tmpfs as root, and there everything that is visible inside.
 *	3. It joins `guest`, where it loses the rights of step 1, makes mount and process
 *	   namespaces again, which belong to `guest`, so that programs may mount what they
 *	   need inside (mmdebstrap mounts /proc in a tree), and forks again.
 *
 * The processes that fork wait, and pass on how the new one ended. Each is killed with
 * its parent. The kernel ends all processes of a process namespace with its first one.
 *
 * bubblewrap is not used: it maps a single id, and a whole system has many. unshare(1) as
 * root maps only ids that are in /etc/subuid, where a fresh machine has none for root.
 */
#include "builder/common/sandbox.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"
#include "lib/userns.h"

#include <linux/keyctl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define OLD        "/.old" /* this machine's root while the sandbox's is made */
#define FAILED_MAX 256

/* --- waiting ----------------------------------------------------------------------- */

/* Ends this process as the child ended. */
static _noreturn_ void end_like(int status)
{
	if (WIFSIGNALED(status)) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		prctl(PR_SET_DUMPABLE, 0); /* no core of this process */
		kill(getpid(), WTERMSIG(status));
		_exit(128 + WTERMSIG(status)); /* process 1 ignores its own signals */
	}
	_exit(WEXITSTATUS(status));
}

/* Closes all descriptors but `keep`. */
static void close_all_but(int keep)
{
	if (keep > 0)
		close_range(0, (unsigned)keep - 1, 0);
	close_range((unsigned)keep + 1, ~0U, 0);
}

/* Waits for the child, which SIGTERM to this process kills. All signals are blocked. */
static _noreturn_ void wait_for(pid_t pid)
{
	sigset_t set;
	int status;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	for (;;) {
		pid_t ended = waitpid(-1, &status, WNOHANG);

		if (ended == pid)
			end_like(status);
		if (ended <= 0 && sigwaitinfo(&set, NULL) == SIGTERM)
			kill(pid, SIGKILL);
	}
}

/* Forks. Returns 0 in the new process, which is killed when the old one ends; the old one
 * waits for it. Returns -errno when there is no new process. */
static int fork_on(void)
{
	struct pollfd old = {.fd = -1};
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close_all_but(ends[0]);
		wait_for(pid);
	}
	close(ends[0]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	old.fd = ends[1];
	if (poll(&old, 1, 0) > 0 && (old.revents & POLLERR))
		_exit(EXIT_FAILURE); /* the old process ended before that call */
	close(ends[1]);
	return 0;
}

/* --- the root folder --------------------------------------------------------------- */

/* Programs and what they need of this machine. Symbolic links are copied, what is missing
 * is left out. */
static const char *const system_paths[] = {
	"/usr",
	"/bin",
	"/sbin",
	"/lib",
	"/lib32",
	"/lib64",
	"/libx32",
	"/etc/ld.so.cache",
	"/etc/ld.so.conf",
	"/etc/ld.so.conf.d",
	"/etc/alternatives",
};

#define N_PROGRAM_PATHS 3 /* of these, the folders with programs are first */

static const char *const devices[] = {
	"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
};

static const struct {
	const char *path, *target;
} links[] = {
	{"/dev/fd", "/proc/self/fd"},
	{"/dev/stdin", "/proc/self/fd/0"},
	{"/dev/stdout", "/proc/self/fd/1"},
	{"/dev/stderr", "/proc/self/fd/2"},
};

static const struct {
	const char *path, *text;
} texts[] = {
	{"/etc/passwd", "root:x:0:0:root:/:/bin/sh\n"
			"nobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n"},
	{"/etc/group", "root:x:0:\nnogroup:x:65534:\n"},
	{"/etc/hosts", "127.0.0.1 localhost\n"},
};

/* The child's view of the sandbox. */
struct place {
	const struct sandbox *s;
	const char *at; /* the path at work, for the message */
};

/* Makes the folders above `path`, which is absolute. */
static int make_parents(const char *path)
{
	char copy[PATH_MAX];

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -ENAMETOOLONG;
	for (char *p = strchr(copy + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return 0;
}

static int make_file(const char *path, const char *text)
{
	_cleanup_close_ int fd =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);

	return fd < 0 ? -errno : write_all(fd, text, strlen(text));
}

/* Returns the flags of a mount that a user namespace may not take away. */
static unsigned long locked_flags(const char *path)
{
	static const struct {
		unsigned long st, ms;
	} flags[] = {
		{ST_RDONLY, MS_RDONLY},     {ST_NOSUID, MS_NOSUID},
		{ST_NODEV, MS_NODEV},       {ST_NOEXEC, MS_NOEXEC},
		{ST_NOATIME, MS_NOATIME},   {ST_NODIRATIME, MS_NODIRATIME},
		{ST_RELATIME, MS_RELATIME},
	};
	unsigned long found = 0;
	struct statvfs st;

	if (statvfs(path, &st) < 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		if (st.f_flag & flags[i].st)
			found |= flags[i].ms;
	return found;
}

/* Sets flags of the mount at `path` and of those below it. Kernels before 5.12 can only
 * change the mount itself; there, mounts below keep the flags that they have. */
static int restrict_mount(const char *path, uint64_t attributes, unsigned long flags)
{
	struct mount_attr attr = {.attr_set = attributes};

	if (mount_setattr(AT_FDCWD, path, AT_RECURSIVE, &attr, sizeof(attr)) == 0)
		return 0;
	if (errno != ENOSYS)
		return -errno;
	flags |= MS_REMOUNT | MS_BIND | locked_flags(path);
	return mount(NULL, path, NULL, flags, NULL) < 0 ? -errno : 0;
}

enum access { READ_ONLY, WRITABLE, DEVICE };

/* Mounts this machine's `path` at the same path. */
static int bind_path(const char *path, enum access access)
{
	static const struct {
		uint64_t attributes;
		unsigned long flags;
	} restrictions[] = {
		[READ_ONLY] = {MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY,
			       MS_NOSUID | MS_NODEV | MS_RDONLY},
		[WRITABLE] = {MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, MS_NOSUID | MS_NODEV},
		[DEVICE] = {MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, MS_NOSUID | MS_NOEXEC},
	};
	char from[PATH_MAX];
	struct stat st;
	int r = make_parents(path);

	if (r < 0)
		return r;
	if (snprintf(from, sizeof(from), OLD "%s", path) >= (int)sizeof(from))
		return -ENAMETOOLONG;
	if (lstat(from, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		r = mkdir(path, 0755) < 0 && errno != EEXIST ? -errno : 0;
	else
		r = make_file(path, "");
	if (r < 0)
		return r;
	if (mount(from, path, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -errno;
	return restrict_mount(path, restrictions[access].attributes,
			      restrictions[access].flags);
}

static int add_system_path(const char *path)
{
	char from[PATH_MAX], target[PATH_MAX];
	struct stat st;
	ssize_t n;

	snprintf(from, sizeof(from), OLD "%s", path);
	if (lstat(from, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISLNK(st.st_mode))
		return bind_path(path, READ_ONLY);
	n = readlink(from, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	return make_parents(path) < 0 || symlink(target, path) < 0 ? -errno : 0;
}

static int add_own_files(struct place *p)
{
	static const char *const folders[] = {"/dev",  "/dev/shm", "/etc",
					      "/proc", "/root",    "/run",
					      "/tmp",  "/var",     "/var/tmp"};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(folders); i++) {
		p->at = folders[i];
		if (mkdir(p->at, 0755) < 0 && errno != EEXIST)
			r = -errno;
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++) {
		p->at = texts[i].path;
		r = make_file(p->at, texts[i].text);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(links); i++) {
		p->at = links[i].path;
		r = symlink(links[i].target, p->at) < 0 ? -errno : 0;
	}
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(devices); i++) {
		p->at = devices[i];
		r = bind_path(p->at, DEVICE);
	}
	return r;
}

/* Sets the loopback device of the network namespace up. */
static int set_loopback_up(void)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};

	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0 ? -errno : 0;
}

/* Makes a tmpfs this process's root, with this machine's root at OLD. */
static int change_root(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("sandbox", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV,
		  "mode=0755,size=16m") < 0 ||
	    chdir("/tmp") < 0 || mkdir(&OLD[1], 0755) < 0 ||
	    syscall(SYS_pivot_root, ".", &OLD[1]) < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

/* Removes this machine's root, and makes the tmpfs read-only. Below the proc that the
 * programs get there stays this one, which hides the waiting processes: they have this
 * program's command line. */
static int finish_root(void)
{
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "hidepid=2") < 0 ||
	    umount2(OLD, MNT_DETACH) < 0 || rmdir(OLD) < 0 ||
	    mount(NULL, "/", NULL,
		  MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) < 0)
		return -errno;
	return 0;
}

static int make_root(struct place *p)
{
	int r;

	p->at = "/";
	r = change_root();
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(system_paths); i++) {
		p->at = system_paths[i];
		r = add_system_path(p->at);
	}
	if (r == 0)
		r = add_own_files(p);
	if (r == 0 && mount("tmp", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV,
			    "mode=1777,size=256m") < 0)
		r = -errno;
	for (size_t i = 0; r == 0 && i < p->s->n_paths; i++) {
		p->at = p->s->paths[i].path;
		r = bind_path(p->at, p->s->paths[i].writable ? WRITABLE : READ_ONLY);
	}
	if (r < 0)
		return r;
	p->at = "/proc";
	return finish_root();
}

/* --- entering ---------------------------------------------------------------------- */

static int enter_steps(struct place *p)
{
	static const char host[] = "sandbox";
	int r;

	p->at = "namespaces";
	if (p->s->setup >= 0) {
		r = userns_join(p->s->setup, false);
		if (r < 0)
			return r;
		prctl(PR_SET_PDEATHSIG, SIGTERM); /* joining has cleared it */
	}
	if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
		    CLONE_NEWUTS) < 0 ||
	    sethostname(host, strlen(host)) < 0)
		return -errno;
	r = fork_on();
	if (r == 0)
		r = set_loopback_up();
	if (r == 0)
		r = make_root(p);
	if (r < 0)
		return r;
	p->at = "the session's keys";
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return -errno;
	p->at = "the second namespaces";
	r = userns_join(p->s->guest, true);
	if (r < 0)
		return r;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    unshare(CLONE_NEWNS | CLONE_NEWPID) < 0)
		return -errno;
	r = fork_on();
	if (r < 0)
		return r;
	/* Another sandbox of this process group has the same ids: kill(0, ...). */
	if (setsid() < 0)
		return -errno;
	return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0
		       ? -errno
		       : 0;
}

static int enter(void *arg)
{
	struct place p = {.s = arg, .at = ""};
	int r;

	umask(0022);
	r = enter_steps(&p);
	if (r < 0)
		snprintf(p.s->failed, FAILED_MAX, "%s", p.at);
	return r;
}

/* --- the caller's side ------------------------------------------------------------- */

int sandbox_start(const struct sandbox *s, const struct run *r, struct child *ret,
		  struct err *e)
{
	struct run run = *r;

	run.only_env = true;
	run.enter = enter;
	run.enter_arg = (void *)s;
	s->failed[0] = '\0';
	if (run_start(&run, ret, e) == 0)
		return 0;
	return s->failed[0] ? err_wrap(e, "the sandbox: %s", s->failed) : -1;
}

void sandbox_add(struct sandbox *s, const char *path)
{
	s->paths = xgrow(s->paths, s->n_paths, sizeof(*s->paths));
	s->paths[s->n_paths++] = (struct sandbox_path){.path = xstrdup(path)};
}

void sandbox_add_program(struct sandbox *s, const char *name)
{
	_cleanup_free_ char *path = run_find(name);

	for (size_t i = 0; path && i < N_PROGRAM_PATHS; i++) {
		const char *rest = str_after(path, system_paths[i]);

		if (rest && *rest == '/')
			return;
	}
	if (path)
		sandbox_add(s, path);
}

/* Runs a program in the namespace where an ordinary user has the rights of step 1. */
static int join_setup(void *arg)
{
	const struct sandbox *s = arg;

	return userns_join(s->setup, false);
}

static int run_in_setup(const struct sandbox *s, const char *const *argv, struct err *e)
{
	const struct run r = {.argv = argv, .enter = join_setup, .enter_arg = (void *)s};

	return run(&r, e);
}

int sandbox_make_folder(struct sandbox *s, const char *path, struct err *e)
{
	/* Root of `guest` is user 1 and group 0 of `setup` (sandbox_open). */
	const char *const argv[] = {"install", "-d", "-m", "755", "-o", "1",
				    "-g",      "0",  "--", path,  NULL};
	int r = 0;

	if (s->setup >= 0)
		r = run_in_setup(s, argv, e);
	else if (mkdir(path, 0755) < 0 || chown(path, s->ids.uid, s->ids.gid) < 0)
		r = err_errno(e, errno, "%s", path);
	if (r < 0)
		return -1;
	sandbox_add(s, path);
	s->paths[s->n_paths - 1].writable = true;
	return 0;
}

int sandbox_remove(const struct sandbox *s, const char *path)
{
	const char *const argv[] = {"rm", "-rf", "--one-file-system", "--", path, NULL};
	int r = rm_rf_at(AT_FDCWD, path);

	/* It fails for ids that are not the caller's, and at a limit of depth. */
	if (r < 0 &&
	    (s->setup >= 0 ? run_in_setup(s, argv, NULL) : run_argv(argv, NULL)) == 0)
		r = 0;
	return r;
}

/* Sets the code of an error about a right that this machine does not give. Always returns
 * -1. */
static int unable(struct err *e)
{
	if (e)
		e->code = ERR_UNABLE;
	return -1;
}

int sandbox_open(struct sandbox *ret, struct err *e)
{
	_cleanup_sandbox_ struct sandbox s = SANDBOX_NONE;
	const unsigned n = SUBIDS_COUNT;
	/* The caller has no group here: newgidmap(1) would forbid setgroups(2). */
	struct id_maps setup = {.uids = {{0, geteuid(), 1}}, .gids = {{0}}};
	struct id_maps guest = {.uids = {{0, 1, n}}, .gids = {{0, 0, n}}};

	if (subids_find(&s.ids, e) < 0)
		return unable(e);
	setup.uids[1] = (struct id_map){1, s.ids.uid, n};
	setup.gids[0] = (struct id_map){0, s.ids.gid, n};
	if (geteuid() == 0) {
		guest.uids[0].outside = s.ids.uid;
		guest.gids[0].outside = s.ids.gid;
	} else if (userns_open(-1, &setup, &s.setup, e) < 0) {
		return unable(e);
	}
	if (userns_open(s.setup, &guest, &s.guest, e) < 0)
		return unable(e);
	s.failed = mmap(NULL, FAILED_MAX, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s.failed == MAP_FAILED) {
		s.failed = NULL;
		return err_errno(e, errno, "mmap");
	}
	*ret = s;
	s = (struct sandbox)SANDBOX_NONE;
	return 0;
}

void sandbox_done(struct sandbox *s)
{
	for (size_t i = 0; i < s->n_paths; i++)
		free(s->paths[i].path);
	free(s->paths);
	if (s->failed)
		munmap(s->failed, FAILED_MAX);
	if (s->setup >= 0)
		close(s->setup);
	if (s->guest >= 0)
		close(s->guest);
	*s = (struct sandbox)SANDBOX_NONE;
}
