/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pxe/tree.h: a tree is rendered where another one, a part of one or something else is
 * already.
 */
#include "test-tree.h"

/* Returns the number of entries: only the trees and the fixture's files, no temporary
 * folder. */
static size_t count_entries(const char *dir)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	return n - 2;
}

/* Without an exchange of names, rendering is killed after zero, one and two renames. */
static void killed_swap_leaves_a_whole_tree(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *one = xasprintf("%s/one", f->scratch);
	const struct tree_options o = {0};
	struct err e = {0};

	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), 0);
	write_text(one, "http/report/node-1.json", "a report\n");
	no_exchange = killed = true;
	for (int n = 0; n < 3; n++) {
		_cleanup_free_ char *kept = NULL;

		renames_left = n;
		assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), -1);
		renames_left = 100;
		assert_int_equal(access(one, F_OK), n == 1 ? -1 : 0);
		if (render(f, GOLDEN "/plain.cfg", "one", o, &e) < 0)
			fail_msg("%s", e.msg);
		kept = read_text(one, "http/report/node-1.json");
		assert_string_equal(kept, "a report\n");
		assert_int_equal(count_entries(f->scratch), 3); /* image, ipxe, one */
	}
}

static void failed_swap_leaves_the_old_tree(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *one = xasprintf("%s/one", f->scratch), *kept = NULL;
	const struct tree_options o = {0};
	struct err e = {0};

	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), 0);
	write_text(one, "http/report/node-1.json", "a report\n");
	no_exchange = true;
	renames_left = 1;
	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), -1);
	kept = read_text(one, "http/report/node-1.json");
	assert_string_equal(kept, "a report\n");
	assert_int_equal(count_entries(f->scratch), 3);
}

static void set_mtime(const char *dir, const char *name, time_t t)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
	const struct timespec times[2] = {{.tv_sec = t}, {.tv_sec = t}};

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool has_birth_times(const char *dir)
{
	struct timespec t;

	return file_birth_at(AT_FDCWD, dir, &t) == 0;
}

/* Waits until files that are written have a later change time. */
static void await_clock(const char *dir)
{
	_cleanup_free_ char *path = xasprintf("%s/clock", dir);
	struct stat first, now;

	write_text(dir, "clock", "");
	assert_int_equal(stat(path, &first), 0);
	do {
		assert_int_equal(chmod(path, 0644), 0);
		assert_int_equal(stat(path, &now), 0);
	} while (now.st_ctim.tv_sec == first.st_ctim.tv_sec &&
		 now.st_ctim.tv_nsec == first.st_ctim.tv_nsec);
	assert_int_equal(unlink(path), 0);
}

static void assert_report(const char *dir, const char *name, const char *want)
{
	_cleanup_free_ char *path = xasprintf("http/report/%s.json", name);
	_cleanup_free_ char *text = read_text(dir, path);

	if (!want)
		assert_null(text);
	else
		assert_string_equal(text, want);
}

/* Servers go on writing to the same files, and may write to the same folder. */
static void collected_files_are_the_same_after_a_swap(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *one = xasprintf("%s/one", f->scratch);
	_cleanup_free_ char *log = xasprintf("%s/run/access.log", one);
	_cleanup_free_ char *reports = xasprintf("%s/http/report", one);
	const struct tree_options o = {0};
	struct err e = {0};
	struct stat st;
	ino_t before;

	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), 0);
	write_text(one, "run/access.log", "a line\n");
	write_text(one, "http/report/node-1.json", "a report\n");
	assert_int_equal(chmod(reports, 0775), 0);
	before = inode(log);
	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), 0);
	assert_int_equal(inode(log), before);
	assert_int_equal(stat(reports, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0775);
	assert_report(one, "node-1", "a report\n");
}

/*
 * After the swap the process was killed: the old tree has the name of the temporary one.
 * Its reports that the new one has not, or has in an earlier version, are moved.
 */
static void reports_of_a_killed_swap_are_rescued(void **state)
{
	static const struct {
		const char *name, *old, *new, *want; /* NULL: no report */
		bool is_old_later;
	} cases[] = {
		{"only-old", "old", NULL, "old", true},
		{"only-new", NULL, "new", "new", true},
		{"late", "late", "before", "late", true},
		{"since", "before", "since", "since", false},
	};
	struct fixture *f = *state;
	_cleanup_free_ char *one = xasprintf("%s/one", f->scratch);
	_cleanup_free_ char *left = xasprintf("%s/left", f->scratch);
	const struct tree_options o = {0};
	struct err e = {0};

	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), 0);
	assert_int_equal(render(f, GOLDEN "/plain.cfg", "left", o, &e), 0);
	for (int turn = 0; turn < 2; turn++) {
		for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
			_cleanup_free_ char *path =
				xasprintf("http/report/%s.json", cases[i].name);
			bool is_old = cases[i].is_old_later == (turn == 1);
			const char *text = is_old ? cases[i].old : cases[i].new;

			if (!text)
				continue;
			write_text(is_old ? left : one, path, text);
			/* A host chooses this time. */
			if (has_birth_times(one))
				set_mtime(is_old ? left : one, path,
					  turn ? 1 : 4000000000);
		}
		await_clock(one);
	}
	write_text(left, "run/access.log", "a line\n");
	assert_int_equal(tree_rescue(left, one), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_report(one, cases[i].name, cases[i].want);
	assert_int_equal(tree_rescue(left, one), 0);
}

