/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/scratch.h: a sweep removes the folders of dead processes, and nothing else. A
 * process dies here by closing the folder's descriptor, which ends the lock as its end
 * would.
 */
#include "lib/scratch.h"

#include "lib/dir.h"
#include "lib/file.h"
#include "lib/log.h"
#include "lib/str.h"

#include "test-tempdir.h"

#include <setjmp.h>
#include <stdarg.h>

#include <linux/magic.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include <cmocka.h>

static bool fsync_fails, on_nfs;

/* Replaces the C library's function. */
int fsync(int fd)
{
	if (!fsync_fails)
		return (int)syscall(SYS_fsync, fd);
	errno = EIO;
	return -1;
}

/* Replaces the C library's function. */
int fstatfs(int fd, struct statfs *ret)
{
	int r = (int)syscall(SYS_fstatfs, fd, ret);

	if (on_nfs)
		ret->f_type = NFS_SUPER_MAGIC;
	return r;
}

static char *top, *records;
static char *removed[8];
static size_t n_removed;
static int remover_result;

static int setup(_unused_ void **state)
{
	if (tempdir_make("/tmp", "test-scratch", &top) < 0)
		return -1;
	records = xasprintf("%s/cache/left", top);
	return 0;
}

static void forget_removed(void)
{
	while (n_removed > 0)
		free(removed[--n_removed]);
}

static int teardown(_unused_ void **state)
{
	log_setup("test", LOG_LEVEL_INFO);
	forget_removed();
	remover_result = 0;
	fsync_fails = on_nfs = false;
	free(records);
	rm_rf_p(&top);
	top = records = NULL;
	return 0;
}

/* A scratch_remover that keeps "PATH[ for TARGET]". */
static int remover(const char *path, const char *target)
{
	assert_true(n_removed < ARRAY_SIZE(removed));
	removed[n_removed++] =
		target ? xasprintf("%s for %s", path, target) : xstrdup(path);
	return remover_result < 0 ? remover_result : rm_rf_at(AT_FDCWD, path);
}

static struct scratch make(const char *target)
{
	struct scratch s;
	struct err e = {0};

	if (scratch_make(&s, records, top, ".tree", target, &e) < 0)
		fail_msg("%s", e.msg);
	return s;
}

/* Returns the path of a folder whose process is dead. Owned. */
static char *make_dead(const char *target, char **ret_record)
{
	struct scratch s = make(target);

	close(s.lock);
	free(s.inside);
	if (ret_record)
		*ret_record = s.record;
	else
		free(s.record);
	return s.path;
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static size_t count_records(void)
{
	_cleanup_strv_ char **names = NULL;

	assert_int_equal(dir_names_at(AT_FDCWD, records, &names), 0);
	return strv_len(names);
}

static void folder_is_made_and_removed(_unused_ void **state)
{
	struct scratch s = make(NULL);
	_cleanup_free_ char *path = xstrdup(s.path), *record = xstrdup(s.record);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	assert_true(scratch_is_named(strrchr(path, '/') + 1, ".tree"));
	assert_true(is_there(record));
	assert_int_equal(stat(records, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	*strrchr(record, '/') = '\0';
	*strrchr(record, '/') = '\0';
	assert_int_equal(stat(record, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	free(record);
	record = xstrdup(s.record);
	scratch_done(&s);
	assert_false(is_there(path));
	assert_false(is_there(record));
	assert_null(s.path);
}

static void living_process_keeps_its_folder(_unused_ void **state)
{
	_cleanup_scratch_ struct scratch s = make(NULL);

	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 0);
	assert_true(is_there(s.path));
	assert_true(is_there(s.record));
}

static void dead_process_loses_its_folder(_unused_ void **state)
{
	_cleanup_free_ char *record = NULL, *path = make_dead("/srv/tree", &record);
	_cleanup_free_ char *want = xasprintf("%s for /srv/tree", path);

	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 1);
	assert_string_equal(removed[0], want);
	assert_false(is_there(path));
	assert_false(is_there(record));
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 1);
}

static void failed_removal_is_tried_again(_unused_ void **state)
{
	_cleanup_free_ char *path = make_dead(NULL, NULL);

	log_setup("test", LOG_LEVEL_ERROR);
	remover_result = -EPERM;
	scratch_sweep(records, remover);
	assert_int_equal(count_records(), 1);
	remover_result = 0;
	scratch_sweep(records, remover);
	assert_false(is_there(path));
	assert_int_equal(count_records(), 0);
}

static void record_of_a_missing_folder_is_dropped(_unused_ void **state)
{
	_cleanup_free_ char *path = make_dead(NULL, NULL);

	assert_int_equal(rmdir(path), 0);
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 0);
	assert_int_equal(count_records(), 0);
}

/* scratch_publish() may have put a link there. */
static void link_is_removed_and_not_followed(_unused_ void **state)
{
	_cleanup_free_ char *path = make_dead(NULL, NULL);
	_cleanup_free_ char *precious = xasprintf("%s/precious", top);

	assert_int_equal(mkdir(precious, 0755), 0);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink(precious, path), 0);
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 0);
	assert_false(is_there(path));
	assert_true(is_there(precious));
}

