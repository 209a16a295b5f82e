/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu-img converts a qcow2, of any version, after qcow2_check() has refused references
 * to other files, and after its data was measured: a file of 400 KB can have terabytes.
 * The other formats are decompressed as they are read (disk-unpack.c).
 *
 * Limits: the partition table of a compressed image is read from its first MiB and from
 * the last sector of its GPT, so the logical partitions of an MBR are found only after
 * disk_image_seekable().
 */
#include "builder/disk/disk-image.h"

#include "builder/common/archive.h"
#include "builder/common/progress.h"
#include "builder/common/qcow2.h"
#include "builder/common/space.h"
#include "builder/common/temp-file.h"
#include "builder/common/unpack.h"
#include "builder/disk/disk-refusal.h"
#include "builder/disk/disk-unpack.h"
#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#define QEMU_IMG   "qemu-img"
#define RAW        "raw"
#define MEASURE_MS 60000

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

/* Reads the partition table of the disk in `fd` and detects its content. Returns 0 or
 * -errno. */
static int detect_content(struct disk_content *ret, struct ptable *t, int fd,
			  uint64_t size)
{
	_cleanup_free_ uint8_t *head = xmalloc(CONTENT_HEAD);
	ssize_t n;
	int r;

	ptable_done(t);
	r = ptable_read(t, fd, size);
	n = r < 0 ? 0 : pread(fd, head, CONTENT_HEAD, 0);
	if (r < 0 || n < 0)
		return r < 0 ? r : -errno;
	disk_content_detect(ret, head, (size_t)n, t);
	return 0;
}

/* Detects the content of the disk in `fd` and refuses what is not needed. An image within
 * the image is refused too: it would be written to a disk as it is. */
