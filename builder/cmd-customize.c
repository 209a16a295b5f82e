/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap customize: puts a host.cfg, a rack.cfg or ssh keys into a finished image. The
 * image is copied (sparse, and as a reflink where the file system has them), the copy is
 * changed and synced, and then renamed over the image: a power cut leaves the old image
 * or the new one.
 */
#include "builder/commands.h"
#include "builder/common/disk-format.h"
#include "builder/common/disk-layout.h"
#include "builder/common/fat-check.h"
#include "builder/common/known-files.h"
#include "builder/common/leftovers.h"
#include "builder/common/progress.h"
#include "builder/disk/disk-source.h"
#include "builder/disk/disk-view.h"
#include "builder/disk/image-sums.h"
#include "builder/limit-arg.h"
#include "builder/recipe/config-text.h"
#include "lib/durable.h"
#include "lib/file.h"
#include "lib/interrupt.h"
#include "lib/log.h"
#include "lib/run.h"
#include "pxe/image.h"

#include <limits.h>

enum {
	OPT_HOST = 1,
	OPT_RACK,
	OPT_KEY,
	OPT_LIMIT,
};

struct customize_options {
	const char *image;
	const char *host, *rack; /* one at most */
	char **keys;             /* files */
	uint64_t limit;
};

/* --- the configuration ----------------------------------------------------------- */

static int read_manifest(const struct disk_view *m, struct image *ret, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = disk_view_read(m, MEDIUM_SLOT_A "/" MEDIUM_MANIFEST, &text, &len, e);

	if (r < 0)
		return -1;
	if (r == 0)
		return err_set(e, ERR_FAILED, "%s: slot a has no manifest.json",
			       m->image.path);
	if (image_parse(ret, NULL, text, len, e) < 0)
		return err_wrap(e, "%s: slot a", m->image.path);
	return 0;
}

/* Reads the file of --host or --rack. */
static int load_given(struct config_text *c, const struct customize_options *a,
		      struct err *e)
{
	_cleanup_diag_ struct diag d = {0};

	c->rack = a->rack != NULL;
	if (config_text_load(c, a->host ? a->host : a->rack, NULL, &d) < 0)
		return diag_err(&d, e);
	return 0;
}

/* Reads the configuration that the medium has, for keys to be added to it. */
static int load_from_medium(struct config_text *c, const struct disk_view *m,
			    struct err *e)
{
	static const char *const paths[] = {MEDIUM_RACK_CFG, MEDIUM_HOST_CFG};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		int r = disk_view_read(m, paths[i], &c->text, &c->len, e);

		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		c->rack = streq(paths[i], MEDIUM_RACK_CFG);
		c->name = xasprintf("%s's %s", m->image.path, strrchr(paths[i], '/') + 1);
		return 0;
	}
	return err_set(e, ERR_FAILED,
		       "%s: has neither host.cfg nor rack.cfg to add the key to: give "
		       "--host or --rack as well",
		       m->image.path);
}

/* Adds the keys of the file `path`, one a line; empty lines and comments are skipped. */
static int add_keys(struct config_text *c, const char *path, const struct roles *roles,
		    struct err *e)
{
	_cleanup_diag_ struct diag d = {0};
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	size_t n = 0;
	int r = file_read_at(AT_FDCWD, path, CONF_MAX, &text, NULL);

	if (r < 0)
		return err_errno(e, r, "%s", path);
	lines = strv_split(text, "\r\n");
	for (size_t i = 0; lines && lines[i]; i++) {
		if (lines[i][0] == '#' || !lines[i][strspn(lines[i], " \t")])
			continue;
		n++;
		if (config_text_add_key(c, lines[i], roles, &d) < 0)
			break;
	}
	if (diag_err(&d, e) < 0)
		return err_wrap(e, "%s", path);
	return n > 0 ? 0 : err_set(e, ERR_CONFIG, "%s: has no key in it", path);
}

