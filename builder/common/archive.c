/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads archives as streams, with libarchive. archive-out.c writes them.
 *
 * The bytes of an archive come from a descriptor (which can skip by seeking, so that the
 * headers of a large plain tar are read quickly) or from the entry data of an outer
 * reader. A stage of its own decompresses them (unpack.h); for gzip, bzip2 and lz4 that
 * is a reader of libarchive with one filter and no format. What comes out is counted
 * (archive-stream.c), and only then given to the reader of the format, which has no
 * filters. Formats are enabled one by one: libarchive's "all" would run programs for
 * some.
 *
 * libarchive reads names, attributes and the map of a sparse file before it reports an
 * entry, and grows its buffers as far as the archive demands. So the bytes that it gets
 * for one header are limited.
 *
 * libarchive converts names between the archive's character set and the locale's. Under a
 * locale that is not UTF-8 it would write '?' for a character that it cannot convert, so
 * every call that touches names runs under C.UTF-8.
 *
 * Limits: security.capability is the only extended attribute that is carried, and ACLs
 * are dropped. Sparse files are read as zeros.
 */
#include "builder/common/archive.h"

#include "builder/common/archive-stream.h"
#include "lib/file.h"
#include "lib/str.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>

#define CHUNK      (256 * 1024)
#define FILTER_MAX (16U << 20) /* compressed bytes without any data */
#define CAP_XATTR  "security.capability"

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

/* --- filters ----------------------------------------------------------------------- */

/* A decompressor of libarchive. */
struct filter {
	struct archive *a;
	const struct unpack_source *from;
	const char *format;
	size_t taken; /* bytes since the last data */
	struct err why;
	bool failed, empty;
};

/* Gives libarchive the next bytes of the input, at most FILTER_MAX of them without data
 * in between: it reads the name in a gzip's header, which may have any length, into
 * memory. */
static la_ssize_t filter_input(struct archive *la, void *data, const void **ret)
{
	struct filter *f = data;
	ssize_t n = f->from->read(f->from->data, ret, &f->why);

	if (n > 0)
		f->taken += (size_t)n;
	if (f->taken > FILTER_MAX)
		n = err_set(&f->why, ERR_FAILED,
			    "%s: %s data of more than %u MiB without content: refused",
			    f->from->name, f->format, FILTER_MAX >> 20);
	f->failed = n < 0;
	if (f->failed)
		archive_set_error(la, EIO, "%s", f->why.msg);
	return f->failed ? ARCHIVE_FATAL : n;
}

static int filter_error(const struct filter *f, struct err *e)
{
	const char *text = archive_error_string(f->a);

	if (f->failed) {
		if (e)
			*e = f->why;
		return -1;
	}
	return err_set(e, ERR_FAILED, "%s: %s", f->from->name,
		       text ? text : "damaged data");
}

static void filter_close(void *state)
{
	struct filter *f = state;

	archive_read_free(f->a);
	free(f);
}

/* Appends the filter instead of letting libarchive find it: it would also decompress what
 * comes out, and that up to 25 times. */
static int filter_open(void **ret, const struct unpack_source *from, int code,
		       const char *format, struct err *e)
{
	struct filter *f = xcalloc(1, sizeof(*f));
	struct archive_entry *ae;
	int r;

	f->from = from;
	f->format = format;
	f->a = archive_read_new();
	if (!f->a)
		abort();
	archive_read_support_format_raw(f->a);
	archive_read_support_format_empty(f->a);
	r = archive_read_append_filter(f->a, code);
	if (r >= ARCHIVE_WARN)
		r = archive_read_open2(f->a, f, NULL, filter_input, NULL, NULL);
	if (r >= ARCHIVE_WARN)
		r = archive_read_next_header(f->a, &ae);
	f->empty = r == ARCHIVE_EOF;
	if (r < ARCHIVE_WARN || f->failed) {
		filter_error(f, e);
		filter_close(f);
		return -1;
	}
	*ret = f;
	return 0;
}

static ssize_t filter_read(void *state, void *buf, size_t len, struct err *e)
{
	struct filter *f = state;
	la_ssize_t n = f->empty ? 0 : archive_read_data(f->a, buf, len);

	f->taken = 0;
	return n < 0 || f->failed ? filter_error(f, e) : n;
}

