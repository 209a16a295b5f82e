/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model of the content of a disk after a power cut. Calls that change files below a
 * root are recorded (the program is linked with --wrap for each of them, see the
 * Makefile). disk_after() makes the disk that any prefix of the record can leave: an
 * operation that was followed by an fsync of its object is on the disk; of the other
 * operations, any subset is.
 *
 *	object                  an fsync of it makes permanent
 *	a file                  its data and its mode; not its name
 *	a directory             every name made, replaced or removed in it before
 *
 * Data that was not synced is on the disk completely, not at all (length 0), by half, or
 * as zeros of the right length. A rename is one change: both names or neither, as in
 * every journaling file system. Names are independent of each other and of the objects
 * they name: a rename may be on the disk although the creation of the renamed object is
 * not.
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
	mode_t mode; /* including its type (S_IFMT) */
	const char *data;
	size_t len;
};

struct disk_name {
	unsigned dir, node;
	const char *name;
};

/* Node 0 is the root. A struct disk is cheap to copy: its strings are owned by the arena
 * of disk_keep(). */
struct disk {
	struct disk_node node[DISK_NODES];
	struct disk_name name[DISK_NAMES];
	unsigned n_nodes, n_names;
};

enum op_kind {
	OP_CREATE, /* dir, name, node, mode: a file, a directory or a symlink */
	OP_WRITE,  /* node, data: new content; kept: length of the old one */
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
	char root[64];    /* folder whose files are recorded; "": recording is off */
	struct disk live; /* the disk as a running program sees it */
	struct op op[DISK_OPS];
	unsigned n;
};

/* The record of the program under test. */
extern struct record recording;

/* Copies `data` into the arena, with a NUL after it; the copy lives until
 * disk_forget(). */
const char *disk_keep(const void *data, size_t len);
void disk_forget(void);

/* Empties the disk: its only node is the root. */
void disk_init(struct disk *d);
/* Adds a node without a name. `data` is not copied. */
unsigned disk_node(struct disk *d, mode_t mode, const char *data, size_t len);
/* Returns the node of a path ("" is the root), or -1 when there is none. */
int disk_find(struct disk *d, const char *path);
/* Applies an operation, or the part of it that `fate` leaves (see op_fates()). */
void disk_do(struct disk *d, const struct op *o, unsigned fate);
/* Adds a file and its directories. */
void disk_add_file(struct disk *d, const char *path, mode_t mode, const char *text);

/* record_begin() starts recording the changes below `root`, which has the content of `d`;
 * record_end() stops. */
void record_begin(const char *root, const struct disk *d);
void record_end(void);

/*
 * The fate of an operation says how much of it is on the disk: 0 all of it, 1 nothing;
 * for a write also 2 the first half, 3 zeros. op_fates() returns the number of fates of
 * an operation. volatile_ops() lists the operations among the first `n` that no fsync
 * covers and returns how many there are. disk_after() makes the disk that the first `n`
 * operations with the given fates leave of `before`.
 */
unsigned volatile_ops(const struct record *r, unsigned n, unsigned out[static DISK_OPS]);
unsigned op_fates(const struct op *o);
void disk_after(struct disk *ret, const struct disk *before, const struct record *r,
		unsigned n, const uint8_t fate[static DISK_OPS]);

/* Writes the disk's content into an empty directory. */
void disk_write(const struct disk *d, int rootfd);

/*
 * Return "PATH MODE CONTENT" of every object, in the order of paths: disk_text() of the
 * model, tree_text() of a file system (without run/ and sys/). Lines of content that
 * begin with `except` (unless NULL) are left out. Owned by the caller.
 */
char *disk_text(const struct disk *d, const char *except);
char *tree_text(int rootfd, const char *except);
