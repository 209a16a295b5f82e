/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel, initrd and root.squashfs are hard links to the parts; the other files are
 * small. Every file's time is the recipe's epoch. The medium's id is a digest over the
 * digests of its files. The boot menu and grubenv contain the id, so they are made after
 * it and do not count for it; the rest of them is constant.
 */
#include "builder/image/medium-tree.h"

#include "builder/common/disk-layout.h"
#include "builder/image/grub.h"
#include "builder/recipe/config-text.h"
#include "lib/file.h"
#include "pxe/embed.h"
#include "pxe/kernel-cmdline.h"
#include "pxe/variables.h"

#include <ctype.h>

/* --- files ------------------------------------------------------------------------- */

/* Returns the full path of the tree's file `path`; owned. */
static char *full_path(const struct medium_tree *m, const char *path)
{
	return xasprintf("%s/%s", m->dir, path);
}

/* Makes the folders of `path` and adds it to m->paths. */
static int add_path(struct medium_tree *m, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir =
		slash ? xasprintf("%s/%.*s", m->dir, (int)(slash - path), path) : NULL;
	int r = dir ? mkdir_p_at(AT_FDCWD, dir, 0755) : 0;

	if (r < 0)
		return err_errno(e, r, "%s", dir);
	strv_add(&m->paths, path);
	strv_sort(m->paths);
	return 0;
}

static int set_time(const char *path, uint64_t epoch, struct err *e)
{
	const struct timespec t[2] = {{.tv_sec = (time_t)epoch},
				      {.tv_sec = (time_t)epoch}};

	return utimensat(AT_FDCWD, path, t, 0) < 0 ? err_errno(e, errno, "%s", path) : 0;
}

int medium_tree_add_text(struct medium_tree *m, const char *path, const char *text,
			 size_t len, uint64_t epoch, struct err *e)
{
	_cleanup_free_ char *full = full_path(m, path);
	_cleanup_close_ int fd = -1;
	int r;

	if (add_path(m, path, e) < 0)
		return -1;
	fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	r = fd < 0 ? -errno : write_all(fd, text, len);
	return r < 0 ? err_errno(e, r, "%s", full) : set_time(full, epoch, e);
}

int medium_tree_set_time(const struct medium_tree *m, const char *path, uint64_t epoch,
			 struct err *e)
{
	_cleanup_free_ char *full = full_path(m, path);

	return set_time(full, epoch, e);
}

int medium_tree_add_link(struct medium_tree *m, const struct medium_tree *from,
			 const char *path, struct err *e)
{
	_cleanup_free_ char *to = full_path(m, path), *old = full_path(from, path);

	if (add_path(m, path, e) < 0)
		return -1;
	return link(old, to) < 0 ? err_errno(e, errno, "%s", to) : 0;
}

static int add_part(struct medium_tree *m, const struct image_parts *p, const char *name,
		    const char *path, struct err *e)
{
	_cleanup_free_ char *full = full_path(m, path);
	struct stat st;

	if (add_path(m, path, e) < 0)
		return -1;
	if (linkat(p->dirfd, name, AT_FDCWD, full, 0) < 0 || stat(full, &st) < 0)
		return err_errno(e, errno, "%s", full);
	m->parts += (uint64_t)st.st_size;
	return set_time(full, p->r->epoch, e);
}

int medium_tree_add_config(struct medium_tree *m, const struct image_parts *p,
			   struct err *e)
{
	const struct recipe_media *rm = &p->r->media;
	const char *from = rm->host ? rm->host : rm->rack;
	_cleanup_config_text_ struct config_text c = {.rack = !rm->host};
	_cleanup_diag_ struct diag d = {0};

	if (!from)
		return 0;
	if (config_text_load(&c, from, NULL, &d) < 0)
		return diag_err(&d, e);
	return medium_tree_add_text(m, rm->host ? MEDIUM_HOST_CFG : MEDIUM_RACK_CFG,
				    c.text, c.len, p->r->epoch, e);
}

/* --- the boot loader --------------------------------------------------------------- */

/* Adds slot.cfg, the commands of GRUB that boot the slot. The words of the kernel command
 * line are quoted for GRUB. */
