/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree that every medium holds (disk-layout.h), as files in a folder: the image
 * types put it into a FAT or an ISO 9660 file system.
 */
#pragma once

#include "builder/image/image-parts.h"

struct medium {
	char *dir;    /* of the tree; removed with all that is in it by medium_done */
	char **paths; /* of its files, sorted so that a folder's are together */
	char id[DIGEST_HEX_MAX]; /* digest of all that is on the medium */
	uint64_t parts;          /* bytes of the three files */
};

enum medium_type {
	MEDIUM_ON_DISK, /* one file system has it all; found by its partition's GUID */
	MEDIUM_ON_ISO,  /* who boots from it is in another; found by its label */
};

/* Which files of the base have their text looked at: they end up in the tree, and not in
 * the root image. */
bool medium_want(const char *path);

/* Makes the folder `name` in parts->outfd and the tree in it. */
int medium_stage(struct medium *ret, enum medium_type type, const char *name,
		 const struct image_parts *parts, struct err *e) _must_check_;
void medium_done(struct medium *m);
#define _cleanup_medium_ _cleanup_(medium_done)

/* Adds a file of the tree: a text, or host.cfg or rack.cfg where the recipe names one. */
int medium_text(struct medium *m, const char *path, const char *text, size_t len,
		uint64_t epoch, struct err *e) _must_check_;
int medium_config(struct medium *m, const struct image_parts *parts,
		  struct err *e) _must_check_;

/* Adds a file that another tree has. */
int medium_link(struct medium *m, const struct medium *from, const char *path,
		struct err *e) _must_check_;
/* After a file of the tree was changed in its place. */
int medium_set_time(const struct medium *m, const char *path, uint64_t epoch,
		    struct err *e) _must_check_;

/* What an ISO is called: "RACKSTRAP_" and eight digits. Owned. */
char *medium_iso_label(const struct medium *m);
