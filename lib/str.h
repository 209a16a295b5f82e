/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strings: a growing buffer, NULL-terminated lists of strings, strict number parsing, and
 * the nearest of a set of words (for "did you mean").
 *
 * Running out of memory aborts the program, because no caller could continue without it.
 */
#pragma once

#include "lib/cleanup.h"

#include <string.h>

static inline bool streq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

/* Returns the rest of `s` after `prefix`, or NULL when `s` does not start with it. */
const char *str_after(const char *s, const char *prefix);
bool str_ends(const char *s, const char *suffix);

/* Returns a copy of `s` without the characters `blanks` around it, or NULL when nothing
 * else is there. Owned by the caller. */
char *str_trimmed(const char *s, const char *blanks);

/* Returns true when all bytes are zero. */
bool mem_is_zero(const void *p, size_t len);

/* These abort when memory runs out. Their results are owned by the caller. */
void *xmalloc(size_t n);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n);
/* Returns the array `p` of `n` elements with room for one more, for appending in a loop:
 * it is moved only when `n` is 0 or a power of two. The array is NULL or was only ever
 * grown by these two functions; it may have been shortened. */
void *xgrow(void *p, size_t n, size_t size);
/* Returns the array with room for `n` elements, so that xgrow() may grow it on. */
void *xgrow_to(void *p, size_t n, size_t size);
char *xstrdup(const char *s); /* NULL gives NULL */
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) _printf_(1, 2);

/* A growing buffer. Initialise it with zeros. `p` is NULL or NUL-terminated. */
struct buf {
	char *p;
	size_t len, cap;
};

void buf_add(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) _printf_(2, 3);
/* Returns the text, owned by the caller and never NULL, and empties the buffer. */
char *buf_take(struct buf *b);
void buf_done(struct buf *b);
#define _cleanup_buf_ _cleanup_(buf_done)

/*
 * A NULL-terminated list that owns its strings; NULL is the empty list. strv_add() and
 * strv_addf() walk the list to its end: they are for command lines and other lists that
 * are always short (test/lint/style.sh has them). A loop over lines, files or packages
 * appends to a strv_builder, and looks names up in a struct intern instead of with
 * strv_has().
 */
size_t strv_len(char *const *v);
void strv_add(char ***v, const char *s); /* copies */
void strv_addf(char ***v, const char *fmt, ...) _printf_(2, 3);
void strv_extend(char ***v, char *const *more); /* copies the strings */
bool strv_has(char *const *v, const char *s);
bool strv_equal(char *const *a, char *const *b); /* the same strings in the same order */
char **strv_dup(char *const *v);
void strv_sort(char **v);                                 /* by strcmp() */
char **strv_split(const char *s, const char *separators); /* empty fields dropped */
char *strv_join(char *const *v, const char *separator);
void strv_free(char **v);
void strv_done(char ***v);
#define _cleanup_strv_ _cleanup_(strv_done)

/*
 * Builds such a list in linear time. Zero-initialise. `v` holds the `n` strings so far
 * and is NULL-terminated, or NULL while `n` is 0.
 */
struct strv_builder {
	char **v;
	size_t n, cap;
};

void strv_builder_add(struct strv_builder *b, const char *s); /* copies */
void strv_builder_addf(struct strv_builder *b, const char *fmt, ...) _printf_(2, 3);
char **strv_builder_take(struct strv_builder *b); /* NULL if n is 0; empties b */
void strv_builder_done(struct strv_builder *b);
#define _cleanup_strv_builder_ _cleanup_(strv_builder_done)

/* Returns "a, b or c" for the words that `word` returns until NULL. Owned. */
char *str_list(const char *(*word)(size_t i), const char *conjunction);

/* Parses a string of decimal digits. Returns 0, -EINVAL, or -ERANGE when the number is
 * larger than `max`. */
int str_to_u64(const char *s, uint64_t max, uint64_t *ret) _must_check_;

/* Parses a size in bytes: "8G", "512M", "4096"; the suffixes K, M, G and T are powers of
 * 1024. Returns as str_to_u64. */
int str_to_size(const char *s, uint64_t *ret) _must_check_;

/* Parses a file mode of one to four octal digits. Returns 0, -EINVAL or -ERANGE. */
int str_to_mode(const char *s, unsigned *ret) _must_check_;

/*
 * Returns the word of `words` (NULL-terminated) nearest to `s` by edit distance, or NULL
 * when none is near enough for `s` to be a misspelling of it. Only the first
 * STR_NEAREST_MAX words are compared.
 */
#define STR_NEAREST_MAX 1000
const char *str_nearest(const char *s, const char *const *words);

/* Does the same for names that people number: "node-7" is no misspelling of "node-1",
 * but one of "node-07". */
const char *str_nearest_name(const char *s, const char *const *names);

/* Returns " (did you mean 'WORD'?)" for the end of a message, or "" when the word is
 * NULL. Owned by the caller. */
char *str_hint(const char *word);

/* Writes `n` bytes as lower-case hexadecimal digits and a NUL: 2n + 1 bytes at `out`. */
void str_hex(const uint8_t *bytes, size_t n, char *out);

/* Returns the byte that the first two characters of `s` are in hexadecimal digits of
 * either case, or -EINVAL when they are none. */
int str_hex_byte(const char *s);
