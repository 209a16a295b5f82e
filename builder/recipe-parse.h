/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that read a recipe share. One file a section of the recipe; each
 * section's reader lays what it finds over what is there already.
 */
#pragma once

#include "recipe.h"

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
/* A path in the image: absolute, without "..", not the root itself; kept as written. */
int recipe_get_target(const struct conf_node *n, const char *key, char **dst,
		      struct diag *d);
/* Octal, at most 0777 and the sticky bit: nothing we add is setuid. */
int recipe_get_mode(const struct conf_node *n, const char *key, unsigned *dst,
		    struct diag *d);

bool recipe_is_word(const char *s);
bool recipe_is_url(const char *s);  /* https://, http:// or file:/// */
bool recipe_is_unit(const char *s); /* "x.service", "getty@tty1.service", "x.target" */

/* A list of groups: calls `item` for each; complains about what is not a group. */
typedef void recipe_item(struct recipe *r, const struct conf_node *group, struct diag *d);
void recipe_each(struct recipe *r, const struct conf_node *list, recipe_item *item,
		 struct diag *d);

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

/* The URL of an image in a registry: of its tag, or with `digest` of that manifest. NULL
 * when `image` is not a name and a tag. Owned. */
char *recipe_registry_url(const char *image, const char *digest);
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
