/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a conversion. container-input.c reads the input's members and the image's
 * metadata, container.c the layers, and writes the archive. */
#pragma once

#include "builder/root/container-json.h"

#define CONTAINER_CHUNK     (256 * 1024)
#define CONTAINER_DEPTH_MAX 127 /* layers: Docker's limit */

/* A file or symlink of the input. */
struct member {
	char *path, *target; /* normal; target NULL: a file */
	uint64_t at;         /* offset of its header */
};

/* A layer in the spool. */
struct spooled {
	uint64_t at, length;
	char blob[DIGEST_SHA256_LEN]; /* digest of the member's data */
};

struct conversion {
	int fd, scratch;
	const char *name;
	const struct container_name *as;
	int64_t mtime;
	struct archive_limit *limit;
	int plain; /* the input as a plain tar: fd, or the next */
	int unpacked;
	struct member *members; /* sorted by path */
	size_t n_members;
	size_t texts; /* bytes of all texts so far */
	struct container_image image;
	int spool;               /* the uncompressed layers, one after the other */
	uint64_t end;            /* its size */
	struct spooled *spooled; /* for each layer */
	char *layer;             /* the layer being spooled, for messages */
	struct container_archive *out;
};

/* Makes a file without a name. Returns its descriptor, or -1. */
int container_scratch_file(const struct conversion *x, struct err *e) _must_check_;

/* Finds all members of the input, which is decompressed for that. */
int container_list_members(struct conversion *x, struct err *e) _must_check_;

/* Opens the input at the member's data, and follows one symlink in the archive. Returns
 * 1, 0 when there is no such member, or -1. */
int container_find(const struct conversion *x, const char *path, struct archive_in **ret,
		   struct err *e) _must_check_;

/* Looks for the metadata. Docker 25 and later write an OCI layout that has a
 * manifest.json, too. */
int container_read_metadata(struct conversion *x, const char *digest,
			    struct err *e) _must_check_;
