/* SPDX-License-Identifier: Apache-2.0 */
/* The languages are told apart by how a text begins, YAML also by a line "key:" in a text
 * without '=' and ';', which no host, rack or recipe file is without. */
#include "firstboot/model/conf-language.h"

#include "lib/text.h"

const char *conf_encoding(const char *text, size_t len)
{
	if (len >= 2 &&
	    (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
		return "UTF-16";
	/* ASCII in UTF-16 has a NUL in every second byte. */
	if (len >= 4 && (!text[0] != !text[1]) && !text[0] == !text[2] &&
	    !text[1] == !text[3])
		return "UTF-16";
	return NULL;
}

static bool name_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* Checks for a line "key:" or "key: value", an element of a list or not. */
static bool yaml_line(const char *line)
{
	size_t n;

	line += strspn(line, " ");
	if (line[0] == '-' && line[1] == ' ')
		line += 1 + strspn(line + 1, " ");
	for (n = 0; name_letter(line[n]);)
		n++;
	return n > 0 && line[n] == ':' && strchr(" \r\n", line[n + 1]);
}

static bool is_yaml(const char *text, size_t len)
{
	if (str_after(text, "---\n") || str_after(text, "---\r\n"))
		return true;
	for (const char *line = text; line < text + len;) {
		const char *end = strchr(line, '\n');

		if (line[strspn(line, " \t")] != '#') {
			size_t n = end ? (size_t)(end - line) : strlen(line);

			if (memchr(line, '=', n) || memchr(line, ';', n))
				return false;
		}
		line = end ? end + 1 : text + len;
	}
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (yaml_line(line))
			return true;
	}
	return false;
}

const char *conf_language(const char *text, size_t len)
{
	const char *s = text;

	while (*s && (strchr(" \t\r\n", *s) || *s == '#' || *s == ';'))
		s += *s == '#' || *s == ';' ? strcspn(s, "\n") : 1;
	if (*s == '<')
		return "HTML or XML";
	if (*s == '{' || (*s == '[' && strchr("{\"", s[1 + strspn(s + 1, " \t\r\n")])))
		return "JSON";
	if (*s == '[')
		return "an INI or TOML file";
	return is_yaml(text, len) ? "YAML" : NULL;
}

size_t conf_smart_quote(const char *s)
{
	uint32_t code = 0;
	size_t n = text_sequence(s, &code);

	return (code >= 0x201c && code <= 0x201f) || code == 0xab || code == 0xbb ||
			       code == 0x2033 || code == 0x2036 || code == 0xff02 ||
			       code == 0x300c || code == 0x300d
		       ? n
		       : 0;
}

static bool is_single_quote(uint32_t code)
{
	return code == '\'' || code == '`' || code == 0xb4 || code == 0x2032 ||
	       (code >= 0x2018 && code <= 0x201b) || code == 0x2039 || code == 0x203a;
}

static bool is_blank(uint32_t code)
{
	return code == 0xa0 || code == 0x3000 || code == 0x202f || code == 0x205f ||
	       (code >= 0x2000 && code <= 0x200a) || code == '\v' || code == 0x85;
}

char *conf_character(const char *s)
{
	uint32_t code = 0;
	size_t n = text_sequence(s, &code);

	if (n == 0)
		return xasprintf("the byte 0x%02x is not UTF-8: save the file as UTF-8",
				 (unsigned char)*s);
	if (conf_smart_quote(s))
		return xasprintf("%.*s is a typographic quotation mark: write \"", (int)n,
				 s);
	if (is_single_quote(code))
		return xasprintf("%.*s is no quotation mark of a string: write \"",
				 (int)n, s);
	if (is_blank(code))
		return xasprintf("this looks like a blank, but is the character U+%04X: "
				 "write a blank",
				 code);
	if (text_is_hidden(code))
		return xasprintf("the character U+%04X, which is not shown: delete it",
				 code);
	if (n > 1)
		return xasprintf("'%.*s' (U+%04X) may be in strings and comments only",
				 (int)n, s, code);
	return NULL;
}
