/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs Kea's DHCPv4 server. It reads its configuration again when its control socket is
 * told so (Kea Administrator Reference Manual 2.2, chapter 18, config-reload), and says
 * there if it did. The folder of the socket belongs to the servers' user.
 */
#include "lib/dir.h"
#include "lib/file.h"
#include "lib/signals.h"
#include "pxe/json-get.h"
#include "pxe/serve-parts.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ANSWER_MS  60000
#define STEP_MS    200
#define ANSWER_MAX (64 * 1024)

char **serve_kea_argv(const struct serve *s, bool test)
{
	char **argv = NULL;

	strv_add(&argv, "kea-dhcp4");
	strv_add(&argv, test ? "-t" : "-c");
	strv_addf(&argv, "%s/" TREE_KEA_CONF, s->dir);
	return argv;
}

char **serve_kea_env(const struct serve *s)
{
	struct strv_builder env = {0};

	strv_builder_addf(&env, "KEA_PIDFILE_DIR=%s/" TREE_KEA_RUN, s->dir);
	/* Several processes would lock a log that they share. */
	strv_builder_add(&env, "KEA_LOCKFILE_DIR=none");
	/* Versions that restrict the place of the socket read this. */
	strv_builder_add(&env, "KEA_CONTROL_SOCKET_DIR=" TREE_KEA_RUN);
	return strv_builder_take(&env);
}

/* Makes the folder of the socket, before the start: not while the tree is exchanged, when
 * that of the old tree is moved. */
int serve_kea_prepare(const struct serve *s, struct err *e)
{
	_cleanup_close_ int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_close_ int run = -1;

	if (fd < 0)
		return err_errno(e, errno, "%s", s->dir);
	if (mkdirat(fd, TREE_KEA_RUN, 0750) < 0 && errno != EEXIST)
		return err_errno(e, errno, "%s/" TREE_KEA_RUN, s->dir);
	run = dir_open_nofollow_at(fd, TREE_KEA_RUN);
	if (run < 0)
		return err_errno(e, run, "%s/" TREE_KEA_RUN, s->dir);
	if (fchmod(run, 0750) < 0 || (s->user && fchown(run, s->uid, s->gid) < 0))
		return err_errno(e, errno, "%s/" TREE_KEA_RUN, s->dir);
	return 0;
}

bool serve_kea_can_reload(const char *const old[2], const char *const new[2])
{
	return old[0] && new[0];
}

/* Connects to the control socket. The path of a socket is short, that of a tree may be
 * long: it is given by the folder's descriptor. */
static int connect_control(const struct serve *s)
{
	_cleanup_free_ char *path = xasprintf("%s/" TREE_KEA_RUN, s->dir);
	_cleanup_close_ int dir = dir_open_nofollow_at(AT_FDCWD, path);
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	if (dir < 0 || fd < 0)
		return -1;
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/%s", dir,
		 strrchr(TREE_KEA_SOCKET, '/') + 1);
	return connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 ? -1 : TAKE_FD(fd);
}

/* Waits until there is something to read. A signal that ends the command ends this, too:
 * a large rack takes Kea long. Returns 0 or -errno. */
static int await_answer(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	for (unsigned ms = 0; ms < ANSWER_MS; ms += STEP_MS) {
		if (poll(&p, 1, STEP_MS) > 0)
			return 0;
		if (signals_are_pending())
			return -EINTR;
	}
	return -ETIMEDOUT;
}

/* Reads until the other side closes. Returns 0 or -errno. */
static int read_answer(int fd, struct buf *b)
{
	char chunk[4096];

	for (;;) {
		int r = await_answer(fd);
		ssize_t n = r < 0 ? 0 : read(fd, chunk, sizeof(chunk));

		if (r < 0 || n == 0)
			return r;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			buf_add(b, chunk, (size_t)n);
		if (b->len > ANSWER_MAX)
			return -EFBIG;
	}
}

int serve_kea_reload(struct serve *s, struct err *e)
{
	static const char command[] = "{ \"command\": \"config-reload\" }";
	_cleanup_close_ int fd = connect_control(s);
	_cleanup_buf_ struct buf b = {0};
	_cleanup_jansson_ json_t *answer = NULL;
	_cleanup_free_ char *text = NULL;
	uint64_t result;
	int r;

	if (fd < 0)
		return 1;
	r = write_all(fd, command, strlen(command));
	if (r == 0)
		r = read_answer(fd, &b);
	if (r < 0)
		return err_errno(e, r, "kea-dhcp4: its control socket");
	if (json_get_object(&answer, b.p ? b.p : "", b.len, e) < 0 ||
	    json_get_u64(answer, "result", &result, e) < 0 ||
	    json_get_str(answer, "text", &text, e) < 0)
		return err_wrap(e, "kea-dhcp4: the answer of its control socket");
	if (result != 0)
		return err_set(e, ERR_FAILED, "kea-dhcp4 keeps its old configuration: %s",
			       text);
	return 0;
}
