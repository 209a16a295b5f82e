/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container images from registries, by skopeo(1), which handles registries' tokens,
 * proxies and mirrors (registries.conf(5)).
 *
 * The result is one tar, with the same bytes for the same image: manifest.json as it is
 * in the registry, and then the blobs it names, each under the hexadecimal digits of its
 * SHA-256, sorted.
 */
#pragma once

#include "builder/input/fetch.h"
#include "builder/recipe/container-name.h"

/*
 * Works as fetch_all(), but fetches a file whose URL is "docker://HOST/NAME:TAG" or
 * "docker://HOST/NAME@sha256:HEX" from that registry.
 */
int registry_fetch_all(struct fetch_file *v, size_t n, const struct fetch_options *o,
		       struct err *e) _must_check_;
