/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a partition table that anybody may have written. The header of a GPT is in sector
 * 1, so its offset gives the sector size. A GPT is used only when its checksums are right
 * and all its partitions lie on the disk.
 *
 * libfdisk, which writes our tables (builder/image/gpt.c), does not read them here:
 * - it takes a file's sectors for 512 bytes unless it is told otherwise, and here the
 *   sector size is one of the things to find out;
 * - when the first GPT is damaged it goes on with the copy at the disk's end and only
 *   warns; the callers have to report the damage;
 * - it tries its readers for BSD, SGI and Sun labels too, as root, on a disk or image
 *   from elsewhere that may be hostile. The reader below knows two formats and has a
 *   fuzzer (test/fuzz/fuzz-ptable.c).
 *
 * Limits: of the copy of a GPT at the disk's end only the header is read; a hybrid MBR
 * beside a GPT is not reported; at most 128 logical partitions of each extended partition
 * are read; MBR partitions may reach beyond the disk's end.
 */
#include "builder/disk/ptable.h"

#include "builder/disk/gpt-format.h"
#include "lib/str.h"

#include <endian.h>

#define GPT_ENTRY_MIN  sizeof(struct gpt_entry)
#define LOGICAL_MAX    128
#define MBR_SECTOR     512
#define GPT_PROTECTIVE 0xee /* UEFI 5.2.3 */

struct mbr_entry {
	uint8_t flag, chs_first[3], type, chs_last[3];
	uint32_t first, count;
} __attribute__((packed));

struct mbr {
	uint8_t code[440];
	uint32_t id;
	uint16_t zero;
	struct mbr_entry v[4];
	uint8_t signature[2];
} __attribute__((packed));
_Static_assert(sizeof(struct mbr) == MBR_SECTOR, "UEFI 5.2.1");

/* Partition types in words. Source: UEFI 5.3.3, the Discoverable Partitions
 * Specification, and sfdisk's list of types. */
static const struct {
	const char *type, *what;
} types[] = {
	{"c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "EFI system"},
	{"21686148-6449-6e6f-744e-656564454649", "BIOS boot"},
	{"0fc63daf-8483-4772-8e79-3d69d8477de4", "Linux filesystem"},
	{"4f68bce3-e8cd-4db1-96e7-fbcaf984b709", "Linux root (x86-64)"},
	{"bc13c2ff-59e6-4262-a352-b275fd6f7172", "Linux extended boot"},
	{"4d21b016-b534-45c2-a9fb-5c16e091fd2d", "Linux variable data"},
	{"933ac7e1-2eb4-4f13-b844-0e14e2aef915", "Linux home"},
	{"0657fd6d-a4ab-43c4-84e5-0933c84b4f4f", "Linux swap"},
	{"e6d6d379-f507-44c2-a23c-238f2a3df928", "Linux LVM"},
	{"a19d880f-05fc-4d3b-a006-743f0f84911e", "Linux RAID"},
	{"ebd0a0a2-b9e5-4433-87c0-68b6b72699c7", "basic data"},
	{"e3c9e316-0b5c-4db8-817d-f92df00215ae", "Microsoft reserved"},
	{"de94bba4-06d1-4d40-a16a-bfd50179d6ac", "Windows recovery"},
	{"0x00", NULL},
	{"0x05", "extended"},
	{"0x07", "NTFS or exFAT"},
	{"0x0b", "FAT32"},
	{"0x0c", "FAT32"},
	{"0x0e", "FAT16"},
	{"0x0f", "extended"},
	{"0x17", "hidden (ISO 9660)"},
	{"0x82", "Linux swap"},
	{"0x83", "Linux filesystem"},
	{"0x85", "extended"},
	{"0x8e", "Linux LVM"},
	{"0xcd", "ISO 9660"},
	{"0xee", "GPT protective"},
	{"0xef", "EFI system"},
	{"0xfd", "Linux RAID"},
};

static const char *type_in_words(const char *type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(types[i].type, type))
			return types[i].what;
	return NULL;
}

