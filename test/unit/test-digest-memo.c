/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/digest-memo.h: a digest is remembered for an unchanged file only. A stamp is made
 * firm by hand where the test would otherwise wait.
 */
#include "lib/digest-memo.h"

#include "lib/file.h"
#include "lib/str.h"

#include "test-tempdir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#define DIGESTS "sha256 0123"

static char *top;
static int dir, fd;

static int setup(_unused_ void **state)
{
	if (tempdir_make("/tmp", "test-digest-memo", &top) < 0)
		return -1;
	dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (file_write_at(dir, "file", "content", 7, 0644) < 0)
		return -1;
	fd = openat(dir, "file", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -1 : 0;
}

static int teardown(_unused_ void **state)
{
	close(fd);
	close(dir);
	rm_rf_p(&top);
	return 0;
}

static void remember(void)
{
	struct digest_stamp stamp;

	assert_int_equal(digest_stamp_take(&stamp, fd), 0);
	stamp.firm = true;
	digest_memo_write(dir, "memo", fd, &stamp, DIGESTS);
}

static bool is_remembered(void)
{
	_cleanup_free_ char *is = digest_memo_read(dir, "memo", fd);

	assert_true(!is || streq(is, DIGESTS));
	return is;
}

static void unchanged_file_is_remembered(_unused_ void **state)
{
	assert_false(is_remembered());
	remember();
	assert_true(is_remembered());
}

/* Changes the file's times until ctime is no whole millisecond, and is younger than the
 * clock's resolution. */
static void make_fresh(struct digest_stamp *stamp)
{
	do {
		assert_int_equal(futimens(fd, NULL), 0);
		assert_int_equal(digest_stamp_take(stamp, fd), 0);
	} while (stamp->firm || stamp->st.st_ctim.tv_nsec % 1000000 == 0);
}

/* A change right after the digest could have the same times. */
static void fresh_file_is_not_remembered(_unused_ void **state)
{
	struct digest_stamp stamp;

	make_fresh(&stamp);
	digest_memo_write(dir, "memo", fd, &stamp, DIGESTS);
	assert_false(is_remembered());
}

/* The temporary folder is on a local file system. */
static void stamp_is_waited_for(_unused_ void **state)
{
	struct digest_stamp stamp;

	make_fresh(&stamp);
	assert_int_equal(digest_stamp_wait(&stamp, fd), 0);
	assert_true(stamp.firm);
	digest_memo_write(dir, "memo", fd, &stamp, DIGESTS);
	assert_true(is_remembered());
}

/* The time now, and the ctime of every file, if they are set. The Makefile wraps both
 * functions. */
static struct timespec fixed_now, fixed_ctime;

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	int r = __real_clock_gettime(clock, t);

	if (fixed_now.tv_sec)
		*t = fixed_now;
	return r;
}

int __real_fstat64(int file, struct stat *st);
int __wrap_fstat64(int file, struct stat *st);
int __wrap_fstat64(int file, struct stat *st)
{
	int r = __real_fstat64(file, st);

	if (fixed_now.tv_sec)
		st->st_ctim = fixed_ctime;
	return r;
}

/* One in a thousand times is of whole microseconds by chance. */
static void age_follows_from_the_resolution_of_times(_unused_ void **state)
{
	static const struct {
		long ctime_ns;
		bool firm;
	} cases[] = {
		{470123456, true},  {470123000, true},  {470000001, true},
		{470000000, false}, {490123456, false}, {0, false},
	};
	struct digest_stamp stamp;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r;

		fixed_now = (struct timespec){.tv_sec = 7, .tv_nsec = 500000000};
		fixed_ctime =
			(struct timespec){.tv_sec = 7, .tv_nsec = cases[i].ctime_ns};
		r = digest_stamp_take(&stamp, fd);
		fixed_now.tv_sec = 0;
		assert_int_equal(r, 0);
		if (stamp.firm != cases[i].firm)
			fail_msg("ctime %ld ns: firm %d", cases[i].ctime_ns, stamp.firm);
	}
}

