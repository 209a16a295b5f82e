/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as the qcow2 header of a file. Checks that the result of
 * qcow2_check() agrees with the fields of docs/interop/qcow2.txt (QEMU) read byte by
 * byte, that a refusal has a message, and that the descriptor's offset is unchanged.
 */
#include "builder/common/qcow2.h"
#include "lib/file.h"
#include "lib/str.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER 104

static void check(bool what, const char *story)
{
	if (what)
		return;
	fprintf(stderr, "%s\n", story);
	abort();
}

/* Returns the expected result of qcow2_check(). */
static int expected(const uint8_t *data, size_t size)
{
	uint8_t h[HEADER] = {0};
	bool has_backing_file = false;

	if (size > 0)
		memcpy(h, data, size < sizeof(h) ? size : sizeof(h));
	if (size < 4 || memcmp(h, "QFI\xfb", 4) != 0)
		return 0;
	for (size_t i = 8; i < 16; i++)
		has_backing_file |= h[i] != 0;
	if (has_backing_file)
		return -1;
	if ((h[4] || h[5] || h[6] || h[7] >= 3) && (h[79] & 1 << 2))
		return -1; /* its data is in another file */
	return 1;
}

static uint64_t expected_size(const uint8_t *data, size_t size)
{
	uint64_t n = 0;

	for (size_t i = 24; i < 32; i++)
		n = n << 8 | (i < size ? data[i] : 0);
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct err e = {0};
	uint64_t disk;
	int r;

	if (fd < 0)
		fd = memfd_create("image", MFD_CLOEXEC);
	check(fd >= 0 && ftruncate(fd, 0) == 0, "memfd");
	check(pwrite(fd, data, size, 0) == (ssize_t)size, "memfd");
	check(lseek(fd, 3, SEEK_SET) == 3, "memfd");
	r = qcow2_check(fd, "image", &e);
	check(r == expected(data, size), "accepted or refused wrongly");
	check(qcow2_size(fd, "image", &disk, &e) == 0 &&
		      disk == expected_size(data, size),
	      "the disk's size");
	check((r < 0) == (str_after(e.msg, "image: ") != NULL), "a message is missing");
	check(lseek(fd, 0, SEEK_CUR) == 3, "the offset moved");
	return 0;
}
