/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives as streams of entries. archive.c is the only file that includes libarchive. An
 * entry's data can be the next reader's input, so an archive inside an archive is read
 * without unpacking it to a file.
 *
 * Names are UTF-8 in every locale. Times are whole seconds, owners are numbers.
 */
#pragma once

#include "builder/common/archive-limit.h"
#include "builder/common/digest.h"
#include "lib/err.h"

#include <sys/types.h>

#define ARCHIVE_ID_MAX (UINT32_MAX - 1LL) /* -1 is no id: chown(2) */

enum entry_type {
	ENTRY_FILE,
	ENTRY_DIR,
	ENTRY_SYMLINK,
	ENTRY_HARDLINK, /* to the earlier entry named by target */
	ENTRY_CHAR,
	ENTRY_BLOCK,
	ENTRY_FIFO,
	ENTRY_OTHER, /* sockets and all other types */
};

const char *entry_type_name(enum entry_type type); /* "file", "symlink", ... */

struct entry {
	enum entry_type type;
	const char *path;   /* as written in the archive: "./usr/bin/x", "dir/" */
	const char *target; /* of symlinks and hard links, else NULL */
	unsigned mode;      /* 07777 */
	int64_t uid, gid;   /* as in the archive: checked when they are written */
	uint64_t size;      /* of files, bytes */
	int64_t mtime;
	uint32_t major, minor; /* of devices */
	const void *caps;      /* security.capability as it is on disk, or NULL */
	size_t n_caps;
};

/* Sets a time before 1970 to 1970, and one after `epoch` to it. */
void entry_limit_time(struct entry *entry, uint64_t epoch);

struct archive_in;
struct buf;

/* The input of a reader. */
struct archive_source {
	const char *name;         /* for messages; must outlive the reader, as the rest */
	int fd;                   /* stays the caller's; or ... */
	struct archive_in *outer; /* ... the data of this reader's current entry */
	bool single;              /* one file, compressed or not, and no archive: only
			archive_in_read() works */
	bool iso;                 /* an ISO 9660 image that this program has made */
	struct digest *tap;       /* receives every raw byte of it, in order; or NULL */
	struct archive_limit *limit; /* NULL: that of `outer`, or for our own files: no
					limit of bytes */
};

/*
 * Opens a tar, cpio, ar or zip, plain or compressed with gzip, bzip2, xz, lzma, lz4 or
 * zstd. All memory that it takes is bounded, see archive-limit.h; what is over a limit is
 * refused before it is read.
 */
int archive_in_open(struct archive_in **ret, const struct archive_source *from,
		    struct err *e) _must_check_;
void archive_in_free(struct archive_in *a);
void archive_in_free_p(struct archive_in **a);
#define _cleanup_archive_in_ _cleanup_(archive_in_free_p)

/*
 * Moves to the next entry. Returns 1 and sets *ret (valid until the next call), 0 at the
 * end, or -1. Unread data of the entry before is skipped.
 */
int archive_in_next(struct archive_in *a, const struct entry **ret,
		    struct err *e) _must_check_;

/* Returns the offset of the current entry's header in the unpacked archive. A tar can be
 * read from there. */
uint64_t archive_in_at(const struct archive_in *a);

/* Reads the entry's data. Returns the number of bytes, 0 at its end, or -1. */
ssize_t archive_in_read(struct archive_in *a, void *buf, size_t len,
			struct err *e) _must_check_;

/* Reads the rest of the entry's data into `ret`, which is empty; ret->p is not NULL
 * afterwards. Returns 1, 0 when it has more than `max` bytes, or -1. */
int archive_in_text(struct archive_in *a, size_t max, struct buf *ret,
		    struct err *e) _must_check_;

/* Reads the bytes behind the last entry, to the end of the input, so that the tap gets
 * them. */
int archive_in_drain(struct archive_in *a, struct err *e) _must_check_;

struct archive_out;

/* Starts to write a tar. `fd` and `name` (for messages) stay the caller's. Owned. */
struct archive_out *archive_out_new(int fd, const char *name);
void archive_out_free(struct archive_out *o);
void archive_out_free_p(struct archive_out **o);
#define _cleanup_archive_out_ _cleanup_(archive_out_free_p)

int archive_out_entry(struct archive_out *o, const struct entry *entry,
		      struct err *e) _must_check_;
/* Writes data of a file: altogether as much as its entry said. */
int archive_out_data(struct archive_out *o, const void *data, size_t len,
		     struct err *e) _must_check_;
/* Copies the rest of the current entry's data; `tap`, if not NULL, receives it, too. */
int archive_out_copy(struct archive_out *o, struct archive_in *from, struct digest *tap,
		     struct err *e) _must_check_;
/* Writes the end mark and all that was not written yet. */
int archive_out_end(struct archive_out *o, struct err *e) _must_check_;

/*
 * Returns a path in an archive without "./", "/" and trailing slashes: "usr/bin/x", or ""
 * for the top. Returns NULL for a path with "..". Owned by the caller.
 */
char *archive_path_normal(const char *path);
