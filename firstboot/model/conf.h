/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict reading of libconfig files; conf.c is the only file that includes libconfig.h.
 * Every getter adds its complaints, with file and line, to a diag, so that all mistakes
 * of a file are reported together. Integers have 32 bits; larger ones are refused when a
 * text is read (libconfig 1.5 reads 4294967295 as -1). Addresses, sizes, prefixes and
 * modes are strings in our formats.
 */
#pragma once

#include "lib/err.h"
#include "lib/str.h"

struct conf;      /* a parsed file; owns every node and every string got from it */
struct conf_node; /* a setting in it */

enum conf_flags {
	CONF_NO_INCLUDE = 1 << 0, /* refuse @include: for data from other machines */
	CONF_FOREIGN = 1 << 1,    /* refuse symlinks, pipes and devices: for a file that
				   * the operator did not name (lib/file.h) */
};

/* The largest files, in bytes: of one host, of an image or recipe, of a rack. */
#define CONF_MAX       (64 * 1024)
#define CONF_MAX_IMAGE (4 * 1024 * 1024)
#define CONF_MAX_RACK  (256 * 1024 * 1024)

/*
 * Read and parse a text of at most `max` bytes. `name` is its name in complaints
 * ("NAME:LINE: ..."). conf_read_root() reads a file below a root (lib/root.h) and refuses
 * @include, which could lead out of the root. Return 0, or -1 with complaints.
 */
int conf_read_at(struct conf **ret, int dirfd, const char *path, const char *name,
		 size_t max, unsigned flags, struct diag *d) _must_check_;
int conf_read_root(struct conf **ret, int rootfd, const char *path, const char *name,
		   size_t max, struct diag *d) _must_check_;
int conf_parse(struct conf **ret, const char *text, size_t len, const char *name,
	       size_t max, unsigned flags, struct diag *d) _must_check_;
void conf_free(struct conf *c);
void conf_free_p(struct conf **c);
#define _cleanup_conf_ _cleanup_(conf_free_p)

/* Returns the group of all settings; NULL for one that was made and is still empty. */
const struct conf_node *conf_root(const struct conf *c);
const char *conf_name(const struct conf *c);

/* Return the file and line of a node. The file is the name given when it was read, or the
 * path of an included file. */
const char *conf_file(const struct conf_node *n);
unsigned conf_line(const struct conf_node *n);
/* Returns both, for complaints, and the column of a value from a table. The root has no
 * line. The file is the node's. */
struct diag_place conf_place(const struct conf_node *n);
const char *conf_key(const struct conf_node *n); /* NULL for list elements */

/* Adds a complaint, "FILE:LINE: " and the message. Always returns -1. */
int conf_complain(const struct conf_node *n, struct diag *d, const char *fmt, ...)
	_printf_(3, 4);
/* The same about a file that the node names and that cannot be read (diag_add_unread). */
int conf_complain_unread(const struct conf_node *n, struct diag *d, const char *fmt, ...)
	_printf_(3, 4);

/* Returns the member of a group, or NULL when there is none. Never complains. */
const struct conf_node *conf_member(const struct conf_node *n, const char *key);

enum conf_type {
	CONF_STRING,
	CONF_INT,
	CONF_BOOL,
	CONF_GROUP,
	CONF_LIST,  /* a libconfig list ( ) or array [ ] */
	CONF_OTHER, /* floats and 64-bit integers, which no format here uses */
};
enum conf_type conf_type(const struct conf_node *n);

/*
 * Get a member by its key. Return 1 and set *ret; 0 when it is absent; -1 with a
 * complaint when it has the wrong type or is out of range ("a.cfg:3: name: must be a
 * string"). *ret is unchanged unless 1 is returned.
 */
int conf_get_str(const struct conf_node *n, const char *key, const char **ret,
		 struct diag *d) _must_check_;
int conf_get_bool(const struct conf_node *n, const char *key, bool *ret,
		  struct diag *d) _must_check_;
int conf_get_int(const struct conf_node *n, const char *key, int min, int max, int *ret,
		 struct diag *d) _must_check_;
int conf_get_strv(const struct conf_node *n, const char *key, char ***ret,
		  struct diag *d) _must_check_;
int conf_get_group(const struct conf_node *n, const char *key,
		   const struct conf_node **ret, struct diag *d) _must_check_;
