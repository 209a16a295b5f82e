/* SPDX-License-Identifier: Apache-2.0 */
/* builder/common/archive.h: entries that are written and read back. */
#include "test-archive.h"

#include <locale.h>

#define TAR ARCHIVE_FORMAT_TAR_PAX_RESTRICTED

static const uint8_t caps[20] = {1, 0, 0, 2, 0, 4};

static const struct entry entries[] = {
	{ENTRY_DIR, ".", .mode = 0755, .mtime = 7},
	{ENTRY_DIR, "usr", .mode = 01777, .mtime = 7},
	{ENTRY_FILE, "usr/ping", .mode = 04755, .uid = 3000000, .gid = 42, .size = 5,
	 .mtime = 1435622400, .caps = caps, .n_caps = sizeof(caps)},
	{ENTRY_FILE, "usr/empty", .mtime = 4294967295},
	{ENTRY_SYMLINK, "usr/\xc3\xa4",
	 "gr\xc3\xb6\xc3\x9f"
	 "e",
	 .mode = 0777},
	{ENTRY_HARDLINK, "usr/pong", "usr/ping", .mode = 04755, .uid = 3000000, .gid = 42,
	 .mtime = 1435622400},
	{ENTRY_CHAR, "null", .mode = 0666, .major = 1, .minor = 3},
	{ENTRY_BLOCK, "disk", .mode = 0660, .gid = 6, .major = 259, .minor = 70000},
	{ENTRY_FIFO, "fifo", .mode = 0600},
};

static int open_in(struct archive_in **in, int fd, struct digest *tap, struct err *e)
{
	return archive_in_open(
		in, &(struct archive_source){.name = "o", .fd = fd, .tap = tap}, e);
}

static int write_all_entries(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	_cleanup_archive_out_ struct archive_out *o = NULL;

	o = archive_out_new(fd, "o");
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		assert_int_equal(archive_out_entry(o, &entries[i], NULL), 0);
		if (entries[i].size > 0)
			assert_int_equal(archive_out_data(o, "hello", 5, NULL), 0);
	}
	assert_int_equal(archive_out_end(o, NULL), 0);
	return fd;
}

static void same_entry(const struct entry *a, const struct entry *b)
{
	_cleanup_free_ char *path = archive_path_normal(a->path);

	assert_string_equal(path, streq(b->path, ".") ? "" : b->path);
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->mtime, b->mtime);
	assert_int_equal(a->major, b->major);
	assert_int_equal(a->minor, b->minor);
	assert_int_equal(!!a->target, !!b->target);
	if (a->target)
		assert_string_equal(a->target, b->target);
	assert_int_equal(a->n_caps, b->n_caps);
	if (a->caps)
		assert_memory_equal(a->caps, b->caps, b->n_caps);
}

/* Names survive in every locale: one without UTF-8 would turn their characters into
 * '?'. */
static void written_entries_are_read_back(void **state)
{
	_cleanup_close_ int fd = -1;
	_cleanup_archive_in_ struct archive_in *in = NULL;
	const struct entry *entry;
	struct err e = {0};
	char text[8] = "";
	size_t n = 0;
	int r;

	(void)state;
	assert_non_null(setlocale(LC_ALL, "C"));
	fd = write_all_entries();
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(open_in(&in, fd, NULL, &e), 0);
	while ((r = archive_in_next(in, &entry, &e)) > 0) {
		assert_in_range(n, 0, ARRAY_SIZE(entries) - 1);
		same_entry(entry, &entries[n++]);
		if (entry->size > 0)
			assert_int_equal(archive_in_read(in, text, sizeof(text), &e), 5);
	}
	assert_int_equal(r, 0);
	assert_int_equal(n, ARRAY_SIZE(entries));
	assert_string_equal(text, "hello");
}

static void same_entries_give_same_bytes(void **state)
{
	_cleanup_close_ int a = write_all_entries(), b = write_all_entries();
	char da[DIGEST_HEX_MAX], db[DIGEST_HEX_MAX];
	uint64_t size = 0;

	(void)state;
	assert_int_equal(lseek(a, 0, SEEK_SET), 0);
	assert_int_equal(lseek(b, 0, SEEK_SET), 0);
	assert_int_equal(digest_fd(a, DIGEST_SHA256, da, &size), 0);
	assert_int_equal(digest_fd(b, DIGEST_SHA256, db, NULL), 0);
	assert_string_equal(da, db);
	assert_int_equal(size % 512, 0);
}

/* The tap gets every byte of the file, including those after the archive's end and those
 * that nobody read. */
