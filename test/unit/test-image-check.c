/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pxe/image-check.h: an image whose files are not those that were built is refused, also
 * when their sizes are right, and no boot tree has a damaged file. A second rendering
 * reads no large file.
 */
#include "pxe/image-check.h"

#include "firstboot/model/sha256.h"
#include "pxe/tree.h"

#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RACK      "test/golden/pxe/plain.cfg"
#define ROOT_SIZE (512 * 1024)

struct fixture {
	char *scratch, *dir, *tree;
	struct known_digests known;
};

static unsigned reads;

static int count(int fd, uint64_t offset, uint64_t len, char out[static KNOWN_DIGEST_LEN])
{
	_cleanup_free_ char *text = xmalloc(len);

	reads += len >= ROOT_SIZE;
	if (pread(fd, text, len, (off_t)offset) != (ssize_t)len)
		return -ENODATA;
	digest_sha256(text, len, out);
	return 0;
}

/* Replaces the text `from` in *text. */
static void replace(char **text, const char *from, const char *to)
{
	char *at = strstr(*text, from), *new;

	assert_non_null(at);
	new = xasprintf("%.*s%s%s", (int)(at - *text), *text, to, at + strlen(from));
	free(*text);
	*text = new;
}

/* Writes manifest.json and SHA256SUMS with the digests of the files. */
static void write_lists(const char *dir, const char *root)
{
	char kernel[DIGEST_LEN], initrd[DIGEST_LEN], sum[DIGEST_LEN], own[DIGEST_LEN];
	_cleanup_free_ char *manifest = manifest_text(), *sums = NULL;

	digest_sha256(KERNEL_TEXT, strlen(KERNEL_TEXT), kernel);
	digest_sha256(INITRD_TEXT, strlen(INITRD_TEXT), initrd);
	digest_sha256(root, ROOT_SIZE, sum);
	replace(&manifest, SHA_OF("0123"), kernel);
	replace(&manifest, SHA_OF("4567"), initrd);
	replace(&manifest, SHA_OF("89ab"), sum);
	replace(&manifest, "\"size\": 15", "\"size\": 524288");
	digest_sha256(manifest, strlen(manifest), own);
	sums = xasprintf("%s  initrd.img\n%s  root.squashfs\n%s  vmlinuz\n"
			 "%s  manifest.json\n",
			 initrd, sum, kernel, own);
	write_text(dir, "manifest.json", manifest);
	write_text(dir, "SHA256SUMS", sums);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	_cleanup_free_ char *root = xcalloc(1, ROOT_SIZE + 1), *memos = NULL;

	f->scratch = make_scratch();
	f->dir = image_make(f->scratch);
	f->tree = xasprintf("%s/tree", f->scratch);
	memos = xasprintf("%s/memos", f->scratch);
	memset(root, 'r', ROOT_SIZE);
	write_text(f->dir, "root.squashfs", root);
	write_lists(f->dir, root);
	if (mkdir(memos, 0755) < 0)
		return -1;
	f->known.digest = count;
	f->known.fd = open(memos, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	reads = 0;
	*state = f;
	return f->known.fd < 0 ? -1 : 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->known.fd);
	rm_rf_p(&f->scratch);
	free(f->dir);
	free(f->tree);
	free(f);
	return 0;
}

/* Opens and checks the image; returns the message or NULL. Owned. */
static char *fault(const struct fixture *f)
{
	_cleanup_image_ struct image i = {0};
	_cleanup_free_ char *prefix = xasprintf("image %s: ", f->dir);
	struct err e = {0};

	if (image_open(&i, f->dir, &e) == 0 && image_check(&i, &f->known, &e) == 0)
		return NULL;
	assert_int_equal(e.code, ERR_FAILED);
	assert_non_null(str_after(e.msg, prefix));
	return xstrdup(str_after(e.msg, prefix));
}

/* Renders the tree. Returns 0 or -1. */
static int render(const struct fixture *f, const struct image *i, struct err *e)
{
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_diag_ struct diag d = {0};
	const struct tree_options o = {.ipxe_dir = f->scratch, .secret = SHA_OF("0123")};

	assert_int_equal(rack_load(&rack, RACK, &i->roles, &d), 0);
	return tree_render(&rack, i, f->tree, &o, NULL, e);
}

static void check_and_render(const struct fixture *f)
{
	_cleanup_image_ struct image i = {0};
	struct err e = {0};

	assert_int_equal(image_open(&i, f->dir, &e), 0);
	assert_int_equal(image_check(&i, &f->known, &e), 0);
	assert_int_equal(render(f, &i, &e), 0);
}

/* Changes the byte at `at` of a file, which keeps its size and mtime. */
static void flip(const char *path, off_t at)
{
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	char byte;

	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	assert_int_equal(futimens(fd, (const struct timespec[2]){st.st_atim, st.st_mtim}),
			 0);
}

static void image_as_built_is_accepted(void **state)
{
	assert_null(fault(*state));
	assert_null(fault(*state));
	assert_int_equal(reads, 1);
}

