/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handler executes the program again in the same process. execve(2) may be called in
 * a handler. It ends all threads, releases all locks, and leaves the process its id and
 * its children; so nothing else in the program needs to know of the signal, whatever
 * library it is in. The new program gets what it has to say in its arguments.
 *
 * A child whose parent has ended becomes a child of this process (PR_SET_CHILD_SUBREAPER)
 * instead of process 1's: ending all children, as long as there are any, reaches every
 * process that was started. The processes of a sandbox end with the one that waits for
 * them outside of it.
 *
 * A shell may have executed this program in its own process (`exec`, with `>(tee log)`):
 * then its children are this program's. All descendants that exist at interrupt_enable()
 * are spared. They are known by process id and start time, which are handed on in an
 * argument. Limit: a process that one of them starts later, and that outlives it, is
 * killed.
 *
 * Children that are between fork(2) and execve(2) may have the handler for a moment: in
 * them the signal does what it does by default.
 */
#include "lib/interrupt.h"

#include "lib/clock.h"
#include "lib/dir.h"
#include "lib/process.h"
#include "lib/str.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define MARK "--interrupted"
#define END_MS                                                                           \
	10000 /* for children that do not end at once, such as in a disk's driver */
#define GRACE_MS   300 /* between SIGTERM and SIGKILL: ssh restores the terminal */
#define STEP_MS    5
#define LINES_MAX  100
#define SPARED_MAX (64 << 10) /* execve(2) refuses an argument of 128 KiB */

enum {
	ARG_MARK = 1,
	ARG_SIGNAL,
	ARG_LINES,
	ARG_COMMAND,
	ARG_STAGE,
	ARG_KEPT,
	ARG_SPARED,
	N_ARGS
};

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};

/* A text that may be replaced while the handler reads it. */
struct text {
	char copies[2][256];
	_Atomic(const char *) now; /* one of them, or NULL */
};

/* The data that the handler reads. */
static struct {
	pid_t pid;
	int program; /* descriptor of the executable */
	const char *command;
	char *spared; /* see list_spared(); NULL: none */
	struct text stage, kept;
	atomic_uint lines;
} state = {.program = -1};

/* --- the handler ------------------------------------------------------------------- */

/* Writes a number of at most two digits. */
static void write_number(unsigned n, char out[static 3])
{
	char *p = out;

	if (n >= 10)
		*p++ = (char)('0' + n / 10 % 10);
	*p++ = (char)('0' + n % 10);
	*p = '\0';
}

static void write_fixed(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text));
}

static void on_signal(int sig)
{
	const char *stage = state.stage.now, *kept = state.kept.now;
	char number[3], lines[3];
	const char *argv[N_ARGS + 1] = {
		"rackstrap",      MARK,
		number,           lines,
		state.command,    stage ? stage : "",
		kept ? kept : "", state.spared ? state.spared : "",
	};

	if (getpid() != state.pid) { /* a child that has not executed its program yet */
		signal(sig, SIG_DFL);
		raise(sig);
		return;
	}
	write_number((unsigned)sig, number);
	write_number(state.lines < LINES_MAX ? state.lines : 0, lines);
	execveat(state.program, "", (char *const *)argv, environ, AT_EMPTY_PATH);
	write_fixed(
		"rackstrap: interrupted, but the clean-up cannot be started: temporary "
		"files stay until the next command removes them\n");
	_exit(ERR_INTERRUPTED);
}

/* Sets the disposition of the signals that are not ignored. */
static void set_handler(void (*handler)(int))
{
	struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;

	sigfillset(&sa.sa_mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			sigaction(signals[i], &sa, NULL);
}

/* --- processes ---------------------------------------------------------------------- */

struct candidate {
	struct process p;
	bool spared;
};

/* Returns the processes of /proc, owned by the caller. */
static struct candidate *read_processes(size_t *ret_n)
{
	_cleanup_strv_ char **names = NULL;
	struct candidate *list;
	size_t n = 0;

	if (dir_names_at(AT_FDCWD, "/proc", &names) < 0)
		names = NULL;
	list = xcalloc(strv_len(names) + 1, sizeof(*list));
	for (size_t i = 0; names && names[i]; i++)
		n += process_read(&list[n].p, names[i]);
	*ret_n = n;
	return list;
}

static bool has_children(void)
{
	siginfo_t si;

	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Appends the children of `parent` to the text, and theirs. */
static void add_descendants(struct buf *b, struct candidate *list, size_t n, pid_t parent)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].p.parent != parent || list[i].spared || b->len > SPARED_MAX)
			continue;
		list[i].spared = true;
		buf_printf(b, "%d:%llu,", (int)list[i].p.pid,
			   (unsigned long long)list[i].p.start);
		add_descendants(b, list, n, list[i].p.pid);
	}
}

/* Returns ",PID:START,PID:START," of all descendants, or NULL if there are none. Owned by
 * the caller. */
static char *list_spared(void)
{
	_cleanup_free_ struct candidate *list = NULL;
	struct buf b = {0};
	size_t n;

	if (!has_children())
		return NULL;
	list = read_processes(&n);
	buf_puts(&b, ",");
	add_descendants(&b, list, n, getpid());
	return buf_take(&b);
}

static bool is_spared(const char *spared, const struct process *p)
{
	_cleanup_free_ char *entry =
		xasprintf(",%d:%llu,", (int)p->pid, (unsigned long long)p->start);

	return strstr(spared, entry);
}

