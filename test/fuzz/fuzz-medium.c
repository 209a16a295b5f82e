/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chooses identifiers for a disk image of any content, and applies them. Checks that the
 * result is read like the image: the table is as sound as before, with the same
 * partitions at the same places, and that the tag is the one of the partition or the
 * label. The checksums of a GPT are those of the input: the corpus has valid ones.
 */
#include "builder/disk/disk-image.h"
#include "builder/disk/medium-ids.h"
#include "lib/str.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIECE (64 * 1024)

static void check(bool what, const char *story)
{
	if (what)
		return;
	fprintf(stderr, "%s\n", story);
	abort();
}

static int open_memory(const uint8_t *data, size_t size)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	check(fd >= 0 && pwrite(fd, data, size, 0) == (ssize_t)size, "memfd");
	return fd;
}

/* Reads the tables of an image that is not compressed. */
static struct disk_image open_image(const uint8_t *data, size_t size)
{
	struct disk_image m = DISK_IMAGE_INIT;

	m.path = "image";
	m.format = "raw";
	m.size = size;
	m.fd = open_memory(data, size);
	check(ptable_read(&m.table, m.fd, size) == 0, "a file that can be read is not");
	disk_content_detect(&m.content, data, size, &m.table);
	return m;
}

static void check_tables(const struct disk_image *a, const struct disk_image *b,
			 const char *tag)
{
	const struct ptable *x = &a->table, *y = &b->table;
	bool found = str_after(tag, "LABEL=") != NULL;

	check(x->kind == y->kind && x->n == y->n && x->disk == y->disk && !y->fault &&
		      y->backup_damaged == x->backup_damaged,
	      "another table");
	for (size_t i = 0; i < x->n; i++) {
		check(x->v[i].start == y->v[i].start && x->v[i].size == y->v[i].size &&
			      streq(x->v[i].name, y->v[i].name) &&
			      streq(x->v[i].type, y->v[i].type),
		      "another partition");
		check(x->kind != PTABLE_GPT || !streq(x->v[i].uuid, y->v[i].uuid),
		      "a GUID is the image's");
		found |= str_after(tag, "PARTUUID=") &&
			 streq(tag + strlen("PARTUUID="), y->v[i].uuid);
	}
	check(found, "a tag of nothing");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct disk_image m = open_image(data, size), changed;
	_cleanup_medium_ids_ struct medium_ids ids = {0}, kept = {0};
	_cleanup_free_ uint8_t *copy = xcalloc(size + 1, 1);
	struct err e;

	if (size > 0)
		memcpy(copy, data, size);
	if (medium_ids_make(&kept, &m, true, &e) == 0)
		check(kept.n == 0, "identifiers are kept, and replaced");
	m.envs = (struct medium_envs){0};
	/* write refuses what is not whole before it chooses identifiers */
	if (disk_image_check(&m, &e) == 0 && medium_ids_make(&ids, &m, false, &e) == 0 &&
	    ids.n > 0) {
		for (size_t at = 0; at < size; at += PIECE)
			medium_ids_apply(&ids, at, copy + at,
					 size - at < PIECE ? size - at : PIECE);
		check(!streq(ids.tag, kept.tag), "the tag is the image's");
		changed = open_image(copy, size);
		check_tables(&m, &changed, ids.tag);
		disk_image_done(&changed);
	}
	disk_image_done(&m);
	return 0;
}
