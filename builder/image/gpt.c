/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats the layout as a script in the language of sfdisk(8) and lets libfdisk apply it:
 * libfdisk writes the protective MBR, both headers and both arrays of entries. A file has
 * no sector size of its own, so libfdisk is given the layout's.
 */
#include "builder/image/gpt.h"

#include "lib/file.h"
#include "lib/str.h"

#include <inttypes.h>
#include <libfdisk/libfdisk.h>

#define FIRST (1 << 20) /* byte of the first usable sector */

/* Returns the script; owned by the caller. */
static char *format_script(const struct disk_layout *l, const char *sha256)
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

/* Keeps the last warning of libfdisk in the char * that `data` points to. */
static int keep_warning(_unused_ struct fdisk_context *cxt, struct fdisk_ask *ask,
			void *data)
{
	int type = fdisk_ask_get_type(ask);
	char **warning = data;

	if (type == FDISK_ASKTYPE_WARN || type == FDISK_ASKTYPE_WARNX) {
		const char *text = fdisk_ask_print_get_mesg(ask);

		free(*warning);
		*warning = text ? xstrdup(text) : NULL;
	}
	return 0;
}

/* Parses `text` and applies it to the context's device. 0 or -errno. */
static int apply(struct fdisk_context *cxt, struct fdisk_script *script, char *text)
{
	_cleanup_fclose_ FILE *f = fmemopen(text, strlen(text), "re");
	int r;

	if (!f || !script)
		return -errno;
	r = fdisk_script_read_file(script, f);
	if (r == 0)
		r = fdisk_apply_script(cxt, script);
	return r == 0 ? fdisk_write_disklabel(cxt) : r;
}

/* Applies `text` to the file `image`. 0 or -errno. */
static int write_table(struct fdisk_context *cxt, const char *image, unsigned sector,
		       char *text)
{
	struct fdisk_script *script;
	int r = fdisk_save_user_sector_size(cxt, sector, sector), closed;

	if (r == 0)
		r = fdisk_disable_dialogs(cxt, 1);
	if (r == 0)
		r = fdisk_enable_bootbits_protection(cxt, 1);
	if (r == 0)
		r = fdisk_assign_device(cxt, image, 0);
	if (r < 0)
		return r;
	script = fdisk_new_script(cxt);
	r = apply(cxt, script, text);
	fdisk_unref_script(script);
	closed = fdisk_deassign_device(cxt, 1 /* without sync(2) of all disks */);
	return r < 0 ? r : closed;
}

/* Opens the image again and compares its partitions with the layout. libfdisk checks the
 * checksums of both headers. Returns 0, 1 when it differs, or -errno. */
static int read_back(struct fdisk_context *cxt, const char *image,
		     const struct disk_layout *l)
{
	int r = fdisk_save_user_sector_size(cxt, l->sector, l->sector);

	if (r == 0)
		r = fdisk_disable_dialogs(cxt, 1);
	if (r == 0)
		r = fdisk_assign_device(cxt, image, 1);
	if (r < 0)
		return r;
	r = !fdisk_is_labeltype(cxt, FDISK_DISKLABEL_GPT) ||
	    fdisk_verify_disklabel(cxt) != 0;
	for (size_t i = 0; i < DISK_PARTS && r == 0; i++) {
		struct fdisk_partition *part = NULL;

		r = fdisk_get_partition(cxt, i, &part) < 0 ||
		    fdisk_partition_get_start(part) * l->sector != l->part[i].start ||
		    fdisk_partition_get_size(part) * l->sector != l->part[i].size;
		fdisk_unref_partition(part);
	}
	fdisk_deassign_device(cxt, 1);
	return r;
}

static int verify(const char *image, const struct disk_layout *l, struct err *e)
{
	struct fdisk_context *cxt = fdisk_new_context();
	char *warning = NULL;
	int r = cxt ? fdisk_set_ask(cxt, keep_warning, &warning) : -ENOMEM;

	if (r == 0)
		r = read_back(cxt, image, l);
	fdisk_unref_context(cxt);
	free(warning);
	if (r > 0)
		return err_set(e, ERR_FAILED,
			       "%s: its GPT is not as it was written (a full or failing "
			       "disk?)",
			       image);
	return r < 0 ? err_errno(e, r, "%s: cannot read the GPT", image) : 0;
}

int gpt_write(const char *image, const struct disk_layout *l, const char *sha256,
	      struct err *e)
{
	_cleanup_free_ char *text = format_script(l, sha256), *warning = NULL;
	struct fdisk_context *cxt = fdisk_new_context();
	int r = cxt ? fdisk_set_ask(cxt, keep_warning, &warning) : -ENOMEM;

	if (r == 0)
		r = write_table(cxt, image, l->sector, text);
	fdisk_unref_context(cxt);
	if (r < 0 && warning)
		return err_set(e, ERR_FAILED, "%s: cannot write the GPT: %s", image,
			       warning);
	if (r < 0)
		return err_errno(e, r, "%s: cannot write the GPT", image);
	return verify(image, l, e);
}
