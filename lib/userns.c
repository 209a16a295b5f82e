/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two processes make a namespace. The first one joins the parent namespace, where it has
 * the rights that writing maps takes (user_namespaces(7)); the second one, its child,
 * enters the new namespace and waits. Both end when this process has opened the
 * namespace, and closes its end of a pipe.
 */
#include "lib/userns.h"

#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* --- refusals ---------------------------------------------------------------------- */

static int proc_number(const char *proc, const char *name, long long *ret)
{
	_cleanup_free_ char *path = xasprintf("%s/sys/%s", proc, name), *text = NULL;
	char *end;

	if (file_read_at(AT_FDCWD, path, 64, &text, NULL) < 0)
		return -ENOENT;
	*ret = strtoll(text, &end, 10);
	return end == text ? -EINVAL : 0;
}

/* Returns true when process 1 is known to have another root folder. */
static bool is_chroot(const char *proc)
{
	_cleanup_free_ char *path = xasprintf("%s/1/root/.", proc);
	struct stat first, own;

	return stat(path, &first) == 0 && stat("/.", &own) == 0 &&
	       (first.st_dev != own.st_dev || first.st_ino != own.st_ino);
}

char *userns_refusal(int errnum, const char *proc)
{
	const int n = abs(errnum);
	long long v;

	if (n != EPERM && n != EACCES && n != ENOSPC)
		return xstrdup(strerror(n));
	if (proc_number(proc, "kernel/unprivileged_userns_clone", &v) == 0 && v == 0)
		return xstrdup("kernel.unprivileged_userns_clone is 0; as root: sysctl "
			       "kernel.unprivileged_userns_clone=1");
	if (proc_number(proc, "user/max_user_namespaces", &v) == 0 && v == 0)
		return xstrdup("user.max_user_namespaces is 0; as root: sysctl "
			       "user.max_user_namespaces=10000");
	if (proc_number(proc, "kernel/apparmor_restrict_unprivileged_userns", &v) == 0 &&
	    v != 0)
		return xstrdup("kernel.apparmor_restrict_unprivileged_userns is on; as "
			       "root: sysctl "
			       "kernel.apparmor_restrict_unprivileged_userns=0");
	if (n == EPERM && is_chroot(proc))
		return xstrdup("this is a chroot, where Linux allows no user namespaces; "
			       "run it in a container or on the machine itself");
	return xstrdup(strerror(n));
}

/* --- the two processes ------------------------------------------------------------- */

/* The second process's report: `pid` is in the namespace, or `errnum` prevented it. */
struct report {
	pid_t pid;
	int errnum;
};

int userns_join(int fd, bool drop_groups)
{
	if (setns(fd, CLONE_NEWUSER) < 0 || (drop_groups && setgroups(0, NULL) < 0) ||
	    setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return -errno;
	return 0;
}

/* Enters the new namespace, reports that, and waits until `wait_fd` is closed. */
static _noreturn_ void hold_namespace(int wait_fd, int to)
{
	struct report report = {0};
	char byte;

	if (unshare(CLONE_NEWUSER) < 0)
		report.errnum = errno;
	prctl(PR_SET_DUMPABLE, 1); /* else its parents may not open its namespace */
	report.pid = getpid();
	if (write(to, &report, sizeof(report)) == sizeof(report))
		(void)!read(wait_fd, &byte, 1);
	_exit(0);
}

static int write_map(pid_t pid, const char *name, const char *text)
{
	char path[64];
	_cleanup_close_ int fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text)); /* the kernel takes a map in one piece */
	if (n < 0)
		return -errno;
	return n == (ssize_t)strlen(text) ? 0 : -EIO;
}

/* The texts of the maps. */
struct texts {
	char uids[256], gids[256];
};

/* The first process: starts the second one, writes the maps if `direct`, reports to `to`,
 * and waits until `wait_fd` is closed. */
