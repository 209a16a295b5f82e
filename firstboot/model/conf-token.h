/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tokens of a libconfig text (its manual, "Configuration Files"; scanner.l of 1.5),
 * for conf-syntax.c. Text that libconfig refuses is a token too, so that a message can
 * name it.
 */
#pragma once

#include "lib/str.h"

enum conf_token_type {
	TOKEN_END,
	TOKEN_NAME,
	TOKEN_STRING, /* with its quotes */
	TOKEN_NUMBER,
	TOKEN_BOOL,
	TOKEN_WORD,    /* a run of letters, digits and signs that is none of these */
	TOKEN_SIGN,    /* one of { } [ ] ( ) = : ; , */
	TOKEN_COMMENT, /* one that is not terminated; others are skipped */
	TOKEN_OTHER,   /* another character, or a byte that is not UTF-8 */
};

struct conf_token {
	enum conf_token_type type;
	size_t at, len; /* in the text */
	unsigned line;
	bool is_open; /* a string without its closing quote */
	bool spans;   /* a string that does not end in its first line */
};

struct conf_tokens {
	const char *text;
	size_t len, at;
	unsigned line; /* of `at` */
};

/* Reads the next token. Blanks, comments and @include lines are skipped. */
void conf_token_next(struct conf_tokens *t, struct conf_token *ret);

/* Returns the length of the word at the offset as a person would take it: up to a blank,
 * a bracket or one of ; , = " # */
size_t conf_token_word(const struct conf_tokens *t, size_t at);
