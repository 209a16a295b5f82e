/* SPDX-License-Identifier: Apache-2.0 */
/* builder/common/archive.h and builder/root/extract.h: extracting from valid, damaged and
 * hostile archives. */
#include "test-archive.h"

#include "builder/common/unpack.h"
#include "builder/root/extract.h"

#define TAR ARCHIVE_FORMAT_TAR_PAX_RESTRICTED

/* --- extract ---------------------------------------------------------------------- */

/* Appends "TO DATA\n" for an extracted member. */
static int collect(void *data, const struct recipe_extract *x, const struct entry *entry,
		   struct archive_in *in, struct err *e)
{
	struct buf *b = data;
	char text[256];
	ssize_t n;

	(void)entry;
	buf_printf(b, "%s ", x->to);
	while ((n = archive_in_read(in, text, sizeof(text), e)) > 0)
		buf_add(b, text, (size_t)n);
	buf_puts(b, "\n");
	return n < 0 ? -1 : 0;
}

static int run_extract(const struct bytes *a, const struct recipe_extract *v, size_t n,
		       struct buf *out, struct err *e)
{
	_cleanup_close_ int fd = bytes_fd(a->p, a->len);
	struct archive_limit limit = {.bytes = 1 << 20, .raise = "key 'limit'"};

	return extract(&(struct extract){.v = v,
					 .n = n,
					 .name = "a.tar",
					 .limit = &limit,
					 .sink = collect,
					 .data = out},
		       fd, e);
}

static const struct recipe_extract want_x[] = {{.path = (char *)"bin/x",
						.to = (char *)"/usr/bin/x",
						.mode = 0755,
						.where = (char *)"r.cfg:7"}};

