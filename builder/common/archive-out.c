/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes tars without libarchive, so that every byte of a name arrives: libarchive writes
 * a link's target of more than 100 bytes, or one that is not ASCII, as the pax attribute
 * "linkpath", from which mksquashfs 4.5.1 removes leading "/", "./" and "../". It writes
 * a time after 2038 as an attribute that mksquashfs refuses, and no name that is not
 * UTF-8.
 *
 * Headers are those of POSIX (IEEE Std 1003.1-2017, pax, "ustar Interchange Format"),
 * byte for byte as libarchive fills them in: digests of such tars are in locks. A name or
 * target that is too long for its field has a record of GNU tar before it, and a number
 * that is too large for its field is in base 256 (tar(5) of libarchive describes both).
 * Extended attributes are pax records "SCHILY.xattr.NAME".
 */
#include "builder/common/archive.h"
#include "lib/file.h"
#include "lib/str.h"

#include <assert.h>

#define CHUNK     (256 * 1024)
#define BLOCK     512
#define TYPE_NAME 'L' /* GNU tar: GNUTYPE_LONGNAME, GNUTYPE_LONGLINK */
#define TYPE_LINK 'K'
#define TYPE_PAX  'x'
#define XATTR     "SCHILY.xattr.security.capability"

struct archive_out {
	const char *name;
	int fd;
	int write_errno; /* errno of the first failed write */
	struct buf out;  /* bytes to write */
	char *path;      /* of the entry */
	uint64_t left;   /* bytes that it still needs, */
	size_t padding;  /* and the zeros behind them */
	char *buf;
};

struct header {
	char name[100];
	char mode[8], uid[8], gid[8];
	char size[12], mtime[12];
	char sum[8];
	char type;
	char target[100];
	char magic[8];
	char user[32], group[32];
	char major[8], minor[8];
	char prefix[155];
	char rest[12];
};
static_assert(sizeof(struct header) == BLOCK, "a header is one block");

/* --- bytes ------------------------------------------------------------------------- */

static int flush(struct archive_out *o, struct err *e)
{
	if (o->write_errno == 0)
		o->write_errno = -write_all(o->fd, o->out.p, o->out.len);
	o->out.len = 0;
	return o->write_errno
		       ? err_errno(e, o->write_errno, "%s: cannot be written", o->name)
		       : 0;
}

static int append(struct archive_out *o, const void *data, size_t len, struct err *e)
{
	if (len > 0)
		buf_add(&o->out, data, len);
	return o->out.len < CHUNK ? 0 : flush(o, e);
}

static int append_zeros(struct archive_out *o, size_t len, struct err *e)
{
	static const char zeros[2 * BLOCK];

	return append(o, zeros, len, e);
}

static size_t padding_of(uint64_t size)
{
	return (size_t)((BLOCK - size % BLOCK) % BLOCK);
}

/* --- headers ----------------------------------------------------------------------- */

/* Writes the number's last `digits` octal digits. */
static void set_octal(char *p, size_t digits, uint64_t value)
{
	while (digits-- > 0) {
		p[digits] = (char)('0' + (value & 7));
		value >>= 3;
	}
}

/* Writes the number in `digits` octal digits and blanks or zeros behind them, or in all
 * `len` bytes of the field in base 256. */
static void set_number(char *p, size_t digits, size_t len, int64_t value)
{
	if (value >= 0 && (uint64_t)value >> (3 * digits) == 0) {
		set_octal(p, digits, (uint64_t)value);
		p[digits] = ' ';
		return;
	}
	for (size_t i = len; i-- > 0; value >>= 8)
		p[i] = (char)(value & 0xff);
	p[0] = (char)(p[0] | 0x80);
}
#define SET_NUMBER(field, digits, value)                                                 \
	set_number((field), (digits), sizeof(field), (int64_t)(value))

/* Sets the sum of all bytes, in which its own field counts as blanks. */
static void set_sum(struct header *h)
{
	const unsigned char *p = (const unsigned char *)h;
	unsigned sum = 0;

	memset(h->sum, ' ', sizeof(h->sum));
	for (size_t i = 0; i < BLOCK; i++)
		sum += p[i];
	set_octal(h->sum, 6, sum);
	h->sum[6] = '\0';
}

static struct header new_header(char type, uint64_t size)
{
	struct header h = {.type = type};

	memcpy(h.magic, "ustar\00000", sizeof(h.magic));
	SET_NUMBER(h.mode, 6, 0644);
	SET_NUMBER(h.uid, 6, 0);
	SET_NUMBER(h.gid, 6, 0);
	SET_NUMBER(h.size, 11, size);
	SET_NUMBER(h.mtime, 11, 0);
	SET_NUMBER(h.major, 6, 0);
	SET_NUMBER(h.minor, 6, 0);
	return h;
}

/* Appends a record for the next header. */
static int append_record(struct archive_out *o, char type, const char *name,
			 const void *data, size_t len, struct err *e)
{
	struct header h = new_header(type, len);

	memcpy(h.name, name, strlen(name));
	set_sum(&h);
	if (append(o, &h, sizeof(h), e) < 0 || append(o, data, len, e) < 0)
		return -1;
	return append_zeros(o, padding_of(len), e);
}

/* Appends a record with the text and its final zero, as GNU tar does. */
static int append_long(struct archive_out *o, char type, const char *text, struct err *e)
{
	return append_record(o, type, "././@LongLink", text, strlen(text) + 1, e);
}

