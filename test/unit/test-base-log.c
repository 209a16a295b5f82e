/* SPDX-License-Identifier: Apache-2.0 */
/* The progress of a base, read from the messages of the programs that make it. */
#include "builder/base/base-log.h"
#include "lib/file.h"
#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

static void progress(struct base_log *l, const char *line, const char *want)
{
	_cleanup_free_ char *got = base_log_progress(l, line);

	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
}

static void test_packages_are_counted(void **state)
{
	struct base_log l = {.packages = 2};

	(void)state;
	progress(&l, "Preparing to unpack .../libc6_2.36_amd64.deb ...", NULL);
	progress(&l, "Unpacking libc6:amd64 (2.36) ...",
		 "package 1 of 2, unpacking libc6:amd64");
	progress(&l, "Unpacking tool (1) ...", "package 2 of 2, unpacking tool");
	progress(&l, "Setting up tool (1) ...", "package 1 of 2, setting up tool");
	/* More packages than there are: the base's programs may print such lines too. */
	progress(&l, "Unpacking more (1) ...", "unpacking more");
	progress(&l, "I: cleaning package lists and apt cache...",
		 "cleaning package lists and apt cache...");
	progress(&l, "update-initramfs: Generating /boot/initrd.img-6.1",
		 "update-initramfs: Generating /boot/initrd.img-6.1");
	progress(&l, "Unpacking", NULL);
	l = (struct base_log){0};
	progress(&l, "Unpacking x", "unpacking x");
}

static char *text_of(int fd)
{
	char *text = xcalloc(1 << 17, 1);

	assert_true(pread(fd, text, (1 << 17) - 1, 0) >= 0);
	return text;
}

static void add(int fd, const char *text)
{
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

static void test_the_copy_is_harmless(void **state)
{
	_cleanup_close_ int raw = memfd_create("raw", MFD_CLOEXEC);
	_cleanup_close_ int copy = memfd_create("copy", MFD_CLOEXEC);
	struct base_log l = {.raw = raw, .copy = copy};
	_cleanup_free_ char *begin = NULL, *all = NULL;

	(void)state;
	add(raw, "one\nGet https://user:secret@host/x\ntwo \033[2J\r50%\rand ha");
	base_log_follow(&l);
	begin = text_of(copy);
	assert_string_equal(begin, "one\nGet https://host/x\ntwo ?[2J\n50%\n");
	add(raw, "lf\nUnpacking tool (1) ...\n");
	base_log_follow(&l);
	base_log_follow(&l);
	all = text_of(copy);
	assert_string_equal(all + strlen(begin), "and half\nUnpacking tool (1) ...\n");
	assert_int_equal(l.unpacked, 1);
}

static void test_a_line_without_end_is_split(void **state)
{
	_cleanup_close_ int raw = memfd_create("raw", MFD_CLOEXEC);
	_cleanup_close_ int copy = memfd_create("copy", MFD_CLOEXEC);
	struct base_log l = {.raw = raw, .copy = copy};
	_cleanup_free_ char *all = NULL;
	char long_line[40001];

	(void)state;
	for (size_t i = 0; i < sizeof(long_line) - 1; i++)
		long_line[i] = i % 100 ? 'x' : ' ';
	long_line[sizeof(long_line) - 1] = '\0';
	add(raw, long_line);
	base_log_follow(&l);
	all = text_of(copy);
	assert_true(strlen(all) > 30000);
}

/* A word longer than what is read at once is left out: it may be part of a URL. */
static void test_a_long_word_is_left_out(void **state)
{
	_cleanup_close_ int raw = memfd_create("raw", MFD_CLOEXEC);
	_cleanup_close_ int copy = memfd_create("copy", MFD_CLOEXEC);
	struct base_log l = {.raw = raw, .copy = copy};
	_cleanup_free_ char *all = NULL;
	char fill[40001];

	(void)state;
	memset(fill, 'x', sizeof(fill) - 1);
	fill[sizeof(fill) - 1] = '\0';
	add(raw, "begin http://user:");
	add(raw, fill);
	base_log_follow(&l);
	add(raw, "secret@host/ end\nnext\n");
	base_log_follow(&l);
	all = text_of(copy);
	assert_string_equal(all, "begin \n...\n end\nnext\n");
}

static void test_a_long_line_keeps_no_password(void **state)
{
	(void)state;
	for (int at = 16384 - 32; at < 16384; at++) {
		_cleanup_close_ int raw = memfd_create("raw", MFD_CLOEXEC);
		_cleanup_close_ int copy = memfd_create("copy", MFD_CLOEXEC);
		struct base_log l = {.raw = raw, .copy = copy};
		_cleanup_free_ char *all = NULL, *line = NULL;

		line = xasprintf("%0*d http://user:first/second@host/ end\n", at, 0);
		add(raw, line);
		base_log_follow(&l);
		all = text_of(copy);
		assert_non_null(strstr(all, "http://host/"));
		assert_null(strstr(all, "first"));
		assert_null(strstr(all, "second"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packages_are_counted),
		cmocka_unit_test(test_the_copy_is_harmless),
		cmocka_unit_test(test_a_line_without_end_is_split),
		cmocka_unit_test(test_a_long_word_is_left_out),
		cmocka_unit_test(test_a_long_line_keeps_no_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