static void every_format_is_extracted(void **state)
{
	static const struct {
		int format, filter;
	} kinds[] = {
		{TAR, ARCHIVE_FILTER_NONE},
		{TAR, ARCHIVE_FILTER_GZIP},
		{TAR, ARCHIVE_FILTER_BZIP2},
		{TAR, ARCHIVE_FILTER_XZ},
		{TAR, ARCHIVE_FILTER_LZMA},
		{TAR, ARCHIVE_FILTER_LZ4},
		{TAR, ARCHIVE_FILTER_ZSTD},
		{ARCHIVE_FORMAT_TAR_GNUTAR, ARCHIVE_FILTER_GZIP},
		{ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE},
		{ARCHIVE_FORMAT_CPIO_SVR4_NOCRC, ARCHIVE_FILTER_GZIP},
		{ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE},
	};
	static const struct member members[] = {
		{"./bin", .type = AE_IFDIR, .mode = 0755},
		{"./bin/a", .data = "not this"},
		{"./bin/x", .data = "this"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		_cleanup_bytes_ struct bytes a =
			make_archive(kinds[i].format, kinds[i].filter, members, 3);
		_cleanup_buf_ struct buf out = {0};
		struct err e = {0};

		if (run_extract(&a, want_x, 1, &out, &e) < 0)
			fail_msg("kind %zu: %s", i, e.msg);
		assert_string_equal(out.p, "/usr/bin/x this\n");
	}
}

/* The official releases are a tar.gz in a tar.gz; here they are also in a zip. */
static void nested_archives_are_extracted(void **state)
{
	static const struct member core[] = {{"k/bin/one", .data = "1"},
					     {"k/bin/two", .data = "22"}};
	_cleanup_bytes_ struct bytes inner =
		make_archive(TAR, ARCHIVE_FILTER_GZIP, core, 2);
	const struct member mid[] = {
		{"k/README", .data = "read me"},
		{"k/server.tar.gz", .data = inner.p, .len = inner.len},
		{"k/LICENSE", .data = "free"},
	};
	_cleanup_bytes_ struct bytes middle =
		make_archive(TAR, ARCHIVE_FILTER_XZ, mid, 3);
	const struct member top[] = {{"all.tar.xz", .data = middle.p, .len = middle.len},
				     {"last", .data = "end"}};
	_cleanup_bytes_ struct bytes outer =
		make_archive(ARCHIVE_FORMAT_ZIP, ARCHIVE_FILTER_NONE, top, 2);
	struct recipe_extract bins[] = {
		{.path = (char *)"k/bin/two", .to = (char *)"/two"},
		{.path = (char *)"./k/bin/one", .to = (char *)"/one"}};
	struct recipe_extract parts[] = {
		{.path = (char *)"k/LICENSE", .to = (char *)"/license"},
		{.path = (char *)"k/server.tar.gz", .v = bins, .n = 2}};
	struct recipe_extract all[] = {
		{.path = (char *)"last", .to = (char *)"/last"},
		{.path = (char *)"all.tar.xz", .v = parts, .n = 2}};
	_cleanup_buf_ struct buf out = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(run_extract(&outer, all, 2, &out, &e), 0);
	/* The order is the archives', not the recipe's. */
	assert_string_equal(out.p, "/one 1\n/two 22\n/license free\n/last end\n");
}

static void missing_nested_member_is_an_error(void **state)
{
	static const struct member core[] = {{"bin/y", .data = "y"}};
	_cleanup_bytes_ struct bytes inner =
		make_archive(TAR, ARCHIVE_FILTER_GZIP, core, 1);
	const struct member top[] = {{"in.tgz", .data = inner.p, .len = inner.len}};
	const struct member cut[] = {{"in.tgz", .data = inner.p, .len = inner.len / 2}};
	const struct member none[] = {{"in.tgz", .data = "no archive at all"}};
	_cleanup_bytes_ struct bytes good =
		make_archive(TAR, ARCHIVE_FILTER_NONE, top, 1);
	_cleanup_bytes_ struct bytes half =
		make_archive(TAR, ARCHIVE_FILTER_NONE, cut, 1);
	_cleanup_bytes_ struct bytes text =
		make_archive(TAR, ARCHIVE_FILTER_NONE, none, 1);
	struct recipe_extract in[] = {{.path = (char *)"bin/x",
				       .to = (char *)"/x",
				       .where = (char *)"r.cfg:9"}};
	struct recipe_extract v[] = {
		{.path = (char *)"in.tgz", .v = in, .n = 1, .where = (char *)"r.cfg:8"}};
	_cleanup_buf_ struct buf out = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(run_extract(&good, v, 1, &out, &e), -1);
	assert_string_equal(e.msg, "a.tar: in.tgz: has no member 'bin/x' (r.cfg:9)");
	assert_int_equal(run_extract(&half, v, 1, &out, &e), -1);
	assert_non_null(str_after(e.msg, "a.tar: in.tgz: "));
	assert_int_equal(run_extract(&text, v, 1, &out, &e), -1);
	assert_string_equal(e.msg, "a.tar: in.tgz: Unrecognized archive format");
	assert_null(out.p);
}

struct refusal {
	struct member m;
	const char *why;
};

static void hostile_members_are_refused(void **state)
{
	static const struct refusal cases[] = {
		{{"/etc/passwd", .data = "x"},
		 "member '/etc/passwd' has an absolute name: archive refused"},
		{{"bin/../../x", .data = "x"},
		 "member 'bin/../../x' has '..' in its name: archive refused"},
		{{"..", .type = AE_IFDIR, .mode = 0755},
		 "member '../' has '..' in its name: archive refused"},
		{{"bin/l", .type = AE_IFLNK, .target = "/etc"},
		 "member 'bin/l' is a symlink to something outside it: archive refused"},
		{{"bin/l", .type = AE_IFLNK, .target = "../../etc"},
		 "member 'bin/l' is a symlink to something outside it: archive refused"},
		{{"bin/l", .type = AE_IFLNK, .target = "a/../../../etc"},
		 "member 'bin/l' is a symlink to something outside it: archive refused"},
		{{"h", .target = "../etc/shadow", .hard = true},
		 "member 'h' is a hard link to something outside it: archive refused"},
		{{"h", .target = "/etc/shadow", .hard = true},
		 "member 'h' is a hard link to something outside it: archive refused"},
		{{"dev/sda", .type = AE_IFBLK},
		 "member 'dev/sda' is a device or another special file: archive refused"},
		{{"dev/null", .type = AE_IFCHR},
		 "member 'dev/null' is a device or another special file: archive "
		 "refused"},
		{{"pipe", .type = AE_IFIFO},
		 "member 'pipe' is a device or another special file: archive refused"},
		{{"./bin//x", .data = "again"},
		 "member './bin//x' is there twice: archive refused"},
	};

	(void)state;
	/* The hostile member comes after the wanted one; the archive is refused all the
	 * same. */
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct member members[] = {{"bin/x", .data = "x"}, cases[i].m};
		_cleanup_bytes_ struct bytes a =
			make_archive(TAR, ARCHIVE_FILTER_NONE, members, 2);
		_cleanup_free_ char *want = xasprintf("a.tar: %s", cases[i].why);
		_cleanup_buf_ struct buf out = {0};
		struct err e = {0};

		if (run_extract(&a, want_x, 1, &out, &e) != -1)
			fail_msg("taken: %s", cases[i].m.path);
		assert_string_equal(e.msg, want);
		assert_int_equal(e.code, ERR_FAILED);
	}
}

