/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What firstboot's runs tell each other, and what the initramfs and the image tell it:
 * small libconfig files below /run/rackstrap and /usr/lib/rackstrap. Reading is lenient,
 * a file that is not there leaves its values empty: these tell a story, nothing hangs on
 * them.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "lib/str.h"

/* The boot so far, from BOOT_CFG, IMAGE_CFG and the kernel. */
struct boot_info {
	char *image;       /* the image's name, or NULL */
	char *root_sha256; /* of root.squashfs as the initramfs checked it, or NULL */
	char *boot_id;     /* or NULL */
	char *state;       /* device of the writable layer, "ram", or NULL */
	uint64_t initramfs_start_ms, initramfs_end_ms; /* since the kernel's start; 0: not
							* known */
};
void boot_info_read(struct boot_info *ret, const struct firstboot *fb);
void boot_info_done(struct boot_info *b);
#define _cleanup_boot_info_ _cleanup_(boot_info_done)

/* What apply did, for report (APPLY_CFG). */
struct applied {
	bool there;    /* it left a record */
	bool ok;       /* everything was configured and the target started */
	char **errors; /* every reason why not */
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
	char *why;          /* when not ready; NULL: no verdict yet */
	uint64_t uptime_ms; /* when it fell; 0: no verdict yet */
};
int verdict_write(const struct verdict *v, const struct firstboot *fb,
		  struct err *e) _must_check_;
void verdict_read(struct verdict *ret, const struct firstboot *fb);
void verdict_done(struct verdict *v);
#define _cleanup_verdict_ _cleanup_(verdict_done)

/* One phase of the boot: how long it took. */
struct phase {
	const char *name;
	uint64_t ms;
};
#define PHASES_MAX 5

/*
 * kernel, initramfs, system, firstboot and, when `end_ms` is not 0, units: those of which
 * both ends are known. Returns how many.
 */
size_t phases_make(const struct boot_info *b, const struct applied *a, uint64_t end_ms,
		   struct phase out[static PHASES_MAX]);

/* RUN_DIR/<name> replaced. -1 with the path in the message. */
int run_file_write(const struct firstboot *fb, const char *path, const char *text,
		   mode_t mode, struct err *e) _must_check_;
