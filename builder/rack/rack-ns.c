/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller enters a new user namespace, where it is root, and creates new network and
 * process namespaces; the child that it then forks is process 1 of the process namespace.
 * The kernel kills all processes of a process namespace when its process 1 ends, and
 * process 1 gets SIGKILL when its parent ends (PR_SET_PDEATHSIG): nothing outlives this
 * process, even if it is killed by SIGKILL.
 *
 * Only this process's user and group are mapped, which needs no setuid helper and no
 * subordinate ids. setgroups(2) is denied, as user_namespaces(7) requires.
 *
 * No other file of the product except lib/run.c forks: here the child runs code of this
 * program, not another program.
 */
#include "builder/rack/rack-ns.h"

#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/log.h"
#include "lib/rtnl.h"
#include "lib/signals.h"
#include "lib/str.h"
#include "lib/userns.h"

#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

/* fd72:6163:6b73::1/64, a unique local address (RFC 4193) with "racks" as its global id.
 * RFC 4193 asks for a random id; no packet leaves the namespace, so it is not needed. */
static const uint8_t bridge_v6[16] = {0xfd, 'r', 'a', 'c', 'k', 's', [15] = 1};
#define BRIDGE_V6_PREFIX 64

/* The result that process 1 writes to the pipe when it ends. */
struct outcome {
	int r;
	struct err e;
};

/* --- entering --------------------------------------------------------------------- */

/* Sets an error: `what` failed, and why. */
static int refused(int errnum, const char *what, struct err *e)
{
	_cleanup_free_ char *why = userns_refusal(errnum, "/proc");

	return err_set(e, ERR_UNABLE, "%s: %s", what, why);
}

static int write_proc(const char *path, const char *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : write_all(fd, text, strlen(text));
}

static int enter(struct err *e)
{
	_cleanup_free_ char *users = xasprintf("0 %u 1", (unsigned)geteuid());
	_cleanup_free_ char *groups = xasprintf("0 %u 1", (unsigned)getegid());
	int r;

	if (unshare(CLONE_NEWUSER) < 0)
		return refused(errno, "cannot create a user namespace", e);
	r = write_proc("/proc/self/uid_map", users);
	if (r == 0)
		r = write_proc("/proc/self/setgroups", "deny");
	if (r == 0)
		r = write_proc("/proc/self/gid_map", groups);
	if (r < 0)
		return refused(r, "cannot become root of a user namespace", e);
	if (unshare(CLONE_NEWNET | CLONE_NEWPID) < 0)
		return refused(errno, "cannot create network and process namespaces", e);
	return 0;
}

/* --- process 1 -------------------------------------------------------------------- */

static _noreturn_ void first_process(int (*work)(void *arg, struct err *e), void *arg,
				     int fd)
{
	struct pollfd parent = {.fd = fd, .events = 0};
	struct outcome o = {0};

	/* The handlers clean up what is the parent's. They know the parent by its process
	 * id, which is that of this process too if the parent is process 1. */
	interrupt_disable();
	setsid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* If the parent ended before that call, the pipe's reading end is closed. */
	if (poll(&parent, 1, 0) > 0 && (parent.revents & POLLERR))
		_exit(EXIT_FAILURE);
	o.r = work(arg, &o.e);
	fflush(stdout);
	_exit(write_all(fd, &o, sizeof(o)) < 0);
}

/* Passes waiting signals on to `pid`; the second one becomes SIGKILL. */
static void pass_signals(int signals, pid_t pid, unsigned *n)
{
	struct signalfd_siginfo si;

	while (read(signals, &si, sizeof(si)) == sizeof(si))
		kill(pid, ++*n > 1 ? SIGKILL : (int)si.ssi_signo);
}

/* Waits for the child's end, and passes signals on to it meanwhile. */
static int supervise(pid_t pid, int signals, struct err *e)
{
	_cleanup_close_ int pidfd = pidfd_open(pid, 0);
	struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN},
			       {.fd = signals, .events = POLLIN}};
	unsigned n = 0;
	int status;

	if (pidfd < 0)
		return err_errno(e, errno, "pidfd_open");
	do {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno != EINTR)
			return err_errno(e, errno, "poll");
		pass_signals(signals, pid, &n);
	} while (!(fds[0].revents & POLLIN));
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!WIFSIGNALED(status))
		return 0;
	return err_set(e, n > 0 ? ERR_INTERRUPTED : ERR_FAILED,
		       "the rack was killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
}

static int write_pid(const char *path, pid_t pid)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", pid);

	return file_write_at(AT_FDCWD, path, text, (size_t)n, 0644);
}

static int collect(pid_t pid, int signals, int fd, struct err *e)
{
	struct outcome o;

	if (supervise(pid, signals, e) < 0)
		return -1;
	if (read(fd, &o, sizeof(o)) != sizeof(o))
		return err_set(e, ERR_FAILED,
			       "the rack's process ended without a result");
	if (o.r < 0)
		*e = o.e;
	return o.r;
}

/* Sets an error as err_errno() does, with the code for what this machine refuses. */
static int unable(int errnum, const char *what, struct err *e)
{
	return err_set(e, ERR_UNABLE, "%s: %s", what, strerror(errnum));
}

int ns_run(int (*work)(void *arg, struct err *e), void *arg, const char *pid_file,
	   struct err *e)
{
	_cleanup_close_ int signals = -1, from = -1, to = -1;
	int pipefd[2], r;
	pid_t pid;

