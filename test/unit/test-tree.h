/* SPDX-License-Identifier: Apache-2.0 */
/* Renders boot trees of the tiny image, for the tests of pxe/tree.h. */
#pragma once

#include "pxe/tree.h"
#include "test-no-exchange.h"
#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define GOLDEN "test/golden/pxe"

struct fixture {
	char *scratch, *image_dir, *ipxe_dir;
	struct image image;
};

static inline int setup_with(void **state, const char *roles)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = {0};

	umask(077); /* the umask has no effect on a tree */
	f->scratch = make_scratch();
	f->image_dir = image_make_with(f->scratch, roles);
	f->ipxe_dir = xasprintf("%s/ipxe", f->scratch);
	if (mkdir(f->ipxe_dir, 0755) < 0)
		return -1;
	write_text(f->ipxe_dir, "undionly.kpxe", "for BIOS\n");
	write_text(f->ipxe_dir, "snponly.efi", "for UEFI\n");
	*state = f;
	return image_open(&f->image, f->image_dir, &e);
}

static inline int setup(void **state)
{
	return setup_with(state, ROLES_2015);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	exchange_again();
	image_done(&f->image);
	rm_rf_p(&f->scratch);
	free(f->image_dir);
	free(f->ipxe_dir);
	free(f);
	return 0;
}

/* Renders a rack into SCRATCH/NAME. */
static inline int render(struct fixture *f, const char *rack_file, const char *name,
			 struct tree_options o, struct err *e)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", f->scratch, name);
	_cleanup_rack_ struct rack rack = {0};
	_cleanup_diag_ struct diag d = {0};

	if (!o.ipxe_dir)
		o.ipxe_dir = f->ipxe_dir;
	if (rack_load(&rack, rack_file, &f->image.roles, &d) < 0)
		return diag_err(&d, e);
	return tree_render(&rack, &f->image, dir, &o, NULL, e);
}

static inline char *image_file(struct fixture *f, const char *tree, const char *name)
{
	return xasprintf("%s/%s/http/images/89ab89ab89ab89ab-45674567-01230123/%s",
			 f->scratch, tree, name);
}

static inline ino_t inode(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}
