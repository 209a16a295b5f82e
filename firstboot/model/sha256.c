/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only file that includes sodium.h. sodium_init() is neither called nor linked: it
 * refers to every algorithm of the library, 180 KiB in a static program, and only selects
 * faster variants of some. SHA-256 has one variant and does not need it.
 */
#include "firstboot/model/sha256.h"
#include "lib/str.h"

#include <sodium.h>

#define CHUNK (256 * 1024)

/* Replaces libsodium's handler of wrong use, which is in the same object file as
 * sodium_init(), so that the linker does not need that file. */
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

const char *digest_hmac_sha256(const uint8_t key[static HMAC_KEY_LEN], const char *text,
			       char out[static DIGEST_LEN])
{
	uint8_t mac[crypto_auth_hmacsha256_BYTES];

	_Static_assert(crypto_auth_hmacsha256_KEYBYTES == HMAC_KEY_LEN, "the key's size");
	_Static_assert(2 * crypto_auth_hmacsha256_BYTES + 1 == DIGEST_LEN,
		       "hex of an HMAC");
	crypto_auth_hmacsha256(mac, (const uint8_t *)text, strlen(text), key);
	str_hex(mac, sizeof(mac), out);
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
