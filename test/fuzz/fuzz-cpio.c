/* SPDX-License-Identifier: Apache-2.0 */
/* Reads arbitrary bytes as the archive of a host. Every member is within the bytes. */
#include "pxe/cpio-read.h"
#include "test/fuzz/fuzz-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy without a byte behind it, which ASan guards. */
	char *copy = xmalloc(size ? size : 1);
	struct cpio_member m;
	struct err e = {0};
	size_t at = 0, last = 0;
	int r;

	memcpy(copy, data, size);
	while ((r = cpio_next(copy, size, &at, &m, &e)) > 0) {
		demand(at > last && at <= size, "the reader does not advance");
		demand(m.name > copy && m.name + strlen(m.name) < copy + size &&
			       m.data >= m.name && m.len <= size &&
			       m.data + m.len <= copy + size,
		       "a member outside of the archive");
		last = at;
	}
	demand(r == 0 || e.msg[0], "refused without an error");
	free(copy);
	return 0;
}
