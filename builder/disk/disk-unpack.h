/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a compressed image, for disk-image.c. */
#pragma once

#include "builder/disk/disk-image.h"

#define DISK_LIMIT_RAISE "option '--limit'" /* of struct archive_limit */

/* Sets the stream m->in back to the first byte. */
int disk_unpack_start(struct disk_image *m, struct err *e) _must_check_;

/* Decompresses the first MiB into the new file m->head, and sets *ret to the number of
 * bytes. */
int disk_unpack_head(struct disk_image *m, uint64_t *ret, struct err *e) _must_check_;

/* Decompresses everything. Sets the size, m->data and m->envs, and adds to m->head what
 * disk_image_table_fd() promises. The table of the first MiB is in m->table. */
int disk_unpack_tables(struct disk_image *m, struct err *e) _must_check_;

/* Decompresses everything into the file `fd`, with holes for zeros. Its file system must
 * have room for m->data bytes. */
int disk_unpack_all(struct disk_image *m, int fd, struct err *e) _must_check_;
