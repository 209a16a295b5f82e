/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads disk images with libguestfs: a small virtual machine reads them, so no strange
 * file system is given to this machine's kernel, and no root is needed. guest.c is the
 * only file that includes guestfs.h.
 *
 * Starting it takes about ten seconds under emulation; accel.h finds out first whether
 * KVM works, because libguestfs does not.
 */
#pragma once

#include "lib/err.h"

struct guest;

/*
 * Starts the machine with a disk image, qcow2 or raw, that it cannot write to. The file's
 * first bytes decide the format; a qcow2 that refers to other files is refused, because
 * it could name any file of this machine. The path may be /proc/PID/fd/N of a file
 * without a name (O_TMPFILE), which gets a name beside it while the machine starts.
 * Messages call the image `name`.
 * `sector` is the size of the disk's sectors, in which a GPT counts and which a FAT of
 * 4096 needs: 512 or 4096, or 0 when it is not known (512).
 */
int guest_open_ro(struct guest **ret, const char *image, const char *name,
		  unsigned sector, struct err *e) _must_check_;
void guest_free(struct guest *g);
void guest_free_p(struct guest **g);
#define _cleanup_guest_ _cleanup_(guest_free_p)

/*
 * Finds the one operating system on the disk and mounts the file systems of its fstab,
 * read-only. *ret_name, if not NULL, becomes its name ("debian, 12.15"), owned. Returns
 * -1 when there is none, or more than one.
 */
int guest_mount_os(struct guest *g, char **ret_name, struct err *e) _must_check_;

/* Writes all mounted files to `fd` as a tar: owners as numbers, xattrs carried. */
int guest_tar_out(struct guest *g, int fd, struct err *e) _must_check_;

/*
 * Mount a disk without an operating system, read-only, at a new mount point ("/medium").
 * `device` is "/dev/sda" or a partition of it, "/dev/sda2"; `file` is a file system's
 * image within what is mounted.
 */
int guest_mount(struct guest *g, const char *device, const char *at,
		struct err *e) _must_check_;
int guest_mount_file(struct guest *g, const char *file, const char *at,
		     struct err *e) _must_check_;

struct guest_stat {
	unsigned mode; /* as in stat(2), with the type */
	uint64_t size;
};

/* Return 1, 0 when there is no such file, or -1. Links are not followed. */
int guest_stat(struct guest *g, const char *path, struct guest_stat *ret,
	       struct err *e) _must_check_;
int guest_readlink(struct guest *g, const char *path, char **ret,
		   struct err *e) _must_check_;
/* Reads a regular file of at most `max` bytes. */
int guest_read(struct guest *g, const char *path, size_t max, char **ret, size_t *ret_len,
	       struct err *e) _must_check_;
int guest_sha256(struct guest *g, const char *path, char **ret,
		 struct err *e) _must_check_;

/* Lists the regular files below a folder, relative to it and sorted. More than 4 MiB of
 * names are an error. */
int guest_files(struct guest *g, const char *dir, char ***ret,
		struct err *e) _must_check_;
