/* SPDX-License-Identifier: Apache-2.0 */
/* Checks a text that is to be YAML. Only yaml.c includes libyaml's header. */
#pragma once

#include "lib/err.h"

/* Returns 0 if the text is YAML 1.1, of any number of documents; else -1 with "line 3:
 * ...", and *ret_at is the offset of the mistake. Aliases are not followed, so that a
 * short text takes little time and memory. */
int yaml_check(const char *text, size_t len, size_t *ret_at, struct err *e) _must_check_;
