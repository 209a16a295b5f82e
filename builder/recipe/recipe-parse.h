/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files that read a recipe, one for each section of the recipe. Each
 * section's reader lays its keys over those that are there already.
 */
#pragma once

#include "builder/recipe/recipe.h"
#include "lib/intern.h"

/* The keys of each section, NULL-terminated. The keys of a base belong to its type
 * (base-type.h), those of a role to the host model. */
extern const char *const recipe_keys[];
extern const char *const recipe_initramfs_keys[];
extern const char *const recipe_squashfs_keys[];
extern const char *const recipe_artifact_keys[];
extern const char *const recipe_extract_keys[];
extern const char *const recipe_file_keys[];
extern const char *const recipe_template_keys[];
extern const char *const recipe_media_keys[];
extern const char *const recipe_container_keys[];
extern const char *const recipe_remove_keys[];

/* Returns "FILE:LINE" of a node. Owned by the caller. */
char *recipe_node_where(const struct conf_node *n);
void recipe_set_where(recipe_where *dst, const struct conf_node *n);

/* Returns `path` relative to the folder of the file that the node is written in. Owned by
 * the caller. */
char *recipe_beside(const struct conf_node *n, const char *path);
/* Checks that the node's file can be read; a complaint begins with `prefix`. */
void recipe_check_file(const struct conf_node *n, const char *prefix, const char *path,
		       struct diag *d);

/* These work as conf_get_str() and its siblings, but copy into owned memory; *dst stays
 * when the key is absent. */
int recipe_get_text(const struct conf_node *n, const char *key, char **dst,
		    struct diag *d);
/* Reads a string that is one word of printable characters without spaces. */
int recipe_get_word(const struct conf_node *n, const char *key, char **dst,
		    struct diag *d);
/* Reads a list of such words. */
int recipe_get_words(const struct conf_node *n, const char *key, char ***dst,
		     struct diag *d);
/* Reads a path in the image: absolute, without "..", "." and "//", and not the root
 * itself, so that each path has one spelling. */
int recipe_get_target(const struct conf_node *n, const char *key, char **dst,
		      struct diag *d);
/* Reads an octal mode, at most 0777 and the sticky bit: no file of ours is setuid. */
int recipe_get_mode(const struct conf_node *n, const char *key, unsigned *dst,
		    struct diag *d);

/* Reads a size, as "2G", that is not 0. */
int recipe_get_size(const struct conf_node *n, const char *key, uint64_t *dst,
		    struct diag *d);

bool recipe_is_word(const char *s);
bool recipe_is_url(const char *s);  /* https://, http:// or file:/// */
bool recipe_is_unit(const char *s); /* "x.service", "getty@tty1.service", "x.target" */
/* Complains about a name that is none, with a hint. `prefix`: "units: " or the like. */
void recipe_complain_unit(const struct conf_node *n, const char *prefix, const char *name,
			  struct diag *d);

/* A list of named entries, which are laid over those of an included recipe one by one. */
struct recipe_list {
	const char *key;    /* of the list: "artifacts" */
	bool strings;       /* its elements are strings, not groups */
	size_t size;        /* size of an entry, ... */
	size_t name, where; /* ... and the offsets of these pointers in it */
	/* Fills an entry that was zeroed before; its name stays NULL when it is wrong. */
	void (*parse)(void *entry, const struct conf_node *n, struct diag *d);
	void (*done)(void *entry);
};

/* Lays a file's list over the `n` entries of `v`: removed ones are deleted, an entry with
 * the name of another replaces it, others are appended. Returns the new array. */
void *recipe_lay_list(const struct recipe_list *type, void *v, size_t *n,
		      const struct conf_node *root, struct diag *d);
/* Checks the group `remove` of a file, except the names, which recipe_lay_list()
 * checks. */
void recipe_parse_remove(const struct conf_node *root, struct diag *d);

/* Returns the path without "." and "..", or unchanged when it would lead to another file.
 * Owned by the caller. */
char *recipe_tidy_path(const char *path);

