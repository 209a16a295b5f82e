/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap verify: compares a finished disk or ISO with what was built. libguestfs opens
 * it as a machine would, with the kernel's file system drivers. Compared are: every file
 * of the medium with its SHA256SUMS, the three files of each slot with the slot's
 * manifest, every file that the recipe put into the root with the manifest, and the copy
 * of EFI/BOOT that an ISO has for UEFI with SHA256SUMS.
 */
#include "builder/commands.h"
#include "builder/common/disk-layout.h"
#include "builder/common/guest.h"
#include "builder/common/progress.h"
#include "builder/disk/disk-view.h"
#include "builder/limit-arg.h"
#include "lib/intern.h"
#include "lib/log.h"
#include "lib/out.h"
#include "pxe/image.h"

#include <sys/stat.h>

#define MEDIUM_AT "/medium"
#define EFI_AT    "/efi"
#define SUMS_MAX  (1U << 20)
#define ENV_MAX   (64U << 10)

struct verify {
	struct guest *g;
	bool iso;
	struct intern listed;     /* the paths in SHA256SUMS, ... */
	struct strv_builder sums; /* ... and their digests, by the paths' numbers */
	size_t files, root_files;
	uint64_t size;  /* of the image, bytes */
	uint64_t limit; /* bytes that a root image may unpack to */
	bool in_root;   /* the files at work are those of a root image, ... */
	uint64_t left;  /* ... of which so many bytes may still be read */
	struct diag wrong;
};

/* --- the medium ------------------------------------------------------------------ */

static int check_sum(struct verify *v, const char *path, const char *at, const char *want,
		     struct err *e)
{
	_cleanup_free_ char *sha256 = NULL;
	struct guest_stat st;
	int r = guest_stat(v->g, at, &st, e);

	if (r < 0)
		return -1;
	if (r == 0) {
		diag_add(&v->wrong, "%s: is missing", path);
		return 0;
	}
	if (!S_ISREG(st.mode)) { /* a device could be read for ever */
		diag_add(&v->wrong, "%s: is not a file", path);
		return 0;
	}
	/* Lists may name one file many times, and file systems share data. */
	if (st.size > v->left)
		return err_set(e, ERR_FAILED,
			       "%s: the files listed have more bytes together than %s: "
			       "refused",
			       path,
			       v->in_root ? "option '--limit' allows" : "the image");
	v->left -= st.size;
	progress_show("comparing %s", path);
	if (guest_sha256(v->g, at, &sha256, e) < 0)
		return -1;
	if (!streq(sha256, want))
		diag_add(&v->wrong, "%s: has sha256 %s, not %s", path, sha256, want);
	return 0;
}

/* Reads SHA256SUMS, lines of "SHA256  PATH" as sha256sum(1) writes them, and compares
 * each file. */
static int check_sums(struct verify *v, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	size_t len = 0;

	if (guest_read(v->g, MEDIUM_AT "/" MEDIUM_SUMS, SUMS_MAX, &text, &len, e) < 0)
		return -1;
	lines = strv_split(text, "\n");
	for (size_t i = 0; lines && lines[i]; i++) {
		_cleanup_free_ char *want = NULL, *at = NULL;
		const char *path = strstr(lines[i], "  ");
		bool is_new;

		if (!path) {
			diag_add(&v->wrong, MEDIUM_SUMS ":%zu: must be SHA256  PATH",
				 i + 1);
			continue;
		}
		want = xstrndup(lines[i], (size_t)(path - lines[i]));
		path += 2;
		at = xasprintf(MEDIUM_AT "/%s", path);
		intern(&v->listed, path, &is_new);
		if (!is_new) {
			diag_add(&v->wrong, MEDIUM_SUMS ":%zu: %s is there twice", i + 1,
				 path);
			continue;
		}
		strv_builder_add(&v->sums, want);
		v->files++;
		if (check_sum(v, path, at, want, e) < 0)
			return -1;
	}
	return 0;
}

/* Reports files that are not in SHA256SUMS. Exempt are those that change after the build,
 * and those that an ISO gets after SHA256SUMS was made. */
static int check_unlisted(struct verify *v, struct err *e)
{
	static const char *const disk[] = {MEDIUM_SUMS, MEDIUM_GRUB_ENV, MEDIUM_HOST_CFG,
					   MEDIUM_RACK_CFG, NULL};
	static const char *const iso[] = {MEDIUM_SUMS,     MEDIUM_GRUB_ENV,
					  MEDIUM_EFI_IMG,  MEDIUM_ELTORITO,
					  MEDIUM_BOOT_CAT, NULL};
	char *const *own = (char *const *)(v->iso ? iso : disk);
	_cleanup_strv_ char **all = NULL;

	if (guest_files(v->g, MEDIUM_AT, &all, e) < 0)
		return -1;
	for (size_t i = 0; all && all[i]; i++)
		if (!intern_find(&v->listed, all[i], NULL) && !strv_has(own, all[i]))
			diag_add(&v->wrong, "%s: is not in " MEDIUM_SUMS, all[i]);
	return 0;
}

