/* SPDX-License-Identifier: Apache-2.0 */
/* builder/common/disk-layout.h: sizes and offsets, and the GUIDs that are derived from
 * the content. */
#include "builder/common/disk-layout.h"
#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MIB (1ULL << 20)

static void assert_sound(const struct disk_layout *l, uint64_t parts)
{
	uint64_t end = MIB; /* MBR and GPT */

	for (size_t i = 0; i < DISK_PARTS; i++) {
		assert_int_equal(l->part[i].start, end);
		assert_int_equal(l->part[i].size % MIB, 0);
		assert_true(l->part[i].size > 0);
		end = l->part[i].start + l->part[i].size;
	}
	assert_int_equal(l->size, end + MIB); /* the backup GPT */
	assert_true(l->slot >= parts);
	/* two slots fit; clusters for FAT32 with sectors of 4096 bytes */
	assert_true(l->part[DISK_BOOT].size >= 2 * l->slot + 32 * MIB);
	assert_true(l->part[DISK_BOOT].size / 4096 > 65525 + 1024);
}

static void test_sizes_fit_the_parts(_unused_ void **state)
{
	static const uint64_t sizes[] = {
		0, 1, MIB - 1, MIB, 150 * MIB, 300 * MIB + 7, 4096 * MIB, 32768 * MIB};
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (uint32_t sector = 512; sector <= 4096; sector *= 8) {
			struct disk_layout l;

			assert_int_equal(disk_layout_make(&l, sector, sizes[i], 0, &e),
					 0);
			assert_int_equal(l.sector, sector);
			assert_sound(&l, sizes[i]);
			assert_true(l.slot >= sizes[i] + sizes[i] / 4);
		}
}

static void test_slot_size_is_checked(_unused_ void **state)
{
	struct disk_layout l;
	struct err e = {0};

	assert_int_equal(disk_layout_make(&l, 512, 100 * MIB, 200 * MIB - 1, &e), 0);
	assert_int_equal(l.slot, 200 * MIB);
	assert_sound(&l, 100 * MIB);
	assert_int_equal(disk_layout_make(&l, 512, 100 * MIB, 100 * MIB, &e), 0);
	assert_int_equal(disk_layout_make(&l, 512, 100 * MIB + 1, 100 * MIB, &e), -1);
	assert_int_equal(e.code, ERR_CONFIG);
	assert_string_equal(e.msg, "slot_size: 100 MiB are too few for kernel, initrd "
				   "and root: 101 MiB");
	assert_int_equal(disk_layout_make(&l, 512, 1, 33ULL << 30, &e), -1);
	assert_int_equal(disk_layout_make(&l, 512, UINT64_MAX, 0, &e), -1);
	assert_string_equal(e.msg, "a slot has at most 32 GiB");
}

static void test_guid_comes_from_the_digest(_unused_ void **state)
{
	char a[DISK_GUID_LEN], b[DISK_GUID_LEN], digest[65];

	memset(digest, '0', 64);
	digest[64] = '\0';
	/* digest of "rackstrap disk 000..." with version 8 and variant 10 set */
	disk_guid(digest, "disk", a);
	assert_string_equal(a, "09AD7230-C351-89E5-85CC-9D4F4244E9E8");
	assert_int_equal(disk_volume_id(a), 0x09ad7230);
	disk_guid(digest, "disk", b);
	assert_string_equal(a, b);
	disk_guid(digest, "iso", b);
	assert_string_not_equal(a, b);
	digest[63] = '1';
	disk_guid(digest, "disk", b);
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_fit_the_parts),
		cmocka_unit_test(test_slot_size_is_checked),
		cmocka_unit_test(test_guid_comes_from_the_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
