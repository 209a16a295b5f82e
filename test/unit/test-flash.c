/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes an image to a disk that fails at every single operation, in every way: one
 * error, an error from then on, a power cut (of the data that was not flushed, any part
 * may be on the medium), a wrong bit, a lost write. In every case, a disk that boots
 * holds the whole image.
 */
#include "builder/common/progress.h"
#include "builder/disk/flash.h"
#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MIB         (1024 * 1024)
#define SECTOR      512
#define ODD         (4 * MIB + 3 * SECTOR) /* a disk size with a partial MiB */
#define PENDING_MAX 16

enum fault {
	NO_FAULT,
	ERROR_ONCE,
	ERROR_EVER, /* every operation from then on fails */
	CUT,        /* ERROR_EVER, and part of the data that was not flushed is lost */
	WRONG_BIT,  /* one bit of the written data is wrong */
	LOST,       /* a write that reports success and writes nothing */
};

static struct {
	uint8_t *seen, *medium; /* content that reads return; content after a power cut */
	uint64_t size;
	struct {
		uint64_t at;
		size_t len;
	} pending[PENDING_MAX];
	size_t n_pending;
	enum fault fault;
	unsigned at, op; /* index of the operation that fails; index of the current one */
	bool hit;
	unsigned seed;
} disk;

static uint8_t *image;
static uint64_t image_size, image_read;

static unsigned next_random(void)
{
	disk.seed = disk.seed * 1103515245 + 12345;
	return disk.seed >> 16;
}

/* --- the disk ----------------------------------------------------------------------- */

/* Keeps a random part of the sectors that were not flushed. */
static void lose_power(void)
{
	for (size_t i = 0; i < disk.n_pending; i++)
		for (size_t j = 0; j < disk.pending[i].len; j += SECTOR)
			if (next_random() & 1)
				memcpy(disk.medium + disk.pending[i].at + j,
				       disk.seen + disk.pending[i].at + j, SECTOR);
	disk.n_pending = 0;
	memcpy(disk.seen, disk.medium, disk.size);
}

static int fails(void)
{
	bool now = disk.op++ == disk.at;

	if (disk.fault == NO_FAULT)
		return 0;
	if (now && disk.fault == CUT)
		lose_power();
	disk.hit = disk.hit || now;
	if (now && disk.fault <= CUT)
		return -EIO;
	return disk.hit && (disk.fault == ERROR_EVER || disk.fault == CUT) ? -ENODEV : 0;
}

static int disk_write(void *data, uint64_t at, const void *buf, size_t len)
{
	bool now = disk.op == disk.at;
	int r = fails();

	assert_ptr_equal(data, &disk);
	assert_true(at % SECTOR == 0 && len % SECTOR == 0 && at + len <= disk.size);
	assert_int_equal((uintptr_t)buf % FLASH_ALIGN, 0);
	if (r < 0)
		return r;
	if (now && disk.fault == LOST)
		return 0;
	memcpy(disk.seen + at, buf, len);
	if (now && disk.fault == WRONG_BIT)
		disk.seen[at + next_random() % len] ^= 1 << next_random() % 8;
	assert_true(disk.n_pending < PENDING_MAX);
	disk.pending[disk.n_pending].at = at;
	disk.pending[disk.n_pending++].len = len;
	return 0;
}

static int disk_read(_unused_ void *data, uint64_t at, void *buf, size_t len)
{
	int r = fails();

	assert_true(at % SECTOR == 0 && len % SECTOR == 0 && at + len <= disk.size);
	assert_int_equal((uintptr_t)buf % FLASH_ALIGN, 0);
	if (r == 0)
		memcpy(buf, disk.seen + at, len);
	return r;
}

static int disk_flush(_unused_ void *data)
{
	int r = fails();

	if (r == 0) {
		memcpy(disk.medium, disk.seen, disk.size);
		disk.n_pending = 0;
	}
	return r;
}

static int image_next(_unused_ void *data, void *buf, size_t len, _unused_ struct err *e)
{
	assert_true(image_read + len <= image_size);
	memcpy(buf, image + image_read, len);
	image_read += len;
	return 0;
}

/* --- content of the disk ------------------------------------------------------------ */

