/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the tables that kubectl prints. A current kubectl requests the columns from the
 * server (meta.k8s.io/v1 Table); the servers of 2015 had no such type, and the kubectl of
 * 2015 is in no package archive.
 */
#pragma once

#include "test/standin/common/registry.h"

/* Returns whether an Accept header requests a table. */
bool table_wanted(const char *accept);

/* Makes a Table of a list or a single object. Returns a new reference. */
json_t *table_make(const struct resource *r, const json_t *list_or_object);