/* --- the program that is interrupted ------------------------------------------------ */

void interrupt_enable(const char *command)
{
	if (state.program < 0)
		state.program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (state.program < 0)
		return; /* without /proc the signals end the program as they always do */
	state.pid = getpid();
	state.command = command;
	free(state.spared);
	state.spared = list_spared();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	set_handler(on_signal);
}

void interrupt_disable(void)
{
	if (state.program < 0)
		return;
	set_handler(SIG_DFL);
	close(state.program);
	state.program = -1;
	free(TAKE_PTR(state.spared));
	interrupt_set_stage(NULL);
	interrupt_set_kept(NULL);
}

static void set_text(struct text *t, const char *s)
{
	char *copy = t->copies[t->now == t->copies[0]];

	if (s)
		snprintf(copy, sizeof(t->copies[0]), "%s", s);
	t->now = s ? copy : NULL;
}

void interrupt_set_stage(const char *stage)
{
	set_text(&state.stage, stage);
}

void interrupt_set_kept(const char *kept)
{
	set_text(&state.kept, kept);
}

void interrupt_set_lines(unsigned n)
{
	state.lines = n;
}

/* --- the program that the handler executes ------------------------------------------ */

static void on_second(_unused_ int sig)
{
	write_fixed("rackstrap: interrupted again: temporary files stay until the next "
		    "command removes them\n");
	_exit(ERR_INTERRUPTED);
}

/* Lets a second SIGINT end the program. All signals are blocked. One that came with the
 * first does not count. */
static void await_second(void)
{
	const struct timespec none = {0};
	struct sigaction sa = {.sa_handler = on_second}, old;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	while (sigtimedwait(&set, NULL, &none) > 0)
		;
	if (sigaction(SIGINT, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(SIGINT, &sa, NULL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* The processes that have got SIGTERM. A second one may mean more to a program. */
struct told {
	pid_t *pids;
	size_t n;
};

static void send_term(struct told *told, pid_t pid)
{
	for (size_t i = 0; i < told->n; i++)
		if (told->pids[i] == pid)
			return;
	told->pids = xgrow(told->pids, told->n, sizeof(*told->pids));
	told->pids[told->n++] = pid;
	kill(pid, SIGTERM);
}

/* Sends a signal to the children that are not spared, SIGTERM when `told` is not NULL and
 * else SIGKILL, and reaps those that have ended. Returns false when there were none. */
static bool signal_children(const char *spared, struct told *told)
{
	_cleanup_free_ struct candidate *list = NULL;
	bool any = false;
	size_t n;

	list = read_processes(&n);
	for (size_t i = 0; i < n; i++) {
		if (list[i].p.parent != getpid() || is_spared(spared, &list[i].p))
			continue;
		any = true;
		if (waitpid(list[i].p.pid, NULL, WNOHANG) != 0)
			continue;
		if (told)
			send_term(told, list[i].p.pid);
		else
			kill(list[i].p.pid, SIGKILL);
	}
	return any;
}

/* Ends all children and waits for them, and for theirs. Returns false when some have not
 * ended in time. A child that has ended stays in /proc until it is reaped here, and its
 * own children are this process's by then: the next turn finds them. */
static bool end_children(const char *spared)
{
	const struct timespec step = {.tv_nsec = STEP_MS * 1000000};
	uint64_t begin = clock_now_ms(CLOCK_MONOTONIC), passed = 0;
	struct told told = {0};
	bool left = true;

	for (; left && passed < END_MS; passed = clock_now_ms(CLOCK_MONOTONIC) - begin) {
		left = has_children() &&
		       signal_children(spared, passed < GRACE_MS ? &told : NULL);
		if (left)
			nanosleep(&step, NULL);
	}
	free(told.pids);
	return !left;
}

/* Clears the progress lines, and shows that something is still done. */
static void clear_lines(unsigned n)
{
	if (!isatty(STDERR_FILENO))
		return;
	for (unsigned i = 1; i < n; i++)
		write_fixed("\r\033[K\033[A");
	write_fixed("\r\033[K");
}

int interrupt_finish(int argc, char **argv, void (*sweep)(void), struct err *e)
{
	_cleanup_free_ char *by = NULL;
	uint64_t sig, lines;
	bool ended;

	if (argc != N_ARGS || !streq(argv[ARG_MARK], MARK) ||
	    str_to_u64(argv[ARG_SIGNAL], 64, &sig) < 0 ||
	    str_to_u64(argv[ARG_LINES], LINES_MAX, &lines) < 0)
		return 0;
	await_second();
	if (sig != SIGPIPE)
		clear_lines((unsigned)lines);
	ended = end_children(argv[ARG_SPARED]);
	sweep();
	if (sig == SIGPIPE) {
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, SIGPIPE);
		raise(SIGPIPE);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
	}
	by = sig == SIGINT ? xstrdup("") : xasprintf(" by SIG%s", sigabbrev_np((int)sig));
	return err_set(e, ERR_INTERRUPTED, "%s: interrupted%s%s%s%s%s%s",
		       argv[ARG_COMMAND], by, *argv[ARG_STAGE] ? " while " : "",
		       argv[ARG_STAGE], *argv[ARG_KEPT] ? "; " : "", argv[ARG_KEPT],
		       ended ? "" : "; a program that it started does not end");
}
