/* SPDX-License-Identifier: Apache-2.0 */
/* Names of types and paths of entries, without libarchive. */
#include "builder/common/archive.h"

#include "lib/str.h"

const char *entry_type_name(enum entry_type type)
{
	static const char *const names[] = {
		[ENTRY_FILE] = "file",
		[ENTRY_DIR] = "directory",
		[ENTRY_SYMLINK] = "symlink",
		[ENTRY_HARDLINK] = "hard link",
		[ENTRY_CHAR] = "character device",
		[ENTRY_BLOCK] = "block device",
		[ENTRY_FIFO] = "fifo",
		[ENTRY_OTHER] = "special file",
	};

	return names[type];
}

void entry_limit_time(struct entry *entry, uint64_t epoch)
{
	if (entry->mtime < 0)
		entry->mtime = 0;
	if ((uint64_t)entry->mtime > epoch)
		entry->mtime = (int64_t)epoch;
}

char *archive_path_normal(const char *path)
{
	_cleanup_strv_ char **parts = strv_split(path, "/");
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; parts && parts[i]; i++) {
		if (streq(parts[i], ".."))
			return NULL;
		if (!streq(parts[i], "."))
			buf_printf(&b, "%s%s", b.len > 0 ? "/" : "", parts[i]);
	}
	return buf_take(&b);
}
