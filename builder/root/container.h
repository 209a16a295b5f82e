/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Converts a container image to an archive that `docker load` reads, that of Docker 1.7
 * (graph/load.go of 1.7.0) as well as that of 1.10 and later
 * (image/tarexport/load.go):
 *
 *	<id>/VERSION	"1.0"
 *	<id>/json	id, parent and, of the topmost layer, the configuration
 *	<id>/layer.tar	uncompressed
 *	<hex>.json	the image's configuration, named by its SHA-256
 *	manifest.json	for 1.10 and later
 *	repositories	{"name":{"tag":"id"}}
 *
 * The same input gives the same bytes. Layers that have version 1 ids (of a manifest of
 * schema 1, or an archive of Docker before 1.10) keep them; others get ids made of the
 * layers' digests.
 */
#pragma once

#include "builder/common/archive.h"
#include "builder/recipe/container-name.h"

#define CONTAINER_MEMBER 160 /* longest name of a member of the input */

struct container_archive {
	char id[DIGEST_SHA256_LEN];     /* version 1 id of the topmost layer */
	char config[DIGEST_SHA256_LEN]; /* the image's id in Docker 1.10 and later */
	int fd;                         /* a file without a name */
	uint64_t size;
	char sha256[DIGEST_HEX_MAX];
};

/* The input of a conversion. */
struct container_source {
	int fd; /* a file: an archive of `docker save` (Docker 1.0 and later), of an OCI
		   layout (OCI image-spec, image-layout.md), or one that
		   registry.h has fetched */
	const char *name;   /* for messages */
	const char *digest; /* "sha256:<hex>": the digest that the registry's manifest
			       must have; or NULL */
	uint64_t limit; /* bytes that may be unpacked of it; 0: as many as there are */
};

/*
 * Converts the archive. Every layer is checked against its digests in the manifest and
 * the configuration. `as` is the image's name in the new archive; temporary files are in
 * the folder `scratch`.
 */
int container_convert(struct container_archive *ret, const struct container_source *from,
		      const struct container_name *as, int64_t mtime, int scratch,
		      struct err *e) _must_check_;
