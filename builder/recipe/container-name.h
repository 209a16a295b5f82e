/* SPDX-License-Identifier: Apache-2.0 */
/* Names of container images, as Docker writes them. */
#pragma once

#include "lib/err.h"

/* The scheme of an image in a registry: "docker://HOST/NAME:TAG" or
 * "docker://HOST/NAME@sha256:HEX", as in skopeo(1). */
#define REGISTRY_SCHEME "docker://"

struct container_name {
	const char *repository, *tag;
};

/*
 * Splits "calico/node:v0.4.8" into repository and tag; overwrites the ':' in `name`,
 * which *ret points into. Returns 0, or -EINVAL when it is not a repository and a tag as
 * Docker allows them.
 */
int container_name_parse(char *name, struct container_name *ret) _must_check_;

/* Returns the URL of an image in its registry, by its tag or, with `digest`
 * ("sha256:HEX"), by that manifest. Returns NULL when `image` is not a name and a tag.
 * Owned by the caller. */
char *container_name_url(const char *image, const char *digest);
