/* SPDX-License-Identifier: Apache-2.0 */
/* An ISO 9660 file system: ECMA-119. */
#pragma once

#define ISO_SECTOR 2048
#define ISO_FIRST  16 /* sector of the first volume descriptor (6.2.1) */
