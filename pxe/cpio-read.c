/* SPDX-License-Identifier: Apache-2.0 */
/* cpio.c describes the format. */
#include "pxe/cpio-read.h"
#include "lib/str.h"

#define HEADER_LEN   110
#define FIELD_LEN    8
#define NAME_LEN_MAX 4096

/* The fields behind the magic that are read, by number. */
enum { FIELD_MODE = 1, FIELD_SIZE = 6, FIELD_NAME_SIZE = 11 };

/* Reads a number in hex. Returns 0 or -EINVAL. */
static int field(const char *header, unsigned n, uint32_t *ret)
{
	const char *at = header + strlen("070701") + (size_t)n * FIELD_LEN;

	*ret = 0;
	for (unsigned i = 0; i < FIELD_LEN / 2; i++) {
		int byte = str_hex_byte(at + (size_t)i * 2);

		if (byte < 0)
			return -EINVAL;
		*ret = *ret << 8 | (uint32_t)byte;
	}
	return 0;
}

static size_t aligned(size_t n)
{
	return (n + 3) / 4 * 4;
}

int cpio_next(const char *archive, size_t len, size_t *at, struct cpio_member *ret,
	      struct err *e)
{
	const char *header = archive + *at;
	size_t left = len - *at, data;
	uint32_t mode, size, name;

	if (left < HEADER_LEN || memcmp(header, "070701", strlen("070701")) != 0 ||
	    field(header, FIELD_MODE, &mode) < 0 ||
	    field(header, FIELD_SIZE, &size) < 0 ||
	    field(header, FIELD_NAME_SIZE, &name) < 0 || name == 0 ||
	    name > NAME_LEN_MAX || left < HEADER_LEN + (size_t)name ||
	    header[HEADER_LEN + name - 1] != '\0')
		return err_set(e, ERR_FAILED, "is no cpio archive, or is damaged");
	data = aligned(HEADER_LEN + (size_t)name);
	if (streq(header + HEADER_LEN, "TRAILER!!!"))
		return 0;
	if (data > left || size > left - data)
		return err_set(e, ERR_FAILED, "ends too early");
	*ret = (struct cpio_member){
		.name = header + HEADER_LEN,
		.mode = mode,
		.data = header + data,
		.len = size,
	};
	*at += aligned(size) > left - data ? left : data + aligned(size);
	return 1;
}
