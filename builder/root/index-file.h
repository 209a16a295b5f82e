/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of a base (index.h), kept beside its root.tar, so that a later build need not
 * read the headers that are scattered over that file:
 *
 *	CACHE/base/<key>/index
 *		"index 2 VERSION SHA256-OF-ROOT.TAR", the entries, the SHA-256 of all
 *		before; each field ends with a NUL byte
 */
#pragma once

#include "builder/base/base.h"
#include "builder/root/index.h"

/* Reads the index. Returns false if there is none, it is damaged or of another root.tar,
 * or it lacks the text of a file that `want` selects. */
bool index_file_read(struct index *ret, const struct base *b, index_want *want,
		     void *data) _must_check_;

/* Writes the index, with the texts that it has. Errors are ignored: it is made again. */
void index_file_write(const struct index *x, const struct base *b);
