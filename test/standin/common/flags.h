/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines as the original programs read them: the flags of a list in test/data
 * and no others, values checked by type, complaints in the words of the Go packages
 * they use (pflag for Kubernetes, flag for etcd).
 */
#pragma once

#include "lib/str.h"

enum flags_style {
	FLAGS_PFLAG, /* --name[=value]; `_` is `-`; other arguments may stand between */
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
	struct flag *v;   /* as given; the last of a name counts */
	size_t n;
	char **args; /* what is not a flag */
};

/*
 * Reads argv[1..]. 0; 1 when help was asked for; -1 when the original would refuse, with
 * its complaint in *complaint (owned by the caller).
 */
int flags_parse(struct flags *f, int argc, char **argv, char **complaint) _must_check_;
void flags_done(struct flags *f);

/* "  --name: type" lines for a usage text; owned by the caller. */
char *flags_usage(const struct flags *f);

/* The value given, or `fallback`. */
const char *flags_str(const struct flags *f, const char *name, const char *fallback);
bool flags_bool(const struct flags *f, const char *name, bool fallback);
uint64_t flags_u64(const struct flags *f, const char *name, uint64_t fallback);
uint64_t flags_ms(const struct flags *f, const char *name, uint64_t fallback);

/* Go's time.ParseDuration, in milliseconds. 0 or -EINVAL. Negative ones become 0. */
int duration_parse(const char *s, uint64_t *ms) _must_check_;
