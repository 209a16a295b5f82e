/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The work inside the container calico-node: one process, PID 1, does what rc.local,
 * runit, confd and BIRD do in the original. BIRD itself is the host's (package bird), run
 * below the host's root directory, which the container sees as /proc_host/1/root.
 *
 * Starts like the original: /etc/rc.local makes the first rendering, by `confd -onetime`.
 * When that fails, my_init ends the container with status 1 (projectcalico/calicoctl
 * issue 18); Docker 1.7 does not start it again, because it does not know the restart
 * policy "Always". Later confd renders when etcd changes; when that fails it logs the
 * error and BIRD keeps its configuration. BIRD reads a changed file at SIGHUP, unchecked.
 * When BIRD ends it is started again after a second. Its options are those of
 * etc/service/bird/run. With -R, BIRD waits for the routes of all its peers before it
 * changes the kernel's routes or announces any: up to 240 s when a peer is down.
 *
 * Sources: etc/rc.local at 4dfacbf0, etc/service/bird/run at 05a09095, image/my_init at
 * 25f22e0c of projectcalico/calico. It is inferred that rc.local of 0.4.8 is like this
 * one and does not yet end in "|| true" as later ones do.
 *
 * Differs from the original: it polls etcd every second instead of watching it; no bird6,
 * no felix.
 */
#include "lib/file.h"
#include "lib/str.h"
#include "test/standin/common/calico-bird.h"
#include "test/standin/common/etcd.h"
#include "test/standin/common/standin.h"

#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define PROC_HOST  "/proc_host"
#define BIRD       "/usr/sbin/bird"
#define POLL_MS    1000
#define RESTART_MS 1000
#define STOP_MS    3000

struct service {
	struct calico *c;
	const char *host, *ip; /* HOSTNAME and IP, as calicoctl gave them */
	char *root;            /* path of the host's root in this container */
	char *seen;            /* etcd's keys at the last rendering, or NULL */
	char *complaint;       /* error of the last rendering, or NULL */
	pid_t bird;            /* 0: none */
	uint64_t bird_after;   /* BIRD is not started before this time (clock_ms) */
};

/* Logs as confd 0.9.0 does. */
static void log_confd(const struct service *s, const char *level, const char *fmt, ...)
	_printf_(3, 4);

static void log_confd(const struct service *s, const char *level, const char *fmt, ...)
{
	char now[TIME_LEN];
	va_list ap;

	printf("%s %s /confd[%d]: %s ", now_rfc3339(now), s->host, (int)getpid(), level);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* --- BIRD ---------------------------------------------------------------------- */

static void bird_start(struct service *s)
{
	static char *const argv[] = {(char *)"bird",
				     (char *)"-R",
				     (char *)"-s",
				     (char *)CALICO_BIRD_SOCKET,
				     (char *)"-d",
				     (char *)"-c",
				     (char *)CALICO_BIRD_CFG,
				     NULL};
	sigset_t none;
	pid_t pid = fork();

	if (pid < 0) {
		log_confd(s, "ERROR", "fork: %s", strerror(errno));
		s->bird_after = clock_ms() + RESTART_MS;
		return;
	}
	if (pid > 0) {
		s->bird = pid;
		return;
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (chroot(s->root) == 0 && chdir("/") == 0)
		execv(BIRD, argv);
	fprintf(stderr, BIRD ": %s\n", strerror(errno));
	_exit(127);
}

/* Reaps every child that ended; PID 1 also inherits orphans. */
static void reap(struct service *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != s->bird)
			continue;
		s->bird = 0;
		s->bird_after = clock_ms() + RESTART_MS;
		if (WIFSIGNALED(status))
			printf("calico-node: BIRD was killed by signal %d\n",
			       WTERMSIG(status));
		else
			printf("calico-node: BIRD exited with %d\n", WEXITSTATUS(status));
		fflush(stdout);
	}
}

static void bird_stop(struct service *s)
{
	uint64_t end = clock_ms() + STOP_MS;

	if (s->bird)
		kill(s->bird, SIGTERM);
	while (s->bird && clock_ms() < end) {
		reap(s);
		pause_ms(10);
	}
	if (s->bird && kill(s->bird, SIGKILL) == 0)
		waitpid(s->bird, NULL, 0);
}

