/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes archives as streams, with libarchive.
 *
 * Readers get their input through callbacks: from a descriptor (which can skip by
 * seeking, so that the headers of a large plain tar are read quickly) or from the entry
 * data of an outer reader. Formats and filters are enabled one by one: libarchive's "all"
 * would run programs for some filters.
 *
 * libarchive converts names between the archive's character set and the locale's. Under a
 * locale that is not UTF-8 it would write '?' for a character that it cannot convert, so
 * every call that touches names runs under C.UTF-8.
 *
 * Limits: security.capability is the only extended attribute that is carried, and ACLs
 * are dropped. Sparse files are read as zeros.
 */
#include "builder/common/archive.h"

#include "lib/file.h"
#include "lib/str.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#define CHUNK     (256 * 1024)
#define CAP_XATTR "security.capability"

struct archive_in {
	struct archive *a;
	const char *name;
	int fd;                   /* -1 for a nested reader */
	struct archive_in *outer; /* of a nested reader, else NULL */
	struct digest *tap;
	bool seekable;
	bool raw;       /* the input is one compressed file, not an archive */
	uint64_t limit; /* for archive_in_bytes(); 0: no limit */
	uint64_t data;  /* bytes of data read so far */
	char *buf;      /* CHUNK bytes of input */
	struct err why; /* the input's error: libarchive learns only that it failed */
	bool failed;
	struct entry entry;
	char *path; /* the entry's path, for messages */
};

struct archive_out {
	struct archive *a;
	struct archive_entry *ae;
	const char *name;
	int fd;
	int write_errno; /* errno of the first failed write */
	bool discard;    /* true: write nothing more */
	char *buf;
};

const char *entry_type_name(enum entry_type type)
{
	static const char *const names[] = {
		[ENTRY_FILE] = "file",
		[ENTRY_DIR] = "directory",
		[ENTRY_SYMLINK] = "symlink",
		[ENTRY_HARDLINK] = "hard link",
		[ENTRY_CHAR] = "character device",
		[ENTRY_BLOCK] = "block device",
		[ENTRY_FIFO] = "fifo",
		[ENTRY_OTHER] = "special file",
	};

	return names[type];
}

/* --- locale ------------------------------------------------------------------------ */

static locale_t utf8_begin(void)
{
	static locale_t utf8;

	if (!utf8)
		utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	return utf8 ? uselocale(utf8) : (locale_t)0;
}

static void utf8_end(locale_t *old)
{
	if (*old)
		uselocale(*old);
}
#define UTF8_SCOPE                                                                       \
	_unused_ _cleanup_(utf8_end)                                                     \
	locale_t utf8_old_ = utf8_begin()

/* --- input ------------------------------------------------------------------------- */

static la_ssize_t in_read(struct archive *la, void *data, const void **ret)
{
	struct archive_in *a = data;
	ssize_t n;

	*ret = a->buf;
	if (a->outer) {
		n = archive_in_read(a->outer, a->buf, CHUNK, &a->why);
		a->failed = n < 0;
	} else {
		do
			n = read(a->fd, a->buf, CHUNK);
		while (n < 0 && errno == EINTR);
		if (n < 0) {
			err_errno(&a->why, errno, "%s: cannot be read", a->name);
			a->failed = true;
		}
	}
	if (n < 0)
		archive_set_error(la, EIO, "%s", a->why.msg);
	else if (a->tap)
		digest_add(a->tap, a->buf, (size_t)n);
	return n < 0 ? ARCHIVE_FATAL : n;
}

/* Skips by seeking, which makes reading the headers of a large tar fast. With a tap it
 * skips nothing, because the tap must see every byte. */
static la_int64_t in_skip(_unused_ struct archive *la, void *data, la_int64_t request)
{
	struct archive_in *a = data;
	off_t at, end;

	if (!a->seekable || a->tap)
		return 0;
	at = lseek(a->fd, 0, SEEK_CUR);
	end = lseek(a->fd, 0, SEEK_END);
	if (at < 0 || end < at)
		return 0;
	if (request > end - at)
		request = end - at;
	return lseek(a->fd, at + request, SEEK_SET) < 0 ? 0 : request;
}

static int in_error(struct archive_in *a, struct err *e)
{
	const char *text = archive_error_string(a->a);

	if (a->failed) {
		if (e)
			*e = a->why;
		return a->outer ? err_wrap(e, "%s", a->name) : -1;
	}
	if (!text)
		text = "damaged archive";
	if (a->path)
		return err_set(e, ERR_FAILED, "%s: at member '%s': %s", a->name, a->path,
			       text);
	return err_set(e, ERR_FAILED, "%s: %s", a->name, text);
}

