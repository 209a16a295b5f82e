/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the input a file without a name, for fuzz targets whose parser reads a file. */
#pragma once

#include "lib/file.h"
#include "lib/str.h"

#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program with `message` unless `condition` holds. */
static inline void demand(bool condition, const char *message)
{
	if (condition)
		return;
	fprintf(stderr, "%s\n", message);
	abort();
}

/* Returns a descriptor of a file with these bytes. */
static inline int fuzz_file(const void *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	demand(fd >= 0 && write_all(fd, data, size) == 0, "memfd_create");
	return fd;
}

/* Returns the file's path. Owned by the caller. */
static inline char *fuzz_file_path(int fd)
{
	return xasprintf("/proc/self/fd/%d", fd);
}