/* Links that stay inside the archive are accepted unless one is the wanted member
 * itself. */
static void links_inside_are_accepted(void **state)
{
	static const struct member members[] = {
		{"bin/x", .data = "x"},
		{"bin/l", .type = AE_IFLNK, .target = "../lib/l"},
		{"bin/m", .type = AE_IFLNK, .target = "./../bin/x"},
		{"h", .target = "bin/x", .hard = true},
	};
	static const struct recipe_extract link[] = {{.path = (char *)"bin/l",
						      .to = (char *)"/l",
						      .where = (char *)"r.cfg:3"}};
	static const struct recipe_extract hard[] = {
		{.path = (char *)"h", .to = (char *)"/h", .where = (char *)"r.cfg:4"}};
	_cleanup_bytes_ struct bytes a =
		make_archive(TAR, ARCHIVE_FILTER_NONE, members, 4);
	_cleanup_buf_ struct buf out = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(run_extract(&a, want_x, 1, &out, &e), 0);
	assert_int_equal(run_extract(&a, link, 1, &out, &e), -1);
	assert_string_equal(e.msg, "a.tar: member 'bin/l' is a symlink to ../lib/l, not "
				   "a file (r.cfg:3)");
	assert_int_equal(run_extract(&a, hard, 1, &out, &e), -1);
	assert_string_equal(e.msg, "a.tar: member 'h' is a hard link to bin/x, not a "
				   "file (r.cfg:4)");
}

static void damaged_archives_are_refused(void **state)
{
	static char noise[400000];
	uint32_t x = 1;
	const struct member members[] = {
		{"bin/x", .data = noise, .len = sizeof(noise)},
	};
	_cleanup_bytes_ struct bytes tar = {0}, gz = {0}, xz = {0};
	struct bytes cut, page = {(char *)"<!doctype html>", 15}, empty = {(char *)"", 0};
	_cleanup_buf_ struct buf out = {0};
	struct err e = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (char)((x = x * 1664525 + 1013904223) >> 24);
	tar = make_archive(TAR, ARCHIVE_FILTER_NONE, members, 1);
	gz = make_archive(TAR, ARCHIVE_FILTER_GZIP, members, 1);
	xz = make_archive(TAR, ARCHIVE_FILTER_XZ, members, 1);
	cut = (struct bytes){tar.p, tar.len / 2};
	assert_int_equal(run_extract(&cut, want_x, 1, &out, &e), -1);
	assert_string_equal(e.msg, "a.tar: at member 'bin/x': Truncated tar archive");
	cut = (struct bytes){gz.p, gz.len / 2};
	assert_int_equal(run_extract(&cut, want_x, 1, &out, &e), -1);
	assert_string_equal(e.msg, "a.tar: truncated gzip input");
	/* libarchive does not check gzip's checksum; the digest of the input protects it.
	 * A checksum that libarchive does check is refused here. */
	xz.p[xz.len / 2] ^= 0x55;
	assert_int_equal(run_extract(&xz, want_x, 1, &out, &e), -1);
	assert_string_equal(e.msg, "a.tar: damaged xz data");
	assert_int_equal(run_extract(&page, want_x, 1, &out, &e), -1);
	assert_string_equal(e.msg, "a.tar: Unrecognized archive format");
	assert_int_equal(run_extract(&empty, want_x, 1, &out, &e), -1);
	assert_string_equal(e.msg, "a.tar: Unrecognized archive format");
}

