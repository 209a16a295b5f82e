/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/owners.h"

size_t owner(struct owners *o, const char *text, size_t i)
{
	bool is_new = false;
	size_t n = intern(&o->seen, text, &is_new);

	if (is_new) {
		o->host = xgrow(o->host, n, sizeof(*o->host));
		o->host[n] = i;
	}
	return o->host[n];
}

void owners_done(struct owners *o)
{
	intern_done(&o->seen);
	free(o->host);
}
