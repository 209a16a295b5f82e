/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes one pass over the stream. Most entries are copied to root.tar unchanged, but with
 * no time later than the recipe's epoch. Some of them are parsed as well (dpkg's status
 * and file lists, the kernel's lists of modules). Kernel and initrd become files of their
 * own, the rest is dropped.
 *
 * Entries keep their order. As mmdebstrap's output is reproducible, the same packages
 * make the same root.tar.
 */
#include "builder/base/base-split.h"

#include "builder/base/base-tree.h"
#include "builder/base/modules.h"
#include "builder/common/archive.h"
#include "lib/file.h"

#include <fnmatch.h>

#define TEXT_MAX   (32U << 20) /* bytes of a text that is parsed */
#define TEXTS_MAX  (64U << 20) /* bytes of all status files in the tar */
#define OWNERS_MAX (64U << 20) /* bytes of all owners; base.c reads as many */
#define STATUS     "var/lib/dpkg/status"

/* Paths that are never part of an image. '*' matches '/' too. */
static const char *const dropped[] = {
	"boot/*",
	"vmlinuz",
	"vmlinuz.old",
	"initrd.img",
	"initrd.img.old",
	"dev/*",
	"proc/*",
	"sys/*",
	"run/*",
	"tmp/*",
	"var/tmp/*",
	/* of the build machine */
	"etc/hostname",
	"etc/resolv.conf",
	"etc/apt/sources.list",
	"etc/apt/sources.list.d/*",
	"etc/apt/apt.conf.d/99mmdebstrap",
	"etc/dpkg/dpkg.cfg.d/99mmdebstrap",
	/* added by mmdebstrap.c, for the initrd only */
	"usr/share/initramfs-tools/conf.d/rackstrap",
	"usr/share/initramfs-tools/modules.d/rackstrap",
	"usr/share/initramfs-tools/hooks/rackstrap",
	/* generated on each host */
	"etc/ssh/ssh_host_*",
	"var/lib/dbus/machine-id",
	"var/lib/systemd/random-seed",
	/* left by installing packages */
	"var/cache/*/*",
	"var/lib/apt/*",
	"var/lib/dpkg/*-old",
	"etc/*-",
	"var/lib/dpkg/lock*",
	"var/lib/initramfs-tools/*",
};

struct split {
	const struct recipe *r;
	int dir;
	struct archive_in *in;
	struct archive_out *out;
	struct archive_limit limit;
	struct buf packages, owners;
	size_t status_bytes; /* of all status files so far */
	struct module_names modules;
	char *kernel, *initrd; /* paths in the tar */
	bool damaged;
};

static bool is_dropped(const struct entry *entry, const char *path)
{
	if (entry->type >= ENTRY_CHAR)
		return true;
	if (entry->type == ENTRY_FILE && fnmatch("var/log/*", path, 0) == 0)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		if (fnmatch(dropped[i], path, 0) == 0)
			return true;
	return false;
}

/* --- texts that are parsed --------------------------------------------------------- */

static int read_text(struct split *s, const struct entry *entry, struct buf *b,
		     struct err *e)
{
	char chunk[32 * 1024];
	ssize_t n;

	while ((n = archive_in_read(s->in, chunk, sizeof(chunk), e)) > 0) {
		if (b->len + (size_t)n > TEXT_MAX)
			return err_set(e, ERR_FAILED,
				       "base: %s: has more than %u MiB: refused",
				       entry->path, TEXT_MAX >> 20);
		buf_add(b, chunk, (size_t)n);
	}
	if (n < 0)
		s->damaged = true;
	return n < 0 ? -1 : 0;
}

/* Returns the value of a field of a dpkg status paragraph, or NULL. Owned. */
static char *field(const char *paragraph, size_t len, const char *name)
{
	size_t n = strlen(name);
	const char *p = paragraph, *end = paragraph + len;

	while (p < end) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));

		eol = eol ? eol : end;
		if ((size_t)(eol - p) > n + 1 && strncmp(p, name, n) == 0 &&
		    p[n] == ':') {
			p += n + 1;
			while (p < eol && *p == ' ')
				p++;
			return xstrndup(p, (size_t)(eol - p));
		}
		p = eol + 1;
	}
	return NULL;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sets the packages from a status file, which replaces an earlier one. Memory and time
 * are bounded by the text's size; TEXTS_MAX bounds the time that many of them take. */
