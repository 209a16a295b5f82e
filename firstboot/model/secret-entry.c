/* SPDX-License-Identifier: Apache-2.0 */
/* A name is a file's name, and the name of a credential of systemd's LoadCredential=. */
#include "firstboot/model/secret-entry.h"

#define LOWER    "abcdefghijklmnopqrstuvwxyz"
#define UPPER    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS   "0123456789"
#define MODE_MAX 0660

const char *secret_name_wrong(const char *s)
{
	static const char letters[] = LOWER UPPER DIGITS "._-";

	if (!*s || strchr("._-", *s) || s[strspn(s, letters)] ||
	    strlen(s) > SECRET_NAME_MAX)
		return "is not a secret's name: a-z, A-Z, 0-9, '.', '_' and '-', at most "
		       "64, a letter or digit first";
	return NULL;
}

/* Copies the name of a user or group of `len` bytes to `out`. Returns false for what
 * useradd(8) would refuse. */
static bool take_user(const char *s, size_t len, char out[static SECRET_USER_MAX + 1])
{
	static const char letters[] = LOWER UPPER DIGITS "._-";

	if (len == 0 || len > SECRET_USER_MAX || strspn(s, letters) < len ||
	    strchr(DIGITS ".-", *s))
		return false;
	memcpy(out, s, len);
	out[len] = '\0';
	return true;
}

const char *secret_owner_parse(const char *s, struct secret_entry *ret)
{
	size_t len = strcspn(s, ":");
	struct secret_entry entry = *ret;

	entry.group[0] = '\0';
	if (!take_user(s, len, entry.user) ||
	    (s[len] && !take_user(s + len + 1, strlen(s + len + 1), entry.group)))
		return "is not a user like \"munge\", nor a user and a group like "
		       "\"munge:munge\"";
	*ret = entry;
	return NULL;
}

const char *secret_mode_parse(const char *s, mode_t *ret)
{
	unsigned mode;

	if (str_to_mode(s, &mode) < 0 || strlen(s) < 3)
		return "is not a mode like \"0400\"";
	if (mode & 07)
		return "opens a secret to all users of the host: at most \"0660\" is "
		       "allowed";
	if (mode & ~(unsigned)MODE_MAX)
		return "has bits that a secret cannot have: at most \"0660\" is allowed";
	if (!(mode & 0440))
		return "lets nobody read the secret: it must be like \"0400\" or "
		       "\"0440\"";
	*ret = mode;
	return NULL;
}

const char *secret_entry_parse(const char *s, struct secret_entry *ret)
{
	_cleanup_strv_ char **words = strv_split(s, " ");
	struct secret_entry entry = {0};
	const char *wrong;

	if (strv_len(words) > 3)
		return "has more than a name, a user and a mode: further words are "
		       "reserved";
	if (strv_len(words) < 3)
		return "is not a secret's name, its user and its mode, like \"munge.key "
		       "munge 0400\"";
	wrong = secret_name_wrong(words[0]);
	if (!wrong)
		wrong = secret_owner_parse(words[1], &entry);
	if (!wrong)
		wrong = secret_mode_parse(words[2], &entry.mode);
	if (wrong)
		return wrong;
	snprintf(entry.name, sizeof(entry.name), "%s", words[0]);
	*ret = entry;
	return NULL;
}

const char *secret_entry_wrong(const char *s)
{
	struct secret_entry entry;

	return secret_entry_parse(s, &entry);
}
