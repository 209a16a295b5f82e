/* SPDX-License-Identifier: Apache-2.0 */
/* builder/root/root-cache.h: when a cached root image is used, and when not. */
#include "builder/root/root-cache.h"

#include "lib/file.h"
#include "lib/log.h"
#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct fixture {
	char *top;
	int dir;
	struct cache cache;
	struct known_digests known;
	struct recipe r;
	struct base base;
	struct inputs inputs;
	struct layer_item items[3];
	struct layer layer;
};

static char one_line[] = "one\n", file_path[4096];

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = {0};

	f->top = make_scratch();
	setenv("RACKSTRAP_CACHE", f->top, 1);
	f->dir = open(f->top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(file_path, sizeof(file_path), "%s/file", f->top);
	if (file_write_at(AT_FDCWD, file_path, "file", 4, 0644) < 0 ||
	    file_write_at(f->dir, "made", "squash", 6, 0644) < 0 ||
	    cache_open(&f->cache, f->top, &e) < 0)
		return -1;
	f->known = (struct known_digests){.fd = -1, .digest = digest_range};
	f->r = (struct recipe){.name = (char *)"small", .epoch = 1};
	f->r.squashfs.compression = (char *)"zstd";
	f->r.squashfs.block = (char *)"1M";
	memcpy(f->base.tar.sha256, SUM, sizeof(SUM));
	f->items[0] = (struct layer_item){.path = (char *)"etc", .type = ENTRY_DIR};
	f->items[1] = (struct layer_item){.path = (char *)"etc/a b",
					  .type = ENTRY_FILE,
					  .source = LAYER_TEXT,
					  .text = one_line,
					  .len = 4};
	f->items[2] = (struct layer_item){.path = (char *)"etc/c",
					  .type = ENTRY_FILE,
					  .source = LAYER_FILE,
					  .file = file_path};
	f->layer = (struct layer){.v = f->items, .n = 3};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->dir);
	cache_done(&f->cache);
	rm_rf_p(&f->top);
	free(f);
	return 0;
}

static struct root_cache init(struct fixture *f)
{
	struct root_cache rc;
	struct err e = {0};

	assert_int_equal(root_cache_init(&rc, &f->cache, &f->r, &f->base, &f->inputs,
					 &f->layer, &f->known, &e),
			 0);
	return rc;
}

/* Stores "made" as the root image for the fixture's present state. */
static void store(struct fixture *f)
{
	const struct merge_stats stats = {.entries = 7, .bytes = 4096};
	char sha256[DIGEST_HEX_MAX];
	struct root_cache rc = init(f);

	for (size_t i = 1; i < 3; i++) {
		f->items[i].size = 10 * i;
		memset(f->items[i].sha256, (int)('a' + i), 64);
		f->items[i].sha256[64] = '\0';
	}
	digest_text(DIGEST_SHA256, "squash", 6, sha256);
	root_cache_store(&rc, f->dir, "made", sha256, &f->layer, &stats);
	for (size_t i = 1; i < 3; i++) {
		f->items[i].size = 0;
		f->items[i].sha256[0] = '\0';
	}
}

static int get(struct fixture *f, struct merge_stats *stats)
{
	char sha256[DIGEST_HEX_MAX], want[DIGEST_HEX_MAX];
	struct root_cache rc = init(f);
	struct err e = {0};
	int r;

	unlinkat(f->dir, "got", 0);
	r = root_cache_get(&rc, f->dir, "got", &f->layer, stats, sha256, &e);
	if (r > 0)
		assert_string_equal(sha256,
				    digest_text(DIGEST_SHA256, "squash", 6, want));
	else
		assert_false(file_is_at(f->dir, "got", "squish", 6, 0644));
	return r;
}

static void same_inputs_use_the_cache(void **state)
{
	struct fixture *f = *state;
	struct merge_stats stats = {0};

	assert_int_equal(get(f, &stats), 0);
	store(f);
	assert_int_equal(get(f, &stats), 1);
	assert_true(file_is_at(f->dir, "got", "squash", 6, 0644));
	assert_int_equal(stats.entries, 7);
	assert_int_equal(stats.bytes, 4096);
	assert_int_equal(f->items[1].size, 10);
	assert_int_equal(f->items[2].size, 20);
	assert_int_equal(f->items[1].sha256[0], 'b');
	assert_int_equal(f->items[2].sha256[63], 'c');
	assert_false(f->items[1].written); /* a merge of the same content writes it */
}

