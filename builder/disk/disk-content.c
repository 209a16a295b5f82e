/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A GPT with valid checksums is no accident. An MBR and a boot sector have a signature of
 * two bytes only, which a Linux kernel has, too; so the formats below are looked for
 * first. Sources: the file formats' specifications, and file(1)'s magic.
 *
 * Limits: a file without a magic number is "data", such as an encrypted one.
 */
#include "builder/disk/disk-content.h"

#include "builder/disk/iso-format.h"
#include "lib/str.h"

#include <ctype.h>
#include <endian.h>

#define UNPACK  "unpack it first"
#define CONVERT "convert it with qemu-img(1) first"
#define TEXT    4096 /* bytes of a text that are looked at */

#define EL_TORITO "EL TORITO SPECIFICATION" /* El Torito 1.0, figure 7 */

/* The head of a file; bytes behind its end are zeros. */
struct head {
	uint8_t p[CONTENT_HEAD];
	size_t len;
};

static bool has(const struct head *h, size_t at, const void *bytes, size_t len)
{
	return at + len <= h->len && memcmp(h->p + at, bytes, len) == 0;
}

static uint32_t get_le32(const struct head *h, size_t at)
{
	uint32_t n;

	memcpy(&n, h->p + at, sizeof(n));
	return le32toh(n);
}

static uint16_t get_le16(const struct head *h, size_t at)
{
	return (uint16_t)(h->p[at] | h->p[at + 1] << 8);
}

/* --- magic numbers ----------------------------------------------------------------- */

struct magic {
	size_t at;
	const char *bytes;
	size_t len;
	const char *what, *advice;
};
#define MAGIC(at_, bytes_, what_, advice_)                                               \
	{                                                                                \
		at_, bytes_, sizeof(bytes_) - 1, what_, advice_                          \
	}

