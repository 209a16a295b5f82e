/* SPDX-License-Identifier: Apache-2.0 */
/* Tells compressed files apart by their first bytes. */
#include "builder/common/unpack.h"

#include "lib/str.h"

#include <endian.h>

#define LZMA_ALONE_HEAD 13
#define LZMA_SIZE_MAX   (1ULL << 38)

static const struct magic {
	const struct unpack_type *type;
	const char *bytes;
	size_t len;
} magics[] = {
	{&unpack_zstd, "\x28\xb5\x2f\xfd", 4},       {&unpack_gzip, "\x1f\x8b\x08", 3},
	{&unpack_xz, "\xfd\x37\x7a\x58\x5a\x00", 6}, {&unpack_lz4, "\x04\x22\x4d\x18", 4},
	{&unpack_lz4, "\x02\x21\x4c\x18", 4}, /* the older format */
};

/* "BZh", the block size, and the magic number of a block or of the end. */
static bool is_bzip2(const uint8_t *p, size_t len)
{
	return len >= 10 && memcmp(p, "BZh", 3) == 0 && p[3] >= '1' && p[3] <= '9' &&
	       (memcmp(p + 4, "\x31\x41\x59\x26\x53\x59", 6) == 0 ||
		memcmp(p + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

/*
 * The format has no magic number (lzma-file-format.txt of LZMA Utils). Properties, size
 * of the dictionary and size of the data are those that encoders write: lc = 3, lp = 0
 * and pb = 2, 2^n or 2^n + 2^(n-1) bytes, and a size that is unknown or below 256 GiB.
 */
static bool is_lzma(const uint8_t *p, size_t len)
{
	uint64_t size;
	uint32_t dict;

	if (len < LZMA_ALONE_HEAD || p[0] != 0x5d)
		return false;
	memcpy(&dict, p + 1, sizeof(dict));
	memcpy(&size, p + 5, sizeof(size));
	dict = le32toh(dict);
	size = le64toh(size);
	if (dict < 4096)
		return false;
	while (dict % 2 == 0)
		dict /= 2;
	return (dict == 1 || dict == 3) && (size == UINT64_MAX || size < LZMA_SIZE_MAX);
}

const struct unpack_type *unpack_detect(const void *head, size_t len)
{
	for (size_t i = 0; i < ARRAY_SIZE(magics); i++)
		if (len >= magics[i].len &&
		    memcmp(head, magics[i].bytes, magics[i].len) == 0)
			return magics[i].type;
	if (is_bzip2(head, len))
		return &unpack_bzip2;
	return is_lzma(head, len) ? &unpack_lzma : NULL;
}
