/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout of a medium: the image types `disk` and `iso` write it, the boot script and
 * the commands that change an image read it.
 *
 * A disk (UEFI 2.10, chapter 5: GPT), every partition on whole MiB, in this order:
 *
 *	1  rackstrap-bios   1 MiB   type 21686148-6449-6E6F-744E-656564454649: GRUB's core
 *	                            for BIOS, which boot.img in the MBR loads from here.
 *	                            Empty with sectors of 4096 bytes: no BIOS boots those.
 *	2  rackstrap-boot   FAT32   type C12A7328-F81F-11D2-BA4B-00A0C93EC93B (EFI system
 *	                            partition): the tree below, with room for two slots.
 *	3  rackstrap-state  1 MiB   type 0FC63DAF-8483-4772-8E79-3D69D8477DE4 (Linux), the
 *	                            last one, all zeros. The first boot grows it to the
 *	                            disk's end and makes it ext4, label rackstrap-state.
 *
 * and 1 MiB at the end that holds the backup GPT. GUIDs and the FAT's volume id are
 * derived from the image's content (disk_guid): two images with the same content are the
 * same bytes, two with different content can be used in one machine. A disk that
 * `rackstrap write` writes gets random ones instead, and so does an ISO's label
 * (builder/disk/medium-ids.h), so that two disks written from one image can be, too.
 *
 * The tree, on partition 2 of a disk and as the ISO's own file system (ISO 9660 with Rock
 * Ridge) alike:
 *
 *	rackstrap/a/	slot A: vmlinuz, initrd.img and root.squashfs; slot.cfg, with
 *			which GRUB loads them; manifest.json, the list of their contents
 *			(manifest.h), whose outputs are the three files
 *	rackstrap/b/	slot B, after an upgrade; absent in a fresh image
 *	rackstrap/SHA256SUMS	every file of the tree, with paths relative to the tree's
 *			top, except itself, host.cfg, rack.cfg, grubenv, and the files of
 *			an ISO that are made after it: boot/efi.img (its EFI/BOOT has the
 *			tree's files), boot/grub/eltorito.img (GRUB for BIOS, into which
 *			its own position is written) and boot/boot.cat (El Torito's)
 *	boot/grub/grub.cfg	the menu, for BIOS and UEFI
 *	boot/grub/grubenv	GRUB's environment block: `slot` is "a" or "b", and
 *			`medium` the tag by which the boot script finds the medium, such
 *			as "PARTUUID=..." of partition 2, or "LABEL=..." of an ISO, which
 *			also has `label`. All of them are in the first 512 bytes
 *	EFI/BOOT/	BOOTX64.EFI is GRUB; with Secure Boot shim, and grubx64.efi GRUB
 *	rackstrap/host.cfg or rack.cfg: the configuration of the machine, or of all
 *			machines of a rack; optional. On an ISO in boot/efi.img instead
 *
 * An ISO's boot/efi.img is a FAT image, and at the same time the EFI system partition
 * that the ISO's GPT has once it is written to a stick. It holds EFI/BOOT, a
 * boot/grub/grub.cfg that loads the ISO's own, which it finds by the `label` in a grubenv
 * like the ISO's beside it, and rackstrap/host.cfg or rack.cfg, which
 * can be added afterwards: some MiB are free for them. Changing them changes no other
 * byte of the ISO. Its volume id is "RACKSTRAP_" and the first 8 digits of
 * disk_guid(digest, "iso") in upper case.
 */
#pragma once

#include "lib/err.h"

#define MEDIUM_SLOT_A   "rackstrap/a"
#define MEDIUM_SLOT_B   "rackstrap/b"
#define MEDIUM_KERNEL   "vmlinuz" /* the three files of a slot */
#define MEDIUM_INITRD   "initrd.img"
#define MEDIUM_ROOT     "root.squashfs"
#define MEDIUM_SLOT_CFG "slot.cfg"
#define MEDIUM_MANIFEST "manifest.json"
#define MEDIUM_HOST_CFG "rackstrap/host.cfg"
#define MEDIUM_RACK_CFG "rackstrap/rack.cfg"
#define MEDIUM_SUMS     "rackstrap/SHA256SUMS"
#define MEDIUM_GRUB_CFG "boot/grub/grub.cfg"
#define MEDIUM_GRUB_ENV "boot/grub/grubenv"
#define MEDIUM_EFI_IMG  "boot/efi.img" /* these three exist on an ISO only */
#define MEDIUM_ELTORITO "boot/grub/eltorito.img"
#define MEDIUM_BOOT_CAT "boot/boot.cat"
#define MEDIUM_EFI_DIR  "EFI/BOOT"

#define MEDIUM_TAG_VARIABLE   "medium" /* in grubenv */
#define MEDIUM_LABEL_VARIABLE "label"  /* the same of an ISO without "LABEL=" */
#define MEDIUM_ISO_LABEL      "RACKSTRAP_"

enum disk_part_id {
	DISK_BIOS,
	DISK_BOOT,
	DISK_STATE,
	DISK_PARTS,
};

/* Partition i is number i + 1 in the GPT. */
struct disk_part_type {
	const char *name; /* in the GPT */
	const char *type; /* GUID, upper case */
};
extern const struct disk_part_type disk_part_types[DISK_PARTS];

#define DISK_BOOT_LABEL "RACKSTRAP" /* of the FAT in partition 2 */

struct disk_part {
	uint64_t start, size; /* bytes, whole MiB */
};

struct disk_layout {
	uint32_t sector; /* 512 or 4096 */
	uint64_t size;   /* bytes, of the whole image */
	uint64_t slot;   /* bytes that a slot may use */
	struct disk_part part[DISK_PARTS];
};

/*
 * Lays out a disk whose slot A holds `parts` bytes. `slot` is the room of each slot, or 0
 * for `parts` and a quarter more. Everything else on partition 2 gets 32 MiB. Returns -1
 * when the parts do not fit in `slot`, or are more than FAT holds.
 */
int disk_layout_make(struct disk_layout *ret, uint32_t sector, uint64_t parts,
		     uint64_t slot, struct err *e) _must_check_;

#define DISK_GUID_LEN 37 /* with the NUL */

/*
 * Makes the GUID (RFC 9562, version 8, whose bits we may define) for `what` ("disk", a
 * partition's name, "iso") of an image whose content has the digest `sha256` (hex). Upper
 * case.
 */
void disk_guid(const char *sha256, const char *what, char ret[DISK_GUID_LEN]);

/* Returns the FAT volume id: the first 8 hex digits of a GUID. */
uint32_t disk_volume_id(const char *guid);
