/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder/image/fat.h: a FAT that is not as it was written is refused, whatever byte of
 * it was lost.
 */
#include "builder/image/fat.h"

#include "lib/file.h"
#include "lib/str.h"

#include "test-tempdir.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MIB    (1ULL << 20)
#define OFFSET MIB
#define SIZE   (40 * MIB)
#define SECTOR 512

static char *top, *image, *tree;
static char *const paths[] = {(char *)"a/b/kernel", (char *)"a/b/longer name of a file",
			      (char *)"config", NULL};
static struct fat fat = {
	.offset = OFFSET,
	.size = SIZE,
	.sector = SECTOR,
	.bits = 32,
	.label = "TEST",
	.id = 0x12345678,
	.epoch = 1435622400,
};

static void write_file(const char *path, size_t len)
{
	_cleanup_free_ char *full = xasprintf("%s/%s", tree, path);
	_cleanup_free_ char *data = xmalloc(len);

	for (size_t i = 0; i < len; i++)
		data[i] = (char)(i * 31 + (i >> 9) + 1);
	assert_int_equal(file_write_at(AT_FDCWD, full, data, len, 0644), 0);
}

static int setup(_unused_ void **state)
{
	_cleanup_free_ char *dir = NULL;
	struct err e = {0};

	if (tempdir_make("/tmp", "test-fat", &top) < 0)
		return -1;
	setenv("RACKSTRAP_CACHE", top, 1);
	image = xasprintf("%s/image", top);
	tree = xasprintf("%s/tree", top);
	dir = xasprintf("%s/a/b", tree);
	if (mkdir_p_at(AT_FDCWD, dir, 0755) < 0 ||
	    file_write_at(AT_FDCWD, image, "", 0, 0644) < 0 ||
	    truncate(image, OFFSET + SIZE + MIB) < 0)
		return -1;
	write_file(paths[0], 300000);
	write_file(paths[1], 1);
	write_file(paths[2], 5000);
	fat.image = image;
	if (fat_make(&fat, &e) < 0 || fat_copy(&fat, tree, paths, &e) < 0) {
		print_error("%s\n", e.msg);
		return -1;
	}
	return 0;
}

static int teardown(_unused_ void **state)
{
	rm_rf_p(&top);
	free(image);
	free(tree);
	return 0;
}

/* Flips a bit of the byte at `at` of the file system. */
static void flip(uint64_t at)
{
	_cleanup_close_ int fd = open(image, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_int_equal(pread(fd, &byte, 1, (off_t)(OFFSET + at)), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, (off_t)(OFFSET + at)), 1);
}

static void undamaged_fat_is_accepted(_unused_ void **state)
{
	struct err e = {0};

	if (fat_verify(&fat, tree, paths, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Microsoft's FAT specification, 1.03: FSInfo is in sector 1; the reserved sectors are
 * counted at byte 14 of the boot sector, the sectors of a FAT at byte 36. */
static void lost_writes_are_noticed(_unused_ void **state)
{
	_cleanup_close_ int fd = open(image, O_RDONLY | O_CLOEXEC);
	uint8_t boot[SECTOR];
	uint64_t first, second, root;

	assert_int_equal(pread(fd, boot, SECTOR, OFFSET), SECTOR);
	first = (uint64_t)(boot[14] | boot[15] << 8) * SECTOR;
	second = first + (uint64_t)(boot[36] | boot[37] << 8 | boot[38] << 16) * SECTOR;
	root = second + second - first;
	const struct {
		const char *what;
		uint64_t at;
	} cases[] = {
		{"the count of free clusters", SECTOR + 488},
		{"the FAT", first + 4 * 10},
		{"the second FAT", second + 4 * 10},
		{"a name in the root folder", root + 32},
		{"a cluster in the root folder", root + 32 + 26},
		{"a file's data", root + 100000},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct err e = {0};

		flip(cases[i].at);
		if (fat_verify(&fat, tree, paths, &e) == 0)
			fail_msg("%s: not noticed", cases[i].what);
		assert_non_null(strstr(e.msg, "not as it was written"));
		flip(cases[i].at);
	}
	undamaged_fat_is_accepted(state);
}

/* A folder behind the part of the file system that is copied first is no fault. */
static void folder_far_behind_is_found(_unused_ void **state)
{
	static char *const more[] = {(char *)"big", NULL};
	static char *const last[] = {(char *)"far/away", NULL};
	_cleanup_free_ char *dir = xasprintf("%s/far", tree);
	struct err e = {0};

	write_file(more[0], 20 * MIB);
	assert_int_equal(mkdir(dir, 0755), 0);
	write_file(last[0], 100);
	assert_int_equal(fat_copy(&fat, tree, more, &e), 0);
	assert_int_equal(fat_copy(&fat, tree, last, &e), 0);
	if (fat_verify(&fat, tree, last, &e) < 0)
		fail_msg("%s", e.msg);
}

static void other_content_is_noticed(_unused_ void **state)
{
	struct err e = {0};

	write_file(paths[2], 4999);
	assert_int_equal(fat_verify(&fat, tree, paths, &e), -1);
	assert_non_null(strstr(e.msg, "config is not as it was written"));
	write_file(paths[2], 5001);
	assert_int_equal(fat_verify(&fat, tree, paths, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(undamaged_fat_is_accepted),
		cmocka_unit_test(lost_writes_are_noticed),
		cmocka_unit_test(folder_far_behind_is_found),
		cmocka_unit_test(other_content_is_noticed),
	};

	return cmocka_run_group_tests_name("fat", tests, setup, teardown);
}