/* Appends "LENGTH NAME=VALUE\n", whose length counts its own digits. */
static int append_caps(struct archive_out *o, const struct entry *entry, struct err *e)
{
	size_t rest = strlen(" " XATTR "=\n") + entry->n_caps, len = rest, digits;
	_cleanup_buf_ struct buf b = {0};

	do {
		digits = (size_t)snprintf(NULL, 0, "%zu", len);
		len = rest + digits;
	} while ((size_t)snprintf(NULL, 0, "%zu", len) != digits);
	buf_printf(&b, "%zu " XATTR "=", len);
	buf_add(&b, entry->caps, entry->n_caps);
	buf_puts(&b, "\n");
	return append_record(o, TYPE_PAX, "././@PaxHeader", b.p, b.len, e);
}

/* --- entries ----------------------------------------------------------------------- */

/* Checks what a tar cannot hold, or what would be another entry for its readers. */
static int check_entry(const struct archive_out *o, const struct entry *entry,
		       struct err *e)
{
	bool owner = entry->uid < 0 || entry->uid > ARCHIVE_ID_MAX;
	int64_t id = owner ? entry->uid : entry->gid;

	if (entry->type == ENTRY_OTHER)
		return err_set(e, ERR_FAILED, "%s: member '%s': a tar has no %s", o->name,
			       entry->path, entry_type_name(entry->type));
	if (id < 0 || id > ARCHIVE_ID_MAX)
		return err_set(e, ERR_FAILED,
			       "%s: member '%s': its %s is %lld: an id is at most %lld",
			       o->name, entry->path, owner ? "owner" : "group",
			       (long long)id, (long long)ARCHIVE_ID_MAX);
	return 0;
}

/* Checks that the entry before got its data, and ends it. */
static int end_entry(struct archive_out *o, struct err *e)
{
	size_t padding = o->padding;

	if (o->left > 0)
		return err_set(e, ERR_FAILED,
			       "%s: member '%s': its data ended %llu bytes "
			       "early",
			       o->name, o->path, (unsigned long long)o->left);
	o->padding = 0;
	return append_zeros(o, padding, e);
}

/* Sets the header's name, or appends a record with it. */
static int set_name(struct archive_out *o, struct header *h, const struct entry *entry,
		    struct err *e)
{
	size_t n = strlen(o->path), m = entry->target ? strlen(entry->target) : 0;

	if (m > sizeof(h->target) && append_long(o, TYPE_LINK, entry->target, e) < 0)
		return -1;
	if (n > sizeof(h->name) && append_long(o, TYPE_NAME, o->path, e) < 0)
		return -1;
	memcpy(h->name, o->path, n < sizeof(h->name) ? n : sizeof(h->name));
	if (m > 0)
		memcpy(h->target, entry->target,
		       m < sizeof(h->target) ? m : sizeof(h->target));
	return 0;
}

int archive_out_entry(struct archive_out *o, const struct entry *entry, struct err *e)
{
	static const char types[] = {
		[ENTRY_FILE] = '0', [ENTRY_HARDLINK] = '1', [ENTRY_SYMLINK] = '2',
		[ENTRY_CHAR] = '3', [ENTRY_BLOCK] = '4',    [ENTRY_DIR] = '5',
		[ENTRY_FIFO] = '6',
	};
	struct header h;

	if (check_entry(o, entry, e) < 0 || end_entry(o, e) < 0)
		return -1;
	free(o->path);
	o->path = xasprintf("%s%s", entry->path,
			    entry->type == ENTRY_DIR && !str_ends(entry->path, "/") ? "/"
										    : "");
	o->left = entry->type == ENTRY_FILE ? entry->size : 0;
	o->padding = padding_of(o->left);
	h = new_header(types[entry->type], o->left);
	SET_NUMBER(h.mode, 6, entry->mode);
	SET_NUMBER(h.uid, 6, entry->uid);
	SET_NUMBER(h.gid, 6, entry->gid);
	SET_NUMBER(h.mtime, 11, entry->mtime);
	if (entry->type == ENTRY_CHAR || entry->type == ENTRY_BLOCK) {
		SET_NUMBER(h.major, 6, entry->major);
		SET_NUMBER(h.minor, 6, entry->minor);
	}
	if ((entry->caps && append_caps(o, entry, e) < 0) ||
	    set_name(o, &h, entry, e) < 0)
		return -1;
	set_sum(&h);
	return append(o, &h, sizeof(h), e);
}

int archive_out_data(struct archive_out *o, const void *data, size_t len, struct err *e)
{
	if (len > o->left)
		return err_set(e, ERR_FAILED,
			       "%s: member '%s': has more data than its header says",
			       o->name, o->path ? o->path : "");
	o->left -= len;
	return append(o, data, len, e);
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

/* --- the archive ------------------------------------------------------------------- */

struct archive_out *archive_out_new(int fd, const char *name)
{
	struct archive_out *o = xcalloc(1, sizeof(*o));

	o->name = name;
	o->fd = fd;
	o->buf = xmalloc(CHUNK);
	return o;
}

int archive_out_end(struct archive_out *o, struct err *e)
{
	return end_entry(o, e) < 0 || append_zeros(o, 2 * BLOCK, e) < 0 ? -1
									: flush(o, e);
}

void archive_out_free(struct archive_out *o)
{
	if (!o)
		return;
	buf_done(&o->out);
	free(o->path);
	free(o->buf);
	free(o);
}

void archive_out_free_p(struct archive_out **o)
{
	archive_out_free(*o);
}