static int judge(struct disk_image *m, int fd, uint64_t size, struct err *e)
{
	bool compressed;
	const char *inside = detect_format(fd, &compressed);
	int r;

	if (m->need == DISK_NEED_NONE)
		return 0;
	if (!streq(inside, RAW) && !streq(m->format, RAW))
		return err_set(e, ERR_FAILED, "%s: contains a %s: unpack it first",
			       m->path, inside);
	r = detect_content(&m->content, &m->table, fd, size);
	if (r < 0)
		return err_errno(e, r, "%s", m->path);
	if (m->content.kind == CONTENT_ELSE ||
	    (m->content.kind == CONTENT_BARE && m->need == DISK_NEED_BOOT))
		return disk_refusal_set(e, &m->content, m->path,
					m->compressed ? m->format : NULL,
					m->need == DISK_NEED_BOOT);
	return 0;
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

	stages_name("measuring the image");
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

/* Checks that the temporary file has room for the disk's data. */
static int check_room(const struct disk_image *m, uint64_t bytes, struct err *e)
{
	_cleanup_free_ char *what = xasprintf("the data of %s ($TMPDIR)", m->path);

	return space_check_one(&(struct space_need){temp_dir(), what, bytes}, e);
}

/* Checks that the disk's data is within the limit and that there is room for it. Only a
 * disk that may be too large as a whole is measured. */
static int check_size(const struct disk_image *m, const char *from, struct err *e)
{
	struct archive_limit limit = {.bytes = m->limit, .raise = DISK_LIMIT_RAISE};
	uint64_t need;

	if (qcow2_size(m->fd, m->path, &need, e) < 0)
		return -1;
	if (((limit.bytes > 0 && need > limit.bytes) || check_room(m, need, NULL) < 0) &&
	    measure(m->path, from, &need, e) < 0)
		return -1;
	if (archive_limit_bytes(&limit, need, m->path, NULL, e) < 0)
		return -1;
	return check_room(m, need, e);
}

static int convert(const char *path, const char *from, const char *to, struct err *e)
{
	const char *const argv[] = {QEMU_IMG, "convert", "-f", "qcow2", "-O",
				    "raw",    from,      to,   NULL};

	stages_start("unpacking the image", NULL);
	if (run_argv(argv, e) < 0)
		return err_wrap(e, "%s", path);
	stages_stop();
	return 0;
}

static int open_qcow2(struct disk_image *m, struct err *e)
{
	_cleanup_free_ char *from = fd_path(m->fd), *to = NULL;
	_cleanup_close_ int fd = -1;

	if (qcow2_check(m->fd, m->path, e) < 0)
		return -1;
	if (!run_have(QEMU_IMG))
		return err_set(e, ERR_UNABLE,
			       "%s: reading a qcow2 requires qemu-img, of the package "
			       "qemu-utils",
			       m->path);
	fd = temp_file_open(e);
	to = fd_path(fd);
	if (fd < 0 || check_size(m, from, e) < 0 || convert(m->path, from, to, e) < 0)
		return -1;
	close(m->fd);
	m->fd = TAKE_FD(fd);
	return 0;
}

/* --- every format ------------------------------------------------------------------- */

/* The first MiB decides whether the rest is read at all. Its table is taken for that of a
 * disk of any size. */
static int open_compressed(struct disk_image *m, struct err *e)
{
	uint64_t len;
	int r;

	if (disk_unpack_head(m, &len, e) < 0)
		return -1;
	if (len == 0)
		return err_set(e, ERR_FAILED, "%s: is empty", m->path);
	if (judge(m, m->head, INT64_MAX, e) < 0 || disk_unpack_tables(m, e) < 0)
		return -1;
	r = detect_content(&m->content, &m->table, m->head, m->size);
	return r < 0 ? err_errno(e, r, "%s", m->path) : 0;
}

int disk_image_table_fd(const struct disk_image *m)
{
	return m->compressed ? m->head : m->fd;
}

static int open_plain(struct disk_image *m, struct err *e)
{
	int r = size_of_fd(m->fd, &m->size);

	if (r < 0)
		return err_errno(e, r, "%s", m->path);
	if (m->size == 0)
		return err_set(e, ERR_FAILED, "%s: is empty", m->path);
	return judge(m, m->fd, m->size, e);
}

int disk_image_open(struct disk_image *ret, const char *path, uint64_t limit,
		    enum disk_need need, struct err *e)
{
	_cleanup_disk_image_ struct disk_image m = DISK_IMAGE_INIT;
	int r;

	m.path = path;
	m.limit = limit;
	m.need = need;
	m.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	m.file = m.fd < 0 ? -1 : fcntl(m.fd, F_DUPFD_CLOEXEC, 3);
	r = m.file < 0 ? -errno : digest_stamp_take(&m.stamp, m.file);
	if (r < 0)
		return err_errno(e, r, "%s", path);
	if (!S_ISREG(m.stamp.st.st_mode))
		return disk_refusal_of_type(e, m.stamp.st.st_mode, path);
	m.format = need == DISK_NEED_NONE ? RAW : detect_format(m.fd, &m.compressed);
	if (m.compressed) {
		if (open_compressed(&m, e) < 0)
			return -1;
	} else if ((!streq(m.format, RAW) && open_qcow2(&m, e) < 0) ||
		   open_plain(&m, e) < 0) {
		return -1;
	}
	archive_in_free(TAKE_PTR(m.in)); /* it refers to `m` */
	*ret = m;
	m = (struct disk_image)DISK_IMAGE_INIT;
	return 0;
}

bool disk_image_peek(struct disk_content *ret, const char *path)
{
	_cleanup_disk_image_ struct disk_image m = DISK_IMAGE_INIT;
	uint64_t len = 0;

	m.path = path;
	m.fd = file_open_foreign_at(AT_FDCWD, path);
	if (m.fd < 0 || size_of_fd(m.fd, &len) < 0 || len == 0)
		return false;
	m.format = detect_format(m.fd, &m.compressed);
	if (!m.compressed && !streq(m.format, RAW)) {
		*ret = (struct disk_content){.kind = CONTENT_DISK};
		return true;
	}
	if (!m.compressed)
		return detect_content(ret, &m.table, m.fd, len) == 0;
	return disk_unpack_head(&m, &len, NULL) == 0 && len > 0 &&
	       detect_content(ret, &m.table, m.head, len) == 0;
}

int disk_image_check(const struct disk_image *m, struct err *e)
{
	const struct ptable *t = &m->table;
	bool gpt = t->kind == PTABLE_GPT;
	/* The MBR of a hybrid ISO may be rounded up to what a BIOS calls cylinders. */
	bool iso = m->content.iso > 0 && !gpt;
	uint64_t needs = iso ? m->content.iso : t->disk;

	if (t->fault)
		return err_set(e, ERR_FAILED,
			       "%s: has a GPT, but %s: it is damaged or cut off", m->path,
			       t->fault);
	if (needs > m->size)
		return err_set(e, ERR_FAILED,
			       "%s: has %llu bytes, its %s says %llu: the image is cut "
			       "off",
			       m->path, (unsigned long long)m->size,
			       gpt   ? "GPT"
			       : iso ? "ISO 9660 file system"
				     : "MBR",
			       (unsigned long long)needs);
	if (t->backup_damaged)
		return err_set(e, ERR_FAILED,
			       "%s: the copy of its GPT at byte %llu is damaged or "
			       "missing: the image was not copied to its end",
			       m->path, (unsigned long long)t->backup);
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
	if (m->head >= 0)
		close(m->head);
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
		return disk_unpack_start(m, e);
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

	if (!m->compressed)
		return m->fd;
	fd = temp_file_open(e);
	if (fd < 0 || check_room(m, m->data, e) < 0 || disk_unpack_all(m, fd, e) < 0)
		return -1;
	archive_in_free(m->in);
	m->in = NULL;
	close(m->fd);
	m->fd = TAKE_FD(fd);
	m->compressed = false;
	ptable_done(&m->table);
	return open_plain(m, e) < 0 ? -1 : m->fd;
}
