/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder in which libguestfs caches its machine: kernel, initrd and root file system,
 * which take some ten seconds to make. All programs of a user share it.
 */
#pragma once

/* Returns the folder for guestfs_set_cachedir(3): $LIBGUESTFS_CACHEDIR, else /var/tmp. */
const char *guest_cache_dir(void);

/* Removes the incomplete machines of killed processes. One that is being made now, by
 * whatever program, is not removed. */
void guest_cache_sweep(void);