static void old_file_is_firm(_unused_ void **state)
{
	_cleanup_close_ int old = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	struct digest_stamp stamp;

	assert_int_equal(digest_stamp_take(&stamp, old), 0);
	assert_true(stamp.firm);
}

/* Size and mtime can be restored, ctime cannot. */
static void restored_times_do_not_help(_unused_ void **state)
{
	struct stat st;

	remember();
	assert_int_equal(fstat(fd, &st), 0);
	do {
		const struct timespec times[2] = {st.st_atim, st.st_mtim};
		struct stat now;

		assert_int_equal(pwrite(fd, "Content", 7, 0), 7);
		assert_int_equal(futimens(fd, times), 0);
		assert_int_equal(fstat(fd, &now), 0);
		assert_int_equal(now.st_size, st.st_size);
		assert_int_equal(now.st_mtim.tv_nsec, st.st_mtim.tv_nsec);
		if (now.st_ctim.tv_nsec != st.st_ctim.tv_nsec)
			break;
	} while (1); /* within one tick of the clock: this is what two seconds are for */
	assert_false(is_remembered());
}

static void other_file_is_not_remembered(_unused_ void **state)
{
	remember();
	close(fd);
	assert_int_equal(file_write_at(dir, "file", "content", 7, 0644), 0);
	fd = openat(dir, "file", O_RDWR | O_CLOEXEC);
	assert_false(is_remembered());
}

static void change_while_reading_is_noticed(_unused_ void **state)
{
	struct digest_stamp stamp;

	assert_int_equal(digest_stamp_take(&stamp, fd), 0);
	stamp.firm = true;
	assert_true(digest_stamp_holds(&stamp, fd));
	assert_int_equal(pwrite(fd, "contents", 8, 0), 8);
	assert_false(digest_stamp_holds(&stamp, fd));
	digest_memo_write(dir, "memo", fd, &stamp, DIGESTS);
	assert_false(is_remembered());
}

static void damaged_memo_does_not_count(_unused_ void **state)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	remember();
	assert_int_equal(file_read_at(dir, "memo", 4096, &text, &len), 0);
	for (size_t i = 0; i < len; i++) {
		bool digest = i >= len - strlen(DIGESTS) - 1 && i < len - 1;
		_cleanup_free_ char *is = NULL;

		text[i] ^= 1;
		assert_int_equal(file_write_at(dir, "memo", text, len, 0644), 0);
		is = digest_memo_read(dir, "memo", fd);
		/* A wrong digest is returned, and compared by the caller. */
		assert_true(digest ? is && !streq(is, DIGESTS) : !is);
		text[i] ^= 1;
		assert_int_equal(file_write_at(dir, "memo", text, i, 0644), 0);
		assert_null(digest_memo_read(dir, "memo", fd));
	}
}

static void memo_may_be_anything(_unused_ void **state)
{
	assert_int_equal(mkfifoat(dir, "memo", 0644), 0);
	assert_false(is_remembered());
	remember();
	assert_false(is_remembered());
	assert_int_equal(unlinkat(dir, "memo", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", dir, "memo"), 0);
	assert_false(is_remembered());
	remember();
	assert_false(is_remembered());
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(unchanged_file_is_remembered),
		CASE(fresh_file_is_not_remembered),
		CASE(stamp_is_waited_for),
		CASE(age_follows_from_the_resolution_of_times),
		CASE(old_file_is_firm),
		CASE(restored_times_do_not_help),
		CASE(other_file_is_not_remembered),
		CASE(change_while_reading_is_noticed),
		CASE(damaged_memo_does_not_count),
		CASE(memo_may_be_anything),
	};

	return cmocka_run_group_tests_name("digest-memo", tests, NULL, NULL);
}
