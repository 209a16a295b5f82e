/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Both servers run with the configurations in the tree. Settings that depend on the place
 * and the user (paths, user, foreground) are on their command lines, so the files can be
 * used without this program too.
 *
 * Each server's standard error is its log, from which run_wait() takes the last lines
 * when the server ends. dnsmasq listens when its log says that it started, nginx when it
 * accepts a connection.
 */
#include "pxe/serve.h"

#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"
#include "pxe/serve-check.h"
#include "pxe/serve-logs.h"
#include "pxe/serve-parts.h"

#include <arpa/inet.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define STOP_GRACE_MS 5000
#define START_MS      60000
#define START_STEP_MS 20
#define LOG_READ      (64 * 1024)
#define LOG_MAX       (8 << 20)
/* The connections of templates/nginx.conf and the files that are sent over them. */
#define NOFILE 81920

/* --- the servers' user ------------------------------------------------------------ */

/* Checks if this user namespace maps a single id or denies setgroups(2)
 * (user_namespaces(7)). */
static bool is_single_id_ns(void)
{
	_cleanup_free_ char *map = NULL, *setgroups = NULL;
	unsigned inside, outside, count;

	if (file_read_regular_at(AT_FDCWD, "/proc/self/setgroups", 64, &setgroups,
				 NULL) == 0 &&
	    str_after(setgroups, "deny"))
		return true;
	if (file_read_regular_at(AT_FDCWD, "/proc/self/uid_map", 4096, &map, NULL) < 0)
		return false;
	return sscanf(map, "%u %u %u", &inside, &outside, &count) == 3 && count == 1 &&
	       !strchr(map, '\n')[1];
}

static int use_user(struct serve *s, const struct passwd *pw, struct err *e)
{
	const struct group *gr = getgrgid(pw->pw_gid);

	if (!gr)
		return err_set(e, ERR_FAILED, "user '%s': its group %u has no name",
			       pw->pw_name, pw->pw_gid);
	s->user = xstrdup(pw->pw_name);
	s->group = xstrdup(gr->gr_name);
	s->uid = pw->pw_uid;
	s->gid = pw->pw_gid;
	return 0;
}

static int find_user(struct serve *s, const struct serve_options *o, struct err *e)
{
	const struct passwd *pw;
	struct stat st;

	s->uid = geteuid();
	s->gid = getegid();
	if (s->uid != 0) {
		if (o->user)
			return err_set(e, ERR_USAGE, "only root can serve as user '%s'",
				       o->user);
		return 0;
	}
	s->single_id_ns = is_single_id_ns();
	if (s->single_id_ns)
		return 0;
	if (stat(s->dir, &st) < 0)
		return err_errno(e, errno, "%s", s->dir);
	if (o->user)
		pw = getpwnam(o->user);
	else
		pw = st.st_uid ? getpwuid(st.st_uid) : getpwnam("nobody");
	if (!pw && o->user)
		return err_set(e, ERR_USAGE, "there is no user '%s'", o->user);
	if (!pw)
		return err_set(e, ERR_FAILED,
			       "the owner of %s is not a user of this machine: name the "
			       "user who serves with --user",
			       s->dir);
	return use_user(s, pw, e);
}

int serve_open(struct serve *ret, const char *dir, const struct serve_options *o,
	       struct err *e)
{
	*ret = (struct serve)SERVE_INIT;
	ret->log_max = LOG_MAX;
	if (tree_info_read(&ret->info, dir, e) < 0)
		return -1;
	ret->dir = realpath(dir, NULL);
	if (!ret->dir) {
		err_errno(e, errno, "%s", dir);
		goto failed;
	}
	/* Neither has a way to write it. nginx needs the path: when the tree is
	 * exchanged, "./" would still be the old one. */
	if (strpbrk(ret->dir, ",$")) {
		bool comma = strchr(ret->dir, ',') != NULL;

		err_set(e, ERR_FAILED,
			"%s: %s does not support a %s in a path: move the tree", ret->dir,
			comma ? "dnsmasq" : "nginx", comma ? "comma" : "dollar sign");
		goto failed;
	}
	if (find_user(ret, o, e) < 0)
		goto failed;
	ret->dnsmasq.log = xasprintf("%s/" TREE_DNSMASQ_LOG, ret->dir);
	ret->kea.log = xasprintf("%s/" TREE_KEA_LOG, ret->dir);
	ret->nginx.log = xasprintf("%s/run/nginx.log", ret->dir);
	return 0;
failed:
	serve_done(ret);
	return -1;
}

int serve_check(const struct serve *s, struct diag *d)
{
	int r = serve_check_programs(s, d);

	if (serve_check_address(s, d) < 0)
		r = -1;
	if (serve_check_ports(s, NULL, d) < 0)
		r = -1;
	if (serve_check_access(s, d) < 0)
		r = -1;
	if (r == 0)
		serve_warn_image(s);
	return r;
}

/* --- starting --------------------------------------------------------------------- */

/* Keeps secrets from others: a tree may have been copied without its modes. The folder of
 * the hosts' files is given to the servers' group. */
