/* SPDX-License-Identifier: Apache-2.0 */
/* The memo is compared as text: a damaged one does not match, and the file is read. */
#include "lib/digest-memo.h"

#include "lib/file.h"
#include "lib/str.h"

#include <linux/magic.h>
#include <sys/vfs.h>
#include <time.h>

#define COARSE_NS 2000000000LL /* FAT's resolution is the coarsest */
#define FINE_NS   20000000LL   /* two ticks of the slowest clock */
#define MEMO_MAX  4096

/* Returns by how many nanoseconds a file must be older than its ctime. A file system with
 * times coarser than a tick shows it by a ctime of whole milliseconds. */
static int64_t resolution(int fd, const struct stat *st)
{
	static const unsigned long local[] = {
		BTRFS_SUPER_MAGIC,     EXT4_SUPER_MAGIC, F2FS_SUPER_MAGIC,
		OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC,      XFS_SUPER_MAGIC,
	};
	struct statfs fs;

	if (st->st_ctim.tv_nsec % 1000000 == 0 || fstatfs(fd, &fs) < 0)
		return COARSE_NS;
	for (size_t i = 0; i < ARRAY_SIZE(local); i++)
		if ((unsigned long)fs.f_type == local[i])
			return FINE_NS;
	return COARSE_NS;
}

/* Sets *ret_wait to the nanoseconds after which the stamp would be firm. */
static int stamp(struct digest_stamp *ret, int fd, int64_t *ret_wait)
{
	const struct timespec *changed = &ret->st.st_ctim;
	struct timespec now;
	int64_t age_s;

	if (fstat(fd, &ret->st) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -errno;
	*ret_wait = COARSE_NS;
	age_s = (int64_t)now.tv_sec - changed->tv_sec;
	if (age_s >= -1 && age_s < 4)
		*ret_wait = resolution(fd, &ret->st) - age_s * 1000000000 -
			    (now.tv_nsec - changed->tv_nsec);
	else if (age_s > 0)
		*ret_wait = 0;
	ret->firm = *ret_wait <= 0;
	return 0;
}

int digest_stamp_take(struct digest_stamp *ret, int fd)
{
	int64_t wait;

	return stamp(ret, fd, &wait);
}

int digest_stamp_wait(struct digest_stamp *ret, int fd)
{
	int64_t wait;
	int r = stamp(ret, fd, &wait);

	if (r < 0 || ret->firm || wait > FINE_NS)
		return r;
	nanosleep(&(struct timespec){.tv_nsec = wait}, NULL);
	return stamp(ret, fd, &wait);
}

/* Returns the memo of a file in this state; owned. */
static char *format(const struct stat *st, const char *digests)
{
	return xasprintf("digest 1\ndev %llu ino %llu size %llu mtime %lld.%09ld ctime "
			 "%lld.%09ld\n%s\n",
			 (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
			 (unsigned long long)st->st_size, (long long)st->st_mtim.tv_sec,
			 st->st_mtim.tv_nsec, (long long)st->st_ctim.tv_sec,
			 st->st_ctim.tv_nsec, digests);
}

bool digest_stamp_holds(const struct digest_stamp *s, int fd)
{
	_cleanup_free_ char *was = format(&s->st, ""), *is = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	is = format(&st, "");
	return streq(was, is);
}

char *digest_memo_read(int dirfd, const char *memo, int fd)
{
	_cleanup_free_ char *text = NULL, *digests = NULL, *want = NULL;
	_cleanup_strv_ char **lines = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0 ||
	    file_read_regular_at(dirfd, memo, MEMO_MAX, &text, NULL) < 0)
		return NULL;
	lines = strv_split(text, "\n");
	if (strv_len(lines) != 3)
		return NULL;
	digests = xstrdup(lines[2]);
	want = format(&st, digests);
	return streq(text, want) ? TAKE_PTR(digests) : NULL;
}

void digest_memo_write(int dirfd, const char *memo, int fd, const struct digest_stamp *s,
		       const char *digests)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int to = -1;

	if (s->firm && digest_stamp_holds(s, fd) && fsync(fd) == 0)
		text = format(&s->st, digests);
	else
		text = xstrdup("");
	to = openat(dirfd, memo,
		    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		    0644);
	/* Not synced: a memo that was cut off does not match. */
	if (to >= 0 && write_all(to, text, strlen(text)) < 0)
		(void)!ftruncate(to, 0);
}
