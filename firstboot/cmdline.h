/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel command line, cut into words as the kernel cuts it (next_arg() in
 * lib/cmdline.c): at blanks outside double quotes, `key="a b"` and `"key=a b"` both mean
 * key and `a b`.
 */
#pragma once

#include "firstboot/firstboot.h"
#include "lib/str.h"

struct cmdline_word {
	char *key;   /* owned */
	char *value; /* owned; NULL when the word has no '=' */
};

/* The word at *p, *p moved behind it. False at the end. */
bool cmdline_next(const char **p, struct cmdline_word *ret);
void cmdline_word_done(struct cmdline_word *w);
#define _cleanup_word_ _cleanup_(cmdline_word_done)

/* "rackstrap.pod-network" gives "pod_network" (the kernel, too, takes '-' and '_' for the
 * same); NULL when the word is not ours. Owned by the caller. */
char *cmdline_key(const struct cmdline_word *w);

/* The command line: --cmdline's, or /proc/cmdline under the root; "" when there is no
 * such file. *ret is owned by the caller. 0 or -errno. */
int cmdline_read(char **ret, const struct firstboot *fb) _must_check_;

/* The last value of "rackstrap.KEY" on it, `key` as cmdline_key() gives it; NULL: none.
 * Owned by the caller. */
char *cmdline_value(const struct firstboot *fb, const char *key);
