/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers are big-endian. backing_file_offset is 0 without a backing file; version 3 has
 * incompatible_features, of which bit 2 is an external data file. QEMU reads zeros behind
 * the end of a short file, so a short header is filled with zeros and checked, too.
 */
#include "builder/common/qcow2.h"

#include "lib/str.h"

#include <endian.h>
#include <unistd.h>

struct qcow2_header {
	uint32_t magic, version;
	uint64_t backing_file_offset;
	uint32_t backing_file_size, cluster_bits;
	uint64_t size; /* of the disk */
	uint8_t rest[40];
	uint64_t incompatible_features;
};
_Static_assert(offsetof(struct qcow2_header, incompatible_features) == 72, "qcow2.txt");
_Static_assert(offsetof(struct qcow2_header, size) == 24, "qcow2.txt");

#define QCOW2_MAGIC    0x514649fbU /* "QFI\xfb" */
#define QCOW2_EXTERNAL (1ULL << 2)

int qcow2_size(int fd, const char *path, uint64_t *ret, struct err *e)
{
	struct qcow2_header h = {0};

	if (pread(fd, &h, sizeof(h), 0) < 0)
		return err_errno(e, errno, "%s", path);
	*ret = be64toh(h.size);
	return 0;
}

int qcow2_check(int fd, const char *path, struct err *e)
{
	struct qcow2_header h = {0};
	ssize_t n = pread(fd, &h, sizeof(h), 0);

	if (n < 0)
		return err_errno(e, errno, "%s", path);
	if (n < (ssize_t)sizeof(h.magic) || be32toh(h.magic) != QCOW2_MAGIC)
		return 0;
	if (h.backing_file_offset)
		return err_set(e, ERR_FAILED,
			       "%s: a qcow2 with a backing file: image refused", path);
	if (be32toh(h.version) >= 3 &&
	    (be64toh(h.incompatible_features) & QCOW2_EXTERNAL))
		return err_set(e, ERR_FAILED,
			       "%s: a qcow2 with its data in another file: image refused",
			       path);
	return 1;
}