	signals = signals_open(e);
	if (signals < 0 || enter(e) < 0)
		return -1;
	if (pipe2(pipefd, O_CLOEXEC) < 0)
		return unable(errno, "pipe", e);
	from = pipefd[0];
	to = pipefd[1];
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return unable(errno, "fork", e);
	if (pid == 0) {
		close(TAKE_FD(from));
		first_process(work, arg, TAKE_FD(to));
	}
	close(TAKE_FD(to));
	r = write_pid(pid_file, pid);
	if (r < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return unable(-r, pid_file, e);
	}
	r = collect(pid, signals, from, e);
	if (unlink(pid_file) < 0 && errno != ENOENT)
		log_warn("%s: %s", pid_file, strerror(errno));
	return r;
}

/* --- from outside ----------------------------------------------------------------- */

/* Sets *ret to a namespace of a process, or to -1 if it is this process's own, because
 * setns(2) refuses a process its own user namespace. Returns 0 or -errno. */
static int open_ns(pid_t pid, const char *kind, int *ret)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/ns/%s", pid, kind);
	_cleanup_free_ char *own_path = xasprintf("/proc/self/ns/%s", kind);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st, own;

	if (fd < 0 || fstat(fd, &st) < 0 || stat(own_path, &own) < 0)
		return -errno;
	*ret = st.st_ino == own.st_ino && st.st_dev == own.st_dev ? -1 : TAKE_FD(fd);
	return 0;
}

int ns_open(pid_t pid, struct ns_fds *ret)
{
	int r;

	*ret = (struct ns_fds){.user = -1, .net = -1};
	r = open_ns(pid, "user", &ret->user);
	if (r == 0)
		r = open_ns(pid, "net", &ret->net);
	if (r < 0)
		ns_done(ret);
	return r;
}

void ns_done(struct ns_fds *f)
{
	close_p(&f->user);
	close_p(&f->net);
}

int ns_enter(void *arg)
{
	const struct ns_fds *f = arg;

	if (f->user >= 0 && setns(f->user, CLONE_NEWUSER) < 0)
		return -errno;
	return f->net >= 0 && setns(f->net, CLONE_NEWNET) < 0 ? -errno : 0;
}

/* --- network ---------------------------------------------------------------------- */

const char *ns_tap(size_t i, char out[static 16])
{
	snprintf(out, 16, "tap%u", (unsigned)i);
	return out;
}

/* Makes a tap device, which stays when the descriptor is closed and is removed with the
 * namespace. */
static int make_tap(const char *name)
{
	_cleanup_close_ int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	struct ifreq ifr = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};

	if (fd < 0)
		return -errno;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0)
		return -errno;
	return 0;
}

static int tun_refused(int r, struct err *e)
{
	if (r == -ENOENT || r == -ENODEV || r == -ENXIO)
		return err_set(e, ERR_UNABLE,
			       "/dev/net/tun is missing; as root: modprobe tun");
	if (r == -EACCES && access("/dev/net/tun", R_OK | W_OK) < 0)
		return err_set(e, ERR_UNABLE,
			       "/dev/net/tun cannot be opened; as root: chmod 666 "
			       "/dev/net/tun");
	return refused(r, "cannot create a tap device", e);
}

static int add_tap(struct rtnl *rt, size_t i, int bridge, struct err *e)
{
	struct rtnl_link link;
	char name[16];
	int r;

	ns_tap(i, name);
	r = make_tap(name);
	if (r < 0)
		return tun_refused(r, e);
	r = rtnl_link_get(rt, name, &link);
	if (r == 0)
		r = rtnl_link_set_master(rt, link.index, bridge);
	if (r == 0)
		r = rtnl_link_set_up(rt, link.index, true);
	return r < 0 ? err_errno(e, r, "%s", name) : 0;
}

static int add_bridge(struct rtnl *rt, struct cidr address, struct rtnl_link *ret,
		      struct err *e)
{
	struct rtnl_link lo;
	int r;

	r = rtnl_bridge_add(rt, NS_BRIDGE);
	if (r == -EOPNOTSUPP)
		return err_set(e, ERR_UNABLE,
			       "this kernel has no bridges; as root: modprobe bridge");
	if (r < 0)
		return refused(r, "cannot create a bridge in a network namespace", e);
	r = rtnl_link_get(rt, NS_BRIDGE, ret);
	if (r == 0)
		r = rtnl_addr_add(rt, ret->index, address);
	if (r == 0)
		r = rtnl_link_set_up(rt, ret->index, true);
	if (r == 0)
		r = rtnl_link_get(rt, "lo", &lo);
	if (r == 0)
		r = rtnl_link_set_up(rt, lo.index, true);
	return r < 0 ? err_errno(e, r, NS_BRIDGE) : 0;
}

int ns_network(struct cidr address, size_t n, bool *ret_v6, struct err *e)
{
	_cleanup_rtnl_ struct rtnl rt = {.fd = -1};
	struct rtnl_link bridge;
	int r = rtnl_open(&rt);

	if (r < 0)
		return err_errno(e, r, "rtnetlink");
	if (add_bridge(&rt, address, &bridge, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (add_tap(&rt, i, bridge.index, e) < 0)
			return -1;
	*ret_v6 = rtnl_addr6_add(&rt, bridge.index, bridge_v6, BRIDGE_V6_PREFIX) == 0;
	return 0;
}
