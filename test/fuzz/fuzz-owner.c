/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as the mark of a state disk. What it says is shown in one clean
 * line, and a mark that is made of it is read back as the same owner's.
 */
#include "firstboot/owner.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool what)
{
	if (!what)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_owner_ struct owner o = {0}, again = {0};
	_cleanup_free_ char *text = NULL, *mark = NULL;
	struct owner none = {0};
	struct err e = {0};

	if (owner_parse(&o, (const char *)data, size, &e) < 0) {
		demand(e.msg[0] != '\0');
		return 0;
	}
	text = owner_text(&o);
	for (const char *c = text; *c; c++)
		demand((unsigned char)*c >= ' ' && *c != 0x7f);
	mark = owner_mark(&o, &none);
	demand(owner_parse(&again, mark, strlen(mark), &e) == 0);
	demand(owner_compare(&o, &again, true, NULL) ==
	       owner_compare(&again, &o, true, NULL));
	if (o.name)
		demand(owner_compare(&o, &again, true, NULL) == CLAIM_SAME);
	return 0;
}
