/* SPDX-License-Identifier: Apache-2.0 */
/*
 * manifest.spdx.json: the manifest as SPDX 2.3 (ISO/IEC 5962's successor; spdx.github.io/
 * spdx-spec/v2.3), for tools that read bills of materials. The image is the package that
 * the document describes; it contains the base's packages, the artifacts and every file
 * of ours. As manifest.json it is the same bytes wherever it is built: its time is the
 * recipe's epoch, its namespace is made of the digest of what it says.
 */
#pragma once

#include "builder/image/manifest.h"

/* `manifest_sha256` is of manifest.json. Owned by the caller. */
char *spdx_render(const struct manifest *m, const char *manifest_sha256);
