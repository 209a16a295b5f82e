/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the tree of files that is on every medium (disk-layout.h), as files in a folder.
 * The image types copy it into a FAT or an ISO 9660 file system.
 */
#pragma once

#include "builder/image/image-parts.h"

struct medium_tree {
	char *dir; /* folder of the tree; medium_tree_done() removes it with its files */
	char **paths; /* of the files, relative to dir; sorted: a folder's are together */
	char id[DIGEST_HEX_MAX]; /* SHA-256 that identifies the contents */
	uint64_t parts;          /* bytes of kernel, initrd and root.squashfs together */
};

enum medium_type {
	MEDIUM_ON_DISK, /* the configuration is in the tree; found by the partition's GUID
			 */
	MEDIUM_ON_ISO,  /* the configuration is in boot/efi.img; found by the label */
};

/* Returns true for the files of the base that medium_tree_make() copies into the tree
 * when the base has them: their text must be in parts->base. */
bool medium_tree_needs(const char *path);

/* Makes the folder `name` in parts->outdir and the tree in it. */
int medium_tree_make(struct medium_tree *ret, enum medium_type type, const char *name,
		     const struct image_parts *parts, struct err *e) _must_check_;
void medium_tree_done(struct medium_tree *m);
#define _cleanup_medium_tree_ _cleanup_(medium_tree_done)

/* Adds the file `path` with this text and `epoch` as its time. */
int medium_tree_add_text(struct medium_tree *m, const char *path, const char *text,
			 size_t len, uint64_t epoch, struct err *e) _must_check_;

/* Adds host.cfg or rack.cfg if the recipe names one. */
int medium_tree_add_config(struct medium_tree *m, const struct image_parts *parts,
			   struct err *e) _must_check_;

/* Adds GRUB's environment block, with the tag of the medium whose tree is `m`, to the
 * tree `to`. */
int medium_tree_add_env(struct medium_tree *to, const struct medium_tree *m,
			enum medium_type type, uint64_t epoch,
			struct err *e) _must_check_;

/* Adds the file `path` of the tree `from` as a hard link. */
int medium_tree_add_link(struct medium_tree *m, const struct medium_tree *from,
			 const char *path, struct err *e) _must_check_;

/* Sets the time of a file; to be called after its contents were changed. */
int medium_tree_set_time(const struct medium_tree *m, const char *path, uint64_t epoch,
			 struct err *e) _must_check_;

/* Returns the volume id of an ISO: "RACKSTRAP_" and eight hex digits. Owned. */
char *medium_tree_iso_label(const struct medium_tree *m);
