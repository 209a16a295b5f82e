/* SPDX-License-Identifier: Apache-2.0 */
/* firstboot/model/conf.h: files. */
#include "firstboot/model/conf.h"

#include "test-conf.h"

#include <fcntl.h>
#include <sys/stat.h>

struct dir {
	char path[64];
	int fd;
};

static int setup_dir(void **state)
{
	struct dir *t = xcalloc(1, sizeof(*t));

	strcpy(t->path, "/tmp/test-conf.XXXXXX");
	assert_non_null(mkdtemp(t->path));
	t->fd = open(t->path, O_DIRECTORY | O_CLOEXEC);
	assert_true(t->fd >= 0);
	*state = t;
	return 0;
}

static int teardown_dir(void **state)
{
	struct dir *t = *state;

	unlinkat(t->fd, "main.cfg", 0);
	unlinkat(t->fd, "root/main.cfg", 0);
	unlinkat(t->fd, "root/host.cfg", 0);
	unlinkat(t->fd, "root", AT_REMOVEDIR);
	close(t->fd);
	rmdir(t->path);
	free(t);
	return 0;
}

static void write_file(const struct dir *t, const char *name, const char *text)
{
	_cleanup_close_ int fd = openat(t->fd, name, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void test_file_is_read_under_another_name(void **state)
{
	const struct dir *t = *state;
	_cleanup_diag_ struct diag d = {0};
	_cleanup_conf_ struct conf *c = NULL;
	struct conf *no = NULL;

	assert_int_equal(
		conf_read_at(&no, t->fd, "main.cfg", "host.cfg", CONF_MAX, 0, &d), -1);
	write_file(t, "main.cfg", "a = 1;\nb = \"x\n");
	assert_int_equal(
		conf_read_at(&no, t->fd, "main.cfg", "host.cfg", CONF_MAX, 0, &d), -1);
	assert_int_equal(conf_read_at(&no, t->fd, "main.cfg", "host.cfg", 8, 0, &d), -1);
	assert_lines(&d, "host.cfg: cannot be read: No such file or directory\n"
			 "host.cfg:2: this string has no closing quotation mark\n"
			 "host.cfg: larger than 8 bytes\n");
	write_file(t, "main.cfg", "a = 1;\n");
	assert_int_equal(conf_read_at(&c, t->fd, "main.cfg", "host.cfg", CONF_MAX, 0, &d),
			 0);
	assert_string_equal(conf_file(conf_root(c)), "host.cfg");
	assert_int_equal(conf_line(conf_member(conf_root(c), "a")), 1);
}

/* A symlink in the root leads nowhere outside, and an include would. */
static void test_file_below_a_root_is_read_inside(void **state)
{
	const struct dir *t = *state;
	_cleanup_close_ int root = -1;
	_cleanup_diag_ struct diag d = {0};
	_cleanup_conf_ struct conf *c = NULL;
	struct conf *no = NULL;

	write_file(t, "main.cfg", "a = 1;\n");
	assert_int_equal(mkdirat(t->fd, "root", 0700), 0);
	root = openat(t->fd, "root", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat("../main.cfg", root, "host.cfg"), 0);
	assert_int_equal(conf_read_root(&no, root, "host.cfg", "host.cfg", 99, &d), -1);
	write_file(t, "root/main.cfg", "@include \"/etc/hostname\"\n");
	assert_int_equal(conf_read_root(&no, root, "host.cfg", "host.cfg", 99, &d), -1);
	assert_int_equal(conf_read_root(&no, root, "host.cfg", "host.cfg", 9, &d), -1);
	assert_lines(&d, "host.cfg: cannot be read: No such file or directory\n"
			 "host.cfg:1: @include is not allowed in this file\n"
			 "host.cfg: larger than 9 bytes\n");
	write_file(t, "root/main.cfg", "a = 2;\n");
	assert_int_equal(conf_read_root(&c, root, "/host.cfg", "host.cfg", 99, &d), 0);
	assert_int_equal(conf_line(conf_member(conf_root(c), "a")), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup_dir, teardown_dir)
	const struct CMUnitTest tests[] = {
		T(test_file_is_read_under_another_name),
		T(test_file_below_a_root_is_read_inside),
	};

	return cmocka_run_group_tests_name("conf-file", tests, NULL, NULL);
}
