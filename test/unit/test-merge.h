/* SPDX-License-Identifier: Apache-2.0 */
/* Merges a small base in memory and a layer into the stream of the root image. */
#pragma once

#include "builder/root/merge.h"
#include "test-archive.h"

#define EPOCH 1000

#define DIR(p, m)                                                                        \
	{                                                                                \
		ENTRY_DIR, p, .mode = m, .mtime = 5                                      \
	}
#define LINK(p, t)                                                                       \
	{                                                                                \
		ENTRY_SYMLINK, p, t, .mode = 0777, .mtime = 5                            \
	}
#define HARD(p, t)                                                                       \
	{                                                                                \
		ENTRY_HARDLINK, p, t, .mode = 0644, .mtime = 5                           \
	}
#define TEXT(p, m, t)                                                                    \
	{                                                                                \
		ENTRY_FILE, p, .mode = m, .mtime = 5, .caps = t, .size = sizeof(t) - 1   \
	}

/* A file's text is in `caps` because struct entry has no other field for bytes. */
static const struct entry base_entries[] = {
	DIR("./", 0755),
	LINK("./lib", "usr/lib"),
	DIR("./etc/", 0755),
	TEXT("./etc/shadow", 0640, "daemon:*:1:\nroot:*:1:\n"),
	TEXT("./etc/machine-id", 0444, "uninitialized\n"),
	TEXT("./etc/hosts", 0644, "theirs"),
	DIR("./etc/systemd/", 0755),
	DIR("./etc/systemd/system/", 0755),
	LINK("./etc/systemd/system/old-alias.service", "/lib/systemd/system/old.service"),
	DIR("./etc/systemd/system/multi-user.target.wants/", 0755),
	LINK("./etc/systemd/system/multi-user.target.wants/old.service",
	     "/lib/systemd/system/old.service"),
	DIR("./tmp/", 01777),
	DIR("./usr/", 0755),
	DIR("./usr/lib/", 0755),
	TEXT("./usr/lib/first", 0644, "data"),
	HARD("./usr/lib/second", "./usr/lib/first"),
	HARD("./usr/lib/third", "usr/lib/first"),
	DIR("./usr/lib/systemd/", 0755),
	DIR("./usr/lib/systemd/system/", 0755),
	TEXT("./usr/lib/systemd/system/old.service", 0644,
	     "[Install]\nWantedBy=multi-user.target\n"),
	TEXT("./usr/lib/systemd/system/ssh.service", 0644,
	     "[Unit]\n[Install]\nWantedBy=a.target \\\n b.target\nAlias=sshd.service\n"
	     "RequiredBy=c.target\n"),
	TEXT("./usr/lib/systemd/system/getty@.service", 0644,
	     "[Install]\nWantedBy=getty.target\n"),
	TEXT("./usr/lib/systemd/system/bare.service", 0644, "[Service]\n"),
	DIR("./usr/share/", 0755),
	DIR("./usr/share/doc/", 0755),
	DIR("./usr/share/doc/a/", 0755),
	TEXT("./usr/share/doc/a/copyright", 0644, "c"),
	{ENTRY_FILE, "./late", .mode = 0644, .mtime = 2000, .uid = 7, .gid = 8,
	 .caps = "later", .size = 5},
};

static inline int make_base(const struct entry *v, size_t n)
{
	int fd = memfd_create("base", MFD_CLOEXEC);
	_cleanup_archive_out_ struct archive_out *o = NULL;

	o = archive_out_new(fd, "base");
	for (size_t i = 0; i < n; i++) {
		struct entry entry = v[i];

		entry.caps = NULL;
		assert_int_equal(archive_out_entry(o, &entry, NULL), 0);
		if (v[i].caps)
			assert_int_equal(archive_out_data(o, v[i].caps, v[i].size, NULL),
					 0);
	}
	assert_int_equal(archive_out_end(o, NULL), 0);
	return fd;
}

struct world {
	int tar;
	struct index index;
	struct layer layer;
	struct recipe recipe;
	struct diag diag;
	char *text; /* the merged stream, one line per entry */
	struct merge_stats stats;
};

