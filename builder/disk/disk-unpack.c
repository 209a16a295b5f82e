/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A memory file keeps the parts of an image that are read more than once, at their own
 * offsets: the first MiB, the copy of a GPT's header at the end, and the first blocks of
 * the medium's FAT. GRUB's environment blocks are looked for on the way.
 */
#include "builder/disk/disk-unpack.h"

#include "builder/common/disk-layout.h"
#include "builder/common/progress.h"
#include "builder/common/temp-file.h"
#include "lib/file.h"
#include "lib/str.h"

#include <sys/mman.h>

#define HEAD       (1024 * 1024) /* bytes kept for the partition table */
#define READ_AHEAD (1024 * 1024) /* whole sectors: environment blocks begin at one */
#define BLOCK      4096          /* unit of the holes in a temporary file */

int disk_unpack_start(struct disk_image *m, struct err *e)
{
	archive_in_free(m->in);
	m->in = NULL;
	if (lseek(m->fd, 0, SEEK_SET) < 0)
		return err_errno(e, errno, "%s", m->path);
	m->unpacked =
		(struct archive_limit){.bytes = m->limit, .raise = DISK_LIMIT_RAISE};
	return archive_in_open(&m->in,
			       &(struct archive_source){.name = m->path,
							.fd = m->fd,
							.single = true,
							.limit = &m->unpacked},
			       e);
}

/* Returns how many bytes of the piece keep_all() would write. */
static size_t data_in(const char *p, size_t len)
{
	size_t data = 0;

	while (len > 0) {
		size_t n = len < BLOCK ? len : BLOCK;

		data += mem_is_zero(p, n) ? 0 : n;
		p += n;
		len -= n;
	}
	return data;
}

/* A file that gets decompressed bytes: all, or those in these ranges. */
struct sink {
	int fd;
	struct range {
		uint64_t from, to;
	} v[3];
	size_t n;
	struct medium_envs *envs;
};

/* Reads until the buffer is full. Returns the number of bytes, 0 at the end, or -1. */
static ssize_t read_full(struct disk_image *m, char *buf, size_t size, struct err *e)
{
	size_t len = 0;

	while (len < size) {
		ssize_t n = archive_in_read(m->in, buf + len, size - len, e);

		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* Decompresses everything, calls each(to, offset, data, length) for the pieces, and sets
 * *ret_size to the number of bytes. */
static int read_through(struct disk_image *m,
			int (*each)(const struct sink *, uint64_t at, const void *,
				    size_t),
			const struct sink *to, uint64_t *ret_size, struct err *e)
{
	_cleanup_free_ char *buf = xmalloc(READ_AHEAD);
	uint64_t at = 0;
	struct meter meter;
	struct stat st;

	if (fstat(m->fd, &st) < 0)
		return err_errno(e, errno, "%s", m->path);
	if (disk_unpack_start(m, e) < 0)
		return -1;
	m->data = 0;
	meter_begin(&meter, "reading", (uint64_t)st.st_size);
	for (;;) {
		ssize_t n = read_full(m, buf, READ_AHEAD, e);
		int r;

		if (n <= 0) {
			*ret_size = at;
			progress_clear();
			return n < 0 ? -1 : 0;
		}
		r = each(to, at, buf, (size_t)n);
		if (r < 0)
			return err_errno(e, r, "%s", temp_dir());
		m->data += data_in(buf, (size_t)n);
		at += (uint64_t)n;
		meter_show(&meter, (uint64_t)lseek(m->fd, 0, SEEK_CUR));
	}
}

/* Writes the parts of the piece that are within the ranges, and looks for environment
 * blocks. */
static int keep_table(const struct sink *to, uint64_t at, const void *data, size_t len)
{
	medium_envs_scan(to->envs, at, data, len);
	for (size_t i = 0; i < to->n; i++) {
		const struct range *r = &to->v[i];
		uint64_t from = at > r->from ? at : r->from;
		uint64_t end = at + len < r->to ? at + len : r->to;
		size_t n = from < end ? (size_t)(end - from) : 0;

		if (n > 0 && pwrite(to->fd, (const char *)data + (from - at), n,
				    (off_t)from) != (ssize_t)n)
			return -EIO;
	}
	return 0;
}

/* Writes the piece; blocks of zeros become holes. */
static int keep_all(const struct sink *to, uint64_t at, const void *data, size_t len)
{
	for (const char *p = data; len > 0;) {
		size_t n = len < BLOCK ? len : BLOCK;
		int r;

		if (!mem_is_zero(p, n)) {
			if (lseek(to->fd, (off_t)at, SEEK_SET) < 0)
				return -errno;
			r = write_all(to->fd, p, n);
			if (r < 0)
				return r;
		}
		p += n;
		at += n;
		len -= n;
	}
	return 0;
}

int disk_unpack_head(struct disk_image *m, uint64_t *ret, struct err *e)
{
	_cleanup_free_ char *buf = xmalloc(HEAD);
	ssize_t n;
	int r;

	m->head = memfd_create("head", MFD_CLOEXEC);
	if (m->head < 0)
		return err_errno(e, errno, "memfd");
	if (disk_unpack_start(m, e) < 0)
		return -1;
	n = read_full(m, buf, HEAD, e);
	if (n < 0)
		return -1;
	r = write_all(m->head, buf, (size_t)n);
	*ret = (uint64_t)n;
	return r < 0 ? err_errno(e, r, "memfd") : 0;
}

/* Lists what is kept of a compressed image: the first MiB, the copy of the GPT's header,
 * and the first blocks of partitions, of which one has the medium's FAT. */
static void add_ranges(struct sink *to, const struct ptable *t)
{
	to->v[to->n++] = (struct range){0, HEAD};
	if (t->backup > 0)
		to->v[to->n++] = (struct range){t->backup, t->backup + BLOCK};
	for (size_t i = 0; i < t->n && to->n < ARRAY_SIZE(to->v); i++)
		if (streq(t->v[i].name, disk_part_types[DISK_BOOT].name))
			to->v[to->n++] =
				(struct range){t->v[i].start, t->v[i].start + BLOCK};
}

int disk_unpack_tables(struct disk_image *m, struct err *e)
{
	struct sink head = {.fd = m->head, .envs = &m->envs};

	add_ranges(&head, &m->table);
	if (read_through(m, keep_table, &head, &m->size, e) < 0)
		return -1;
	return ftruncate(m->head, (off_t)m->size) < 0 ? err_errno(e, errno, "memfd") : 0;
}

int disk_unpack_all(struct disk_image *m, int fd, struct err *e)
{
	const struct sink to = {.fd = fd};
	uint64_t size;

	if (read_through(m, keep_all, &to, &size, e) < 0)
		return -1;
	return ftruncate(fd, (off_t)size) < 0 ? err_errno(e, errno, "%s", temp_dir()) : 0;
}
