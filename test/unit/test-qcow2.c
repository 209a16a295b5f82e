/* SPDX-License-Identifier: Apache-2.0 */
/* builder/common/qcow2.h: refuses a qcow2 that refers to other files, however short or
 * old its header is. */
#include "builder/common/qcow2.h"
#include "lib/file.h"
#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <cmocka.h>

#define MAGIC "QFI\xfb"

static int checked(const void *head, size_t len, struct err *e)
{
	_cleanup_close_ int fd = memfd_create("head", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, head, len), (ssize_t)len);
	assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
	*e = (struct err){0};
	int r = qcow2_check(fd, "x.qcow2", e);

	assert_int_equal(lseek(fd, 0, SEEK_CUR), 3);
	return r;
}

/* Checks the first `len` bytes of a header of 104 bytes. */
static int header(char version, char backing, char features, size_t len, struct err *e)
{
	char h[104] = MAGIC;

	h[7] = version;
	h[15] = backing;
	h[79] = features;
	return checked(h, len, e);
}

static void test_other_files_are_not_qcow2(_unused_ void **state)
{
	struct err e;

	assert_int_equal(checked("", 0, &e), 0);
	assert_int_equal(checked("QFI", 3, &e), 0);
	assert_int_equal(checked("QFI\xfa and more of it", 20, &e), 0);
}

static void test_self_contained_qcow2_is_accepted(_unused_ void **state)
{
	struct err e;

	assert_int_equal(header(3, 0, 0, 104, &e), 1);
	assert_int_equal(header(3, 0, 1 | 2 | 8 | 16, 104, &e), 1);
	/* Version 2 has other data at this offset. */
	assert_int_equal(header(2, 0, 4, 104, &e), 1);
	assert_int_equal(header(2, 0, 0, 72, &e), 1);
	assert_int_equal(header(2, 0, 0, 4, &e), 1);
}

static void test_reference_to_other_files_is_refused(_unused_ void **state)
{
	struct err e;

	for (size_t len = 16; len <= 104; len += 8) {
		assert_int_equal(header(2, 72, 0, len, &e), -1);
		assert_string_equal(
			e.msg, "x.qcow2: a qcow2 with a backing file: image refused");
	}
	assert_int_equal(header(3, 0, 4, 104, &e), -1);
	assert_string_equal(
		e.msg, "x.qcow2: a qcow2 with its data in another file: image refused");
	assert_int_equal(header(3, 0, 4 | 8, 80, &e), -1);
}

static void test_size_of_the_disk_is_read(_unused_ void **state)
{
	static const char head[32] = MAGIC "\0\0\0\3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10"
					   "\0\0\4\0\0\0\0\0";
	_cleanup_close_ int fd = memfd_create("head", MFD_CLOEXEC);
	uint64_t size = 1;
	struct err e;

	assert_int_equal(qcow2_size(fd, "x.qcow2", &size, &e), 0);
	assert_int_equal(size, 0);
	assert_int_equal(pwrite(fd, head, sizeof(head), 0), sizeof(head));
	assert_int_equal(qcow2_size(fd, "x.qcow2", &size, &e), 0);
	assert_int_equal(size, 1ULL << 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_files_are_not_qcow2),
		cmocka_unit_test(test_self_contained_qcow2_is_accepted),
		cmocka_unit_test(test_size_of_the_disk_is_read),
		cmocka_unit_test(test_reference_to_other_files_is_refused),
	};

	return cmocka_run_group_tests_name("qcow2", tests, NULL, NULL);
}
