/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recipe.cfg(5): the contents of an image. A recipe is read to its end and all its
 * mistakes are reported at once; after that it is a const plan for the builder.
 *
 * A recipe that includes another is laid over it: the groups (base, initramfs, squashfs,
 * media) key by key; artifacts, containers, files and units entry by entry; anything else
 * as a whole. An entry replaces, as a whole and in its place, the included one of the
 * same name (an artifact's name, a container's image, a file's to, a unit's file name);
 * without such a one it is appended. The group `remove` lists names of included entries
 * that the image does not have. Relative paths in a recipe are relative to the file they
 * are written in.
 */
#pragma once

#include "builder/common/digest.h"
#include "firstboot/model/host-template.h"

/* A place in a recipe: "images/bookworm/recipe.cfg:12". Owned. */
typedef char *recipe_where;

/* The defaults of `limit` and `max_size`. */
#define RECIPE_LIMIT    (16ULL << 30)
#define RECIPE_MAX_SIZE (16ULL << 30)

struct base_type;
struct image_type;

struct recipe_base {
	const struct base_type *type;
	char *url;    /* source of the types tar and disk, as it is recorded */
	char *source; /* ... and as it is fetched: with its query; NULL: url */
	char *sum;    /* its digest in hex, or NULL */
	enum digest_type sum_type;
	char *image;       /* or an image of a registry, "ubuntu:15.04", ... */
	char *manifest;    /* ... with "sha256:<hex>" of its manifest, or NULL, ... */
	char *layer;       /* ... and "sha256:<hex>" of the layer that is the root */
	char *suite;       /* "bookworm" */
	char **components; /* [ "main" ] */
	char *mirror;      /* URI, or NULL: the machine's own apt configuration */
	char **pockets;    /* "updates", "security"; NULL: those that apt has, or none */
	char *origin;      /* without mirror: the archive's Origin, "Debian" */
	char *keyring;     /* file with the archive's keys, or NULL */
	bool archived;     /* true: an expired archive or key is accepted */
	char *kernel;      /* the kernel's package */
	char **packages;
	char **path_exclude; /* for dpkg: these paths are not even unpacked */
	uint64_t limit;      /* bytes that it, and what it is made from, may unpack to */
	uint64_t max_size;   /* bytes that the file at url may have */
	char **misspelled;   /* keys, see recipe_add_misspelled() */
	recipe_where where;
};

enum initramfs_policy {
	INITRAMFS_AUTO, /* only while reading: LIST if modules are named, else MOST */
	INITRAMFS_LIST, /* only the modules named */
	INITRAMFS_MOST, /* and those that initramfs-tools considers needed by most
			   machines */
};

struct recipe_initramfs {
	enum initramfs_policy policy;
	char **modules;
	char **tools;   /* programs to copy in, absolute paths in the base */
	char *compress; /* "zstd", "gzip", ... as in initramfs.conf(5) */
	recipe_where where;
};

struct recipe_squashfs {
	char *compression; /* "zstd", "xz", "gzip", "lzo", "lz4" */
	int level;         /* 0: the compressor's default */
	char *block;       /* "1M" */
};

/* Extracts a member of an archive: it is installed, or is itself an archive with members
 * to extract. */
struct recipe_extract {
	char *path; /* of the member */
	char *to;   /* path it is installed as; NULL for an archive in the archive */
	unsigned mode;
	recipe_where where;
	struct recipe_extract *v;
	size_t n;
};

/* Uses of an artifact. */
enum artifact_use {
	ARTIFACT_FILES,     /* installed as to and extract say */
	ARTIFACT_BASE,      /* the image is made from it */
	ARTIFACT_CONTAINER, /* see recipe_container */
};

struct recipe_artifact {
	enum artifact_use use;
	char *name;
	char *url;    /* as it is recorded and printed */
	char *source; /* as it is fetched: with its query; NULL: url */
	char *digest; /* hex, or NULL; without it, or with a weak one only, the lock must
			 have one */
	enum digest_type digest_type;
	bool standin;
	char *to; /* of a bare file; NULL: see extract */
	unsigned mode;
	uint64_t limit;    /* bytes that it may unpack to */
	uint64_t max_size; /* bytes that it may have */
	recipe_where where;
	struct recipe_extract *v;
	size_t n;
};

/* A container image that Docker has before the cluster starts. */
struct recipe_container {
	char *image;    /* its name in Docker: "calico/node:v0.4.8" */
	char *url;      /* docker://... of a registry, or of an archive; NULL: file */
	char *source;   /* url with its query, to fetch; NULL: url */
	char *manifest; /* "sha256:<hex>" of the registry's manifest, or NULL */
	char *sum;      /* digest of the archive at url in hex, or NULL */
	enum digest_type sum_type;
	char *file;     /* an archive on this machine, ... */
	char *written;  /* ... and its path as written in the recipe, for the manifest */
	uint64_t limit; /* bytes that it may unpack to */
	uint64_t max_size; /* bytes that it may have */
	bool standin;
	recipe_where where;
};

