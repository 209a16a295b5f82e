/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identifiers of a boot medium. Two media written from one image would have the same, and
 * a machine with both would boot the root image, and the configuration, of either. So
 * each medium gets its own when it is written:
 *
 * - a disk: the GUIDs of its GPT, and the volume id of its FAT;
 * - an ISO: its volume id, which is its label, and the GUIDs of its GPT.
 *
 * The boot script finds the medium by the tag in its boot/grub/grubenv (disk-layout.h),
 * which is changed with them. No file that SHA256SUMS lists changes.
 */
#pragma once

#include "lib/err.h"

#define MEDIUM_ENVS_MAX 16
#define MEDIUM_ENV_LEN  512 /* bytes of an environment block that are looked at */
#define MEDIUM_TAG_MAX  64

/* Environment blocks of GRUB that have a tag, and entries of FAT folders named GRUBENV,
 * found in an image by their bytes. */
struct medium_envs {
	struct medium_env {
		uint64_t at; /* offset in the image */
		char text[MEDIUM_ENV_LEN];
	} v[MEDIUM_ENVS_MAX];
	size_t n;                           /* further ones are not recorded */
	uint32_t clusters[MEDIUM_ENVS_MAX]; /* first ones of the files */
	size_t n_clusters;
};

/* Looks for them in a piece of the image, which begins at a multiple of 512 bytes. */
void medium_envs_scan(struct medium_envs *e, uint64_t at, const void *data, size_t len);

/* Bytes of an image to be replaced while it is written. */
struct medium_edit {
	uint64_t at;
	size_t len;
	uint8_t *bytes;
};

struct medium_ids {
	char tag[MEDIUM_TAG_MAX]; /* by which the medium will be found; "" without one */
	struct medium_edit *v;
	size_t n; /* 0: the medium keeps the identifiers of the image */
};

struct disk_image;

/*
 * Chooses new identifiers for a medium that is written from the image, at random. An
 * image that rackstrap did not make gets none, and `tag` is "". One that has no tag in
 * grubenv, because an earlier rackstrap made it, keeps its own, and so does every image
 * with `keep`.
 */
int medium_ids_make(struct medium_ids *ret, struct disk_image *m, bool keep,
		    struct err *e) _must_check_;
void medium_ids_done(struct medium_ids *ids);
#define _cleanup_medium_ids_ _cleanup_(medium_ids_done)

/* Replaces the bytes of a piece of the image that begins at the offset `at`. */
void medium_ids_apply(const struct medium_ids *ids, uint64_t at, void *data, size_t len);