/* --- confd --------------------------------------------------------------------- */

/* Writes bird.cfg when its content differs, and then sends SIGHUP to BIRD. */
static int write_config(const struct service *s, const char *text, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s" CALICO_BIRD_CFG, s->root);
	int r = file_update_at(AT_FDCWD, path, text, strlen(text), 0644);

	if (r < 0)
		return err_errno(e, r, "%s", path);
	if (r == 0)
		return 0;
	log_confd(s, "INFO", "Target config " CALICO_BIRD_CFG " has been updated");
	if (s->bird)
		kill(s->bird, SIGHUP);
	return 0;
}

/* Renders bird.cfg when a key changed since the last rendering. */
static int render_changes(struct service *s, struct err *e)
{
	_cleanup_json_t_ json_t *tree = NULL;
	_cleanup_free_ char *keys = NULL, *text = NULL;
	int r = etcd_get(&s->c->etcd, "/calico/v1", &tree, e);

	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_FAILED, "100: Key not found (/calico)");
	keys = json_dumps(tree, JSON_COMPACT | JSON_SORT_KEYS);
	if (s->seen && streq(keys, s->seen))
		return 0;
	free(s->seen);
	s->seen = TAKE_PTR(keys);
	free(s->complaint);
	s->complaint = NULL;
	if (calico_bird_render(tree, s->host, s->ip, &text, e) < 0)
		return -1;
	return write_config(s, text, e);
}

/* Renders and logs failures. A repeated error is logged once until a key changes. */
static int confd(struct service *s)
{
	struct err e;

	if (render_changes(s, &e) == 0)
		return 0;
	if (!s->complaint || !streq(s->complaint, e.msg))
		log_confd(s, "ERROR", "%s", e.msg);
	free(s->complaint);
	s->complaint = xstrdup(e.msg);
	return -1;
}

/* --- the container ------------------------------------------------------------- */

static int serve(struct service *s, const sigset_t *set, struct err *e)
{
	_cleanup_free_ char *dir = xasprintf("%s" CALICO_RUN_DIR, s->root);
	_cleanup_free_ char *cfg = xasprintf("%s" CALICO_BIRD_CFG, s->root);
	const struct timespec wait = {.tv_sec = POLL_MS / 1000};
	int r = mkdir_p_at(AT_FDCWD, dir, 0755);

	if (r == 0)
		r = file_remove_at(AT_FDCWD, cfg); /* left by an earlier container */
	if (r < 0)
		return err_errno(e, r, "%s", dir);
	if (confd(s) < 0)
		return err_set(e, ERR_FAILED, "*** /etc/rc.local failed with status 1");
	puts("calico-node: etcd answers; running the host's BIRD");
	fflush(stdout);
	for (;;) {
		if (!s->bird && clock_ms() >= s->bird_after)
			bird_start(s);
		r = sigtimedwait(set, NULL, &wait);
		if (r == SIGTERM || r == SIGINT)
			break;
		reap(s);
		if (r != SIGCHLD)
			confd(s);
	}
	bird_stop(s);
	return 0;
}

static int sleep_until_stopped(const sigset_t *set)
{
	int r;

	puts("calico-node: etcd answers; waiting to be stopped");
	fflush(stdout);
	do
		r = sigwaitinfo(set, NULL);
	while (r != SIGTERM && r != SIGINT);
	return 0;
}

int calico_service(struct calico *c, struct err *e)
{
	const char *proc = getenv("RACKSTRAP_STANDIN_PROC_HOST");
	const char *host = getenv("HOSTNAME"), *ip = getenv("IP");
	struct service s = {.c = c, .host = host ? host : "", .ip = ip ? ip : ""};
	_cleanup_free_ char *bird = NULL;
	sigset_t set;
	int r;

	if (!proc)
		proc = PROC_HOST;
	s.root = xasprintf("%s/1/root", proc);
	bird = xasprintf("%s" BIRD, s.root);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL); /* PID 1 has no default actions */
	if (access(bird, X_OK) == 0) {
		r = serve(&s, &set, e);
	} else {
		if (access(proc, F_OK) == 0)
			puts("calico-node: the host has no " BIRD ": no BGP");
		r = sleep_until_stopped(&set);
	}
	free(s.root);
	free(s.seen);
	free(s.complaint);
	return r;
}
