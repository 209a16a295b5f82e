/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Temporary folders that are removed also when their process was killed.
 *
 * A scratch folder is named "NAME.rackstrap-ID", ID being 16 random characters. Its
 * process holds a lock on it (flock(2)), which ends with the process however that ends. A
 * record, the file RECORDS/ID, has its path. scratch_sweep() reads all records and
 * removes the folders whose lock nobody holds.
 *
 * A record is checked: the last component of its path must end in its own ID, so that a
 * damaged record names no folder but a scratch folder. On a network file system a
 * lock need not be seen by other machines: there only folders of this machine are
 * removed.
 *
 * PARENT may be a folder in which other users can rename what is ours, like root's
 * scratch folder in a user's home. Then PARENT and folder are kept open, and the paths to
 * work with lead through /proc/PID/fd, so that no other folder can be put in their place.
 *
 * The format of a record, in lines:
 *
 *	scratch 1
 *	host NAME		of the machine (uname(2))
 *	path PATH		absolute
 *	target PATH		what the folder is to replace; absent if nothing
 *	end
 */
#pragma once

#include "lib/err.h"

#include <sys/stat.h>

struct scratch {
	char *path;   /* absolute, for messages; NULL when there is no folder */
	char *inside; /* the path for work in the folder, also of programs (but see
		       * scratch_make()) */
	char *record; /* path of the record, NULL: not recorded */
	int lock;     /* descriptor of the folder, -1: none */
	int parent;   /* descriptor of PARENT if others can rename in it, else -1 */
};

#define SCRATCH_INIT                                                                     \
	{                                                                                \
		.lock = -1, .parent = -1                                                 \
	}

/*
 * Makes PARENT/NAME.rackstrap-ID with mode 0700, and the record in the folder `records`,
 * which is made if it is missing. With `records` NULL, or when the record cannot be
 * written, there is no record and the folder stays if the process is killed. `target` may
 * be NULL. End with scratch_done().
 *
 * In a process namespace without a /proc of its own, if others can rename in PARENT,
 * `inside` can be used by this process only.
 */
int scratch_make(struct scratch *ret, const char *records, const char *parent,
		 const char *name, const char *target, struct err *e) _must_check_;

/* Returns the path of the file or folder NAME of PARENT, to rename to. `s` must have its
 * folder. Owned. */
char *scratch_beside(const struct scratch *s, const char *name);

/*
 * Gives the folder the name `target`, which is in PARENT, too. Its contents are synced
 * already. A file or folder of that name is exchanged with it and is at s->path then, to
 * be removed by scratch_done(), and its folder is locked all the while. `aside`, also in
 * PARENT, is for file_exchange(). Returns 1 after an exchange, 0 when there was no
 * `target` and s has no folder any more, or -errno: -ESTALE when somebody has put
 * something else in the folder's place.
 */
int scratch_publish(struct scratch *s, const char *target,
		    const char *aside) _must_check_;
/* Returns the text of an error of scratch_publish(). */
const char *scratch_strerror(int r);

/* Removes folder and record. Returns 0, or -errno when the folder could not be removed;
 * then the record stays. Another folder that was put in its place is not removed. */
int scratch_remove(struct scratch *s);
/* Leaves the folder and its record to the next sweep. */
void scratch_keep(struct scratch *s);
void scratch_done(struct scratch *s); /* scratch_remove(), keeps errno */
#define _cleanup_scratch_ _cleanup_(scratch_done)

/* Removes the folder `path`, which its process left; `target` may be NULL. Returns 0 or
 * -errno. */
typedef int scratch_remover(const char *path, const char *target);

/*
 * Removes the folders that dead processes have left, each with remover(path, target), and
 * their records, unless another user could have written them. Logs what it removes, and
 * warns about what it cannot remove. Continues after an error.
 */
void scratch_sweep(const char *records, scratch_remover *remover);

/*
 * Looks for `aside` of scratch_publish(), where a process that was killed may have left
 * the old folder, and reads its attributes. It is refused if it belongs to another user
 * than this one and root: its name can be foreseen, so that everybody who may write to
 * the folder that it is in can have made it. Returns 1, 0 when there is none, or -1.
 */
int scratch_aside_check(const char *aside, struct stat *ret, struct err *e) _must_check_;

/*
 * Removes the scratch folders in the directory `path` that were made with the name `of`,
 * apart from other users' ones. The caller has a lock that all who make one hold. Returns
 * 0, also when one could not be removed, or -errno when `path` cannot be read.
 */
int scratch_remove_named(int dirfd, const char *path, const char *of) _must_check_;

/* Returns true when `name` is that of a scratch folder made with the name `of`. */
bool scratch_is_named(const char *name, const char *of);
