/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a hybrid ISO: El Torito for BIOS and UEFI, and an MBR and a GPT for an ISO that
 * is written to a stick. UEFI boots from boot/efi.img, a FAT image in the ISO's file
 * system, from a CD and, through the GPT, from a stick. It also has room for host.cfg or
 * rack.cfg, which the boot script reads from it in both cases.
 *
 * xorriso lays files out in the order of their weights, because its default, the order of
 * inode numbers, differs from build to build.
 */
#include "builder/common/archive.h"
#include "builder/common/disk-layout.h"
#include "builder/image/fat.h"
#include "builder/image/grub.h"
#include "builder/image/image-parts.h"
#include "builder/image/medium-tree.h"
#include "lib/file.h"
#include "lib/run.h"
#include "pxe/embed.h"
#include "pxe/variables.h"

#include <time.h>

#define ISO      "boot.iso"
#define MIB      (1ULL << 20)
#define CHUNK    (256 * 1024)
#define EFI_SIZE (16 * MIB) /* FAT16; GRUB is 1 MiB, a rack.cfg 4 MiB at most */

static const struct tool iso_own_tools[] = {{"xorriso", "xorriso"}, {NULL, NULL}};
static const struct tool *const iso_tools[] = {fat_tools, grub_tools, iso_own_tools,
					       NULL};

/* --- boot/efi.img ------------------------------------------------------------------ */

static int stage_efi(struct medium_tree *efi, const struct image_parts *p,
		     const struct medium_tree *m, struct err *e)
{
	_cleanup_free_ char *label = medium_tree_iso_label(m);
	const struct variable vars[] = {{"label", label}, {0}};
	_cleanup_buf_ struct buf b = {0};

	variables_replace(&b, embed_stick_grub, vars);
	if (medium_tree_add_text(efi, MEDIUM_GRUB_CFG, b.p, b.len, p->r->epoch, e) < 0 ||
	    medium_tree_add_env(efi, m, MEDIUM_ON_ISO, p->r->epoch, e) < 0)
		return -1;
	for (size_t i = 0; m->paths[i]; i++)
		if (str_after(m->paths[i], MEDIUM_EFI_DIR "/") &&
		    medium_tree_add_link(efi, m, m->paths[i], e) < 0)
			return -1;
	return medium_tree_add_config(efi, p, e);
}

static int make_efi(const struct image_parts *p, struct medium_tree *m, struct err *e)
{
	_cleanup_medium_tree_ struct medium_tree efi = {
		.dir = xasprintf("%s/efi.tree", p->outdir)};
	_cleanup_free_ char *image = xasprintf("%s/" MEDIUM_EFI_IMG, m->dir);
	struct fat fat = {
		.image = image,
		.size = EFI_SIZE,
		.sector = 512,
		.bits = 16,
		.label = DISK_BOOT_LABEL,
		.epoch = p->r->epoch,
	};
	char guid[DISK_GUID_LEN];

	disk_guid(m->id, "efi.img", guid);
	fat.id = disk_volume_id(guid);
	if (medium_tree_add_text(m, MEDIUM_EFI_IMG, "", 0, p->r->epoch, e) < 0)
		return -1;
	if (truncate(image, EFI_SIZE) < 0 || mkdir(efi.dir, 0755) < 0)
		return err_errno(e, errno, "%s", image);
	if (stage_efi(&efi, p, m, e) < 0 || fat_make(&fat, e) < 0 ||
	    fat_copy(&fat, efi.dir, efi.paths, e) < 0 ||
	    fat_verify(&fat, efi.dir, efi.paths, e) < 0)
		return -1;
	return medium_tree_set_time(m, MEDIUM_EFI_IMG, p->r->epoch, e);
}

static int make_bios(const struct image_parts *p, struct medium_tree *m, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/" MEDIUM_ELTORITO, m->dir);

	if (medium_tree_add_text(m, MEDIUM_ELTORITO, "", 0, p->r->epoch, e) < 0 ||
	    grub_core(GRUB_BIOS_ISO, path, e) < 0)
		return -1;
	return medium_tree_set_time(m, MEDIUM_ELTORITO, p->r->epoch, e);
}

/* --- xorriso ----------------------------------------------------------------------- */

/* Returns the time in the format of ISO 9660's volume descriptor, "2015063000000000".
 * Owned. */
static char *iso_time(uint64_t epoch)
{
	time_t t = (time_t)epoch;
	struct tm tm;
	char s[32];

	gmtime_r(&t, &tm);
	strftime(s, sizeof(s), "%Y%m%d%H%M%S00", &tm);
	return xstrdup(s);
}

/* Writes the weights, which lay the files out in the order of their paths. */
static int write_weights(const struct medium_tree *m, const char *path, struct err *e)
{
	size_t n = strv_len(m->paths);
	_cleanup_buf_ struct buf b = {0};
	int r;

	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%zu /%s\n", n - i, m->paths[i]);
	r = file_write_at(AT_FDCWD, path, b.p, b.len, 0644);
	return r < 0 ? err_errno(e, r, "%s", path) : 0;
}