static struct world w;

static inline bool want_all(const char *path, void *data)
{
	(void)path;
	(void)data;
	return true;
}

static inline int setup_from(const struct entry *v, size_t n)
{
	w = (struct world){.tar = make_base(v, n)};
	assert_int_equal(index_read(&w.index, w.tar, NULL, want_all, NULL, NULL), 0);
	w.layer.base = &w.index;
	w.layer.d = &w.diag;
	return 0;
}

static inline int setup(void **state)
{
	(void)state;
	return setup_from(base_entries, ARRAY_SIZE(base_entries));
}

static inline int teardown(void **state)
{
	(void)state;
	close(w.tar);
	index_done(&w.index);
	layer_done(&w.layer);
	diag_done(&w.diag);
	free(w.text);
	return 0;
}

static inline void file(const char *to, const char *text)
{
	layer_add_text(&w.layer, to, 0600, text, strlen(text), "t", "r.cfg:1");
}

static inline void list(int fd)
{
	_cleanup_archive_in_ struct archive_in *in = NULL;
	const struct entry *entry;
	struct buf b = {0};

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(
		archive_in_open(&in, &(struct archive_source){.name = "out", .fd = fd},
				NULL),
		0);
	while (archive_in_next(in, &entry, NULL) > 0) {
		_cleanup_free_ char *path = archive_path_normal(entry->path);
		char data[128] = "";

		buf_printf(&b, "%s /%s %04o %d:%d %lld", entry_type_name(entry->type),
			   path, entry->mode, (int)entry->uid, (int)entry->gid,
			   (long long)entry->mtime);
		if (entry->target)
			buf_printf(&b, " -> %s", entry->target);
		if (entry->type == ENTRY_FILE) {
			assert_true(entry->size < sizeof(data));
			assert_int_equal(archive_in_read(in, data, sizeof(data), NULL),
					 entry->size);
			buf_printf(&b, " '%s'", data);
		}
		buf_puts(&b, "\n");
	}
	w.text = buf_take(&b);
}

static inline int do_merge(char *const *exclude, struct digest *tap, struct err *e)
{
	_cleanup_close_ int fd = memfd_create("out", MFD_CLOEXEC);
	_cleanup_archive_out_ struct archive_out *o = NULL;
	const struct merge m = {
		.base = &w.index,
		.tar = w.tar,
		.tap = tap,
		.layer = &w.layer,
		.epoch = EPOCH,
	};

	layer_finish(&w.layer);
	merge_plan(&w.index, &w.layer, exclude, &w.diag);
	for (size_t i = 0; i < w.diag.n; i++)
		print_error("%s\n", w.diag.lines[i]);
	assert_int_equal(w.diag.n, 0);
	o = archive_out_new(fd, "out");
	if (merge(&m, o, &w.stats, e) < 0)
		return -1;
	assert_int_equal(archive_out_end(o, e), 0);
	list(fd);
	return 0;
}

static inline void merged(char *const *exclude)
{
	struct err e = {0};

	if (do_merge(exclude, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

static inline size_t count(const char *part)
{
	size_t n = 0;

	for (const char *s = w.text; (s = strstr(s, part)); s++)
		n++;
	return n;
}

static inline void has(const char *line)
{
	_cleanup_free_ char *whole = xasprintf("%s\n", line);

	if (count(whole) != 1)
		fail_msg("%zu of '%s' in:\n%s", count(whole), line, w.text);
}

static inline void lacks(const char *path)
{
	_cleanup_free_ char *part = xasprintf(" /%s ", path);

	if (count(part) != 0)
		fail_msg("'%s' is in:\n%s", path, w.text);
}

/* Checks the complaints of layer and plan. */
static inline void refused(const char *const *want, size_t n)
{
	layer_finish(&w.layer);
	merge_plan(&w.index, &w.layer, NULL, &w.diag);
	for (size_t i = 0; i < n && i < w.diag.n; i++)
		assert_string_equal(w.diag.lines[i], want[i]);
	assert_int_equal(w.diag.n, n);
}
