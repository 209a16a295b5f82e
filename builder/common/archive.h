/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives as streams of entries. archive.c is the only file that includes libarchive.
 * An entry's data can be the next reader's input, so an archive inside an archive is
 * read without being unpacked anywhere.
 *
 * Names are UTF-8 whatever the locale. Times are whole seconds, owners are numbers.
 */
#pragma once

#include "builder/common/digest.h"
#include "lib/err.h"

#include <sys/types.h>

enum entry_type {
	ENTRY_FILE,
	ENTRY_DIR,
	ENTRY_SYMLINK,
	ENTRY_HARDLINK, /* to the entry named by target, which came before */
	ENTRY_CHAR,
	ENTRY_BLOCK,
	ENTRY_FIFO,
	ENTRY_OTHER, /* sockets and whatever else there is */
};

const char *entry_type_name(enum entry_type type); /* "file", "symlink", ... */

struct entry {
	enum entry_type type;
	const char *path;   /* as the archive says it: "./usr/bin/x", "dir/" */
	const char *target; /* of symlinks and hard links, else NULL */
	unsigned mode;      /* 07777 */
	uint32_t uid, gid;
	uint64_t size; /* of files, bytes; 0 with `unsized` */
	bool unsized;  /* a zip that was written as a stream says it behind the data */
	int64_t mtime;
	uint32_t major, minor; /* of devices */
	const void *caps;      /* security.capability as it is on disk, or NULL */
	size_t n_caps;
};

struct archive_in;

/*
 * Any tar, cpio, ar or zip, plain or compressed with gzip, bzip2, xz, lzma, lz4 or zstd.
 * `fd` stays the caller's and must outlive the reader, as must `name` (for messages).
 * `tap`, if not NULL, is fed every raw byte of the file, in order.
 */
int archive_in_fd(struct archive_in **ret, int fd, const char *name, struct digest *tap,
		  struct err *e) _must_check_;

/* One file, compressed with any of those, not an archive: a single entry. */
int archive_in_compressed(struct archive_in **ret, int fd, const char *name,
			  struct err *e) _must_check_;

/* The data of the outer archive's current entry, itself an archive. */
int archive_in_nested(struct archive_in **ret, struct archive_in *outer, const char *name,
		      struct err *e) _must_check_;
/* The same data with its compression, if it has one, taken off, as the one entry of an
 * "archive": the reader stands at its data. `tap` sees it as it was. */
int archive_in_raw(struct archive_in **ret, struct archive_in *outer, const char *name,
		   struct digest *tap, struct err *e) _must_check_;
void archive_in_free(struct archive_in *a);
void archive_in_free_p(struct archive_in **a);
#define _cleanup_archive_in_ _cleanup_(archive_in_free_p)

/*
 * 1 and the next entry (valid until the next call), 0 at the end, -1. Data of the entry
 * before that nobody read is skipped.
 */
int archive_in_next(struct archive_in *a, const struct entry **ret,
		    struct err *e) _must_check_;

/* The entry's data: bytes read, 0 at its end, -1. */
ssize_t archive_in_read(struct archive_in *a, void *buf, size_t len,
			struct err *e) _must_check_;

/* Reads what is behind the last entry, to the end of the input: feeds the tap. */
int archive_in_drain(struct archive_in *a, struct err *e) _must_check_;

/* Reading data fails once more than `limit` bytes came out of the decompression. */
void archive_in_limit(struct archive_in *a, uint64_t limit);

/* What came out of the decompression so far, bytes; of a zip, which compresses each
 * member by itself, the data that was read. */
uint64_t archive_in_bytes(const struct archive_in *a);

struct archive_out;

/* Writes a pax tar. `fd` stays the caller's. */
int archive_out_fd(struct archive_out **ret, int fd, const char *name,
		   struct err *e) _must_check_;
void archive_out_free(struct archive_out *o);
void archive_out_free_p(struct archive_out **o);
#define _cleanup_archive_out_ _cleanup_(archive_out_free_p)

int archive_out_entry(struct archive_out *o, const struct entry *entry,
		      struct err *e) _must_check_;
int archive_out_data(struct archive_out *o, const void *data, size_t len,
		     struct err *e) _must_check_;
/* The rest of the current entry's data; fed to `tap` if not NULL. */
int archive_out_copy(struct archive_out *o, struct archive_in *from, struct digest *tap,
		     struct err *e) _must_check_;
int archive_out_end(struct archive_out *o, struct err *e) _must_check_;

/*
 * An archive's name for a path without "./", "/" and trailing slashes: "usr/bin/x"; the
 * top itself is "". NULL when it has a ".." in it. Owned by the caller.
 */
char *archive_path_normal(const char *path);
