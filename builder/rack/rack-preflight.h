/* SPDX-License-Identifier: Apache-2.0 */
/* Checks that are made before a rack is started. */
#pragma once

#include "builder/common/accel.h"
#include "lib/err.h"
#include "pxe/image.h"
#include "pxe/rack.h"

/* Checks that all programs and files are there. Returns 0, or -1 with a complaint for
 * each that is missing, with its Debian package. Files are looked for below `root`, which
 * is "" except in tests. */
int preflight_tools(bool uefi, enum accel_choice accel, const char *root,
		    struct diag *d) _must_check_;

/*
 * Returns the least memory a machine needs to boot an image over PXE, in bytes, a
 * multiple of 64 MiB. During the boot, the compressed initrds and their unpacked content
 * are both in memory, and the kernel limits the unpacked content to half of the rest
 * (rootfs is a tmpfs).
 */
uint64_t preflight_memory(const struct image *image);

/* Complains about every host whose vm.memory is less than that, or whose machine has less
 * network cards than its bond has links. Warns of a VLAN. Returns 0 or -1. */
int preflight_hosts(const struct rack_host *const *hosts, size_t n,
		    const struct image *image, struct diag *d) _must_check_;

/* Warns if less memory is available here (see `meminfo`, "/proc/meminfo" except in tests)
 * than the guests may use. */
void preflight_this_machine(const struct rack_host *const *hosts, size_t n,
			    const char *meminfo);