/* Whatever a damaged record says, only the folder itself may be removed. */
static void damaged_record_removes_nothing_else(_unused_ void **state)
{
	_cleanup_free_ char *text = NULL;
	size_t len = 0, hits = 0;

	log_setup("test", LOG_LEVEL_ERROR);
	for (size_t i = 0; i == 0 || i < 2 * len; i++) {
		_cleanup_free_ char *record = NULL, *path = make_dead(NULL, &record);

		free(TAKE_PTR(text));
		assert_int_equal(file_read_at(AT_FDCWD, record, 1 << 16, &text, &len), 0);
		if (i < len)
			text[i] ^= 1;
		assert_int_equal(file_write_at(AT_FDCWD, record, text,
					       i < len ? len : i - len, 0600),
				 0);
		scratch_sweep(records, remover);
		if (n_removed > 0) {
			hits++;
			assert_int_equal(n_removed, 1);
			assert_string_equal(removed[0], path);
		}
		assert_false(is_there(record));
		forget_removed();
		rm_rf_at(AT_FDCWD, path);
	}
	/* A byte of the host's name, and nothing else, may be wrong here. */
	assert_true(hits < len / 2);
}

static void foreign_folder_is_not_removed(_unused_ void **state)
{
	_cleanup_free_ char *record = NULL, *path = make_dead(NULL, &record);
	_cleanup_free_ char *precious = xasprintf("%s/precious", top);
	_cleanup_free_ char *text =
		xasprintf("scratch 1\nhost h\npath %s\nend\n", precious);

	assert_int_equal(mkdir(precious, 0755), 0);
	assert_int_equal(file_write_at(AT_FDCWD, record, text, strlen(text), 0600), 0);
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 0);
	assert_true(is_there(precious));
	assert_true(is_there(path));
}

static void published_folder_gets_its_name(_unused_ void **state)
{
	_cleanup_free_ char *to = xasprintf("%s/tree", top);
	_cleanup_free_ char *aside = xasprintf("%s/.tree.old", top), *old = NULL;
	struct scratch s = make(NULL);

	assert_int_equal(scratch_publish(&s, to, aside), 0);
	assert_null(s.path);
	assert_true(is_there(to));
	assert_int_equal(count_records(), 0);
	scratch_done(&s);
	assert_true(is_there(to));

	s = make(NULL);
	old = xstrdup(s.path);
	assert_int_equal(scratch_publish(&s, to, aside), 1);
	/* The old folder has the scratch folder's name, and is not a dead process's. */
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 0);
	assert_true(is_there(old));
	scratch_done(&s);
	assert_false(is_there(old));
	assert_true(is_there(to));
	assert_int_equal(count_records(), 0);
}

