/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recipe.cfg(5): what an image is made of. Read to its end, every mistake told at once;
 * from then on a const plan that the builder carries out.
 *
 * A recipe may include another one and is laid over it: the groups (base, initramfs,
 * squashfs, media) key by key; artifacts, containers, files and units entry by entry;
 * anything else as a whole. An entry replaces, as a whole and in its place, the included
 * one of the same name (an artifact's name, a container's image, a file's to, a unit's
 * file name); without such a one it is appended. The group `remove` lists names of
 * included entries that the image does not have. Relative paths in a recipe are relative
 * to the file they are written in.
 */
#pragma once

#include "builder/common/digest.h"
#include "firstboot/model/host.h"

/* Where something is written: "images/bookworm/recipe.cfg:12". Owned. */
typedef char *recipe_where;

struct base_type;
struct image_type;

struct recipe_base {
	const struct base_type *type;
	char *url; /* of type tar, disk: what it is made from */
	char *sum; /* of that, hex, or NULL */
	enum digest_type sum_type;
	char *image;       /* or of a registry: "ubuntu:15.04", ... */
	char *manifest;    /* ... "sha256:<hex>" of its manifest, or NULL, ... */
	char *layer;       /* ... and "sha256:<hex>" of the layer that is the root */
	char *suite;       /* "bookworm" */
	char **components; /* [ "main" ] */
	char *mirror;      /* URI, or NULL: the machine's own apt configuration */
	char **pockets;    /* "updates", "security"; NULL: those that apt has, or none */
	char *origin;      /* without mirror: whose archive, "Debian" */
	char *keyring;     /* file that signs it, or NULL */
	bool archived;     /* that its, or its key's, time is over is forgiven */
	char *kernel;      /* package */
	char **packages;
	char **path_exclude; /* given to dpkg: not even unpacked */
	recipe_where where;
};

enum initramfs_policy {
	INITRAMFS_AUTO, /* while reading: LIST where modules are named, else MOST */
	INITRAMFS_LIST, /* only the modules named */
	INITRAMFS_MOST, /* and what initramfs-tools thinks most machines need */
};

struct recipe_initramfs {
	enum initramfs_policy policy;
	char **modules;
	char **tools;   /* programs to copy in, absolute paths in the base */
	char *compress; /* "zstd", "gzip", ... as initramfs.conf(5) knows them */
	recipe_where where;
};

struct recipe_squashfs {
	char *compression; /* "zstd", "xz", "gzip", "lzo", "lz4" */
	int level;         /* 0: the compressor's own */
	char *block;       /* "1M" */
};

/* What to take out of an archive: a member that is installed, or one that is itself an
 * archive and has more to take. */
struct recipe_extract {
	char *path; /* of the member */
	char *to;   /* installed as; NULL for an archive in the archive */
	unsigned mode;
	recipe_where where;
	struct recipe_extract *v;
	size_t n;
};

/* What an artifact is for. */
enum artifact_use {
	ARTIFACT_FILES,     /* to and extract say */
	ARTIFACT_BASE,      /* the image starts from it */
	ARTIFACT_CONTAINER, /* see recipe_container */
};

struct recipe_artifact {
	enum artifact_use use;
	char *name;
	char *url;
	char *digest; /* hex, or NULL; without it, and beside a weak one, the lock must
		       * have one */
	enum digest_type digest_type;
	bool standin;
	char *to; /* of a bare file, else NULL and extract says */
	unsigned mode;
	uint64_t limit; /* bytes that it may unpack to */
	recipe_where where;
	struct recipe_extract *v;
	size_t n;
};

/* A container image that Docker has before the cluster starts. */
struct recipe_container {
	char *image;    /* what Docker calls it: "calico/node:v0.4.8" */
	char *url;      /* docker://... of a registry, or of an archive; NULL: file */
	char *manifest; /* "sha256:<hex>" of the registry's manifest, or NULL */
	char *sum;      /* of the archive at url, hex, or NULL */
	enum digest_type sum_type;
	char *file;    /* an archive on this machine ... */
	char *written; /* ... as the recipe writes it, for the manifest */
	bool standin;
	recipe_where where;
};

enum recipe_file_type {
	RECIPE_FILE_SOURCE,  /* text: a path on this machine */
	RECIPE_FILE_CONTENT, /* text: the bytes themselves */
	RECIPE_FILE_LINK,    /* text: the target */
	RECIPE_FILE_DIR,
};

struct recipe_file {
	enum recipe_file_type type;
	char *to;
	char *text;
	char *written; /* the source as the recipe writes it, for the manifest */
	unsigned mode;
	recipe_where where;
};

struct recipe_unit {
	char *name;
	char *source; /* path on this machine */
	char *written;
	recipe_where where;
};

/* A unit that is enabled, disabled or masked. */
struct recipe_switch {
	char *unit;
	recipe_where where;
};

struct recipe_switches {
	struct recipe_switch *v;
	size_t n;
};

/* What disks and ISOs (image.h) are besides the three files that every medium holds. */
struct recipe_media {
	uint32_t sector_size; /* of a disk: 512 or 4096 */
	uint64_t slot_size;   /* bytes, of a disk; 0: what the files need and a quarter */
	char *cmdline;        /* more words for the kernel, or NULL */
	char **formats;       /* of a disk, names of disk_formats; never empty */
	char *host, *rack;    /* files on this machine: who boots from it; or NULL */
	recipe_where where;
};

struct recipe {
	char *file;    /* the one that was asked for */
	char *dir;     /* it is in */
	bool includes; /* it is made of more than that file */
	char *name, *summary, *cmdline;
	uint64_t epoch; /* seconds; no time in the image is later */
	struct recipe_base base;
	struct recipe_initramfs initramfs;
	struct recipe_squashfs squashfs;
	char **exclude;
	struct recipe_artifact *artifacts; /* those of base and containers come last */
	size_t n_artifacts;
	struct recipe_container *containers;
	size_t n_containers;
	struct recipe_file *files;
	size_t n_files;
	struct recipe_unit *units;
	size_t n_units;
	struct recipe_switches enable, disable, mask;
	struct roles roles;
	recipe_where roles_where;
	const struct image_type **images;
	size_t n_images;
	struct recipe_media media;
};

/*
 * `path` is a recipe file or the folder that holds recipe.cfg. SOURCE_DATE_EPOCH in the
 * environment, if there, wins over the recipe's epoch. 0, or -1 with complaints.
 */
int recipe_load(struct recipe *ret, const char *path, struct diag *d) _must_check_;
void recipe_done(struct recipe *r);
#define _cleanup_recipe_ _cleanup_(recipe_done)

/* What the artifact of a container is called. Owned. */
char *recipe_container_name(const struct recipe_container *c);

/* The plan as text, for --dry-run and the tests; with files and lines where a recipe
 * includes another. Owned by the caller. */
char *recipe_describe(const struct recipe *r);
