/* SPDX-License-Identifier: Apache-2.0 */
/* Writes recipes in a temporary folder and loads them. */
#pragma once

#include "builder/recipe/recipe.h"
#include "lib/file.h"

#include "test-tempdir.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char *top;

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	unsetenv("SOURCE_DATE_EPOCH");
	return tempdir_make(tmp ? tmp : "/tmp", "test-recipe", &top);
}

static int teardown(void **state)
{
	(void)state;
	rm_rf_p(&top);
	top = NULL;
	return 0;
}

/* Writes TOP/NAME and makes its parent folders. Returns the path, owned by the caller. */
static _unused_ char *write_file(const char *name, const char *text)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", top, name);
	_cleanup_free_ char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	assert_int_equal(mkdir_p_at(AT_FDCWD, dir, 0755), 0);
	assert_int_equal(file_write_at(AT_FDCWD, path, text, strlen(text), 0644), 0);
	return TAKE_PTR(path);
}

static _unused_ void load(struct recipe *r, const char *path)
{
	_cleanup_diag_ struct diag d = {0};
	int n = recipe_load(r, path, &d);

	for (size_t i = 0; i < d.n; i++)
		print_error("%s\n", d.lines[i]);
	assert_int_equal(n, 0);
	assert_int_equal(d.n, 0);
}

#define BASE                                                                             \
	"base = { type = \"suite\"; suite = \"bookworm\"; components = [ \"main\" ];\n"  \
	"         kernel = \"linux-image-x\"; packages = [ \"a\", \"b\" ]; };\n"
#define SMALL "version = 1;\nname = \"small\";\n" BASE "images = [ \"pxe\" ];\n"

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
