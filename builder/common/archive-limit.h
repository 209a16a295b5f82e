/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of an archive that comes from elsewhere: one total for an input, with all
 * archives in it.
 *
 * Counted are the bytes that come out of each decompressor, or the sum of the members'
 * sizes where that is more (a zip compresses each member by itself, and a hole of a
 * sparse member has no bytes in the archive).
 */
#pragma once

#include "lib/err.h"

#define ARCHIVE_MEMBERS_MAX   1000000
#define ARCHIVE_NAMES_MAX     (96U << 20) /* bytes of all names and link targets */
#define ARCHIVE_NAME_MAX      4095        /* bytes of one, as of a path in Linux */
#define ARCHIVE_HEADER_MAX    (4U << 20)  /* bytes of one member's header */
#define ARCHIVE_ACL_MAX       (64U << 10) /* of one with access control lists */
#define ARCHIVE_DIRECTORY_MAX (32U << 20) /* bytes of a zip's directory */
#define ARCHIVE_WINDOW_MAX    (128U << 20)

struct archive_limit {
	uint64_t bytes;    /* 0: as many as there are */
	const char *raise; /* what raises that limit, for messages: "key 'limit' of the
			      artifact" */
	uint64_t members;  /* 0: ARCHIVE_MEMBERS_MAX */

	/* Counted by the readers that were opened with it. */
	uint64_t used, n_members, names;
};

/*
 * Counts `bytes` more. Returns 0, or -1 when that is more than the limit; then nothing
 * was counted. `name` and `member` (or NULL) are for the message.
 */
int archive_limit_bytes(struct archive_limit *l, uint64_t bytes, const char *name,
			const char *member, struct err *e) _must_check_;

/* Counts a member with its name and target (or NULL), and checks their length. */
int archive_limit_member(struct archive_limit *l, const char *name, const char *path,
			 const char *target, struct err *e) _must_check_;

/* Returns the largest window of a decompressor that reads from `outer` others, so that
 * all of them together need less than 220 MiB; 0 when that are too many. */
uint64_t archive_limit_window(unsigned outer);