static void flipped_byte_is_found(void **state)
{
	static const char *const names[] = {"vmlinuz", "initrd.img", "root.squashfs",
					    "manifest.json"};
	const struct fixture *f = *state;

	assert_null(fault(f));
	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", f->dir, names[k]);
		_cleanup_free_ char *want = xasprintf("%s has sha256 ", names[k]);
		_cleanup_free_ char *is = NULL;

		flip(path, 5);
		is = fault(f);
		assert_non_null(is);
		if (k < 3)
			assert_non_null(str_after(is, want));
		assert_true(k == 3 || str_ends(is, " in manifest.json: it was damaged or "
						   "changed; build the image again"));
		flip(path, 5);
		assert_null(fault(f));
	}
}

static void sums_and_manifest_must_agree(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *sums = read_text(f->dir, "SHA256SUMS"), *is = NULL;
	_cleanup_free_ char *less = xstrdup(sums), *other = xstrdup(sums);

	replace(&less, "  vmlinuz", "  vmlinux");
	write_text(f->dir, "SHA256SUMS", less);
	is = fault(f);
	assert_string_equal(is,
			    "SHA256SUMS does not list vmlinuz: build the image again");
	free(is);
	other[0] ^= 1;
	write_text(f->dir, "SHA256SUMS", other);
	is = fault(f);
	assert_non_null(str_after(is, "SHA256SUMS: initrd.img is "));
	assert_true(str_ends(is, " in manifest.json: build the image again"));
	free(is);
	is = xasprintf("%s", sums);
	replace(&is, "  manifest.json", "  manifest.jsom");
	write_text(f->dir, "SHA256SUMS", is);
	free(is);
	is = fault(f);
	assert_string_equal(
		is, "SHA256SUMS does not list manifest.json: build the image again");
}

static void changed_manifest_is_found(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *text = read_text(f->dir, "manifest.json"), *is = NULL;

	replace(&text, "quiet", "quieu");
	write_text(f->dir, "manifest.json", text);
	is = fault(f);
	assert_non_null(str_after(is, "manifest.json has sha256 "));
	assert_true(str_ends(is, " in SHA256SUMS: it was damaged or changed; build the "
				 "image again"));
}

static void image_without_sums_has_those_of_the_manifest(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *sums = xasprintf("%s/SHA256SUMS", f->dir);
	_cleanup_free_ char *root = xasprintf("%s/root.squashfs", f->dir), *is = NULL;

	assert_int_equal(unlink(sums), 0);
	assert_null(fault(f));
	flip(root, ROOT_SIZE - 1);
	is = fault(f);
	assert_non_null(str_after(is, "root.squashfs has sha256 "));
}

static void change_after_the_check_is_found(void **state)
{
	const struct fixture *f = *state;
	_cleanup_free_ char *root = xasprintf("%s/root.squashfs", f->dir);
	_cleanup_image_ struct image i = {0};
	struct err e = {0};

	assert_int_equal(image_open(&i, f->dir, &e), 0);
	assert_int_equal(image_check(&i, &f->known, &e), 0);
	flip(root, 7);
	assert_int_equal(render(f, &i, &e), -1);
	assert_non_null(strstr(e.msg, "root.squashfs: changed while it was read: wait "
				      "until nothing writes to it, and run again"));
}

/* Returns the path of a file of the image in the tree; owned. */
static char *in_tree(const struct fixture *f, const char *name)
{
	_cleanup_image_ struct image i = {0};
	struct err e = {0};

	assert_int_equal(image_open(&i, f->dir, &e), 0);
	return xasprintf("%s/http/images/%.16s-%.8s-%.8s/%s", f->tree, i.root_sha256,
			 i.initrd_sha256, i.kernel_sha256, name);
}

static void second_rendering_reads_nothing(void **state)
{
	const struct fixture *f = *state;

	check_and_render(f);
	reads = 0;
	for (unsigned n = 0; n < 3; n++)
		check_and_render(f);
	assert_int_equal(reads, 0);
}

/* The tree's folder is named by the digests, and its files are linked into the next. */
static void damaged_file_of_the_tree_is_replaced(void **state)
{
	static const char *const names[] = {"vmlinuz", "initrd.img", "root.cpio"};
	const struct fixture *f = *state;

	check_and_render(f);
	for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
		_cleanup_free_ char *path = in_tree(f, names[k]), *was = NULL, *is = NULL;

		was = read_text("/", path);
		flip(path, k == 2 ? ROOT_SIZE : 9);
		check_and_render(f);
		is = read_text("/", path);
		assert_string_equal(is, was);
		if (k == 2)
			assert_memory_equal(is, was, ROOT_SIZE + 300);
	}
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(image_as_built_is_accepted),
		CASE(flipped_byte_is_found),
		CASE(sums_and_manifest_must_agree),
		CASE(changed_manifest_is_found),
		CASE(image_without_sums_has_those_of_the_manifest),
		CASE(change_after_the_check_is_found),
		CASE(second_rendering_reads_nothing),
		CASE(damaged_file_of_the_tree_is_replaced),
	};

	return cmocka_run_group_tests_name("image-check", tests, NULL, NULL);
}
