/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splits the kernel command line into words as the kernel does (next_arg() in
 * lib/cmdline.c): at blanks outside double quotes. `key="a b"` and `"key=a b"` both give
 * the key `key` and the value `a b`.
 */
#pragma once

#include "lib/str.h"

struct cmdline_word {
	char *key;   /* owned */
	char *value; /* owned; NULL when the word has no '=' */
};

/* Reads the word at *p and moves *p behind it. Returns false at the end. */
bool cmdline_next(const char **p, struct cmdline_word *ret);
void cmdline_word_done(struct cmdline_word *w);
#define _cleanup_word_ _cleanup_(cmdline_word_done)

/* Returns the key without "rackstrap." and with '_' for '-', which are the same for the
 * kernel too: "pod_network" for "rackstrap.pod-network". NULL when the word has no such
 * prefix. Owned by the caller. */
char *cmdline_key(const struct cmdline_word *w);

/* Returns true for a key (of cmdline_key()) that is for the boot script or the loader,
 * and no setting of the host. */
bool cmdline_key_is_other(const char *key);
