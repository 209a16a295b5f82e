/* SPDX-License-Identifier: Apache-2.0 */
/* Children do not inherit the signal mask: lib/run.c sets an empty one for them. */
#include "lib/signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

int signals_open(struct err *e)
{
	struct sigaction hup;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	/* signalfd delivers a blocked signal even when it is ignored. */
	if (sigaction(SIGHUP, NULL, &hup) == 0 && hup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_errno(e, errno, "signalfd") : fd;
}

int signals_read(int fd)
{
	struct signalfd_siginfo si;

	return read(fd, &si, sizeof(si)) == sizeof(si) ? (int)si.ssi_signo : 0;
}

void signals_await_second(void)
{
	sigset_t second;

	sigemptyset(&second);
	sigaddset(&second, SIGINT);
	sigprocmask(SIG_UNBLOCK, &second, NULL);
}

bool signals_came(int fd)
{
	if (signals_read(fd) == 0)
		return false;
	signals_await_second();
	return true;
}

bool signals_are_pending(void)
{
	sigset_t set;

	return sigpending(&set) == 0 &&
	       (sigismember(&set, SIGINT) > 0 || sigismember(&set, SIGTERM) > 0);
}

static void pipe_set(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGPIPE);
}

void signals_block_pipe(sigset_t *ret_old)
{
	sigset_t set;

	pipe_set(&set);
	pthread_sigmask(SIG_BLOCK, &set, ret_old);
}

void signals_restore_pipe(const sigset_t *old)
{
	const struct timespec now = {0};
	sigset_t set;

	pipe_set(&set);
	if (!sigismember(old, SIGPIPE))
		while (sigtimedwait(&set, NULL, &now) < 0 && errno == EINTR)
			;
	pthread_sigmask(SIG_SETMASK, old, NULL);
}
