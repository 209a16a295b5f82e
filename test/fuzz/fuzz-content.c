/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detects the content of a file that begins with the input, and of the same with more
 * zeros behind it, for each kind of partition table. Checks that only what is no disk has
 * a name, and that a valid GPT is always one.
 */
#include "builder/disk/disk-content.h"
#include "lib/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const void *head, size_t len, enum ptable_kind kind, const char *fault)
{
	const struct ptable t = {.kind = kind, .fault = fault};
	struct disk_content c;

	disk_content_detect(&c, head, len, &t);
	if ((c.kind == CONTENT_DISK) != (c.what == NULL) ||
	    (kind == PTABLE_GPT && !fault && c.kind != CONTENT_DISK) ||
	    (c.kind != CONTENT_ELSE && c.advice))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size + CONTENT_HEAD;
	_cleanup_free_ uint8_t *head = xcalloc(len, 1);

	if (size > 0)
		memcpy(head, data, size);
	for (int kind = PTABLE_NONE; kind <= PTABLE_GPT; kind++) {
		check(head, size, (enum ptable_kind)kind, NULL);
		check(head, len, (enum ptable_kind)kind, NULL);
	}
	check(head, len, PTABLE_GPT, "its header is damaged");
	return 0;
}
