/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/root/account-names.h"

#define FILE_MAX (1024 * 1024)

bool account_names_reads(const char *path)
{
	return streq(path, ACCOUNT_USERS) || streq(path, ACCOUNT_GROUPS);
}

char **account_names(const struct index *base, const struct layer *l, const char *path)
{
	const struct index_entry *entry = index_find(base, path);
	struct strv_builder names = {0};
	const char *line;

	if (!entry || !entry->text || entry->dropped || entry->size > FILE_MAX ||
	    layer_find(l, path))
		return NULL;
	for (line = entry->text; *line;) {
		size_t len = strcspn(line, ":\n");

		if (line[len] == ':' && len > 0)
			strv_builder_addf(&names, "%.*s", (int)len, line);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return strv_builder_take(&names);
}
