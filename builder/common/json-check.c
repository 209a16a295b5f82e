/* SPDX-License-Identifier: Apache-2.0 */
#include "builder/common/json-check.h"

#include <jansson.h>

int json_check(const char *text, size_t len, size_t *ret_at, struct err *e)
{
	json_error_t error;
	json_t *j =
		json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

	if (!j) {
		*ret_at = error.position > 0 ? (size_t)error.position - 1 : 0;
		return err_set(e, ERR_CONFIG, "line %d: %s", error.line, error.text);
	}
	json_decref(j);
	return 0;
}
