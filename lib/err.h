/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors with a message, and lists of complaints.
 *
 * A leaf helper prints nothing and returns 0 or -errno. A function that can describe its
 * failure takes a `struct err *` as its last argument, fills it once and returns -1; its
 * callers add a prefix with err_wrap(). Only main() prints errors.
 *
 * A message is one line. Texts from elsewhere may be part of it: what could control a
 * terminal is replaced (lib/text.h), and user names and passwords are removed from URLs.
 *
 * A configuration is read to its end and all its mistakes are reported together: those
 * functions collect complaints in a `struct diag`.
 */
#pragma once

#include "lib/cleanup.h"

#include <stdarg.h>

/* The process's exit status for each kind of failure (0 is success). */
enum err_code {
	ERR_FAILED = 1, /* a file, the network, a tool, a digest */
	ERR_USAGE = 2,  /* a mistake on the command line */
	ERR_CONFIG = 3, /* a mistake in a recipe, rack or host file */
	ERR_UNABLE = 4, /* this machine lacks or forbids something that is needed */
	ERR_INTERRUPTED = 130, /* by SIGINT, SIGTERM or SIGHUP */
};

struct err {
	enum err_code code;
	char msg[2048]; /* one line, or one line per complaint from diag_err(); no newline
			 * at its end; a longer message is cut and ends in "..." */
};

/* Sets code and message. Always returns -1. `e` may be NULL. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) _printf_(3, 4);

/* Sets code ERR_FAILED and the message with ": " strerror(errnum) appended. `errnum` may
 * be negative. Always returns -1. `e` may be NULL. */
int err_errno(struct err *e, int errnum, const char *fmt, ...) _printf_(3, 4);
/* Sets the error of a file that changed while it was read, with what to do. Always
 * returns -1. */
int err_changed(struct err *e, const char *path);

/* Puts "<prefix>: " before the present message. Always returns -1. `e` may be NULL. */
int err_wrap(struct err *e, const char *fmt, ...) _printf_(2, 3);

/* The place that a complaint is about. Its text begins with "FILE:LINE: ", or with
 * "FILE: " if the line is 0, and never has the column. */
struct diag_place {
	const char *file; /* NULL: no place */
	unsigned line;    /* from 1; 0: the file as a whole, or not known */
	unsigned column;  /* in bytes, from 1; 0: not known */
};

/* The parts of a complaint, for programs that read them. */
struct diag_about {
	/* The place and the second one that it names. The files are owned, and not
	 * cleaned (lib/text.h). */
	struct diag_place at, other;
	char *host;     /* that it is about, or NULL */
	size_t message; /* offset in its line, behind the place */
};

/* Complaints in the order they were added. Initialise it with zeros; diag_done() frees
 * the lines and empties it. */
struct diag {
	char **lines;
	char **details; /* by line: NULL, or further lines that show it */
	size_t *folded; /* by line: complaints without a line that its details count */
	struct diag_about *about; /* by line */
	size_t n;
	bool unread; /* all of them are about files that could not be read */
	bool whole;  /* the caller wants each complaint as it is: nothing folds them */
};

/* Adds one complaint, cut as an error's message is. Always returns -1. `d` may be NULL
 * (the complaint is dropped). */
int diag_add(struct diag *d, const char *fmt, ...) _printf_(2, 3);
/* Adds one complaint about a place, which is copied. `at` may be NULL: no place. Always
 * returns -1. `d` may be NULL. */
int diag_add_at(struct diag *d, const struct diag_place *at, const char *fmt, ...)
	_printf_(3, 4);
/* Adds each line of an error's message as one complaint. Always returns -1. */
int diag_add_err(struct diag *d, const struct err *e);
/* Gives the last complaint a detail: lines between newlines, cleaned. `d` may be NULL. */
void diag_detail(struct diag *d, const char *lines);
/* Adds the complaint that a file cannot be read, which is no mistake of a configuration.
 */
int diag_add_unread(struct diag *d, const char *fmt, ...) _printf_(2, 3);
int diag_add_unread_at(struct diag *d, const struct diag_place *at, const char *fmt, ...)
	_printf_(3, 4);
/* Records the host that the last complaint is about. `d` and `host` may be NULL. */
void diag_host(struct diag *d, const char *host);
/* Does so for the complaints from the index `from` on that have no host. */
void diag_host_from(struct diag *d, size_t from, const char *host);
/* Records the second place that the last complaint names: that of the value which it
 * contradicts. It does not change the text. `d` and `other` may be NULL. */
void diag_other(struct diag *d, const struct diag_place *other);
/* Returns the text of the complaint without its place. It stays the diag's. */
const char *diag_message(const struct diag *d, size_t i);
/* Returns the number of complaints, those without a line included. */
size_t diag_count(const struct diag *d);
/* Returns the complaint of that index with its details, each after a newline. Owned by
 * the caller. */
char *diag_text(const struct diag *d, size_t i);
/* Moves the detail of the complaint `i` of `from`, which was added to `to` in other
 * words, to the last one of `to`, which may be NULL, and the places and the host that
 * this one does not have. */
void diag_move_detail(struct diag *to, struct diag *from, size_t i);
/* Moves the complaint `i` of `from`, which keeps an empty line in its place, behind those
 * of `to`, which may be NULL. */
void diag_move_line(struct diag *to, struct diag *from, size_t i);
/* Moves all complaints of `from` behind those of `to`, which may be NULL. */
void diag_move(struct diag *to, struct diag *from);
/* Frees the complaint `i` for a caller that moves the next ones to its place. */
void diag_drop(struct diag *d, size_t i);
void diag_done(struct diag *d);
#define _cleanup_diag_ _cleanup_(diag_done)

/*
 * Makes one error of all complaints: code ERR_CONFIG, or ERR_FAILED if files could not be
 * read and nothing else is wrong; the lines and their details joined by newlines. When
 * they do not fit, the last line has the number of the others. Returns -1 when there is a
 * complaint; else 0, and `e` is unchanged.
 */
int diag_err(const struct diag *d, struct err *e) _must_check_;
