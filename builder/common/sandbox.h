/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs programs of other people, such as those of a root filesystem that a recipe names:
 * they may be hostile. In a sandbox a program
 *
 *	- is root of a user namespace, whose ids are subordinate ids (subids.h): none of
 *	  them is the caller's or that of an account. It has no rights over this machine;
 *	- has a root folder of its own, with this machine's programs (/usr), read-only,
 *	  a minimal /dev and /etc, an empty /tmp, and the paths that the caller adds;
 *	- has no network but a loopback device of its own;
 *	- sees no process but those of the sandbox, which all end when the program ends,
 *	  or when this program ends, even by SIGKILL;
 *	- gets no variable of the environment and no descriptor but those of struct run,
 *	  and no key of the caller's session (keyrings(7)).
 *
 * It may use the machine's time, memory and disk. The kernel is the one of this machine.
 */
#pragma once

#include "builder/common/subids.h"
#include "lib/run.h"

struct sandbox_path {
	char *path;
	bool writable;
};

struct sandbox {
	struct subids ids;
	int setup; /* the user namespace that sets the sandbox up; -1: the caller's */
	int guest; /* the user namespace of the programs */
	struct sandbox_path *paths;
	size_t n_paths;
	char *failed; /* the step that failed, shared with the child */
};

/* Makes the user namespaces, or fails with ERR_UNABLE. Empty with sandbox_done(). */
int sandbox_open(struct sandbox *ret, struct err *e) _must_check_;
void sandbox_done(struct sandbox *s);
#define SANDBOX_NONE                                                                     \
	{                                                                                \
		.setup = -1, .guest = -1                                                 \
	}
#define _cleanup_sandbox_ _cleanup_(sandbox_done)

/* Adds an existing file or folder by its absolute path. It has the same path inside, and
 * is read-only there. The ids of the sandbox must be able to read the file itself; the
 * folders above it do not matter. */
void sandbox_add(struct sandbox *s, const char *path);
/* Adds the program `name` if PATH finds it outside of this machine's own folders. */
void sandbox_add_program(struct sandbox *s, const char *name);
/* Makes a folder, to which the programs may write; it belongs to their root. */
int sandbox_make_folder(struct sandbox *s, const char *path, struct err *e) _must_check_;

/*
 * Starts a program as run_start() does. r->env is its whole environment, r->cwd and its
 * absolute paths are those inside, r->enter is not used.
 */
int sandbox_start(const struct sandbox *s, const struct run *r, struct child *ret,
		  struct err *e) _must_check_;

/* Removes a folder with what the programs left in it, whoever's it is. Returns 0 or
 * -errno. */
int sandbox_remove(const struct sandbox *s, const char *path);
