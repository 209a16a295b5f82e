/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the result of a build on standard output: its outputs, and the largest
 * contributors to the root image. */
#pragma once

#include "builder/image/manifest.h"

struct summary {
	const char *dir; /* of the outputs */
	const struct manifest *manifest;
	const struct index *base;
};

void summary_print(const struct summary *s);
void summary_print_json(const struct summary *s);
