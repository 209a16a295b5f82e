/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disk images looked into by libguestfs: a small virtual machine of its own reads them,
 * so nothing of a strange file system is given to this machine's kernel, and no root is
 * needed. guest.c is the only file that includes guestfs.h.
 *
 * It takes about ten seconds to start, under emulation; whether KVM works here is found
 * out first (accel.h), because libguestfs does not find that out.
 */
#pragma once

#include "lib/err.h"

struct guest;

/*
 * Starts the machine with a disk image, qcow2 or raw, that it cannot write to. The format
 * is told by the file's first bytes; a qcow2 that refers to other files is refused: it
 * could name any of this machine's. The path may be /proc/PID/fd/N of a file without a
 * name, of O_TMPFILE, which gets one beside it while the machine starts. `sector` is the
 * size of the disk's sectors, which a GPT counts in and a FAT of 4096 needs: 512 or 4096,
 * or 0 where nobody knows (512).
 */
int guest_open_ro(struct guest **ret, const char *image, unsigned sector,
		  struct err *e) _must_check_;
void guest_free(struct guest *g);
void guest_free_p(struct guest **g);
#define _cleanup_guest_ _cleanup_(guest_free_p)

/*
 * Finds the one operating system on the disk and mounts its file systems, as its fstab
 * has them, read-only. *ret_name, if not NULL, becomes what it is ("debian,
 * 12.15"), owned. -1 when there is none, or more than one.
 */
int guest_mount_os(struct guest *g, char **ret_name, struct err *e) _must_check_;

/* Writes all that is mounted to `fd` as a tar: owners as numbers, xattrs carried. */
int guest_tar_out(struct guest *g, int fd, struct err *e) _must_check_;

/*
 * For looking at what is on a disk that holds no system: mounted read-only at a place of
 * its own ("/medium"). `device` is "/dev/sda" or a partition of it, "/dev/sda2"; `file` a
 * file system's image within what is mounted.
 */
int guest_mount(struct guest *g, const char *device, const char *at,
		struct err *e) _must_check_;
int guest_mount_file(struct guest *g, const char *file, const char *at,
		     struct err *e) _must_check_;

struct guest_stat {
	unsigned mode; /* as in stat(2), type and all */
	uint64_t size;
};

/* 1, 0 when there is no such file, -1. Links are not followed. */
int guest_stat(struct guest *g, const char *path, struct guest_stat *ret,
	       struct err *e) _must_check_;
int guest_readlink(struct guest *g, const char *path, char **ret,
		   struct err *e) _must_check_;
int guest_read(struct guest *g, const char *path, char **ret, size_t *ret_len,
	       struct err *e) _must_check_;
int guest_sha256(struct guest *g, const char *path, char **ret,
		 struct err *e) _must_check_;

/* The regular files below a folder, relative to it, sorted. */
int guest_files(struct guest *g, const char *dir, char ***ret,
		struct err *e) _must_check_;
