/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waits for children, and describes how they ended.
 *
 * A pidfd allows waiting with a deadline; on kernels without it (before 5.3) waitid(2) is
 * called repeatedly with growing pauses. SIGCHLD is not used, because it is delivered to
 * the whole program, which may have threads and other children.
 *
 * The child writes its standard error into memory itself. While its parent waits, the
 * parent frees all but the end of it at short intervals, so that a program that writes
 * without end needs little memory. The offsets stay, as the child shares them. A pipe
 * would bound it strictly, but the child would wait for a parent that does not read, and
 * SIGPIPE would kill a daemon that the child leaves behind.
 */
#include "lib/run-wait.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/str.h"
#include "lib/url.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TIMEOUT_GRACE 2000 /* ms between SIGTERM and SIGKILL */
#define PAUSE_MAX     50   /* ms */
#define TAIL_LINES    5
#define TAIL_BYTES    1024       /* leaves room in an error for the text before it */
#define ERR_BYTES     (1 << 20)  /* of standard error that are kept in memory */
#define ERR_KEPT      (64 << 10) /* of them, if there are more */
#define TRIM_MS       20         /* between two looks at their number */
#define TICK_MS       100

uint64_t run_now_ms(void)
{
	return clock_now_ms(CLOCK_MONOTONIC);
}

int run_remaining_ms(uint64_t deadline)
{
	uint64_t now = run_now_ms();

	if (deadline == 0)
		return -1;
	if (now >= deadline)
		return 0;
	return deadline - now > INT_MAX ? INT_MAX : (int)(deadline - now);
}

/* Sleeps until the process may have ended, at most `ms`. */
static void await_end(int pidfd, int ms, int *pause)
{
	struct pollfd pfd = {.fd = pidfd, .events = POLLIN};

	if (pidfd < 0) {
		*pause = *pause * 2 + 1 < PAUSE_MAX ? *pause * 2 + 1 : PAUSE_MAX;
		ms = ms < *pause ? ms : *pause;
	}
	poll(&pfd, pidfd < 0 ? 0 : 1, ms);
}

static void (*run_tick)(void);

void run_set_tick(void (*tick)(void))
{
	run_tick = tick;
}

static void log_error_line(void *arg, char *line)
{
	const struct child *c = arg;

	log_debug("%s: %s", c->name, line);
}

/* Logs the lines that the child has written to its standard error since the last time;
 * with `all`, also the beginning of a line without its end. What run_trim() has freed is
 * left out. */
static void log_output(struct child *c, bool all)
{
	follow_lines(&c->logged, c->errfd, all, log_error_line, c);
}

void run_trim(struct child *c)
{
	struct stat st;

	if (run_tick)
		run_tick();
	/* A file that is not in memory (pxe/serve.c) is left alone. */
	if (c->errfd <= 0 || fstat(c->errfd, &st) < 0 || st.st_nlink > 0)
		return;
	if (log_get_level() >= LOG_LEVEL_DEBUG)
		log_output(c, false);
	if (st.st_blocks > ERR_BYTES / 512 && st.st_size > ERR_KEPT)
		fallocate(c->errfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			  st.st_size - ERR_KEPT);
}

int run_trim_ms(const struct child *c, uint64_t deadline)
{
	int ms = run_remaining_ms(deadline), most = c->errfd > 0 ? TRIM_MS : -1;

	if (most < 0 && run_tick)
		most = TICK_MS;
	return most >= 0 && (ms < 0 || ms > most) ? most : ms;
}

/* Waits for the process to end and reaps it. Returns 0 and sets *si, -ETIMEDOUT, or
 * another -errno when it is not a child of this process. */