static int add_slot(struct medium_tree *m, const struct image_parts *p, struct err *e)
{
	const char *more = p->r->media.cmdline;
	_cleanup_free_ char *words =
		xasprintf("%s%sboot=rackstrap gpt rackstrap.root_sha256=%s%s%s",
			  p->r->cmdline ? p->r->cmdline : "", p->r->cmdline ? " " : "",
			  p->root_sha256, more ? " " : "", more ? more : "");
	_cleanup_free_ char *quoted = cmdline_for_grub(words);
	const struct variable vars[] = {{"name", p->r->name}, {"words", quoted}, {0}};
	_cleanup_buf_ struct buf b = {0};

	if (strlen(words) > CMDLINE_MAX)
		return err_set(e, ERR_CONFIG,
			       "kernel command line: has %zu characters, at most %d "
			       "are allowed",
			       strlen(words), CMDLINE_MAX);
	variables_replace(&b, embed_slot_grub, vars);
	return medium_tree_add_text(m, MEDIUM_SLOT_A "/" MEDIUM_SLOT_CFG, b.p, b.len,
				    p->r->epoch, e);
}

/*
 * The distribution's files for Secure Boot, from the packages shim-signed,
 * shim-helpers-amd64-signed and grub-efi-amd64-signed: the firmware verifies shim, which
 * verifies GRUB and the kernel. gcdx64 is the signed GRUB for CDs: like the core image
 * that grub_core() makes, it reads boot/grub/grub.cfg of the file system that it was
 * loaded from.
 */
static const struct signed_file {
	const char *path; /* in the base */
	const char *name; /* in MEDIUM_EFI_DIR */
} signed_files[] = {
	{"usr/lib/shim/shimx64.efi.signed", "BOOTX64.EFI"},
	{"usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", "grubx64.efi"},
	{"usr/lib/shim/mmx64.efi.signed", "mmx64.efi"},
};

bool medium_tree_needs(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(signed_files); i++)
		if (streq(signed_files[i].path, path))
			return true;
	return false;
}

/* Checks that the base has all files for Secure Boot. */
static bool has_signed(const struct image_parts *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(signed_files); i++) {
		const struct index_entry *x = index_find(p->base, signed_files[i].path);

		if (!x || !x->text)
			return false;
	}
	return true;
}

static int add_signed(struct medium_tree *m, const struct image_parts *p, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(signed_files); i++) {
		const struct index_entry *x = index_find(p->base, signed_files[i].path);
		_cleanup_free_ char *path =
			xasprintf(MEDIUM_EFI_DIR "/%s", signed_files[i].name);

		if (medium_tree_add_text(m, path, x->text, x->size, p->r->epoch, e) < 0)
			return -1;
	}
	return 0;
}

static int add_efi(struct medium_tree *m, const struct image_parts *p, struct err *e)
{
	static const char path[] = MEDIUM_EFI_DIR "/BOOTX64.EFI";
	_cleanup_free_ char *full = full_path(m, path);

	if (has_signed(p))
		return add_signed(m, p, e);
	if (add_path(m, path, e) < 0 || grub_core(GRUB_EFI, full, e) < 0)
		return -1;
	return set_time(full, p->r->epoch, e);
}

char *medium_tree_iso_label(const struct medium_tree *m)
{
	char guid[DISK_GUID_LEN];

	disk_guid(m->id, "iso", guid);
	return xasprintf(MEDIUM_ISO_LABEL "%.8s", guid);
}

/* Returns the tag by which the boot script finds the medium; owned. blkid prints a
 * partition's GUID in lower case. */
static char *format_tag(const struct medium_tree *m, enum medium_type type)
{
	_cleanup_free_ char *label = medium_tree_iso_label(m);
	char guid[DISK_GUID_LEN];

	if (type == MEDIUM_ON_ISO)
		return xasprintf("LABEL=%s", label);
	disk_guid(m->id, disk_part_types[DISK_BOOT].name, guid);
	for (char *s = guid; *s; s++)
		*s = (char)tolower((unsigned char)*s);
	return xasprintf("PARTUUID=%s", guid);
}

/* Size and format of the environment block: grub-core/lib/envblk.c of GRUB. */
#define ENV_LEN 1024

int medium_tree_add_env(struct medium_tree *to, const struct medium_tree *m,
			enum medium_type type, uint64_t epoch, struct err *e)
{
	_cleanup_free_ char *tag = format_tag(m, type), *label = medium_tree_iso_label(m);
	_cleanup_buf_ struct buf b = {0};
	char text[ENV_LEN];

