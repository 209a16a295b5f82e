/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formats manifest.spdx.json: the manifest as SPDX 2.3 (the successor of ISO/IEC 5962;
 * spdx.github.io/spdx-spec/v2.3), for tools that read bills of materials. The image is
 * the package that the document describes; it contains the base's packages, the artifacts
 * and every file that the recipe adds. Like manifest.json it has the same bytes on every
 * build machine: its time is the recipe's epoch, its namespace has the digest of
 * manifest.json.
 */
#pragma once

#include "builder/image/manifest.h"

/* Returns the text, owned by the caller. `manifest_sha256` is the digest of
 * manifest.json. */
char *spdx_render(const struct manifest *m, const char *manifest_sha256);