static int parse_status(struct split *s, const char *text, struct err *e)
{
	_cleanup_strv_builder_ struct strv_builder lines = {0};
	_cleanup_free_ char *all = NULL;

	s->status_bytes += strlen(text);
	if (s->status_bytes > TEXTS_MAX)
		return err_set(e, ERR_FAILED,
			       "base: " STATUS ": is there several times, with more than "
			       "%u MiB in total: refused",
			       TEXTS_MAX >> 20);
	while (text && *text) {
		const char *end = strstr(text, "\n\n");
		size_t len = end ? (size_t)(end - text) : strlen(text);
		_cleanup_free_ char *name = field(text, len, "Package");
		_cleanup_free_ char *version = field(text, len, "Version");
		_cleanup_free_ char *arch = field(text, len, "Architecture");
		_cleanup_free_ char *status = field(text, len, "Status");

		if (name && version && arch && status && str_ends(status, " installed"))
			strv_builder_addf(&lines, "%s %s %s\n", name, version, arch);
		text = end ? end + 2 : NULL;
	}
	if (lines.n > 0)
		qsort(lines.v, lines.n, sizeof(*lines.v), by_text);
	all = strv_join(lines.v, "");
	s->packages.len = 0;
	buf_puts(&s->packages, all ? all : "");
	return 0;
}

/* Returns the length of the next line that is not empty, at *text, or 0. */
static size_t next_line(const char **text)
{
	*text += strspn(*text, "\n");
	return strcspn(*text, "\n");
}

/* Adds the owners from a file list: "var/lib/dpkg/info/libc6:amd64.list" has the files of
 * libc6. */
static int parse_file_list(struct split *s, const char *path, const char *text,
			   struct err *e)
{
	const char *name = strrchr(path, '/') + 1;
	size_t len = strlen(name) - strlen(".list");

	if (strcspn(name, ":") < len)
		len = strcspn(name, ":");
	for (size_t n; (n = next_line(&text)) > 0; text += n) {
		if (s->owners.len + n + len + 2 > OWNERS_MAX)
			return err_set(e, ERR_FAILED,
				       "base: %s: the packages' lists of files have more "
				       "than %u MiB: refused",
				       path, OWNERS_MAX >> 20);
		buf_add(&s->owners, text, n);
		buf_printf(&s->owners, "\t%.*s\n", (int)len, name);
	}
	return 0;
}

static bool matches(const char *path, const char *pattern)
{
	return fnmatch(pattern, path, 0) == 0;
}

static bool is_parsed(const char *path)
{
	return streq(path, STATUS) || matches(path, "var/lib/dpkg/info/*.list") ||
	       module_is_builtin_list(path);
}

static int parse_text(struct split *s, const char *path, const char *text, struct err *e)
{
	if (str_ends(path, ".list"))
		return parse_file_list(s, path, text, e);
	return streq(path, STATUS) ? parse_status(s, text, e)
				   : module_names_add_builtin(&s->modules, text, e);
}

/* --- files of their own ------------------------------------------------------------ */

static int copy_out(struct split *s, const struct entry *entry, const char *name,
		    struct err *e)
{
	_cleanup_close_ int fd =
		openat(s->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	char chunk[64 * 1024];
	ssize_t n;
	int r = 0;

	if (fd < 0)
		return err_errno(e, errno, "base: %s", name);
	while ((n = archive_in_read(s->in, chunk, sizeof(chunk), e)) > 0) {
		r = write_all(fd, chunk, (size_t)n);
		if (r < 0)
			return err_errno(e, r, "base: %s", name);
	}
	if (n < 0) {
		s->damaged = true;
		return err_wrap(e, "base: %s", entry->path);
	}
	return fsync(fd) < 0 ? err_errno(e, errno, "base: %s", name) : 0;
}

static int copy_boot_file(struct split *s, const struct entry *entry, const char *path,
			  const char *name, char **have, struct err *e)
{
	if (*have)
		return err_set(
			e, ERR_FAILED,
			"base: has both /%s and /%s: name one kernel package in the "
			"recipe's base (%s)",
			*have, path, s->r->base.where);
	if (entry->size == 0)
		return err_set(e, ERR_FAILED, "base: /%s is empty: no machine boots it",
			       path);
	*have = xstrdup(path);
	return copy_out(s, entry, name, e);
}

/* --- the pass ---------------------------------------------------------------------- */

static int write_entry(struct split *s, const struct entry *entry, const char *path,
		       const char *target, struct err *e)
{
	struct entry copy = *entry;

	copy.path = *path ? path : ".";
	copy.target = target;
	entry_limit_time(&copy, s->r->epoch);
	return archive_out_entry(s->out, &copy, e);
}

static int write_data(struct split *s, struct err *e)
{
	char chunk[64 * 1024];
	ssize_t n;

	while ((n = archive_in_read(s->in, chunk, sizeof(chunk), e)) > 0)
		if (archive_out_data(s->out, chunk, (size_t)n, e) < 0)
			return -1;
	if (n < 0)
		s->damaged = true;
	return n < 0 ? -1 : 0;
}

static int write_parsed(struct split *s, const struct entry *entry, const char *path,
			struct err *e)
{
	_cleanup_buf_ struct buf b = {0};

