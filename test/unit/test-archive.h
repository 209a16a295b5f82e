/* SPDX-License-Identifier: Apache-2.0 */
/* Makes archives in memory with libarchive, for the tests that read archives. */
#pragma once

#include "builder/common/archive.h"
#include "lib/file.h"
#include "lib/str.h"

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#define ARCHIVE_ROOM (4U << 20)

struct member {
	const char *path;
	unsigned type; /* AE_IFREG, ...; 0: a file */
	const char *target;
	const char *data;
	size_t len; /* 0: strlen(data) */
	unsigned mode;
	bool hard; /* `target` is a hard link's, not a symlink's */
};

struct bytes {
	char *p;
	size_t len;
};

static inline void bytes_done(struct bytes *b)
{
	free(b->p);
}
#define _cleanup_bytes_ _cleanup_(bytes_done)

static inline void append_member(struct archive *a, const struct member *m)
{
	struct archive_entry *ae = archive_entry_new();
	size_t len = m->len ? m->len : m->data ? strlen(m->data) : 0;

	archive_entry_set_pathname(ae, m->path);
	archive_entry_set_filetype(ae, m->type ? m->type : AE_IFREG);
	archive_entry_set_perm(ae, m->mode ? m->mode : 0644);
	archive_entry_set_size(ae, (la_int64_t)len);
	if (m->hard)
		archive_entry_set_hardlink(ae, m->target);
	else if (m->target)
		archive_entry_set_symlink(ae, m->target);
	assert_int_equal(archive_write_header(a, ae), ARCHIVE_OK);
	if (len > 0)
		assert_int_equal(archive_write_data(a, m->data, len), (la_ssize_t)len);
	archive_entry_free(ae);
}

/* Makes an archive of `n` members. `format` and `filter` are libarchive's codes. */
static inline struct bytes make_archive(int format, int filter, const struct member *v,
					size_t n)
{
	struct bytes b = {.p = xmalloc(ARCHIVE_ROOM)};
	struct archive *a = archive_write_new();

	assert_int_equal(archive_write_set_format(a, format), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter(a, filter), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(a, b.p, ARCHIVE_ROOM, &b.len),
			 ARCHIVE_OK);
	for (size_t i = 0; i < n; i++)
		append_member(a, &v[i]);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	return b;
}

/* Returns a file in memory that contains these bytes, at offset 0. */
static inline int bytes_fd(const void *p, size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, p, len), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}
