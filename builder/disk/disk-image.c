/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu-img converts a qcow2, of any version, after qcow2_check() has refused references
 * to other files. libarchive (archive.c) decompresses the other formats as they are read.
 *
 * Limits: the partition table of a compressed image is read from its first MiB, so the
 * logical partitions of an MBR are found only after disk_image_seekable().
 */
#include "builder/disk/disk-image.h"

#include "builder/common/archive.h"
#include "builder/common/progress.h"
#include "builder/common/qcow2.h"
#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#include <sys/mman.h>

#define QEMU_IMG   "qemu-img"
#define HEAD       (1024 * 1024) /* bytes kept for the partition table */
#define READ_AHEAD (1024 * 1024)
#define BLOCK      4096 /* unit of the holes in a temporary file */

static const struct format {
	const char *name;
	const char *magic;
	size_t len;
	bool compressed;
} formats[] = {
	{"qcow2", "QFI\xfb", 4, false},
	{"zstd", "\x28\xb5\x2f\xfd", 4, true},
	{"gzip", "\x1f\x8b\x08", 3, true},
	{"xz",
	 "\xfd"
	 "7zXZ",
	 6, true},
	{"bzip2", "BZh", 3, true},
	{"lz4", "\x04\x22\x4d\x18", 4, true},
};
static const struct format raw = {.name = "raw"};

/* Returns the format by the first bytes; `raw` when they are no other's. */
static const struct format *detect_format(int fd)
{
	char head[8] = "";
	ssize_t n = pread(fd, head, sizeof(head), 0);

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (n >= (ssize_t)formats[i].len &&
		    memcmp(head, formats[i].magic, formats[i].len) == 0)
			return &formats[i];
	return &raw;
}

/* Refuses an image in another format within the image: it would be written to a disk as
 * it is. */
static int check_inside(const char *path, int fd, struct err *e)
{
	const struct format *inside = detect_format(fd);

	return inside == &raw
		       ? 0
		       : err_set(e, ERR_FAILED, "%s: contains a %s: unpack it first",
				 path, inside->name);
}

static int size_of_fd(int fd, uint64_t *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = (uint64_t)st.st_size;
	return 0;
}

static const char *temp_dir(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir ? dir : "/var/tmp";
}

/*
 * Opens a new temporary file without a name, which is freed however this program ends.
 * libguestfs links it for a moment (guest.c), which the kernel allows only for a file of
 * O_TMPFILE; on a file system without it the file is created and then removed.
 */