static _noreturn_ void create_namespace(int parent, const struct texts *t, bool direct,
					int wait_fd, int to)
{
	struct report report = {0};
	int ends[2] = {-1, -1};
	char byte;
	pid_t pid;

	if (parent >= 0)
		report.errnum = -userns_join(parent, false);
	if (report.errnum == 0 && pipe2(ends, O_CLOEXEC) < 0)
		report.errnum = errno;
	if (report.errnum == 0) {
		pid = fork();
		if (pid == 0)
			hold_namespace(wait_fd, ends[1]);
		close(ends[1]);
		if (pid < 0)
			report.errnum = errno;
		else if (read(ends[0], &report, sizeof(report)) != sizeof(report))
			report.errnum = EPIPE;
		if (report.errnum == 0 && direct)
			report.errnum = -write_map(report.pid, "uid_map", t->uids);
		if (report.errnum == 0 && direct)
			report.errnum = -write_map(report.pid, "gid_map", t->gids);
	}
	if (write(to, &report, sizeof(report)) == sizeof(report))
		(void)!read(wait_fd, &byte, 1);
	_exit(0);
}

/* --- the caller's side ------------------------------------------------------------- */

static void write_text(const struct id_map *map, char out[static 256])
{
	size_t len = 0;

	*out = '\0';
	for (size_t i = 0; i < ID_MAP_MAX && map[i].count > 0; i++)
		len += (size_t)snprintf(out + len, 256 - len, "%u %u %u\n", map[i].inside,
					map[i].outside, map[i].count);
}

static int run_tool(const char *tool, pid_t pid, const struct id_map *map, struct err *e)
{
	_cleanup_strv_ char **argv = NULL;

	strv_add(&argv, tool);
	strv_addf(&argv, "%d", (int)pid);
	for (size_t i = 0; i < ID_MAP_MAX && map[i].count > 0; i++) {
		strv_addf(&argv, "%u", map[i].inside);
		strv_addf(&argv, "%u", map[i].outside);
		strv_addf(&argv, "%u", map[i].count);
	}
	return run_argv((const char *const *)argv, e);
}

static int refused(int errnum, struct err *e)
{
	_cleanup_free_ char *why = userns_refusal(errnum, "/proc");

	return err_set(e, ERR_FAILED, "cannot create a user namespace: %s", why);
}

/* Reads the report, completes the maps, and opens the namespace. */
static int open_namespace(int from, bool direct, const struct id_maps *maps, int *ret,
			  struct err *e)
{
	struct report report;
	char path[64];
	ssize_t n;

	do
		n = read(from, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(report))
		return refused(n < 0 ? errno : EPIPE, e);
	if (report.errnum != 0)
		return refused(report.errnum, e);
	if (!direct && (run_tool("newuidmap", report.pid, maps->uids, e) < 0 ||
			run_tool("newgidmap", report.pid, maps->gids, e) < 0))
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)report.pid);
	*ret = open(path, O_RDONLY | O_CLOEXEC);
	return *ret < 0 ? refused(errno, e) : 0;
}

int userns_open(int parent, const struct id_maps *maps, int *ret, struct err *e)
{
	const bool direct = parent >= 0 || geteuid() == 0;
	_cleanup_close_ int wait_fd = -1, release_fd = -1, from = -1, to = -1;
	struct texts texts;
	sigset_t all, old;
	int ends[2], r;
	pid_t pid;

	write_text(maps->uids, texts.uids);
	write_text(maps->gids, texts.gids);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(e, errno, "pipe");
	wait_fd = ends[0];
	release_fd = ends[1];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(e, errno, "pipe");
	from = ends[0];
	to = ends[1];
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old); /* no handler of ours runs in them */
	pid = fork();
	if (pid == 0) {
		close(release_fd);
		create_namespace(parent, &texts, direct, wait_fd, to);
	}
	r = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return err_errno(e, r, "fork");
	close(TAKE_FD(to));
	r = open_namespace(from, direct, maps, ret, e);
	close(TAKE_FD(release_fd));
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r;
}