/* --- limits ------------------------------------------------------------------------ */

static char blank[400000];

static void texts_are_read_up_to_a_limit(_unused_ void **state)
{
	const struct member members[] = {{.path = "empty"},
					 {"three", .data = "abc", .len = 3},
					 {"four", .data = "abcd", .len = 4}};
	_cleanup_bytes_ struct bytes a = make_archive(TAR, ARCHIVE_FILTER_XZ, members, 3);
	_cleanup_close_ int fd = bytes_fd(a.p, a.len);
	_cleanup_archive_in_ struct archive_in *in = NULL;
	const struct archive_source from = {.name = "a", .fd = fd};
	_cleanup_buf_ struct buf none = {0}, three = {0}, four = {0};
	const struct entry *entry;
	struct err e = {0};

	assert_int_equal(archive_in_open(&in, &from, &e), 0);
	assert_int_equal(archive_in_next(in, &entry, &e), 1);
	assert_int_equal(archive_in_text(in, 3, &none, &e), 1);
	assert_string_equal(none.p, "");
	assert_int_equal(archive_in_next(in, &entry, &e), 1);
	assert_int_equal(archive_in_text(in, 3, &three, &e), 1);
	assert_string_equal(three.p, "abc");
	assert_int_equal(archive_in_next(in, &entry, &e), 1);
	assert_int_equal(archive_in_text(in, 3, &four, &e), 0);
}

/* Each archive unpacks to less than the limit of 1 MiB, all of them to more. */
static void one_limit_holds_for_all_archives(void **state)
{
	static const struct member core[] = {
		{"bin/x", .data = blank, .len = sizeof(blank)}};
	_cleanup_bytes_ struct bytes in = make_archive(TAR, ARCHIVE_FILTER_GZIP, core, 1);
	const struct member top[] = {{"1.tgz", .data = in.p, .len = in.len},
				     {"2.tgz", .data = in.p, .len = in.len},
				     {"3.tgz", .data = in.p, .len = in.len}};
	_cleanup_bytes_ struct bytes a = make_archive(TAR, ARCHIVE_FILTER_XZ, top, 3);
	static struct recipe_extract none = {.path = (char *)"bin/x", .to = (char *)"/x"};
	struct recipe_extract v[] = {{.path = (char *)"1.tgz", .v = &none, .n = 1},
				     {.path = (char *)"2.tgz", .v = &none, .n = 1},
				     {.path = (char *)"3.tgz", .v = &none, .n = 1}};
	_cleanup_buf_ struct buf out = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(run_extract(&a, v, 2, &out, &e), 0);
	assert_int_equal(run_extract(&a, v, 3, &out, &e), -1);
	assert_string_equal(e.msg,
			    "a.tar: 3.tgz: at member 'bin/x': unpacks to more than "
			    "the limit of 1.0 MiB: refused (key 'limit' raises "
			    "the limit)");
}

static int read_all(const struct bytes *a, struct archive_limit *limit, struct err *e)
{
	_cleanup_close_ int fd = bytes_fd(a->p, a->len);
	_cleanup_archive_in_ struct archive_in *in = NULL;
	const struct entry *entry;
	int r = archive_in_open(
		&in, &(struct archive_source){.name = "a", .fd = fd, .limit = limit}, e);

	while (r == 0 && (r = archive_in_next(in, &entry, e)) > 0)
		r = 0;
	return r;
}

