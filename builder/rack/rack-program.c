/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_start() looks programs up in this process's own PATH, so ssh, scp and sftp are
 * looked up before: `--run ssh -- node-1 uptime` works.
 */
#include "builder/rack/rack-program.h"

#include "builder/rack/rack-ssh.h"
#include "lib/log.h"

#include <ctype.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#define GRACE_MS     5000
#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

/* Returns 0 when a path can be executed, or -errno. */
static int check_path(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return access(path, X_OK) < 0 ? -errno : 0;
}

int rack_program_check(char *const *argv, const char *dir, struct err *e)
{
	int r;

	if (strchr(dir, ':'))
		return err_set(e, ERR_USAGE,
			       "rack: --run: the rack's folder %s has a ':' in its name, "
			       "so that $PATH cannot contain it: name another with --dir",
			       dir);
	if (!strchr(argv[0], '/'))
		return run_have(argv[0])
			       ? 0
			       : err_set(e, ERR_USAGE,
					 "rack: --run: %s: not found in PATH", argv[0]);
	r = check_path(argv[0]);
	return r < 0 ? err_set(e, ERR_USAGE, "rack: --run: %s: %s", argv[0], strerror(-r))
		     : 0;
}

/* Adds the variable with a host's address. */
static void add_address(char ***env, const char *host, const char *address)
{
	_cleanup_free_ char *name = xstrdup(host);

	for (char *s = name; *s; s++)
		if (!isalnum((unsigned char)*s))
			*s = '_';
	strv_addf(env, "RACK_ADDRESS_%s=%s", name, address);
}

/* Adds the environment; `dir` is the rack's folder, absolute. */
static void make_environment(char ***env, const struct rack_run *r, const char *dir)
{
	const char *path = getenv("PATH");
	_cleanup_buf_ struct buf hosts = {0};

	for (size_t i = 0; i < r->n; i++) {
		char text[NET_ADDR_LEN];
		const char *name = r->machines[i].host->name, *address;

		buf_printf(&hosts, "%s%s", i > 0 ? " " : "", name);
		address = rack_ssh_address(&r->machines[i], text);
		if (address)
			add_address(env, name, address);
	}
	strv_addf(env, "RACK_HOSTS=%s", hosts.p);
	strv_addf(env, "RACK_DIR=%s", dir);
	strv_addf(env, "PATH=%s/" RACK_SSH_BIN ":%s", dir, path ? path : DEFAULT_PATH);
}

/* Returns the program, as it is found in the PATH that it gets. Owned by the caller. */
static char *find_program(const char *name, const char *dir)
{
	_cleanup_free_ char *path = xasprintf("%s/" RACK_SSH_BIN "/%s", dir, name);

	return !strchr(name, '/') && access(path, X_OK) == 0 ? TAKE_PTR(path)
							     : xstrdup(name);
}

static int start(struct rack_run *r, struct child *ret, struct err *e)
{
	_cleanup_free_ char *dir = realpath(r->dir, NULL);
	_cleanup_strv_ char **env = NULL, **argv = strv_dup((char *const *)r->program);
	struct run run = {.stdio = true};

	if (!dir)
		return err_errno(e, errno, "%s", r->dir);
	make_environment(&env, r, dir);
	free(argv[0]);
	argv[0] = find_program(r->program[0], dir);
	run.argv = (const char *const *)argv;
	run.env = (const char *const *)env;
	if (run_start(&run, ret, e) < 0)
		return err_wrap(e, "--run");
	ret->name = r->program[0]; /* argv is freed */
	r->program_fd = pidfd_open(ret->pid, 0);
	return r->program_fd < 0 ? err_errno(e, errno, "pidfd_open") : 0;
}

/* Waits for the program, which has ended. */
static int report_end(const char *name, struct child *c, struct err *e)
{
	int sig, status = run_wait_status(c, &sig);
	_cleanup_free_ char *text =
		sig ? xasprintf("--run: %s was killed by SIG%s", name, sigabbrev_np(sig))
		    : xasprintf("--run: %s exited with %d", name, status);

	if (status != 0)
		return err_set(e, (enum err_code)status, "%s", text);
	log_info("%s", text);
	return 0;
}

int rack_program_run(struct rack_run *r, struct err *e)
{
	_cleanup_child_ struct child c = {.errfd = -1};
	int ret;

	if (rack_ssh_write_config(r, e) < 0 || start(r, &c, e) < 0)
		return -1;
	ret = rack_watch(r, true, e);
	close_p(&r->program_fd);
	r->program_fd = -1;
	if (ret == 0)
		return report_end(r->program[0], &c, e);
	run_kill(&c, GRACE_MS);
	return ret < 0 ? -1
		       : err_set(e, ERR_INTERRUPTED, "interrupted while %s ran",
				 r->program[0]);
}