static void exchanged_folder_of_a_dead_process_is_removed(_unused_ void **state)
{
	_cleanup_free_ char *to = xasprintf("%s/tree", top);
	struct scratch s = make(NULL);

	assert_int_equal(mkdir(to, 0755), 0);
	assert_int_equal(scratch_publish(&s, to, to), 1);
	close(s.lock);
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 1);
	assert_false(is_there(s.path));
	assert_true(is_there(to));
	free(s.path);
	free(s.inside);
	free(s.record);
}

/* Others can rename in a folder that they may write to, and in their own. */
static void folder_that_others_rename_stays_ours(_unused_ void **state)
{
	_cleanup_free_ char *victim = xasprintf("%s/victim", top),
			    *away = xasprintf("%s/away", top),
			    *to = xasprintf("%s/tree", top), *file = NULL,
			    *in_away = NULL, *in_victim = NULL;
	struct scratch s;

	assert_int_equal(mkdir(victim, 0755), 0);
	assert_int_equal(chmod(top, 0777), 0);
	s = make(NULL);
	assert_int_equal(rename(s.path, away), 0);
	assert_int_equal(symlink(victim, s.path), 0);
	file = xasprintf("%s/file", s.inside);
	in_away = xasprintf("%s/file", away);
	in_victim = xasprintf("%s/file", victim);
	assert_int_equal(file_write_at(AT_FDCWD, file, "", 0, 0644), 0);
	assert_true(is_there(in_away));
	assert_false(is_there(in_victim));
	assert_int_equal(scratch_publish(&s, to, to), -ESTALE);
	assert_false(is_there(to));
	assert_int_equal(unlink(s.path), 0);
	assert_int_equal(rename(away, s.path), 0);
	assert_int_equal(scratch_publish(&s, to, to), 0);
	assert_true(is_there(to));
}

static void folder_of_others_in_its_place_is_not_removed(_unused_ void **state)
{
	_cleanup_free_ char *victim = xasprintf("%s/victim", top),
			    *file = xasprintf("%s/victim/file", top),
			    *away = xasprintf("%s/away", top), *path = NULL;
	struct scratch s;

	log_setup("test", LOG_LEVEL_ERROR);
	assert_int_equal(chmod(top, 0777), 0);
	assert_int_equal(mkdir(victim, 0755), 0);
	assert_int_equal(file_write_at(AT_FDCWD, file, "", 0, 0644), 0);
	s = make(NULL);
	path = xasprintf("%s/file", s.path);
	assert_int_equal(rename(s.path, away), 0);
	assert_int_equal(rename(victim, s.path), 0);
	scratch_done(&s);
	assert_true(is_there(path));
}

static void removed_folder_leaves_no_record(_unused_ void **state)
{
	struct scratch s = make(NULL);

	assert_int_equal(rmdir(s.path), 0);
	assert_int_equal(scratch_remove(&s), 0);
	assert_int_equal(count_records(), 0);
}

/* Another process may have locked the old folder, and then renamed it. */
static void locked_old_folder_is_told_apart(_unused_ void **state)
{
	_cleanup_free_ char *to = xasprintf("%s/tree", top),
			    *victim = xasprintf("%s/victim", top),
			    *away = xasprintf("%s/away", top), *file = NULL;
	_cleanup_close_ int locked = -1;
	struct scratch s;

	log_setup("test", LOG_LEVEL_ERROR);
	assert_int_equal(chmod(top, 0777), 0);
	assert_int_equal(mkdir(to, 0755), 0);
	assert_int_equal(mkdir(victim, 0700), 0);
	locked = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(locked, LOCK_EX), 0);
	s = make(NULL);
	assert_int_equal(scratch_publish(&s, to, to), 1);
	assert_int_equal(rename(s.path, away), 0);
	assert_int_equal(rename(victim, s.path), 0);
	file = xstrdup(s.path);
	assert_int_equal(scratch_remove(&s), -ESTALE);
	assert_true(is_there(file));
}

