/* SPDX-License-Identifier: Apache-2.0 */
/* lib/known-digest.h: a file is read again if it changed, and else only where it must. */
#include "lib/known-digest.h"

#include "lib/dir.h"
#include "lib/file.h"
#include "lib/str.h"

#include "test-tempdir.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SIZE (512 * 1024)

static char *top;
static int fd;
static struct known_digests known;
static unsigned reads;

/* Writes the first byte of the range as its digest. Returns 0 or -errno. */
static int count(int file, uint64_t offset, _unused_ uint64_t len,
		 char out[static KNOWN_DIGEST_LEN])
{
	unsigned char byte;

	reads++;
	if (pread(file, &byte, 1, (off_t)offset) != 1)
		return -ENODATA;
	snprintf(out, KNOWN_DIGEST_LEN, "%064x", byte);
	return 0;
}

static int setup(_unused_ void **state)
{
	_cleanup_free_ char *text = xcalloc(1, SIZE);
	_cleanup_free_ char *path = NULL;

	if (tempdir_make("/tmp", "test-known-digest", &top) < 0)
		return -1;
	path = xasprintf("%s/file", top);
	if (file_write_at(AT_FDCWD, path, text, SIZE, 0644) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CLOEXEC);
	known = (struct known_digests){.digest = count};
	known.fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	reads = 0;
	return fd < 0 || known.fd < 0 ? -1 : 0;
}

static int teardown(_unused_ void **state)
{
	close(fd);
	if (known.fd >= 0)
		close(known.fd);
	rm_rf_p(&top);
	return 0;
}

/* Returns the value of the first byte. */
static int digest(void)
{
	char sha256[KNOWN_DIGEST_LEN];
	uint64_t size;

	assert_int_equal(known_digest_file(&known, fd, sha256, &size), 0);
	assert_int_equal(size, SIZE);
	return (int)strtol(sha256, NULL, 16);
}

static void large_file_is_read_once(_unused_ void **state)
{
	assert_int_equal(digest(), 0);
	assert_int_equal(digest(), 0);
	assert_int_equal(reads, 1);
}

static void changed_file_is_read_again(_unused_ void **state)
{
	struct stat st;

	assert_int_equal(digest(), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pwrite(fd, "\7", 1, 0), 1);
	assert_int_equal(futimens(fd, (const struct timespec[2]){st.st_atim, st.st_mtim}),
			 0);
	assert_int_equal(digest(), 7);
	assert_int_equal(digest(), 7);
	assert_int_equal(reads, 2);
}

static void ranges_are_told_apart(_unused_ void **state)
{
	char sha256[KNOWN_DIGEST_LEN];

	assert_int_equal(pwrite(fd, "\7", 1, 1), 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(digest(), 0);
		assert_int_equal(known_digest(&known, fd, 1, SIZE - 1, sha256), 0);
		assert_true(str_ends(sha256, "7"));
	}
	assert_int_equal(reads, 2);
}

static void small_file_is_read_always(_unused_ void **state)
{
	char sha256[KNOWN_DIGEST_LEN];

	assert_int_equal(known_digest(&known, fd, 0, 4096, sha256), 0);
	assert_int_equal(known_digest(&known, fd, 0, 4096, sha256), 0);
	assert_int_equal(reads, 2);
}

static void verify_reads_always(_unused_ void **state)
{
	known.verify = true;
	assert_int_equal(digest(), 0);
	assert_int_equal(digest(), 0);
	assert_int_equal(reads, 2);
	known.verify = false;
	assert_int_equal(digest(), 0);
	assert_int_equal(reads, 2);
}

static void works_without_a_folder(_unused_ void **state)
{
	close(known.fd);
	known.fd = -1;
	assert_int_equal(digest(), 0);
	assert_int_equal(digest(), 0);
	assert_int_equal(reads, 2);
}

/* Nothing can be written to it. */
static void works_with_a_folder_of_no_use(_unused_ void **state)
{
	close(known.fd);
	known.fd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(digest(), 0);
	assert_int_equal(digest(), 0);
	assert_int_equal(reads, 2);
}

static void error_is_returned(_unused_ void **state)
{
	char sha256[KNOWN_DIGEST_LEN];

	assert_int_equal(known_digest(&known, fd, SIZE, SIZE, sha256), -ENODATA);
}

/* Sets the times of all memos to 1970. Returns how many memos had a later one. */
static unsigned age_memos(void)
{
	static const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	_cleanup_strv_ char **names = NULL;
	unsigned n = 0;

	assert_int_equal(dir_names_at(known.fd, ".", &names), 0);
	for (size_t i = 0; names[i]; i++) {
		struct stat st;

		if (streq(names[i], "file"))
			continue;
		assert_int_equal(fstatat(known.fd, names[i], &st, 0), 0);
		n += st.st_mtime > 1;
		assert_int_equal(utimensat(known.fd, names[i], long_ago, 0), 0);
	}
	return n;
}

/* `rackstrap cache prune` removes those that were not used for long. */
static void memo_has_the_time_of_its_last_use(_unused_ void **state)
{
	assert_int_equal(digest(), 0);
	assert_int_equal(age_memos(), 1);
	assert_int_equal(age_memos(), 0);
	assert_int_equal(digest(), 0);
	assert_int_equal(age_memos(), 1);
	assert_int_equal(reads, 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(large_file_is_read_once),
		CASE(changed_file_is_read_again),
		CASE(ranges_are_told_apart),
		CASE(small_file_is_read_always),
		CASE(verify_reads_always),
		CASE(works_without_a_folder),
		CASE(works_with_a_folder_of_no_use),
		CASE(error_is_returned),
		CASE(memo_has_the_time_of_its_last_use),
	};

	return cmocka_run_group_tests_name("known-digest", tests, NULL, NULL);
}
