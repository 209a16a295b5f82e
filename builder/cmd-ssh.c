/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap ssh: runs ssh in the network of a rack that `rackstrap rack` runs here, with
 * the key and configuration of that run. A configuration of ssh names programs to run, so
 * another user's rack is refused.
 */
#include "builder/commands.h"
#include "builder/rack/rack-folder.h"
#include "builder/rack/rack-ns.h"
#include "builder/rack/rack-ssh.h"
#include "lib/file.h"
#include "lib/run.h"
#include "pxe/status.h"

#include <sys/file.h>

/* Checks that a rack runs in the folder: it holds the lock. */
static int check_running(const char *dir, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/run/lock", dir);
	_cleanup_close_ int fd = file_open_foreign_at(AT_FDCWD, path);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(e, ERR_UNABLE,
			       "%s is not the folder of a rack (rackstrap rack --dir)",
			       dir);
	if (st.st_uid != geteuid())
		return err_set(e, ERR_UNABLE,
			       "%s: its rack belongs to another user (uid %u): run this "
			       "as that user",
			       dir, (unsigned)st.st_uid);
	if (flock(fd, LOCK_SH | LOCK_NB) == 0)
		return err_set(e, ERR_UNABLE,
			       "%s: no rack runs in it (rackstrap rack --keep keeps one "
			       "running)",
			       dir);
	return 0;
}

static int open_namespaces(const char *dir, struct ns_fds *ret, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/" RACK_PID_FILE, dir), *text = NULL;
	uint64_t pid = 0;
	int r = file_read_foreign_at(AT_FDCWD, path, 32, &text, NULL);

	if (r == 0) {
		text[strcspn(text, "\n")] = '\0';
		r = str_to_u64(text, INT32_MAX, &pid);
	}
	if (r == 0)
		r = ns_open((pid_t)pid, ret);
	if (r == 0)
		return 0;
	return err_set(e, ERR_UNABLE,
		       "%s: its namespaces cannot be opened (the rack starts or ends): "
		       "%s",
		       dir, file_strerror(r));
}

static int unknown_host(const struct tree_info *info, const char *name, struct err *e)
{
	_cleanup_free_ const char **names = xcalloc(info->n_hosts + 1, sizeof(*names));
	_cleanup_free_ char *hint = NULL;

	for (size_t i = 0; i < info->n_hosts; i++)
		names[i] = info->hosts[i].name;
	hint = str_hint(str_nearest_name(name, names));
	return err_set(e, ERR_USAGE, "rack '%s' has no host '%s'%s", info->name, name,
		       hint);
}

/* Sets *ret to the address of a host, from the tree or its report. Owned. */
static int find_address(const char *tree, const char *name, char **ret, struct err *e)
{
	_cleanup_tree_info_ struct tree_info info = {0};
	const struct tree_host *h = NULL;
	struct status_host s;
	uint32_t addr;

	if (tree_info_read(&info, tree, e) < 0)
		return -1;
	for (size_t i = 0; i < info.n_hosts; i++)
		if (streq(info.hosts[i].name, name))
			h = &info.hosts[i];
	if (!h)
		return unknown_host(&info, name, e);
	status_load_host(&s, tree, h, 0);
	/* A report is not trusted. */
	if (s.address && net_parse_addr(s.address, &addr) == 0)
		*ret = TAKE_PTR(s.address);
	status_host_done(&s);
	return *ret ? 0
		    : err_set(e, ERR_FAILED,
			      "host '%s' gets its address by DHCP and has not reported "
			      "it yet",
			      name);
}

/* Starts ssh in the namespaces and waits for it. Returns its exit status, or -1. */
static int run_ssh(const char *const *argv, const char *dir, struct ns_fds *ns,
		   struct err *e)
{
	_cleanup_free_ char *folder = xasprintf("RACK_DIR=%s", dir);
	const char *env[] = {folder, NULL};
	struct run r = {.argv = argv,
			.env = env,
			.stdio = true,
			.enter = ns_enter,
			.enter_arg = ns};
	struct child c;
	int sig;

	if (run_start(&r, &c, e) < 0)
		return -1;
	return run_wait_status(&c, &sig);
}

static int find_and_run(const char *dir, char *const *args, struct err *e)
{
	_cleanup_free_ char *tree = xasprintf("%s/tree", dir), *address = NULL;
	_cleanup_free_ char *config = xasprintf("%s/" RACK_SSH_CONFIG, dir);
	_cleanup_free_ char *hostname = NULL;
	_cleanup_strv_ char **argv = NULL;
	struct ns_fds ns = {.user = -1, .net = -1};
	int status;

	if (check_running(dir, e) < 0 || find_address(tree, args[0], &address, e) < 0 ||
	    open_namespaces(dir, &ns, e) < 0)
		return -1;
	hostname = xasprintf("HostName=%s", address);
	strv_add(&argv, "ssh");
	strv_add(&argv, "-F");
	strv_add(&argv, config);
	strv_add(&argv, "-o");
	strv_add(&argv, hostname);
	for (size_t i = 0; args[i]; i++) {
		if (i == 1 && !streq(args[i], "--"))
			strv_add(&argv, "--"); /* what follows are no options of ssh */
		strv_add(&argv, args[i]);
	}
	status = run_ssh((const char *const *)argv, dir, &ns, e);
	ns_done(&ns);
	if (status < 0)
		e->code = ERR_UNABLE;
	if (status > 0)
		return err_set(e, (enum err_code)status, "%s", ""); /* ssh has said why */
	return status;
}

static int run_ssh_command(const struct command_line *line, struct err *e)
{
	_cleanup_free_ char *dir = realpath(line->args[0], NULL);

	if (!dir)
		return err_set(e, ERR_UNABLE, "%s: %s", line->args[0], strerror(errno));
	return find_and_run(dir, line->args + 1, e);
}

const struct command command_ssh = {
	.name = "ssh",
	.synopsis = "DIR HOST [COMMAND [ARG]...]",
	.summary = "log in on a host of a running `rackstrap rack`",
	.operands = {{.name = "DIR",
		      .kind = ARG_DIR,
		      .help = "the folder of a rack that runs"},
		     {.name = "HOST", .help = "the name of one of its hosts"},
		     {.name = "COMMAND", .help = "the command to run there"}},
	.min_args = 2,
	.max_args = COMMAND_ANY,
	.options_first = true,
	.run = run_ssh_command,
};
