/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares the finished root image with the entries that it was made of, so that no tool
 * is trusted with them: names, types, modes, owners, sizes, times, devices, targets of
 * links, files with several names, and extended attributes. The files' data is not
 * compared.
 */
#pragma once

#include "builder/common/archive.h"

struct root_check_entry {
	const char *path, *target; /* the caller's, who keeps them */
	void *caps;
	uint32_t n_caps;
	uint32_t uid, gid;
	uint32_t mtime;
	uint32_t inode; /* in the image; 0: not found */
	uint32_t links; /* names that the file has */
	uint16_t mode;
	uint8_t type;
	union {
		uint64_t size;
		uint32_t device[2]; /* major and minor */
	};
};

struct root_check {
	struct root_check_entry *v;
	size_t n;
};

/* Adds an entry that the image shall have. Its path is as archive_path_normal() returns
 * it, or "." for the top; the target of a hard link is such a path, too. */
void root_check_add(struct root_check *c, const struct entry *entry);

/* Reads the image `path`, whose top has the time `epoch`, and compares it with the
 * entries, all of which were added before. The error has the image's name without its
 * folder, which may be a temporary one, the first difference, and how many more there
 * are. `path` has a slash. */
int root_check_image(struct root_check *c, const char *path, uint64_t epoch,
		     struct err *e) _must_check_;
void root_check_done(struct root_check *c);
#define _cleanup_root_check_ _cleanup_(root_check_done)