static time_t folder_time(struct fixture *f)
{
	struct stat st;

	assert_int_equal(fstatat(f->cache.fd, "root/small", &st, 0), 0);
	return st.st_mtime;
}

/* `rackstrap cache prune` keeps a root image that is only compared, too. */
static void folder_has_the_time_of_the_last_use(void **state)
{
	static const struct timespec long_ago[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct fixture *f = *state;
	char sha256[DIGEST_HEX_MAX];
	struct merge_stats stats;
	struct root_cache rc;

	store(f);
	assert_int_equal(utimensat(f->cache.fd, "root/small", long_ago, 0), 0);
	assert_int_equal(get(f, &stats), 1);
	assert_true(folder_time(f) > 1);
	assert_int_equal(utimensat(f->cache.fd, "root/small", long_ago, 0), 0);
	rc = init(f);
	assert_true(root_cache_has(&rc));
	assert_int_equal(folder_time(f), 1);
	assert_true(root_cache_recall(&rc, &f->layer, &stats, sha256));
	assert_true(folder_time(f) > 1);
	one_line[0] = 'O';
	rc = init(f);
	assert_false(root_cache_has(&rc));
	one_line[0] = 'o';
}

/* Every input of the root image changes the key. */
static void other_inputs_miss_the_cache(void **state)
{
	struct fixture *f = *state;
	struct merge_stats stats;
	char *exclude[] = {(char *)"/usr/share/doc/*", NULL};

	store(f);
	one_line[0] = 'O';
	assert_int_equal(get(f, &stats), 0);
	one_line[0] = 'o';
	assert_int_equal(get(f, &stats), 1);
	f->items[2].mode = 0600;
	assert_int_equal(get(f, &stats), 0);
	f->items[2].mode = 0;
	f->r.exclude = exclude;
	assert_int_equal(get(f, &stats), 0);
	f->r.exclude = NULL;
	f->r.squashfs.level = 3;
	assert_int_equal(get(f, &stats), 0);
	f->r.squashfs.level = 0;
	f->r.epoch = 2;
	assert_int_equal(get(f, &stats), 0);
	f->r.epoch = 1;
	f->layer.n = 2;
	assert_int_equal(get(f, &stats), 0);
	f->layer.n = 3;
	assert_int_equal(file_write_at(AT_FDCWD, file_path, "File", 4, 0644), 0);
	assert_int_equal(get(f, &stats), 0);
	store(f); /* replaces the previous image */
	assert_int_equal(get(f, &stats), 1);
	assert_int_equal(file_write_at(AT_FDCWD, file_path, "file", 4, 0644), 0);
	assert_int_equal(get(f, &stats), 0);
}

/* The base's links of a unit that is disabled or masked are dropped. */
static void disabled_and_masked_units_change_the_key(void **state)
{
	struct recipe_switch ssh = {.unit = (char *)"ssh.service"};
	struct recipe_switch cron = {.unit = (char *)"cron.service"};
	struct fixture *f = *state;
	struct merge_stats stats;

	store(f);
	f->r.disable = (struct recipe_switches){&ssh, 1};
	assert_int_equal(get(f, &stats), 0);
	store(f);
	assert_int_equal(get(f, &stats), 1);
	f->r.disable.v = &cron;
	assert_int_equal(get(f, &stats), 0);
	f->r.disable.n = 0;
	assert_int_equal(get(f, &stats), 0);
	f->r.mask = (struct recipe_switches){&ssh, 1};
	assert_int_equal(get(f, &stats), 0);
}

/* Another mksquashfs may make a different image of the same tree. */
static void other_mksquashfs_misses_the_cache(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *old = xstrdup(getenv("PATH"));
	_cleanup_free_ char *path = xasprintf("%s:%s", f->top, old);
	struct merge_stats stats;

	store(f);
	assert_int_equal(file_write_at(f->dir, "mksquashfs", "#!/bin/sh\n", 10, 0755), 0);
	setenv("PATH", path, 1);
	assert_int_equal(get(f, &stats), 0);
	store(f);
	assert_int_equal(get(f, &stats), 1);
	setenv("PATH", old, 1);
	assert_int_equal(get(f, &stats), 0);
}

static void damaged_image_misses_the_cache(void **state)
{
	static const char image[] = "root/small/root.squashfs";
	struct fixture *f = *state;
	struct merge_stats stats;

	store(f);
	assert_int_equal(file_write_at(f->cache.fd, image, "squish", 6, 0644), 0);
	assert_int_equal(get(f, &stats), 0);
	store(f);
	assert_int_equal(get(f, &stats), 1);
	assert_int_equal(unlinkat(f->cache.fd, image, 0), 0);
	assert_int_equal(get(f, &stats), 0);
	store(f);
	assert_int_equal(unlinkat(f->cache.fd, image, 0), 0);
	assert_int_equal(mkfifoat(f->cache.fd, image, 0644), 0);
	assert_int_equal(get(f, &stats), 0);
}

/* Errors of copying, and of reading the image in the cache; 0: none. */
static int copy_error, read_error;

int __wrap_copy_fd(int from, int to);
int __real_copy_fd(int from, int to);
int __wrap_copy_fd(int from, int to)
{
	return copy_error ? copy_error : __real_copy_fd(from, to);
}

int __wrap_digest_fd(int fd, enum digest_type type, char *hex, uint64_t *ret_size);
int __real_digest_fd(int fd, enum digest_type type, char *hex, uint64_t *ret_size);
int __wrap_digest_fd(int fd, enum digest_type type, char *hex, uint64_t *ret_size)
{
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", fd);
	char path[4096] = "";

	assert_true(readlink(link, path, sizeof(path) - 1) > 0);
	return read_error && str_ends(path, "root.squashfs")
		       ? read_error
		       : __real_digest_fd(fd, type, hex, ret_size);
}

/* A disk that cannot read the image is as a damaged image; a full disk is an error. */
static void unreadable_image_misses_the_cache(void **state)
{
	struct fixture *f = *state;
	struct merge_stats stats;

	store(f);
	copy_error = read_error = -EIO;
	assert_int_equal(get(f, &stats), 0);
	assert_int_equal(faccessat(f->dir, "got", F_OK, 0), -1);
	copy_error = -ENOSPC;
	read_error = 0;
	assert_int_equal(get(f, &stats), -1);
	copy_error = 0;
	assert_int_equal(get(f, &stats), 1);
}

/* The notes have sizes and digests that go into the manifest, so every byte counts. */
static void damaged_notes_miss_the_cache(void **state)
{
	static const char notes[] = "root/small/root.notes";
	struct fixture *f = *state;
	_cleanup_free_ char *text = NULL;
	struct merge_stats stats;
	size_t len;

	store(f);
	assert_int_equal(file_read_at(f->cache.fd, notes, 1 << 20, &text, &len), 0);
	assert_true(len > 300);
	log_setup("test", LOG_LEVEL_ERROR);
	for (size_t i = 0; i < len; i++) {
		_cleanup_close_ int fd = openat(f->cache.fd, notes, O_WRONLY | O_CLOEXEC);
		char byte = text[i] ^ 1;

		assert_int_equal(pwrite(fd, &byte, 1, (off_t)i), 1);
		assert_int_equal(get(f, &stats), 0);
		assert_int_equal(pwrite(fd, text + i, 1, (off_t)i), 1);
	}
	assert_int_equal(get(f, &stats), 1);
	for (size_t i = 0; i < len; i += 7) {
		assert_int_equal(file_write_at(f->cache.fd, notes, text, i, 0644), 0);
		assert_int_equal(get(f, &stats), 0);
	}
	text[len - 1] = 'x';
	assert_int_equal(file_write_at(f->cache.fd, notes, text, len, 0644), 0);
	assert_int_equal(get(f, &stats), 0);
	log_setup("test", LOG_LEVEL_INFO);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {CASE(same_inputs_use_the_cache),
					   CASE(folder_has_the_time_of_the_last_use),
					   CASE(other_inputs_miss_the_cache),
					   CASE(disabled_and_masked_units_change_the_key),
					   CASE(other_mksquashfs_misses_the_cache),
					   CASE(damaged_image_misses_the_cache),
					   CASE(unreadable_image_misses_the_cache),
					   CASE(damaged_notes_miss_the_cache)};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
