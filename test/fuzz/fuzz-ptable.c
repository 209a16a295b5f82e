/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a partition table of any content, from a disk of 64 MiB that begins with the
 * input and from a file that holds only the input. Checks that ptable_read() succeeds and
 * that its result is consistent: GPT partitions are inside the disk, numbers are unique,
 * texts are printable. Random changes never give a valid GPT checksum, so both are
 * corrected for a second reading.
 */
#include "builder/disk/ptable.h"
#include "lib/file.h"
#include "lib/str.h"

#include <endian.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DISK_SIZE (64ULL << 20)
#define ZEROS     4096 /* appended to an input whose checksums are corrected */
#define PARTS_MAX 8192 /* 1 MiB of entries of 128 bytes each */

static void check(bool what, const char *story)
{
	if (what)
		return;
	fprintf(stderr, "%s\n", story);
	abort();
}

/* Checks that `s` has no control characters and is UTF-8 of one to three bytes each. */
static void check_text(const char *s)
{
	for (const uint8_t *p = (const uint8_t *)s; *p; p++) {
		unsigned more = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : 2;

		check(*p >= 0x20 && *p != 0x7f, "a control character in a name");
		check(*p < 0x80 || (*p >= 0xc2 && *p < 0xf0), "no UTF-8 in a name");
		check(*p != 0xc2 || p[1] >= 0xa0, "a C1 control character in a name");
		for (; more > 0; more--)
			check((*++p & 0xc0) == 0x80, "a name's UTF-8 is cut off");
	}
}

static void check_partition(const struct ptable *t, const struct partition *p,
			    uint64_t size)
{
	static bool seen[PARTS_MAX + 1];

	check(p->number > 0 && p->number <= PARTS_MAX, "a number out of range");
	check(p->size > 0, "an empty partition");
	check(p->start % 512 == 0 && p->size % 512 == 0, "not whole sectors");
	check_text(p->name);
	if (t->kind == PTABLE_GPT) {
		check(p->size <= size && p->start <= size - p->size,
		      "a partition reaches beyond the disk");
		check(strlen(p->type) == 36 && strlen(p->uuid) == 36, "no GUID");
	} else {
		check(strlen(p->type) == 4 && !*p->uuid && !*p->name, "not of an MBR");
	}
	/* `seen` is all false before and after the partitions of one table */
	if (p == t->v)
		for (size_t i = 0; i < t->n; i++) {
			check(t->v[i].number <= PARTS_MAX && !seen[t->v[i].number],
			      "two partitions have one number");
			seen[t->v[i].number] = true;
		}
	if (p == t->v + t->n - 1)
		memset(seen, 0, sizeof(seen));
}

static void read_table(int fd, uint64_t size)
{
	_cleanup_ptable_ struct ptable t = {0};

	check(ptable_read(&t, fd, size) == 0, "a file that can be read is not");
	check(*ptable_kind_name(t.kind), "a kind without a name");
	check(t.n <= PARTS_MAX, "too many partitions");
	if (t.kind == PTABLE_NONE)
		check(t.n == 0 && !t.fault && t.disk == 0 && t.backup == 0,
		      "no table, but its contents");
	else
		check(t.sector == 512 || (t.kind == PTABLE_GPT && t.sector == 4096),
		      "an impossible sector size");
	check(!t.fault || (t.kind == PTABLE_GPT && t.n == 0), "damaged, but believed");
	if (t.kind == PTABLE_GPT && !t.fault)
		check(strlen(t.id) == 36 && t.disk >= t.sector &&
			      t.backup == t.disk - t.sector,
		      "no size or id");
	check(!t.backup_damaged || t.backup <= size - t.sector,
	      "a copy behind the end is damaged");
	for (size_t i = 0; i < t.n; i++)
		check_partition(&t, &t.v[i], size);
}

static uint32_t crc32(const uint8_t *p, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (; len-- > 0; p++) {
		crc ^= *p;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
	}
	return htole32(~crc);
}

static uint32_t get_le32(const uint8_t *p)
{
	uint32_t n;

	memcpy(&n, p, sizeof(n));
	return le32toh(n);
}

/* Computes both checksums of the GPT header in the second sector of `sector` bytes, as
 * far as `disk` has the bytes that they are for. UEFI 2.10, 5.3.2, has the offsets. */
static void repair(uint8_t *disk, size_t len, size_t sector)
{
	uint8_t *h = disk + sector;
	uint32_t crc, size;
	uint64_t entries, at;

	if (len < sector + 92 || memcmp(h, "EFI PART", 8) != 0)
		return;
	memcpy(&at, h + 72, sizeof(at));
	at = le64toh(at);
	entries = (uint64_t)get_le32(h + 80) * get_le32(h + 84);
	if (at <= len / sector && entries <= len - at * sector) {
		crc = crc32(disk + at * sector, entries);
		memcpy(h + 88, &crc, sizeof(crc));
	}
	size = get_le32(h + 12);
	if (size > len - sector)
		return;
	memset(h + 16, 0, 4);
	crc = crc32(h, size);
	memcpy(h + 16, &crc, sizeof(crc));
}

static void read_both(const uint8_t *data, size_t len)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("disk", MFD_CLOEXEC);
	check(fd >= 0 && ftruncate(fd, 0) == 0, "memfd");
	check(pwrite(fd, data, len, 0) == (ssize_t)len, "memfd");
	read_table(fd, len);
	check(ftruncate(fd, DISK_SIZE) == 0, "memfd");
	read_table(fd, DISK_SIZE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* The inputs end before the entries that are not in use, which are zeros. */
	size_t len = size + ZEROS;
	_cleanup_free_ uint8_t *disk = xcalloc(len, 1);

	read_both(data, size);
	if (size > 0)
		memcpy(disk, data, size);
	repair(disk, len, 512);
	repair(disk, len, 4096);
	if (memcmp(disk, data, size) != 0)
		read_both(disk, len);
	return 0;
}
