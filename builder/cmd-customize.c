/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap customize: who the machines are, put into a finished image. The image is
 * copied (its holes stay holes, and where the file system can the copy shares its
 * blocks), the copy changed and synced, and then renamed over the image: a cut at any
 * instant leaves the old image or the new one.
 */
#include "builder/command.h"
#include "builder/common/disk-layout.h"
#include "builder/common/progress.h"
#include "builder/disk/disk-view.h"
#include "builder/recipe/config-text.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/run.h"
#include "pxe/image.h"

#include <limits.h>

static const struct option options[] = {
	{"host", required_argument, NULL, 'o'},
	{"rack", required_argument, NULL, 'r'},
	{"key", required_argument, NULL, 'k'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct asked {
	const char *image, *host, *rack, *key;
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

/* From the file that was given. */
static int load_given(struct config_text *c, const struct asked *a, struct err *e)
{
	const char *path = a->host ? a->host : a->rack;
	int r;

	c->rack = a->rack != NULL;
	c->name = xstrdup(path);
	r = file_read_at(AT_FDCWD, path, c->rack ? CONF_MAX_RACK : CONF_MAX, &c->text,
			 &c->len);
	return r < 0 ? err_errno(e, r, "%s", path) : 0;
}

/* What the medium has, to put a key into. */
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
		       "%s: has neither host.cfg nor rack.cfg that the key could go "
		       "into: give --host or --rack as well",
		       m->image.path);
}

/* Each line that is a key. */
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

static int make_config(struct config_text *c, const struct asked *a,
		       const struct disk_view *m, const struct image *image,
		       struct err *e)
{
	_cleanup_diag_ struct diag d = {0};
	int r = a->host || a->rack ? load_given(c, a, e) : load_from_medium(c, m, e);

	if (r < 0)
		return -1;
	(void)!config_text_check(c, &image->roles, &d);
	if (diag_err(&d, e) < 0)
		return -1;
	return a->key ? add_keys(c, a->key, &image->roles, e) : 0;
}

/* --- the image ------------------------------------------------------------------- */

static int copy_raw(const char *from, const char *to, struct err *e)
{
	const char *const argv[] = {
		"cp", "--reflink=auto", "--sparse=always", "--", from, to, NULL};

	return run_argv(argv, e);
}

/* Back into the format that it came in. */
static int pack(const struct disk_view *m, const char *from, const char *to,
		struct err *e)
{
	const char *const qcow2[] = {"qemu-img", "convert", "-f", "raw", "-O",
				     "qcow2",    from,      to,   NULL};
	const char *const zstd[] = {"zstd", "-q", "-T0", "-3", from, "-o", to, NULL};

	if (streq(m->image.format, "raw"))
		return rename(from, to) < 0 ? err_errno(e, errno, "%s", to) : 0;
	progress_show("packing %s", m->image.path);
	return run_argv(streq(m->image.format, "qcow2") ? qcow2 : zstd, e);
}

/* Mode, owner and group of the old file; on the medium before it gets its name. */
static int finish(const char *from, const char *to, struct err *e)
{
	_cleanup_close_ int fd = open(from, O_RDWR | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || stat(to, &st) < 0 || fchmod(fd, st.st_mode & 07777) < 0)
		return err_errno(e, errno, "%s", to);
	/* Not everybody may give files away; the image is theirs then. */
	if (fchown(fd, st.st_uid, st.st_gid) < 0 && errno != EPERM)
		return err_errno(e, errno, "%s", to);
	if (fsync(fd) < 0 || rename(from, to) < 0)
		return err_errno(e, errno, "%s", to);
	return fsync_parent_at(AT_FDCWD, to) < 0 ? err_errno(e, errno, "%s", to) : 0;
}

/* What was put there is read again. */
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
			       "%s: %s is not in it as it was put there: the image's FAT "
			       "is damaged",
			       m->image.path, path);
	return 0;
}

static int put_config(const struct disk_view *m, const struct config_text *c,
		      const struct image *image, const char *dir, char *raw,
		      struct err *e)
{
	const char *path = c->rack ? MEDIUM_RACK_CFG : MEDIUM_HOST_CFG;
	const char *other = c->rack ? MEDIUM_HOST_CFG : MEDIUM_RACK_CFG;
	_cleanup_free_ char *file = xasprintf("%s/config", dir);
	const struct timespec times[2] = {{.tv_sec = (time_t)image->epoch},
					  {.tv_sec = (time_t)image->epoch}};
	int r = file_write_at(AT_FDCWD, file, c->text, c->len, 0644);