/* Files that hold no disk's bytes as they are. */
static const struct magic others[] = {
	MAGIC(0, "PK\3\4", "a zip archive", UNPACK),
	MAGIC(0, "PK\5\6", "an empty zip archive", NULL),
	MAGIC(257, "ustar", "a tar archive", UNPACK),
	MAGIC(0, "7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
	MAGIC(0, "Rar!\x1a\x07", "a RAR archive", UNPACK),
	MAGIC(0, "MSCF\0\0\0\0", "a cabinet archive", UNPACK),
	MAGIC(0, "MSWIM\0\0\0", "a Windows image (WIM)", NULL),
	MAGIC(0, "!<arch>\ndebian", "a Debian package", NULL),
	MAGIC(0, "!<arch>\n", "an ar archive", NULL),
	MAGIC(0, "\xed\xab\xee\xdb", "an RPM package", NULL),
	MAGIC(0, "070701", "a cpio archive, like an initrd", NULL),
	MAGIC(0, "070702", "a cpio archive, like an initrd", NULL),
	MAGIC(0, "070707", "a cpio archive", NULL),
	MAGIC(0, "KDMV", "a VMDK file", CONVERT),
	MAGIC(0, "COWD", "a VMDK file", CONVERT),
	MAGIC(0, "# Disk DescriptorFile", "the descriptor of a VMDK file", CONVERT),
	MAGIC(0, "vhdxfile", "a VHDX file", CONVERT),
	MAGIC(0,
	      "conec"
	      "tix",
	      "a VHD file", CONVERT),
	MAGIC(64, "\x7f\x10\xda\xbe", "a VDI file", CONVERT),
	MAGIC(0, "QED\0", "a QED file", CONVERT),
	MAGIC(0, "WithoutFreeSpace", "a Parallels file", CONVERT),
	MAGIC(0, "WithouFreSpacExt", "a Parallels file", CONVERT),
	MAGIC(0, "\x3a\xff\x26\xed", "an Android sparse image",
	      "convert it with simg2img(1) first"),
	MAGIC(0, "partclone-image", "a partclone image", NULL),
	MAGIC(0, "\x1f\x9d", "a file compressed with compress", UNPACK),
	MAGIC(0, "LZIP\1", "a file compressed with lzip", UNPACK),
	MAGIC(0, "\x89LZO\0\r\n\x1a\n", "a file compressed with lzop", UNPACK),
	MAGIC(0, "LRZI", "a file compressed with lrzip", UNPACK),
	MAGIC(0,
	      "\x7f"
	      "ELF",
	      "a program (ELF)", NULL),
	MAGIC(0, "%PDF-", "a PDF document", NULL),
	MAGIC(0, "\x27\x05\x19\x56", "a kernel or initrd for U-Boot", NULL),
};

/* File systems and the like, which a disk can hold without a partition table, but from
 * which no firmware boots. */
static const struct magic bare[] = {
	MAGIC(0, "hsqs", "a squashfs file system", NULL),
	MAGIC(1024, "\xe2\xe1\xf5\xe0", "an EROFS file system", NULL),
	MAGIC(1080, "\x53\xef", "an ext file system", NULL),
	MAGIC(0, "XFSB", "an XFS file system", NULL),
	MAGIC(0x10040, "_BHRfS_M", "a Btrfs file system", NULL),
	MAGIC(1024, "\x10\x20\xf5\xf2", "an F2FS file system", NULL),
	MAGIC(0, "LUKS\xba\xbe", "a LUKS volume", NULL),
	MAGIC(512, "LABELONE", "an LVM volume", NULL),
	MAGIC(4086, "SWAPSPACE2", "swap space", NULL),
};

static bool find(struct disk_content *c, const struct head *h, const struct magic *v,
		 size_t n, enum content_kind kind)
{
	for (size_t i = 0; i < n; i++) {
		if (!has(h, v[i].at, v[i].bytes, v[i].len))
			continue;
		c->kind = kind;
		c->what = v[i].what;
		c->advice = v[i].advice;
		return true;
	}
	return false;
}

/* zstd and lz4 share the sixteen magic numbers of a frame that a decoder skips. */
static bool is_skippable_frame(const struct head *h)
{
	return h->len >= 8 && (get_le32(h, 0) & ~15U) == 0x184d2a50;
}

/* Recognises programs that firmware or a boot loader starts: a kernel for x86
 * (arch/x86/boot/header.S) or for ARM64, and any other of UEFI. */
static const char *find_program(const struct head *h)
{
	uint32_t pe = get_le32(h, 60);

	if (has(h, 514, "HdrS", 4) && has(h, 510, "\x55\xaa", 2))
		return "a Linux kernel";
	if (has(h, 56, "ARM\x64", 4))
		return "a Linux kernel";
	if (has(h, 0, "MZ", 2) && pe < h->len && has(h, pe, "PE\0\0", 4))
		return "a program for UEFI or Windows";
	return NULL;
}

/* --- texts ------------------------------------------------------------------------- */

static bool is_text(const struct head *h, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (h->p[i] < 0x20 ? !strchr("\t\n\f\r", h->p[i]) || !h->p[i]
				   : h->p[i] == 0x7f)
			return false;
	return len > 0;
}

/* Checks for a line of sha256sum(1) and the like: a digest in hex, a blank, and a '*' or
 * another blank. */
static bool is_sums(const char *s)
{
	size_t n = strspn(s, "0123456789abcdefABCDEF");

	return n >= 32 && n % 8 == 0 && s[n] == ' ' &&
	       (s[n + 1] == ' ' || s[n + 1] == '*');
}

static const char *find_text(const struct head *h)
{
	size_t len = h->len < TEXT ? h->len : TEXT, skip;
	char s[TEXT + 1];

	if (!is_text(h, len))
		return NULL;
	memcpy(s, h->p, len);
	s[len] = '\0';
	skip = strspn(s, " \t\r\n");
	if (s[skip] == '{' || s[skip] == '[')
		return "JSON text";
	if (strncasecmp(s + skip, "<!doctype html", 14) == 0 ||
	    strncasecmp(s + skip, "<html", 5) == 0)
		return "an HTML page";
	if (s[skip] == '<')
		return "XML text";
	return is_sums(s) ? "a list of checksums" : "text";
}

/* --- what a disk has --------------------------------------------------------------- */

/* Sets c->iso. Returns true when there is El Torito's boot record. */
static bool find_iso(struct disk_content *c, const struct head *h)
{
	bool boots = false;

	for (size_t at = ISO_FIRST * ISO_SECTOR; has(h, at + 1, "CD001", 5);
	     at += ISO_SECTOR) {
		uint8_t type = h->p[at];

		if (type == 255)
			break;
		boots |= type == 0 && has(h, at + 7, EL_TORITO, strlen(EL_TORITO));
		if (type == 1 && c->iso == 0) /* ECMA-119, 8.4.8 and 8.4.12 */
			c->iso = (uint64_t)get_le32(h, at + 80) * get_le16(h, at + 128);
	}
	return boots;
}

/* Returns the sector size in the BIOS parameter block of a FAT or NTFS, or 0. */
static unsigned bpb_sector(const struct head *h)
{
	unsigned sector = get_le16(h, 11);

	if (h->p[0] != 0xeb && h->p[0] != 0xe9)
		return 0;
	return sector == 512 || sector == 1024 || sector == 2048 || sector == 4096
		       ? sector
		       : 0;
}

static bool has_boot_sector(const struct head *h)
{
	return has(h, 510, "\x55\xaa", 2) && h->p[0] != 0;
}

static void detect(struct disk_content *c, const struct head *h, const struct ptable *t)
{
	bool el_torito = find_iso(c, h);
	const char *program = find_program(h), *text;

	c->kind = CONTENT_DISK;
	if (t->kind == PTABLE_GPT && !t->fault)
		return;
	if (find(c, h, others, ARRAY_SIZE(others), CONTENT_ELSE))
		return;
	if (program || is_skippable_frame(h)) {
		c->kind = CONTENT_ELSE;
		c->what = program ? program
				  : "a zstd or lz4 file that begins with other data";
		c->advice = program ? NULL : UNPACK;
		return;
	}
	if (t->kind != PTABLE_NONE || el_torito)
		return;
	if (has_boot_sector(h)) {
		c->sector = bpb_sector(h);
		return;
	}
	if (find(c, h, bare, ARRAY_SIZE(bare), CONTENT_BARE))
		return;
	text = find_text(h);
	c->kind = text ? CONTENT_ELSE : CONTENT_BARE;
	c->what = text     ? text
		  : c->iso ? "an ISO 9660 file system without El Torito"
		  : h->len > 0 && mem_is_zero(h->p, h->len)
			  ? "data that begins with zeros"
			  : "data of an unknown kind";
}

void disk_content_detect(struct disk_content *ret, const void *head, size_t len,
			 const struct ptable *t)
{
	struct head *h = xcalloc(1, sizeof(*h));

	h->len = len < sizeof(h->p) ? len : sizeof(h->p);
	memcpy(h->p, head, h->len);
	*ret = (struct disk_content){0};
	detect(ret, h, t);
	free(h);
}