static int protect_secrets(const struct serve *s, int tree, struct err *e)
{
	static const char *const secrets[] = {TREE_SECRET, TREE_NGINX_CONF, TREE_HOSTS};

	for (size_t i = 0; i < ARRAY_SIZE(secrets); i++) {
		bool folder = streq(secrets[i], TREE_HOSTS);
		_cleanup_close_ int fd = folder ? dir_open_nofollow_at(tree, secrets[i])
						: file_open_foreign_at(tree, secrets[i]);
		int r = fd < 0 ? fd : 0;

		if (r == 0 && folder && s->user && fchown(fd, (uid_t)-1, s->gid) < 0)
			return err_errno(e, errno, "%s/%s", s->dir, secrets[i]);
		if (r == 0 && fchmod(fd, folder ? 0750 : 0600) < 0)
			r = -errno;
		/* Only a file's owner may change its mode: whoever serves another user's
		 * tree cannot. */
		if (r < 0 && r != -ENOENT && r != -EACCES && r != -EPERM)
			return err_set(e, ERR_FAILED, "%s/%s: %s", s->dir, secrets[i],
				       file_strerror(r));
	}
	return 0;
}

/*
 * Makes folders that a tree copied by hand may lack. Only the folder of reports is given
 * to the servers' user: the logs are opened by root, who must not open files in a folder
 * that another user can change. Before the first start nginx's temporary folders are
 * removed, because an earlier run may have made them as another user.
 */
int serve_prepare(const struct serve *s, bool first, struct err *e)
{
	static const char *const dirs[] = {"run", TREE_REPORTS};
	static const char *const temporary[] = {"run/body", "run/proxy", "run/fastcgi",
						"run/uwsgi", "run/scgi"};
	_cleanup_close_ int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int reports = -1;

	if (fd < 0)
		return err_errno(e, errno, "%s", s->dir);
	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdirat(fd, dirs[i], 0755) < 0 && errno != EEXIST)
			return err_errno(e, errno, "%s/%s", s->dir, dirs[i]);
	reports = dir_open_nofollow_at(fd, TREE_REPORTS);
	if (s->user && (reports < 0 || fchown(reports, s->uid, s->gid) < 0))
		return err_errno(e, reports < 0 ? reports : errno, "%s/" TREE_REPORTS,
				 s->dir);
	if (protect_secrets(s, fd, e) < 0)
		return -1;
	for (size_t i = 0; first && i < ARRAY_SIZE(temporary); i++) {
		int r = rm_rf_at(fd, temporary[i]);

		if (r < 0)
			return err_errno(e, r, "%s/%s", s->dir, temporary[i]);
	}
	return 0;
}

int serve_child_start(const struct serve *s, struct serve_child *c, char *const *argv,
		      char *const *env, const struct run_user *user, struct err *e)
{
	_cleanup_close_ int log = serve_log_open(c->log, e);
	struct run r = {.argv = (const char *const *)argv,
			.env = (const char *const *)env,
			.cwd = s->dir,
			.nofile = NOFILE,
			.user = user};

	if (log < 0)
		return -1;
	if (user && fchown(log, user->uid, user->gid) < 0)
		return err_errno(e, errno, "%s", c->log);
	r.out = r.err = log;
	if (run_start(&r, &c->child, e) < 0)
		return -1;
	c->child.errfd = TAKE_FD(log); /* run_wait() reads the last lines from it */
	c->pidfd = pidfd_open(c->child.pid, 0);
	if (c->pidfd < 0)
		return err_errno(e, errno, "%s: cannot watch the process", c->child.name);
	return 0;
}

char **serve_nginx_argv(const struct serve *s)
{
	char **argv = NULL;
	_cleanup_free_ char *prefix = xasprintf("%s/", s->dir);

	strv_add(&argv, "nginx");
	strv_add(&argv, "-p");
	strv_add(&argv, prefix);
	strv_add(&argv, "-e");
	strv_add(&argv, "stderr");
	strv_add(&argv, "-c");
	strv_add(&argv, "nginx.conf");
	strv_add(&argv, "-g");
	if (s->user)
		strv_addf(&argv, "daemon off; user %s %s;", s->user, s->group);
	else if (s->single_id_ns)
		strv_add(&argv, "daemon off; master_process off; user root root;");
	else
		strv_add(&argv, "daemon off;");
	return argv;
}

static int start_nginx(struct serve *s, struct err *e)
{
	_cleanup_strv_ char **argv = serve_nginx_argv(s);

	if (serve_child_start(s, &s->nginx, argv, NULL, NULL, e) < 0)
		return -1;
	s->nginx.child.name = "nginx";
	return 0;
}

static bool nginx_listens(const struct serve *s)
{
	_cleanup_close_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in sa = {
		.sin_family = AF_INET,
		.sin_port = htons(s->info.http_port),
		.sin_addr.s_addr = htonl(s->info.boot_server),
	};

	return fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;
}

