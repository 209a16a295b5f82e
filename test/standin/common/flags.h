/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads command lines as the original programs do: accepts the flags of a list in
 * test/data and no others, and checks each value by its type. Error messages are those of
 * the Go packages that the originals use (pflag for Kubernetes, flag for etcd).
 */
#pragma once

#include "lib/str.h"

enum flags_style {
	FLAGS_PFLAG, /* --name[=value]; '_' is '-'; mixed with other arguments */
	FLAGS_GO,    /* -name or --name; the first other argument ends the flags */
};

struct flag {
	char *name; /* as in the list, without the dashes */
	char *value;
};

struct flags {
	const char *program;
	enum flags_style style;
	const char *list; /* lines "--name type" and "# comment" */
	struct flag *v;   /* in the given order; the last of one name counts */
	size_t n;
	char **args; /* arguments that are not flags */
};

/*
 * Reads argv[1..]. Returns 0; 1 when help was requested; -1 when the original would
 * refuse the command line, with its error message in *complaint (owned by the caller).
 */
int flags_parse(struct flags *f, int argc, char **argv, char **complaint) _must_check_;
void flags_done(struct flags *f);

/* Returns " --name: type" lines for a usage text; owned by the caller. */
char *flags_usage(const struct flags *f);

/* Return the value of a flag, or `fallback` when the flag was not given. */
const char *flags_str(const struct flags *f, const char *name, const char *fallback);
bool flags_bool(const struct flags *f, const char *name, bool fallback);
uint64_t flags_u64(const struct flags *f, const char *name, uint64_t fallback);
uint64_t flags_ms(const struct flags *f, const char *name, uint64_t fallback);

/* Parses a duration as Go's time.ParseDuration does, in milliseconds. Negative durations
 * become 0. Returns 0 or -EINVAL. */
int duration_parse(const char *s, uint64_t *ms) _must_check_;
