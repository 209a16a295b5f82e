/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a disk image: a GPT, GRUB for BIOS, and the medium's tree on a FAT32 that is the
 * EFI system partition (disk-layout.h). It is assembled in a sparse file, without root
 * and without a loop device.
 *
 * Other formats are made from the raw one (disk-format.h).
 */
#include "builder/common/disk-format.h"
#include "builder/common/disk-layout.h"
#include "builder/image/fat.h"
#include "builder/image/gpt.h"
#include "builder/image/grub.h"
#include "builder/image/image-parts.h"
#include "builder/image/medium-tree.h"
#include "lib/file.h"

#define DISK_NAME "disk." /* before the suffix of each format */

static const struct tool *const disk_tools[] = {fat_tools, grub_tools, disk_format_tools,
						NULL};

static int make_boot(const struct image_parts *p, const struct medium_tree *m,
		     const struct disk_layout *l, const char *image, struct err *e)
{
	struct fat fat = {
		.image = image,
		.offset = l->part[DISK_BOOT].start,
		.size = l->part[DISK_BOOT].size,
		.sector = l->sector,
		.bits = 32,
		.label = DISK_BOOT_LABEL,
		.epoch = p->r->epoch,
	};
	char guid[DISK_GUID_LEN];

	disk_guid(m->id, disk_part_types[DISK_BOOT].name, guid);
	fat.id = disk_volume_id(guid);
	if (fat_make(&fat, e) < 0 || fat_copy(&fat, m->dir, m->paths, e) < 0)
		return -1;
	return fat_verify(&fat, m->dir, m->paths, e);
}

static int make_bios(int fd, const struct image_parts *p, const struct disk_layout *l,
		     struct err *e)
{
	_cleanup_free_ char *core = xasprintf("%s/core.img", p->outdir);
	const struct disk_part *part = &l->part[DISK_BIOS];
	int r;

	if (l->sector != 512)
		return 0;
	r = grub_core(GRUB_BIOS_DISK, core, e);
	if (r == 0)
		r = grub_install(fd, core, part->start, part->size, e);
	unlink(core);
	return r;
}

static int make_raw(const struct image_parts *p, struct medium_tree *m, const char *image,
		    struct err *e)
{
	_cleanup_close_ int fd = open(image, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	struct disk_layout l;

	if (fd < 0)
		return err_errno(e, errno, "%s", image);
	if (disk_layout_make(&l, p->r->media.sector_size, m->parts, p->r->media.slot_size,
			     e) < 0)
		return -1;
	if (ftruncate(fd, (off_t)l.size) < 0)
		return err_errno(e, errno, "%s", image);
	if (gpt_write(image, &l, m->id, e) < 0 || make_boot(p, m, &l, image, e) < 0)
		return -1;
	return make_bios(fd, p, &l, e);
}

/* --- formats ----------------------------------------------------------------------- */

static int write_formats(const struct image_parts *p, const char *image, char ***outputs,
			 struct err *e)
{
	bool keep_raw = false;

	for (const struct disk_format *f = disk_formats; f->name; f++) {
		_cleanup_free_ char *name = xasprintf(DISK_NAME "%s", f->suffix);
		_cleanup_free_ char *to = xasprintf("%s/%s", p->outdir, name);

		if (!strv_has(p->r->media.formats, f->name))
			continue;
		if (f->write && f->write(image, to, e) < 0)
			return -1;
		keep_raw |= !f->write;
		strv_add(outputs, name);
	}
	if (!keep_raw && unlink(image) < 0)
		return err_errno(e, errno, "%s", image);
	return 0;
}

static int disk_write(const struct image_parts *p, char ***outputs, struct err *e)
{
	_cleanup_free_ char *image =
		xasprintf("%s/" DISK_NAME "%s", p->outdir, disk_formats[0].suffix);
	_cleanup_medium_tree_ struct medium_tree m = {0};

	if (medium_tree_make(&m, MEDIUM_ON_DISK, "disk.tree", p, e) < 0 ||
	    make_raw(p, &m, image, e) < 0)
		return -1;
	return write_formats(p, image, outputs, e);
}

const struct image_type image_disk = {
	.name = "disk",
	.medium = true,
	.tools = disk_tools,
	.write = disk_write,
};
