/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the events of libyaml's parser up to the end of the text or to a mistake. */
#include "builder/common/yaml.h"

#include <yaml.h>

/* Returns the offset of the character of that index in a UTF-8 text. */
static size_t offset_of(const char *text, size_t len, size_t index)
{
	size_t at = 0;

	for (; at < len && (index > 0 || ((uint8_t)text[at] & 0xc0) == 0x80); at++)
		index -= ((uint8_t)text[at] & 0xc0) != 0x80;
	return at;
}

int yaml_check(const char *text, size_t len, size_t *ret_at, struct err *e)
{
	yaml_parser_t p;
	bool ended = false;
	int r = 0;

	if (!yaml_parser_initialize(&p))
		return err_errno(e, ENOMEM, "libyaml");
	yaml_parser_set_input_string(&p, (const unsigned char *)text, len);
	while (!ended && r == 0) {
		yaml_event_t event;

		if (!yaml_parser_parse(&p, &event)) {
			*ret_at = offset_of(text, len, p.problem_mark.index);
			r = err_set(e, ERR_CONFIG, "line %zu: %s",
				    p.problem_mark.line + 1,
				    p.problem ? p.problem : "out of memory");
			break;
		}
		ended = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&p);
	return r;
}
