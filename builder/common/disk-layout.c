/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All sums are in whole MiB. A FAT32 has at least 65525 clusters (Microsoft's FAT
 * specification, 1.03), which with sectors of 4096 bytes is 256 MiB: partition 2 is never
 * smaller.
 */
#include "builder/common/disk-layout.h"

#include "builder/common/digest.h"
#include "lib/str.h"

#include <ctype.h>

#define MIB        (1ULL << 20)
#define FIRST      MIB /* start of the first partition; GPT and MBR are before it */
#define OTHER      (32 * MIB) /* room in partition 2 beside the slots */
#define BOOT_LEAST (288 * MIB)
#define SLOT_STEP  (16 * MIB)
#define SLOT_MAX   (32ULL << 30) /* keeps every sum far below overflow */

const struct disk_part_type disk_part_types[DISK_PARTS] = {
	[DISK_BIOS] = {"rackstrap-bios", "21686148-6449-6E6F-744E-656564454649"},
	[DISK_BOOT] = {"rackstrap-boot", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"},
	[DISK_STATE] = {"rackstrap-state", "0FC63DAF-8483-4772-8E79-3D69D8477DE4"},
};

static uint64_t round_up(uint64_t n, uint64_t to)
{
	return (n + to - 1) / to * to;
}

int disk_layout_make(struct disk_layout *ret, uint32_t sector, uint64_t parts,
		     uint64_t slot, struct err *e)
{
	struct disk_layout l = {.sector = sector, .slot = round_up(slot, MIB)};
	uint64_t sizes[DISK_PARTS] = {MIB, 0, MIB}, at = FIRST;

	if (parts > SLOT_MAX || slot > SLOT_MAX)
		return err_set(e, ERR_FAILED, "a slot has at most %llu GiB",
			       SLOT_MAX >> 30);
	if (slot == 0)
		l.slot = round_up(parts + parts / 4, SLOT_STEP);
	if (parts > l.slot)
		return err_set(e, ERR_CONFIG,
			       "slot_size: %llu MiB are too few for kernel, initrd and "
			       "root: %llu MiB",
			       (unsigned long long)(l.slot / MIB),
			       (unsigned long long)(round_up(parts, MIB) / MIB));
	sizes[DISK_BOOT] = 2 * l.slot + OTHER;
	if (sizes[DISK_BOOT] < BOOT_LEAST)
		sizes[DISK_BOOT] = BOOT_LEAST;
	for (size_t i = 0; i < DISK_PARTS; i++) {
		l.part[i] = (struct disk_part){at, sizes[i]};
		at += sizes[i];
	}
	l.size = at + MIB; /* for the backup GPT */
	*ret = l;
	return 0;
}

void disk_guid(const char *sha256, const char *what, char ret[DISK_GUID_LEN])
{
	_cleanup_free_ char *text = xasprintf("rackstrap %s %s\n", what, sha256);
	char hex[DIGEST_HEX_MAX];

	digest_text(DIGEST_SHA256, text, strlen(text), hex);
	hex[12] = '8';                   /* version */
	hex[16] = "89ab"[(hex[16] % 4)]; /* variant */
	snprintf(ret, DISK_GUID_LEN, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		 hex + 16, hex + 20);
	for (char *p = ret; *p; p++)
		*p = (char)toupper((unsigned char)*p);
}

uint32_t disk_volume_id(const char *guid)
{
	return (uint32_t)strtoul(guid, NULL, 16);
}
