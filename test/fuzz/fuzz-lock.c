/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as a recipe.lock: it is accepted, or refused with a complaint. An
 * accepted lock is written, read back, and written to the same text.
 */
#include "builder/input/lock.h"
#include "test/fuzz/fuzz-file.h"

static int read_text(struct lock *l, const void *text, size_t len, struct diag *d)
{
	_cleanup_close_ int fd = fuzz_file(text, len);
	_cleanup_free_ char *path = fuzz_file_path(fd);

	return lock_read(l, path, d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_lock_ struct lock l = {0}, again = {0};
	_cleanup_free_ char *text = NULL, *same = NULL;
	_cleanup_diag_ struct diag d = {0};

	if (read_text(&l, data, size, &d) < 0) {
		demand(d.n > 0, "a lock was refused without a complaint");
		return 0;
	}
	demand(d.n == 0, "a complaint about a lock that was read");
	text = lock_render(&l);
	demand(read_text(&again, text, strlen(text), &d) == 0, text);
	same = lock_render(&again);
	demand(streq(text, same), text);
	for (size_t i = 0; i < l.n; i++)
		demand(lock_find(&again, l.v[i].url) != NULL, l.v[i].url);
	for (size_t i = 0; i < l.base.n_packages; i++)
		demand(lock_package_find(&again.base, l.base.packages[i].name,
					 l.base.packages[i].arch) != NULL,
		       l.base.packages[i].name);
	lock_base_sort(&l.base);
	return 0;
}
