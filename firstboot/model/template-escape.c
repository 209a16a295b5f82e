/* SPDX-License-Identifier: Apache-2.0 */
/* The formats, and the ways of escaping that several of them have in common. */
#include "firstboot/model/template-parts.h"
#include "lib/text.h"

/* The values are UTF-8: template_render() has checked it. */

bool template_is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 ||
	       code == 0x2029;
}

const char *template_control(const char *value)
{
	while (*value) {
		uint32_t code = 0;
		size_t n = text_sequence(value, &code);

		if (code == '\n')
			return "has a newline";
		if (template_is_control(code))
			return "has a control character";
		value += n > 0 ? n : 1;
	}
	return NULL;
}

const char *template_write_plain(struct buf *b, const char *value)
{
	const char *wrong = template_control(value);

	if (!wrong)
		buf_puts(b, value);
	return wrong;
}

void template_write_escaped(struct buf *b, const char *value, const char *special,
			    const char *escape)
{
	for (; *value; value++) {
		if (strchr(special, *value))
			buf_puts(b, escape);
		buf_add(b, value, 1);
	}
}

/* Escapes also those that are not printable in YAML 1.1 (5.1) beside the controls. */
void template_write_json(struct buf *b, const char *value)
{
	static const char plain[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";

	while (*value) {
		const char *special = strchr(plain, *value);
		uint32_t code = 0;
		size_t n = text_sequence(value, &code);

		if (special)
			buf_printf(b, "\\%c", letter[special - plain]);
		else if (template_is_control(code) || code == 0xfeff || code == 0xfffe ||
			 code == 0xffff)
			buf_printf(b, "\\u%04x", code);
		else
			buf_add(b, value, n);
		value += n > 0 ? n : 1;
	}
}

bool template_has_only(const char *value, const char *set)
{
	return value[strspn(value, set)] == '\0';
}

/* --- plain ------------------------------------------------------------------------- */

static const char *append_plain(struct buf *b, enum template_place place _unused_,
				const char *value, bool quote _unused_)
{
	return template_write_plain(b, value);
}

const struct template_type template_plain = {
	.name = "plain",
	.any = true,
	.append = append_plain,
};

/* --- the formats ------------------------------------------------------------------- */

static const struct template_type *const types[] = {
	[TEMPLATE_PLAIN] = &template_plain,
	[TEMPLATE_ENVIRONMENT] = &template_environment,
	[TEMPLATE_INI] = &template_ini,
	[TEMPLATE_SHELL] = &template_shell,
	[TEMPLATE_JSON] = &template_json,
	[TEMPLATE_YAML] = &template_yaml,
};

const struct template_type *template_type(enum template_format format)
{
	return types[format];
}

const char *template_format_name(size_t format)
{
	return format < ARRAY_SIZE(types) ? types[format]->name : NULL;
}

int template_format_parse(const char *name, enum template_format *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!streq(types[i]->name, name))
			continue;
		*ret = (enum template_format)i;
		return 0;
	}
	return -EINVAL;
}
