/* SPDX-License-Identifier: Apache-2.0 */
/* Reads an image's manifest.json, which the builder wrote. */
#pragma once

#include "firstboot/model/host-template.h"
#include "lib/digest-memo.h"
#include "lib/err.h"

#define IMAGE_MANIFEST_MAX (16U << 20) /* bytes of a manifest.json */

enum image_part { IMAGE_KERNEL, IMAGE_INITRD, IMAGE_ROOT, IMAGE_PARTS };
extern const char *const image_part_names[IMAGE_PARTS];

struct known_digests;

/* A unit of a role. */
struct image_unit {
	char *name;
	bool known;     /* the builder could find the following */
	char **files;   /* of its EnvironmentFile=, absolute paths */
	char **follows; /* units with which systemd restarts it */
};

/* A built image: a folder with vmlinuz, initrd.img, root.squashfs, manifest.json. */
struct image {
	char *dir;
	char *name;    /* the recipe's */
	char *cmdline; /* the recipe's words for the kernel command line */
	char *kernel_sha256, *initrd_sha256, *root_sha256; /* lower-case hex */
	uint64_t kernel_size, initrd_size, root_size;      /* bytes */
	uint64_t epoch;  /* SOURCE_DATE_EPOCH of the build */
	char **standins; /* programs in it that are stand-ins ("kubelet", ...), or NULL */
	struct roles roles;
	struct host_templates templates; /* compiled */
	struct image_unit *units;        /* of its roles; NULL: not known */
	size_t n_units;
	bool has_accounts;      /* the manifest has `users`: the image's firstboot handles
				 * secrets */
	char **users, **groups; /* names in it; NULL: not known */
	/* Set by image_check(), in pxe/image-check.h. */
	const struct known_digests *known;
	struct digest_stamp stamps[IMAGE_PARTS];
};

/* Reads the manifest, compares it with the SHA256SUMS beside it, if there is one, and
 * checks that the files exist and have the sizes it says. image_check() compares their
 * digests. */
int image_open(struct image *ret, const char *dir, struct err *e) _must_check_;
void image_done(struct image *i);
#define _cleanup_image_ _cleanup_(image_done)

/* A file that the recipe added to the root, as the manifest has it. */
struct image_file {
	char *path;   /* "/usr/bin/x" */
	char *type;   /* "file", "dir", "link" */
	char *target; /* of a link, else NULL */
	char *sha256; /* of a file, else NULL */
	unsigned mode;
	uint64_t size;
};

struct image_files {
	struct image_file *v;
	size_t n;
};

/* Parses the text of a manifest.json. ret->dir is NULL, and sizes and digests are the
 * manifest's: no file is looked at. `files` may be NULL. */
int image_parse(struct image *ret, struct image_files *files, const char *text,
		size_t len, struct err *e) _must_check_;
void image_files_done(struct image_files *f);
#define _cleanup_image_files_ _cleanup_(image_files_done)