static void members_and_names_are_limited(void **state)
{
	_cleanup_free_ char *name = xcalloc(ARCHIVE_NAME_MAX + 2, 1);
	const struct member members[] = {{.path = "a"}, {.path = "b"}, {.path = name}};
	_cleanup_bytes_ struct bytes fits = {0}, over = {0};
	struct archive_limit two = {.members = 2}, none = {0}, again = {0};
	struct err e = {0};

	(void)state;
	memset(name, 'n', ARCHIVE_NAME_MAX);
	fits = make_archive(TAR, ARCHIVE_FILTER_NONE, members, 3);
	name[ARCHIVE_NAME_MAX] = 'n';
	over = make_archive(TAR, ARCHIVE_FILTER_NONE, members, 3);
	assert_int_equal(read_all(&fits, &none, &e), 0);
	assert_int_equal(none.n_members, 3);
	assert_int_equal(none.names, ARCHIVE_NAME_MAX + 2);
	assert_int_equal(read_all(&over, &again, &e), -1);
	assert_string_equal(e.msg,
			    "a: member 3 has a name of more than 4095 bytes: refused");
	assert_int_equal(read_all(&fits, &two, &e), -1);
	assert_string_equal(e.msg, "a: has more than 2 members: refused");
}

/* Skipped data counts, too, and a hole in a plain tar is data of its member. */
static void unread_data_counts(void **state)
{
	static const struct member members[] = {
		{"a", .data = blank, .len = sizeof(blank)},
		{"b", .data = blank, .len = sizeof(blank)}};
	struct archive_limit enough = {.bytes = 900000}, less = {.bytes = 700000};
	struct err e = {0};

	(void)state;
	for (int filter = 0; filter < 2; filter++) {
		_cleanup_bytes_ struct bytes a = make_archive(
			TAR, filter ? ARCHIVE_FILTER_ZSTD : ARCHIVE_FILTER_NONE, members,
			2);

		enough.used = less.used = 0;
		assert_int_equal(read_all(&a, &enough, &e), 0);
		assert_in_range(enough.used, 2 * sizeof(blank), 900000);
		assert_int_equal(read_all(&a, &less, &e), -1);
		assert_string_equal(e.msg, "a: at member 'b': unpacks to more than the "
					   "limit of 683.6 KiB: refused");
		assert_in_range(less.used, 0, 700000);
	}
}

static void compression_is_detected(void **state)
{
	static const struct {
		const char *head;
		size_t len;
		const char *name;
	} cases[] = {
		{"\x28\xb5\x2f\xfd", 4, "zstd"},
		{"\x28\xb5\x2f", 3, NULL},
		{"\x1f\x8b\x08", 3, "gzip"},
		{"BZh9\x31\x41\x59\x26\x53\x59", 10, "bzip2"},
		{"BZh9.tar\0\0", 10, NULL}, /* a tar with that name */
		{"\xfd\x37\x7a\x58\x5a\x00", 6, "xz"},
		{"\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff", 13, "lzma"},
		{"\x5d\0\0\x80\0\x09\0\0\0\0\0\0\0", 13, "lzma"},
		{"]\0\0\0\0\0\0\0\0\0\0\0\0", 13, NULL}, /* a tar of "]" */
		{"\x04\x22\x4d\x18", 4, "lz4"},
		{"", 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct unpack_type *t = unpack_detect(cases[i].head, cases[i].len);

		assert_int_equal(!!t, !!cases[i].name);
		if (t)
			assert_string_equal(t->name, cases[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_is_extracted),
		cmocka_unit_test(nested_archives_are_extracted),
		cmocka_unit_test(missing_nested_member_is_an_error),
		cmocka_unit_test(hostile_members_are_refused),
		cmocka_unit_test(links_inside_are_accepted),
		cmocka_unit_test(damaged_archives_are_refused),
		cmocka_unit_test(texts_are_read_up_to_a_limit),
		cmocka_unit_test(one_limit_holds_for_all_archives),
		cmocka_unit_test(members_and_names_are_limited),
		cmocka_unit_test(unread_data_counts),
		cmocka_unit_test(compression_is_detected),
	};

	return cmocka_run_group_tests_name("archive", tests, NULL, NULL);
}
