/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three files are links to the parts; the rest is a few texts. Everything gets the
 * recipe's epoch for its time. The digest of the list of digests names the medium, so
 * the boot menu, which names the medium to the kernel, is added to the list last: it
 * says nothing that the digest does not already depend on.
 */
#include "builder/image/medium.h"

#include "builder/common/disk-layout.h"
#include "builder/image/grub.h"
#include "lib/file.h"
#include "pxe/embed.h"
#include "pxe/kernel-cmdline.h"
#include "pxe/template.h"

#include <ctype.h>

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* --- files ------------------------------------------------------------------------- */

static char *place(const struct medium *m, const char *path)
{
	return xasprintf("%s/%s", m->dir, path);
}

/* The folders of `path`, and the note that it is there. */
static int add_path(struct medium *m, const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *dir =
		slash ? xasprintf("%s/%.*s", m->dir, (int)(slash - path), path) : NULL;
	int r = dir ? mkdir_p_at(AT_FDCWD, dir, 0755) : 0;

	if (r < 0)
		return err_errno(e, r, "%s", dir);
	strv_add(&m->paths, path);
	qsort(m->paths, strv_len(m->paths), sizeof(*m->paths), by_text);
	return 0;
}

static int set_time(const char *path, uint64_t epoch, struct err *e)
{
	const struct timespec t[2] = {{.tv_sec = (time_t)epoch},
				      {.tv_sec = (time_t)epoch}};

	return utimensat(AT_FDCWD, path, t, 0) < 0 ? err_errno(e, errno, "%s", path) : 0;
}

int medium_text(struct medium *m, const char *path, const char *text, size_t len,
		uint64_t epoch, struct err *e)
{
	_cleanup_free_ char *full = place(m, path);
	_cleanup_close_ int fd = -1;
	int r;

	if (add_path(m, path, e) < 0)
		return -1;
	fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	r = fd < 0 ? -errno : write_all(fd, text, len);
	return r < 0 ? err_errno(e, r, "%s", full) : set_time(full, epoch, e);
}

int medium_set_time(const struct medium *m, const char *path, uint64_t epoch,
		    struct err *e)
{
	_cleanup_free_ char *full = place(m, path);

	return set_time(full, epoch, e);
}

int medium_link(struct medium *m, const struct medium *from, const char *path,
		struct err *e)
{
	_cleanup_free_ char *to = place(m, path), *old = place(from, path);

	if (add_path(m, path, e) < 0)
		return -1;
	return link(old, to) < 0 ? err_errno(e, errno, "%s", to) : 0;
}

static int add_part(struct medium *m, const struct image_parts *p, const char *name,
		    const char *path, struct err *e)
{
	_cleanup_free_ char *full = place(m, path);
	struct stat st;

	if (add_path(m, path, e) < 0)
		return -1;
	if (linkat(p->dirfd, name, AT_FDCWD, full, 0) < 0 || stat(full, &st) < 0)
		return err_errno(e, errno, "%s", full);
	m->parts += (uint64_t)st.st_size;
	return set_time(full, p->r->epoch, e);
}

int medium_config(struct medium *m, const struct image_parts *p, struct err *e)
{
	const struct recipe_media *rm = &p->r->media;
	const char *from = rm->host ? rm->host : rm->rack;
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r;

	if (!from)
		return 0;
	r = file_read_at(AT_FDCWD, from, CONF_MAX_RACK, &text, &len);
	if (r < 0)
		return err_errno(e, r, "%s", from);
	return medium_text(m, rm->host ? MEDIUM_HOST_CFG : MEDIUM_RACK_CFG, text, len,
			   p->r->epoch, e);
}

/* --- the boot loader --------------------------------------------------------------- */

/* As GRUB reads it: grub-core/lib/envblk.c. */
#define ENV_LEN 1024

static int add_env(struct medium *m, uint64_t epoch, struct err *e)
{
	static const char head[] = "# GRUB Environment Block\nslot=a\n";
	char text[ENV_LEN];

	memset(text, '#', sizeof(text));
	memcpy(text, head, strlen(head));
	return medium_text(m, MEDIUM_GRUB_ENV, text, sizeof(text), epoch, e);
}

