/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/known-digest.h"

#include "lib/str.h"

#include <fcntl.h>
#include <sys/stat.h>

#define SLOTS 1024
#define SMALL (256 * 1024) /* is read faster than a memo is written */

/* Returns the name of the memo; owned. */
static char *memo_name(const struct stat *st, uint64_t offset, uint64_t len)
{
	const uint64_t words[] = {(uint64_t)st->st_dev, (uint64_t)st->st_ino, offset,
				  len};
	uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		for (unsigned shift = 0; shift < 64; shift += 8) {
			hash ^= words[i] >> shift & 0xff;
			hash *= 0x100000001b3;
		}
	return xasprintf("%03llx", (unsigned long long)((hash ^ hash >> 32) % SLOTS));
}

static bool is_sha256(const char *s)
{
	return strlen(s) == KNOWN_DIGEST_LEN - 1 &&
	       strspn(s, "0123456789abcdef") == KNOWN_DIGEST_LEN - 1;
}

/* Returns false when the digest is not remembered. */
static bool recall(const struct known_digests *k, const char *memo, int fd,
		   const char *range, char out[static KNOWN_DIGEST_LEN])
{
	_cleanup_free_ char *text = digest_memo_read(k->fd, memo, fd);
	const char *sha256 = text ? str_after(text, range) : NULL;

	if (!sha256 || !is_sha256(sha256))
		return false;
	memcpy(out, sha256, KNOWN_DIGEST_LEN);
	(void)!utimensat(k->fd, memo, NULL, AT_SYMLINK_NOFOLLOW); /* used now */
	return true;
}

int known_digest(const struct known_digests *k, int fd, uint64_t offset, uint64_t len,
		 char out[static KNOWN_DIGEST_LEN])
{
	_cleanup_free_ char *memo = NULL, *text = NULL;
	_cleanup_free_ char *range = xasprintf(
		"%llu %llu sha256 ", (unsigned long long)offset, (unsigned long long)len);
	struct digest_stamp stamp;
	int r;

	if (k->fd < 0 || len < SMALL)
		return k->digest(fd, offset, len, out);
	r = digest_stamp_wait(&stamp, fd);
	if (r < 0)
		return r;
	memo = memo_name(&stamp.st, offset, len);
	if (!k->verify && recall(k, memo, fd, range, out))
		return 0;
	r = k->digest(fd, offset, len, out);
	if (r < 0)
		return r;
	text = xasprintf("%s%s", range, out);
	digest_memo_write(k->fd, memo, fd, &stamp, text);
	return 0;
}

void known_digest_keep(const struct known_digests *k, const struct known_link *l)
{
	const struct stat *was = &l->stamp.st;
	_cleanup_free_ char *memo = NULL, *text = NULL;
	struct digest_stamp now;

	if (k->fd < 0 || l->fd < 0 || l->len < SMALL || !l->stamp.firm ||
	    digest_stamp_wait(&now, l->fd) < 0)
		return;
	if (now.st.st_dev != was->st_dev || now.st.st_ino != was->st_ino ||
	    now.st.st_size != was->st_size ||
	    now.st.st_mtim.tv_sec != was->st_mtim.tv_sec ||
	    now.st.st_mtim.tv_nsec != was->st_mtim.tv_nsec)
		return;
	memo = memo_name(was, l->offset, l->len);
	text = xasprintf("%llu %llu sha256 %s", (unsigned long long)l->offset,
			 (unsigned long long)l->len, l->sha256);
	digest_memo_write(k->fd, memo, l->fd, &now, text);
}

int known_digest_file(const struct known_digests *k, int fd,
		      char out[static KNOWN_DIGEST_LEN], uint64_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (ret_size)
		*ret_size = (uint64_t)st.st_size;
	return known_digest(k, fd, 0, (uint64_t)st.st_size, out);
}
