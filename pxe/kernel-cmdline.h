/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the kernel command line of a host, as each loader's configuration needs it. iPXE,
 * GRUB and pxelinux each have special characters; words that would need quoting for one
 * of them are refused, so that every loader passes the same words to the kernel.
 */
#pragma once

#include "pxe/image.h"
#include "pxe/rack.h"

/* The kernel takes 2047 characters (COMMAND_LINE_SIZE, arch/x86/include/asm/setup.h);
 * loaders add a few words before ours. */
#define CMDLINE_MAX 1900

/* Returns the fault of words for a command line ("must not hold '$'"), or NULL. */
const char *cmdline_wrong(const char *words);

/* Complains about words "rackstrap.KEY=VALUE" that every host would refuse: of a recipe,
 * whose words all hosts get. `n` is the setting that has the words. */
void cmdline_check_keys(const char *words, const struct conf_node *n, struct diag *d);

/* Returns the fault of the words of a rack file, which may not set keys of the host: the
 * node would read them and check would not. */
const char *cmdline_rack_wrong(const char *words);

/* Sets *ret to the words for `h`, separated by single spaces: the image's, rackstrap's,
 * the host's. Owned by the caller. */
int cmdline_build(const struct rack_host *h, const struct image *image, char **ret,
		  struct err *e) _must_check_;

/* Returns the words for GRUB's script language: each in single quotes, without the double
 * quotes that the kernel reads (`a="b c"` becomes `'a=b c'`). Owned by the caller. */
char *cmdline_for_grub(const char *words);