/* Checks a URL of `key`, which may have neither user name nor password; `instead` says
 * what to do with them. Returns 0 or -1. */
int recipe_check_url(const struct conf_node *n, const char *key, const char *url,
		     const char *instead, struct diag *d);
/* Reads url and public_query. *url is what is recorded and printed, *source what is
 * fetched, or NULL when that is the same. Returns 1, 0 when there is no url, -1. */
int recipe_get_url(const struct conf_node *n, char **url, char **source, struct diag *d);
/* Complains about artifacts whose urls differ only in a query that is not recorded. */
void recipe_check_urls(const struct recipe *r, struct diag *d);

/* Reads sha256 or sha512 of a group; *hex stays when there is neither. */
void recipe_get_digest(const struct conf_node *n, char **hex, enum digest_type *type,
		       struct diag *d);

/* Adds an artifact for another section. The pointer is valid until the next call. */
struct recipe_artifact *recipe_add_artifact(struct recipe *r, enum artifact_use use,
					    const char *name, const char *url,
					    const char *source, const char *digest,
					    enum digest_type type, const char *where);
/* Add the artifacts of the containers and the base, when everything is read. */
void recipe_containers_fetch(struct recipe *r);
void recipe_base_fetch(struct recipe *r);

/* Reads "sha256:<hex>". */
int recipe_get_sha256(const struct conf_node *n, const char *key, char **dst,
		      struct diag *d);

/* Checks the key `image`, an image's name; `example` is one. Returns 0 or -1. */
int recipe_check_image(const struct conf_node *n, const char *image, const char *example,
		       struct diag *d);

void recipe_parse_containers(struct recipe *r, const struct conf_node *root,
			     struct diag *d);
void recipe_parse_artifacts(struct recipe *r, const struct conf_node *root,
			    struct diag *d);
void recipe_parse_files(struct recipe *r, const struct conf_node *root, struct diag *d);
void recipe_parse_templates(struct recipe *r, const struct conf_node *root,
			    struct diag *d);
/* Compiles and tries out the templates of a complete recipe, in r->compiled. */
void recipe_check_templates(struct recipe *r, struct diag *d);
void recipe_templates_done(struct recipe *r);
void recipe_parse_units(struct recipe *r, const struct conf_node *root, struct diag *d);
void recipe_parse_base(struct recipe *r, const struct conf_node *root, struct diag *d);
void recipe_parse_media(struct recipe *r, const struct conf_node *root, struct diag *d);

/* Names with the place of the first one of each. Zero-initialise. */
struct recipe_firsts {
	struct intern names;
	const char **where; /* by the name's number */
};

/* Returns the place of the first such name, or NULL after adding the name. */
const char *recipe_first_add(struct recipe_firsts *f, const char *name,
			     const char *where);
/* Returns the place of the first such name, or NULL. */
const char *recipe_first_find(const struct recipe_firsts *f, const char *name);
void recipe_firsts_done(struct recipe_firsts *f);
#define _cleanup_recipe_firsts_ _cleanup_(recipe_firsts_done)

/* Adds to *dst the keys of which the group has a misspelling that was complained about:
 * a complaint that such a key is missing would only repeat that. Call it after
 * conf_check_keys() with these keys. For checks of what several files give; others use
 * conf_is_missing(). */
void recipe_add_misspelled(char ***dst, const struct conf_node *group,
			   const char *const *keys);

/* Checks the whole recipe, when everything is read: mandatory parts and
 * contradictions. */
void recipe_check(const struct recipe *r, struct diag *d);

/* Checks that nothing that rackstrap needs is switched off, for a recipe with roles. */
void recipe_product_check(const struct recipe *r, struct diag *d);
/* Adds the units of rackstrap itself to a valid recipe with roles, and what enables them.
 */
void recipe_product_add(struct recipe *r);

void recipe_artifacts_done(struct recipe *r);
void recipe_containers_done(struct recipe *r);
void recipe_files_done(struct recipe *r);
void recipe_units_done(struct recipe *r);
void recipe_base_done(struct recipe *r);
void recipe_media_done(struct recipe *r);
