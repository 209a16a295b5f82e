/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/status-files.h: when and how the files are written. test/cli/page.sh has what is in
 * them. */
#include "pxe/status-files.h"

#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NOW 1700000000000

struct fixture {
	char *dir, *page;
	struct tree_info info;
	struct status_files files;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	_cleanup_free_ char *reports = NULL, *run = NULL;
	struct err e = {0};

	f->dir = make_scratch();
	f->page = xasprintf("%s/" TREE_STATUS "/index.html", f->dir);
	reports = xasprintf("%s/" TREE_REPORTS, f->dir);
	run = xasprintf("%s/run", f->dir);
	write_text(f->dir, TREE_INFO,
		   "version = 1; rack = \"r\"; image = \"i\"; boot_server = \"10.0.0.1\";"
		   "http_port = 80; proxy_dhcp = false; hosts = ("
		   "{ name = \"a\"; role = \"node\"; mac = \"02:00:00:00:00:0a\"; "
		   "address = \"10.0.0.10/24\"; });");
	if (mkdir_p_at(AT_FDCWD, reports, 0755) < 0 ||
	    mkdir_p_at(AT_FDCWD, run, 0755) < 0 ||
	    tree_info_read(&f->info, f->dir, &e) < 0)
		fail_msg("%s", e.msg);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	status_files_done(&f->files);
	tree_info_done(&f->info);
	rm_rf_p(&f->dir);
	free(f->page);
	free(f);
	return 0;
}

static ino_t inode(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_ino;
}

static void write_report(const struct fixture *f)
{
	write_text(f->dir, TREE_REPORTS "/a.json",
		   "{\"format\":1,\"host\":\"a\",\"verdict\":\"ready\","
		   "\"generation\":0,\"uptime_ms\":5,\"phases\":[],\"units\":[]}");
}

static void all_files_are_there_from_the_start(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"index.html", "status.json", "metrics"};

	status_files_open(&f->files, f->dir, &f->info, NOW);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path =
			xasprintf("%s/" TREE_STATUS "/%s", f->dir, names[i]);
		struct stat st;

		assert_int_equal(lstat(path, &st), 0);
		assert_int_equal(st.st_mode, S_IFREG | 0644);
		assert_true(st.st_size > 0);
	}
	assert_false(f->files.fault);
}

static void a_change_is_written_after_a_pause(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *text = NULL;
	ino_t first;

	status_files_open(&f->files, f->dir, &f->info, NOW);
	f->files.took_ms = 0;
	first = inode(f->page);
	write_report(f);
	while (status_files_turn(&f->files, NOW + 1999))
		;
	assert_int_equal(inode(f->page), first);
	(void)status_files_turn(&f->files, NOW + 2000);
	assert_int_not_equal(inode(f->page), first);
	text = read_text(f->dir, TREE_STATUS "/index.html");
	assert_non_null(strstr(text, "<strong>1</strong> of 1 host ready"));
}

static void without_a_change_it_is_written_seldom(void **state)
{
	struct fixture *f = *state;
	ino_t first;

	status_files_open(&f->files, f->dir, &f->info, NOW);
	f->files.took_ms = 0;
	first = inode(f->page);
	(void)status_files_turn(&f->files, NOW + 14999);
	assert_int_equal(inode(f->page), first);
	(void)status_files_turn(&f->files, NOW + 15000);
	assert_int_not_equal(inode(f->page), first);
}

/* A page that takes a second to make is made in at most a twentieth of the time. */
static void a_large_page_is_written_more_seldom(void **state)
{
	struct fixture *f = *state;
	ino_t first;

	status_files_open(&f->files, f->dir, &f->info, NOW);
	f->files.took_ms = 1000;
	first = inode(f->page);
	write_report(f);
	while (status_files_turn(&f->files, NOW + 19999))
		;
	assert_int_equal(inode(f->page), first);
	(void)status_files_turn(&f->files, NOW + 20000);
	assert_int_not_equal(inode(f->page), first);
}

static void a_clock_that_is_set_back_stops_nothing(void **state)
{
	struct fixture *f = *state;
	ino_t first;

	status_files_open(&f->files, f->dir, &f->info, NOW);
	first = inode(f->page);
	(void)status_files_turn(&f->files, NOW - 3600 * 1000);
	assert_int_not_equal(inode(f->page), first);
}

/* A tree may have been made by somebody else. */
static void links_are_not_followed(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *link = xasprintf("%s/" TREE_STATUS, f->dir);
	_cleanup_free_ char *target = xasprintf("%s/elsewhere", f->dir);
	_cleanup_free_ char *file = xasprintf("%s/.index.html.new", target);
	_cleanup_free_ char *victim = xasprintf("%s/victim", f->dir);
	_cleanup_free_ char *text = NULL;

	assert_int_equal(mkdir(target, 0755), 0);
	assert_int_equal(symlink("../elsewhere", link), 0);
	status_files_open(&f->files, f->dir, &f->info, NOW);
	assert_true(f->files.fault);
	assert_true(dir_is_empty(target));
	status_files_done(&f->files);

	assert_int_equal(unlink(link), 0);
	assert_int_equal(rename(target, link), 0);
	free(file);
	file = xasprintf("%s/.index.html.new", link);
	write_text(f->dir, "victim", "as it was");
	assert_int_equal(symlink(victim, file), 0);
	status_files_open(&f->files, f->dir, &f->info, NOW);
	assert_false(f->files.fault);
	text = read_text(f->dir, "victim");
	assert_string_equal(text, "as it was");
	assert_true(inode(f->page) != inode(victim));
}

static void a_larger_rack_is_loaded_more_seldom(void **state _unused_)
{
	assert_int_equal(status_files_refresh_s(0), 5);
	assert_int_equal(status_files_refresh_s(1000), 15);
	assert_int_equal(status_files_refresh_s(10000), 60);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(all_files_are_there_from_the_start),
		T(a_change_is_written_after_a_pause),
		T(without_a_change_it_is_written_seldom),
		T(a_large_page_is_written_more_seldom),
		T(a_clock_that_is_set_back_stops_nothing),
		T(links_are_not_followed),
		cmocka_unit_test(a_larger_rack_is_loaded_more_seldom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
