/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu-img converts a qcow2, of any version, after qcow2_check() has refused references
 * to other files, and after its data was measured: a file of 400 KB can have terabytes.
 * The other formats are decompressed as they are read (archive.h).
 *
 * Limits: the partition table of a compressed image is read from its first MiB, so the
 * logical partitions of an MBR are found only after disk_image_seekable().
 */
#include "builder/disk/disk-image.h"

#include "builder/common/archive.h"
#include "builder/common/progress.h"
#include "builder/common/qcow2.h"
#include "builder/common/temp-file.h"
#include "builder/common/unpack.h"
#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#include <sys/mman.h>

#define QEMU_IMG   "qemu-img"
#define RAW        "raw"
#define MEASURE_MS 60000
#define HEAD       (1024 * 1024) /* bytes kept for the partition table */
#define READ_AHEAD (1024 * 1024)
#define BLOCK      4096 /* unit of the holes in a temporary file */

/* Returns the name of the format by the first bytes: "qcow2", a kind of compression
 * (*ret_compressed), or "raw". */
static const char *detect_format(int fd, bool *ret_compressed)
{
	char head[UNPACK_HEAD] = "";
	ssize_t n = pread(fd, head, sizeof(head), 0);
	const struct unpack_type *type = n > 0 ? unpack_detect(head, (size_t)n) : NULL;

	if (type == &unpack_lzma) /* it has no magic number, and nobody uses it here */
		type = NULL;
	*ret_compressed = type != NULL;
	if (type)
		return type->name;
	return n >= 4 && memcmp(head, "QFI\xfb", 4) == 0 ? "qcow2" : RAW;
}

/* Refuses an image in another format within the image: it would be written to a disk as
 * it is. */
static int check_inside(const char *path, int fd, struct err *e)
{
	bool compressed;
	const char *inside = detect_format(fd, &compressed);

	if (streq(inside, RAW))
		return 0;
	return err_set(e, ERR_FAILED, "%s: contains a %s: unpack it first", path, inside);
}

static struct archive_limit disk_limit(const struct disk_image *m)
{
	return (struct archive_limit){.bytes = m->limit, .raise = "option '--limit'"};
}

static int size_of_fd(int fd, uint64_t *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = (uint64_t)st.st_size;
	return 0;
}

/* --- qcow2 -------------------------------------------------------------------------- */

/* qemu-img gets the paths of descriptors, so that it reads the very file that was
 * checked and writes a file without a name. Owned. */
static char *fd_path(int fd)
{
	return xasprintf("/proc/%d/fd/%d", (int)getpid(), fd);
}

/* Lowers *need to the size of the data in the image's clusters. A cluster that several
 * places of the disk share counts once for each place. */
static int measure(const char *path, const char *from, uint64_t *need, struct err *e)
{
	static const char key[] = "required size: ";
	const char *const argv[] = {QEMU_IMG, "measure", "-f", "qcow2",
				    "-O",     "qcow2",   from, NULL};
	const struct run r = {.argv = argv, .timeout_ms = MEASURE_MS};
	_cleanup_free_ char *text = NULL, *number = NULL;
	uint64_t size;

	progress_show("measuring %s", path);
	if (run_capture(&r, &text, NULL, e) < 0)
		return err_wrap(e, "%s: its data cannot be measured", path);
	if (str_after(text, key))
		number = xstrndup(str_after(text, key),
				  strcspn(str_after(text, key), "\n"));
	if (!number || str_to_u64(number, INT64_MAX, &size) < 0)
		return err_set(e, ERR_FAILED,
			       "%s: qemu-img measure does not print its size", path);
	if (size < *need)
		*need = size;
	return 0;
}

/* Checks that the disk's data is within the limit and that there is room for it. Only a
 * disk that may be too large as a whole is measured. */
static int check_size(const struct disk_image *m, const char *from, int to, struct err *e)
{
	struct archive_limit limit = disk_limit(m);
	uint64_t need;

	if (qcow2_size(m->fd, m->path, &need, e) < 0)
		return -1;
	if (((limit.bytes > 0 && need > limit.bytes) ||
	     room_check(to, need, m->path, temp_dir(), NULL) < 0) &&
	    measure(m->path, from, &need, e) < 0)
		return -1;
	if (archive_limit_bytes(&limit, need, m->path, NULL, e) < 0)
		return -1;
	return room_check(to, need, m->path, temp_dir(), e);
}

