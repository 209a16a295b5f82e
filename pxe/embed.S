/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/embed.h"
