/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel command line of a host, in the spellings of the loaders. iPXE, GRUB and
 * pxelinux each have characters of their own; words that would need quoting somewhere are
 * refused, so that the kernel gets the same words whoever loads it.
 */
#pragma once

#include "pxe/image.h"
#include "pxe/rack.h"

/* The kernel takes 2047 characters (COMMAND_LINE_SIZE, arch/x86/include/asm/setup.h);
 * loaders put a few words of their own before ours. */
#define CMDLINE_MAX 1900

/* What is wrong with words for a command line ("must not hold '$'"), or NULL. */
const char *cmdline_wrong(const char *words);

/* The words for `h`, separated by single spaces: the image's, ours, the host's own. */
int cmdline_build(const struct rack_host *h, const struct image *image, char **ret,
		  struct err *e) _must_check_;

/* The same words as GRUB's script language takes them: each in single quotes, without the
 * double quotes that the kernel reads (`a="b c"` is `'a=b c'`). */
char *cmdline_for_grub(const char *words);