/* Reads all `len` bytes. 0 or -errno; -ENODATA when the file ends before. */
static int read_at(int fd, uint64_t at, void *buf, size_t len)
{
	for (char *p = buf; len > 0;) {
		ssize_t n = pread(fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* Appends an empty partition and returns it. */
static struct partition *append(struct ptable *t)
{
	t->v = xgrow(t->v, t->n, sizeof(*t->v));
	t->v[t->n] = (struct partition){0};
	return &t->v[t->n++];
}

/* --- GPT --------------------------------------------------------------------------- */

uint32_t gpt_crc32(const void *data, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (const uint8_t *p = data; len-- > 0; p++) {
		crc ^= *p;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return ~crc;
}

/* The first three fields are little-endian (UEFI appendix A). */
void gpt_format_guid(const uint8_t g[16], char out[GPT_GUID_TEXT])
{
	static const uint8_t order[] = {3, 2, 1,  0,  5,  4,  7,  6,
					8, 9, 10, 11, 12, 13, 14, 15};

	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		str_hex(&g[order[i]], 1, out);
		out += 2;
	}
}

/* Writes `c`, below 0x10000, and returns where the next character goes. */
static char *append_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		*out++ = (char)c;
	} else if (c < 0x800) {
		*out++ = (char)(0xc0 | c >> 6);
		*out++ = (char)(0x80 | (c & 0x3f));
	} else {
		*out++ = (char)(0xe0 | c >> 12);
		*out++ = (char)(0x80 | (c >> 6 & 0x3f));
		*out++ = (char)(0x80 | (c & 0x3f));
	}
	return out;
}

/* Writes the name, which is UCS-2, as UTF-8. Control characters and surrogates become
 * '?': the name is shown on terminals. */
static void format_name(const struct gpt_entry *entry, char *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(entry->name); i++) {
		uint16_t c = le16toh(entry->name[i]);

		if (c == 0)
			break;
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000))
			c = '?';
		out = append_utf8(out, c);
	}
	*out = '\0';
}

/* Checks the header at the start of a block of 4096 bytes, which was read from `lba`. */
static bool header_is_valid(const struct gpt_header *h, uint64_t lba, uint32_t sector)
{
	uint8_t block[4096];
	uint32_t crc = le32toh(h->crc), size = le32toh(h->size);

	if (size < sizeof(*h) || size > sector || le64toh(h->my_lba) != lba ||
	    le64toh(h->alternate_lba) >= UINT64_MAX / sector)
		return false;
	memcpy(block, h, size);
	memset(block + offsetof(struct gpt_header, crc), 0, sizeof(h->crc));
	return gpt_crc32(block, size) == crc;
}

/* Adds the partition of an entry that is in use, or sets t->fault. */
static void add_entry(struct ptable *t, const struct gpt_entry *entry, unsigned number,
		      uint64_t size)
{
	static const uint8_t none[16];
	uint64_t first = le64toh(entry->first), last = le64toh(entry->last);
	struct partition *p;

	if (memcmp(entry->type, none, sizeof(none)) == 0)
		return;
	if (first > last || last >= size / t->sector) {
		t->fault = "a partition reaches beyond the disk's end";
		return;
	}
	p = append(t);
	p->number = number;
	p->start = first * t->sector;
	p->size = (last - first + 1) * t->sector;
	gpt_format_guid(entry->type, p->type);
	gpt_format_guid(entry->guid, p->uuid);
	format_name(entry, p->name);
	p->what = type_in_words(p->type);
}

