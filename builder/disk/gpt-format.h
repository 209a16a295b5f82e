/* SPDX-License-Identifier: Apache-2.0 */
/* A GPT on the disk: UEFI specification 2.10, 5.3. All numbers are little-endian. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define GPT_SIGNATURE "EFI PART"
#define GPT_BYTES_MAX (1024 * 1024) /* of all entries that are accepted */

struct gpt_header {
	char signature[8];
	uint32_t revision, size, crc, reserved;
	uint64_t my_lba, alternate_lba, first_lba, last_lba;
	uint8_t disk_guid[16];
	uint64_t entries_lba;
	uint32_t n_entries, entry_size, entries_crc;
} __attribute__((packed));
_Static_assert(sizeof(struct gpt_header) == 92, "UEFI 5.3.2");

struct gpt_entry {
	uint8_t type[16], guid[16];
	uint64_t first, last, attributes;
	uint16_t name[36];
} __attribute__((packed));
_Static_assert(sizeof(struct gpt_entry) == 128, "UEFI 5.3.3");

#define GPT_GUID_TEXT 37 /* with the NUL */

/* Returns the CRC-32 of Ethernet, which UEFI 5.3.2 prescribes. */
uint32_t gpt_crc32(const void *data, size_t len);

/* Writes a GUID as text, in lower case. */
void gpt_format_guid(const uint8_t guid[16], char ret[GPT_GUID_TEXT]);
