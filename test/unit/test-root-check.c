/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder/root/root-check.h and builder/common/squashfs.h, and archive.h's tar as
 * mksquashfs(1) reads it: an image has every entry exactly, and each difference to it is
 * found.
 */
#include "test-archive.h"
#include "test-tempdir.h"

#include "builder/root/root-check.h"
#include "builder/root/squash.h"

#define EPOCH UINT32_MAX /* the last time that an image can hold */
#define T100                                                                             \
	"0123456789012345678901234567890123456789012345678901234567890123456789"         \
	"012345678901234567890123456789"

static const char caps[] = "\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0"; /* 20 bytes */

#define DIR(p, m, ...)                                                                   \
	{                                                                                \
		ENTRY_DIR, p, .mode = m, .mtime = 5, __VA_ARGS__                         \
	}
#define TEXT(p, m, ...)                                                                  \
	{                                                                                \
		ENTRY_FILE, p, .mode = m, .mtime = 5, .size = 3, __VA_ARGS__             \
	}
#define SIZE(p, m, u, s)                                                                 \
	{                                                                                \
		ENTRY_FILE, p, .mode = m, .mtime = 5, .uid = u, .size = s                \
	}
#define AT(p, t)                                                                         \
	{                                                                                \
		ENTRY_FILE, p, .mode = 0644, .mtime = t, .size = 0                       \
	}
#define HARD(p, t)                                                                       \
	{                                                                                \
		ENTRY_HARDLINK, p, t, .mode = 0600, .mtime = 5                           \
	}
#define LINK(p, t)                                                                       \
	{                                                                                \
		ENTRY_SYMLINK, p, t, .mode = 0777, .mtime = 5                            \
	}

static const struct entry entries[] = {
	DIR(".", 0700),
	DIR("d", 01777, .uid = 7, .gid = 4294967294),
	TEXT("d/caps", 0644, .caps = caps, .n_caps = sizeof(caps)),
	TEXT("d/hard", 0600),
	AT("d/late", UINT32_MAX),
	AT("d/\xe9\n\xff", 0),
	TEXT("d/" T100 "/" T100 "/\xe9", 0644),
	DIR("d/" T100, 0755),
	DIR("d/" T100 "/" T100, 0755),
	TEXT("d/suid", 06755, .uid = 3000000),
	HARD("d/z", "d/hard"),
	HARD("d/z\xe9", "d/hard"),
	{ENTRY_CHAR, "dev", .mode = 0666, .mtime = 5, .major = 300, .minor = 70000},
	{ENTRY_BLOCK, "disk", .mode = 0660, .mtime = 5, .major = 8, .minor = 1},
	{ENTRY_FIFO, "fifo", .mode = 0600, .mtime = 5},
	LINK("link", "d/caps"),
	LINK("link-100", "/" T100),
	LINK("link-250", "../" T100 T100 "/./x/../y/"),
	LINK("link-bytes", "./\xe9\n"),
	LINK("link-utf8",
	     "/etc/NetLock_Arany_=Class_Gold=_F\xc5\x91tan\xc3\xbas\xc3\xadtv.pem"),
	LINK("l-" T100 T100, "../../" T100),
};

static int setup(void **state)
{
	return tempdir_make("/tmp", "rackstrap-test", (char **)state);
}

static int teardown(void **state)
{
	int r = rm_rf_at(AT_FDCWD, *state);

	free(*state);
	return r;
}

static struct recipe recipe = {
	.epoch = EPOCH,
	.squashfs = {.compression = (char *)"zstd", .level = 1, .block = (char *)"128K"},
};

/* Makes the image of the entries. Returns its path; owned. */
static char *make_image(const char *dir, const struct entry *v, size_t n)
{
	char *path = xasprintf("%s/root.squashfs", dir);
	_cleanup_archive_out_ struct archive_out *out = NULL;
	_cleanup_squash_ struct squash s = {.fd = -1};
	struct err e = {0};

	assert_int_equal(squash_start(&s, &recipe, path, &e), 0);
	out = archive_out_new(s.fd, "tar");
	for (size_t i = 0; i < n; i++) {
		if (archive_out_entry(out, &v[i], &e) < 0 ||
		    archive_out_data(out, "xyz", v[i].size, &e) < 0)
			fail_msg("%s", e.msg);
	}
	assert_int_equal(archive_out_end(out, &e), 0);
	if (squash_finish(&s, &e) < 0)
		fail_msg("%s", e.msg);
	return path;
}

/* Compares the image with other entries. Returns 0, or -1 with the difference. */
static int check(const char *path, const struct entry *v, size_t n, struct err *e)
{
	_cleanup_root_check_ struct root_check c = {0};

	for (size_t i = 0; i < n; i++)
		root_check_add(&c, &v[i]);
	return root_check_image(&c, path, EPOCH, e);
}

/* Checks that `changed` in place of the entry of its path is reported as `want`. */
static void differs(const char *image, struct entry changed, const char *want)
{
	_cleanup_free_ char *text = xasprintf("%s: is not as it was planned: %s",
					      strrchr(image, '/') + 1, want);
	struct entry v[ARRAY_SIZE(entries)];
	struct err e = {0};

	memcpy(v, entries, sizeof(v));
	for (size_t i = 0; i < ARRAY_SIZE(v); i++)
		if (streq(v[i].path, changed.path))
			v[i] = changed;
	assert_int_equal(check(image, v, ARRAY_SIZE(v), &e), -1);
	assert_string_equal(e.msg, text);
}