static void in_support_filters(struct archive *a)
{
	archive_read_support_filter_gzip(a);
	archive_read_support_filter_bzip2(a);
	archive_read_support_filter_xz(a);
	archive_read_support_filter_lzma(a);
	archive_read_support_filter_lz4(a);
	archive_read_support_filter_zstd(a);
}

static void in_support_formats(struct archive *a)
{
	archive_read_support_format_tar(a);
	archive_read_support_format_cpio(a);
	archive_read_support_format_ar(a);
	archive_read_support_format_zip_streamable(a);
}

static int in_open(struct archive_in **ret, struct archive_in *a, struct err *e)
{
	UTF8_SCOPE;

	a->a = archive_read_new();
	if (!a->a)
		abort();
	in_support_filters(a->a);
	if (a->raw) {
		archive_read_support_format_raw(a->a);
		archive_read_support_format_empty(a->a);
	} else {
		in_support_formats(a->a);
	}
	a->buf = xmalloc(CHUNK);
	if (archive_read_open2(a->a, a, NULL, in_read, in_skip, NULL) < ARCHIVE_WARN) {
		in_error(a, e);
		archive_in_free(a);
		return -1;
	}
	*ret = a;
	return 0;
}

int archive_in_fd(struct archive_in **ret, int fd, const char *name, struct digest *tap,
		  struct err *e)
{
	struct archive_in *a = xcalloc(1, sizeof(*a));
	struct stat st;

	a->name = name;
	a->fd = fd;
	a->tap = tap;
	a->seekable = fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
	return in_open(ret, a, e);
}

int archive_in_nested(struct archive_in **ret, struct archive_in *outer, const char *name,
		      struct err *e)
{
	struct archive_in *a = xcalloc(1, sizeof(*a));

	a->name = name;
	a->fd = -1;
	a->outer = outer;
	return in_open(ret, a, e);
}

static int in_open_raw(struct archive_in **ret, struct archive_in *a, struct err *e)
{
	const struct entry *entry;

	a->raw = true;
	if (in_open(&a, a, e) < 0)
		return -1; /* in_open() has freed it */
	if (archive_in_next(a, &entry, e) < 0) {
		archive_in_free(a);
		return -1;
	}
	/* libarchive invents the name of the one entry, so messages leave it out. */
	free(a->path);
	a->path = NULL;
	*ret = a;
	return 0;
}

int archive_in_compressed(struct archive_in **ret, int fd, const char *name,
			  struct err *e)
{
	struct archive_in *a = xcalloc(1, sizeof(*a));

	a->name = name;
	a->fd = fd;
	return in_open_raw(ret, a, e);
}

int archive_in_raw(struct archive_in **ret, struct archive_in *outer, const char *name,
		   struct digest *tap, struct err *e)
{
	struct archive_in *a = xcalloc(1, sizeof(*a));

	a->name = name;
	a->fd = -1;
	a->outer = outer;
	a->tap = tap;
	return in_open_raw(ret, a, e);
}

void archive_in_free(struct archive_in *a)
{
	if (!a)
		return;
	archive_read_free(a->a);
	free(a->buf);
	free(a->path);
	free(a);
}

void archive_in_free_p(struct archive_in **a)
{
	archive_in_free(*a);
}

static enum entry_type entry_type_of(struct archive_entry *ae)
{
	if (archive_entry_hardlink(ae))
		return ENTRY_HARDLINK;
	switch (archive_entry_filetype(ae)) {
	case AE_IFREG:
		return ENTRY_FILE;
	case AE_IFDIR:
		return ENTRY_DIR;
	case AE_IFLNK:
		return ENTRY_SYMLINK;
	case AE_IFCHR:
		return ENTRY_CHAR;
	case AE_IFBLK:
		return ENTRY_BLOCK;
	case AE_IFIFO:
		return ENTRY_FIFO;
	default:
		return ENTRY_OTHER;
	}
}

static void entry_caps(struct entry *entry, struct archive_entry *ae)
{
	const char *name;
	const void *value;
	size_t size;

	archive_entry_xattr_reset(ae);
	while (archive_entry_xattr_next(ae, &name, &value, &size) == ARCHIVE_OK) {
		if (name && streq(name, CAP_XATTR)) {
			entry->caps = value;
			entry->n_caps = size;
		}
	}
}

