/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Container images out of registries, by skopeo(1), which knows registries' tokens,
 * proxies and mirrors (registries.conf(5)).
 *
 * What comes is one file, a tar, the same bytes for the same image: manifest.json, as the
 * registry has it, and then the blobs it names, each under the hexadecimal digits of its
 * SHA-256, sorted.
 */
#pragma once

#include "builder/input/fetch.h"
#include "builder/recipe/container-name.h"

/*
 * As fetch_all, and a file whose URL is "docker://HOST/NAME:TAG" or
 * "docker://HOST/NAME@sha256:HEX" comes from that registry.
 */
int registry_fetch_all(struct fetch_file *v, size_t n, const struct fetch_options *o,
		       struct err *e) _must_check_;
