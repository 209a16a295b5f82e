/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/rack-settings.h"

#include "firstboot/model/rack-entry.h"
#include "lib/file.h"

/* Expands what was read. Complaints make it incomplete. */
static int expand(struct rack_settings *s, bool files, struct diag *d)
{
	if (rack_find_compact(conf_root(s->written)))
		s->incomplete = rack_expand(&s->expanded, conf_root(s->written), files,
					    &s->tables, d) < 0;
	return 0;
}

int rack_settings_read(struct rack_settings *ret, const char *path, struct diag *d)
{
	*ret = (struct rack_settings){0};
	if (conf_read_at(&ret->written, AT_FDCWD, path, path, CONF_MAX_RACK, 0, d) < 0)
		return -1;
	return expand(ret, true, d);
}

int rack_settings_parse(struct rack_settings *ret, const char *text, size_t len,
			const char *name, unsigned flags, struct diag *d)
{
	*ret = (struct rack_settings){0};
	if (conf_parse(&ret->written, text, len, name, CONF_MAX_RACK, flags, d) < 0)
		return -1;
	return expand(ret, !(flags & CONF_NO_INCLUDE), d);
}

void rack_settings_done(struct rack_settings *s)
{
	conf_free(s->expanded);
	rack_tables_done(&s->tables);
	conf_free(s->written);
	*s = (struct rack_settings){0};
}

const struct conf *rack_settings_flat(const struct rack_settings *s)
{
	return s->expanded ? s->expanded : s->written;
}
