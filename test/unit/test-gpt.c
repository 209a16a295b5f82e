/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gpt_write() writes the bytes that sfdisk(8), or fdisk(8) for sectors of 4096 bytes,
 * writes for the same script, and reports an error instead of leaving no table.
 */
#include "builder/common/digest.h"
#include "builder/image/gpt.h"
#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#include "test-tempdir.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MIB    (1024 * 1024u)
#define SHA256 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char *dir;

static int setup(_unused_ void **state)
{
	assert_int_equal(tempdir_make("/tmp", "rackstrap-test", &dir), 0);
	return 0;
}

static int teardown(_unused_ void **state)
{
	rm_rf_p(&dir);
	dir = NULL;
	return 0;
}

static struct disk_layout layout(uint32_t sector)
{
	struct disk_layout l;
	struct err e;

	if (disk_layout_make(&l, sector, 100 * MIB, 0, &e) < 0)
		fail_msg("%s", e.msg);
	return l;
}

/* Returns the path of a new sparse file of `size` zero bytes. */
static char *make_image(const char *name, uint64_t size)
{
	char *path = xasprintf("%s/%s", dir, name);
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return path;
}

/* Reads the first and the last MiB, which contain the whole GPT. */
static void read_ends(const char *path, uint64_t size, char *ends)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_int_equal(pread(fd, ends, MIB, 0), MIB);
	assert_int_equal(pread(fd, ends + MIB, MIB, (off_t)(size - MIB)), MIB);
	/* nothing else was written */
	assert_true(st.st_blocks * 512 <= 2 * MIB);
}

static char *script(const struct disk_layout *l)
{
	_cleanup_buf_ struct buf b = {0};
	char guid[DISK_GUID_LEN];

	disk_guid(SHA256, "disk", guid);
	buf_printf(&b, "label: gpt\nlabel-id: %s\nunit: sectors\nfirst-lba: %u\n", guid,
		   MIB / l->sector);
	for (size_t i = 0; i < DISK_PARTS; i++) {
		disk_guid(SHA256, disk_part_types[i].name, guid);
		buf_printf(&b,
			   "start=%" PRIu64 ", size=%" PRIu64
			   ", type=%s, uuid=%s, name=\"%s\"\n",
			   l->part[i].start / l->sector, l->part[i].size / l->sector,
			   disk_part_types[i].type, guid, disk_part_types[i].name);
	}
	return buf_take(&b);
}

static void by_sfdisk(const char *image, const char *text)
{
	const char *const argv[] = {
		"sfdisk", "--quiet", "--no-reread", "--no-tell-kernel",
		"--wipe", "never",   image,         NULL};
	struct err e;

	if (run_input(argv, text, strlen(text), &e) < 0)
		fail_msg("%s", e.msg);
}

/* Writes the table with fdisk's dialogue, which loads the script from a file. */
static void by_fdisk(const char *image, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/script", dir), *said = NULL;
	_cleanup_free_ char *input = xasprintf("%s/input", dir);
	_cleanup_free_ char *typed = xasprintf("g\nI\n%s\nw\n", path);
	const char *const argv[] = {"fdisk",  "--noauto-pt", "--sector-size", "4096",
				    "--wipe", "never",       image,           NULL};
	struct run r = {.argv = argv};
	_cleanup_close_ int fd = -1;
	struct err e;

	assert_int_equal(file_write_at(AT_FDCWD, path, text, strlen(text), 0600), 0);
	assert_int_equal(file_write_at(AT_FDCWD, input, typed, strlen(typed), 0600), 0);
	fd = open(input, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	r.in = fd;
	if (run_capture(&r, &said, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

static void check_bytes(uint32_t sector, const char *digest)
{
	struct disk_layout l = layout(sector);
	_cleanup_free_ char *ours = make_image("ours", l.size);
	_cleanup_free_ char *theirs = make_image("theirs", l.size);
	_cleanup_free_ char *text = script(&l);
	char *a = xmalloc(2 * MIB), *b = xmalloc(2 * MIB), hex[DIGEST_HEX_MAX];
	struct err e;

	if (gpt_write(ours, &l, SHA256, &e) < 0)
		fail_msg("%s", e.msg);
	if (sector == 512)
		by_sfdisk(theirs, text);
	else
		by_fdisk(theirs, text);
	read_ends(ours, l.size, a);
	read_ends(theirs, l.size, b);
	assert_memory_equal(a, b, 2 * MIB);
	assert_memory_equal(a + sector, "EFI PART", 8);
	digest_text(DIGEST_SHA256, a, 2 * MIB, hex);
	assert_string_equal(hex, digest);
	free(a);
	free(b);
}

static void test_small_sectors_match_sfdisk(_unused_ void **state)
{
	check_bytes(512,
		    "0110b3b4f6a40fe90dafc409bae9fa66b343dd8e614ace94723e0c1b188851dd");
}

static void test_large_sectors_match_fdisk(_unused_ void **state)
{
	check_bytes(4096,
		    "04082dd9174378e57f711cd9741736c6a2ec6ffc12015363850e192e356f8ba8");
}

static void test_boot_code_is_kept(_unused_ void **state)
{
	struct disk_layout l = layout(4096);
	_cleanup_free_ char *path = make_image("image", l.size);
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	char code[440], now[sizeof(code)];
	struct err e;

	memset(code, 'x', sizeof(code));
	assert_int_equal(pwrite(fd, code, sizeof(code), 0), sizeof(code));
	assert_int_equal(gpt_write(path, &l, SHA256, &e), 0);
	assert_int_equal(pread(fd, now, sizeof(now), 0), sizeof(now));
	assert_memory_equal(now, code, sizeof(code));
}

/* fdisk(8) exits with 0 when the table does not fit. */
static void test_errors_are_reported(_unused_ void **state)
{
	struct disk_layout l = layout(512);
	_cleanup_free_ char *path = make_image("image", l.size - 2 * MIB);
	_cleanup_free_ char *absent = xasprintf("%s/absent", dir);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char magic[8];
	struct err e;

	assert_int_equal(gpt_write(path, &l, SHA256, &e), -1);
	assert_non_null(strstr(e.msg, "/image: cannot write the GPT: "));
	assert_non_null(strstr(e.msg, "593919 is requested"));
	assert_int_equal(pread(fd, magic, 8, 512), 8);
	assert_memory_equal(magic, "\0\0\0\0\0\0\0\0", 8);
	assert_int_equal(gpt_write(absent, &l, SHA256, &e), -1);
	assert_non_null(strstr(e.msg, "/absent: cannot write the GPT: No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_small_sectors_match_sfdisk, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_large_sectors_match_fdisk, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_boot_code_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_errors_are_reported, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
