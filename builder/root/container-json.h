/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON of container images, read and written: what container.c knows of it is texts
 * and the plan below.
 *
 * Formats: registry manifests of schema 1 and 2 (distribution/docs/spec), OCI image-spec,
 * Docker's image/spec/v1.md to v1.2.md.
 */
#pragma once

#include "builder/root/container.h"

struct container_layer {
	char *member;                 /* in the input */
	char blob[DIGEST_SHA256_LEN]; /* digest of the member as it is; "": not said */
	char diff[DIGEST_SHA256_LEN]; /* of the layer uncompressed; "": not said yet */
	char id[DIGEST_SHA256_LEN];   /* version 1; "": to be made */
	char *json;                   /* version 1, or NULL: to be made */
};

struct container_plan {
	struct container_layer *v; /* the lowest first */
	size_t n;
	char *config_member; /* in the input, or NULL: to be made from the topmost json */
	char config_digest[DIGEST_SHA256_LEN]; /* that it must have; "": not said */
	char *config;                          /* its text, once read or made */
};

void container_plan_done(struct container_plan *p);
#define _cleanup_container_plan_ _cleanup_(container_plan_done)

/* manifest.json, of a registry or of docker save; `digest` as in container_convert. */
int container_plan_manifest(struct container_plan *ret, const char *text, size_t len,
			    const struct container_name *as, const char *digest,
			    struct err *e) _must_check_;

/* Sets the error of an archive of docker save where the registry's manifest must have a
 * digest: such an archive does not have that manifest. Always returns -1. */
int container_refuse_saved(const char *digest, struct err *e);

/* An archive without manifest.json: the id that `repositories` gives for the name ... */
int container_repositories_id(const char *text, const struct container_name *as,
			      char id[static DIGEST_SHA256_LEN],
			      struct err *e) _must_check_;
/* ... and a layer by its json, whose parent ("" when there is none) is the next. */
int container_plan_add_v1(struct container_plan *p, const char *id, const char *json,
			  char parent[static DIGEST_SHA256_LEN],
			  struct err *e) _must_check_;

/* The layers' digests as the configuration has them, into or against the plan. */
int container_plan_config(struct container_plan *p, struct err *e) _must_check_;

/* Once all layers have their `diff`: makes what is missing, configuration, ids, jsons. */
int container_plan_finish(struct container_plan *p, struct err *e) _must_check_;

/* The two lists at the end of the archive. Owned. */
char *container_manifest(const struct container_plan *p, const struct container_name *as,
			 const char *config_sha256);
char *container_repositories(const struct container_plan *p,
			     const struct container_name *as);
