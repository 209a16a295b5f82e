/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes the JSON of container images. container.c handles it only as text and
 * as the structs below.
 *
 * Formats: registry manifests of schema 1 and 2 (distribution/docs/spec), OCI image-spec,
 * Docker's image/spec/v1.md to v1.2.md.
 */
#pragma once

#include "builder/root/container.h"

struct container_layer {
	char *member;                 /* its name in the input */
	char blob[DIGEST_SHA256_LEN]; /* digest of the member's data; "": not known */
	char diff[DIGEST_SHA256_LEN]; /* digest of it uncompressed; "": not known */
	char id[DIGEST_SHA256_LEN];   /* version 1 id; "": not made yet */
	char *json;                   /* version 1 json; NULL: not made yet */
};

/* The metadata of one image, read from its manifest and configuration. */
struct container_image {
	struct container_layer *v; /* the lowest first */
	size_t n;
	char *config_member; /* the configuration's name in the input; NULL: it is made
			      * from the topmost layer's json */
	char config_digest[DIGEST_SHA256_LEN]; /* its digest; "": not known */
	char *config;                          /* its text; NULL: not read or made yet */
};

void container_image_done(struct container_image *p);
#define _cleanup_container_image_ _cleanup_(container_image_done)

/* Parses manifest.json of a registry or of docker save. `as` selects the image, `digest`
 * is that of container_convert(). */
int container_image_parse_manifest(struct container_image *ret, const char *text,
				   size_t len, const struct container_name *as,
				   const char *digest, struct err *e) _must_check_;

/* Finds the image `as` for linux/amd64 in the index of an OCI layout, or the only image
 * whatever its name. `as` is NULL for an index in the index, whose images have no names.
 * Sets its manifest's digest, or *is_index and the digest of an index. */
int container_index_find(const char *text, const struct container_name *as,
			 char digest[static DIGEST_SHA256_LEN], bool *is_index,
			 struct err *e) _must_check_;

/* Sets the error for an archive of docker save where the recipe gives the digest of the
 * registry's manifest: such an archive does not have that manifest. Always returns -1. */
int container_refuse_saved(const char *digest, struct err *e);

/* Finds the id of the image `as` in `repositories`, for an archive without manifest.json.
 */
int container_repositories_id(const char *text, const struct container_name *as,
			      char id[static DIGEST_SHA256_LEN],
			      struct err *e) _must_check_;
/* Adds a layer of such an archive, given its json, below those added before. `parent` is
 * the next layer's id, or "". */
int container_image_add_v1(struct container_image *p, const char *id, const char *json,
			   char parent[static DIGEST_SHA256_LEN],
			   struct err *e) _must_check_;

/* Sets the layers' `diff` from the text in `config`. */
int container_image_parse_config(struct container_image *p, struct err *e) _must_check_;

/* Makes configuration, ids and jsons that are missing. All layers must have their `diff`.
 */
int container_image_complete(struct container_image *p, struct err *e) _must_check_;

/* Return the texts of manifest.json and repositories. Owned. */
char *container_manifest(const struct container_image *p, const struct container_name *as,
			 const char *config_sha256);
char *container_repositories(const struct container_image *p,
			     const struct container_name *as);
