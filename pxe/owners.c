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

int owner_complain(const struct rack *r, size_t i, enum host_key_id id, const char *what,
		   size_t other, const char *why, struct diag *d)
{
	const struct host *h = &r->hosts[i].host, *o = &r->hosts[other].host;
	char where[512];

	return diag_add(d, "%s: host '%s': %s: %s host '%s' (line %u)%s",
			host_where(h, id, where, sizeof(where)), h->name ? h->name : "?",
			host_key(id)->name, what, o->name ? o->name : "?",
			r->hosts[other].line, why);
}
