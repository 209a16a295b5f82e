/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remembers what a build has made, so that the next one finds out that nothing changed
 * without making it again:
 *
 *	CACHE/built/<SHA-256 of the path OUT/NAME>
 *		"built 1 KEY N", then "SHA256 SIZE NAME" of the N outputs, and of the
 *		lists beside them
 *
 * KEY is a digest of all that determines the files. A damaged record is one of another
 * image: a file with another digest or name is not what it says.
 */
#pragma once

#include "builder/image/manifest.h"
#include "lib/known-digest.h"

struct build_record {
	char key[DIGEST_HEX_MAX];
	struct output *v; /* first the outputs, then the lists; owned */
	size_t n, n_outputs;
};

void build_record_done(struct build_record *r);
#define _cleanup_build_record_ _cleanup_(build_record_done)

/*
 * Sets r->key for this image. `m` has neither outputs nor paths of the initrd; `parts`
 * are the SHA-256 of the base's kernel and initrd and of the root image, NULL-terminated.
 * Reads the host.cfg or rack.cfg of media.
 */
int build_record_init(struct build_record *r, const struct manifest *m,
		      const struct known_digests *k, const char *const *parts,
		      struct err *e) _must_check_;

/* Reads the record of the folder `dir` into v, n and n_outputs. Returns true when it has
 * this key, and the folder has exactly its files, all of them unchanged. */
bool build_record_holds(struct build_record *r, const struct cache *c, const char *dir,
			const struct known_digests *k);

/* Writes the record. Errors are ignored: the next build makes the image again. */
void build_record_write(const struct build_record *r, const struct cache *c,
			const char *dir);
