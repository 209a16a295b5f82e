/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only file that includes sodium.h. sodium_init() is not called and not linked: it
 * refers to every algorithm of the library, 180 KiB of a static program, and only picks
 * faster variants of some. SHA-256 has one variant and does without it.
 */
#include "firstboot/sha256.h"
#include "lib/str.h"

#include <sodium.h>

#define CHUNK (256 * 1024)

/* What libsodium calls when it is used wrongly. Its own stands in the same object file as
 * sodium_init(); with one here the linker leaves that file out. */
void sodium_misuse(void)
{
	abort();
}

const char *digest_sha256(const void *data, size_t len, char out[static DIGEST_LEN])
{
	uint8_t hash[crypto_hash_sha256_BYTES];

	_Static_assert(2 * crypto_hash_sha256_BYTES + 1 == DIGEST_LEN,
		       "hex of a SHA-256");
	crypto_hash_sha256(hash, data, len);
	str_hex(hash, sizeof(hash), out);
	return out;
}

int digest_sha256_fd(int fd, char out[static DIGEST_LEN])
{
	_cleanup_free_ uint8_t *buf = xmalloc(CHUNK);
	uint8_t hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_state state;
	ssize_t n;

	crypto_hash_sha256_init(&state);
	while ((n = read(fd, buf, CHUNK)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		crypto_hash_sha256_update(&state, buf, (size_t)n);
	}
	crypto_hash_sha256_final(&state, hash);
	str_hex(hash, sizeof(hash), out);
	return 0;
}
