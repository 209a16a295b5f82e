/* SPDX-License-Identifier: Apache-2.0 */
/* builder/disk/disk-content.h: tells a disk's bytes from those of any other file. */
#include "builder/disk/disk-content.h"
#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint8_t head[CONTENT_HEAD];

static int setup(_unused_ void **state)
{
	memset(head, 0, sizeof(head));
	return 0;
}

static void poke(size_t at, const char *bytes, size_t len)
{
	memcpy(head + at, bytes, len);
}

/* Detects the content of `len` bytes of `head`, on which ptable_read() found `kind`. */
static struct disk_content detect(size_t len, enum ptable_kind kind)
{
	struct ptable t = {.kind = kind};
	struct disk_content c;

	disk_content_detect(&c, head, len, &t);
	assert_true((c.kind == CONTENT_DISK) == (c.what == NULL));
	return c;
}

static void expect(size_t len, enum content_kind kind, const char *what)
{
	struct disk_content c = detect(len, PTABLE_NONE);

	if (what)
		assert_string_equal(c.what, what);
	else
		assert_null(c.what);
	assert_int_equal(c.kind, kind);
}

static void test_disks_are_recognised(_unused_ void **state)
{
	assert_int_equal(detect(sizeof(head), PTABLE_GPT).kind, CONTENT_DISK);
	assert_int_equal(detect(sizeof(head), PTABLE_MBR).kind, CONTENT_DISK);
	poke(0, "\xeb\x3c\x90MSDOS5.0\0\x02", 13);
	poke(510, "\x55\xaa", 2);
	expect(sizeof(head), CONTENT_DISK, NULL);
	expect(512, CONTENT_DISK, NULL);
	assert_int_equal(detect(512, PTABLE_NONE).sector, 512);
	poke(11, "\0\x10", 2);
	assert_int_equal(detect(512, PTABLE_NONE).sector, 4096);
	poke(11, "\0\x11", 2);
	assert_int_equal(detect(512, PTABLE_NONE).sector, 0);
	expect(511, CONTENT_BARE, "data of an unknown kind");
}

static void test_iso_is_a_disk_only_with_el_torito(_unused_ void **state)
{
	struct disk_content c;

	poke(0x8000, "\1CD001\1", 7);
	poke(0x8000 + 80, "\x10\0\0\0", 4);
	poke(0x8000 + 128, "\0\x08", 2);
	poke(0x8800,
	     "\xff"
	     "CD001\1",
	     7);
	expect(sizeof(head), CONTENT_BARE, "an ISO 9660 file system without El Torito");
	poke(0x8800, "\0CD001\1EL TORITO SPECIFICATION", 30);
	c = detect(sizeof(head), PTABLE_NONE);
	assert_int_equal(c.kind, CONTENT_DISK);
	assert_int_equal(c.iso, 16 * 2048);
	/* Descriptors to the end of the head, and no terminator. */
	for (size_t at = 0x8000; at < sizeof(head); at += 2048)
		poke(at, "\1CD001\1", 7);
	expect(sizeof(head), CONTENT_BARE, "an ISO 9660 file system without El Torito");
}

/* A kernel has the signature of a boot sector, and may look like an MBR. */
static void test_kernel_is_no_disk(_unused_ void **state)
{
	poke(0, "MZ", 2);
	poke(510, "\x55\xaa\xeb\x66HdrS", 8);
	expect(4096, CONTENT_ELSE, "a Linux kernel");
	assert_int_equal(detect(4096, PTABLE_MBR).kind, CONTENT_ELSE);
	assert_int_equal(detect(4096, PTABLE_GPT).kind, CONTENT_DISK);
	setup(NULL);
	poke(0, "MZ", 2);
	poke(60, "\x80\0\0\0", 4);
	poke(128, "PE\0\0", 4);
	expect(4096, CONTENT_ELSE, "a program for UEFI or Windows");
	poke(60, "\xff\xff\xff\xff", 4);
	expect(4096, CONTENT_BARE, "data of an unknown kind");
}

static void test_files_are_named(_unused_ void **state)
{
	static const struct {
		size_t at;
		const char *bytes, *what;
		enum content_kind kind;
	} rows[] = {
		{0, "PK\3\4", "a zip archive", CONTENT_ELSE},
		{257, "ustar", "a tar archive", CONTENT_ELSE},
		{0, "KDMV", "a VMDK file", CONTENT_ELSE},
		{0, "vhdxfile", "a VHDX file", CONTENT_ELSE},
		{0, "070701", "a cpio archive, like an initrd", CONTENT_ELSE},
		{0, "!<arch>\ndebian-binary", "a Debian package", CONTENT_ELSE},
		{0, "\x50\x2a\x4d\x18", "a zstd or lz4 file that begins with other data",
		 CONTENT_ELSE},
		{0, "hsqs", "a squashfs file system", CONTENT_BARE},
		{1080, "\x53\xef", "an ext file system", CONTENT_BARE},
		{0x10040, "_BHRfS_M", "a Btrfs file system", CONTENT_BARE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(NULL);
		poke(rows[i].at, rows[i].bytes, strlen(rows[i].bytes));
		expect(sizeof(head), rows[i].kind, rows[i].what);
	}
	setup(NULL);
	expect(sizeof(head), CONTENT_BARE, "data that begins with zeros");
}

static void test_texts_are_named(_unused_ void **state)
{
	static const char sum[] =
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
		"7852b855  disk.img\n";
	static const struct {
		const char *text, *what;
	} rows[] = {
		{"root:x:0:0:root:/root:/bin/bash\n", "text"},
		{"caf\xc3\xa9\n", "text"},
		{" {\"format\": 1}\n", "JSON text"},
		{"<!DOCTYPE HTML>\n<title>404</title>", "an HTML page"},
		{"<?xml version=\"1.0\"?>", "XML text"},
		{sum, "a list of checksums"},
		{"deadbeef", "text"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		setup(NULL);
		poke(0, rows[i].text, strlen(rows[i].text));
		expect(strlen(rows[i].text), CONTENT_ELSE, rows[i].what);
	}
	poke(0, "deadbeef\0\1", 10);
	expect(10, CONTENT_BARE, "data of an unknown kind");
}

#define content_test(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		content_test(test_disks_are_recognised),
		content_test(test_iso_is_a_disk_only_with_el_torito),
		content_test(test_kernel_is_no_disk),
		content_test(test_files_are_named),
		content_test(test_texts_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