static int open_temp(struct err *e)
{
	_cleanup_rm_rf_ char *dir = NULL;
	_cleanup_free_ char *path = NULL;
	int r, fd = open(temp_dir(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	if (errno != EOPNOTSUPP && errno != EISDIR)
		return err_errno(e, errno, "%s", temp_dir());
	r = tempdir_make(temp_dir(), "rackstrap", &dir);
	if (r < 0)
		return err_errno(e, r, "%s", temp_dir());
	path = xasprintf("%s/disk", dir);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? err_errno(e, errno, "%s", path) : fd;
}

/* --- qcow2 -------------------------------------------------------------------------- */

static int convert(const char *path, const char *from, const char *to, struct err *e)
{
	const char *const argv[] = {QEMU_IMG, "convert", "-f", "qcow2", "-O",
				    "raw",    from,      to,   NULL};

	if (!run_have(QEMU_IMG))
		return err_set(e, ERR_FAILED,
			       "%s: reading a qcow2 requires qemu-img, of the package "
			       "qemu-utils",
			       path);
	progress_show("reading %s", path);
	if (run_argv(argv, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

/* Converts the qcow2. qemu-img gets paths of descriptors, so that it reads the very file
 * that was checked and writes a file without a name. */
static int open_qcow2(struct disk_image *m, struct err *e)
{
	_cleanup_free_ char *from = NULL, *to = NULL;
	_cleanup_close_ int fd = -1;

	if (qcow2_check(m->fd, m->path, e) < 0)
		return -1;
	fd = open_temp(e);
	if (fd < 0)
		return -1;
	from = xasprintf("/proc/%d/fd/%d", (int)getpid(), m->fd);
	to = xasprintf("/proc/%d/fd/%d", (int)getpid(), fd);
	if (convert(m->path, from, to, e) < 0)
		return -1;
	close(m->fd);
	m->fd = TAKE_FD(fd);
	return check_inside(m->path, m->fd, e);
}

/* --- compressed --------------------------------------------------------------------- */

static int start(struct disk_image *m, struct err *e)
{
	archive_in_free(m->in);
	m->in = NULL;
	if (lseek(m->fd, 0, SEEK_SET) < 0)
		return err_errno(e, errno, "%s", m->path);
	return archive_in_compressed(&m->in, m->fd, m->path, e);
}

/* Decompresses everything, calls each(fd, offset, data, length) for the pieces, and sets
 * *ret_size to the number of bytes. */
static int read_through(struct disk_image *m,
			int (*each)(int fd, uint64_t at, const void *, size_t), int fd,
			uint64_t *ret_size, struct err *e)
{
	_cleanup_free_ char *buf = xmalloc(READ_AHEAD);
	uint64_t at = 0, packed = 0;
	struct meter meter;
	int got = size_of_fd(m->fd, &packed);

	if (got < 0)
		return err_errno(e, got, "%s", m->path);
	if (start(m, e) < 0)
		return -1;
	meter_begin(&meter, "reading", packed);
	for (;;) {
		ssize_t n = archive_in_read(m->in, buf, READ_AHEAD, e);
		int r;

		if (n <= 0) {
			*ret_size = at;
			progress_clear();
			return n < 0 ? -1 : 0;
		}
		r = each(fd, at, buf, (size_t)n);
		if (r < 0)
			return err_errno(e, r, "%s", temp_dir());
		at += (uint64_t)n;
		meter_show(&meter, (uint64_t)lseek(m->fd, 0, SEEK_CUR));
	}
}

/* Writes the part of the piece that is within the first HEAD bytes. */
static int keep_head(int fd, uint64_t at, const void *data, size_t len)
{
	if (at >= HEAD)
		return 0;
	if (len > HEAD - at)
		len = (size_t)(HEAD - at);
	return pwrite(fd, data, len, (off_t)at) == (ssize_t)len ? 0 : -EIO;
}

static bool is_zero(const char *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/* Writes the piece; blocks of zeros become holes. */
static int keep_all(int fd, uint64_t at, const void *data, size_t len)
{
	for (const char *p = data; len > 0;) {
		size_t n = len < BLOCK ? len : BLOCK;
		int r;

		if (!is_zero(p, n)) {
			if (lseek(fd, (off_t)at, SEEK_SET) < 0)
				return -errno;
			r = write_all(fd, p, n);
			if (r < 0)
				return r;
		}
		p += n;
		at += n;
		len -= n;
	}
	return 0;
}

/* Reads the partition table from a memory file that has the image's size and first MiB.
 */
static int open_compressed(struct disk_image *m, struct err *e)
{
	_cleanup_close_ int head = memfd_create("head", MFD_CLOEXEC);
	int r;

	if (head < 0)
		return err_errno(e, errno, "memfd");
	if (read_through(m, keep_head, head, &m->size, e) < 0)
		return -1;
	if (check_inside(m->path, head, e) < 0)
		return -1;
	if (ftruncate(head, (off_t)m->size) < 0)
		return err_errno(e, errno, "memfd");
	r = ptable_read(&m->table, head, m->size);
	return r < 0 ? err_errno(e, r, "%s", m->path) : 0;
}

/* --- every format ------------------------------------------------------------------- */

static int open_plain(struct disk_image *m, struct err *e)
{
	int r = size_of_fd(m->fd, &m->size);

	if (r == 0)
		r = ptable_read(&m->table, m->fd, m->size);
	return r < 0 ? err_errno(e, r, "%s", m->path) : 0;
}

int disk_image_open(struct disk_image *ret, const char *path, struct err *e)
{
	_cleanup_disk_image_ struct disk_image m = {.path = path, .fd = -1};
	const struct format *format;
	struct stat st;

	m.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (m.fd < 0 || fstat(m.fd, &st) < 0)
		return err_errno(e, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_FAILED, "%s: is not a file", path);
	format = detect_format(m.fd);
	m.format = format->name;
	m.compressed = format->compressed;
	if (m.compressed) {
		if (open_compressed(&m, e) < 0)
			return -1;
	} else if ((format != &raw && open_qcow2(&m, e) < 0) || open_plain(&m, e) < 0) {
		return -1;
	}
	if (m.size == 0)
		return err_set(e, ERR_FAILED, "%s: is empty", path);
	*ret = m;
	m = (struct disk_image){.fd = -1};
	return 0;
}

void disk_image_done(struct disk_image *m)
{
	archive_in_free(m->in);
	ptable_done(&m->table);
	if (m->fd >= 0)
		close(m->fd);
	*m = (struct disk_image){.fd = -1};
}

int disk_image_rewind(struct disk_image *m, struct err *e)
{
	if (m->compressed)
		return start(m, e);
	return lseek(m->fd, 0, SEEK_SET) < 0 ? err_errno(e, errno, "%s", m->path) : 0;
}

int disk_image_read(struct disk_image *m, void *buf, size_t len, struct err *e)
{
	for (char *p = buf; len > 0;) {
		ssize_t n = m->compressed ? archive_in_read(m->in, p, len, e)
					  : read(m->fd, p, len);

		if (n < 0 && m->compressed)
			return -1;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, errno, "%s", m->path);
		if (n == 0)
			return err_set(e, ERR_FAILED,
				       "%s: became shorter while it was read", m->path);
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int disk_image_seekable(struct disk_image *m, struct err *e)
{
	_cleanup_close_ int fd = -1;
	uint64_t size;

	if (!m->compressed)
		return m->fd;
	fd = open_temp(e);
	if (fd < 0 || read_through(m, keep_all, fd, &size, e) < 0)
		return -1;
	if (ftruncate(fd, (off_t)size) < 0)
		return err_errno(e, errno, "%s", temp_dir());
	archive_in_free(m->in);
	m->in = NULL;
	close(m->fd);
	m->fd = TAKE_FD(fd);
	m->compressed = false;
	ptable_done(&m->table);
	return open_plain(m, e) < 0 ? -1 : m->fd;
}
