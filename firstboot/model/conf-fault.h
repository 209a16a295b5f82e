/* SPDX-License-Identifier: Apache-2.0 */
/* Reports of conf-syntax.c, which only that file uses. */
#pragma once

#include "firstboot/model/conf-token.h"
#include "lib/err.h"

struct conf_lines;

struct syntax {
	struct conf_tokens t;
	struct conf_token tok, last; /* the token to read, and the one before it */
	struct conf_token key;       /* of the setting that is read */
	struct conf_token suspect, spanning; /* strings that span lines; len 0: none */
	unsigned depth;
	const struct conf_lines *lines;
	struct diag *d;
};

bool syntax_is_sign(const struct conf_token *k, const struct syntax *x,
		    const char *signs);
size_t syntax_last_end(const struct syntax *x); /* of the token before the next */

/* Returns the place of a token for the message about one at the offset `at`: "line 3", or
 * "FILE:3" if it is in another file. Owned by the caller. */
char *syntax_place(const struct syntax *x, unsigned line, size_t at);

/* Returns true when the value of such a key is not shown. */
bool syntax_secret_key(const char *s, size_t len);

/* Reports a mistake at an offset, or the string without an end that caused it. These
 * return -1. */
int syntax_fault(struct syntax *x, size_t at, const char *fmt, ...) _printf_(3, 4);
/* Reports a string without its closing quotation mark. */
int syntax_report_string(struct syntax *x, const struct conf_token *k);
/* Reports a bracket that is not closed. */
int syntax_fault_open(struct syntax *x, const struct conf_token *open);
/* Reports the next token, a bracket that closes another one than the last that was
 * opened, which is NULL when all are closed. */
int syntax_fault_close(struct syntax *x, const struct conf_token *open);
/* Reports the next token, a character that cannot be where it is. */
int syntax_fault_other(struct syntax *x);
