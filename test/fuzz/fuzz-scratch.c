/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as the record of a scratch folder, with '@' for a folder that has
 * one. Nothing is removed but a folder with the record's own ID.
 */
#include "lib/log.h"
#include "lib/scratch.h"
#include "test/fuzz/fuzz-file.h"

#define ID     "abcdefghijklmnop"
#define FOLDER "work.rackstrap-" ID

static int remover(const char *path, const char *target)
{
	demand(path[0] == '/' && str_ends(path, ".rackstrap-" ID), path);
	demand(!target || !strchr(target, '\n'), "a target of two lines");
	return -EBUSY; /* the folder stays, for the next input */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *records = NULL, *folder = NULL;
	_cleanup_buf_ struct buf b = {0};

	log_setup("fuzz", LOG_LEVEL_ERROR);
	fuzz_folder_make();
	records = xasprintf("%s/left", fuzz_folder);
	folder = xasprintf("%s/" FOLDER, fuzz_folder);
	(void)!mkdir(records, 0700);
	(void)!mkdir(folder, 0700);
	for (size_t i = 0; i < size; i++)
		if (data[i] == '@')
			buf_puts(&b, fuzz_folder);
		else
			buf_add(&b, &data[i], 1);
	fuzz_folder_write("left/" ID, b.p, b.len, 0);
	scratch_sweep(records, remover);
	demand(access(folder, F_OK) == 0, "the folder was removed");
	return 0;
}
