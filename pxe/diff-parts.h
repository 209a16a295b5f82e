/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a comparison; diff.c puts them together. */
#pragma once

#include "pxe/diff.h"

/* A secret of a host, with its bytes, which are in no message. */
struct diff_secret {
	char *name;
	const char *data;
	size_t len;
};

/* A host of a side. */
struct diff_host {
	/* Derived; a copy that shares the memory of `own` or of the rack, except the
	 * report. */
	struct host host;
	struct host own; /* of a tree */
	char *report;    /* the URL in the tree, when the rack file names none; or NULL */
	bool has_role;   /* the features of its role are known */
	bool has_words;  /* the next four are known */
	const char *cmdline, *state_disk, *serial, *uuid;
	const struct rack_host *entry; /* of a rack; NULL: of a tree */
	struct diff_secret *secrets;
	size_t n_secrets;
	char *archive; /* that has their bytes; of a tree */
	size_t archive_len;
};

size_t diff_side_len(const struct diff_side *s);
/* Sets the member for the host of that index. */
void diff_side_member(const struct diff_side *s, size_t i, struct diff_member *ret);

/* Loads the host of that index. Returns 0 or -1 (ERR_UNABLE). *ret is the caller's to
 * empty in any case. */
int diff_host_load(struct diff_host *ret, const struct diff_side *s, size_t i,
		   struct err *e) _must_check_;
void diff_host_done(struct diff_host *h);
#define _cleanup_diff_host_ _cleanup_(diff_host_done)

/* Adds a value, whose texts become the list's. */
void diff_value_add(struct diff_value **v, size_t *n, const char *key, char *old,
		    char *new);
/* Adds it when the texts, which are copied and may be NULL, differ. */
void diff_value_compare(struct diff_value **v, size_t *n, const char *key,
			const char *old, const char *new);

/* Adds all values of the hosts that differ. */
void diff_host_compare(struct diff_change *c, const struct diff_host *old,
		       const struct diff_host *new);

/* Returns the host's entry of the secret that another host's entry names, or NULL. */
const char *diff_secret_entry(const struct diff_host *h, const char *entry);
/* Returns true when the secret that an entry names is of one host only, or has other
 * bytes. */
bool diff_secret_differs(const struct diff_host *old, const struct diff_host *new,
			 const char *entry);
/* Returns true for two texts that differ; NULL differs from every text. */
bool diff_texts(const char *a, const char *b);

/* Finds the effect of a change. Returns 0 or -1 (ERR_UNABLE). */
int diff_effect_find(struct diff_change *c, const struct diff_side *old_side,
		     const struct diff_side *new_side, const struct diff_host *old,
		     const struct diff_host *new, struct err *e) _must_check_;
/* Return true when both images are known, and they or their kernel words differ. */
bool diff_image_differs(const struct diff_side *old, const struct diff_side *new);
bool diff_image_words_differ(const struct diff_side *old, const struct diff_side *new);
/* Returns true when a template of the host's role loops over the rack's hosts. */
bool diff_uses_hosts(const struct diff_side *s, const struct diff_host *h);
void diff_effect_done(struct diff_effect *f);
