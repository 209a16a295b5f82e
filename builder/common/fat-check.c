/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fsck.fat takes no offset, so it gets a file without a name that has a copy of the file
 * system. It reads folders and tables, but no data of files. In an image that was just
 * made these are at its beginning: the first copy has only that, and holes for the rest.
 * Where a folder is elsewhere, fsck.fat finds faults in that copy, and gets a whole one.
 */
#include "builder/common/fat-check.h"

#include "builder/common/temp-file.h"
#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#include <sys/mman.h>

#define MIB        (1ULL << 20)
#define HEAD_SHARE 32 /* the two tables have at most 1/64 of the file system */
#define CHUNK      (256 * 1024)
#define SAID_MAX   (64 * 1024)
#define SAID_LINES 3 /* of fsck.fat, in an error */

/* Copies at most `len` bytes: copy_file_range(2), which shares them where the file system
 * can, or where that does not work read and write. Returns their number or -errno. */
static ssize_t copy_some(int from, uint64_t at, int to, uint64_t to_at, uint64_t len)
{
	_cleanup_free_ char *chunk = NULL;
	off_t in = (off_t)at, out = (off_t)to_at;
	ssize_t n = copy_file_range(from, &in, to, &out, (size_t)len, 0);

	if (n > 0)
		return n;
	chunk = xmalloc(CHUNK);
	n = pread(from, chunk, len < CHUNK ? (size_t)len : CHUNK, (off_t)at);
	if (n > 0)
		n = pwrite(to, chunk, (size_t)n, (off_t)to_at);
	return n < 0 ? -errno : n > 0 ? n : -EIO;
}

/* Copies `len` bytes at `at` of `from` to offset `to_at` of `to`, as far as they are no
 * hole. Returns 0 or -errno. */
static int copy_data(int from, uint64_t at, int to, uint64_t to_at, uint64_t len)
{
	const uint64_t end = at + len, shift = at - to_at;

	while (at < end) {
		off_t data = lseek(from, (off_t)at, SEEK_DATA), hole;

		if (data < 0)
			return errno == ENXIO ? 0 : -errno;
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0)
			return -errno;
		if ((uint64_t)hole > end)
			hole = (off_t)end;
		for (at = (uint64_t)data; at < (uint64_t)hole;) {
			ssize_t n =
				copy_some(from, at, to, at - shift, (uint64_t)hole - at);

			if (n < 0 && n != -EINTR)
				return (int)n;
			at += n > 0 ? (uint64_t)n : 0;
		}
	}
	return 0;
}

/* Returns ": " and the first lines of fsck.fat, but not its version. Owned. */
static char *first_lines(int fd)
{
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d", fd), *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	struct buf b = {0};
	size_t n = 0;

	if (file_read_regular_at(AT_FDCWD, path, SAID_MAX, &text, NULL) == 0)
		lines = strv_split(text, "\n");
	for (size_t i = 0; lines && lines[i] && n < SAID_LINES; i++)
		if (!str_after(lines[i], "fsck.fat "))
			buf_printf(&b, "%s%s", n++ > 0 ? "; " : ": ", lines[i]);
	return buf_take(&b);
}

/* Returns as fat_check(). fsck.fat exits with 1 when it has found faults. */
static int run_fsck(const char *image, const char *path, bool *ret_faults, struct err *e)
{
	_cleanup_close_ int said = memfd_create("fsck.fat", MFD_CLOEXEC);
	const char *const argv[] = {"fsck.fat", "-n", path, NULL};
	const char *const env[] = {"LC_ALL=C.UTF-8", NULL};
	struct run r = {.argv = argv, .env = env, .out = said};
	_cleanup_free_ char *lines = NULL;
	struct err ended = {0};

	*ret_faults = false;
	if (said < 0)
		return err_errno(e, errno, "memfd");
	if (run(&r, &ended) == 0)
		return 0;
	*ret_faults = str_after(ended.msg, "fsck.fat exited with 1") != NULL;
	lines = first_lines(said);
	return err_set(e, ERR_FAILED,
		       "%s: its FAT file system is not as it was written (%s%s)", image,
		       ended.msg, lines);
}

int fat_check(const char *image, uint64_t offset, uint64_t size, const char *dir,
	      bool *ret_faults, struct err *e)
{
	_cleanup_free_ char *path = NULL;
	bool faults = false;
	_cleanup_close_ int from = file_open_regular_at(AT_FDCWD, image), to = -1;
	uint64_t head = size / HEAD_SHARE + MIB;
	int r;

	if (ret_faults)
		*ret_faults = false;
	if (from < 0)
		return err_set(e, ERR_FAILED, "%s: %s", image, file_strerror(from));
	to = temp_file_open_in(dir, e);
	if (to < 0)
		return -1;
	path = xasprintf("/proc/%d/fd/%d", (int)getpid(), to);
	head = head < size ? head : size;
	r = ftruncate(to, (off_t)size) < 0 ? -errno
					   : copy_data(from, offset, to, 0, head);
	if (r == 0 && run_fsck(image, path, &faults, NULL) == 0)
		return 0;
	if (r == 0)
		r = copy_data(from, offset + head, to, head, size - head);
	r = r < 0 ? err_errno(e, r, "%s", image) : run_fsck(image, path, &faults, e);
	if (ret_faults)
		*ret_faults = r < 0 && faults;
	return r;
}
