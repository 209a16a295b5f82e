/* SPDX-License-Identifier: Apache-2.0 */
#include "firstboot/model/conf-note.h"

#include "firstboot/model/conf-language.h"

const char *conf_value_note(const char *s)
{
	size_t n = strlen(s);

	if (n == 0)
		return "";
	if (strchr(s, '\n') || strchr(s, '\r'))
		return ": it has a newline in it (is a quotation mark missing?)";
	if (s[strspn(s, " \t")] == '\0')
		return ": it has blanks only";
	if (strchr(" \t", s[0]))
		return ": it begins with a blank";
	if (strchr(" \t", s[n - 1]))
		return ": it ends with a blank";
	if (conf_smart_quote(s) || strchr("'`", s[0]) ||
	    (s[0] == '"' && n > 1 && s[n - 1] == '"'))
		return ": it has quotation marks in it";
	return "";
}

static bool is_number(const char *s)
{
	s += *s == '-';
	return *s && !s[strspn(s, "0123456789")];
}

const char *conf_type_note(const struct conf_node *n, enum conf_type wanted)
{
	enum conf_type is = conf_type(n);
	const char *s = "";

	if (is == CONF_STRING)
		(void)!conf_str(n, &s, NULL);
	if (wanted == CONF_INT && is == CONF_STRING && is_number(s))
		return ": write it without quotation marks";
	if (wanted == CONF_BOOL && is == CONF_STRING &&
	    (streq(s, "true") || streq(s, "false")))
		return ": write it without quotation marks";
	if (wanted == CONF_INT && is == CONF_OTHER)
		return ": write digits only, without '.' and 'L'";
	if (wanted == CONF_BOOL && is == CONF_INT)
		return ": write true for 1, false for 0";
	if (wanted == CONF_STRING &&
	    (is == CONF_INT || is == CONF_OTHER || is == CONF_BOOL))
		return ": write it in quotation marks";
	if (wanted == CONF_STRING && is == CONF_LIST)
		return ": write it without brackets";
	if (wanted == CONF_GROUP && is == CONF_LIST && conf_len(n) == 1 &&
	    conf_type(conf_at(n, 0)) == CONF_GROUP)
		return ": write it without the brackets ( )";
	return "";
}
