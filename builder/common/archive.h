/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives as streams of entries. archive.c is the only file that includes libarchive. An
 * entry's data can be the next reader's input, so an archive inside an archive is read
 * without unpacking it to a file.
 *
 * Names are UTF-8 in every locale. Times are whole seconds, owners are numbers.
 */
#pragma once

#include "builder/common/digest.h"
#include "lib/err.h"

#include <sys/types.h>

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
	uint32_t uid, gid;
	uint64_t size; /* of files, bytes; 0 with `unsized` */
	bool unsized;  /* the size follows the data, as in a zip that was written as a
			  stream */
	int64_t mtime;
	uint32_t major, minor; /* of devices */
	const void *caps;      /* security.capability as it is on disk, or NULL */
	size_t n_caps;
};

struct archive_in;

/*
 * Opens a tar, cpio, ar or zip, plain or compressed with gzip, bzip2, xz, lzma, lz4 or
 * zstd. `fd` stays the caller's and must outlive the reader, as must `name` (for
 * messages). `tap`, if not NULL, receives every raw byte of the file, in order.
 */
int archive_in_fd(struct archive_in **ret, int fd, const char *name, struct digest *tap,
		  struct err *e) _must_check_;

/* Opens one file compressed with any of those, not an archive, as a single entry. */
int archive_in_compressed(struct archive_in **ret, int fd, const char *name,
			  struct err *e) _must_check_;

/* Opens the data of the outer archive's current entry, itself an archive. */
int archive_in_nested(struct archive_in **ret, struct archive_in *outer, const char *name,
		      struct err *e) _must_check_;
/* Opens the same data, decompressed if it is compressed, as the single entry of an
 * "archive", and moves to that entry. `tap` receives the bytes before decompression. */
int archive_in_raw(struct archive_in **ret, struct archive_in *outer, const char *name,
		   struct digest *tap, struct err *e) _must_check_;
void archive_in_free(struct archive_in *a);
void archive_in_free_p(struct archive_in **a);
#define _cleanup_archive_in_ _cleanup_(archive_in_free_p)

/*
 * Moves to the next entry. Returns 1 and sets *ret (valid until the next call), 0 at the
 * end, or -1. Unread data of the entry before is skipped.
 */
int archive_in_next(struct archive_in *a, const struct entry **ret,
		    struct err *e) _must_check_;

/* Reads the entry's data. Returns the number of bytes, 0 at its end, or -1. */
ssize_t archive_in_read(struct archive_in *a, void *buf, size_t len,
			struct err *e) _must_check_;

/* Reads the bytes behind the last entry, to the end of the input, so that the tap gets
 * them. */
int archive_in_drain(struct archive_in *a, struct err *e) _must_check_;

/* Makes reading data fail once the archive has unpacked to more than `limit` bytes. */
void archive_in_limit(struct archive_in *a, uint64_t limit);

/* Returns how many bytes the archive has unpacked to so far; for a zip, which compresses
 * each member by itself, how many bytes of data were read. */
uint64_t archive_in_bytes(const struct archive_in *a);

struct archive_out;

/* Starts to write a pax tar. `fd` stays the caller's. */
int archive_out_fd(struct archive_out **ret, int fd, const char *name,
		   struct err *e) _must_check_;
void archive_out_free(struct archive_out *o);
void archive_out_free_p(struct archive_out **o);
#define _cleanup_archive_out_ _cleanup_(archive_out_free_p)

int archive_out_entry(struct archive_out *o, const struct entry *entry,
		      struct err *e) _must_check_;
int archive_out_data(struct archive_out *o, const void *data, size_t len,
		     struct err *e) _must_check_;
/* Copies the rest of the current entry's data; `tap`, if not NULL, receives it, too. */
int archive_out_copy(struct archive_out *o, struct archive_in *from, struct digest *tap,
		     struct err *e) _must_check_;
int archive_out_end(struct archive_out *o, struct err *e) _must_check_;

/*
 * Returns a path in an archive without "./", "/" and trailing slashes: "usr/bin/x", or ""
 * for the top. Returns NULL for a path with "..". Owned by the caller.
 */
char *archive_path_normal(const char *path);
