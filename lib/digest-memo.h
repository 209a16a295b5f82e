/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remembers the digest of a file in another file, the memo, so that a large file which
 * did not change is not read again.
 *
 * A change through the file system sets ctime, which no program can set to a value of its
 * choice. So a memo counts only for a file with the same device, inode, size, mtime and
 * ctime, and a digest is remembered only if the file was read later than its ctime by
 * more than the clock's resolution: a change cannot go unnoticed. That is two seconds,
 * or 20 ms on local file systems that store nanoseconds: Linux sets ctime from a clock
 * that advances every 10 ms or faster (current_time() in fs/inode.c). The file is synced
 * before, so that the memo does not survive a power cut that the data does not.
 *
 * Limit: a disk that returns other data for an unchanged file is not noticed.
 */
#pragma once

#include "lib/cleanup.h"

#include <sys/stat.h>

/* The state of a file before its digest is computed. */
struct digest_stamp {
	struct stat st;
	bool firm; /* its ctime is old enough */
};

/* Takes the stamp of a file that is about to be read. Returns 0 or -errno. */
int digest_stamp_take(struct digest_stamp *ret, int fd) _must_check_;

/* Does the same, and waits before for at most 20 ms if the stamp is firm then. */
int digest_stamp_wait(struct digest_stamp *ret, int fd) _must_check_;

/* Returns true when the file has not changed since the stamp was taken, as far as its
 * inode tells. */
bool digest_stamp_holds(const struct digest_stamp *s, int fd);

/* Returns the digests that the memo has for the file in its present state, the text given
 * to digest_memo_write(), or NULL. Owned by the caller. */
char *digest_memo_read(int dirfd, const char *memo, int fd);

/*
 * Remembers `digests`, one line, of the file that was read since `s` was taken.
 * Otherwise, when the stamp is not firm or the file has changed, empties the memo. Errors
 * are ignored: the file is only read again.
 */
void digest_memo_write(int dirfd, const char *memo, int fd, const struct digest_stamp *s,
		       const char *digests);
