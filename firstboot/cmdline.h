/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splits the kernel command line into words as the kernel does (next_arg() in
 * lib/cmdline.c): at blanks outside double quotes. `key="a b"` and `"key=a b"` both give
 * the key `key` and the value `a b`.
 */
#pragma once

#include "firstboot/firstboot.h"
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

/* Reads the command line: that of --cmdline, or /proc/cmdline under the root, "" when
 * there is no such file. *ret is owned by the caller. Returns 0 or -errno. */
int cmdline_read(char **ret, const struct firstboot *fb) _must_check_;

/* Returns the last value of "rackstrap.KEY", `key` in the form of cmdline_key(), or NULL.
 * Owned by the caller. */
char *cmdline_value(const struct firstboot *fb, const char *key);