enum recipe_file_type {
	RECIPE_FILE_SOURCE,  /* text is a path on this machine */
	RECIPE_FILE_CONTENT, /* text is the file's content */
	RECIPE_FILE_LINK,    /* text is the link's target */
	RECIPE_FILE_DIR,
};

struct recipe_file {
	enum recipe_file_type type;
	char *to;
	char *text;
	char *written; /* the source as written in the recipe, for the manifest */
	unsigned mode;
	recipe_where where;
};

/* `written` and `where` of what is part of rackstrap (recipe-product.c). */
#define RECIPE_OWN "rackstrap"

/* Returns why no file of a recipe may have this path on a host, to follow "'/run/x' is";
 * or NULL. `path` has no symlinks and may lack the slash at its beginning. */
const char *recipe_path_refusal(const char *path);

#define RECIPE_UNIT_DIR "/etc/systemd/system/"
#define RECIPE_NETWORKD "systemd-networkd.service"
#define RECIPE_SSH_KEYS "rackstrap-ssh-keys.service"

struct recipe_unit {
	char *name;
	char *source; /* a path on this machine; NULL: text */
	char *text;
	char *written;
	recipe_where where;
};

/* A file that firstboot makes on hosts (firstboot/model/host-template.h). */
struct recipe_template {
	char *path;    /* on the host */
	char *source;  /* a path on this machine */
	char *written; /* the source as written in the recipe */
	bool unread;   /* there is a complaint that the source cannot be read */
	unsigned mode;
	enum template_format format;
	char **roles; /* NULL: all */
	char **units; /* restarted when the file changes */
	recipe_where where, roles_where, units_where;
};

/* Returns NULL, or why a template may not have this absolute path, to follow it. */
const char *recipe_template_path_wrong(const char *path);

/* An enabled, disabled or masked unit. */
struct recipe_switch {
	char *unit;
	const char *why; /* an image with roles needs it; NULL: the recipe names it */
	recipe_where where;
};

struct recipe_switches {
	struct recipe_switch *v;
	size_t n;
};

/* Settings of disks and ISOs, besides the three files that every medium holds. */
struct recipe_media {
	uint32_t sector_size; /* of a disk: 512 or 4096 */
	uint64_t slot_size;   /* bytes, of a disk; 0: the size of the files and a quarter
				 more */
	char *cmdline;        /* more words for the kernel, or NULL */
	char **formats;       /* of a disk: names of disk_formats; never empty */
	char *host, *rack;    /* files on this machine, host.cfg or rack.cfg; or NULL */
	recipe_where where, file_where; /* of the group, and of that file's key */
};

struct recipe {
	char *file;    /* the path given to recipe_load(), or recipe.cfg in it */
	char *dir;     /* the folder of `file` */
	bool includes; /* true: it includes another recipe */
	char *name, *summary, *cmdline;
	uint64_t epoch; /* seconds; times in the image are not later */
	struct recipe_base base;
	struct recipe_initramfs initramfs;
	struct recipe_squashfs squashfs;
	char **exclude;
	recipe_where exclude_where;
	struct recipe_artifact *artifacts; /* those of base and containers are the last */
	size_t n_artifacts;
	struct recipe_container *containers;
	size_t n_containers;
	struct recipe_file *files;
	size_t n_files;
	struct recipe_unit *units;
	size_t n_units;
	struct recipe_template *templates;
	size_t n_templates;
	struct host_templates compiled; /* the same with their texts */
	struct recipe_switches enable, disable, mask;
	struct roles roles;
	recipe_where roles_where;
	char **role_wheres; /* by role: of its units, or of the role without any */
	const struct image_type **images;
	size_t n_images;
	struct recipe_media media;
	char **misspelled; /* keys, see recipe_add_misspelled() */
};

/*
 * Reads a recipe file, or recipe.cfg of the folder `path`. SOURCE_DATE_EPOCH in the
 * environment overrides the recipe's epoch. Returns 0, or -1 with complaints.
 */
int recipe_load(struct recipe *ret, const char *path, struct diag *d) _must_check_;
void recipe_done(struct recipe *r);
#define _cleanup_recipe_ _cleanup_(recipe_done)

/* Returns the name of a container's artifact. Owned by the caller. */
char *recipe_container_name(const struct recipe_container *c);

/* Returns the words for an artifact in messages: "artifact 'NAME'", or the name of a
 * container's artifact. Owned by the caller. */
char *recipe_artifact_title(const struct recipe_artifact *a);

/* Returns the plan as text, for --dry-run and the tests; with files and lines if the
 * recipe includes another. Owned by the caller. */
char *recipe_describe(const struct recipe *r);
/* Returns the same as JSON. Owned by the caller. */
char *recipe_describe_json(const struct recipe *r);