static void every_entry_is_in_the_image(void **state)
{
	_cleanup_free_ char *image = make_image(*state, entries, ARRAY_SIZE(entries));
	struct err e = {0};

	if (check(image, entries, ARRAY_SIZE(entries), &e) < 0)
		fail_msg("%s", e.msg);
}

static void each_difference_is_found(void **state)
{
	static const char other[] = "\1\0\0\2\0\5\0\0\0\0\0\0\0\0\0\0\0\0\0";
	_cleanup_free_ char *image = make_image(*state, entries, ARRAY_SIZE(entries));
	struct entry more[ARRAY_SIZE(entries) + 1] = {TEXT("more", 0644)};
	struct err e = {0};

	differs(image, (struct entry)DIR("d", 0755, .uid = 7, .gid = 4294967294),
		"/d has mode 1777, planned is 0755");
	differs(image, (struct entry)DIR("d", 01777, .uid = 7, .gid = 8),
		"/d belongs to 7:4294967294, planned is 7:8");
	differs(image, (struct entry)TEXT("d/caps", 0644),
		"/d/caps has a security.capability, planned is one without it");
	differs(image, (struct entry)TEXT("d/caps", 0644, .caps = other, .n_caps = 20),
		"/d/caps has another security.capability than planned");
	differs(image, (struct entry)AT("d/late", 1),
		"/d/late has the time 4294967295, planned is 1");
	differs(image, (struct entry)SIZE("d/suid", 06755, 3000000, 4),
		"/d/suid has 3 bytes, planned are 4");
	differs(image, (struct entry)TEXT("d/suid", 0755, .uid = 3000000),
		"/d/suid has mode 6755, planned is 0755");
	differs(image, (struct entry)LINK("link", "/d/caps"),
		"/link links to 'd/caps', planned is '/d/caps'");
	differs(image, (struct entry)TEXT("link", 0644),
		"/link is a symlink, planned is a file");
	differs(image,
		(struct entry){ENTRY_CHAR, "dev", .mode = 0666, .mtime = 5, .major = 300,
			       .minor = 70001},
		"/dev is device 300:70000, planned is 300:70001");
	differs(image, (struct entry)TEXT("d/z", 0600),
		"/d/hard has 3 names, planned are 2; and 2 more differences");
	differs(image, (struct entry)HARD("d/z", "d/suid"),
		"/d/hard has 3 names, planned are 2; and 4 more differences");
	assert_int_equal(check(image, entries, ARRAY_SIZE(entries) - 1, &e), -1);
	assert_non_null(
		strstr(e.msg, "/l-" T100 T100 " is a symlink, which is not planned"));
	memcpy(more + 1, entries, sizeof(entries));
	assert_int_equal(check(image, more, ARRAY_SIZE(more), &e), -1);
	assert_non_null(strstr(e.msg, ": /more is missing, planned is a file"));
}

/* A plan in which a file has two names, and an image with two files. */
static void separate_files_are_no_hard_link(void **state)
{
	static const struct entry v[] = {TEXT("a", 0644), TEXT("b", 0644)};
	static const struct entry linked[] = {TEXT("a", 0644), HARD("b", "a")};
	_cleanup_free_ char *image = make_image(*state, v, ARRAY_SIZE(v));
	struct err e = {0};

	assert_int_equal(check(image, v, ARRAY_SIZE(v), &e), 0);
	assert_int_equal(check(image, linked, ARRAY_SIZE(linked), &e), -1);
	assert_non_null(strstr(e.msg, "/a has 1 names, planned are 2"));
}

static void a_damaged_image_is_an_error(void **state)
{
	_cleanup_free_ char *image = make_image(*state, entries, ARRAY_SIZE(entries));
	struct err e = {0};

	assert_int_equal(truncate(image, 200), 0);
	assert_int_equal(check(image, entries, ARRAY_SIZE(entries), &e), -1);
	if (!strstr(e.msg, "cannot be read back"))
		fail_msg("%s", e.msg);
}

static void ids_that_no_file_can_have_are_refused(void **state)
{
	static const struct entry wrong[] = {TEXT("a", 0644, .uid = 4294967295),
					     TEXT("a", 0644, .gid = 4294967296),
					     TEXT("a", 0644, .uid = -2)};
	static const char *const words[] = {"owner is 4294967295", "group is 4294967296",
					    "owner is -2"};
	_cleanup_close_ int fd = memfd_create("tar", MFD_CLOEXEC);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		_cleanup_archive_out_ struct archive_out *out = NULL;
		_cleanup_free_ char *want = xasprintf(
			"tar: member 'a': its %s: an id is at most 4294967294", words[i]);
		struct err e = {0};

		out = archive_out_new(fd, "tar");
		assert_int_equal(archive_out_entry(out, &wrong[i], &e), -1);
		assert_string_equal(e.msg, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_entry_is_in_the_image, setup,
						teardown),
		cmocka_unit_test_setup_teardown(each_difference_is_found, setup,
						teardown),
		cmocka_unit_test_setup_teardown(separate_files_are_no_hard_link, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_damaged_image_is_an_error, setup,
						teardown),
		cmocka_unit_test(ids_that_no_file_can_have_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
