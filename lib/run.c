/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses fork and execve. All memory is allocated before the fork: between fork and execve
 * only async-signal-safe functions are called, so that other threads cannot interfere.
 *
 * A pipe that execve closes reports to the parent whether the program runs: it is closed
 * empty, or the child writes the failure to it. The child also polls that pipe to detect
 * that its parent died before PR_SET_PDEATHSIG was set; getppid() cannot be compared,
 * because it is 0 after unshare(CLONE_NEWPID).
 *
 * Standard error is written to a memfd unless the caller gives a descriptor, so that the
 * parent need not read while the child runs. The data of run_input is passed in a memfd
 * too.
 *
 * Works on kernels without close_range (before 5.9): firstboot runs on 3.19.
 */
#include "lib/run.h"

#include "lib/file.h"
#include "lib/log.h"
#include "lib/run-wait.h"
#include "lib/str.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define CAPTURE_MAX    (16U << 20)
#define STATUS_FD      3
#define FIRST_SPARE_FD 10
#define DEFAULT_PATH   "/usr/local/bin:/usr/bin:/bin"
#define SBIN_PATH      "/usr/local/sbin:/usr/sbin:/sbin"

/* The step at which a start failed and its errno, written to the status pipe. */
struct failure {
	enum stage { STAGE_FDS, STAGE_ENTER, STAGE_CWD, STAGE_EXEC } stage;
	int errnum;
};

/* Everything that the child needs. */
struct start {
	const struct run *run;
	const char *path;
	const char **envp;
	int in, out, err;
	int status; /* the writing end of the status pipe */
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* --- finding ------------------------------------------------------------------- */

static int is_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		return -EACCES;
	return 0;
}

/* Looks `name` up in `folders` ("a:b"). Returns 0, -ENOENT, or -EACCES when there is only
 * a file that cannot be executed. */
static int search(const char *name, const char *folders, char **ret)
{
	_cleanup_strv_ char **dirs = strv_split(folders, ":");
	int found = -ENOENT;

	for (size_t i = 0; dirs && dirs[i]; i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", dirs[i], name);
		int r = is_program(path);

		if (r == 0) {
			*ret = TAKE_PTR(path);
			return 0;
		}
		if (r == -EACCES)
			found = r;
	}
	return found;
}

static int find(const char *name, char **ret)
{
	const char *folders = getenv("PATH");
	int r;

	if (!*name)
		return -ENOENT;
	if (strchr(name, '/')) {
		*ret = xstrdup(name); /* execve reports whether it exists */
		return 0;
	}
	r = search(name, folders ? folders : DEFAULT_PATH, ret);
	return r == -ENOENT ? search(name, SBIN_PATH, ret) : r;
}

char *run_find(const char *name)
{
	_cleanup_free_ char *path = NULL;

	return find(name, &path) == 0 && is_program(path) == 0 ? TAKE_PTR(path) : NULL;
}

bool run_have(const char *name)
{
	_cleanup_free_ char *path = run_find(name);

	return path;
}

/* --- the child's side ------------------------------------------------------------ */

static void default_signals(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};

	/* Fails for SIGKILL, SIGSTOP and the two signals that libc uses, as expected. */
	for (int sig = 1; sig < NSIG; sig++)
		sigaction(sig, &sa, NULL);
}

static void close_from(unsigned first)
{
	struct rlimit limit;
	unsigned end = 1024;

	if (close_range(first, ~0U, 0) == 0)
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 1 << 20)
		end = (unsigned)limit.rlim_cur;
	for (unsigned fd = first; fd < end; fd++)
		close((int)fd);
}

/*
 * Moves the descriptors to 0, 1, 2 and STATUS_FD and closes all others. They may have any
 * of these numbers already, so they are duplicated to high numbers first. Returns 0 or
 * -errno.
 */