static void make_bootable(uint8_t *p, uint64_t size)
{
	memcpy(p + 510, "\x55\xaa", 2);
	if (size < 3 * SECTOR)
		return;
	memcpy(p + SECTOR, "EFI PART", 8);
	memcpy(p + (size / SECTOR - 1) * SECTOR, "EFI PART", 8);
}

/* Returns whether a BIOS boots it, or firmware that reads a GPT or its backup at the
 * disk's end. */
static bool boots(const uint8_t *p)
{
	return memcmp(p + 510, "\x55\xaa", 2) == 0 ||
	       memcmp(p + SECTOR, "EFI PART", 8) == 0 ||
	       memcmp(p + (disk.size / SECTOR - 1) * SECTOR, "EFI PART", 8) == 0;
}

/* Returns whether the disk has the image, without comparing its first MiB and the disk's
 * end. */
static bool holds_body(const uint8_t *p)
{
	uint64_t end = (disk.size - MIB) / MIB * MIB;

	if (end > image_size)
		end = image_size;
	return end <= MIB || memcmp(p + MIB, image + MIB, end - MIB) == 0;
}

/* The image's check: set by a test, else NULL. */
static int (*check)(void *data, struct err *e);

static int image_has_changed(_unused_ void *data, struct err *e)
{
	assert_int_equal(image_read, image_size);
	assert_true(holds_body(disk.medium));
	assert_false(boots(disk.seen));
	return err_set(e, ERR_FAILED, "image: changed");
}

/* Makes an image that contains a MiB of zeros, and a disk that boots another system. */
static void setup(uint64_t disk_size, uint64_t size)
{
	free(disk.seen);
	free(disk.medium);
	free(image);
	memset(&disk, 0, sizeof(disk));
	disk.size = disk_size;
	disk.seed = 1;
	disk.seen = xmalloc(disk_size);
	disk.medium = xmalloc(disk_size);
	image_size = size;
	image = xmalloc(size);
	for (uint64_t i = 0; i < size; i++)
		image[i] = (uint8_t)(i * 7 + (i >> 11) + 1);
	if (size > 3 * MIB)
		memset(image + 2 * MIB, 0, MIB);
	make_bootable(image, size);
}

static void go(enum fault fault, unsigned at, bool (*stop)(void *data), int *ret,
	       struct err *e)
{
	struct flash_target t = {"disk",     disk.size, SECTOR,    &disk,
				 disk_write, disk_read, disk_flush};
	struct flash_source s = {.size = image_size, .read = image_next, .check = check};
	struct flash_stats stats;

	memset(disk.seen, 0xee, disk.size);
	make_bootable(disk.seen, disk.size);
	memcpy(disk.medium, disk.seen, disk.size);
	disk.n_pending = 0;
	disk.fault = fault;
	disk.at = at;
	disk.op = 0;
	disk.hit = false;
	image_read = 0;
	*e = (struct err){0};
	*ret = flash_run(&t, &s, stop, NULL, &stats, e);
}

/* --- tests -------------------------------------------------------------------------- */

static void test_every_byte_is_written(void **state)
{
	static const uint64_t sizes[][2] = {
		{ODD, ODD}, {ODD, 3 * MIB + 1000},  {ODD, 4 * MIB},        {ODD, 700},
		{MIB, MIB}, {MIB + 512, MIB + 512}, {2 * MIB, 2 * MIB - 1}};
	struct err e;
	int r;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		setup(sizes[i][0], sizes[i][1]);
		go(NO_FAULT, 0, NULL, &r, &e);
		assert_int_equal(r, 0);
		assert_int_equal(disk.n_pending, 0);
		assert_memory_equal(disk.medium, image, image_size);
		/* The rest of the last sector is zero. */
		for (uint64_t j = image_size; j % SECTOR != 0; j++)
			assert_int_equal(disk.medium[j], 0);
	}
}

/* The backup of the old GPT is erased; the space before it is not touched. */
static void test_space_after_the_image_is_kept(void **state)
{
	struct err e;
	int r;

	(void)state;
	setup(ODD, MIB + 100);
	go(NO_FAULT, 0, NULL, &r, &e);
	assert_int_equal(r, 0);
	assert_int_equal(disk.medium[2 * MIB], 0xee);
	for (uint64_t i = ODD - MIB; i < ODD; i++)
		assert_int_equal(disk.medium[i], 0);
}

