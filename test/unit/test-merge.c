/* SPDX-License-Identifier: Apache-2.0 */
/* builder/root/merge.h and merge-plan.h: which entry of a path is in the root image. */
#include "test-merge.h"

/* --- precedence ------------------------------------------------------------------- */

static void base_alone_is_copied(void **state)
{
	(void)state;
	merged(NULL);
	assert_non_null(str_after(w.text, "directory / 0755 0:0 5\n"));
	has("symlink /lib 0777 0:0 5 -> usr/lib");
	has("hard link /usr/lib/second 0644 0:0 5 -> usr/lib/first");
	has("directory /tmp 1777 0:0 5");
	has("file /late 0644 7:8 1000 'later'"); /* later times are set to the epoch */
	assert_int_equal(w.stats.entries, ARRAY_SIZE(base_entries));
}

static void entries_of_the_recipe_win(void **state)
{
	(void)state;
	file("/etc/hosts", "ours");
	file("/lib/new/deep/x", "x"); /* follows the link, makes parents */
	layer_add_link(&w.layer, "/etc/shadow-link", "shadow", "t", "r.cfg:2");
	layer_add(&w.layer, ENTRY_DIR, "/tmp", 0700, "t", "r.cfg:3");
	layer_add_link(&w.layer, "/usr/lib/second", "first", "t", "r.cfg:4");
	merged(NULL);
	has("file /etc/hosts 0600 0:0 1000 'ours'");
	assert_int_equal(count(" /etc/hosts "), 1);
	has("file /usr/lib/new/deep/x 0600 0:0 1000 'x'");
	has("directory /usr/lib/new 0755 0:0 1000");
	has("directory /usr/lib/new/deep 0755 0:0 1000");
	has("symlink /etc/shadow-link 0777 0:0 1000 -> shadow");
	has("directory /tmp 0700 0:0 1000");
	assert_int_equal(count(" /tmp "), 1);
	has("symlink /usr/lib/second 0777 0:0 1000 -> first");
	has("hard link /usr/lib/third 0644 0:0 5 -> usr/lib/first");
	assert_string_equal(layer_find(&w.layer, "etc/hosts")->sha256,
			    "ae0bec9e9d33c56354bd612c8a6010840324"
			    "fc5b9786ce0a18b696b304b09397");
}

/* A folder of the base that gets another mode keeps its place in the stream: before its
 * content, which stays. */
static void folder_with_new_mode_keeps_its_content(void **state)
{
	const char *folder, *in_it;

	(void)state;
	layer_add(&w.layer, ENTRY_DIR, "/usr/share/doc", 0700, "t", "r.cfg:1");
	merged(NULL);
	folder = strstr(w.text, "directory /usr/share/doc 0700 0:0 1000\n");
	in_it = strstr(w.text, "file /usr/share/doc/a/copyright ");
	assert_non_null(folder);
	assert_non_null(in_it);
	assert_true(folder < in_it);
	assert_int_equal(count(" /usr/share/doc "), 1);
}

static void excluded_hard_link_is_moved_to_next_name(void **state)
{
	char *exclude[] = {(char *)"/usr/lib/first", NULL};

	(void)state;
	merged(exclude);
	lacks("usr/lib/first");
	has("file /usr/lib/second 0644 0:0 5 'data'");
	has("hard link /usr/lib/third 0644 0:0 5 -> usr/lib/second");
	assert_int_equal(w.stats.entries, ARRAY_SIZE(base_entries) - 1);
}

static void excludes_apply_to_the_base(void **state)
{
	char *exclude[] = {(char *)"/usr/share/*", (char *)"/etc/h?sts", (char *)"/lat",
			   NULL};

	(void)state;
	file("/usr/share/doc/ours", "kept"); /* excludes apply only to the base */
	merged(exclude);
	has("directory /usr/share 0755 0:0 5");
	has("directory /usr/share/doc 0755 0:0 5"); /* the parent of our file stays */
	has("file /usr/share/doc/ours 0600 0:0 1000 'kept'");
	lacks("usr/share/doc/a");
	lacks("usr/share/doc/a/copyright");
	lacks("etc/hosts");
	assert_int_equal(count(" /late "), 1); /* a name does not match as a prefix */
}

/* --- conflicts -------------------------------------------------------------------- */