static void records_that_others_can_write_are_not_read(_unused_ void **state)
{
	_cleanup_free_ char *record = NULL, *path = make_dead(NULL, &record);

	assert_int_equal(chmod(records, 0777), 0);
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 0);
	assert_int_equal(chmod(records, 0700), 0);
	assert_int_equal(chmod(record, 0666), 0);
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 0);
	assert_int_equal(chmod(record, 0600), 0);
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 1);
	assert_false(is_there(path));
}

static void parent_that_others_rename_stays_the_parent(_unused_ void **state)
{
	_cleanup_free_ char *victim = xasprintf("%s/victim", top),
			    *parent = xasprintf("%s/parent", top),
			    *away = xasprintf("%s/away", top),
			    *to = xasprintf("%s/parent/tree", top), *beside = NULL,
			    *published = xasprintf("%s/away/tree", top);
	struct err e = {0};
	struct scratch s;
	struct stat st;

	assert_int_equal(mkdir(victim, 0755), 0);
	assert_int_equal(mkdir(parent, 0755), 0);
	assert_int_equal(chmod(top, 0777), 0);
	assert_int_equal(scratch_make(&s, NULL, parent, ".tree", NULL, &e), 0);
	assert_int_equal(rename(parent, away), 0);
	assert_int_equal(symlink(victim, parent), 0);
	beside = scratch_beside(&s, ".");
	assert_int_equal(stat(beside, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(scratch_publish(&s, to, to), 0);
	assert_true(is_there(published));
	assert_false(is_there(to));
}

static void own_folder_has_a_plain_path(_unused_ void **state)
{
	struct scratch s = make(NULL);

	assert_string_equal(s.inside, s.path);
	assert_int_equal(s.parent, -1);
	scratch_done(&s);
	assert_int_equal(chmod(top, 01777), 0);
	s = make(NULL);
	assert_string_equal(s.inside, s.path);
	scratch_done(&s);
}

/* The exchange is done, whether it is on the disk or not. */
static void exchange_that_cannot_be_synced_is_no_error(_unused_ void **state)
{
	_cleanup_free_ char *to = xasprintf("%s/tree", top);
	_cleanup_free_ char *file = xasprintf("%s/new", to), *old = NULL;
	struct scratch s = make(NULL);
	_cleanup_free_ char *in_scratch = xasprintf("%s/new", s.path);

	log_setup("test", LOG_LEVEL_ERROR);
	assert_int_equal(mkdir(to, 0755), 0);
	assert_int_equal(file_write_at(AT_FDCWD, in_scratch, "", 0, 0644), 0);
	old = xstrdup(s.path);
	fsync_fails = true;
	assert_int_equal(scratch_publish(&s, to, to), 1);
	fsync_fails = false;
	assert_true(is_there(file));
	assert_false(is_there(in_scratch));
	/* The old folder is locked and is removed at the end. */
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 0);
	scratch_done(&s);
	assert_false(is_there(old));
	assert_true(is_there(file));
}

/* Makes a folder whose dead process ran on another machine. Returns its path. Owned. */
static char *make_elsewhere(void)
{
	_cleanup_free_ char *record = NULL, *path = make_dead(NULL, &record);
	_cleanup_free_ char *text =
		xasprintf("scratch 1\nhost elsewhere.invalid\npath %s\nend\n", path);

	assert_int_equal(file_write_at(AT_FDCWD, record, text, strlen(text), 0600), 0);
	return TAKE_PTR(path);
}

/* Its lock cannot be seen on a network file system. */
static void folder_of_another_machine_is_kept_on_nfs(_unused_ void **state)
{
	_cleanup_free_ char *path = make_elsewhere();

	on_nfs = true;
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 0);
	assert_true(is_there(path));
	assert_int_equal(count_records(), 1);
	on_nfs = false; /* a machine with another name had this disk */
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 1);
	assert_false(is_there(path));
	assert_int_equal(count_records(), 0);
}

