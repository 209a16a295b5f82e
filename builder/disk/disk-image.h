/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a disk image as a stream of the disk's bytes: from a raw file, a compressed one
 * (zstd, gzip, xz, bzip2, lz4), or a qcow2. The format is detected by the file's first
 * bytes, not by its name, and so is whether it holds a disk.
 */
#pragma once

#include "builder/common/archive.h"
#include "builder/disk/disk-content.h"
#include "builder/disk/medium-ids.h"
#include "lib/digest-memo.h"

#define DISK_LIMIT (64ULL << 30) /* the default of `limit` */

/* The content that a command can use. */
enum disk_need {
	DISK_NEED_DISK, /* refuses CONTENT_ELSE */
	DISK_NEED_BOOT, /* refuses CONTENT_BARE as well */
	DISK_NEED_NONE, /* takes the file's own bytes, whatever they are */
};

struct disk_image {
	const char *path;   /* not owned */
	const char *format; /* "raw", "zstd", "qcow2", ... */
	uint64_t size;      /* of the disk, bytes */
	struct ptable table;
	struct disk_content content;
	enum disk_need need;
	int file;                  /* the image itself */
	struct digest_stamp stamp; /* its state when it was opened */
	int fd;                /* of the file, or of a temporary with the disk's bytes */
	struct archive_in *in; /* decompresses fd; NULL unless compressed */
	bool compressed;       /* fd has compressed bytes; then ... */
	int head; /* ... this has the disk's bytes that tables are read from */
	struct medium_envs envs; /* of a compressed image */
	uint64_t limit;          /* bytes that it may unpack to */
	uint64_t data;           /* of a compressed image: bytes without the zeros */
	struct archive_limit unpacked;
};

/*
 * Opens the image. What does not hold the content that is needed is refused; the message
 * says what it looks like, and names the images in its folder. A compressed one is then
 * read to its end, which gives its size and reports damage before anything is done with
 * it. A qcow2 is converted into a temporary file
 * without a name, with its holes, in $TMPDIR (/var/tmp). Refused are a qcow2 that refers
 * to other files, an image within an image, and one that unpacks to more than `limit`
 * bytes (0: no limit) or than there is room for; of a qcow2, only data counts.
 */
int disk_image_open(struct disk_image *ret, const char *path, uint64_t limit,
		    enum disk_need need, struct err *e) _must_check_;
void disk_image_done(struct disk_image *m);
#define DISK_IMAGE_INIT                                                                  \
	{                                                                                \
		.file = -1, .fd = -1, .head = -1                                         \
	}
#define _cleanup_disk_image_ _cleanup_(disk_image_done)

/* Sets *ret to the content of the file, of which the first MiB is read; of a qcow2 it is
 * taken to be a disk. Returns false when it cannot be read. */
bool disk_image_peek(struct disk_content *ret, const char *path);

/* Checks that the image is whole: its partition table is sound, and neither that nor the
 * copy of a GPT at the end nor an ISO 9660 file system says that the disk is longer. */
int disk_image_check(const struct disk_image *m, struct err *e) _must_check_;

/* Returns a descriptor from which the partition table, the first and last bytes that are
 * the GPT's, the first ones of the boot partition and an ISO's volume descriptors can be
 * read at their offsets. `m` owns it. */
int disk_image_table_fd(const struct disk_image *m);

/* Returns true when the file has not changed since it was opened, as far as its inode
 * tells, and is what `path` leads to. */
bool disk_image_is_unchanged(const struct disk_image *m, const char *path);

/* Sets the stream back to the disk's first byte. */
int disk_image_rewind(struct disk_image *m, struct err *e) _must_check_;

/* Reads the next `len` bytes; fewer are an error. */
int disk_image_read(struct disk_image *m, void *buf, size_t len,
		    struct err *e) _must_check_;

/* Returns a descriptor of a file with the disk's bytes, which `m` owns: a compressed
 * image is decompressed into a temporary file first. -1 on an error. */
int disk_image_seekable(struct disk_image *m, struct err *e) _must_check_;
