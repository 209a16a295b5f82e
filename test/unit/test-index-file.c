/* SPDX-License-Identifier: Apache-2.0 */
/* builder/root/index-file.h: an index is read back as it was, or not at all. */
#include "builder/root/index-file.h"

#include "lib/file.h"

#include "test-tempdir.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char data[] = "\x7f"
			   "ELF\0\n\0binary";

static char *top;
static struct base base;
static struct index made;

static struct index_entry *add(const char *path, enum entry_type type, const char *target)
{
	struct index_entry *x;

	made.v = xgrow(made.v, made.n, sizeof(*made.v));
	x = &made.v[made.n++];
	*x = (struct index_entry){.path = xstrdup(path),
				  .type = type,
				  .mode = 0644,
				  .target = xstrdup(target)};
	return x;
}

static void add_data(const char *path, const char *text, size_t len)
{
	struct index_entry *x = add(path, ENTRY_FILE, NULL);

	x->size = len;
	x->text = memcpy(xcalloc(len + 1, 1), text, len);
}

static int setup(_unused_ void **state)
{
	if (tempdir_make("/tmp", "test-index-file", &top) < 0)
		return -1;
	base.dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	memcpy(base.tar.sha256, SUM, sizeof(SUM));
	add("", ENTRY_DIR, NULL);
	add_data("boot/grub.efi", data, sizeof(data) - 1);
	add_data("etc/empty", "", 0);
	add_data("etc/a\nb\tc", "text\n", 5);
	add("etc/link", ENTRY_SYMLINK, "a b");
	add("etc/hard", ENTRY_HARDLINK, "boot/grub.efi");
	add("usr/large", ENTRY_FILE, NULL)->size = 5000000000;
	index_finish(&made);
	return base.dir < 0 ? -1 : 0;
}

static int teardown(_unused_ void **state)
{
	index_done(&made);
	close(base.dir);
	rm_rf_p(&top);
	return 0;
}

static bool wants_small(const char *path, _unused_ void *unused)
{
	return !streq(path, "usr/large");
}

static bool wants_all(_unused_ const char *path, _unused_ void *unused)
{
	return true;
}

static void index_is_read_back(_unused_ void **state)
{
	_cleanup_index_ struct index x = {0};

	assert_false(index_file_read(&x, &base, wants_small, NULL));
	index_file_write(&made, &base);
	assert_true(index_file_read(&x, &base, wants_small, NULL));
	assert_int_equal(x.n, made.n);
	for (size_t i = 0; i < x.n; i++) {
		const struct index_entry *is = &x.v[i], *want = &made.v[i];

		assert_string_equal(is->path, want->path);
		assert_int_equal(is->type, want->type);
		assert_int_equal(is->mode, want->mode);
		assert_int_equal(is->size, want->size);
		assert_true(is->target ? streq(is->target, want->target) : !want->target);
		assert_int_equal(is->text != NULL, want->text != NULL);
		if (is->text)
			assert_memory_equal(is->text, want->text, is->size + 1);
	}
	assert_ptr_equal(index_find(&x, "etc/hard")->link,
			 index_find(&x, "boot/grub.efi"));
}

static void other_wishes_are_not_served(_unused_ void **state)
{
	_cleanup_index_ struct index x = {0};

	index_file_write(&made, &base);
	assert_false(index_file_read(&x, &base, wants_all, NULL));
	assert_true(index_file_read(&x, &base, NULL, NULL));
	assert_null(index_find(&x, "boot/grub.efi")->text);
}

static void other_tar_has_another_index(_unused_ void **state)
{
	_cleanup_index_ struct index x = {0};

	index_file_write(&made, &base);
	base.tar.sha256[0] ^= 1;
	assert_false(index_file_read(&x, &base, wants_small, NULL));
}

static void damaged_index_is_not_read(_unused_ void **state)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	index_file_write(&made, &base);
	assert_int_equal(file_read_at(base.dir, "index", 1 << 20, &text, &len), 0);
	for (size_t i = 0; i < len; i += 7) {
		_cleanup_index_ struct index x = {0}, y = {0};

		text[i] ^= 1;
		assert_int_equal(file_write_at(base.dir, "index", text, len, 0644), 0);
		assert_false(index_file_read(&x, &base, wants_small, NULL));
		text[i] ^= 1;
		assert_int_equal(file_write_at(base.dir, "index", text, i, 0644), 0);
		assert_false(index_file_read(&y, &base, wants_small, NULL));
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(index_is_read_back),
		CASE(other_wishes_are_not_served),
		CASE(other_tar_has_another_index),
		CASE(damaged_index_is_not_read),
	};

	return cmocka_run_group_tests_name("index-file", tests, NULL, NULL);
}
