/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/root/container-digest.h"

#include "lib/str.h"

int container_parse_hex(char out[static DIGEST_SHA256_LEN], const char *s,
			const char *prefix, const char *what, struct err *e)
{
	const char *hex = s ? str_after(s, prefix) : NULL;

	if (!hex || !digest_is_hex(hex, DIGEST_SHA256))
		return err_set(e, ERR_FAILED, "%s: '%s' is not %s64 hexadecimal digits",
			       what, s ? s : "", prefix);
	memcpy(out, hex, DIGEST_SHA256_LEN);
	return 0;
}

static int base64_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-_";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

int container_base64url(struct buf *out, const char *s)
{
	unsigned bits = 0, n = 0;

	for (; *s && *s != '='; s++) {
		int v = base64_value(*s);
		char c;

		if (v < 0)
			return -EINVAL;
		bits = (bits << 6 | (unsigned)v) & 0xffff;
		n += 6;
		if (n >= 8) {
			n -= 8;
			c = (char)(bits >> n);
			buf_add(out, &c, 1);
		}
	}
	return 0;
}

void container_digest_from_name(char out[static DIGEST_SHA256_LEN], const char *member)
{
	_cleanup_free_ char *name = xstrdup(member);
	char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;

	if (str_ends(base, ".json"))
		base[strlen(base) - strlen(".json")] = '\0';
	if (digest_is_hex(base, DIGEST_SHA256))
		memcpy(out, base, DIGEST_SHA256_LEN);
}

void container_layer_id(struct container_layer *l, const char *parent, const char *config)
{
	_cleanup_buf_ struct buf b = {0};
	char hex[DIGEST_HEX_MAX];

	buf_printf(&b, "rackstrap version 1 id\nparent %s\nlayer %s\n", parent, l->diff);
	if (config)
		buf_printf(&b, "config %s\n", config);
	digest_text(DIGEST_SHA256, b.p, b.len, hex);
	memcpy(l->id, hex, sizeof(l->id));
}