static int place_fds(struct start *p)
{
	int from[] = {p->in, p->out, p->err, p->status};

	for (int i = 0; i < 4; i++) {
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, FIRST_SPARE_FD);
		if (from[i] < 0)
			return -errno;
	}
	p->status = from[STATUS_FD]; /* for the report when the next steps fail */
	for (int i = 0; i < 4; i++)
		if (dup3(from[i], i, i == STATUS_FD ? O_CLOEXEC : 0) < 0)
			return -errno;
	p->status = STATUS_FD;
	close_from(STATUS_FD + 1);
	return 0;
}

/* Returns true when the reading end of the status pipe is closed. */
static bool parent_died(int status)
{
	struct pollfd pfd = {.fd = status, .events = POLLOUT};

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLERR);
}

static int limit_files(uint64_t max)
{
	struct rlimit limit;

	if (max == 0)
		return 0;
	if (getrlimit(RLIMIT_FSIZE, &limit) < 0)
		return -errno;
	if (limit.rlim_cur != RLIM_INFINITY && limit.rlim_cur <= max)
		return 0;
	limit.rlim_cur = max;
	return setrlimit(RLIMIT_FSIZE, &limit) < 0 ? -errno : 0;
}

/* Raises the soft limit of open files; only root may raise the hard one. */
static void raise_nofile(rlim_t want)
{
	struct rlimit limit, high;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	high = (struct rlimit){.rlim_cur = want,
			       .rlim_max = limit.rlim_max < want ? want : limit.rlim_max};
	if (setrlimit(RLIMIT_NOFILE, &high) == 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* Prepares the child and calls execve. Returns only on failure. */
static struct failure child_setup(struct start *p)
{
	sigset_t none;
	int r;

	default_signals();
	r = p->run->user ? run_become(p->run->user) : 0;
	if (r < 0)
		return (struct failure){STAGE_ENTER, -r};
	/* run_become() clears it. */
	if (!p->run->detach && prctl(PR_SET_PDEATHSIG, SIGTERM) == 0 &&
	    parent_died(p->status))
		_exit(127);
	r = p->run->enter ? p->run->enter(p->run->enter_arg) : 0;
	if (r < 0)
		return (struct failure){STAGE_ENTER, -r};
	r = place_fds(p);
	if (r == 0)
		r = limit_files(p->run->file_max);
	if (r < 0)
		return (struct failure){STAGE_FDS, -r};
	if (p->run->cwd && chdir(p->run->cwd) < 0)
		return (struct failure){STAGE_CWD, errno};
	if (p->run->nofile)
		raise_nofile(p->run->nofile);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(p->path, (char *const *)p->run->argv, (char *const *)p->envp);
	return (struct failure){STAGE_EXEC, errno};
}

static _noreturn_ void child_main(struct start *p)
{
	struct failure f = child_setup(p);
	ssize_t n = write(p->status, &f, sizeof(f));

	(void)n; /* without a reader the failure cannot be reported */
	_exit(127);
}

/* --- starting -------------------------------------------------------------------- */

static bool same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strcspn(b, "=") == n && strncmp(a, b, n) == 0;
}

/* Returns the environment with the entries of `add`, which replace those of the same
 * name. The caller owns the array but not the strings. */
static const char **make_env(const char *const *add, bool only)
{
	size_t n = only ? 0 : strv_len(environ), m = strv_len((char *const *)add),
	       len = 0;
	const char **env = xcalloc(n + m + 1, sizeof(*env));

	for (size_t i = 0; i < n + m; i++) {
		const char *s = i < n ? environ[i] : add[i - n];
		size_t at = 0;

		while (at < len && !same_name(env[at], s))
			at++;
		env[at] = s;
		if (at == len)
			len++;
	}
	return env;
}

static int start_error(const struct run *r, const struct failure *f, struct err *e)
{
	const char *name = r->argv[0];

	if (f->stage == STAGE_CWD)
		return err_errno(e, f->errnum, "%s: cannot start in %s", name, r->cwd);
	if (f->stage == STAGE_FDS || f->stage == STAGE_ENTER)
		return err_errno(e, f->errnum, "%s: cannot start", name);
	switch (f->errnum) {
	case ENOENT:
		/* execve also returns ENOENT when the interpreter is missing. */
		if (strchr(name, '/') && access(name, F_OK) < 0)
			return err_set(e, ERR_FAILED, "%s: not found", name);
		return err_set(e, ERR_FAILED,
			       "%s: cannot be run: its interpreter is not found", name);
	case EACCES:
		return err_set(e, ERR_FAILED, "%s: not executable", name);
	case ENOEXEC:
		return err_set(e, ERR_FAILED, "%s: not a program for this machine", name);
	default:
		return err_errno(e, f->errnum, "%s: cannot be run", name);
	}
}

static int find_error(const char *name, int r, struct err *e)
{
	if (r == -EACCES)
		return err_set(e, ERR_UNABLE, "%s: in PATH, but not executable", name);
	return err_set(e, ERR_UNABLE, "%s: not found in PATH", name);
}

/* Duplicates a descriptor to a number above 2 if needed and closes the old one: 0 means
 * "none" in struct run, and this program may have been started with 0, 1 or 2 closed.
 * Returns the descriptor or -errno. */
static int off_stdio(int fd)
{
	int high;

	if (fd < 0 || fd > STDERR_FILENO)
		return fd < 0 ? -errno : fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (high < 0)
		high = -errno;
	close(fd);
	return high;
}

static int make_memfd(const char *name)
{
	return off_stdio(memfd_create(name, MFD_CLOEXEC));
}

static int make_pipe(int *ret_reader, int *ret_writer)
{
	_cleanup_close_ int reader = -1, writer = -1;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	reader = off_stdio(ends[0]);
	writer = off_stdio(ends[1]);
	if (reader < 0 || writer < 0)
		return reader < 0 ? reader : writer;
	*ret_reader = TAKE_FD(reader);
	*ret_writer = TAKE_FD(writer);
	return 0;
}

/* Forks with all signals blocked, so that no signal handler of this program runs in the
 * child. */
static pid_t spawn(struct start *p, int status_reader)
{
	sigset_t all, old;
	pid_t pid;
	int saved;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = fork();
	if (pid == 0) {
		close(status_reader); /* parent_died needs it closed here */
		child_main(p);
	}
	saved = errno;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = saved;
	return pid;
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Forks the child. Returns 1 when the program runs, 0 with *f set when it could not be
 * started, or -errno. */
static int launch(struct start *p, pid_t *ret, struct failure *f)
{
	_cleanup_close_ int reader = -1, writer = -1;
	ssize_t n;
	pid_t pid;
	int r = make_pipe(&reader, &writer);

	if (r < 0)
		return r;
	p->status = writer;
	pid = spawn(p, reader);
	if (pid < 0)
		return -errno;
	close(TAKE_FD(writer));
	do
		n = read(reader, f, sizeof(*f));
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(*f)) {
		reap(pid);
		return 0;
	}
	*ret = pid;
	return 1;
}

static void log_command(const struct run *r)
{
	_cleanup_free_ char *line = NULL;

	if (log_get_level() < LOG_LEVEL_DEBUG)
		return;
	line = strv_join((char *const *)r->argv, " ");
	log_debug("runs: %s", line);
}

int run_start(const struct run *r, struct child *ret, struct err *e)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ const char **envp = NULL;
	_cleanup_close_ int null = -1, errfd = -1;
	struct start p = {.run = r};
	struct failure f;
	pid_t pid = 0;
	int n;

	*ret = (struct child){.errfd = -1};
	n = find(r->argv[0], &path);
	if (n < 0)
		return find_error(r->argv[0], n, e);
	null = open("/dev/null", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (null < 0)
		return err_errno(e, errno, "/dev/null");
	if (!r->stdio && r->err <= 0) {
		errfd = make_memfd("stderr");
		if (errfd < 0)
			return err_errno(e, errfd, "%s: cannot start", r->argv[0]);
	}
	p.path = path;
	p.envp = envp = make_env(r->env, r->only_env);
	p.in = r->in > 0 ? r->in : null;
	p.err = r->err > 0 ? r->err : errfd;
	p.out = r->out > 0 ? r->out : p.err;
	if (r->stdio) {
		p.in = STDIN_FILENO;
		p.out = STDOUT_FILENO;
		p.err = STDERR_FILENO;
	}

	log_command(r);
	n = launch(&p, &pid, &f);
	if (n < 0)
		return err_errno(e, n, "%s: cannot start", r->argv[0]);
	if (n == 0)
		return start_error(r, &f, e);
	*ret = (struct child){
		.pid = pid,
		.name = base_name(r->argv[0]),
		.errfd = TAKE_FD(errfd),
		.timeout_ms = r->timeout_ms,
		.file_max = r->file_max,
		.deadline = r->timeout_ms > 0 ? run_now_ms() + r->timeout_ms : 0,
	};
	return 0;
}

/* --- all in one ------------------------------------------------------------------ */

int run(const struct run *r, struct err *e)
{
	_cleanup_child_ struct child c = {.errfd = -1};

	if (run_start(r, &c, e) < 0)
		return -1;
	return run_wait(&c, e);
}

int run_argv(const char *const *argv, struct err *e)
{
	return run(&(struct run){.argv = argv}, e);
}

/* Reads `fd`, the child's output, to its end. Returns 0, -ETIMEDOUT, -EFBIG or another
 * -errno. */
static int drain(struct child *c, int fd, size_t max, struct buf *b)
{
	char chunk[16 * 1024];

	for (;;) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		int ready = poll(&pfd, 1, run_trim_ms(c, c->deadline));
		ssize_t n;

		run_trim(c);
		if (ready == 0 && run_remaining_ms(c->deadline) == 0)
			return -ETIMEDOUT;
		if (ready == 0)
			continue;
		n = ready < 0 ? -1 : read(fd, chunk, sizeof(chunk));
		if (n == 0)
			return 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (b->len + (size_t)n > max)
			return -EFBIG;
		buf_add(b, chunk, (size_t)n);
	}
}