static void conflicts_are_refused(void **state)
{
	static const char *const want[] = {
		"r.cfg:1: /etc/hosts is written already (r.cfg:1)",
		"r.cfg:1: /etc/hosts/below cannot be inside /etc/hosts, which is a file "
		"(r.cfg:1)",
		"r.cfg:1: /late/below cannot be inside /late, which is a file in the "
		"base",
		"r.cfg:1: /usr/lib is a directory in the base",
	};

	(void)state;
	file("/etc/hosts", "a");
	file("/etc//./hosts", "b");
	file("/etc/hosts/below", "c");
	file("/late/below", "d");
	file("/usr/lib", "e");
	/* an entry that replaces the base's link is not inside its target */
	refused(want, ARRAY_SIZE(want));
}

static void unlocked_root_is_refused(void **state)
{
	static const char *const want[] = {"r.cfg:1: /etc/shadow: root must be locked "
					   "(root:*:); log in with ssh keys"};

	(void)state;
	file("/etc/shadow", "bin:*:1:\nroot:$6$x$y:1:\n");
	refused(want, 1);
}

static void missing_root_is_refused(void **state)
{
	static const char *const want[] = {
		"r.cfg:1: /etc/shadow has no line for root: anybody could "
		"log in as root"};

	(void)state;
	file("/etc/shadow", "toor:*:1:\n");
	refused(want, 1);
}

static void world_writable_files_are_refused(void **state)
{
	static const struct entry bad[] = {
		DIR("./", 0755),
		DIR("./etc", 0755),
		TEXT("./etc/shadow", 0640, "root:!:1:\n"),
		TEXT("./open", 0666, "x"),
		DIR("./drop", 0777),
		LINK("./link", "open"), /* a symlink's mode does not count */
	};
	static const char *const want[] = {
		"base: /open is a file that everybody may write to (mode 0666): exclude "
		"it, or replace it by an entry of 'files'",
		"base: /drop is a directory that everybody may write to (mode 0777): "
		"exclude it, or replace it by an entry of 'files'",
	};

	teardown(state);
	w = (struct world){.tar = make_base(bad, ARRAY_SIZE(bad))};
	assert_int_equal(index_read(&w.index, w.tar, NULL, want_all, NULL, NULL), 0);
	w.layer.base = &w.index;
	w.layer.d = &w.diag;
	refused(want, 2);
}

static void dangling_hard_link_is_refused(void **state)
{
	static const struct entry bad[] = {
		DIR("./", 0755),
		DIR("./etc", 0755),
		TEXT("./etc/shadow", 0640, "root:!:1:\n"),
		HARD("./a", "b"),
	};
	static const char *const want[] = {"base: /a is a hard link to /b, which is not "
					   "a file before it in root.tar"};

	teardown(state);
	w = (struct world){.tar = make_base(bad, ARRAY_SIZE(bad))};
	assert_int_equal(index_read(&w.index, w.tar, NULL, want_all, NULL, NULL), 0);
	w.layer.base = &w.index;
	w.layer.d = &w.diag;
	refused(want, 1);
}

static void set_base(const struct entry *v, size_t n)
{
	teardown(NULL);
	setup_from(v, n);
}

#define SHADOW                                                                           \
	DIR("./", 0755), DIR("./etc", 0755), TEXT("./etc/shadow", 0640, "root:!:1:\n")

/* tar(1) extracts it so: a link that came in between keeps the first file's data. */
static void the_last_of_several_members_wins(void **state)
{
	static const struct entry twice[] = {
		SHADOW,
		TEXT("./a", 0644, "old"),
		HARD("./kept", "a"),
		TEXT("./a", 0600, "new"),
		HARD("./b", "./a"),
		DIR("./d", 0700),
		TEXT("./d/x", 0644, "x"),
		DIR("./d/", 0711),
		LINK("./l", "a"),
		LINK("./l", "b"),
	};

	(void)state;
	set_base(twice, ARRAY_SIZE(twice));
	merged(NULL);
	has("file /a 0600 0:0 5 'new'");
	assert_int_equal(count(" /a "), 1);
	has("file /kept 0644 0:0 5 'old'");
	has("hard link /b 0644 0:0 5 -> a");
	has("directory /d 0711 0:0 5");
	assert_int_equal(count(" /d "), 1);
	has("symlink /l 0777 0:0 5 -> b");
	assert_int_equal(w.stats.entries, ARRAY_SIZE(twice) - 3);
}