static int open_gzip(void **ret, const struct unpack_source *from,
		     _unused_ uint64_t window, struct err *e)
{
	return filter_open(ret, from, ARCHIVE_FILTER_GZIP, "gzip", e);
}

static int open_bzip2(void **ret, const struct unpack_source *from,
		      _unused_ uint64_t window, struct err *e)
{
	return filter_open(ret, from, ARCHIVE_FILTER_BZIP2, "bzip2", e);
}

static int open_lz4(void **ret, const struct unpack_source *from,
		    _unused_ uint64_t window, struct err *e)
{
	return filter_open(ret, from, ARCHIVE_FILTER_LZ4, "lz4", e);
}

#define FILTER(name_, open_)                                                             \
	{                                                                                \
		.name = (name_), .open = (open_), .read = filter_read,                   \
		.close = filter_close,                                                   \
	}
const struct unpack_type unpack_gzip = FILTER("gzip", open_gzip);
const struct unpack_type unpack_bzip2 = FILTER("bzip2", open_bzip2);
const struct unpack_type unpack_lz4 = FILTER("lz4", open_lz4);

/* --- input ------------------------------------------------------------------------- */

static la_ssize_t in_result(struct archive *la, struct archive_in *a, ssize_t n)
{
	a->failed = n < 0;
	if (a->failed)
		archive_set_error(la, EIO, "%s", a->why.msg);
	return a->failed ? ARCHIVE_FATAL : n;
}

static la_ssize_t in_read(struct archive *la, void *data, const void **ret)
{
	struct archive_in *a = data;

	return in_result(la, a, archive_in_bytes(a, ret, &a->why));
}

static la_ssize_t zip_read(struct archive *la, void *data, const void **ret)
{
	struct archive_in *a = data;
	ssize_t n = archive_zip_next(&a->zip, ret, a->name, &a->why);

	a->header += n > 0 ? (size_t)n : 0;
	if (n > 0 && archive_in_check_header(a, &a->why) < 0)
		n = -1;
	return in_result(la, a, n);
}

static la_int64_t zip_seek(_unused_ struct archive *la, void *data, la_int64_t offset,
			   int whence)
{
	struct archive_in *a = data;
	int64_t at = archive_zip_seek(&a->zip, offset, whence);

	return at < 0 ? ARCHIVE_FATAL : at;
}

static la_int64_t in_skip(_unused_ struct archive *la, void *data, la_int64_t request)
{
	struct archive_in *a = data;
	uint64_t n = (uint64_t)request < a->n_rest ? (uint64_t)request : a->n_rest;

	a->rest += n;
	a->n_rest -= (size_t)n;
	if (n < (uint64_t)request)
		n += archive_input_skip(&a->input, (uint64_t)request - n);
	a->stream += n; /* counted with the next bytes */
	return (la_int64_t)n;
}

static int in_error(struct archive_in *a, struct err *e)
{
	const char *text = archive_error_string(a->a);

	if (a->failed) {
		if (e)
			*e = a->why;
		return -1;
	}
	if (a->zip.fd >= 0 && archive_format(a->a) == 0)
		return err_set(
			e, ERR_FAILED,
			"%s: is cut off: a zip ends with a directory of its members",
			a->name);
	if (!text)
		text = "damaged archive";
	if (a->path)
		return err_set(e, ERR_FAILED, "%s: at member '%s': %s", a->name, a->path,
			       text);
	return err_set(e, ERR_FAILED, "%s: %s", a->name, text);
}

/* --- opening ----------------------------------------------------------------------- */

static void in_support_formats(struct archive *a)
{
	archive_read_support_format_tar(a);
	archive_read_support_format_cpio(a);
	archive_read_support_format_ar(a);
}

static int open_zip(struct archive_in *a, uint64_t start, struct err *e)
{
	if (!archive_zip_use(&a->zip, &a->input, start) && archive_in_copy_zip(a, e) < 0)
		return -1;
	if (archive_zip_check_names(&a->zip, a->name, e) < 0)
		return -1;
	archive_read_support_format_zip_seekable(a->a);
	archive_read_set_callback_data(a->a, a);
	archive_read_set_read_callback(a->a, zip_read);
	archive_read_set_seek_callback(a->a, zip_seek);
	a->in_header = true;
	a->header = 0;
	a->header_max = ARCHIVE_DIRECTORY_MAX;
	return archive_read_open1(a->a) < ARCHIVE_WARN ? in_error(a, e) : 0;
}

