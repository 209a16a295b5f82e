/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what others wrote as JSON: an image's manifest.json (the builder's) and a
 * host's report (firstboot's). image.c is the only file that includes jansson.h.
 */
#pragma once

#include "firstboot/model/host.h"
#include "lib/err.h"

/* A built image: a folder with vmlinuz, initrd.img, root.squashfs, manifest.json. */
struct image {
	char *dir;
	char *name;    /* recipe's */
	char *cmdline; /* kernel words the recipe asks for */
	char *kernel_sha256, *initrd_sha256, *root_sha256; /* lower-case hex */
	uint64_t kernel_size, initrd_size, root_size;      /* bytes */
	uint64_t epoch;  /* SOURCE_DATE_EPOCH it was built with */
	char **standins; /* what in it is a stand-in ("kubelet", ...); NULL: nothing */
	struct roles roles;
};

/* Checks that the files are there with the sizes the manifest says. */
int image_open(struct image *ret, const char *dir, struct err *e) _must_check_;
void image_done(struct image *i);

/* A file of the root that the recipe put there, as the manifest has it. */
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

/* A manifest.json that is not beside its files: `dir` is NULL then, the parts' sizes and
 * digests what it says. `files` may be NULL. */
int image_parse(struct image *ret, struct image_files *files, const char *text,
		size_t len, struct err *e) _must_check_;
void image_files_done(struct image_files *f);
#define _cleanup_image_files_ _cleanup_(image_files_done)
#define _cleanup_image_       _cleanup_(image_done)

/* One phase of a boot, in the order they happened. */
struct report_phase {
	char *name;  /* "kernel", "initramfs", "system", "firstboot", "units" */
	uint64_t ms; /* it took */
};

struct report {
	char *host, *role;    /* NULL: it could not read its own configuration */
	char *address, *cbr0; /* as in host.cfg; NULL: none */
	char *verdict;        /* "ready" or "failed" */
	char *why;            /* when failed */
	char *config_sha256;  /* of the effective configuration */
	char *boot_id;        /* /proc/sys/kernel/random/boot_id */
	uint64_t generation;
	uint64_t uptime_ms; /* when the verdict fell, since the kernel started */
	struct report_phase *phases;
	size_t n_phases;
	char **failed_units;
	char **last_lines; /* "UNIT: LINE" of the units at fault, as they wrote them:
			    * those that failed first. Not cleaned for a terminal */
};

/* -1 with a message when it is not a report. */
int report_parse(struct report *ret, const char *text, size_t len,
		 struct err *e) _must_check_;
void report_done(struct report *r);
#define _cleanup_report_ _cleanup_(report_done)