/* Compares EFI/BOOT of the FAT in boot/efi.img, from which UEFI boots, with SHA256SUMS:
 * it has the same files as the ISO's EFI/BOOT. */
static int check_efi(struct verify *v, struct err *e)
{
	static const char *const own[] = {MEDIUM_GRUB_CFG, MEDIUM_GRUB_ENV,
					  MEDIUM_HOST_CFG, MEDIUM_RACK_CFG, NULL};
	_cleanup_strv_ char **all = NULL;

	if (guest_mount_file(v->g, MEDIUM_AT "/" MEDIUM_EFI_IMG, EFI_AT, e) < 0 ||
	    guest_files(v->g, EFI_AT, &all, e) < 0)
		return -1;
	v->left = v->size;
	v->in_root = false;
	for (size_t i = 0; i < v->listed.n; i++) {
		const char *listed = v->listed.texts[i];
		_cleanup_free_ char *path = NULL, *at = NULL;

		if (!str_after(listed, MEDIUM_EFI_DIR "/"))
			continue;
		path = xasprintf(MEDIUM_EFI_IMG ": %s", listed);
		at = xasprintf(EFI_AT "/%s", listed);
		v->files++;
		if (check_sum(v, path, at, v->sums.v[i], e) < 0)
			return -1;
	}
	for (size_t i = 0; all && all[i]; i++)
		if (!strv_has((char *const *)own, all[i]) &&
		    !(str_after(all[i], MEDIUM_EFI_DIR "/") &&
		      intern_find(&v->listed, all[i], NULL)))
			diag_add(&v->wrong, MEDIUM_EFI_IMG ": %s: is not in " MEDIUM_SUMS,
				 all[i]);
	return 0;
}

/* Checks that the boot script finds this very medium by the tag in GRUB's environment,
 * unless that has none, as on media of earlier versions. */
static int check_tag(struct verify *v, const char *tag, struct err *e)
{
	static const char key[] = MEDIUM_TAG_VARIABLE "=";
	_cleanup_strv_ char **lines = NULL;
	_cleanup_free_ char *text = NULL;
	struct guest_stat st;
	size_t len = 0;
	int r = guest_stat(v->g, MEDIUM_AT "/" MEDIUM_GRUB_ENV, &st, e);

	if (r <= 0)
		return r;
	if (guest_read(v->g, MEDIUM_AT "/" MEDIUM_GRUB_ENV, ENV_MAX, &text, &len, e) < 0)
		return -1;
	lines = strv_split(text, "\n");
	for (size_t i = 0; lines && lines[i]; i++) {
		const char *has = str_after(lines[i], key);

		if (has && !streq(has, tag))
			diag_add(&v->wrong,
				 MEDIUM_GRUB_ENV ": boots from %s, and this medium is %s",
				 has, tag);
	}
	return 0;
}

/* --- the root -------------------------------------------------------------------- */

static const char *type_name(unsigned mode)
{
	return S_ISREG(mode)   ? "file"
	       : S_ISDIR(mode) ? "dir"
	       : S_ISLNK(mode) ? "link"
			       : "other";
}

static int check_content(struct verify *v, const struct image_file *f, const char *at,
			 const struct guest_stat *st, struct err *e)
{
	_cleanup_free_ char *got = NULL;

	if (f->target) {
		if (guest_readlink(v->g, at, &got, e) < 0)
			return -1;
		if (!streq(got, f->target))
			diag_add(&v->wrong, "%s: points to '%s', not to '%s'", f->path,
				 got, f->target);
		return 0;
	}
	if ((st->mode & 07777) != f->mode)
		diag_add(&v->wrong, "%s: has mode %04o, not %04o", f->path,
			 st->mode & 07777, f->mode);
	if (!f->sha256)
		return 0;
	if (st->size != f->size) {
		diag_add(&v->wrong, "%s: has %llu bytes, not %llu", f->path,
			 (unsigned long long)st->size, (unsigned long long)f->size);
		return 0;
	}
	return check_sum(v, f->path, at, f->sha256, e);
}

static int check_file(struct verify *v, const struct image_file *f, const char *root,
		      struct err *e)
{
	_cleanup_free_ char *at = xasprintf("%s%s", root, f->path);
	struct guest_stat st;
	int r = guest_stat(v->g, at, &st, e);

	if (r < 0)
		return -1;
	v->root_files++;
	if (r == 0)
		diag_add(&v->wrong, "%s: is missing in the root", f->path);
	else if (!streq(type_name(st.mode), f->type))
		diag_add(&v->wrong, "%s: is a %s, not a %s", f->path, type_name(st.mode),
			 f->type);
	else
		return check_content(v, f, at, &st, e);
	return 0;
}

/* Checks that the manifest and SHA256SUMS, with which the file was compared, agree. */
static void check_part(struct verify *v, const char *path, const char *want)
{
	size_t i;

	if (!intern_find(&v->listed, path, &i))
		diag_add(&v->wrong,
			 "%s: is in " MEDIUM_MANIFEST " and not in " MEDIUM_SUMS, path);
	else if (!streq(v->sums.v[i], want))
		diag_add(&v->wrong,
			 "%s: " MEDIUM_MANIFEST " says sha256 %s, " MEDIUM_SUMS " %s",
			 path, want, v->sums.v[i]);
}

