/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/kept-images.h: images that were replaced stay until their time is over. */
#include "pxe/kept-images.h"

#include "test-tree.h"

#include <time.h>

#define HOUR 3600
#define A    "http/images/89ab89ab89ab89ab-45674567-01230123"
#define B    "http/images/b9ab89ab89ab89ab-45674567-01230123"

static const char id_a[] = "89ab89ab89ab89ab-45674567-01230123";

/* Renders the tree TREE with the image `which`, 'A' or 'B'. */
static void render_image(struct fixture *f, char which, uint64_t keep_for)
{
	struct tree_options o = {.keep_for = keep_for};
	struct err e = {0};

	f->image.root_sha256[0] = which == 'A' ? '8' : 'b';
	if (render(f, GOLDEN "/plain.cfg", "tree", o, &e) < 0)
		fail_msg("%s", e.msg);
}

static char *tree_dir(struct fixture *f)
{
	return xasprintf("%s/tree", f->scratch);
}

static bool has(struct fixture *f, const char *path)
{
	_cleanup_free_ char *full = xasprintf("%s/tree/%s", f->scratch, path);

	return access(full, F_OK) == 0;
}

static char *list_of(struct fixture *f)
{
	_cleanup_free_ char *dir = tree_dir(f);

	return read_text(dir, TREE_KEPT_IMAGES);
}

/* Writes a list in which the time of image A began `ago` seconds before now. */
static void write_list(struct fixture *f, uint64_t keep_for, time_t ago)
{
	_cleanup_free_ char *dir = tree_dir(f);
	_cleanup_free_ char *text =
		xasprintf("keep-for %llu\n%s %lld\n", (unsigned long long)keep_for, id_a,
			  (long long)(time(NULL) - ago));

	write_text(dir, TREE_KEPT_IMAGES, text);
}

/* Writes a request of `ago` seconds before now to a log of the tree. */
static void write_request(struct fixture *f, const char *log, const char *path,
			  time_t ago)
{
	_cleanup_free_ char *dir = tree_dir(f);
	_cleanup_free_ char *text =
		xasprintf("nonsense\n%lld.000 172.25.0.11 \"GET /%s HTTP/1.1\" 200 9 "
			  "0.100\n",
			  (long long)(time(NULL) - ago), path + strlen("http/"));

	write_text(dir, log, text);
}

static void prune(struct fixture *f)
{
	_cleanup_free_ char *dir = tree_dir(f);

	assert_int_equal(kept_images_prune(dir), 0);
}

static void replaced_image_is_kept(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *root = image_file(f, "tree", "root.cpio");
	_cleanup_free_ char *none = NULL, *first = NULL, *second = NULL, *third = NULL;
	time_t before = time(NULL);
	uint64_t last;
	ino_t was;

	render_image(f, 'A', HOUR);
	none = list_of(f);
	assert_string_equal(none, "keep-for 3600\n");
	was = inode(root);
	render_image(f, 'B', HOUR);
	assert_int_equal(inode(root), was);
	assert_true(has(f, A "/vmlinuz") && has(f, A "/initrd.img"));
	assert_true(has(f, B "/root.cpio"));
	first = list_of(f);
	assert_non_null(str_after(first, "keep-for 3600\n"));
	assert_non_null(strstr(first, id_a));
	assert_int_equal(str_to_u64(strrchr(first, ' ') + 1, UINT64_MAX, &last), -EINVAL);
	*strrchr(first, '\n') = '\0';
	assert_int_equal(str_to_u64(strrchr(first, ' ') + 1, UINT64_MAX, &last), 0);
	assert_true(last >= (uint64_t)before && last <= (uint64_t)time(NULL));

	/* The time does not begin again. */
	write_list(f, HOUR, 1000);
	second = list_of(f);
	render_image(f, 'B', HOUR);
	third = list_of(f);
	assert_string_equal(third, second);
	assert_int_equal(inode(root), was);
}

static void image_that_comes_back_is_not_in_the_list(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *list = NULL;

	render_image(f, 'A', HOUR);
	render_image(f, 'B', HOUR);
	render_image(f, 'A', HOUR);
	list = list_of(f);
	assert_null(strstr(list, id_a));
	assert_non_null(strstr(list, "\nb9ab89ab89ab89ab-45674567-01230123 "));
	assert_true(has(f, A "/root.cpio") && has(f, B "/root.cpio"));
	write_list(f, HOUR, 0); /* with A in it, which is nonsense now */
	render_image(f, 'A', HOUR);
	assert_true(has(f, A "/root.cpio"));
	free(list);
	list = list_of(f);
	assert_null(strstr(list, id_a));
}

