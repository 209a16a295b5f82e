/* SPDX-License-Identifier: Apache-2.0 */
/* What a build tells at its end, on standard output: the outputs, and where the bytes
 * of the root image are. */
#pragma once

#include "builder/image/manifest.h"

struct summary {
	const char *dir; /* where the image is */
	const struct manifest *manifest;
	const struct index *base;
};

void summary_print(const struct summary *s);
void summary_print_json(const struct summary *s);