static void entry_fill(struct entry *entry, struct archive_entry *ae)
{
	enum entry_type type = entry_type_of(ae);

	*entry = (struct entry){
		.type = type,
		.path = archive_entry_pathname(ae),
		.mode = archive_entry_perm(ae) & 07777,
		.uid = (uint32_t)archive_entry_uid(ae),
		.gid = (uint32_t)archive_entry_gid(ae),
		.mtime = archive_entry_mtime(ae),
	};
	entry->unsized = type == ENTRY_FILE && !archive_entry_size_is_set(ae);
	if (type == ENTRY_FILE && !entry->unsized)
		entry->size = (uint64_t)archive_entry_size(ae);
	if (type == ENTRY_SYMLINK)
		entry->target = archive_entry_symlink(ae);
	if (type == ENTRY_HARDLINK)
		entry->target = archive_entry_hardlink(ae);
	if (type == ENTRY_CHAR || type == ENTRY_BLOCK) {
		entry->major = (uint32_t)archive_entry_rdevmajor(ae);
		entry->minor = (uint32_t)archive_entry_rdevminor(ae);
	}
	entry_caps(entry, ae);
}

/*
 * Checks that a tar ends with a block of zeros. libarchive also accepts the end of the
 * input as the end of the archive, so it would accept a tar that was cut off between two
 * members.
 */
static int in_end(const struct archive_in *a, struct err *e)
{
	int format = archive_format(a->a) & ARCHIVE_FORMAT_BASE_MASK;

	if (format != ARCHIVE_FORMAT_TAR ||
	    archive_filter_bytes(a->a, 0) > archive_read_header_position(a->a))
		return 0;
	return err_set(e, ERR_FAILED, "%s: cut off: no end mark behind member '%s'",
		       a->name, a->path ? a->path : "");
}

int archive_in_next(struct archive_in *a, const struct entry **ret, struct err *e)
{
	struct archive_entry *ae;
	UTF8_SCOPE;
	int r;

	do
		r = archive_read_next_header(a->a, &ae);
	while (r == ARCHIVE_RETRY);
	if (r == ARCHIVE_EOF && !a->failed)
		return in_end(a, e);
	if (r < ARCHIVE_WARN || a->failed)
		return in_error(a, e);
	entry_fill(&a->entry, ae);
	if (!a->entry.path || !*a->entry.path)
		return err_set(e, ERR_FAILED, "%s: has a member without a name", a->name);
	if ((a->entry.type == ENTRY_SYMLINK || a->entry.type == ENTRY_HARDLINK) &&
	    !a->entry.target)
		return err_set(e, ERR_FAILED, "%s: member '%s': a link without a target",
			       a->name, a->entry.path);
	free(a->path);
	a->path = xstrdup(a->entry.path);
	*ret = &a->entry;
	return 1;
}

ssize_t archive_in_read(struct archive_in *a, void *buf, size_t len, struct err *e)
{
	la_ssize_t n;

	if (a->limit && archive_in_bytes(a) > a->limit)
		return err_set(e, ERR_FAILED,
			       "%s: at member '%s': unpacks to more than its limit: "
			       "archive refused",
			       a->name, a->path);
	do
		n = archive_read_data(a->a, buf, len);
	while (n == ARCHIVE_RETRY);
	if (n > 0)
		a->data += (uint64_t)n;
	return n < 0 ? in_error(a, e) : n;
}

void archive_in_limit(struct archive_in *a, uint64_t limit)
{
	a->limit = limit;
}

/* libarchive stops at the archive's end mark, so the bytes that compressors and signers
 * append are read here. */
int archive_in_drain(struct archive_in *a, struct err *e)
{
	for (;;) {
		const void *p;
		la_ssize_t n = in_read(a->a, a, &p);

		if (n < 0)
			return in_error(a, e);
		if (n == 0)
			return 0;
	}
}

uint64_t archive_in_bytes(const struct archive_in *a)
{
	la_int64_t n = archive_filter_bytes(a->a, 0);

	return n > 0 && (uint64_t)n > a->data ? (uint64_t)n : a->data;
}

/* --- output ------------------------------------------------------------------------ */

/*
 * Keeps a failure in `o` and reports success to libarchive: libarchive 3.6 never frees
 * the buffers of an archive that it considers broken.
 */
static la_ssize_t out_write(struct archive *la, void *data, const void *buf, size_t len)
{
	struct archive_out *o = data;

	(void)la;
	if (!o->discard) {
		o->write_errno = -write_all(o->fd, buf, len);
		o->discard = o->write_errno != 0;
	}
	return (la_ssize_t)len;
}

static int out_error(struct archive_out *o, struct err *e)
{
	const char *text = archive_error_string(o->a);

	if (o->write_errno)
		return err_errno(e, o->write_errno, "%s: cannot be written", o->name);
	return err_set(e, ERR_FAILED, "%s: %s", o->name,
		       text ? text : "cannot be written");
}

