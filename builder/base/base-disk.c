/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A base from a disk image, as clouds boot it: qcow2 or raw. libguestfs finds the system
 * on it (guest.h) and writes its files as a tar into a pipe, out of a thread of its own,
 * while base-tree.c reads that.
 */
#include "builder/base/base-archive.h"
#include "builder/base/base-tree.h"
#include "builder/common/guest.h"
#include "builder/common/qcow2.h"
#include "lib/log.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>

static const char *const disk_keys[] = {
	"type",       "url",    "sha256",   "sha512",       "suite",
	"components", "mirror", "pockets",  "origin",       "keyring",
	"archived",   "kernel", "packages", "path_exclude", NULL,
};

static void check_disk(const struct recipe *r, struct diag *d)
{
	const struct recipe_base *b = &r->base;

	if (!b->url)
		diag_add(d, "%s: base: url: missing: where is the disk image?", b->where);
	base_archive_check(b, b->packages || b->kernel, d);
}

struct writer {
	struct guest *g;
	int fd; /* the pipe's end */
	int result;
	struct err e;
};

static void *write_it(void *data)
{
	struct writer *w = data;
	sigset_t pipe_signal;

	/* A reader that gives up is an error of the write, not the end of the program. */
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
	w->result = guest_tar_out(w->g, w->fd, &w->e);
	close(w->fd);
	return NULL;
}

/* Both ends' errors: the one that reads knows less. */
static int stream(struct guest *g, const char *path, struct err *e)
{
	struct writer w = {.g = g};
	struct err reader = {0};
	pthread_t thread;
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_errno(e, errno, "a pipe");
	w.fd = ends[1];
	r = pthread_create(&thread, NULL, write_it, &w);
	if (r != 0) {
		close(ends[0]);
		close(ends[1]);
		return err_errno(e, r, "a thread");
	}
	r = base_tree_write(ends[0], NULL, "disk", path, &reader);
	close(ends[0]); /* the writer ends, too, when the reader gave up */
	pthread_join(thread, NULL);
	if (r == 0 && w.result == 0)
		return 0;
	if (e)
		*e = w.result < 0 && r == 0 ? w.e : reader;
	return -1;
}

/* Looks at the header alone: what is on it takes a machine to find out. */
static int check_disk_source(_unused_ const struct recipe *r, int fd, struct err *e)
{
	return qcow2_check(fd, "disk", e) < 0 ? -1 : 0;
}

static int write_disk(const struct base_work *w, const char *path, struct err *e)
{
	_cleanup_guest_ struct guest *g = NULL;
	_cleanup_free_ char *name = NULL;

	if (check_disk_source(w->r, w->source, e) < 0 ||
	    guest_open_ro(&g, w->source_path, 0, e) < 0 ||
	    guest_mount_os(g, &name, e) < 0)
		return -1;
	log_info("base: %s, read from the disk image", name);
	return stream(g, path, e);
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