	if (read_text(s, entry, &b, e) < 0 || parse_text(s, path, b.p ? b.p : "", e) < 0)
		return -1;
	return archive_out_data(s->out, b.p, b.len, e);
}

static int split_entry(struct split *s, const struct entry *entry, struct err *e)
{
	_cleanup_free_ char *path = archive_path_normal(entry->path);
	_cleanup_free_ char *target = NULL;

	if (!path)
		return err_set(e, ERR_FAILED, "base: '%s' has '..' in its name",
			       entry->path);
	if (entry->type == ENTRY_FILE && matches(path, "boot/vmlinu[xz]-*"))
		return copy_boot_file(s, entry, path, "vmlinuz", &s->kernel, e);
	if (entry->type == ENTRY_FILE && matches(path, "boot/initrd.img-*"))
		return copy_boot_file(s, entry, path, "initrd.img", &s->initrd, e);
	if (is_dropped(entry, path))
		return 0;
	/* A hard link's target is a path of the archive, a symlink's is any text. */
	if (entry->type == ENTRY_HARDLINK)
		target = archive_path_normal(entry->target);
	else if (entry->target)
		target = xstrdup(entry->target);
	if (entry->type == ENTRY_HARDLINK && !target)
		return err_set(e, ERR_FAILED,
			       "base: '%s' is a hard link to something outside it",
			       entry->path);
	if (write_entry(s, entry, path, target, e) < 0)
		return -1;
	if (module_is_file(path) && module_names_add(&s->modules, path, e) < 0)
		return -1;
	if (entry->type != ENTRY_FILE)
		return 0;
	if (is_parsed(path))
		return write_parsed(s, entry, path, e);
	return write_data(s, e);
}

static const char *kernel_of(const struct split *s)
{
	return s->r->base.kernel ? s->r->base.kernel : "its kernel";
}

static int check_modules(const struct split *s, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};

	module_names_check(&s->modules, s->r, &d);
	return diag_err(&d, e);
}

static int write_text(const struct split *s, const char *name, const char *text,
		      struct err *e)
{
	int r = file_write_at(s->dir, name, text ? text : "", text ? strlen(text) : 0,
			      0644);

	return r < 0 ? err_errno(e, r, "base: %s", name) : 0;
}

static int finish(struct split *s, int fd, struct err *e)
{
	if (!s->kernel || !s->initrd)
		return err_set(e, ERR_FAILED, "base: %s %s /boot/%s (%s)", kernel_of(s),
			       s->r->base.kernel ? "brought no" : "is not there: no",
			       s->kernel ? "initrd.img-*" : "vmlinuz-*",
			       s->r->base.where);
	if (check_modules(s, e) < 0 || archive_out_end(s->out, e) < 0)
		return -1;
	if (fsync(fd) < 0)
		return err_errno(e, errno, "base: root.tar");
	if (write_text(s, "packages", s->packages.p, e) < 0)
		return -1;
	return write_text(s, "owners", s->owners.p, e);
}

static int run_split(struct split *s, int fd, struct err *e)
{
	_cleanup_close_ int tar =
		openat(s->dir, "root.tar", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	const struct entry *entry;
	int r;

	if (tar < 0)
		return err_errno(e, errno, "base: root.tar");
	s->damaged = true;
	if (archive_in_open(&s->in,
			    &(struct archive_source){
				    .name = "base", .fd = fd, .limit = &s->limit},
			    e) < 0)
		return -1;
	s->damaged = false;
	s->out = archive_out_new(tar, "base: root.tar");
	while ((r = archive_in_next(s->in, &entry, e)) > 0)
		if (split_entry(s, entry, e) < 0)
			return -1;
	if (r < 0 || archive_in_drain(s->in, e) < 0) {
		s->damaged = true;
		return -1;
	}
	return finish(s, tar, e);
}

int base_split(const struct recipe *r, int fd, const char *dir, bool *ret_damaged,
	       struct err *e)
{
	_cleanup_close_ int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct split s = {.r = r, .dir = dirfd, .limit = base_limit(&r->base)};
	int result;

	*ret_damaged = false;
	if (dirfd < 0)
		return err_errno(e, errno, "%s", dir);
	result = run_split(&s, fd, e);
	*ret_damaged = s.damaged;
	archive_in_free(s.in);
	if (s.out)
		archive_out_free(s.out);
	buf_done(&s.packages);
	buf_done(&s.owners);
	module_names_done(&s.modules);
	free(s.kernel);
	free(s.initrd);
	return result;
}
