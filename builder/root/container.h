/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container image in the layout that `docker load` of Docker 1.7 reads
 * (graph/load.go of 1.7.0), and the one of 1.10 and later too
 * (image/tarexport/load.go):
 *
 *	<id>/VERSION	"1.0"
 *	<id>/json	id, parent and, of the topmost, what the image runs
 *	<id>/layer.tar	uncompressed
 *	<hex>.json	the image's configuration, named by its SHA-256
 *	manifest.json	for 1.10 and later
 *	repositories	{"name":{"tag":"id"}}
 *
 * The same input gives the same bytes. An image that has version 1 ids (a manifest of
 * schema 1, an archive of Docker before 1.10) keeps them; others get ids made from their
 * layers' digests.
 */
#pragma once

#include "builder/common/archive.h"
#include "builder/recipe/container-name.h"

#define CONTAINER_MEMBER 160 /* longest name of a member that is looked for */

struct container {
	char id[DIGEST_SHA256_LEN];     /* version 1 */
	char config[DIGEST_SHA256_LEN]; /* Docker 1.10 and later call the image this */
	int fd;                         /* the archive, of no name */
	uint64_t size;
	char sha256[DIGEST_HEX_MAX];
};

/*
 * Reads an archive of `docker save`, of any Docker from 1.0 on, or what registry.h
 * fetches. `digest` ("sha256:<hex>"), if not NULL, is what the registry's manifest must
 * have. Every layer is held up to the digest that manifest or configuration give for it.
 * `name` is for messages, `scratch` a folder on whose file system the archive is kept.
 */
int container_convert(struct container *ret, int fd, const char *name,
		      const struct container_name *as, const char *digest, int64_t mtime,
		      int scratch, struct err *e) _must_check_;