/* What GRUB runs for a slot: the kernel's words are quoted for it here. */
static int add_slot(struct medium *m, const struct image_parts *p, struct err *e)
{
	const char *more = p->r->media.cmdline;
	_cleanup_free_ char *words =
		xasprintf("%s%sboot=rackstrap gpt rackstrap.root_sha256=%s%s%s",
			  p->r->cmdline ? p->r->cmdline : "", p->r->cmdline ? " " : "",
			  p->root_sha256, more ? " " : "", more ? more : "");
	_cleanup_free_ char *quoted = cmdline_for_grub(words);
	const struct template_var vars[] = {{"name", p->r->name}, {"words", quoted}, {0}};
	_cleanup_buf_ struct buf b = {0};

	if (strlen(words) > CMDLINE_MAX)
		return err_set(e, ERR_CONFIG,
			       "kernel command line: %zu characters are too long (at "
			       "most %d)",
			       strlen(words), CMDLINE_MAX);
	template_render(&b, embed_slot_grub, vars);
	return medium_text(m, MEDIUM_SLOT_A "/" MEDIUM_SLOT_CFG, b.p, b.len, p->r->epoch,
			   e);
}

/*
 * The distribution's chain for Secure Boot, from the packages shim-signed,
 * shim-helpers-amd64-signed and grub-efi-amd64-signed: the firmware knows who signed
 * shim, shim who signed GRUB and the kernel. Of the signed GRUBs this is the one for CDs:
 * it looks for boot/grub/grub.cfg where it came from, as ours does.
 */
static const struct signed_file {
	const char *path; /* in the base */
	const char *name; /* in MEDIUM_EFI_DIR */
} signed_files[] = {
	{"usr/lib/shim/shimx64.efi.signed", "BOOTX64.EFI"},
	{"usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", "grubx64.efi"},
	{"usr/lib/shim/mmx64.efi.signed", "mmx64.efi"},
};

bool medium_want(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(signed_files); i++)
		if (streq(signed_files[i].path, path))
			return true;
	return false;
}

/* Whether the base has the whole chain. */
static bool is_signed(const struct image_parts *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(signed_files); i++) {
		const struct index_entry *x = index_find(p->base, signed_files[i].path);

		if (!x || !x->text)
			return false;
	}
	return true;
}

static int add_signed(struct medium *m, const struct image_parts *p, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(signed_files); i++) {
		const struct index_entry *x = index_find(p->base, signed_files[i].path);
		_cleanup_free_ char *path =
			xasprintf(MEDIUM_EFI_DIR "/%s", signed_files[i].name);

		if (medium_text(m, path, x->text, x->size, p->r->epoch, e) < 0)
			return -1;
	}
	return 0;
}

static int add_efi(struct medium *m, const struct image_parts *p, struct err *e)
{
	static const char path[] = MEDIUM_EFI_DIR "/BOOTX64.EFI";
	_cleanup_free_ char *full = place(m, path);

	if (is_signed(p))
		return add_signed(m, p, e);
	if (add_path(m, path, e) < 0 || grub_core(GRUB_EFI, full, e) < 0)
		return -1;
	return set_time(full, p->r->epoch, e);
}

char *medium_iso_label(const struct medium *m)
{
	char guid[DISK_GUID_LEN];

	disk_guid(m->id, "iso", guid);
	return xasprintf("RACKSTRAP_%.8s", guid);
}

/* The partition or the label, as the boot script looks for it: blkid's lower case. */
static char *medium_word(const struct medium *m, enum medium_type type)
{
	_cleanup_free_ char *label = medium_iso_label(m);
	char guid[DISK_GUID_LEN];

	if (type == MEDIUM_ON_ISO)
		return xasprintf("LABEL=%s", label);
	disk_guid(m->id, disk_part_types[DISK_BOOT].name, guid);
	for (char *s = guid; *s; s++)
		*s = (char)tolower((unsigned char)*s);
	return xasprintf("PARTUUID=%s", guid);
}