/* Reads all entries, or sets t->fault. 0 or -errno. */
static int read_entries(struct ptable *t, const struct gpt_header *h, int fd,
			uint64_t size)
{
	uint32_t n = le32toh(h->n_entries), each = le32toh(h->entry_size);
	uint64_t at, len = (uint64_t)n * each;
	_cleanup_free_ uint8_t *p = NULL;
	int r;

	t->fault = "its partition entries are damaged";
	if (each < GPT_ENTRY_MIN || each % 8 != 0 || len == 0 || len > GPT_BYTES_MAX ||
	    __builtin_mul_overflow(le64toh(h->entries_lba), t->sector, &at) || at > size)
		return 0;
	p = xmalloc(len);
	r = read_at(fd, at, p, len);
	if (r == -ENODATA)
		return 0;
	if (r < 0)
		return r;
	if (gpt_crc32(p, len) != le32toh(h->entries_crc))
		return 0;
	t->fault = NULL;
	for (uint32_t i = 0; i < n; i++) {
		struct gpt_entry entry;

		memcpy(&entry, p + (size_t)i * each, sizeof(entry));
		add_entry(t, &entry, i + 1, size);
	}
	return 0;
}

union gpt_block {
	struct gpt_header h;
	uint8_t block[4096];
};

/* Sets t->backup, and t->backup_damaged unless the disk's copy of the header says the
 * same as the first one, `h`. */
static int check_backup(struct ptable *t, const struct gpt_header *h, int fd,
			uint64_t size)
{
	uint64_t lba = le64toh(h->alternate_lba);
	union gpt_block u;
	int r;

	t->backup = lba * t->sector;
	t->backup_damaged = lba <= 1; /* where the MBR or the first header is */
	if (t->backup_damaged || t->backup > size || size - t->backup < t->sector)
		return 0;
	r = read_at(fd, t->backup, u.block, t->sector);
	if (r < 0)
		return r == -ENODATA ? 0 : r;
	t->backup_damaged = memcmp(u.h.signature, GPT_SIGNATURE, 8) != 0 ||
			    !header_is_valid(&u.h, lba, t->sector) ||
			    memcmp(u.h.disk_guid, h->disk_guid, 16) != 0 ||
			    u.h.entries_crc != h->entries_crc;
	return 0;
}

/* Returns 1 when there is a GPT, damaged or not, 0 when there is none, or -errno. */
static int read_gpt(struct ptable *t, int fd, uint64_t size, unsigned sector)
{
	union gpt_block u;
	int r = read_at(fd, sector, u.block, sector);

	if (r == -ENODATA)
		return 0;
	if (r < 0)
		return r;
	if (memcmp(u.h.signature, GPT_SIGNATURE, 8) != 0)
		return 0;
	t->kind = PTABLE_GPT;
	t->sector = sector;
	if (!header_is_valid(&u.h, 1, sector)) {
		t->fault = "its header is damaged";
		return 1;
	}
	gpt_format_guid(u.h.disk_guid, t->id);
	t->disk = (le64toh(u.h.alternate_lba) + 1) * sector;
	r = read_entries(t, &u.h, fd, size);
	if (r == 0)
		r = check_backup(t, &u.h, fd, size);
	return r < 0 ? r : 1;
}

/* --- MBR --------------------------------------------------------------------------- */

static bool is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

/* Adds a partition whose first sector is counted from the sector `base`. */
static void add_mbr(struct ptable *t, const struct mbr_entry *m, unsigned number,
		    uint64_t base)
{
	struct partition *p = append(t);

	p->number = number;
	p->start = (base + le32toh(m->first)) * MBR_SECTOR;
	p->size = (uint64_t)le32toh(m->count) * MBR_SECTOR;
	snprintf(p->type, sizeof(p->type), "0x%02x", m->type);
	p->what = type_in_words(p->type);
	/* Firmware and tools write any number into the entry that protects a GPT. */
	if (m->type != GPT_PROTECTIVE && p->start + p->size > t->disk)
		t->disk = p->start + p->size;
}

