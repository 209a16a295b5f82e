/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that firstboot's commands, the initramfs and the image leave for each other:
 * small libconfig files below /run/rackstrap and /usr/lib/rackstrap. They are used for
 * reports only, so that a missing or damaged file is no error and leaves its values
 * empty.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "lib/str.h"

/* Facts about this boot, from BOOT_CFG, IMAGE_CFG and the kernel. */
struct boot_info {
	char *image;       /* the image's name, or NULL */
	char *root_sha256; /* of root.squashfs as the initramfs checked it, or NULL */
	char *boot_id;     /* or NULL */
	char *state;       /* device of the writable layer, "ram", or NULL */
	char **warnings;   /* of the boot script, which has printed them */
	/* Milliseconds since the kernel's start; 0: not known. */
	uint64_t initramfs_start_ms, initramfs_end_ms;
};
void boot_info_read(struct boot_info *ret, const struct firstboot *fb);
void boot_info_done(struct boot_info *b);
#define _cleanup_boot_info_ _cleanup_(boot_info_done)

/* The result of apply, for report (APPLY_CFG). */
struct applied {
	bool there;    /* there is a record */
	bool ok;       /* everything was configured and the target was started */
	char **errors; /* the reasons when not `ok` */
	char **warnings;
	char *uplink;              /* the link's name, or NULL */
	uint64_t start_ms, end_ms; /* of the boot's first run */
};
int applied_write(const struct applied *a, const struct firstboot *fb,
		  struct err *e) _must_check_;
void applied_read(struct applied *ret, const struct firstboot *fb);
void applied_done(struct applied *a);
#define _cleanup_applied_ _cleanup_(applied_done)

/* The last verdict, for status (REPORT_CFG). */
struct verdict {
	bool ready;
	bool starting; /* no verdict yet: the role's units start; not in REPORT_CFG */
	char *why;     /* the reasons when not ready; NULL: no verdict yet */
	uint64_t uptime_ms; /* the time of the verdict; 0: no verdict yet */
};
int verdict_write(const struct verdict *v, const struct firstboot *fb,
		  struct err *e) _must_check_;
void verdict_read(struct verdict *ret, const struct firstboot *fb);
void verdict_done(struct verdict *v);
#define _cleanup_verdict_ _cleanup_(verdict_done)

/* One phase of the boot and its duration. */
struct phase {
	const char *name;
	uint64_t ms;
};
#define PHASES_MAX 5

/*
 * Writes the phases kernel, initramfs, system, firstboot and, unless `end_ms` is 0,
 * units. The time of a phase whose end is not known is part of the next one. Returns
 * their number.
 */
size_t phases_make(const struct boot_info *b, const struct applied *a, uint64_t end_ms,
		   struct phase out[static PHASES_MAX]);

/* Replaces a file below RUN_DIR, which it makes if needed. Returns 0, or -1 with the path
 * in the message. */
int run_file_write(const struct firstboot *fb, const char *path, const char *text,
		   mode_t mode, struct err *e) _must_check_;
