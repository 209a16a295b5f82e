/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a base from a cloud's disk image, qcow2 or raw. A thread lets libguestfs
 * (guest.h) write the files of the system on it as a tar into a pipe, which base-tree.c
 * reads.
 */
#include "builder/base/base-archive.h"
#include "builder/base/base-tree.h"
#include "builder/common/guest.h"
#include "builder/common/qcow2.h"
#include "builder/recipe/recipe-parse.h"
#include "lib/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

static const char *const disk_keys[] = {
	"type",       "url",      "public_query", "sha256", "sha512",   "suite",
	"components", "mirror",   "pockets",      "origin", "keyring",  "archived",
	"kernel",     "packages", "path_exclude", "limit",  "max_size", NULL,
};

static void check_disk(const struct recipe *r, struct diag *d)
{
	const struct recipe_base *b = &r->base;

	if (!b->url && !strv_has(b->misspelled, "url"))
		diag_add(d, "%s: base: url: missing: the disk image's URL", b->where);
	base_archive_check(b, b->packages || b->kernel, d);
}

struct writer {
	struct guest *g;
	int fd; /* the pipe's end */
	int result;
	struct err e;
};

static void *run_writer(void *data)
{
	struct writer *w = data;
	sigset_t pipe_signal;

	/* When the reader stops, write() fails with EPIPE instead of killing us. */
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
	w->result = guest_tar_out(w->g, w->fd, &w->e);
	close(w->fd);
	return NULL;
}

/* Writes the system's files as a tar to `path`. Reports the writer's error if only the
 * writer failed, else the reader's. */
static int stream(struct guest *g, const struct recipe_base *b, const char *path,
		  struct err *e)
{
	struct writer w = {.g = g};
	struct err reader = {0};
	pthread_t thread;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(e, errno, "a pipe");
	w.fd = ends[1];
	r = pthread_create(&thread, NULL, run_writer, &w);
	if (r != 0) {
		close(ends[0]);
		close(ends[1]);
		return err_errno(e, r, "a thread");
	}
	r = base_tree_write(ends[0], b, "disk", path, &reader);
	close(ends[0]); /* stops the writer if the reader has failed */
	pthread_join(thread, NULL);
	if (r == 0 && w.result == 0)
		return 0;
	if (e)
		*e = w.result < 0 && r == 0 ? w.e : reader;
	return -1;
}

/* Checks the header alone: to read more takes a virtual machine (guest.h). */
static int check_disk_source(_unused_ const struct recipe *r, int fd, struct err *e)
{
	return qcow2_check(fd, "disk", e) < 0 ? -1 : 0;
}

static int write_disk(const struct base_work *w, const char *path, struct err *e)
{
	_cleanup_guest_ struct guest *g = NULL;
	_cleanup_free_ char *name = NULL;

	if (check_disk_source(w->r, w->source, e) < 0 ||
	    guest_open_ro(&g, w->source_path, "base", 0, e) < 0 ||
	    guest_mount_os(g, &name, e) < 0)
		return -1;
	log_info("base: %s, read from the disk image", name);
	return stream(g, &w->r->base, path, e);
}

static int make_disk(const struct base_work *w, struct err *e)
{
	return base_tree_make(w, write_disk, e);
}

const struct base_type base_disk = {
	.name = "disk",
	.keys = disk_keys,
	.parse = base_tree_parse,
	.check = check_disk,
	.describe = base_tree_describe,
	.check_source = check_disk_source,
	.prepare = base_archive_prepare,
	.tools = base_archive_tools,
	.make = make_disk,
};
