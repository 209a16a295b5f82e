/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Imitates the start of a one-file program of PyInstaller 2.1: calicoctl and
 * calico_kubernetes are such programs (bootloader/common of PyInstaller).
 */
#pragma once

/*
 * Unpacks into a new folder _MEIxxxxxx in the first writable folder of $TMPDIR, $TEMP,
 * $TMP, /tmp, /var/tmp and /usr/tmp. The original unpacks about 30 MB, this one small
 * file. exit() removes the folder; it is left behind when a signal kills the program.
 *
 * Writes the original's error message and exits with 255 when no folder can be made, or
 * when its file system is mounted noexec, where the original cannot load its libraries.
 */
void onefile_unpack(void);