/*
 * Reads the logical partitions of the extended partition that begins at the sector
 * `extended`: a chain of MBRs, in each of which the first entry is a partition and the
 * second the next MBR, counted from `extended`. *next is the number of the next logical
 * partition; like the kernel's (block/partitions/msdos.c) the numbers go on through a
 * second extended partition.
 */
static int read_logical(struct ptable *t, int fd, uint64_t extended, unsigned *next)
{
	uint64_t at = extended;
	struct mbr m;

	for (unsigned i = 0; i < LOGICAL_MAX; i++) {
		int r = read_at(fd, at * MBR_SECTOR, &m, sizeof(m));

		if (r == -ENODATA)
			return 0;
		if (r < 0)
			return r;
		if (m.signature[0] != 0x55 || m.signature[1] != 0xaa)
			return 0;
		if (m.v[0].type != 0 && m.v[0].count != 0)
			add_mbr(t, &m.v[0], (*next)++, at);
		if (!is_extended(m.v[1].type))
			return 0;
		at = extended + le32toh(m.v[1].first);
	}
	return 0;
}

/* Checks for an MBR with partitions. A file system's boot sector ends with the same
 * signature, but has text or code in place of the entries. */
static bool is_mbr(const struct mbr *m)
{
	size_t used = 0;

	if (m->signature[0] != 0x55 || m->signature[1] != 0xaa)
		return false;
	for (size_t i = 0; i < 4; i++) {
		if (m->v[i].flag != 0 && m->v[i].flag != 0x80)
			return false;
		used += m->v[i].type != 0 && m->v[i].count != 0;
	}
	return used > 0;
}

/* Checks for the MBR of a disk with a GPT: its only partition covers the disk. */
static bool protects_gpt(const struct mbr *m)
{
	size_t used = 0, protective = 0;

	for (size_t i = 0; i < 4; i++) {
		used += m->v[i].type != 0 && m->v[i].count != 0;
		protective += m->v[i].type == GPT_PROTECTIVE && m->v[i].count != 0;
	}
	return used == 1 && protective == 1;
}

static int read_mbr(struct ptable *t, int fd)
{
	unsigned next_logical = 5;
	struct mbr m;
	int r = read_at(fd, 0, &m, sizeof(m));

	if (r < 0)
		return r == -ENODATA ? 0 : r;
	if (!is_mbr(&m))
		return 0;
	t->kind = PTABLE_MBR;
	t->sector = MBR_SECTOR;
	snprintf(t->id, sizeof(t->id), "0x%08x", le32toh(m.id));
	if (protects_gpt(&m)) {
		t->kind = PTABLE_GPT;
		*t->id = '\0';
		t->fault = "its header is missing";
		return 0;
	}
	for (unsigned i = 0; i < 4; i++) {
		if (m.v[i].type == 0 || m.v[i].count == 0)
			continue;
		add_mbr(t, &m.v[i], i + 1, 0);
		if (is_extended(m.v[i].type)) {
			r = read_logical(t, fd, le32toh(m.v[i].first), &next_logical);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* --- both -------------------------------------------------------------------------- */

int ptable_read(struct ptable *ret, int fd, uint64_t size)
{
	static const unsigned sectors[] = {512, 4096};
	_cleanup_ptable_ struct ptable t = {0};
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sectors) && r == 0; i++)
		r = read_gpt(&t, fd, size, sectors[i]);
	if (r == 0)
		r = read_mbr(&t, fd);
	if (r < 0)
		return r;
	if (t.fault)
		t.n = 0;
	*ret = t;
	t = (struct ptable){0};
	return 0;
}

void ptable_done(struct ptable *t)
{
	free(t->v);
	*t = (struct ptable){0};
}

const char *ptable_kind_name(enum ptable_kind kind)
{
	static const char *const names[] = {
		[PTABLE_NONE] = "none", [PTABLE_MBR] = "mbr", [PTABLE_GPT] = "gpt"};

	return names[kind];
}