int run_capture(const struct run *r, char **ret, size_t *ret_len, struct err *e)
{
	_cleanup_child_ struct child c = {.errfd = -1};
	_cleanup_close_ int reader = -1, writer = -1;
	_cleanup_buf_ struct buf out = {0};
	struct run piped = *r;
	size_t len, max = r->output_max ? r->output_max : CAPTURE_MAX;
	int n = make_pipe(&reader, &writer);

	if (n < 0)
		return err_errno(e, n, "%s: cannot start", r->argv[0]);
	piped.out = writer;
	if (run_start(&piped, &c, e) < 0)
		return -1;
	close(TAKE_FD(writer));

	n = drain(&c, reader, max, &out);
	if (n == -ETIMEDOUT)
		return run_timed_out(&c, e);
	if (n == -EFBIG)
		return err_set(e, ERR_FAILED, "%s: more than %zu MiB of output", c.name,
			       max >> 20);
	if (n < 0)
		return err_errno(e, n, "%s: cannot read its output", c.name);
	if (run_wait(&c, e) < 0)
		return -1;
	len = out.len;
	*ret = buf_take(&out);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int run_input(const char *const *argv, const void *data, size_t len, struct err *e)
{
	_cleanup_close_ int fd = make_memfd("stdin");
	int r = fd;

	if (r >= 0)
		r = write_all(fd, data, len);
	if (r >= 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r < 0)
		return err_errno(e, r, "%s: cannot store its input", argv[0]);
	return run(&(struct run){.argv = argv, .in = fd}, e);
}
