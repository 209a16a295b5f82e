/* SPDX-License-Identifier: Apache-2.0 */
/* Additions to complaints about values: what is easily overlooked in a value. */
#pragma once

#include "firstboot/model/conf.h"

/* Returns ": it ends with a blank" and the like for a string that looks right at the
 * first glance, else "". */
const char *conf_value_note(const char *s);

/* Returns ": write it without quotation marks" and the like for a value whose only fault
 * is that it is written as another type than `wanted`, else "". */
const char *conf_type_note(const struct conf_node *n, enum conf_type wanted);
