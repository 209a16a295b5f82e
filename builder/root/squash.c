/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mksquashfs sorts names; with SOURCE_DATE_EPOCH the times that it sets itself are the
 * recipe's. Its output does not depend on the number of processors.
 *
 * The root folder gets the ids of mksquashfs itself: with -tar, version 4.5.1 ignores
 * -root-uid and -root-gid, so that for an ordinary user unshare(1) runs it
 * in a user namespace whose id 0 is that user.
 *
 * On a full disk it writes "No space left on device" among other lines to its standard
 * error and exits 1; the error is then one line that names the file.
 */
#include "builder/root/squash.h"

#include "lib/file.h"
#include "lib/signals.h"

#define PIPE_SIZE (1 << 20)

static char **make_argv(const struct recipe *r, const char *path)
{
	const struct recipe_squashfs *s = &r->squashfs;
	char **argv = NULL;

	if (geteuid() != 0) {
		strv_add(&argv, "unshare");
		strv_add(&argv, "--map-root-user");
		strv_add(&argv, "--");
	}
	strv_add(&argv, SQUASH_TOOL);
	strv_add(&argv, "-");
	strv_add(&argv, path);
	strv_add(&argv, "-tar");
	strv_add(&argv, "-noappend");
	strv_add(&argv, "-quiet");
	strv_add(&argv, "-no-progress");
	strv_add(&argv, "-exit-on-error");
	strv_add(&argv, "-root-mode");
	strv_add(&argv, "755");
	strv_add(&argv, "-b");
	strv_add(&argv, s->block);
	strv_add(&argv, "-comp");
	strv_add(&argv, s->compression);
	if (s->level) {
		strv_add(&argv, "-Xcompression-level");
		strv_addf(&argv, "%d", s->level);
	}
	return argv;
}

int squash_start(struct squash *ret, const struct recipe *r, const char *path,
		 struct err *e)
{
	_cleanup_squash_ struct squash s = {.fd = -1, .path = path};
	_cleanup_free_ char *epoch =
		xasprintf("SOURCE_DATE_EPOCH=%llu", (unsigned long long)r->epoch);
	const char *const env[] = {epoch, "LC_ALL=C.UTF-8", "TZ=UTC", NULL};
	_cleanup_close_ int reader = -1;
	struct run run = {.env = env};
	int ends[2];

	if (!run_have(SQUASH_TOOL))
		return err_set(e, ERR_UNABLE,
			       "%s: not found in PATH; it is in the package %s",
			       SQUASH_TOOL, SQUASH_PACKAGE);
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(e, errno, "%s", path);
	reader = ends[0];
	s.fd = ends[1];
	/* When mksquashfs ends early, the write fails and squash_fail() reports why. */
	signals_block_pipe(&s.signals);
	fcntl(s.fd, F_SETPIPE_SZ, PIPE_SIZE); /* only speed depends on it */
	s.argv = make_argv(r, path);
	run.argv = (const char *const *)s.argv;
	run.in = reader;
	run.out = -1;
	if (run_start(&run, &s.child, e) < 0)
		return -1;
	s.child.name = SQUASH_TOOL;
	*ret = s;
	s = (struct squash){.fd = -1};
	return 0;
}

/* Ends the tar. Does nothing the second time. */
static void end_input(struct squash *s)
{
	if (s->fd < 0)
		return;
	close(TAKE_FD(s->fd));
	signals_restore_pipe(&s->signals);
}

static int tool_error(const struct squash *s, struct err *e)
{
	static const char full[] = "No space left on device";

	if (e && strstr(e->msg, full))
		return err_set(e, ERR_FAILED, "%s: %s", s->path, full);
	return err_wrap(e, "%s", s->path);
}

int squash_finish(struct squash *s, struct err *e)
{
	end_input(s);
	if (run_wait(&s->child, e) < 0)
		return tool_error(s, e);
	return 0;
}

int squash_fail(struct squash *s, struct err *e)
{
	struct err tool_err = {0};

	end_input(s);
	/* Only a write into a pipe that nobody reads fails so. */
	if (!e || !strstr(e->msg, strerror(EPIPE)))
		return -1;
	if (run_wait(&s->child, &tool_err) < 0) {
		*e = tool_err;
		tool_error(s, e);
	}
	return -1;
}

void squash_done(struct squash *s)
{
	end_input(s);
	child_done(&s->child);
	strv_free(s->argv);
	*s = (struct squash){.fd = -1};
}
