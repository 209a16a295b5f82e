/* SPDX-License-Identifier: Apache-2.0 */
/*
 * builder/input/fetch-part.h: a download is written to a regular file. Anything else that
 * has its name is replaced, and the file of an earlier download is kept when it cannot be
 * opened.
 */
#include "builder/input/fetch-part.h"

#include "lib/str.h"
#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#define URL "http://files.invalid/big"

struct fixture {
	char *dir, *path;
	struct part part;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	f->dir = make_scratch();
	f->path = xasprintf("%s/big.part", f->dir);
	f->part.fd = -1;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	part_done(&f->part);
	rm_rf_p(&f->dir);
	free(f->path);
	free(f);
	return 0;
}

/* Opens the part and writes "new" to it. */
static void assert_replaced(struct fixture *f)
{
	_cleanup_free_ char *text = NULL;
	struct stat st;

	assert_int_equal(part_open(&f->part, AT_FDCWD, f->path, URL), 0);
	assert_int_equal(part_start_over(&f->part), 0);
	assert_int_equal(part_add(&f->part, "new\n", 4), 0);
	part_done(&f->part);
	assert_int_equal(lstat(f->path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
	text = read_text("/", f->path);
	assert_string_equal(text, "new\n");
}

static void file_is_continued(void **state)
{
	struct fixture *f = *state;

	write_text(f->dir, "big.part", "begun\n");
	assert_int_equal(part_open(&f->part, AT_FDCWD, f->path, URL), 0);
	assert_int_equal(part_catch_up(&f->part), 0);
	assert_int_equal(f->part.have, strlen("begun\n"));
}

static void link_is_replaced_not_its_target(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *text = NULL;

	write_text(f->dir, "precious", "precious\n");
	assert_int_equal(symlink("precious", f->path), 0);
	assert_replaced(f);
	text = read_text(f->dir, "precious");
	assert_string_equal(text, "precious\n");
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(symlink("nothing", f->path), 0);
	assert_replaced(f);
	free(text);
	text = read_text(f->dir, "nothing");
	assert_null(text);
}

static void pipe_is_replaced(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkfifo(f->path, 0644), 0);
	assert_replaced(f);
}

static void socket_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(f->path) >= sizeof(sa.sun_path))
		skip();
	strcpy(sa.sun_path, f->path);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_replaced(f);
}

static void folder_is_replaced(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdir(f->path, 0755), 0);
	write_text(f->path, "file", "in it\n");
	assert_replaced(f);
}

/* Another error says nothing about what is there. */
static void file_that_cannot_be_opened_is_kept(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit, none;
	_cleanup_free_ char *text = NULL;
	int r;

	write_text(f->dir, "big.part", "begun\n");
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = limit.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	r = part_open(&f->part, AT_FDCWD, f->path, URL);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(r, -EMFILE);
	text = read_text(f->dir, "big.part");
	assert_string_equal(text, "begun\n");
}

static void missing_parent_is_an_error(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = xasprintf("%s/none/big.part", f->dir);

	assert_int_equal(part_open(&f->part, AT_FDCWD, path, URL), -ENOENT);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(file_is_continued),
		CASE(link_is_replaced_not_its_target),
		CASE(pipe_is_replaced),
		CASE(socket_is_replaced),
		CASE(folder_is_replaced),
		CASE(file_that_cannot_be_opened_is_kept),
		CASE(missing_parent_is_an_error),
	};

	return cmocka_run_group_tests_name("fetch-part", tests, NULL, NULL);
}
