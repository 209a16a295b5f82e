/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sfdisk takes an image file's sectors for 512 bytes; fdisk can be told, and reads the
 * same script, but only as one who types (and exits 0 whatever happened): afterwards the
 * table must be where it belongs.
 */
#include "builder/image/gpt.h"

#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#include <inttypes.h>

#define FIRST (1 << 20) /* byte of the first usable sector */

const struct tool gpt_tools[] = {{"sfdisk", "fdisk"}, {"fdisk", "fdisk"}, {NULL, NULL}};

static char *script(const struct disk_layout *l, const char *sha256)
{
	_cleanup_buf_ struct buf b = {0};
	char guid[DISK_GUID_LEN];

	disk_guid(sha256, "disk", guid);
	buf_printf(&b, "label: gpt\nlabel-id: %s\nunit: sectors\nfirst-lba: %u\n", guid,
		   FIRST / l->sector);
	for (size_t i = 0; i < DISK_PARTS; i++) {
		const struct disk_part_type *t = &disk_part_types[i];

		disk_guid(sha256, t->name, guid);
		buf_printf(&b,
			   "start=%" PRIu64 ", size=%" PRIu64
			   ", type=%s, uuid=%s, name=\"%s\"\n",
			   l->part[i].start / l->sector, l->part[i].size / l->sector,
			   t->type, guid, t->name);
	}
	return buf_take(&b);
}

/* What it says of its work is nobody's concern. */
static int run_with(const char *const *argv, const char *dir, const char *text,
		    struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/gpt.input", dir), *said = NULL;
	_cleanup_close_ int fd = -1;
	struct run r = {.argv = argv};
	size_t len = 0;
	int n = file_write_at(AT_FDCWD, path, text, strlen(text), 0644);

	if (n >= 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (n < 0 || fd < 0)
		return err_errno(e, n < 0 ? n : errno, "%s", path);
	r.in = fd;
	return run_capture(&r, &said, &len, e);
}

static int by_sfdisk(const char *image, const char *text, const char *dir, struct err *e)
{
	const char *const argv[] = {
		"sfdisk", "--quiet", "--no-reread",       "--no-tell-kernel",
		"--wipe", "never",   "--wipe-partitions", "never",
		image,    NULL};

	return run_with(argv, dir, text, e);
}

static int by_fdisk(const char *image, const struct disk_layout *l, const char *text,
		    const char *dir, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/gpt.script", dir);
	_cleanup_free_ char *typed = xasprintf("g\nI\n%s\nw\n", path);
	_cleanup_free_ char *sector = xasprintf("%u", l->sector);
	const char *const argv[] = {"fdisk",  "--noauto-pt", "--sector-size",     sector,
				    "--wipe", "never",       "--wipe-partitions", "never",
				    image,    NULL};
	int n = file_write_at(AT_FDCWD, path, text, strlen(text), 0644);

	if (n < 0)
		return err_errno(e, n, "%s", path);
	return run_with(argv, dir, typed, e);
}

/* UEFI 2.10, 5.3.2: the header is in the second sector, and begins so. */
static int check(const char *image, const struct disk_layout *l, struct err *e)
{
	_cleanup_close_ int fd = open(image, O_RDONLY | O_CLOEXEC);
	char magic[8];

	if (fd < 0 || pread(fd, magic, sizeof(magic), l->sector) != sizeof(magic) ||
	    memcmp(magic, "EFI PART", sizeof(magic)) != 0)
		return err_set(e, ERR_FAILED, "%s: fdisk wrote no GPT", image);
	return 0;
}

int gpt_write(const char *image, const struct disk_layout *l, const char *sha256,
	      const char *dir, struct err *e)
{
	_cleanup_free_ char *text = script(l, sha256);
	int r = l->sector == 512 ? by_sfdisk(image, text, dir, e)
				 : by_fdisk(image, l, text, dir, e);

	return r < 0 ? -1 : check(image, l, e);
}
