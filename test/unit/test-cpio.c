/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/cpio.h: its archives are read again by the cpio program and by libarchive. */
#include "pxe/cpio.h"

#include "pxe/cpio-read.h"

#include "lib/run.h"
#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

static int setup(void **state)
{
	*state = make_scratch();
	return 0;
}

static int teardown(void **state)
{
	rm_rf_p((char **)state);
	return 0;
}

/* Makes an archive of a folder, a file from memory whose size is not a multiple of 4, and
 * a file from a descriptor. */
static char *archive_make(const char *dir, const char *name)
{
	_cleanup_free_ char *from = xasprintf("%s/from", dir);
	char *path = xasprintf("%s/%s", dir, name);
	_cleanup_close_ int in = -1, out = -1;
	struct err e = {0};
	struct cpio c;

	write_text(dir, "from", "content of a file, read twice\n");
	in = open(from, O_RDONLY | O_CLOEXEC);
	out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	cpio_init(&c, out, 1435622400);
	assert_int_equal(cpio_dir(&c, "rackstrap", 0755, &e), 0);
	assert_int_equal(cpio_data(&c, "rackstrap/host.cfg", 0600, "abcde", 5, &e), 0);
	assert_int_equal(cpio_data(&c, "rackstrap/empty", 0644, "", 0, &e), 0);
	assert_int_equal(cpio_file(&c, "rackstrap/root.squashfs", 0644, in, 30, &e), 0);
	assert_int_equal(cpio_end(&c, &e), 0);
	assert_int_equal(c.off % 512, 0); /* an EFI stub adds no padding */
	return path;
}

static void libarchive_reads_the_archive(void **state)
{
	static const struct {
		const char *path;
		mode_t mode;
		int64_t size;
	} want[] = {
		{"rackstrap", S_IFDIR | 0755, 0},
		{"rackstrap/host.cfg", S_IFREG | 0600, 5},
		{"rackstrap/empty", S_IFREG | 0644, 0},
		{"rackstrap/root.squashfs", S_IFREG | 0644, 30},
	};
	_cleanup_free_ char *path = archive_make(*state, "a.cpio");
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	char data[64];

	archive_read_support_format_cpio(a);
	assert_int_equal(archive_read_open_filename(a, path, 512), ARCHIVE_OK);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_OK);
		assert_string_equal(archive_entry_pathname(entry), want[i].path);
		assert_int_equal(archive_entry_mode(entry), want[i].mode);
		assert_int_equal(archive_entry_size(entry), want[i].size);
		assert_int_equal(archive_entry_mtime(entry), 1435622400);
		assert_int_equal(archive_entry_uid(entry), 0);
		assert_int_equal(archive_entry_gid(entry), 0);
		assert_int_equal(archive_entry_ino64(entry), i + 1);
		assert_int_equal(archive_entry_nlink(entry), i ? 1 : 2);
	}
	assert_int_equal(archive_read_data(a, data, sizeof(data)), 30);
	assert_memory_equal(data, "content of a file, read twice\n", 30);
	assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_EOF);
	assert_int_equal(archive_format(a), ARCHIVE_FORMAT_CPIO_SVR4_NOCRC);
	archive_read_free(a);
}

static void cpio_reads_the_archive(void **state)
{
	_cleanup_free_ char *path = archive_make(*state, "a.cpio"), *out = NULL;
	_cleanup_free_ char *file = xasprintf("--file=%s", path);
	const char *const argv[] = {"cpio",
				    "--extract",
				    "--quiet",
				    "--to-stdout",
				    file,
				    "rackstrap/host.cfg",
				    "rackstrap/root.squashfs",
				    NULL};
	struct err e = {0};

	assert_int_equal(run_capture(&(struct run){.argv = argv}, &out, NULL, &e), 0);
	assert_string_equal(out, "abcdecontent of a file, read twice\n");
}

static void same_input_gives_same_bytes(void **state)
{
	_cleanup_free_ char *a = archive_make(*state, "a.cpio");
	_cleanup_free_ char *b = archive_make(*state, "b.cpio");
	const char *const argv[] = {"cmp", a, b, NULL};
	struct err e = {0};

	assert_int_equal(run_argv(argv, &e), 0);
}

static void unfit_name_is_an_error(void **state)
{
	_cleanup_free_ char *path = archive_make(*state, "a.cpio");
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	char name[300];
	struct err e = {0};
	struct cpio c;

	cpio_init(&c, fd, 0);
	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(cpio_dir(&c, name, 0755, &e), -1);
	assert_int_equal(cpio_dir(&c, "/absolute", 0755, &e), -1);
	assert_string_equal(e.msg,
			    "cpio: the name '/absolute' is empty, absolute or too long");
	assert_int_equal(cpio_file(&c, "big", 0644, fd, 1ULL << 32, &e), -1);
	assert_string_equal(e.msg, "big has 4294967296 bytes: a cpio archive holds files "
				   "below 4 GiB");
}

static void shrunk_file_is_an_error(void **state)
{
	_cleanup_free_ char *path = archive_make(*state, "a.cpio");
	_cleanup_free_ char *from = xasprintf("%s/from", (char *)*state);
	_cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int out = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	struct err e = {0};
	struct cpio c;

	cpio_init(&c, out, 0);
	assert_int_equal(cpio_file(&c, "root", 0644, in, 31, &e), -1);
	assert_string_equal(e.msg, "root is 1 bytes too short");
}

static void full_disk_is_an_error(void **state)
{
	_cleanup_close_ int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct err e = {0};
	struct cpio c;

	(void)state;
	cpio_init(&c, full, 0);
	assert_int_equal(cpio_dir(&c, "rackstrap", 0755, &e), -1);
	assert_string_equal(e.msg, "cannot write cpio archive: No space left on device");
}

static void archive_is_read_back(void **state)
{
	_cleanup_free_ char *path = archive_make(*state, "read.cpio"), *text = NULL;
	static const struct cpio_member want[] = {
		{"rackstrap", S_IFDIR | 0755, "", 0},
		{"rackstrap/host.cfg", S_IFREG | 0600, "abcde", 5},
		{"rackstrap/empty", S_IFREG | 0644, "", 0},
		{"rackstrap/root.squashfs", S_IFREG | 0644,
		 "content of a file, read twice\n", 30},
	};
	size_t len, at = 0;
	struct cpio_member m;
	struct err e = {0};

	assert_int_equal(file_read_at(AT_FDCWD, path, 1 << 20, &text, &len), 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(cpio_next(text, len, &at, &m, &e), 1);
		assert_string_equal(m.name, want[i].name);
		assert_int_equal(m.mode, want[i].mode);
		assert_int_equal(m.len, want[i].len);
		assert_memory_equal(m.data, want[i].data, m.len);
	}
	assert_int_equal(cpio_next(text, len, &at, &m, &e), 0);
	at = 0;
	assert_int_equal(cpio_next(text, 100, &at, &m, &e), -1);
	assert_string_equal(e.msg, "is no cpio archive, or is damaged");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(libarchive_reads_the_archive, setup,
						teardown),
		cmocka_unit_test_setup_teardown(cpio_reads_the_archive, setup, teardown),
		cmocka_unit_test_setup_teardown(same_input_gives_same_bytes, setup,
						teardown),
		cmocka_unit_test_setup_teardown(unfit_name_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(shrunk_file_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(archive_is_read_back, setup, teardown),
		cmocka_unit_test(full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