static void folder_of_this_machine_is_removed_on_nfs(_unused_ void **state)
{
	_cleanup_free_ char *path = make_dead(NULL, NULL);

	on_nfs = true;
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 1);
	assert_false(is_there(path));
}

/* The other machine may have a folder of that name where this one has none. */
static void record_of_another_machine_is_kept_without_a_folder(_unused_ void **state)
{
	_cleanup_free_ char *path = make_elsewhere();

	assert_int_equal(rmdir(path), 0);
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 0);
	assert_int_equal(count_records(), 1);
}

/* In a folder that everybody may write to, somebody else has taken the name again. */
static void folder_of_another_user_is_not_removed(_unused_ void **state)
{
	_cleanup_free_ char *path = NULL;

	if (geteuid() != 0)
		skip();
	path = make_dead(NULL, NULL);
	assert_int_equal(chmod(top, 01777), 0);
	assert_int_equal(chown(path, 65533, 65533), 0);
	scratch_sweep(records, remover);
	assert_int_equal(n_removed, 0);
	assert_true(is_there(path));
	assert_int_equal(count_records(), 0);
}

static void kept_folder_is_left_to_the_sweep(_unused_ void **state)
{
	struct scratch s = make(NULL);
	_cleanup_free_ char *path = xstrdup(s.path);

	scratch_keep(&s);
	assert_true(is_there(path));
	scratch_sweep(records, remover);
	assert_false(is_there(path));
}

static void folder_without_records_is_made(_unused_ void **state)
{
	struct scratch s;
	struct err e = {0};

	assert_int_equal(scratch_make(&s, NULL, top, "x", NULL, &e), 0);
	assert_null(s.record);
	scratch_done(&s);
	records[strlen(records) - strlen("/left")] = '\0';
	assert_int_equal(file_write_at(AT_FDCWD, records, "a file", 6, 0644), 0);
	records[strlen(records)] = '/';
	assert_int_equal(scratch_make(&s, records, top, "x", NULL, &e), 0);
	assert_null(s.record);
	scratch_done(&s);
}

static void missing_parent_is_an_error(_unused_ void **state)
{
	_cleanup_free_ char *none = xasprintf("%s/none", top);
	struct scratch s;
	struct err e = {0};

	assert_int_equal(scratch_make(&s, records, none, "x", NULL, &e), -1);
	assert_non_null(strstr(e.msg, strerror(ENOENT)));
	assert_false(is_there(records));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(folder_is_made_and_removed),
		CASE(living_process_keeps_its_folder),
		CASE(dead_process_loses_its_folder),
		CASE(failed_removal_is_tried_again),
		CASE(record_of_a_missing_folder_is_dropped),
		CASE(link_is_removed_and_not_followed),
		CASE(damaged_record_removes_nothing_else),
		CASE(foreign_folder_is_not_removed),
		CASE(published_folder_gets_its_name),
		CASE(exchanged_folder_of_a_dead_process_is_removed),
		CASE(folder_that_others_rename_stays_ours),
		CASE(folder_of_others_in_its_place_is_not_removed),
		CASE(removed_folder_leaves_no_record),
		CASE(locked_old_folder_is_told_apart),
		CASE(records_that_others_can_write_are_not_read),
		CASE(parent_that_others_rename_stays_the_parent),
		CASE(own_folder_has_a_plain_path),
		CASE(exchange_that_cannot_be_synced_is_no_error),
		CASE(folder_of_another_machine_is_kept_on_nfs),
		CASE(folder_of_this_machine_is_removed_on_nfs),
		CASE(record_of_another_machine_is_kept_without_a_folder),
		CASE(folder_of_another_user_is_not_removed),
		CASE(kept_folder_is_left_to_the_sweep),
		CASE(folder_without_records_is_made),
		CASE(missing_parent_is_an_error),
	};

	umask(022);
	return cmocka_run_group_tests_name("scratch", tests, NULL, NULL);
}