static void test_existing_zeros_are_not_written(void **state)
{
	struct flash_target t = {"disk",     0,         SECTOR,    &disk,
				 disk_write, disk_read, disk_flush};
	struct flash_source s = {.read = image_next};
	struct flash_stats stats;
	struct err e = {0};

	(void)state;
	setup(5 * MIB, 5 * MIB);
	t.size = s.size = 5 * MIB;
	memset(disk.seen, 0, disk.size);
	image_read = 0;
	assert_int_equal(flash_run(&t, &s, NULL, NULL, &stats, &e), 0);
	assert_int_equal(stats.zero, MIB);
	assert_int_equal(stats.written, 4 * MIB);
	image_read = 0;
	memset(disk.seen, 0xff, disk.size);
	assert_int_equal(flash_run(&t, &s, NULL, NULL, &stats, &e), 0);
	assert_int_equal(stats.zero, 0);
	assert_memory_equal(disk.medium, image, image_size);
}

/* The image is asked when all of it was read and compared, and before the disk boots. */
static void test_changed_image_leaves_nothing_bootable(void **state)
{
	struct err e;
	int r;

	(void)state;
	setup(ODD, ODD);
	check = image_has_changed;
	go(NO_FAULT, 0, NULL, &r, &e);
	check = NULL;
	assert_int_equal(r, -1);
	assert_string_equal(e.msg, "image: changed; it is left with nothing that boots");
	assert_false(boots(disk.medium));
}

static void check_outcome(int r, const struct err *e, enum fault fault, unsigned at)
{
	bool still = strstr(e->msg, "what was on it may still boot"),
	     half = strstr(e->msg, "do not boot from it");

	/* The fault hit a read. A silent fault has no effect on reads, and an error has
	 * none where the read only checks whether a block is zero. */
	if (r == 0) {
		assert_true(fault == ERROR_ONCE || fault == WRONG_BIT || fault == LOST);
		assert_memory_equal(disk.medium, image, image_size);
		return;
	}
	if (boots(disk.medium) || boots(disk.seen)) {
		if (!still && !holds_body(disk.medium))
			fail_msg("fault %d at %u: it boots, and is not whole: %s", fault,
				 at, e->msg);
		/* Only a disk that does not accept writes any more may be left
		 * bootable. */
		if (!still && !half)
			fail_msg("fault %d at %u: it boots: %s", fault, at, e->msg);
	} else {
		assert_non_null(strchr(e->msg, ';'));
	}
	if (half)
		assert_true(fault == ERROR_EVER || fault == CUT);
}

static void sweep(uint64_t disk_size, uint64_t size, unsigned cuts)
{
	struct err e;
	unsigned ops, stills = 0, halves = 0;
	int r;

	setup(disk_size, size);
	go(NO_FAULT, 0, NULL, &r, &e);
	assert_int_equal(r, 0);
	ops = disk.op;
	assert_true(ops > 10);
	for (enum fault fault = ERROR_ONCE; fault <= LOST; fault++)
		for (unsigned at = 0; at < ops; at++)
			for (unsigned i = 0; i < (fault == CUT ? cuts : 1); i++) {
				disk.seed = at * 31 + i + 1;
				go(fault, at, NULL, &r, &e);
				check_outcome(r, &e, fault, at);
				stills += strstr(e.msg, "may still boot") != NULL;
				halves += strstr(e.msg, "do not boot") != NULL;
			}
	/* The sweep reached both kinds of failure. */
	assert_true(stills > 0 && halves > 0);
}

static void test_no_fault_leaves_a_partial_bootable_disk(void **state)
{
	(void)state;
	sweep(ODD, ODD, 3);
	sweep(ODD, 3 * MIB - 700, 2);
}