static int add_menu(struct medium *m, enum medium_type type, uint64_t epoch,
		    struct err *e)
{
	_cleanup_free_ char *medium = medium_word(m, type);
	const struct template_var vars[] = {{"medium", medium}, {0}};
	_cleanup_buf_ struct buf b = {0};

	template_render(&b, embed_media_grub, vars);
	return medium_text(m, MEDIUM_GRUB_CFG, b.p, b.len, epoch, e);
}

/* --- the list ---------------------------------------------------------------------- */

/* What is changed afterwards is not on it. */
static bool is_listed(const char *path)
{
	return !streq(path, MEDIUM_HOST_CFG) && !streq(path, MEDIUM_RACK_CFG) &&
	       !streq(path, MEDIUM_GRUB_ENV);
}

static int add_sum(struct buf *sums, const struct medium *m, const char *path,
		   struct err *e)
{
	_cleanup_free_ char *full = place(m, path);
	_cleanup_close_ int fd = open(full, O_RDONLY | O_CLOEXEC);
	char hex[DIGEST_HEX_MAX];
	int r = fd < 0 ? -errno : digest_fd(fd, DIGEST_SHA256, hex, NULL);

	if (r < 0)
		return err_errno(e, r, "%s", full);
	buf_printf(sums, "%s  %s\n", hex, path);
	return 0;
}

/* Of all that the medium has but what is named after it; also what is not listed counts
 * for the name. */
static int name_it(struct medium *m, struct buf *sums, struct err *e)
{
	_cleanup_buf_ struct buf all = {0};

	for (size_t i = 0; m->paths[i]; i++)
		if (add_sum(is_listed(m->paths[i]) ? sums : &all, m, m->paths[i], e) < 0)
			return -1;
	buf_puts(&all, sums->p);
	digest_text(DIGEST_SHA256, all.p, all.len, m->id);
	return 0;
}

static int stage(struct medium *m, enum medium_type type, const struct image_parts *p,
		 struct err *e)
{
	_cleanup_buf_ struct buf sums = {0};

	if (add_part(m, p, p->kernel, MEDIUM_SLOT_A "/" MEDIUM_KERNEL, e) < 0 ||
	    add_part(m, p, p->initrd, MEDIUM_SLOT_A "/" MEDIUM_INITRD, e) < 0 ||
	    add_part(m, p, p->root, MEDIUM_SLOT_A "/" MEDIUM_ROOT, e) < 0 ||
	    medium_text(m, MEDIUM_SLOT_A "/" MEDIUM_MANIFEST, p->manifest,
			strlen(p->manifest), p->r->epoch, e) < 0 ||
	    add_slot(m, p, e) < 0 || add_efi(m, p, e) < 0)
		return -1;
	if (type == MEDIUM_ON_DISK &&
	    (add_env(m, p->r->epoch, e) < 0 || medium_config(m, p, e) < 0))
		return -1;
	if (name_it(m, &sums, e) < 0 || add_menu(m, type, p->r->epoch, e) < 0 ||
	    add_sum(&sums, m, MEDIUM_GRUB_CFG, e) < 0)
		return -1;
	return medium_text(m, MEDIUM_SUMS, sums.p, sums.len, p->r->epoch, e);
}

int medium_stage(struct medium *ret, enum medium_type type, const char *name,
		 const struct image_parts *p, struct err *e)
{
	_cleanup_medium_ struct medium m = {.dir = xasprintf("%s/%s", p->outdir, name)};

	if (mkdir(m.dir, 0755) < 0)
		return err_errno(e, errno, "%s", m.dir);
	if (stage(&m, type, p, e) < 0)
		return -1;
	*ret = m;
	m = (struct medium){0};
	return 0;
}

void medium_done(struct medium *m)
{
	rm_rf_p(&m->dir);
	strv_free(m->paths);
	*m = (struct medium){0};
}
