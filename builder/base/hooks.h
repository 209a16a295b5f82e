/* SPDX-License-Identifier: Apache-2.0 */
/* The scripts that mmdebstrap runs. */
#pragma once

#include "lib/embed.h"

EMBED(hook_gpgv, "builder/base/hooks/gpgv.sh");
/* A template (pxe/variables.h) with @tools@. */
EMBED(hook_initramfs_tools, "builder/base/hooks/initramfs-tools.sh");
EMBED(hook_initrd, "builder/base/hooks/initrd.sh");
/* A template with @packages@. */
EMBED(hook_install, "builder/base/hooks/install.sh");