static int in_open(struct archive_in *a, const struct archive_source *from, struct err *e)
{
	off_t start = from->outer ? 0 : lseek(from->fd, 0, SEEK_CUR);
	ssize_t n;
	UTF8_SCOPE;

	if (archive_input_open(&a->input, from,
			       from->outer ? from->outer->input.windows : 0, e) < 0)
		return -1;
	if (from->single)
		return 0;
	a->a = archive_read_new();
	if (!a->a)
		abort();
	a->in_header = true;
	n = archive_in_fill(a, e);
	if (n < 0)
		return -1;
	if (archive_zip_detect(a->rest, (size_t)n))
		return open_zip(a, (uint64_t)start, e);
	if (from->iso)
		archive_read_support_format_iso9660(a->a);
	else
		in_support_formats(a->a);
	if (archive_read_open2(a->a, a, NULL, in_read, in_skip, NULL) < ARCHIVE_WARN)
		return in_error(a, e);
	return 0;
}

int archive_in_open(struct archive_in **ret, const struct archive_source *from,
		    struct err *e)
{
	struct archive_in *a = xcalloc(1, sizeof(*a));

	a->name = from->name;
	a->header_max = ARCHIVE_HEADER_MAX;
	a->zip.fd = -1;
	a->limit = &a->own;
	if (from->limit)
		a->limit = from->limit;
	else if (from->outer)
		a->limit = from->outer->limit;
	if (in_open(a, from, e) < 0) {
		archive_in_free(a);
		return -1;
	}
	*ret = a;
	return 0;
}

void archive_in_free(struct archive_in *a)
{
	if (!a)
		return;
	archive_read_free(a->a);
	archive_zip_done(&a->zip);
	archive_input_done(&a->input);
	free(a->path);
	free(a);
}

void archive_in_free_p(struct archive_in **a)
{
	archive_in_free(*a);
}

/* --- entries ----------------------------------------------------------------------- */

/* Checks for a name of a file in a cpio whose data is with a later name. */
static bool is_early_link(struct archive_entry *ae, int format)
{
	return format == ARCHIVE_FORMAT_CPIO && archive_entry_nlink(ae) > 1 &&
	       archive_entry_filetype(ae) == AE_IFREG && archive_entry_size(ae) == 0;
}