static void image_goes_when_its_time_is_over(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *list = NULL;

	render_image(f, 'A', HOUR);
	render_image(f, 'B', HOUR);
	write_list(f, HOUR, HOUR - 60);
	prune(f);
	render_image(f, 'B', HOUR);
	assert_true(has(f, A "/root.cpio"));
	write_list(f, HOUR, HOUR + 60);
	render_image(f, 'B', 2 * HOUR); /* the time is the new one */
	assert_true(has(f, A "/root.cpio"));
	write_list(f, HOUR, HOUR + 60);
	render_image(f, 'B', HOUR);
	assert_false(has(f, A));
	assert_true(has(f, B "/root.cpio"));
	list = list_of(f);
	assert_string_equal(list, "keep-for 3600\n");
}

static void nothing_is_kept_for_0(void **state)
{
	struct fixture *f = *state;

	render_image(f, 'A', HOUR);
	render_image(f, 'B', 0);
	assert_false(has(f, A));
	assert_false(has(f, TREE_KEPT_IMAGES));
	prune(f);
	assert_true(has(f, B "/root.cpio"));
}

static void request_begins_the_time_again(void **state)
{
	static const char *const logs[] = {"run/access.log", "run/access.log.old"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(logs); i++) {
		render_image(f, 'A', HOUR);
		render_image(f, 'B', HOUR);
		write_list(f, HOUR, 2 * HOUR);
		write_request(f, logs[i], A "/root.cpio", 60);
		render_image(f, 'B', HOUR);
		assert_true(has(f, A "/root.cpio"));

		write_list(f, HOUR, 2 * HOUR);
		prune(f);
		assert_true(has(f, A "/root.cpio"));

		/* It is known also when the log is gone. */
		write_request(f, logs[i], B "/root.cpio", 60);
		prune(f);
		render_image(f, 'B', HOUR);
		assert_true(has(f, A "/root.cpio"));

		write_list(f, HOUR, 2 * HOUR);
		write_request(f, logs[i], A "/root.cpio", 2 * HOUR);
		render_image(f, 'B', HOUR);
		assert_false(has(f, A));
	}
}

static void server_removes_what_is_over(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *list = NULL;

	render_image(f, 'A', HOUR);
	render_image(f, 'B', HOUR);
	write_list(f, HOUR, HOUR + 60);
	prune(f);
	assert_false(has(f, A));
	assert_true(has(f, B "/root.cpio") && has(f, B "/vmlinuz"));
	list = list_of(f);
	assert_string_equal(list, "keep-for 3600\n");
	prune(f);
}

static void damaged_list_keeps_images_longer(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *dir = tree_dir(f), *list = NULL;

	render_image(f, 'A', HOUR);
	render_image(f, 'B', HOUR);
	write_text(dir, TREE_KEPT_IMAGES,
		   "keep-for 0\n89ab89ab89ab89ab-45674567-01230123\n"
		   "89ab89ab89ab89ab-45674567-01230123 x\n"
		   "89ab89ab89ab89ab-45674567-012301234 1\n"
		   "89ab89ab89ab89ab-45674567-01230 1\n"
		   "../../../../tmp 1\nhttp 1\n\n");
	prune(f);
	assert_true(has(f, A "/root.cpio"));
	render_image(f, 'B', HOUR);
	assert_true(has(f, A "/root.cpio"));
	list = list_of(f);
	assert_non_null(strstr(list, id_a));
}

/* Another user could have put anything there. */
static void folder_that_others_write_to_is_not_kept(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *folder = xasprintf("%s/tree/" A, f->scratch);
	_cleanup_free_ char *moved = xasprintf("%s/moved", f->scratch);

	render_image(f, 'A', HOUR);
	assert_int_equal(chmod(folder, 0777), 0);
	render_image(f, 'B', HOUR);
	assert_false(has(f, A));

	render_image(f, 'A', HOUR);
	assert_int_equal(rename(folder, moved), 0);
	assert_int_equal(symlink(moved, folder), 0);
	render_image(f, 'B', HOUR);
	assert_false(has(f, A));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(replaced_image_is_kept),
		T(image_that_comes_back_is_not_in_the_list),
		T(image_goes_when_its_time_is_over),
		T(nothing_is_kept_for_0),
		T(request_begins_the_time_again),
		T(server_removes_what_is_over),
		T(damaged_list_keeps_images_longer),
		T(folder_that_others_write_to_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