/* Nothing is moved from what is no tree, or to what is none. */
static void rescue_needs_two_trees(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *one = xasprintf("%s/one", f->scratch);
	_cleanup_free_ char *none = xasprintf("%s/none", f->scratch);
	const struct tree_options o = {0};
	struct err e = {0};

	assert_int_equal(render(f, GOLDEN "/plain.cfg", "one", o, &e), 0);
	write_text(one, "http/report/node-1.json", "a report\n");
	assert_int_equal(tree_rescue(f->scratch, one), 0);
	assert_int_equal(tree_rescue(one, none), 0);
	assert_report(one, "node-1", "a report\n");
	assert_int_equal(access(none, F_OK), -1);
}

#define STRANGER 65533

static void give_away(const char *dir, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(lchown(path, STRANGER, STRANGER), 0);
}

static void plant_folder(const char *dir, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(mkdir(path, 0755), 0);
	give_away(dir, name);
}

static void plant_link(const char *target, const char *dir, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(symlink(target, path), 0);
	give_away(dir, name);
}

/* Renders the tree "one" and checks that this is refused with the message "PATH: WHY". */
static void assert_refused(struct fixture *f, const char *path, const char *why)
{
	_cleanup_free_ char *want = xasprintf("%s: %s", path, why);
	struct err e = {0};

	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "one", (struct tree_options){0}, &e), -1);
	assert_string_equal(e.msg, want);
}

/* Everybody who may write to the folder that the tree is in can make ".one.old". It is
 * not used, in whichever way it leads to other files. */
static void planted_old_tree_is_refused(void **state)
{
	static const char foreign[] =
		"belongs to another user (uid 65533): remove it, or chown it if it is "
		"what a killed rackstrap left";
	struct fixture *f = *state;
	_cleanup_free_ char *one = xasprintf("%s/one", f->scratch);
	_cleanup_free_ char *aside = xasprintf("%s/.one.old", f->scratch);
	_cleanup_free_ char *precious = xasprintf("%s/precious", f->scratch);
	_cleanup_free_ char *text = NULL;
	struct err e = {0};

	if (geteuid() != 0)
		skip();
	plant_folder(f->scratch, "precious");
	plant_folder(precious, "report");
	write_text(precious, "tree.cfg", "");
	write_text(precious, "report/passwd", "precious\n");
	plant_folder(f->scratch, ".one.old");
	write_text(aside, "tree.cfg", "");
	plant_link("../precious", aside, "http");
	assert_refused(f, aside, foreign); /* there is no tree: it would get this one */
	assert_int_equal(access(one, F_OK), -1);
	assert_int_equal(rm_rf_at(AT_FDCWD, aside), 0);
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "one", (struct tree_options){0}, &e), 0);
	write_text(one, "http/report/node-1.json", "a report\n");

	plant_link("precious", f->scratch, ".one.old");
	assert_refused(f, aside, foreign);
	assert_int_equal(lchown(aside, geteuid(), getegid()), 0);
	assert_refused(f, aside, "is a symbolic link: remove it");
	assert_int_equal(tree_rescue(precious, one), -EIO);
	assert_int_equal(unlink(aside), 0);

	plant_folder(f->scratch, ".one.old");
	write_text(aside, "tree.cfg", "");
	plant_link("../precious", aside, "http");
	assert_refused(f, aside, foreign);
	text = read_text(precious, "report/passwd");
	assert_string_equal(text, "precious\n");
	assert_report(one, "node-1", "a report\n");
}

/* Its secret would be kept, and its owner could read the files of the hosts. */
static void tree_of_another_user_is_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *one = xasprintf("%s/one", f->scratch);
	struct err e = {0};

	if (geteuid() != 0)
		skip();
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "one", (struct tree_options){0}, &e), 0);
	assert_int_equal(chown(one, 65533, 65533), 0);
	assert_refused(f, one,
		       "belongs to another user (uid 65533): run this as that user, or "
		       "give the tree to this one with chown -R");
	assert_int_equal(chown(one, 0, 0), 0);
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "one", (struct tree_options){0}, &e), 0);
}

