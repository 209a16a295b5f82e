/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds files in arbitrary bytes that are taken for a host's archive. What is found lies
 * in the archive, and is not found when the archive ends before its last byte.
 */
#include "pxe/cpio.h"

#include "lib/str.h"
#include "test/fuzz/fuzz-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Its own block, so that the sanitizer sees each byte that is read behind it. */
	_cleanup_free_ char *archive = xmalloc(size ? size : 1);
	const char *found = NULL;
	size_t len = 0;

	if (size)
		memcpy(archive, data, size);
	if (cpio_find(archive, size, "rackstrap/host.cfg", &found, &len) == 0) {
		size_t end = (size_t)(found - archive) + len;

		demand(found >= archive && end <= size, "bytes of nowhere");
		demand(len == 0 || cpio_find(archive, end - 1, "rackstrap/host.cfg",
					     &found, &len) == -EINVAL,
		       "a file that is cut off");
	}
	return 0;
}
