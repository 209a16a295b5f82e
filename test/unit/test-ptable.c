/* SPDX-License-Identifier: Apache-2.0 */
/* builder/disk/ptable.h: reads partition tables made by sfdisk; reports damaged ones. */
#include "builder/disk/ptable.h"
#include "lib/file.h"
#include "lib/run.h"
#include "lib/str.h"

#include "test-tempdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#define MIB  (1024 * 1024ull)
#define SIZE (64 * MIB)

static char *dir, *path;
static int fd = -1;

static int setup(_unused_ void **state)
{
	assert_int_equal(tempdir_make("/tmp", "rackstrap-test", &dir), 0);
	path = xasprintf("%s/disk", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)SIZE), 0);
	return 0;
}

static int teardown(_unused_ void **state)
{
	close(fd);
	free(path);
	rm_rf_p(&dir);
	dir = NULL;
	return 0;
}

static void sfdisk(const char *script)
{
	const char *const argv[] = {"sfdisk",           "-q", "--no-reread",
				    "--no-tell-kernel", path, NULL};
	struct err e;

	if (run_input(argv, script, strlen(script), &e) < 0)
		fail_msg("%s", e.msg);
}

static void poke(uint64_t at, const char *bytes, size_t len)
{
	assert_int_equal(pwrite(fd, bytes, len, (off_t)at), (ssize_t)len);
}

static void test_disk_without_table_is_recognised(void **state)
{
	_cleanup_ptable_ struct ptable t = {0};
	int empty = memfd_create("empty", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ptable_read(&t, fd, SIZE), 0);
	assert_int_equal(t.kind, PTABLE_NONE);
	assert_int_equal(ptable_read(&t, empty, 0), 0);
	assert_int_equal(t.kind, PTABLE_NONE);
	close(empty);
	/* A FAT's boot sector ends like an MBR. */
	poke(0, "\xeb\x58\x90mkfs.fat", 11);
	poke(446, "This is not a bootable disk.", 28);
	poke(510, "\x55\xaa", 2);
	assert_int_equal(ptable_read(&t, fd, SIZE), 0);
	assert_int_equal(t.kind, PTABLE_NONE);
}

static void make_gpt(void)
{
	sfdisk("label: gpt\n"
	       "label-id: 12345678-9ABC-DEF0-1122-334455667788\n"
	       "size=1M, type=21686148-6449-6E6F-744E-656564454649, name=rackstrap-bios\n"
	       "size=32M, type=U, name=\"gr\xc3\xbc\xc3\x9f\xe2\x82\xac\"\n"
	       "4: type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, "
	       "uuid=aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee\n");
}

