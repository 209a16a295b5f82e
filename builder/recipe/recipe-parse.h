/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that read a recipe share. One file a section of the recipe; each
 * section's reader lays what it finds over what is there already.
 */
#pragma once

#include "builder/recipe/recipe.h"

/* Every key of a section, NULL behind the last. A base's are its type's (base.h), a
 * role's the host model's. */
extern const char *const recipe_keys[];
extern const char *const recipe_initramfs_keys[];
extern const char *const recipe_squashfs_keys[];
extern const char *const recipe_artifact_keys[];
extern const char *const recipe_extract_keys[];
extern const char *const recipe_file_keys[];
extern const char *const recipe_media_keys[];
extern const char *const recipe_container_keys[];
extern const char *const recipe_remove_keys[];

/* "FILE:LINE" of a node, owned. */
char *recipe_node_where(const struct conf_node *n);
void recipe_set_where(recipe_where *dst, const struct conf_node *n);

/* `path` relative to the folder of the file the node is written in. Owned. */
char *recipe_beside(const struct conf_node *n, const char *path);

/* As conf_get_str and friends, into owned memory; *dst stays when the key is absent. */
int recipe_get_text(const struct conf_node *n, const char *key, char **dst,
		    struct diag *d);
/* A string that is one word of printable characters without spaces. */
int recipe_get_word(const struct conf_node *n, const char *key, char **dst,
		    struct diag *d);
/* A list of such words. */
int recipe_get_words(const struct conf_node *n, const char *key, char ***dst,
		     struct diag *d);
/* A path in the image: absolute, without "..", "." and "//", not the root itself: each
 * path has one spelling. */
int recipe_get_target(const struct conf_node *n, const char *key, char **dst,
		      struct diag *d);
/* Octal, at most 0777 and the sticky bit: nothing we add is setuid. */
int recipe_get_mode(const struct conf_node *n, const char *key, unsigned *dst,
		    struct diag *d);

bool recipe_is_word(const char *s);
bool recipe_is_url(const char *s);  /* https://, http:// or file:/// */
bool recipe_is_unit(const char *s); /* "x.service", "getty@tty1.service", "x.target" */

/* A list of things with names, which are laid over an included recipe's one by one. */
struct recipe_list {
	const char *key;    /* of the list: "artifacts" */
	bool strings;       /* its elements are strings, not groups */
	size_t size;        /* of an entry, ... */
	size_t name, where; /* ... and where in it these pointers are */
	/* Fills an entry, zeroed before; its name stays NULL when it is wrong. */
	void (*parse)(void *entry, const struct conf_node *n, struct diag *d);
	void (*done)(void *entry);
};

/* Lays a file's list over the `n` entries of `v`: what is to be removed goes, an entry of
 * a name that is there replaces that one, others are appended. Returns the new array. */
void *recipe_lay_list(const struct recipe_list *type, void *v, size_t *n,
		      const struct conf_node *root, struct diag *d);
/* Checks the group `remove` of a file, but for its names: recipe_lay_list() does. */
void recipe_parse_remove(const struct conf_node *root, struct diag *d);

/* The path without "." and "..", as far as that leads to the same file. Owned. */
char *recipe_tidy_path(const char *path);

/* sha256 or sha512 of a group; *hex stays when there is neither. */
void recipe_get_digest(const struct conf_node *n, char **hex, enum digest_type *type,
		       struct diag *d);

/* One more that is fetched, for another section. Valid until the next one. */
struct recipe_artifact *recipe_add_artifact(struct recipe *r, enum artifact_use use,
					    const char *name, const char *url,
					    const char *digest, enum digest_type type,
					    const char *where);
/* Once everything is read: what containers and base have to be fetched. */
void recipe_containers_fetch(struct recipe *r);
void recipe_base_fetch(struct recipe *r);

/* "sha256:<hex>". */
int recipe_get_sha256(const struct conf_node *n, const char *key, char **dst,
		      struct diag *d);

void recipe_parse_containers(struct recipe *r, const struct conf_node *root,
			     struct diag *d);
void recipe_parse_artifacts(struct recipe *r, const struct conf_node *root,
			    struct diag *d);
void recipe_parse_files(struct recipe *r, const struct conf_node *root, struct diag *d);
void recipe_parse_units(struct recipe *r, const struct conf_node *root, struct diag *d);
void recipe_parse_base(struct recipe *r, const struct conf_node *root, struct diag *d);
void recipe_parse_media(struct recipe *r, const struct conf_node *root, struct diag *d);

/* Once everything is read: what must be there, and what does not go together. */
void recipe_check(const struct recipe *r, struct diag *d);

void recipe_artifacts_done(struct recipe *r);
void recipe_containers_done(struct recipe *r);
void recipe_files_done(struct recipe *r);
void recipe_units_done(struct recipe *r);
void recipe_base_done(struct recipe *r);
void recipe_media_done(struct recipe *r);
