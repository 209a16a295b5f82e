/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the partition table of a disk or a disk image: a GPT (UEFI specification 2.10,
 * chapter 5), else an MBR with its logical partitions. It writes none: images get theirs
 * from builder/image/gpt.h.
 */
#pragma once

#include "lib/err.h"

enum ptable_kind {
	PTABLE_NONE,
	PTABLE_MBR,
	PTABLE_GPT,
};

struct partition {
	unsigned number;       /* 1, 2, ...; logical ones of an MBR from 5 */
	uint64_t start, size;  /* bytes */
	char type[37];         /* GPT: lower-case GUID; MBR: "0x83" */
	const char *what;      /* the type in words ("EFI system"), or NULL */
	char name[36 * 3 + 1]; /* GPT, as UTF-8; else "" */
	char uuid[37];         /* GPT; else "" */
};

struct ptable {
	enum ptable_kind kind;
	unsigned sector;     /* bytes of a sector: 512 or 4096, of an MBR 512 */
	char id[37];         /* GPT: the disk's GUID; MBR: "0x1234abcd" */
	uint64_t disk;       /* bytes that the disk has by its GPT, or has at least by
			      * the partitions of its MBR; else 0 */
	const char *fault;   /* a fault of the GPT ("its partition entries are damaged"),
			      * which has no partitions then; else NULL */
	uint64_t backup;     /* offset of the GPT's copy at the disk's end; else 0 */
	bool backup_damaged; /* it differs; false when the file ends before it */
	struct partition *v; /* in the table's order */
	size_t n;
};

/*
 * Reads the table of `fd`, a file or a block device of `size` bytes that was not opened
 * with O_DIRECT. Returns 0, with PTABLE_NONE when there is no table, or -errno.
 */
int ptable_read(struct ptable *ret, int fd, uint64_t size) _must_check_;
void ptable_done(struct ptable *t);
#define _cleanup_ptable_ _cleanup_(ptable_done)

const char *ptable_kind_name(enum ptable_kind kind); /* "gpt", "mbr", "none" */
