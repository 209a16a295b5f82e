/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the input a file, for fuzz targets whose parser reads a file. */
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

static char fuzz_folder[] = "/tmp/fuzz.XXXXXX";

static inline void fuzz_folder_remove(void)
{
	(void)!rm_rf_at(AT_FDCWD, fuzz_folder);
}

/* Makes fuzz_folder, which is removed when the program ends. Returns false if it is there
 * already. */
static inline bool fuzz_folder_make(void)
{
	static bool made;

	if (made)
		return false;
	demand(mkdtemp(fuzz_folder) && atexit(fuzz_folder_remove) == 0, fuzz_folder);
	made = true;
	return true;
}

/* Gives the file `name` in fuzz_folder this content, or with O_APPEND in `flags` appends
 * it, for parsers that refuse a link to a file without a name. The file is changed in
 * place, so that hard links to it change, too, and is cut off last, which is faster. */
static inline void fuzz_folder_write(const char *name, const void *data, size_t size,
				     int flags)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", fuzz_folder, name);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

	demand(fd >= 0 && write_all(fd, data, size) == 0, path);
	demand(flags & O_APPEND || ftruncate(fd, (off_t)size) == 0, path);
}