static void a_tree_at_a_bad_link_is_refused(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *one = xasprintf("%s/one", f->scratch), *two = NULL;
	struct err e = {0};

	assert_int_equal(symlink("nowhere", one), 0);
	assert_refused(f, one,
		       "is a link to nowhere, which does not exist: remove the link, or "
		       "make that folder");
	assert_int_equal(unlink(one), 0);
	if (geteuid() != 0)
		return;
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "two", (struct tree_options){0}, &e), 0);
	two = xasprintf("%s/two", f->scratch);
	plant_link(two, f->scratch, "one");
	assert_refused(f, one,
		       "is a link of another user (uid 65533): name the folder itself");
	assert_int_equal(lchown(one, 0, 0), 0);
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "one", (struct tree_options){0}, &e), 0);
}

static void links_in_a_tree_are_not_followed(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *one = xasprintf("%s/one", f->scratch);
	_cleanup_free_ char *left = xasprintf("%s/left", f->scratch);
	_cleanup_free_ char *precious = xasprintf("%s/precious", f->scratch);
	_cleanup_free_ char *http = xasprintf("%s/http", one);
	_cleanup_free_ char *report = xasprintf("%s/report", precious);
	_cleanup_free_ char *link = xasprintf("%s/http", left);
	_cleanup_free_ char *text = NULL;
	struct err e = {0};

	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "one", (struct tree_options){0}, &e), 0);
	assert_int_equal(mkdir(precious, 0755), 0);
	assert_int_equal(mkdir(left, 0755), 0);
	assert_int_equal(mkdir(report, 0755), 0);
	write_text(precious, "report/node-1.json", "precious\n");
	write_text(left, "tree.cfg", "");
	assert_int_equal(symlink("../precious", link), 0);
	assert_int_equal(tree_rescue(left, one), -EIO);
	assert_report(one, "node-1", NULL);
	text = read_text(precious, "report/node-1.json");
	assert_string_equal(text, "precious\n");

	assert_int_equal(rm_rf_at(AT_FDCWD, http), 0);
	assert_int_equal(symlink("../precious", http), 0);
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "one", (struct tree_options){0}, &e), -1);
	assert_non_null(strstr(e.msg, "http/report: Not a directory"));
}

/* Whoever owns a file can change it after it was linked. */
static void image_of_another_user_is_copied(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *kernel = image_file(f, "one", "vmlinuz");
	_cleanup_free_ char *root = image_file(f, "one", "root.cpio");
	struct err e = {0};
	ino_t was_kernel, was_root;

	if (geteuid() != 0)
		skip();
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "one", (struct tree_options){0}, &e), 0);
	was_kernel = inode(kernel);
	was_root = inode(root);
	assert_int_equal(chown(kernel, STRANGER, STRANGER), 0);
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "one", (struct tree_options){0}, &e), 0);
	assert_int_not_equal(inode(kernel), was_kernel);
	assert_int_equal(inode(root), was_root);
}

static void other_folder_is_not_replaced(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *dir = xasprintf("%s/precious", f->scratch);
	_cleanup_free_ char *want =
		xasprintf("%s is there and is not a boot tree: name another folder", dir);
	_cleanup_free_ char *text = NULL;
	struct err e = {0};

	assert_int_equal(mkdir(dir, 0755), 0);
	write_text(dir, "notes.txt", "precious\n");
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "precious", (struct tree_options){0}, &e),
		-1);
	assert_string_equal(e.msg, want);
	text = read_text(dir, "notes.txt");
	assert_string_equal(text, "precious\n");
	assert_int_equal(count_entries(f->scratch), 3); /* image, ipxe, precious */
}

static void empty_folder_is_replaced(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *dir = xasprintf("%s/empty", f->scratch);
	struct err e = {0};

	assert_int_equal(mkdir(dir, 0755), 0);
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "empty", (struct tree_options){0}, &e), 0);
	assert_int_equal(count_entries(f->scratch), 3);
}

static void failed_rendering_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *root = xasprintf("%s/root.squashfs", f->image_dir);
	struct err e = {0};

	assert_int_equal(truncate(root, 3), 0); /* after image_open() checked its size */
	assert_int_equal(
		render(f, GOLDEN "/plain.cfg", "t", (struct tree_options){0}, &e), -1);
	assert_non_null(
		strstr(e.msg, "root.squashfs: has 3 bytes, manifest.json says 15"));
	assert_int_equal(count_entries(f->scratch), 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(killed_swap_leaves_a_whole_tree),
		T(failed_swap_leaves_the_old_tree),
		T(collected_files_are_the_same_after_a_swap),
		T(reports_of_a_killed_swap_are_rescued),
		T(rescue_needs_two_trees),
		T(planted_old_tree_is_refused),
		T(tree_of_another_user_is_refused),
		T(a_tree_at_a_bad_link_is_refused),
		T(links_in_a_tree_are_not_followed),
		T(image_of_another_user_is_copied),
		T(other_folder_is_not_replaced),
		T(empty_folder_is_replaced),
		T(failed_rendering_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