/* Wrong and lost writes are always found. */
static void test_silent_faults_are_found(void **state)
{
	static const enum fault silent[] = {WRONG_BIT, LOST};
	unsigned ops, writes = 0;
	struct err e;
	int r;

	(void)state;
	setup(ODD, ODD);
	go(NO_FAULT, 0, NULL, &r, &e);
	ops = disk.op;
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		for (unsigned at = 0; at < ops; at++) {
			go(silent[i], at, NULL, &r, &e);
			if (r == 0) { /* the operation was not a write */
				assert_memory_equal(disk.medium, image, image_size);
				continue;
			}
			writes++;
			assert_true(
				str_ends(e.msg, "it is left with nothing that boots") ||
				strstr(e.msg, "does not store what is written to it"));
		}
	/* 3 MiB are cleared first, 2 are written, then those 3 last. */
	assert_int_equal(writes, 2 * (3 + 2 + 3));
}

static void test_errors_say_what_is_left(void **state)
{
	struct err e;
	int r;

	(void)state;
	setup(ODD, ODD);
	go(ERROR_EVER, 0, NULL, &r, &e);
	assert_string_equal(e.msg,
			    "disk: cannot be written at byte 0: Input/output error; "
			    "its boot sector could not be cleared: what was on it "
			    "may still boot");
	go(LOST, 0, NULL, &r, &e);
	assert_string_equal(e.msg,
			    "disk: does not store what is written to it: it is write "
			    "protected, or worn out; its boot sector could not be "
			    "cleared: what was on it may still boot");
	go(WRONG_BIT, 7, NULL, &r, &e);
	assert_string_equal(e.msg,
			    "disk: the MiB at byte 1048576 is not what was written "
			    "there: the disk is damaged, or smaller than it "
			    "reports; it is left with nothing that boots");
	setup(MIB, MIB + 1);
	go(NO_FAULT, 0, NULL, &r, &e);
	assert_string_equal(e.msg, "disk: has 1048576 bytes, the image has 1048577");
	assert_true(boots(disk.seen));
}

static unsigned stop_after;
static bool stop(void *data)
{
	(void)data;
	return stop_after-- == 0;
}

static void test_interruption_leaves_nothing_bootable(void **state)
{
	unsigned n = 0;
	struct err e;
	int r;

	(void)state;
	setup(ODD, ODD);
	for (;; n++) {
		stop_after = n;
		go(NO_FAULT, 0, stop, &r, &e);
		if (r == 0)
			break;
		assert_string_equal(e.msg, "disk: interrupted when it was partly "
					   "written; it is left with nothing "
					   "that boots");
		assert_false(boots(disk.seen));
	}
	assert_true(n > 5);
}

static void test_meter_shows_rate_and_rest(void **state)
{
	struct meter m = {.what = "writing", .total = 1000 * 1024};
	char text[METER_LEN];

	(void)state;
	assert_string_equal(meter_text(&m, 0, 0, text),
			    "writing: 0 B of 1000.0 KiB (0 %)");
	assert_string_equal(meter_text(&m, 250 * 1024, 2000, text),
			    "writing: 250.0 KiB of 1000.0 KiB (25 %), 125.0 KiB/s, 0:06 "
			    "left");
	assert_string_equal(
		meter_text(&m, 1024, 1000, text),
		"writing: 1.0 KiB of 1000.0 KiB (0 %), 1.0 KiB/s, 16:39 left");
	assert_string_equal(
		meter_text(&m, 1000 * 1024, 4000, text),
		"writing: 1000.0 KiB of 1000.0 KiB (100 %), 250.0 KiB/s, 0:00 "
		"left");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte_is_written),
		cmocka_unit_test(test_space_after_the_image_is_kept),
		cmocka_unit_test(test_existing_zeros_are_not_written),
		cmocka_unit_test(test_no_fault_leaves_a_partial_bootable_disk),
		cmocka_unit_test(test_silent_faults_are_found),
		cmocka_unit_test(test_errors_say_what_is_left),
		cmocka_unit_test(test_interruption_leaves_nothing_bootable),
		cmocka_unit_test(test_changed_image_leaves_nothing_bootable),
		cmocka_unit_test(test_meter_shows_rate_and_rest),
	};
	int r = cmocka_run_group_tests(tests, NULL, NULL);

	free(disk.seen);
	free(disk.medium);
	free(image);
	return r;
}