static void test_gpt_is_read(void **state)
{
	_cleanup_ptable_ struct ptable t = {0};

	(void)state;
	make_gpt();
	assert_int_equal(ptable_read(&t, fd, SIZE), 0);
	assert_int_equal(t.kind, PTABLE_GPT);
	assert_int_equal(t.sector, 512);
	assert_null(t.fault);
	assert_true(t.disk == SIZE);
	assert_string_equal(t.id, "12345678-9abc-def0-1122-334455667788");
	assert_int_equal(t.n, 3);
	assert_int_equal(t.v[0].number, 1);
	assert_true(t.v[0].start == MIB && t.v[0].size == MIB);
	assert_string_equal(t.v[0].name, "rackstrap-bios");
	assert_string_equal(t.v[0].what, "BIOS boot");
	assert_true(t.v[1].start == 2 * MIB && t.v[1].size == 32 * MIB);
	assert_string_equal(t.v[1].name, "gr\xc3\xbc\xc3\x9f\xe2\x82\xac");
	assert_string_equal(t.v[1].type, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b");
	assert_int_equal(t.v[2].number, 4);
	assert_string_equal(t.v[2].uuid, "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");
	assert_string_equal(t.v[2].name, "");
}

/* The table is the same, on a disk with large sectors. */
static void test_gpt_with_large_sectors_is_read(void **state)
{
	_cleanup_ptable_ struct ptable t = {0};
	char entries[128 * 128], header[512];

	(void)state;
	make_gpt();
	assert_int_equal(pread(fd, header, 512, 512), 512);
	assert_int_equal(pread(fd, entries, sizeof(entries), 1024), sizeof(entries));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(ftruncate(fd, (off_t)SIZE * 8), 0);
	poke(4096, header, 512);
	poke(2 * 4096, entries, sizeof(entries));
	assert_int_equal(ptable_read(&t, fd, SIZE * 8), 0);
	assert_int_equal(t.kind, PTABLE_GPT);
	assert_int_equal(t.sector, 4096);
	assert_true(t.v[0].start == 8 * MIB && t.v[0].size == 8 * MIB);
	assert_true(t.disk == SIZE * 8);
}

static void expect_fault(const char *fault)
{
	_cleanup_ptable_ struct ptable t = {0};

	assert_int_equal(ptable_read(&t, fd, SIZE), 0);
	assert_int_equal(t.kind, PTABLE_GPT);
	assert_non_null(t.fault);
	assert_string_equal(t.fault, fault);
	assert_int_equal(t.n, 0);
}

static void test_damaged_gpt_is_reported(void **state)
{
	_cleanup_ptable_ struct ptable t = {0};

	(void)state;
	make_gpt();
	poke(1024 + 128 + 40, "\x01", 1);
	expect_fault("its partition entries are damaged");
	make_gpt();
	poke(512 + 56, "xx", 2);
	expect_fault("its header is damaged");
	poke(512 + 12, "\xff\xff\xff\xff", 4); /* size of the header */
	expect_fault("its header is damaged");
	make_gpt();
	assert_int_equal(ptable_read(&t, fd, 40 * MIB), 0);
	assert_string_equal(t.fault, "a partition reaches beyond the disk's end");
}

/* A partial download has the whole size, and zeros in place of its end. */
static void test_missing_backup_is_reported(void **state)
{
	_cleanup_ptable_ struct ptable t = {0};
	char other[512], zeros[512] = {0};

	(void)state;
	make_gpt();
	assert_int_equal(ptable_read(&t, fd, SIZE), 0);
	assert_true(t.backup == SIZE - 512 && !t.backup_damaged);
	/* The file ends before: the caller compares the sizes. */
	ptable_done(&t);
	assert_int_equal(ptable_read(&t, fd, SIZE - 1), 0);
	assert_true(t.backup == SIZE - 512 && !t.backup_damaged && t.disk == SIZE);
	assert_int_equal(t.n, 3);
	/* A valid copy, but of another table. */
	assert_int_equal(pread(fd, other, 512, SIZE - 512), 512);
	sfdisk("label: gpt\ntype=L\n");
	poke(SIZE - 512, other, 512);
	ptable_done(&t);
	assert_int_equal(ptable_read(&t, fd, SIZE), 0);
	assert_true(t.backup_damaged && !t.fault && t.n == 1);
	poke(SIZE - 512, zeros, 512);
	ptable_done(&t);
	assert_int_equal(ptable_read(&t, fd, SIZE), 0);
	assert_true(t.backup_damaged && !t.fault && t.n == 1);
	/* The first table is gone as well: the MBR tells that there was one. */
	poke(512, zeros, 512);
	expect_fault("its header is missing");
}

static void test_mbr_is_read(void **state)
{
	_cleanup_ptable_ struct ptable t = {0};

	(void)state;
	sfdisk("label: dos\nlabel-id: 0xcafe0001\n"
	       "size=8M, type=c, bootable\nsize=20M, type=5\nstart=40M, type=83\n"
	       "5: size=4M, type=82\n6: size=4M, type=83\n");
	assert_int_equal(ptable_read(&t, fd, SIZE), 0);
	assert_int_equal(t.kind, PTABLE_MBR);
	assert_string_equal(t.id, "0xcafe0001");
	assert_true(t.disk == SIZE && t.backup == 0);
	assert_int_equal(t.n, 5);
	assert_string_equal(t.v[0].what, "FAT32");
	assert_true(t.v[0].start == MIB && t.v[0].size == 8 * MIB);
	assert_string_equal(t.v[1].what, "extended");
	assert_int_equal(t.v[2].number, 5);
	assert_true(t.v[2].size == 4 * MIB && t.v[2].start > 9 * MIB);
	assert_string_equal(t.v[2].what, "Linux swap");
	assert_int_equal(t.v[3].number, 6);
	assert_true(t.v[3].start > t.v[2].start);
	assert_int_equal(t.v[4].number, 3);
	assert_true(t.v[4].start == 40 * MIB);
}

/* Two extended partitions have the same two logical ones: the numbers continue. */
static void test_two_extended_partitions_are_numbered_on(void **state)
{
	static const unsigned numbers[] = {1, 5, 6, 2, 7, 8};
	_cleanup_ptable_ struct ptable t = {0};
	char entry[16];

	(void)state;
	sfdisk("label: dos\nsize=20M, type=5\n5: size=4M, type=83\n6: size=4M, "
	       "type=82\n");
	assert_int_equal(pread(fd, entry, sizeof(entry), 446), sizeof(entry));
	poke(446 + 16, entry, sizeof(entry));
	assert_int_equal(ptable_read(&t, fd, SIZE), 0);
	assert_int_equal(t.n, 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(t.v[i].number, numbers[i]);
}

/* A link without a partition has no number. */
static void test_empty_link_has_no_number(void **state)
{
	_cleanup_ptable_ struct ptable t = {0};

	(void)state;
	sfdisk("label: dos\nsize=20M, type=5\n5: size=4M, type=83\n6: size=4M, "
	       "type=82\n");
	poke(MIB + 446 + 12, "\0\0\0\0", 4); /* the count of sectors */
	assert_int_equal(ptable_read(&t, fd, SIZE), 0);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.v[1].number, 5);
	assert_string_equal(t.v[1].what, "Linux swap");
}

/* The chain of logical partitions leads back to the first one. */
static void test_loop_of_logical_partitions_ends(void **state)
{
	_cleanup_ptable_ struct ptable t = {0};

	(void)state;
	sfdisk("label: dos\nsize=20M, type=5\n5: size=4M, type=83\n");
	poke(MIB + 446 + 16, "\0\0\0\0\x05\0\0\0\0\0\0\0\x01\0\0\0", 16);
	assert_int_equal(ptable_read(&t, fd, SIZE), 0);
	assert_int_equal(t.n, 1 + 128);
}

#define disk_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		disk_test(test_disk_without_table_is_recognised),
		disk_test(test_gpt_is_read),
		disk_test(test_gpt_with_large_sectors_is_read),
		disk_test(test_damaged_gpt_is_reported),
		disk_test(test_missing_backup_is_reported),
		disk_test(test_mbr_is_read),
		disk_test(test_two_extended_partitions_are_numbered_on),
		disk_test(test_empty_link_has_no_number),
		disk_test(test_loop_of_logical_partitions_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
