/* SPDX-License-Identifier: Apache-2.0 */
/* What can be known to go wrong before a rack is switched on. */
#pragma once

#include "builder/common/accel.h"
#include "lib/err.h"
#include "pxe/image.h"
#include "pxe/rack.h"

/* A program or file that is missing is one complaint, with Debian's package for it.
 * Files are looked for below `root`, which is "" but in tests. */
int preflight_tools(bool uefi, enum accel_choice accel, const char *root,
		    struct diag *d) _must_check_;

/*
 * The least memory a machine needs to boot an image over PXE, in bytes, a multiple of 64
 * MiB. While it boots, the compressed initrds and what they unpack to are in memory
 * together, and the kernel gives the latter half of what is left (rootfs is a tmpfs).
 */
uint64_t preflight_memory(const struct image *image);

/* Complains about every host whose vm.memory is less. `hosts` are `n` of `rack`. */
int preflight_hosts(const struct rack *rack, const struct rack_host *const *hosts,
		    size_t n, const struct image *image, struct diag *d) _must_check_;

/* A warning when this machine has less memory than its guests may come to use. */
void preflight_this_machine(const struct rack_host *const *hosts, size_t n,
			    const char *meminfo);