static enum entry_type entry_type_of(struct archive_entry *ae, int format)
{
	/* In a cpio of the format newc only the last name of a file has its data. */
	if (format == ARCHIVE_FORMAT_CPIO && archive_entry_size(ae) > 0 &&
	    archive_entry_filetype(ae) == AE_IFREG)
		return ENTRY_FILE;
	if (archive_entry_hardlink(ae) || is_early_link(ae, format))
		return ENTRY_HARDLINK;
	/* An ar has files only, but their modes need not say so. */
	if (format == ARCHIVE_FORMAT_AR)
		return ENTRY_FILE;
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

static void entry_fill(struct entry *entry, struct archive_entry *ae, int format)
{
	enum entry_type type = entry_type_of(ae, format);

	*entry = (struct entry){
		.type = type,
		.path = archive_entry_pathname(ae),
		.mode = archive_entry_perm(ae) & 07777,
		.uid = archive_entry_uid(ae),
		.gid = archive_entry_gid(ae),
		.mtime = archive_entry_mtime(ae),
	};
	if (type == ENTRY_FILE && archive_entry_size_is_set(ae))
		entry->size = (uint64_t)archive_entry_size(ae);
	if (type == ENTRY_SYMLINK)
		entry->target = archive_entry_symlink(ae);
	if (type == ENTRY_HARDLINK)
		entry->target = is_early_link(ae, format) && !archive_entry_hardlink(ae)
					? "a later member"
					: archive_entry_hardlink(ae);
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

/* Returns false for an entry of a zip that is compressed by another method than these:
 * the decoders of the others take as much memory as the archive asks for. */
static bool has_method(const struct archive_in *a)
{
	static const char *const methods[] = {"(uncompressed)", "(deflation)", "(bzip)"};
	const char *format = archive_format_name(a->a);

	if ((archive_format(a->a) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_ZIP)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (format && str_ends(format, methods[i]))
			return true;
	return false;
}

static int check_entry(struct archive_in *a, struct err *e)
{
	const struct entry *x = &a->entry;

	if (!x->path || !*x->path)
		return err_set(e, ERR_FAILED, "%s: has a member without a name", a->name);
	if (archive_limit_member(a->limit, a->name, x->path, x->target, e) < 0)
		return -1;
	if ((x->type == ENTRY_SYMLINK || x->type == ENTRY_HARDLINK) && !x->target)
		return err_set(e, ERR_FAILED, "%s: member '%s': a link without a target",
			       a->name, x->path);
	if (!has_method(a))
		return err_set(e, ERR_FAILED,
			       "%s: member '%s' is compressed by a method other than "
			       "deflate and bzip2: refused",
			       a->name, x->path);
	free(a->path);
	a->path = xstrdup(x->path);
	a->sizes += x->size;
	return archive_in_count(a, e);
}

/* Skips the rest of the data, which libarchive would count for the next header. */
static int finish_entry(struct archive_in *a, struct err *e)
{
	if (!a->has_entry)
		return 0;
	a->has_entry = false;
	return archive_read_data_skip(a->a) < ARCHIVE_WARN || a->failed ? in_error(a, e)
									: 0;
}

static int read_header(struct archive_in *a, struct archive_entry **ret)
{
	int r;

	a->in_header = true;
	a->header = 0;
	if (a->path) /* what is read when it is opened belongs to the first header */
		a->header_max = ARCHIVE_HEADER_MAX;
	/* ARCHIVE_RETRY is an error here: it may come for ever, and skips what is
	 * damaged. */
	r = archive_read_next_header(a->a, ret);
	a->in_header = false;
	return r;
}

int archive_in_next(struct archive_in *a, const struct entry **ret, struct err *e)
{
	struct archive_entry *ae;
	UTF8_SCOPE;
	int r;

	if (finish_entry(a, e) < 0)
		return -1;
	r = read_header(a, &ae);
	if (r == ARCHIVE_EOF && !a->failed)
		return in_end(a, e) < 0 ? -1 : archive_in_finish(a, e);
	if (r < ARCHIVE_WARN || a->failed)
		return in_error(a, e);
	entry_fill(&a->entry, ae, archive_format(a->a) & ARCHIVE_FORMAT_BASE_MASK);
	if (check_entry(a, e) < 0)
		return -1;
	a->has_entry = true;
	a->left = a->entry.size;
	a->in_hole = false;
	*ret = &a->entry;
	return 1;
}

uint64_t archive_in_at(const struct archive_in *a)
{
	return (uint64_t)archive_read_header_position(a->a);
}

/* --- data -------------------------------------------------------------------------- */

ssize_t archive_in_read(struct archive_in *a, void *buf, size_t len, struct err *e)
{
	la_ssize_t n;

	if (!a->a)
		return archive_in_read_single(a, buf, len, e);
	n = a->in_hole ? 0 : archive_read_data(a->a, buf, len);
	if (n < 0 || a->failed)
		return in_error(a, e);
	if ((uint64_t)n > a->left) /* only a zip can say less than it has */
		return err_set(e, ERR_FAILED,
			       "%s: member '%s' has more data than the directory says",
			       a->name, a->path);
	if (n == 0 && a->left > 0) { /* a sparse file ends with a hole */
		a->in_hole = true;
		n = (la_ssize_t)(a->left < len ? a->left : len);
		memset(buf, 0, (size_t)n);
	}
	a->left -= (uint64_t)n;
	return n;
}

int archive_in_text(struct archive_in *a, size_t max, struct buf *ret, struct err *e)
{
	_cleanup_free_ char *chunk = xmalloc(CHUNK);
	ssize_t n;

	while ((n = archive_in_read(a, chunk, CHUNK, e)) > 0) {
		if ((size_t)n > max - ret->len)
			return 0;
		buf_add(ret, chunk, (size_t)n);
	}
	if (n < 0)
		return -1;
	if (!ret->p)
		*ret = (struct buf){.p = xstrdup(""), .cap = 1};
	return 1;
}