/* Digests of such tars are in locks: they stay as libarchive wrote them. */
static void a_plain_tar_is_libarchives(void **state)
{
	static const struct member members[] = {
		{"manifest.json", 0, NULL, "{}", 0, 0644, false},
		{"0123456789012345678901234567890123456789012345678901234567890123", 0,
		 NULL, "layer", 0, 0644, false},
		{"d", AE_IFDIR, NULL, NULL, 0, 0755, false},
		{"d/x", 0, NULL, "", 0, 04755, false},
		{"d/link", AE_IFLNK, "../x", NULL, 0, 0777, false},
		{"d/hard", 0, "d/x", NULL, 0, 0600, true},
		{"fifo", AE_IFIFO, NULL, NULL, 0, 0600, false},
	};
	_cleanup_bytes_ struct bytes want =
		make_archive(TAR, ARCHIVE_FILTER_NONE, members, ARRAY_SIZE(members));
	_cleanup_close_ int fd = memfd_create("out", MFD_CLOEXEC);
	_cleanup_archive_out_ struct archive_out *o = NULL;
	_cleanup_free_ char *got = xmalloc(want.len);
	size_t end = want.len;

	(void)state;
	o = archive_out_new(fd, "out");
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		const struct member *m = &members[i];
		struct entry entry = {ENTRY_FILE, m->path, m->target, .mode = m->mode};

		if (m->type == AE_IFDIR)
			entry.type = ENTRY_DIR;
		if (m->target)
			entry.type = m->hard ? ENTRY_HARDLINK : ENTRY_SYMLINK;
		if (m->type == AE_IFIFO)
			entry.type = ENTRY_FIFO;
		entry.size = m->data ? strlen(m->data) : 0;
		assert_int_equal(archive_out_entry(o, &entry, NULL), 0);
		assert_int_equal(archive_out_data(o, m->data, entry.size, NULL), 0);
	}
	assert_int_equal(archive_out_end(o, NULL), 0);
	/* libarchive fills the last block of 10 KiB with zeros. */
	while (end > 0 && want.p[end - 1] == 0)
		end--;
	assert_int_equal(lseek(fd, 0, SEEK_END) % 512, 0);
	assert_true((size_t)lseek(fd, 0, SEEK_END) >= end + 1024);
	assert_int_equal(pread(fd, got, end, 0), end);
	assert_memory_equal(got, want.p, end);
}

/* The writer neither cuts a member nor fills it up. */
static void data_of_another_size_is_an_error(void **state)
{
	static const struct entry entry = {ENTRY_FILE, "x", .mode = 0644, .size = 5};
	_cleanup_close_ int fd = memfd_create("out", MFD_CLOEXEC);
	_cleanup_archive_out_ struct archive_out *o = NULL;
	struct err e = {0};

	(void)state;
	o = archive_out_new(fd, "out");
	assert_int_equal(archive_out_entry(o, &entry, &e), 0);
	assert_int_equal(archive_out_data(o, "abcd", 4, &e), 0);
	assert_int_equal(archive_out_end(o, &e), -1);
	assert_string_equal(e.msg, "out: member 'x': its data ended 1 bytes early");
	assert_int_equal(archive_out_data(o, "ef", 2, &e), -1);
	assert_string_equal(e.msg, "out: member 'x': has more data than its header says");
}

static void tap_gets_every_byte(void **state)
{
	static const char behind[] = "behind the end";
	_cleanup_close_ int fd = write_all_entries();
	_cleanup_digest_ struct digest *tap = digest_new(DIGEST_SHA256);
	_cleanup_archive_in_ struct archive_in *in = NULL;
	char got[DIGEST_HEX_MAX], want[DIGEST_HEX_MAX];
	const struct entry *entry;
	struct err e = {0};

	(void)state;
	assert_int_equal(lseek(fd, 0, SEEK_END) > 0, 1);
	assert_int_equal(write_all(fd, behind, sizeof(behind)), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(digest_fd(fd, DIGEST_SHA256, want, NULL), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(open_in(&in, fd, tap, &e), 0);
	while (archive_in_next(in, &entry, &e) > 0)
		;
	assert_int_equal(archive_in_drain(in, &e), 0);
	assert_string_equal(digest_hex(tap, got), want);
}

static void full_disk_is_an_error(void **state)
{
	_cleanup_close_ int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	_cleanup_archive_out_ struct archive_out *o = NULL;
	static char zeros[600 * 1024];
	const struct entry big = {ENTRY_FILE, "big", .size = sizeof(zeros)};
	struct err e = {0};
	int r;

	(void)state;
	o = archive_out_new(fd, "root image");
	r = archive_out_entry(o, &big, &e);
	if (r == 0)
		r = archive_out_data(o, zeros, sizeof(zeros), &e);
	assert_int_equal(r, -1);
	assert_string_equal(e.msg,
			    "root image: cannot be written: No space left on device");
}

static void names_are_normalised(void **state)
{
	static const struct {
		const char *path, *normal;
	} cases[] = {
		{"./usr//bin/x", "usr/bin/x"},
		{"/", ""},
		{"./", ""},
		{"/a/./b/", "a/b"},
		{"a/..", NULL},
		{"...", "..."},
		{"../a", NULL},
		{"a..b", "a..b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *got = archive_path_normal(cases[i].path);

		assert_int_equal(!!got, !!cases[i].normal);
		if (got)
			assert_string_equal(got, cases[i].normal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_entries_are_read_back),
		cmocka_unit_test(same_entries_give_same_bytes),
		cmocka_unit_test(a_plain_tar_is_libarchives),
		cmocka_unit_test(data_of_another_size_is_an_error),
		cmocka_unit_test(tap_gets_every_byte),
		cmocka_unit_test(full_disk_is_an_error),
		cmocka_unit_test(names_are_normalised),
	};

	return cmocka_run_group_tests_name("archive-stream", tests, NULL, NULL);
}
