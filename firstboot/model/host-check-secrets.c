/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/host-check-parts.h"
#include "firstboot/model/secret-entry.h"

/* Checks the entries of `secrets`, and that no two of them have one name. */
void check_secrets(struct check *c)
{
	_cleanup_intern_ struct intern names = {0};
	char **v = c->h->secrets;

	if (c->h->bad[HOST_SECRETS])
		return;
	if (strv_len(v) > SECRETS_MAX) {
		check_complain(c, HOST_SECRETS, "%zu entries, at most %d are allowed",
			       strv_len(v), SECRETS_MAX);
		return;
	}
	for (size_t i = 0; v && v[i]; i++) {
		struct secret_entry entry;
		bool is_new = true;

		check_word(c, HOST_SECRETS, v[i], secret_entry_wrong);
		if (secret_entry_parse(v[i], &entry) == NULL)
			intern(&names, entry.name, &is_new);
		if (!is_new)
			check_complain(c, HOST_SECRETS, "'%s' is given twice",
				       entry.name);
	}
}