static void hard_links_are_followed(void **state)
{
	static const struct entry links[] = {
		SHADOW,           TEXT("./a", 0644, "a"), HARD("./b", "a"),
		HARD("./c", "b"), LINK("./s", "a"),       HARD("./t", "s"),
		HARD("./u", "t"),
	};

	(void)state;
	set_base(links, ARRAY_SIZE(links));
	merged(NULL);
	has("hard link /c 0644 0:0 5 -> a");
	has("symlink /t 0777 0:0 5 -> a");
	has("symlink /u 0777 0:0 5 -> a");
}

static void times_are_limited(void **state)
{
	static const struct entry times[] = {
		SHADOW,
		{ENTRY_DIR, "./before", .mode = 0755, .mtime = -5},
		{ENTRY_DIR, "./after", .mode = 0755, .mtime = 1LL << 40},
	};

	(void)state;
	set_base(times, ARRAY_SIZE(times));
	merged(NULL);
	has("directory /before 0755 0:0 0");
	has("directory /after 0755 0:0 1000");
}

static void members_in_a_file_are_refused(void **state)
{
	static const struct entry in[] = {
		SHADOW,
		DIR("./a", 0755),
		TEXT("./a/b", 0644, "x"),
		TEXT("./a", 0644, "x"),
	};
	static const char *const want[] = {"base: /a/b is in /a, which is a file"};

	(void)state;
	set_base(in, ARRAY_SIZE(in));
	refused(want, 1);
}

static void loop_of_symlinks_is_refused(void **state)
{
	static const struct entry round[] = {
		DIR("./", 0755),
		LINK("./a", "b"),
		LINK("./b", "a"),
	};

	(void)state;
	set_base(round, ARRAY_SIZE(round));
	file("/a/x", "x");
	assert_int_equal(w.diag.n, 1);
	assert_string_equal(
		w.diag.lines[0],
		"r.cfg:1: /a/x: symlinks of the base form a loop or lead to '/'");
}

static void globs_that_match_nothing_are_known(void **state)
{
	(void)state;
	assert_true(merge_plan_matches("/usr/share/doc/*", &w.index));
	assert_true(merge_plan_matches("/etc/hosts", &w.index));
	assert_false(merge_plan_matches("/etc/host", &w.index));
	assert_false(merge_plan_matches("/usr/share/man/*", &w.index));
}

static void files_of_the_host_are_refused(void **state)
{
	static const struct entry links[] = {
		DIR("./", 0755),
		DIR("./run/", 0755),
		DIR("./var/", 0755),
		LINK("./var/run", "/run"),
	};

	(void)state;
	set_base(links, ARRAY_SIZE(links));
	file("/var/run/rackstrap/host.cfg", "x");
	file("/var/run/rackstrap-other", "x");
	assert_int_equal(w.diag.n, 1);
	assert_string_equal(w.diag.lines[0], "r.cfg:1: /run/rackstrap/host.cfg is made "
					     "by firstboot itself");
}

/* The caller compares the base's digest with the one that it must have. */
static void tap_gets_the_whole_base(void **state)
{
	_cleanup_digest_ struct digest *tap = digest_new(DIGEST_SHA256),
				       *again = digest_new(DIGEST_SHA256);
	char want[DIGEST_HEX_MAX], got[DIGEST_HEX_MAX];
	_cleanup_index_ struct index index = {0};
	struct err e = {0};

	(void)state;
	assert_int_equal(lseek(w.tar, 0, SEEK_SET), 0);
	assert_int_equal(digest_fd(w.tar, DIGEST_SHA256, want, NULL), 0);
	assert_int_equal(do_merge(NULL, tap, &e), 0);
	assert_string_equal(digest_hex(tap, got), want);
	assert_int_equal(index_read(&index, w.tar, again, want_all, NULL, &e), 0);
	assert_string_equal(digest_hex(again, got), want);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(base_alone_is_copied),
		CASE(entries_of_the_recipe_win),
		CASE(folder_with_new_mode_keeps_its_content),
		CASE(excluded_hard_link_is_moved_to_next_name),
		CASE(excludes_apply_to_the_base),
		CASE(conflicts_are_refused),
		CASE(unlocked_root_is_refused),
		CASE(missing_root_is_refused),
		CASE(world_writable_files_are_refused),
		CASE(dangling_hard_link_is_refused),
		CASE(the_last_of_several_members_wins),
		CASE(hard_links_are_followed),
		CASE(times_are_limited),
		CASE(members_in_a_file_are_refused),
		CASE(loop_of_symlinks_is_refused),
		CASE(files_of_the_host_are_refused),
		CASE(globs_that_match_nothing_are_known),
		CASE(tap_gets_the_whole_base),
	};

	return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
