/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists as kubectl prints them. A kubectl of today asks the server for the columns
 * (meta.k8s.io/v1 Table); the servers of 2015 knew nothing of that, and kubectl of 2015
 * is in no package archive.
 */
#pragma once

#include "test/standin/common/registry.h"

/* Whether an Accept header asks for a table. */
bool table_wanted(const char *accept);

/* From a list or a single object; a new reference. */
json_t *table_make(const struct resource *r, const json_t *list_or_object);
