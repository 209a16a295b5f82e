/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/image.h: valid and invalid manifests. */
#include "pxe/image.h"

#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int setup(void **state)
{
	*state = make_scratch();
	return 0;
}

static int teardown(void **state)
{
	rm_rf_p((char **)state);
	return 0;
}

static void valid_image_is_read(void **state)
{
	_cleanup_free_ char *dir = image_make(*state);
	_cleanup_image_ struct image i = {0};
	struct err e = {0};

	assert_int_equal(image_open(&i, dir, &e), 0);
	assert_string_equal(i.name, "tiny");
	assert_string_equal(i.cmdline, "net.ifnames=0 quiet");
	assert_string_equal(i.root_sha256, SHA_OF("89ab"));
	assert_int_equal(i.initrd_size, strlen(INITRD_TEXT));
	assert_int_equal(i.epoch, 1435622400);
	assert_true(strv_has(i.standins, "kubelet"));
	assert_int_equal(i.roles.n, 2);
	assert_true(role_has(roles_find(&i.roles, "master"), FEATURE_KUBERNETES_MASTER));
	assert_true(role_has(roles_find(&i.roles, "node"), FEATURE_CBR0));
	assert_false(role_has(roles_find(&i.roles, "node"), FEATURE_KUBERNETES_MASTER));
}

/* Replaces `from` by `to` in the manifest and checks that it is refused with `want`. */
static void refuses(char *scratch, const char *from, const char *to, const char *want)
{
	_cleanup_rm_rf_ char *dir = xasprintf("%s/image", scratch);
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *whole = xasprintf("image %s: %s", dir, want);
	_cleanup_buf_ struct buf b = {0};
	struct image i;
	struct err e = {0};
	char *at;

	free(image_make(scratch));
	text = read_text(dir, "manifest.json");
	at = strstr(text, from);
	assert_non_null(at);
	buf_add(&b, text, (size_t)(at - text));
	buf_puts(&b, to);
	buf_puts(&b, at + strlen(from));
	write_text(dir, "manifest.json", b.p);
	assert_int_equal(image_open(&i, dir, &e), -1);
	assert_string_equal(e.msg, whole);
	assert_int_equal(e.code, ERR_FAILED);
}

/* Puts a pipe, a symlink or a folder in the place of a file and checks that the image is
 * refused. */
static void refuses_other(const char *dir, const char *name, const char *kind,
			  const char *want)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	_cleanup_free_ char *saved = xasprintf("%s.saved", path);
	_cleanup_free_ char *all = xasprintf("image %s: %s", dir, want);
	struct image i;
	struct err e = {0};

	assert_int_equal(rename(path, saved), 0);
	if (streq(kind, "pipe"))
		assert_int_equal(mkfifo(path, 0644), 0);
	else if (streq(kind, "link"))
		assert_int_equal(symlink(saved, path), 0);
	else
		assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(image_open(&i, dir, &e), -1);
	assert_string_equal(e.msg, all);
	assert_int_equal(remove(path), 0);
	assert_int_equal(rename(saved, path), 0);
}

static void files_of_units_are_read(void **state)
{
	_cleanup_free_ char *dir = image_make(*state), *text = NULL;
	_cleanup_buf_ struct buf b = {0};
	_cleanup_image_ struct image i = {0};
	struct err e = {0};

	assert_int_equal(image_open(&i, dir, &e), 0);
	assert_null(i.units);
	image_done(&i);
	text = read_text(dir, "manifest.json");
	buf_puts(&b, "{ \"unit_files\": [ { \"unit\": \"a.service\", \"files\": [ "
		     "\"/etc/a\" ], \"follows\": [ \"b.service\" ] },"
		     "{ \"unit\": \"b.service\", \"files\": null } ],");
	buf_puts(&b, strchr(text, '{') + 1);
	write_text(dir, "manifest.json", b.p);
	assert_int_equal(image_open(&i, dir, &e), 0);
	assert_int_equal(i.n_units, 2);
	assert_true(i.units[0].known);
	assert_string_equal(i.units[0].name, "a.service");
	assert_true(strv_has(i.units[0].files, "/etc/a"));
	assert_true(strv_has(i.units[0].follows, "b.service"));
	assert_false(i.units[1].known);
}