static int make_config(struct config_text *c, const struct customize_options *a,
		       const struct disk_view *m, const struct image *image,
		       struct err *e)
{
	_cleanup_diag_ struct diag d = {0};
	int r = a->host || a->rack ? load_given(c, a, e) : load_from_medium(c, m, e);

	if (r < 0)
		return -1;
	(void)!config_text_check(c, &image->roles, &image->templates, &d);
	if (diag_err(&d, e) < 0)
		return -1;
	if (!a->keys)
		config_text_warn_keys(c, &image->roles, image->cmdline);
	for (size_t i = 0; a->keys && a->keys[i]; i++)
		if (add_keys(c, a->keys[i], &image->roles, e) < 0)
			return -1;
	return 0;
}

/* --- the image ------------------------------------------------------------------- */

static int copy_raw(const char *from, const char *to, struct err *e)
{
	const char *const argv[] = {
		"cp", "--reflink=auto", "--sparse=always", "--", from, to, NULL};

	stages_start("copying the image", NULL);
	return run_argv(argv, e);
}

/* Writes the raw image *path in the format that the image has, to a file in `dir`, and
 * sets *path to it. */
static int pack(const struct disk_format *format, const char *dir, char **path,
		struct err *e)
{
	_cleanup_free_ char *raw = *path;

	if (!format->write) {
		raw = NULL;
		return 0;
	}
	*path = xasprintf("%s/image", dir);
	stages_start("packing the image", NULL);
	return format->write(raw, *path, e);
}

/* Digests the new image `from` and removes the old one's line from SHA256SUMS: while
 * there is no line, neither image is taken for damaged. */
static int unlist(const struct image_sums *sums, const char *from,
		  char sha256[static DIGEST_HEX_MAX], struct err *e)
{
	_cleanup_close_ int fd = file_open_foreign_at(AT_FDCWD, from);
	int r = fd < 0 ? fd : digest_fd(fd, DIGEST_SHA256, sha256, NULL);

	return r < 0 ? err_errno(e, r, "%s", from) : image_sums_write(sums, NULL, e);
}

/* Gives `from` the mode, owner and group of the old image, and syncs it. */
static int prepare(const char *from, const struct disk_image *old, struct err *e)
{
	_cleanup_close_ int fd = open(from, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(old->file, &st) < 0 || fchmod(fd, st.st_mode & 0777) < 0)
		return err_errno(e, errno, "%s", from);
	/* Without privileges the new file belongs to the caller. */
	if (fchown(fd, st.st_uid, st.st_gid) < 0 && errno != EPERM)
		return err_errno(e, errno, "%s", from);
	r = durable_close(&fd);
	return r < 0 ? err_errno(e, r, "%s", from) : 0;
}

/* Renames the new image `from`, which is in `s`, to `to`, the path of the old one, which
 * is `target` in messages. Its folder was opened by path after the image was, and must be
 * the image's. */
static int replace(const struct disk_image *old, const struct scratch *s,
		   const char *from, const char *to, const char *target, struct err *e)
{
	const char *name = strrchr(target, '/') + 1;
	_cleanup_free_ char *parent = scratch_beside(s, ".");
	_cleanup_image_sums_ struct image_sums sums = {0};
	bool listed = image_sums_read_in(&sums, parent, name);
	char sha256[DIGEST_HEX_MAX];
	int r;

	if (prepare(from, old, e) < 0)
		return -1;
	if (!disk_image_is_unchanged(old, to))
		return err_set(e, ERR_FAILED,
			       "%s: was changed by another program meanwhile: run again",
			       old->path);
	if (listed && unlist(&sums, from, sha256, e) < 0)
		return -1;
	r = durable_rename_at(AT_FDCWD, from, AT_FDCWD, to);
	if (r < 0)
		return err_errno(e, r, "%s", target);
	interrupt_set_kept("the image has the new configuration");
	return listed ? image_sums_write(&sums, sha256, e) : 0;
}