	buf_printf(&b, "# GRUB Environment Block\nslot=a\n" MEDIUM_TAG_VARIABLE "=%s\n",
		   tag);
	if (type == MEDIUM_ON_ISO)
		buf_printf(&b, MEDIUM_LABEL_VARIABLE "=%s\n", label);
	memset(text, '#', sizeof(text));
	memcpy(text, b.p, b.len);
	return medium_tree_add_text(to, MEDIUM_GRUB_ENV, text, sizeof(text), epoch, e);
}

static int add_menu(struct medium_tree *m, enum medium_type type, uint64_t epoch,
		    struct err *e)
{
	_cleanup_free_ char *medium = format_tag(m, type);
	const struct variable vars[] = {{"medium", medium}, {0}};
	_cleanup_buf_ struct buf b = {0};

	variables_replace(&b, embed_media_grub, vars);
	return medium_tree_add_text(m, MEDIUM_GRUB_CFG, b.p, b.len, epoch, e);
}

/* --- SHA256SUMS and the id --------------------------------------------------------- */

/* Returns false for the files that are changed after the build, which SHA256SUMS must not
 * have. */
static bool is_listed(const char *path)
{
	return !streq(path, MEDIUM_HOST_CFG) && !streq(path, MEDIUM_RACK_CFG);
}

/* Appends the line of `path` for SHA256SUMS. */
static int add_sum(struct buf *sums, const struct medium_tree *m, const char *path,
		   struct err *e)
{
	_cleanup_free_ char *full = full_path(m, path);
	_cleanup_close_ int fd = file_open_foreign_at(AT_FDCWD, full);
	char hex[DIGEST_HEX_MAX];
	int r = fd < 0 ? fd : digest_fd(fd, DIGEST_SHA256, hex, NULL);

	if (r < 0)
		return err_set(e, ERR_FAILED, "%s: %s", full, file_strerror(r));
	buf_printf(sums, "%s  %s\n", hex, path);
	return 0;
}

/* Sets m->id to the SHA-256 over the digests of all files that there are (not yet the
 * boot menu and grubenv, which contain the id), and appends those of the listed files to
 * `sums`. */
static int set_id(struct medium_tree *m, struct buf *sums, struct err *e)
{
	_cleanup_buf_ struct buf all = {0};

	for (size_t i = 0; m->paths[i]; i++)
		if (add_sum(is_listed(m->paths[i]) ? sums : &all, m, m->paths[i], e) < 0)
			return -1;
	buf_puts(&all, sums->p);
	digest_text(DIGEST_SHA256, all.p, all.len, m->id);
	return 0;
}

static int add_all(struct medium_tree *m, enum medium_type type,
		   const struct image_parts *p, struct err *e)
{
	_cleanup_buf_ struct buf sums = {0};

	if (add_part(m, p, p->kernel, MEDIUM_SLOT_A "/" MEDIUM_KERNEL, e) < 0 ||
	    add_part(m, p, p->initrd, MEDIUM_SLOT_A "/" MEDIUM_INITRD, e) < 0 ||
	    add_part(m, p, p->root, MEDIUM_SLOT_A "/" MEDIUM_ROOT, e) < 0 ||
	    medium_tree_add_text(m, MEDIUM_SLOT_A "/" MEDIUM_MANIFEST, p->manifest,
				 strlen(p->manifest), p->r->epoch, e) < 0 ||
	    add_slot(m, p, e) < 0 || add_efi(m, p, e) < 0)
		return -1;
	if (type == MEDIUM_ON_DISK && medium_tree_add_config(m, p, e) < 0)
		return -1;
	if (set_id(m, &sums, e) < 0 || add_menu(m, type, p->r->epoch, e) < 0 ||
	    add_sum(&sums, m, MEDIUM_GRUB_CFG, e) < 0 ||
	    medium_tree_add_env(m, m, type, p->r->epoch, e) < 0)
		return -1;
	return medium_tree_add_text(m, MEDIUM_SUMS, sums.p, sums.len, p->r->epoch, e);
}

int medium_tree_make(struct medium_tree *ret, enum medium_type type, const char *name,
		     const struct image_parts *p, struct err *e)
{
	_cleanup_medium_tree_ struct medium_tree m = {
		.dir = xasprintf("%s/%s", p->outdir, name)};

	if (mkdir(m.dir, 0755) < 0)
		return err_errno(e, errno, "%s", m.dir);
	if (add_all(&m, type, p, e) < 0)
		return -1;
	*ret = m;
	m = (struct medium_tree){0};
	return 0;
}

void medium_tree_done(struct medium_tree *m)
{
	rm_rf_p(&m->dir);
	strv_free(m->paths);
	*m = (struct medium_tree){0};
}
