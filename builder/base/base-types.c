/* SPDX-License-Identifier: Apache-2.0 */
/* The table of base types (builder/recipe/base-type.h). A new type is a file base-NAME.c
 * and a row here. */
#include "builder/base/base.h"

const struct base_type *const base_types[] = {&base_suite, &base_tar, &base_disk, NULL};