static int run_xorriso(const struct image_parts *p, const struct medium_tree *m,
		       const char *weights, struct err *e)
{
	_cleanup_free_ char *label = medium_tree_iso_label(m);
	_cleanup_free_ char *modified = iso_time(p->r->epoch);
	_cleanup_free_ char *modification = xasprintf("--modification-date=%s", modified);
	_cleanup_free_ char *out = xasprintf("%s/" ISO, p->outdir);
	_cleanup_free_ char *epoch =
		xasprintf("SOURCE_DATE_EPOCH=%llu", (unsigned long long)p->r->epoch);
	const char *const env[] = {epoch, "TZ=UTC", "LC_ALL=C.UTF-8", NULL};
	char guid[DISK_GUID_LEN];
	const char *const argv[] = {"xorriso",
				    "-no_rc",
				    "-as",
				    "mkisofs",
				    "-quiet",
				    "-volid",
				    label,
				    modification,
				    "--set_all_file_dates",
				    modified,
				    "--gpt_disk_guid",
				    guid,
				    "-r",
				    "-J",
				    "-joliet-long",
				    "--sort-weight-list",
				    weights,
				    "--grub2-mbr",
				    GRUB_BOOT_HYBRID,
				    "--protective-msdos-label",
				    "-b",
				    MEDIUM_ELTORITO,
				    "-no-emul-boot",
				    "-boot-load-size",
				    "4",
				    "-boot-info-table",
				    "--grub2-boot-info",
				    "-c",
				    MEDIUM_BOOT_CAT,
				    "--efi-boot",
				    MEDIUM_EFI_IMG,
				    "-efi-boot-part",
				    "--efi-boot-image",
				    "-o",
				    out,
				    m->dir,
				    NULL};
	struct run r = {.argv = argv, .env = env};

	disk_guid(m->id, "iso", guid);
	return run(&r, e);
}

/* --- reading back ------------------------------------------------------------------ */

/* xorriso writes tables of blocks into the BIOS's boot image: the boot info table of
 * mkisofs (bytes 8 to 63) and GRUB's (from byte 2548). */
#define PATCHED 4096

/* Compares the current file of the ISO with the tree's. */
static int verify_file(struct archive_in *in, const struct medium_tree *m,
		       const char *path, struct err *e)
{
	_cleanup_free_ char *full = xasprintf("%s/%s", m->dir, path);
	_cleanup_free_ char *got = xmalloc(CHUNK), *want = xmalloc(CHUNK);
	_cleanup_close_ int fd = file_open_foreign_at(AT_FDCWD, full);
	size_t skip = streq(path, MEDIUM_ELTORITO) ? PATCHED : 0;
	off_t at = 0;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return err_set(e, ERR_FAILED, "%s: %s", full, file_strerror(fd));
	if (fstat(fd, &st) < 0)
		return err_errno(e, errno, "%s", full);
	while ((n = archive_in_read(in, got, CHUNK, e)) > 0) {
		size_t from = (size_t)n < skip ? (size_t)n : skip;

		if (pread(fd, want, (size_t)n, at) != n ||
		    memcmp(got + from, want + from, (size_t)n - from) != 0)
			break;
		skip -= from;
		at += n;
	}
	if (n < 0)
		return -1;
	return n == 0 && at == st.st_size
		       ? 0
		       : err_set(e, ERR_FAILED,
				 "%s: is not as it was written (a full or failing disk?)",
				 path);
}

/* Reads the ISO back and compares all files. */
static int verify_iso(const struct image_parts *p, const struct medium_tree *m,
		      struct err *e)
{
	_cleanup_archive_in_ struct archive_in *in = NULL;
	const struct entry *entry;
	size_t left = strv_len(m->paths);
	_cleanup_close_ int fd = file_open_foreign_at(p->outfd, ISO);
	int r;

	if (fd < 0)
		return err_set(e, ERR_FAILED, "%s/" ISO ": %s", p->outdir,
			       file_strerror(fd));
	if (archive_in_open(&in,
			    &(struct archive_source){.name = ISO, .fd = fd, .iso = true},
			    e) < 0)
		return -1;
	while ((r = archive_in_next(in, &entry, e)) > 0) {
		if (entry->type != ENTRY_FILE || !strv_has(m->paths, entry->path))
			continue;
		if (verify_file(in, m, entry->path, e) < 0)
			return err_wrap(e, ISO);
		left--;
	}
	if (r == 0 && left > 0)
		return err_set(e, ERR_FAILED, ISO ": lacks %zu files", left);
	return r;
}

static int iso_write(const struct image_parts *p, char ***outputs, struct err *e)
{
	_cleanup_free_ char *weights = xasprintf("%s/iso.weights", p->outdir);
	_cleanup_medium_tree_ struct medium_tree m = {0};
	int r;

	if (medium_tree_make(&m, MEDIUM_ON_ISO, "iso.tree", p, e) < 0 ||
	    make_efi(p, &m, e) < 0 || make_bios(p, &m, e) < 0 ||
	    write_weights(&m, weights, e) < 0)
		return -1;
	r = run_xorriso(p, &m, weights, e);
	unlink(weights);
	if (r < 0 || verify_iso(p, &m, e) < 0)
		return -1;
	strv_add(outputs, ISO);
	return 0;
}

const struct image_type image_iso = {
	.name = "iso",
	.medium = true,
	.tools = iso_tools,
	.write = iso_write,
};