static int check_root(struct verify *v, const char *slot, const struct image_files *files,
		      struct err *e)
{
	_cleanup_free_ char *squash = xasprintf(MEDIUM_AT "/%s/" MEDIUM_ROOT, slot);
	_cleanup_free_ char *root = xasprintf("/root-%s", strrchr(slot, '/') + 1);

	if (guest_mount_file(v->g, squash, root, e) < 0)
		return -1;
	v->left = v->limit;
	v->in_root = true;
	for (size_t i = 0; i < files->n; i++)
		if (check_file(v, &files->v[i], root, e) < 0)
			return -1;
	return 0;
}

static int check_slot(struct verify *v, const char *slot, struct err *e)
{
	_cleanup_free_ char *manifest = xasprintf(MEDIUM_AT "/%s/" MEDIUM_MANIFEST, slot),
			    *text = NULL;
	_cleanup_image_files_ struct image_files files = {0};
	_cleanup_image_ struct image image = {0};
	struct guest_stat st;
	size_t len = 0;
	int r = guest_stat(v->g, manifest, &st, e);

	if (r <= 0) /* no such slot */
		return r;
	if (guest_read(v->g, manifest, IMAGE_MANIFEST_MAX, &text, &len, e) < 0 ||
	    image_parse(&image, &files, text, len, e) < 0)
		return err_wrap(e, "%s", slot);
	const struct {
		const char *name, *sha256;
	} parts[] = {
		{MEDIUM_KERNEL, image.kernel_sha256},
		{MEDIUM_INITRD, image.initrd_sha256},
		{MEDIUM_ROOT, image.root_sha256},
	};
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", slot, parts[i].name);

		check_part(v, path, parts[i].sha256);
	}
	return check_root(v, slot, &files, e);
}

/* --- all ------------------------------------------------------------------------- */

static int check_all(struct verify *v, const char *tag, struct err *e)
{
	static const char *const slots[] = {MEDIUM_SLOT_A, MEDIUM_SLOT_B};

	if (check_sums(v, e) < 0 || check_unlisted(v, e) < 0 || check_tag(v, tag, e) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(slots); i++)
		if (check_slot(v, slots[i], e) < 0)
			return -1;
	return v->iso ? check_efi(v, e) : 0;
}

static int verify(const char *path, uint64_t limit, struct err *e)
{
	_cleanup_disk_view_ struct disk_view m = {.image = DISK_IMAGE_INIT};
	_cleanup_medium_ids_ struct medium_ids ids = {0};
	_cleanup_guest_ struct guest *g = NULL;
	struct verify v = {0};
	int r;

	if (disk_view_open(&m, path, limit, e) < 0 || disk_image_check(&m.image, e) < 0)
		return -1;
	if (m.kind == VIEW_FOREIGN)
		return err_set(e, ERR_FAILED,
			       "%s: is no disk or ISO that rackstrap made: it has no "
			       "manifest",
			       path);
	if (medium_ids_make(&ids, &m.image, true, e) < 0 ||
	    guest_open_ro(&g, m.raw, path, m.image.table.sector, e) < 0 ||
	    guest_mount(g, m.kind == VIEW_ISO ? "/dev/sda" : "/dev/sda2", MEDIUM_AT, e) <
		    0)
		return -1;
	v.g = g;
	v.size = v.left = m.image.size;
	v.limit = limit;
	v.iso = m.kind == VIEW_ISO;
	r = check_all(&v, ids.tag, e);
	progress_clear();
	for (size_t i = 0; i < v.wrong.n; i++)
		log_error("%s: %s", path, v.wrong.lines[i]);
	if (r == 0 && v.wrong.n > 0)
		r = err_set(e, ERR_FAILED, "%s: %zu difference%s", path, v.wrong.n,
			    v.wrong.n == 1 ? "" : "s");
	if (r == 0)
		out_line("%s: %zu files of the medium and %zu of the root are as they "
			 "were built",
			 path, v.files, v.root_files);
	intern_done(&v.listed);
	strv_builder_done(&v.sums);
	diag_done(&v.wrong);
	return r;
}

enum {
	OPT_LIMIT = 1,
};

static int run_verify(const struct command_line *line, struct err *e)
{
	uint64_t limit;

	if (limit_arg_parse(&limit, line, OPT_LIMIT, e) < 0)
		return -1;
	return verify(line->args[0], limit, e);
}

static const struct command_option options[] = {
	LIMIT_OPTION(OPT_LIMIT),
	{.name = NULL},
};

const struct command command_verify = {
	.name = "verify",
	.synopsis = "IMAGE [--limit SIZE]",
	.summary = "compare every file of a disk or ISO with what was built",
	.options = options,
	.operands = {{.name = "IMAGE", .kind = ARG_FILE, .help = "a disk image or ISO"}},
	.min_args = 1,
	.max_args = 1,
	.run = run_verify,
};
