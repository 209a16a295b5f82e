/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that can be wrong with the new tree is found before a server hears of it:
 * its description, the address of the boot server, the access of the servers' user, and
 * the syntax of both configurations.
 *
 * A machine that loads a file by TFTP while dnsmasq is started again must boot again. The
 * workers of nginx finish what they send.
 */
#include "pxe/serve.h"

#include "lib/log.h"
#include "pxe/serve-check.h"
#include "pxe/serve-parts.h"

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
	argv = serve_dnsmasq_argv(s);
	strv_add(&argv, "--test");
	r = run_argv((const char *const *)argv, e);
	strv_free(argv);
	return r;
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

static int check(const struct serve *new, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};

	if (serve_check_address(new, &d) < 0 || serve_check_access(new, &d) < 0)
		return diag_err(&d, e);
	if (serve_prepare(new, false, e) < 0)
		return -1;
	return test_confs(new, e);
}

/* Exchanges the descriptions of the trees. */
static void take_info(struct serve *s, struct serve *new)
{
	struct tree_info info = s->info;

	s->info = new->info;
	new->info = info;
}

int serve_reload(struct serve *s, const struct serve_options *o, struct err *e)
{
	struct serve new;
	int r;

	if (serve_open(&new, s->dir, o, e) < 0)
		return -1;
	keep_user(s, &new);
	r = check(&new, e);
	if (r < 0) {
		serve_done(&new);
		return -1;
	}
	take_info(s, &new);
	serve_done(&new);
	if (serve_reload_nginx(s, e) < 0)
		return -1;
	return serve_dnsmasq_is_current(s) ? 0 : serve_restart_dnsmasq(s, e);
}
