/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's EVP digests. When a digest is not available (no memory, or a libcrypto whose
 * policy forbids it) nothing can be verified, so the program ends.
 */
#include "builder/common/digest.h"

#include "builder/common/progress.h"
#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#include <fcntl.h>
#include <openssl/evp.h>

#define CHUNK (256 * 1024)

struct digest {
	EVP_MD_CTX *ctx;
};

static const struct {
	const char *name;
	const EVP_MD *(*md)(void);
	size_t hex;
} types[DIGEST_TYPES] = {
	[DIGEST_SHA256] = {"sha256", EVP_sha256, 64},
	[DIGEST_SHA512] = {"sha512", EVP_sha512, 128},
	[DIGEST_SHA1] = {"sha1", EVP_sha1, 40},
	[DIGEST_MD5] = {"md5", EVP_md5, 32},
};

const char *digest_name(enum digest_type type)
{
	return types[type].name;
}

size_t digest_hex_len(enum digest_type type)
{
	return types[type].hex;
}

bool digest_is_weak(enum digest_type type)
{
	return type == DIGEST_SHA1 || type == DIGEST_MD5;
}

bool digest_is_hex(const char *s, enum digest_type type)
{
	size_t n = digest_hex_len(type);

	return strlen(s) == n && strspn(s, "0123456789abcdef") == n;
}

static void must(int ok)
{
	if (ok == 1)
		return;
	fputs("libcrypto: a digest is missing\n", stderr);
	abort();
}

struct digest *digest_new(enum digest_type type)
{
	struct digest *d = xcalloc(1, sizeof(*d));

	d->ctx = EVP_MD_CTX_new();
	must(d->ctx && EVP_DigestInit_ex(d->ctx, types[type].md(), NULL));
	return d;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
	must(EVP_DigestUpdate(d->ctx, data, len));
	progress_tick();
}

const char *digest_hex(struct digest *d, char out[static DIGEST_HEX_MAX])
{
	uint8_t bytes[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	must(EVP_DigestFinal_ex(d->ctx, bytes, &n));
	str_hex(bytes, n, out);
	return out;
}

const char *digest_peek(const struct digest *d, char out[static DIGEST_HEX_MAX])
{
	struct digest copy = {.ctx = EVP_MD_CTX_new()};

	must(copy.ctx && EVP_MD_CTX_copy_ex(copy.ctx, d->ctx));
	digest_hex(&copy, out);
	EVP_MD_CTX_free(copy.ctx);
	return out;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

void digest_free_p(struct digest **d)
{
	digest_free(*d);
}

/* Digests `fd` and copies it to `to` if that is not -1. */
static int digest_and_copy(int fd, int to, enum digest_type type,
			   char out[static DIGEST_HEX_MAX], uint64_t *ret_size)
{
	_cleanup_digest_ struct digest *d = digest_new(type);
	_cleanup_free_ char *buf = xmalloc(CHUNK);
	uint64_t size = 0;

	for (;;) {
		ssize_t n = read(fd, buf, CHUNK);
		int r = 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		digest_add(d, buf, (size_t)n);
		size += (uint64_t)n;
		if (to >= 0)
			r = write_all(to, buf, (size_t)n);
		if (r < 0)
			return r;
	}
	digest_hex(d, out);
	if (ret_size)
		*ret_size = size;
	return 0;
}

int digest_fd(int fd, enum digest_type type, char out[static DIGEST_HEX_MAX],
	      uint64_t *ret_size)
{
	return digest_and_copy(fd, -1, type, out, ret_size);
}

int digest_copy_fd(int from, int to, enum digest_type type,
		   char out[static DIGEST_HEX_MAX])
{
	return digest_and_copy(from, to, type, out, NULL);
}

int digest_range(int fd, uint64_t offset, uint64_t len,
		 char out[static DIGEST_SHA256_LEN])
{
	_cleanup_digest_ struct digest *d = digest_new(DIGEST_SHA256);
	_cleanup_free_ char *buf = xmalloc(CHUNK);
	char hex[DIGEST_HEX_MAX];

	while (len > 0) {
		ssize_t n =
			pread(fd, buf, len < CHUNK ? (size_t)len : CHUNK, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ENODATA;
		digest_add(d, buf, (size_t)n);
		offset += (uint64_t)n;
		len -= (uint64_t)n;
	}
	memcpy(out, digest_hex(d, hex), DIGEST_SHA256_LEN);
	return 0;
}

const char *digest_text(enum digest_type type, const void *data, size_t len,
			char out[static DIGEST_HEX_MAX])
{
	_cleanup_digest_ struct digest *d = digest_new(type);

	digest_add(d, data, len);
	return digest_hex(d, out);
}

const char *digest_program(const char *name, char out[static DIGEST_HEX_MAX])
{
	_cleanup_free_ char *path = run_find(name);
	_cleanup_close_ int fd = path ? file_open_regular_at(AT_FDCWD, path) : -1;

	if (fd < 0 || digest_fd(fd, DIGEST_SHA256, out, NULL) < 0)
		*out = '\0';
	return out;
}
