/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does what a one-file program of PyInstaller 2.1 does before its own work: calicoctl and
 * calico_kubernetes are such programs (bootloader/common of PyInstaller).
 */
#pragma once

/*
 * Unpacks into a new folder _MEIxxxxxx in $TMPDIR, $TEMP, $TMP, /tmp, /var/tmp or
 * /usr/tmp, the first that can be written; the original's about 30 MB are one small file
 * here. The folder is removed by exit(), and left behind by a signal that kills.
 *
 * Complains and exits with 255 when there is no such folder, or when its file system is
 * mounted noexec and the original could not load its libraries from it.
 */
void onefile_unpack(void);