/* Reports the end of a server, with its last lines. Returns -1. */
static int report_end(struct serve_child *c, struct err *e)
{
	const char *name = c->child.name;

	if (c->pidfd >= 0)
		close(TAKE_FD(c->pidfd));
	if (run_wait(&c->child, e) == 0)
		return err_set(e, ERR_FAILED, "%s ended; its log is %s", name, c->log);
	return -1;
}

static int await_nginx(struct serve *s, struct err *e)
{
	for (unsigned ms = 0; ms < START_MS; ms += START_STEP_MS) {
		struct pollfd pfd = {.fd = s->nginx.pidfd, .events = POLLIN};

		if (poll(&pfd, 1, START_STEP_MS) > 0)
			return report_end(&s->nginx, e);
		if (nginx_listens(s))
			return 0;
	}
	return err_set(e, ERR_FAILED, "nginx does not listen after %d s; its log is %s",
		       START_MS / 1000, s->nginx.log);
}

/* Checks if the log has the text, from *offset. Moves that behind what need not be read
 * again: machines that ask may fill a log fast. */
static bool log_has(const struct serve_child *c, off_t *offset, const char *text)
{
	_cleanup_free_ char *log = xmalloc(LOG_READ);
	ssize_t n, len = (ssize_t)strlen(text);

	while ((n = pread(c->child.errfd, log, LOG_READ, *offset)) >= len) {
		if (memmem(log, (size_t)n, text, (size_t)len))
			return true;
		*offset += n - len + 1;
	}
	return false;
}

int serve_child_await_line(struct serve_child *c, off_t offset, const char *text,
			   struct err *e)
{
	for (unsigned ms = 0; ms < START_MS; ms += START_STEP_MS) {
		struct pollfd pfd = {.fd = c->pidfd, .events = POLLIN};

		if (poll(&pfd, 1, START_STEP_MS) > 0)
			return report_end(c, e);
		if (log_has(c, &offset, text))
			return 0;
	}
	return err_set(e, ERR_FAILED, "%s is not ready after %d s; its log is %s",
		       c->child.name, START_MS / 1000, c->log);
}

/* Warns if one machine can use up nginx's connections. In a rack's own namespaces there
 * are no other machines. */
static void warn_of_few_files(const struct serve *s)
{
	struct rlimit limit;

	if (!s->single_id_ns &&
	    prlimit(s->nginx.child.pid, RLIMIT_NOFILE, NULL, &limit) == 0 &&
	    limit.rlim_cur < NOFILE)
		log_warn("nginx may have %llu files open, not %d (ulimit -Hn): a single "
			 "machine can take all of its connections",
			 (unsigned long long)limit.rlim_cur, NOFILE);
}

int serve_start(struct serve *s, struct err *e)
{
	if (serve_prepare(s, true, e) < 0 || start_nginx(s, e) < 0 ||
	    await_nginx(s, e) < 0 || serve_dhcp_start(s, e) < 0) {
		serve_stop(s);
		return -1;
	}
	warn_of_few_files(s);
	return 0;
}

void serve_child_stop(struct serve_child *c)
{
	run_kill(&c->child, STOP_GRACE_MS);
	child_done(&c->child);
	if (c->pidfd >= 0)
		close(TAKE_FD(c->pidfd));
}

int serve_restart_nginx(struct serve *s, struct err *e)
{
	serve_child_stop(&s->nginx);
	return start_nginx(s, e) < 0 ? -1 : await_nginx(s, e);
}

/* --- watching and stopping -------------------------------------------------------- */

int serve_wait(struct serve *s, int wake_fd, int timeout_ms, struct err *e)
{
	struct pollfd p[] = {
		{.fd = wake_fd, .events = POLLIN},
		{.fd = s->dnsmasq.pidfd, .events = POLLIN},
		{.fd = s->kea.pidfd, .events = POLLIN},
		{.fd = s->nginx.pidfd, .events = POLLIN},
	};
	int n = poll(p, ARRAY_SIZE(p), s->lost ? 0 : timeout_ms);

	serve_logs_bound(s);
	if (n < 0 && errno == EINTR)
		return 0;
	if (n < 0)
		return err_errno(e, errno, "poll");
	/* Ctrl-C also ends the servers: wake_fd is checked first, so this is no
	 * failure. */
	if (p[0].revents)
		return 1;
	if (s->lost)
		return err_set(e, ERR_FAILED, "%s does not run: it did not start again",
			       s->lost);
	if (p[1].revents)
		return report_end(&s->dnsmasq, e);
	if (p[2].revents)
		return report_end(&s->kea, e);
	if (p[3].revents)
		return report_end(&s->nginx, e);
	return 0;
}

void serve_stop(struct serve *s)
{
	serve_child_stop(&s->kea);
	serve_child_stop(&s->dnsmasq);
	serve_child_stop(&s->nginx);
}

void serve_done(struct serve *s)
{
	serve_stop(s);
	tree_info_done(&s->info);
	serve_dhcp_done(s);
	free(s->dnsmasq.log);
	free(s->kea.log);
	free(s->nginx.log);
	free(s->dir);
	free(s->user);
	free(s->group);
	*s = (struct serve)SERVE_INIT;
}
