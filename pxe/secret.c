/* SPDX-License-Identifier: Apache-2.0 */
/* A secret that cannot be read is an error and is not replaced, because every host that
 * runs would then have a wrong token. */
#include "pxe/secret.h"

#include "lib/file.h"
#include "lib/str.h"
#include "pxe/tree.h"

#include <sys/random.h>

static int make(struct secret *ret, struct err *e)
{
	ssize_t n;

	do
		n = getrandom(ret->key, sizeof(ret->key), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(ret->key))
		return err_errno(e, n < 0 ? errno : EIO,
				 "no random numbers for " TREE_SECRET);
	return 0;
}

int secret_read(struct secret *ret, int tree, const char *dir, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	int r = tree < 0 ? -ENOENT
			 : file_read_foreign_at(tree, TREE_SECRET, 2 * DIGEST_LEN, &text,
						NULL);

	if (r == -ENOENT)
		return make(ret, e);
	if (r == -EACCES)
		return err_errno(e, r,
				 "%s/" TREE_SECRET ": run this as its owner or as root",
				 dir);
	if (r == 0 && secret_parse(text, ret) == 0)
		return 0;
	return err_set(e, ERR_FAILED,
		       "%s/" TREE_SECRET
		       ": %s: remove it, and every host gets a new token when it boots",
		       dir, r < 0 ? file_strerror(r) : "is not 64 hex digits");
}

int secret_parse(const char *line, struct secret *ret)
{
	struct secret s;

	for (size_t i = 0; i < sizeof(s.key); i++) {
		int byte = str_hex_byte(line + 2 * i);

		if (byte < 0)
			return -EINVAL;
		s.key[i] = (uint8_t)byte;
	}
	line += 2 * sizeof(s.key);
	if (*line && !streq(line, "\n"))
		return -EINVAL;
	*ret = s;
	return 0;
}

char *secret_text(const struct secret *s)
{
	char hex[DIGEST_LEN];

	str_hex(s->key, sizeof(s->key), hex);
	return xasprintf("%s\n", hex);
}

const char *secret_token(const struct secret *s, const char *host,
			 char out[static DIGEST_LEN])
{
	_cleanup_free_ char *text = xasprintf("report/%s", host);

	return digest_hmac_sha256(s->key, text, out);
}