int archive_out_fd(struct archive_out **ret, int fd, const char *name, struct err *e)
{
	struct archive_out *o = xcalloc(1, sizeof(*o));
	UTF8_SCOPE;

	o->name = name;
	o->fd = fd;
	o->a = archive_write_new();
	o->ae = archive_entry_new();
	if (!o->a || !o->ae)
		abort();
	o->buf = xmalloc(CHUNK);
	archive_write_set_format_pax_restricted(o->a);
	archive_write_set_options(o->a, "xattrheader=SCHILY");
	archive_write_set_bytes_per_block(o->a, CHUNK);
	archive_write_set_bytes_in_last_block(o->a, 512);
	if (archive_write_open(o->a, o, NULL, out_write, NULL) < ARCHIVE_WARN) {
		out_error(o, e);
		archive_out_free(o);
		return -1;
	}
	*ret = o;
	return 0;
}

void archive_out_free(struct archive_out *o)
{
	if (!o)
		return;
	o->discard = true; /* else archive_write_free() would write an end mark */
	archive_write_free(o->a);
	archive_entry_free(o->ae);
	free(o->buf);
	free(o);
}

void archive_out_free_p(struct archive_out **o)
{
	archive_out_free(*o);
}

static void out_type(struct archive_entry *ae, const struct entry *entry)
{
	static const unsigned types[] = {
		[ENTRY_FILE] = AE_IFREG,    [ENTRY_DIR] = AE_IFDIR,
		[ENTRY_SYMLINK] = AE_IFLNK, [ENTRY_HARDLINK] = AE_IFREG,
		[ENTRY_CHAR] = AE_IFCHR,    [ENTRY_BLOCK] = AE_IFBLK,
		[ENTRY_FIFO] = AE_IFIFO,    [ENTRY_OTHER] = AE_IFSOCK,
	};

	archive_entry_set_filetype(ae, types[entry->type]);
	archive_entry_set_size(ae,
			       entry->type == ENTRY_FILE ? (la_int64_t)entry->size : 0);
	if (entry->type == ENTRY_SYMLINK)
		archive_entry_set_symlink(ae, entry->target);
	if (entry->type == ENTRY_HARDLINK)
		archive_entry_set_hardlink(ae, entry->target);
	if (entry->type == ENTRY_CHAR || entry->type == ENTRY_BLOCK) {
		archive_entry_set_rdevmajor(ae, entry->major);
		archive_entry_set_rdevminor(ae, entry->minor);
	}
}

int archive_out_entry(struct archive_out *o, const struct entry *entry, struct err *e)
{
	UTF8_SCOPE;

	archive_entry_clear(o->ae);
	archive_entry_set_pathname(o->ae, entry->path);
	archive_entry_set_perm(o->ae, entry->mode);
	archive_entry_set_uid(o->ae, entry->uid);
	archive_entry_set_gid(o->ae, entry->gid);
	archive_entry_set_mtime(o->ae, entry->mtime, 0);
	out_type(o->ae, entry);
	if (entry->caps)
		archive_entry_xattr_add_entry(o->ae, CAP_XATTR, entry->caps,
					      entry->n_caps);
	/* A warning here means that a name or a time was changed on the way. */
	if (archive_write_header(o->a, o->ae) != ARCHIVE_OK || o->write_errno)
		return out_error(o, e);
	return 0;
}

int archive_out_data(struct archive_out *o, const void *data, size_t len, struct err *e)
{
	const char *p = data;

	while (len > 0) {
		la_ssize_t n = archive_write_data(o->a, p, len);

		if (n <= 0 || o->write_errno)
			return out_error(o, e);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int archive_out_copy(struct archive_out *o, struct archive_in *from, struct digest *tap,
		     struct err *e)
{
	for (;;) {
		ssize_t n = archive_in_read(from, o->buf, CHUNK, e);

		if (n <= 0)
			return n < 0 ? -1 : 0;
		if (tap)
			digest_add(tap, o->buf, (size_t)n);
		if (archive_out_data(o, o->buf, (size_t)n, e) < 0)
			return -1;
	}
}

int archive_out_end(struct archive_out *o, struct err *e)
{
	UTF8_SCOPE;

	if (archive_write_close(o->a) != ARCHIVE_OK || o->write_errno)
		return out_error(o, e);
	return 0;
}

/* --- names ------------------------------------------------------------------------- */

char *archive_path_normal(const char *path)
{
	_cleanup_strv_ char **parts = strv_split(path, "/");
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; parts && parts[i]; i++) {
		if (streq(parts[i], ".."))
			return NULL;
		if (!streq(parts[i], "."))
			buf_printf(&b, "%s%s", b.len > 0 ? "/" : "", parts[i]);
	}
	return buf_take(&b);
}