/* Reads the configuration back from `raw` and compares it. */
static int compare(const struct disk_view *m, char *raw, const char *path,
		   const struct config_text *c, struct err *e)
{
	char *config[] = {(char *)path, NULL};
	const struct disk_view changed = {.image = m->image,
					  .kind = m->kind,
					  .raw = raw,
					  .fat = m->fat,
					  .config = config};
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	if (disk_view_read(&changed, path, &text, &len, e) < 0)
		return -1;
	if (len != c->len || memcmp(text, c->text, len) != 0)
		return err_set(e, ERR_FAILED,
			       "%s: %s differs after it was written: the image's FAT is "
			       "damaged",
			       m->image.path, path);
	return 0;
}

static int write_config(const struct disk_view *m, const struct config_text *c,
			const struct image *image, const char *dir, char *raw,
			struct err *e)
{
	const char *path = c->rack ? MEDIUM_RACK_CFG : MEDIUM_HOST_CFG;
	const char *other = c->rack ? MEDIUM_HOST_CFG : MEDIUM_RACK_CFG;
	_cleanup_free_ char *file = xasprintf("%s/config", dir);
	const struct timespec times[2] = {{.tv_sec = (time_t)image->epoch},
					  {.tv_sec = (time_t)image->epoch}};
	bool faults;
	int r = file_write_at(AT_FDCWD, file, c->text, c->len, 0644);

	/* The same configuration gives the same bytes. */
	if (r == 0 && utimensat(AT_FDCWD, file, times, 0) < 0)
		r = -errno;
	if (r < 0)
		return err_errno(e, r, "%s", file);
	if (disk_view_write(m, raw, other, NULL, e) < 0 ||
	    disk_view_write(m, raw, path, file, e) < 0)
		return -1;
	if (compare(m, raw, path, c, e) < 0)
		return -1;
	if (fat_check(raw, m->fat, m->fat_size, dir, &faults, e) == 0)
		return 0;
	if (!faults)
		return -1;
	/* A machine that has run from the image may have left faults of its own. */
	(void)!fat_check(m->raw, m->fat, m->fat_size, dir, &faults, NULL);
	return faults ? 0 : -1;
}

static int change(const struct disk_view *m, const struct config_text *c,
		  const struct image *image, const struct disk_format *format,
		  const char *target, struct err *e)
{
	_cleanup_free_ char *path = NULL, *to = NULL;
	_cleanup_scratch_ struct scratch s = SCRATCH_INIT;

	if (leftovers_make_beside(&s, target, &to, e) < 0)
		return -1;
	path = xasprintf("%s/raw", s.inside);
	if (copy_raw(m->raw, path, e) < 0 ||
	    write_config(m, c, image, s.inside, path, e) < 0 ||
	    pack(format, s.inside, &path, e) < 0)
		return -1;
	return replace(&m->image, &s, path, to, target, e);
}

/* Returns the format to write the image in, or NULL with `e` set. */
static const struct disk_format *find_format(const struct disk_image *m, struct err *e)
{
	const struct disk_format *format = disk_format_of_file(m->format);
	_cleanup_free_ char *names = format ? NULL : str_list(disk_format_name, "and");

	if (!format)
		err_set(e, ERR_FAILED,
			"%s: is compressed with %s: only %s can be changed", m->path,
			m->format, names);
	return format;
}

/* Returns 1 when the medium has this configuration and no other, 0 when not, -1 with `e`
 * set. */
static int has_config(const struct disk_view *m, const struct config_text *c,
		      struct err *e)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	int r = disk_view_read(m, c->rack ? MEDIUM_RACK_CFG : MEDIUM_HOST_CFG, &text,
			       &len, e);

	if (r <= 0)
		return r;
	return len == c->len && memcmp(text, c->text, len) == 0 &&
	       !strv_has(m->config, c->rack ? MEDIUM_HOST_CFG : MEDIUM_RACK_CFG);
}