static int convert(const char *path, const char *from, const char *to, struct err *e)
{
	const char *const argv[] = {QEMU_IMG, "convert", "-f", "qcow2", "-O",
				    "raw",    from,      to,   NULL};

	progress_show("reading %s", path);
	if (run_argv(argv, e) < 0)
		return err_wrap(e, "%s", path);
	return 0;
}

static int open_qcow2(struct disk_image *m, struct err *e)
{
	_cleanup_free_ char *from = fd_path(m->fd), *to = NULL;
	_cleanup_close_ int fd = -1;

	if (qcow2_check(m->fd, m->path, e) < 0)
		return -1;
	if (!run_have(QEMU_IMG))
		return err_set(e, ERR_FAILED,
			       "%s: reading a qcow2 requires qemu-img, of the package "
			       "qemu-utils",
			       m->path);
	fd = temp_file_open(e);
	to = fd_path(fd);
	if (fd < 0 || check_size(m, from, fd, e) < 0 || convert(m->path, from, to, e) < 0)
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
	m->unpacked = disk_limit(m);
	return archive_in_open(&m->in,
			       &(struct archive_source){.name = m->path,
							.fd = m->fd,
							.single = true,
							.limit = &m->unpacked},
			       e);
}

static bool is_zero(const char *p, size_t len)
{
	return p[0] == 0 && memcmp(p, p + 1, len - 1) == 0;
}

/* Returns how many bytes of the piece keep_all() would write. */
static size_t data_in(const char *p, size_t len)
{
	size_t data = 0;

	while (len > 0) {
		size_t n = len < BLOCK ? len : BLOCK;

		data += is_zero(p, n) ? 0 : n;
		p += n;
		len -= n;
	}
	return data;
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
	m->data = 0;
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
		m->data += data_in(buf, (size_t)n);
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

int disk_image_open(struct disk_image *ret, const char *path, uint64_t limit,
		    struct err *e)
{
	_cleanup_disk_image_ struct disk_image m = DISK_IMAGE_INIT;
	int r;

	m.path = path;
	m.limit = limit;
	m.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	m.file = m.fd < 0 ? -1 : fcntl(m.fd, F_DUPFD_CLOEXEC, 3);
	r = m.file < 0 ? -errno : digest_stamp_take(&m.stamp, m.file);
	if (r < 0)
		return err_errno(e, r, "%s", path);
	if (!S_ISREG(m.stamp.st.st_mode))
		return err_set(e, ERR_FAILED, "%s: is not a file", path);
	m.format = detect_format(m.fd, &m.compressed);
	if (m.compressed) {
		if (open_compressed(&m, e) < 0)
			return -1;
	} else if ((!streq(m.format, RAW) && open_qcow2(&m, e) < 0) ||
		   open_plain(&m, e) < 0) {
		return -1;
	}
	if (m.size == 0)
		return err_set(e, ERR_FAILED, "%s: is empty", path);
	archive_in_free(TAKE_PTR(m.in)); /* it refers to `m` */
	*ret = m;
	m = (struct disk_image)DISK_IMAGE_INIT;
	return 0;
}

void disk_image_done(struct disk_image *m)
{
	archive_in_free(m->in);
	ptable_done(&m->table);
	if (m->fd >= 0)
		close(m->fd);
	if (m->file >= 0)
		close(m->file);
	*m = (struct disk_image)DISK_IMAGE_INIT;
}

bool disk_image_is_unchanged(const struct disk_image *m, const char *path)
{
	_cleanup_close_ int now = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	return now >= 0 && digest_stamp_holds(&m->stamp, now) &&
	       digest_stamp_holds(&m->stamp, m->file);
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
	fd = temp_file_open(e);
	if (fd < 0 || room_check(fd, m->data, m->path, temp_dir(), e) < 0 ||
	    read_through(m, keep_all, fd, &size, e) < 0)
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
