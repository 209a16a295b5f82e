/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes GRUB core images with grub-mkimage(1) from the modules in /usr/lib/grub (packages
 * grub-pc-bin, grub-efi-amd64-bin), and installs one on a disk image for BIOS.
 */
#pragma once

#include "builder/common/tool.h"
#include "lib/str.h"

enum grub_platform {
	GRUB_BIOS_DISK, /* loaded by boot.img from the partition DISK_BIOS */
	GRUB_BIOS_ISO,  /* loaded by El Torito, or by a stick's MBR */
	GRUB_EFI,       /* \EFI\BOOT\BOOTX64.EFI */
};

extern const struct tool grub_tools[]; /* NULL-terminated */

/* Writes the core image to `path`. When it runs, it reads boot/grub/grub.cfg of partition
 * 2 of the disk (GRUB_BIOS_DISK) or of the file system that it was loaded from. */
int grub_core(enum grub_platform p, const char *path, struct err *e) _must_check_;

/*
 * Makes the disk image `fd`, with sectors of 512 bytes, boot by BIOS: writes boot.img
 * into the MBR's code area and the core image, from the file `core`, at byte `at`, where
 * it may have `room` bytes, and sets their positions in both.
 */
int grub_install(int fd, const char *core, uint64_t at, uint64_t room,
		 struct err *e) _must_check_;

/* Appends sizes and times of GRUB's files on this machine: other ones make another core
 * image. */
void grub_append_state(struct buf *b);

#define GRUB_BOOT_HYBRID "/usr/lib/grub/i386-pc/boot_hybrid.img" /* MBR of an ISO */
