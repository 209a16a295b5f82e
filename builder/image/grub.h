/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GRUB as a boot loader of media: core images by grub-mkimage(1) from the modules that
 * this machine has in /usr/lib/grub (packages grub-pc-bin, grub-efi-amd64-bin), and the
 * few bytes in them that say where on a disk they are.
 */
#pragma once

#include "builder/common/tool.h"

enum grub_platform {
	GRUB_BIOS_DISK, /* loaded by boot.img from a partition of its own */
	GRUB_BIOS_ISO,  /* loaded by El Torito, or by a stick's MBR */
	GRUB_EFI,       /* \EFI\BOOT\BOOTX64.EFI */
};

extern const struct tool grub_tools[]; /* NULL-terminated */

/* Writes the core image to `path`. It looks for boot/grub/grub.cfg on partition 2 of the
 * disk it came from (GRUB_BIOS_DISK) or on the file system it came from. */
int grub_core(enum grub_platform p, const char *path, struct err *e) _must_check_;

/*
 * Makes the disk `fd` boot by BIOS: boot.img into the MBR's code area, the core image
 * `core` at byte `at` of the disk, of `room` bytes, both told where they are. Sectors are
 * of 512 bytes.
 */
int grub_install(int fd, const char *core, uint64_t at, uint64_t room,
		 struct err *e) _must_check_;

#define GRUB_BOOT_HYBRID "/usr/lib/grub/i386-pc/boot_hybrid.img" /* an ISO's MBR */
