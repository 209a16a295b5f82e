/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that can be wrong with the new tree is found before a server hears of it:
 * its description, the address of the boot server, ports that change, the access of the
 * servers' user, and the syntax of both configurations. nginx comes first: when it does
 * not take its configuration, it goes on with the old one.
 *
 * A machine that loads a file by TFTP while dnsmasq is started again must boot again. The
 * workers of nginx finish what they send.
 */
#include "pxe/serve.h"

#include "lib/dir.h"
#include "lib/log.h"
#include "lib/process.h"
#include "pxe/serve-check.h"
#include "pxe/serve-parts.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#define RELOAD_MS   60000
#define STEP_MS     20
#define MESSAGE_MAX (64 * 1024) /* of what nginx logs while it reloads */

/* Makes both servers test the configurations of the tree. */
static int test_confs(const struct serve *s, struct err *e)
{
	char **argv = serve_nginx_argv(s);
	int r;

	strv_add(&argv, "-t");
	r = run_argv((const char *const *)argv, e);
	strv_free(argv);
	if (r < 0)
		return -1;
	return serve_dhcp_test(s, e);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && streq(a, b));
}

/* Gives the servers' user to the new state, which was opened with the new tree's. */
static void keep_user(const struct serve *s, struct serve *new)
{
	if (!same_text(s->user, new->user))
		log_warn("%s: its servers would run as user %s now; they remain user %s "
			 "until `rackstrap serve` is started again",
			 s->dir, new->user ? new->user : "root",
			 s->user ? s->user : "root");
	free(new->user);
	free(new->group);
	new->user = xstrdup(s->user);
	new->group = xstrdup(s->group);
	new->uid = s->uid;
	new->gid = s->gid;
}

static int check(const struct serve *new, const struct serve *running, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};

	if (serve_check_address(new, &d) < 0 || serve_check_ports(new, running, &d) < 0 ||
	    serve_check_access(new, &d) < 0)
		return diag_err(&d, e);
	serve_warn_image(new);
	if (serve_prepare(new, false, e) < 0)
		return -1;
	return test_confs(new, e);
}

/* Exchanges the descriptions of the trees. */
static void swap_info(struct serve *s, struct serve *new)
{
	struct tree_info info = s->info;

	s->info = new->info;
	new->info = info;
}

/* --- nginx ------------------------------------------------------------------------ */

/* Returns the ids of nginx's workers. Owned by the caller. */
static char **workers(const struct serve *s)
{
	_cleanup_strv_ char **names = NULL;
	struct strv_builder v = {0};

	if (dir_names_at(AT_FDCWD, "/proc", &names) < 0)
		return NULL;
	for (size_t i = 0; names && names[i]; i++) {
		struct process p;

		if (process_read(&p, names[i]) && p.parent == s->nginx.child.pid)
			strv_builder_add(&v, names[i]);
	}
	return v.v;
}

static bool has_new_worker(const struct serve *s, char *const *before)
{
	_cleanup_strv_ char **now = workers(s);

	for (size_t i = 0; now && now[i]; i++)
		if (!strv_has(before, now[i]))
			return true;
	return false;
}

/* Returns the line in nginx's log, from `offset`, with which it gives up a configuration,
 * or NULL. It tries to bind a port several times. Owned by the caller. */
static char *find_refusal(const struct serve *s, off_t offset)
{
	_cleanup_free_ char *text = xcalloc(1, MESSAGE_MAX + 1);
	_cleanup_strv_ char **lines = NULL;

	if (pread(s->nginx.child.errfd, text, MESSAGE_MAX, offset) <= 0)
		return NULL;
	lines = strv_split(text, "\n");
	for (size_t i = 0; lines && lines[i]; i++)
		if (strstr(lines[i], "[emerg]") && !strstr(lines[i], " bind() to "))
			return xstrdup(lines[i]);
	return NULL;
}

/* Waits for workers that are not in `before`: nginx starts them when it has taken the new
 * configuration and listens. */
static int await_workers(const struct serve *s, char *const *before, off_t offset,
			 struct err *e)
{
	for (unsigned ms = 0; ms < RELOAD_MS; ms += STEP_MS) {
		struct pollfd pfd = {.fd = s->nginx.pidfd, .events = POLLIN};
		_cleanup_free_ char *refusal = NULL;

		if (poll(&pfd, 1, STEP_MS) > 0)
			return err_set(e, ERR_FAILED, "nginx ended; its log is %s",
				       s->nginx.log);
		if (has_new_worker(s, before))
			return 0;
		refusal = find_refusal(s, offset);
		if (refusal)
			return err_set(e, ERR_FAILED,
				       "nginx keeps its old configuration: %s", refusal);
	}
	return err_set(
		e, ERR_FAILED,
		"nginx keeps its old configuration: it has no new workers after %d "
		"s; its log is %s",
		RELOAD_MS / 1000, s->nginx.log);
}

/* Makes nginx read its configuration again. Without a master process it cannot do that
 * while it runs. */
static int reload_nginx(struct serve *s, struct err *e)
{
	_cleanup_strv_ char **before = NULL;
	struct stat st;

	if (s->single_id_ns)
		return serve_restart_nginx(s, e);
	before = workers(s);
	if (fstat(s->nginx.child.errfd, &st) < 0 || kill(s->nginx.child.pid, SIGHUP) < 0)
		return err_errno(e, errno, "nginx");
	return await_workers(s, before, st.st_size, e);
}

/* --- both ------------------------------------------------------------------------- */

/* Makes both read the new tree, whose description is in `new`. */
static int reload_both(struct serve *s, struct serve *new, struct err *e)
{
	swap_info(s, new);
	if (reload_nginx(s, e) < 0) {
		if (!s->single_id_ns)
			swap_info(s, new);
		s->lost = s->nginx.pidfd < 0 ? "nginx" : NULL;
		return -1;
	}
	return serve_dhcp_reload(s, e);
}

int serve_reload(struct serve *s, const struct serve_options *o, struct err *e)
{
	struct serve new;
	int r;

	if (serve_open(&new, s->dir, o, e) < 0)
		return -1;
	keep_user(s, &new);
	r = check(&new, s, e);
	if (r == 0)
		r = reload_both(s, &new, e);
	serve_done(&new);
	return r;
}