/* Refuses a damaged image: the new one would get a new digest. */
static int verify(const struct disk_image *m, struct err *e)
{
	_cleanup_known_files_ struct known_digests known = KNOWN_FILES_INIT;

	known_files_open(&known, NULL);
	return disk_source_verify(m, &known, e);
}

static int customize(const struct customize_options *a, struct err *e)
{
	_cleanup_disk_view_ struct disk_view m = {.image = DISK_IMAGE_INIT};
	_cleanup_config_text_ struct config_text c = {0};
	_cleanup_image_ struct image image = {0};
	_cleanup_free_ char *target = NULL;
	const struct disk_format *format;
	int r;

	if (disk_view_open(&m, a->image, a->limit, e) < 0 ||
	    disk_image_check(&m.image, e) < 0)
		return -1;
	if (m.kind == VIEW_FOREIGN)
		return err_set(e, ERR_FAILED,
			       "%s: is no disk or ISO that rackstrap made: it has no "
			       "place for a configuration",
			       a->image);
	format = find_format(&m.image, e);
	if (!format || verify(&m.image, e) < 0 || read_manifest(&m, &image, e) < 0 ||
	    make_config(&c, a, &m, &image, e) < 0)
		return -1;
	r = has_config(&m, &c, e);
	if (r < 0)
		return -1;
	if (r > 0) {
		log_info("%s: has this configuration already", a->image);
		return 0;
	}
	target = realpath(a->image, NULL);
	if (!target)
		return err_errno(e, errno, "%s", a->image);
	if (change(&m, &c, &image, format, target, e) < 0)
		return -1;
	stages_stop();
	log_info("%s: %s%s%s", a->image, c.rack ? "rack.cfg" : "host.cfg",
		 a->host || a->rack ? " written" : "", a->keys ? ", keys added" : "");
	return 0;
}

static int run_customize(const struct command_line *line, struct err *e)
{
	_cleanup_strv_ char **keys = NULL;
	struct customize_options a = {
		.image = line->args[0],
		.host = command_arg(line, OPT_HOST, NULL),
		.rack = command_arg(line, OPT_RACK, NULL),
	};
	const char *key;

	for (size_t i = 0; (key = command_arg_at(line, OPT_KEY, i)); i++)
		strv_add(&keys, key);
	a.keys = keys;
	if (limit_arg_parse(&a.limit, line, OPT_LIMIT, e) < 0)
		return -1;
	if (a.host && a.rack)
		return err_set(e, ERR_USAGE,
			       "customize: options '--host' and '--rack' exclude each "
			       "other: an image is for one host or for a rack");
	if (!a.host && !a.rack && !a.keys)
		return err_set(
			e, ERR_USAGE,
			"customize: missing option '--host FILE', '--rack FILE' or "
			"'--key FILE'");
	return customize(&a, e);
}

static const struct command_option options[] = {
	{.name = "host",
	 .arg = "FILE",
	 .kind = ARG_FILE,
	 .id = OPT_HOST,
	 .help = "the host.cfg of the machine that boots from the image"},
	{.name = "rack",
	 .arg = "FILE",
	 .kind = ARG_FILE,
	 .id = OPT_RACK,
	 .help = "the rack.cfg with the machines that boot from the image"},
	{.name = "key",
	 .arg = "FILE",
	 .kind = ARG_FILE,
	 .id = OPT_KEY,
	 .help = "ssh public keys to add to those in the configuration; may be repeated"},
	LIMIT_OPTION(OPT_LIMIT),
	{.name = NULL},
};

const struct command command_customize = {
	.name = "customize",
	.synopsis = "IMAGE [--host FILE | --rack FILE] [--key FILE]... [--limit SIZE]",
	.summary = "put a host.cfg, a rack.cfg or ssh keys into a disk or ISO",
	.options = options,
	.operands = {{.name = "IMAGE", .kind = ARG_FILE, .help = "a disk image or ISO"}},
	.min_args = 1,
	.max_args = 1,
	.run = run_customize,
};
