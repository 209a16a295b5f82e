/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of what a disk holds after a power cut. Calls that change files below a root
 * are recorded (the program is linked with --wrap for each of them, see the Makefile),
 * and any prefix of the record makes disks: what was followed by an fsync of its object
 * is there; of the rest, any subset is.
 *
 *	object                  what an fsync of it makes lasting
 *	a file                  its data and its mode; not its name
 *	a directory             every name made, replaced or removed in it before
 *
 * Data not synced is there, is not (length 0), is half there, or is zeros of the right
 * length. A rename is one change: both names or neither, as every journaling file system
 * has it. Names are independent of each other and of what they name: a rename may be on
 * the disk though the creation of what it renames is not.
 */
#pragma once

#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>

#include <cmocka.h>

#define DISK_NODES 512
#define DISK_NAMES 512
#define DISK_OPS   1024

struct disk_node {
	mode_t mode; /* with its type */
	const char *data;
	size_t len;
};

struct disk_name {
	unsigned dir, node;
	const char *name;
};

/* Node 0 is the root. Cheap to copy: strings are owned by the arena below. */
struct disk {
	struct disk_node node[DISK_NODES];
	struct disk_name name[DISK_NAMES];
	unsigned n_nodes, n_names;
};

enum op_kind {
	OP_CREATE, /* dir, name, node, mode: a file, a directory or a symlink */
	OP_WRITE,  /* node, data: its whole content from now on; kept: what it had */
	OP_CHMOD,  /* node, mode */
	OP_RENAME, /* dir, name, dir2, name2, node */
	OP_UNLINK, /* dir, name */
	OP_FSYNC,  /* node */
};

struct op {
	enum op_kind kind;
	unsigned node, dir, dir2;
	const char *name, *name2, *data;
	size_t len, kept;
	mode_t mode;
};

struct record {
	char root[64];    /* of the files that are recorded; "": off */
	struct disk live; /* as a program sees it */
	struct op op[DISK_OPS];
	unsigned n;
};

/* The one being made. */
extern struct record recording;

/* Copies strings to live until disk_forget(). */
const char *disk_keep(const void *data, size_t len);
void disk_forget(void);

/* Its only node is the root. */
void disk_init(struct disk *d);
/* A node without a name, of its own bytes. */
unsigned disk_node(struct disk *d, mode_t mode, const char *data, size_t len);
/* The node of a path ("" is the root), -1: there is none. */
int disk_find(struct disk *d, const char *path);
/* Does the operation, or what its fate leaves of it (see below). */
void disk_do(struct disk *d, const struct op *o, unsigned fate);
/* A file with its directories. */
void disk_put(struct disk *d, const char *path, mode_t mode, const char *text);

/* Begins to record what happens below `root`, which holds `d`; and ends it. */
void record_begin(const char *root, const struct disk *d);
void record_end(void);

/*
 * What survives of the operations: for each, 0 all of it, 1 nothing; of a write also 2
 * half of it, 3 zeros. volatile_ops() lists those of the first `n` that no fsync covers
 * and returns how many; disk_after() makes the disk.
 */
unsigned volatile_ops(const struct record *r, unsigned n, unsigned out[static DISK_OPS]);
unsigned op_fates(const struct op *o);
void disk_after(struct disk *ret, const struct disk *before, const struct record *r,
		unsigned n, const uint8_t fate[static DISK_OPS]);

/* Lays it out below a directory that is empty. */
void disk_write(const struct disk *d, int rootfd);

/*
 * "PATH MODE CONTENT" of everything, in the order of paths. Directories are named by
 * what is in them: an empty one is nothing. Lines that begin with `except` (or NULL) are
 * left out of contents. Owned by the caller. disk_text of the model, tree_text of the
 * file system (without run/ and sys/).
 */
char *disk_text(const struct disk *d, const char *except);
char *tree_text(int rootfd, const char *except);