static int wait_end(struct child *c, uint64_t deadline, siginfo_t *si)
{
	_cleanup_close_ int pidfd = pidfd_open(c->pid, 0);
	int pause = 0;

	for (;;) {
		/* On kernels without pidfd only firstboot runs, whose programs are those
		 * of its image: their output is not trimmed while it waits. */
		int ms =
			pidfd < 0 ? run_remaining_ms(deadline) : run_trim_ms(c, deadline);

		run_trim(c);
		si->si_pid = 0;
		if (waitid(P_PID, (id_t)c->pid, si, WEXITED | (ms < 0 ? 0 : WNOHANG)) <
		    0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (si->si_pid == c->pid)
			return 0;
		if (ms == 0)
			return -ETIMEDOUT;
		await_end(pidfd, ms, &pause);
	}
}

bool run_ended(struct child *c, int ms)
{
	_cleanup_close_ int pidfd = pidfd_open(c->pid, 0);
	siginfo_t si = {0};
	int pause = ms;

	run_trim(c);
	if (run_remaining_ms(c->deadline) == 0)
		return true;
	await_end(pidfd, ms, &pause);
	return waitid(P_PID, (id_t)c->pid, &si, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	       si.si_pid == c->pid;
}

/* Removes blanks at both ends of *line and everything before its last carriage return. */
static void trim_line(char **line)
{
	size_t n = strlen(*line);
	char *bar;

	while (n > 0 && strchr(" \t\r", (*line)[n - 1]))
		(*line)[--n] = '\0';
	bar = strrchr(*line, '\r'); /* keeps the last state of a progress bar */
	if (bar)
		*line = bar + 1;
	*line += strspn(*line, " \t");
}

/* Splits `text` into lines and stores the last TAIL_LINES, line i at i % TAIL_LINES.
 * Returns the number of all lines that are not empty. */
static size_t split_tail(char *text, char *lines[TAIL_LINES])
{
	size_t count = 0;
	char *line;

	while ((line = strsep(&text, "\n"))) {
		trim_line(&line);
		if (*line)
			lines[count++ % TAIL_LINES] = line;
	}
	return count;
}

/*
 * Reads the last TAIL_BYTES of the file and sets *cut when there is more before them.
 * Uses pread(2), because a process that still runs may be writing at the file position.
 */
static void read_tail(int fd, char text[TAIL_BYTES + 1], bool *cut)
{
	struct stat st = {0};
	ssize_t n = -1;
	off_t start;

	if (fstat(fd, &st) == 0) {
		start = st.st_size > TAIL_BYTES ? st.st_size - TAIL_BYTES : 0;
		n = pread(fd, text, TAIL_BYTES, start);
		*cut = start > 0;
	}
	n = n > 0 ? n : 0;
	text[n] = '\0';
	for (ssize_t i = 0; i < n; i++)
		if (text[i] == '\0')
			text[i] = ' ';
}

/* Returns the last lines of `fd`, joined by "; ", with ": " before them; "" when it is
 * empty. URLs in them lose user name, password and query: a proxy's, or a signed one to
 * which a server redirected. Owned by the caller. */
static char *tail(int fd)
{
	char text[TAIL_BYTES + 1], *lines[TAIL_LINES], *rest = text;
	struct buf b = {0};
	bool cut = false;
	size_t count;

	if (fd <= 0)
		return xstrdup("");
	read_tail(fd, text, &cut);
	url_strip_secrets(text);
	if (cut)
		strsep(&rest, "\n"); /* the text begins in the middle of a line */
	count = rest ? split_tail(rest, lines) : 0;
	if (count == 0 && cut) {
		/* All of the text is part of one line. */
		buf_printf(&b, ": ...%s", text + url_cut_word(text, strlen(text)));
		return buf_take(&b);
	}
	for (size_t i = count > TAIL_LINES ? count - TAIL_LINES : 0; i < count; i++) {
		buf_puts(&b, b.len > 0 ? "; " : ": ");
		buf_puts(&b, lines[i % TAIL_LINES]);
	}
	return buf_take(&b);
}

static int end_error(const struct child *c, const siginfo_t *si, struct err *e)
{
	_cleanup_free_ char *output = tail(c->errfd);
	const char *sig;

	if (si->si_code == CLD_EXITED)
		return err_set(e, ERR_FAILED, "%s exited with %d%s", c->name,
			       si->si_status, output);
	if (si->si_status == SIGXFSZ && c->file_max > 0)
		return err_set(e, ERR_FAILED,
			       "%s was stopped: a file that it writes is larger than the "
			       "limit of %llu %s%s",
			       c->name,
			       (unsigned long long)(c->file_max >> 20 ? c->file_max >> 20
								      : c->file_max),
			       c->file_max >> 20 ? "MiB" : "bytes", output);
	sig = sigabbrev_np(si->si_status);
	if (!sig)
		return err_set(e, ERR_FAILED, "%s was killed by signal %d%s", c->name,
			       si->si_status, output);
	return err_set(e, ERR_FAILED, "%s was killed by SIG%s%s", c->name, sig, output);
}

int run_timed_out(struct child *c, struct err *e)
{
	_cleanup_free_ char *output = NULL;
	unsigned ms = c->timeout_ms;

	run_kill(c, TIMEOUT_GRACE);
	output = tail(c->errfd);
	if (ms % 1000 == 0)
		return err_set(e, ERR_FAILED, "%s timed out after %u s%s", c->name,
			       ms / 1000, output);
	return err_set(e, ERR_FAILED, "%s timed out after %u ms%s", c->name, ms, output);
}

int run_wait(struct child *c, struct err *e)
{
	siginfo_t si = {0};
	int r;

	if (c->pid <= 0)
		return err_set(e, ERR_FAILED,
			       "waiting for a program that was not started");
	r = wait_end(c, c->deadline, &si);
	if (r == -ETIMEDOUT) {
		r = run_timed_out(c, e);
	} else if (r < 0) {
		r = err_errno(e, r, "%s: cannot wait for it", c->name);
	} else {
		struct stat st;

		if (log_get_level() >= LOG_LEVEL_DEBUG && c->errfd > 0 &&
		    fstat(c->errfd, &st) == 0 && st.st_nlink == 0)
			log_output(c, true);
		bool good = si.si_code == CLD_EXITED && si.si_status == 0;

		r = good ? 0 : end_error(c, &si, e);
	}
	c->pid = 0;
	child_done(c);
	return r;
}

int run_wait_status(struct child *c, int *ret_signal)
{
	siginfo_t si = {0};
	int r = c->pid > 0 ? wait_end(c, 0, &si) : -ECHILD;

	c->pid = 0;
	child_done(c);
	*ret_signal = r == 0 && si.si_code != CLD_EXITED ? si.si_status : 0;
	if (r < 0)
		return 127;
	return *ret_signal ? 128 + *ret_signal : si.si_status;
}

void run_kill(struct child *c, unsigned grace_ms)
{
	siginfo_t si;

	if (c->pid <= 0)
		return;
	if (grace_ms > 0 && kill(c->pid, SIGTERM) == 0 &&
	    wait_end(c, run_now_ms() + grace_ms, &si) != -ETIMEDOUT) {
		c->pid = 0;
		return;
	}
	kill(c->pid, SIGKILL);
	wait_end(c, 0, &si);
	c->pid = 0;
}

void child_done(struct child *c)
{
	int saved = errno;

	run_kill(c, 0);
	if (c->errfd > 0)
		close(c->errfd);
	c->errfd = -1;
	errno = saved;
}