	/* The same configuration gives the same bytes. */
	if (r == 0 && utimensat(AT_FDCWD, file, times, 0) < 0)
		r = -errno;
	if (r < 0)
		return err_errno(e, r, "%s", file);
	if (disk_view_write(m, raw, other, NULL, e) < 0 ||
	    disk_view_write(m, raw, path, file, e) < 0)
		return -1;
	return compare(m, raw, path, c, e);
}

static int change(const struct disk_view *m, const struct config_text *c,
		  const struct image *image, const char *target, struct err *e)
{
	_cleanup_free_ char *parent =
		xstrndup(target, (size_t)(strrchr(target, '/') - target));
	_cleanup_free_ char *name = xasprintf(".%s", strrchr(target, '/') + 1);
	_cleanup_rm_rf_ char *dir = NULL;
	_cleanup_free_ char *raw = NULL, *packed = NULL;
	int r = tempdir_make(*parent ? parent : "/", name, &dir);

	if (r < 0)
		return err_errno(e, r, "%s", *parent ? parent : "/");
	raw = xasprintf("%s/raw", dir);
	packed = xasprintf("%s/image", dir);
	if (copy_raw(m->raw, raw, e) < 0 || put_config(m, c, image, dir, raw, e) < 0 ||
	    pack(m, raw, packed, e) < 0)
		return -1;
	return finish(packed, target, e);
}

static bool can_pack(const char *format)
{
	return streq(format, "raw") || streq(format, "qcow2") || streq(format, "zstd");
}

/* Whether the medium says just that already; 1 or 0, -1. */
static int is_there(const struct disk_view *m, const struct config_text *c, struct err *e)
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

static int customize(const struct asked *a, struct err *e)
{
	_cleanup_disk_view_ struct disk_view m = {.image = {.fd = -1}};
	_cleanup_config_text_ struct config_text c = {0};
	_cleanup_image_ struct image image = {0};
	_cleanup_free_ char *target = NULL;
	int there;

	if (disk_view_open(&m, a->image, e) < 0)
		return -1;
	if (m.kind == VIEW_FOREIGN)
		return err_set(e, ERR_FAILED,
			       "%s: is no disk or ISO that rackstrap made: it has no "
			       "place for a configuration",
			       a->image);
	if (!can_pack(m.image.format))
		return err_set(e, ERR_FAILED,
			       "%s: is compressed with %s: only raw, qcow2 and zstd can "
			       "be changed",
			       a->image, m.image.format);
	if (read_manifest(&m, &image, e) < 0 || make_config(&c, a, &m, &image, e) < 0)
		return -1;
	there = is_there(&m, &c, e);
	if (there < 0)
		return -1;
	if (there > 0) {
		log_info("%s: has it already", a->image);
		return 0;
	}
	target = realpath(a->image, NULL);
	if (!target)
		return err_errno(e, errno, "%s", a->image);
	if (change(&m, &c, &image, target, e) < 0)
		return -1;
	log_info("%s: %s%s%s", a->image, c.rack ? "rack.cfg" : "host.cfg",
		 a->host || a->rack ? " put in" : "", a->key ? ", key added" : "");
	return 0;
}

static int run_customize(const struct command *self, int argc, char **argv, struct err *e)
{
	struct asked a = {0};
	int c;

	while ((c = command_getopt(self, argc, argv, options, e)) != -1) {
		switch (c) {
		case 'o':
			a.host = optarg;
			break;
		case 'r':
			a.rack = optarg;
			break;
		case 'k':
			a.key = optarg;
			break;
		default:
			return -1;
		}
	}
	if (argc - optind != 1)
		return err_set(e, ERR_USAGE, "customize: name one disk image");
	if (a.host && a.rack)
		return err_set(
			e, ERR_USAGE,
			"customize: --host and --rack: an image is for one host or "
			"for a rack, not for both");
	if (!a.host && !a.rack && !a.key)
		return err_set(e, ERR_USAGE,
			       "customize: say what to put in: --host, --rack or --key");
	a.image = argv[optind];
	return customize(&a, e);
}

const struct command command_customize = {
	.name = "customize",
	.args = "IMAGE (--host FILE | --rack FILE | --key FILE)...",
	.summary = "put a host.cfg, a rack.cfg or ssh keys into a disk or ISO",
	.help = "  --host FILE       the host.cfg of the machine that boots from it\n"
		"  --rack FILE       the rack.cfg that has the machines that boot from "
		"it\n"
		"  --key FILE        ssh public keys, added to those in the "
		"configuration\n",
	.run = run_customize,
};