static void only_regular_files_are_read(void **state)
{
	static const char *const names[] = {"manifest.json", "vmlinuz", "initrd.img",
					    "root.squashfs"};
	_cleanup_free_ char *dir = image_make(*state);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *file =
			xasprintf("%s: is not a regular file", names[i]);
		_cleanup_free_ char *link = xasprintf("%s: is a symbolic link", names[i]);

		refuses_other(dir, names[i], "pipe", file);
		refuses_other(dir, names[i], "folder", file);
		refuses_other(dir, names[i], "link", link);
	}
}

static void bad_manifests_are_refused(void **state)
{
	refuses(*state, "\"format\": 1", "\"format\": 2",
		"manifest.json: format 2 is not supported, only format 1 is");
	refuses(*state, "\"name\": \"tiny\"",
		"\"unit_files\": [ { \"unit\": \"x\", \"files\": 3 } ], \"name\": "
		"\"tiny\"",
		"manifest.json: unit_files: member 'files' must be an array");
	refuses(*state, "\"tiny\"", "7", "manifest.json: member 'name' must be a string");
	refuses(*state, "\"epoch\": 1435622400", "\"epoch\": -1",
		"manifest.json: member 'epoch' must be a whole number");
	refuses(*state, "\"root.squashfs\"", "\"root.ext4\"",
		"manifest.json: outputs: 'root.squashfs' is missing: the image was not "
		"built with --type pxe");
	refuses(*state, "\"size\": 13", "\"size\": 14",
		"vmlinuz has 13 bytes, not 14 as manifest.json says: build the image "
		"again");
	refuses(*state, SHA_OF("4567"), "4567",
		"manifest.json: outputs: 'initrd.img': sha256 must be 64 lower-case hex "
		"digits");
	refuses(*state, "\"cbr0\",", "\"cbr1\",",
		"manifest.json: roles: this version of rackstrap does not know the "
		"feature 'cbr1': use a newer one, or build the image again");
	refuses(*state, "\"name\": \"node\"", "\"name\": \"master\"",
		"manifest.json: roles: 'master' is there twice");
	refuses(*state, "{", "[", "manifest.json: line 2: ']' expected near ':'");
}

/* Each value takes a hundred times as much memory as text. */
static void number_of_values_is_limited(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	struct image image;
	struct err e = {0};

	(void)state;
	buf_puts(&b, "{\"x\": [{}");
	for (int i = 0; i < 500000; i++)
		buf_add(&b, ",{}", 3);
	buf_puts(&b, "]}");
	assert_int_equal(image_parse(&image, NULL, b.p, b.len, &e), -1);
	assert_string_equal(e.msg, "manifest.json: has more than 500000 values: refused");
}

static void missing_files_are_reported(void **state)
{
	_cleanup_free_ char *dir = image_make(*state);
	_cleanup_free_ char *path = xasprintf("%s/initrd.img", dir);
	_cleanup_free_ char *want =
		xasprintf("image %s: initrd.img: No such file or directory", dir);
	struct image i;
	struct err e = {0};

	assert_int_equal(unlink(path), 0);
	assert_int_equal(image_open(&i, dir, &e), -1);
	assert_string_equal(e.msg, want);
	assert_int_equal(image_open(&i, "/nonexistent", &e), -1);
	assert_string_equal(
		e.msg, "image /nonexistent: no manifest.json: not the folder of an image "
		       "(`rackstrap build` makes one in out/)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(valid_image_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(files_of_units_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(only_regular_files_are_read, setup,
						teardown),
		cmocka_unit_test_setup_teardown(bad_manifests_are_refused, setup,
						teardown),
		cmocka_unit_test(number_of_values_is_limited),
		cmocka_unit_test_setup_teardown(missing_files_are_reported, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
