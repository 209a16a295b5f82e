/* SPDX-License-Identifier: Apache-2.0 */
/* The memo is compared as text: a damaged one does not match, and the file is read. */
#include "builder/common/digest-memo.h"

#include "lib/file.h"
#include "lib/str.h"

#include <time.h>

#define FIRM_S   2
#define MEMO_MAX 4096

int digest_stamp_take(struct digest_stamp *ret, int fd)
{
	struct timespec now;

	if (fstat(fd, &ret->st) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
		return -errno;
	now.tv_sec -= FIRM_S;
	ret->firm = now.tv_sec > ret->st.st_ctim.tv_sec ||
		    (now.tv_sec == ret->st.st_ctim.tv_sec &&
		     now.tv_nsec >= ret->st.st_ctim.tv_nsec);
	return 0;
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