int conf_get_list(const struct conf_node *n, const char *key,
		  const struct conf_node **ret, struct diag *d) _must_check_;

/* Get the value of a node itself, as of a list's element. Return 0, or -1 with a
 * complaint when it has another type. */
int conf_str(const struct conf_node *n, const char **ret, struct diag *d) _must_check_;
int conf_bool(const struct conf_node *n, bool *ret, struct diag *d) _must_check_;
int conf_int(const struct conf_node *n, int *ret, struct diag *d) _must_check_;

/* Returns the number of members or elements; 0 for another type, and for NULL. */
size_t conf_len(const struct conf_node *n);
/* Returns one of them, or NULL behind the last. */
const struct conf_node *conf_at(const struct conf_node *n, size_t i);

/*
 * Complains about every member that is not in `keys` (NULL-terminated), naming the
 * nearest that is: "a.cfg:7: unknown key 'adress' (did you mean 'address'?)".
 * Returns 0, or -1 when there was one.
 */
int conf_check_keys(const struct conf_node *n, const char *const *keys,
		    struct diag *d) _must_check_;

/* Does the same with `prefix` before each message. `others` has pairs: a name that one
 * may take for a key, and that key; NULL at its end, or NULL: none. */
int conf_check_keys_of(const struct conf_node *n, const char *prefix,
		       const char *const *keys, const char *const *others,
		       struct diag *d) _must_check_;

/* Complains about one such member, of which `near` is the nearest key or NULL. `prefix`
 * precedes the message. Keeps the pointer `near`. Returns -1. */
int conf_complain_unknown(const struct conf_node *n, const char *prefix, const char *near,
			  struct diag *d);

/* Returns true when a group has neither the key nor a member that was complained about as
 * a misspelling of it: a complaint that it is missing would only repeat that one. */
bool conf_is_missing(const struct conf_node *group, const char *key);

/* Returns the settings as a text that conf_parse() reads to the same ones, with those of
 * included files in their places and without comments. Owned by the caller. */
char *conf_text(const struct conf *c);
/* Returns the value of a node as such a text has it. Owned by the caller. */
char *conf_value_text(const struct conf_node *n);

/*
 * A configuration may also be made of nodes, which may be those of others: these must
 * outlive it.
 */

/* Returns a configuration without a node. The first that is made is its root. */
struct conf *conf_new(const char *name);
/* Make a node with the place of `at`, or without one. The configuration owns it; `key` is
 * kept and must outlive it. */
struct conf_node *conf_make(struct conf *c, enum conf_type type, const char *key,
			    const struct conf_node *at);
/* Returns an empty list, which is written in [ ]. */
struct conf_node *conf_make_list(struct conf *c, const char *key,
				 const struct conf_node *at);
const struct conf_node *conf_make_str(struct conf *c, const char *key, const char *s,
				      const struct conf_node *at);
const struct conf_node *conf_make_int(struct conf *c, const char *key, int i,
				      const struct conf_node *at);
const struct conf_node *conf_make_bool(struct conf *c, const char *key, bool b,
				       const struct conf_node *at);
/* Returns a copy of a text, which the configuration owns. */
const char *conf_copy(struct conf *c, const char *s);
/* Sets the place of a node that was made. Keeps the pointer to its file. */
void conf_set_place(struct conf_node *n, const struct diag_place *at);
/* Adds a node to a group or list that was made, in time that does not grow with it. */
void conf_add(struct conf *c, struct conf_node *to, const struct conf_node *n);
/* Does the same with a member of a group, in the place of one with its key. */
void conf_replace(struct conf *c, struct conf_node *to, const struct conf_node *n);
/* Does the same, but of two groups with the same key makes one that has the members of
 * both, those of `n` in the places of others with their keys. */
void conf_merge(struct conf *c, struct conf_node *to, const struct conf_node *n);
/* Adds only the first complaint about each of the node and those in it, because many
 * groups have them. */
void conf_share(const struct conf_node *n);

/* Appends a string in quotes, escaped as libconfig reads it. */
void conf_quote(struct buf *b, const char *s);
/* Appends `key` with an array of strings; NULL is an empty one. */
void conf_append_strv(struct buf *b, const char *key, char *const *v);
