/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each check follows the syntax of the program that reads the word in the end, and
 * refuses characters that would need escaping there.
 *
 * Limit: an ssh key is checked for its form and its type's name. Its curve point or
 * modulus is checked by sshd.
 */
#include "firstboot/model/words.h"
#include "firstboot/model/feature.h"
#include "lib/net.h"
#include "lib/str.h"
#include "lib/url.h"

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool only(const char *s, const char *chars)
{
	return s[strspn(s, chars)] == '\0';
}

const char *word_plain_wrong(const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == ' ' || c == '\t')
			return "has a blank in it";
		if (c < 0x20 || c == 0x7f)
			return "has a control character in it";
		if (c >= 0x80)
			return "has a character in it that is not ASCII";
		if (strchr("\"'\\$`", c))
			return "has one of \" ' \\ $ ` in it";
	}
	return NULL;
}

static bool label_ok(const char *s, size_t len, const char *chars)
{
	if (len == 0 || len > 63 || s[0] == '-' || s[len - 1] == '-')
		return false;
	return strspn(s, chars) >= len;
}

const char *word_label_wrong(const char *s)
{
	if (!label_ok(s, strlen(s), LOWER DIGITS "-"))
		return "is not a host name: a-z, 0-9 and '-', at most 63, no '-' at an "
		       "end";
	if (streq(s, "localhost"))
		return "is the loopback address's name on every machine";
	return NULL;
}

const char *word_domain_wrong(const char *s)
{
	const char *wrong = "is not a domain name: a-z, 0-9 and '-' between dots";

	if (!*s || strlen(s) > 253)
		return wrong;
	for (;;) {
		size_t len = strcspn(s, ".");

		if (!label_ok(s, len, LOWER UPPER DIGITS "-"))
			return wrong;
		if (!s[len])
			return NULL;
		s += len + 1;
	}
}

const char *word_interface_wrong(const char *s)
{
	static const char *const ours[] = {"lo", UPLINK_BOND, NULL};

	if (!*s || strlen(s) > 15 || streq(s, ".") || streq(s, ".."))
		return "is not an interface's name: 1 to 15 characters";
	if (!only(s, LOWER UPPER DIGITS "-_.@"))
		return "is not an interface's name: a-z, A-Z, 0-9, '-', '_', '.', '@'";
	for (size_t i = 0; ours[i]; i++)
		if (streq(s, ours[i]))
			return "cannot be the uplink";
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (features[i]->link && streq(s, features[i]->link))
			return "cannot be the uplink";
	return NULL;
}

const char *word_bond_link_wrong(const char *s)
{
	struct mac mac;

	if (net_parse_mac(s, &mac) < 0 && !strchr(s, ':'))
		return word_interface_wrong(s);
	if (net_parse_mac(s, &mac) < 0)
		return "is not a MAC address like \"52:54:00:25:00:11\", nor an "
		       "interface's name";
	if (!mac_is_unicast(mac))
		return "is a multicast or empty address, no interface has it";
	return NULL;
}

const char *word_console_wrong(const char *s)
{
	static const char *const kinds[] = {"tty", "hvc",  "hvsi",   "xvc", "sclp",
					    "lp",  "uart", "netcon", NULL};
	bool known = false;

	for (size_t i = 0; kinds[i] && !known; i++)
		known = str_after(s, kinds[i]);
	if (!known || !only(s, LOWER UPPER DIGITS ",._:-"))
		return "is not a console like \"ttyS0,115200\", without \"console=\"";
	return NULL;
}

/* --- ssh keys --------------------------------------------------------------------- */

static const char *const key_types[] = {
	"ssh-ed25519",
	"ssh-rsa",
	"ecdsa-sha2-nistp256",
	"ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp521",
	"sk-ssh-ed25519@openssh.com",
	"sk-ecdsa-sha2-nistp256@openssh.com",
	"ssh-dss",
	NULL,
};

static int base64_digit(char c)
{
	static const char digits[] = UPPER LOWER DIGITS "+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* Returns true when the base64 text begins with `type` as an SSH string: its length in 32
 * bits, then its bytes. */
static bool key_blob_ok(const char *b64, size_t len, const char *type)
{
	size_t n = strlen(type), out = 0, i = 0;
	uint32_t bits = 0;
	unsigned have = 0;

	while (len > 0 && b64[len - 1] == '=')
		len--;
	if (len * 3 / 4 < n + 4 + 32)
		return false; /* the shortest key has 32 bytes */
	for (i = 0; i < len; i++) {
		int v = base64_digit(b64[i]);
		uint8_t byte, want;

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		byte = (uint8_t)(bits >> have);
		if (out < n + 4) {
			want = out < 3    ? 0
			       : out == 3 ? (uint8_t)n
					  : (uint8_t)type[out - 4];
			if (byte != want)
				return false;
		}
		out++;
	}
	return true;
}

/* Returns the key type in a line and points *ret at the text behind it; NULL when there
 * is none. Skips options before it, which may contain blanks within double quotes. */
static const char *key_type_at(const char *s, const char **ret)
{
	for (unsigned options = 0; *s != '#' && options < 2; options++) {
		bool quoted = false;

		for (size_t i = 0; key_types[i]; i++) {
			const char *rest = str_after(s, key_types[i]);

			if (rest && *rest == ' ') {
				*ret = rest + strspn(rest, " ");
				return key_types[i];
			}
		}
		for (; *s && (quoted || *s != ' '); s++) {
			if (*s == '\\' && s[1])
				s++;
			else if (*s == '"')
				quoted = !quoted;
		}
		s += strspn(s, " ");
	}
	return NULL;
}

const char *word_ssh_key_wrong(const char *s)
{
	const char *b64 = NULL, *type;

	for (const char *c = s; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return "has a control character in it";
	if (strstr(s, "PRIVATE KEY"))
		return "is a private key: give the public one";
	type = key_type_at(s, &b64);
	if (!type)
		return "is not a public key as in authorized_keys, like \"ssh-ed25519 "
		       "AAAA... op@desk\"";
	if (!key_blob_ok(b64, strcspn(b64, " "), type))
		return "is damaged: its base64 part is not a key of that type";
	return NULL;
}

const char *word_url_wrong(const char *s)
{
	const char *wrong = word_plain_wrong(s), *host = str_after(s, "http://");

	if (wrong)
		return wrong;
	if (!host)
		host = str_after(s, "https://");
	if (!host || !*host || strchr("/:?#@", *host))
		return "is not a URL like \"http://172.25.0.1/report/node-1.json\"";
	if (url_has_userinfo(s))
		return "has a user name or password in it, which everybody on the host "
		       "could see";
	if (strpbrk(s, "{}[]<>|^"))
		return "has one of { } [ ] < > | ^ in it";
	return NULL;
}
