/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict reading of libconfig files; conf.c is the only file that includes
 * libconfig.h. Every getter says what it did not like, with file and line, into a
 * diag, so that all mistakes of a file are told at once. Integers are libconfig's
 * 32-bit ones and their wrap-around (libconfig 1.5 reads 4294967295 as -1) is out of
 * reach because addresses, sizes, prefixes and modes are strings in our formats.
 */
#pragma once

#include "lib/err.h"
#include "lib/str.h"

struct conf;      /* a parsed file; owns every node and every string got from it */
struct conf_node; /* a setting in it */

enum conf_flags {
	CONF_NO_INCLUDE = 1 << 0, /* refuse @include: for data that came from elsewhere */
};

#define CONF_MAX      (64 * 1024)       /* default cap of one host's file, bytes */
#define CONF_MAX_RACK (4 * 1024 * 1024) /* cap of a rack or recipe file, bytes */

/* 0, or -1 with complaints added ("NAME:LINE: ..."). `name` is what messages call it. */
int conf_read_at(struct conf **ret, int dirfd, const char *path, const char *name,
		 size_t max, unsigned flags, struct diag *d) _must_check_;
int conf_parse(struct conf **ret, const char *text, size_t len, const char *name,
	       size_t max, unsigned flags, struct diag *d) _must_check_;
void conf_free(struct conf *c);
void conf_free_p(struct conf **c);
#define _cleanup_conf_ _cleanup_(conf_free_p)

const struct conf_node *conf_root(const struct conf *c);
const char *conf_name(const struct conf *c);

/* Where a node stands. File: the name given when read, or as @include named it. */
const char *conf_file(const struct conf_node *n);
unsigned conf_line(const struct conf_node *n);
const char *conf_key(const struct conf_node *n); /* NULL for list elements */

/* Adds "FILE:LINE: " and the message. Always -1. */
int conf_complain(const struct conf_node *n, struct diag *d, const char *fmt, ...)
	_printf_(3, 4);

/* The member of a group, or NULL. Never complains. */
const struct conf_node *conf_member(const struct conf_node *n, const char *key);

enum conf_type {
	CONF_STRING,
	CONF_INT,
	CONF_BOOL,
	CONF_GROUP,
	CONF_LIST,  /* a libconfig list ( ) or array [ ] */
	CONF_OTHER, /* floats and 64-bit integers: nothing of ours takes them */
};
enum conf_type conf_type(const struct conf_node *n);

/*
 * Members by key. 1: present, *ret set. 0: absent, *ret untouched. -1: present with
 * the wrong type or out of range, complained about ("a.cfg:3: name: must be a string").
 */
int conf_get_str(const struct conf_node *n, const char *key, const char **ret,
		 struct diag *d);
int conf_get_bool(const struct conf_node *n, const char *key, bool *ret, struct diag *d);
int conf_get_int(const struct conf_node *n, const char *key, int min, int max, int *ret,
		 struct diag *d);
int conf_get_strv(const struct conf_node *n, const char *key, char ***ret,
		  struct diag *d);
int conf_get_group(const struct conf_node *n, const char *key,
		   const struct conf_node **ret, struct diag *d);
int conf_get_list(const struct conf_node *n, const char *key,
		  const struct conf_node **ret, struct diag *d);

/* The value of a node itself (list elements). 0, or -1 when it is of another type. */
int conf_str(const struct conf_node *n, const char **ret, struct diag *d);
int conf_bool(const struct conf_node *n, bool *ret, struct diag *d);
int conf_int(const struct conf_node *n, int *ret, struct diag *d);

size_t conf_len(const struct conf_node *n); /* members or elements; 0 for NULL */
const struct conf_node *conf_at(const struct conf_node *n, size_t i);

/*
 * Complains about every member that is not in `keys` (NULL-terminated), naming the
 * nearest that is: "a.cfg:7: unknown key 'adress' (did you mean 'address'?)".
 * Returns 0, or -1 when there was one.
 */
int conf_check_keys(const struct conf_node *n, const char *const *keys, struct diag *d);

/* Writes a string as libconfig reads it back, quotes included. */
void conf_quote(struct buf *b, const char *s);
