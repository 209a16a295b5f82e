/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The outputs of `rackstrap check`: a row for each kind, in a file of its own. The
 * options of cmd-check.c choose one; without any it is check_text, which is a part of
 * cmd-check.c.
 */
#pragma once

#include "lib/json.h"
#include "pxe/rack-settings.h"

/* A rack file that was checked. */
struct checked {
	const char *path;        /* as messages name it */
	const struct rack *rack; /* NULL: it is wrong, or cannot be read */
	/* The rack was loaded from these; empty if the file cannot be read. */
	const struct rack_settings *settings;
	bool any_roles; /* no image or recipe was asked for its roles */
	const struct diag *mistakes, *warnings; /* the latter only of a right file */
};

struct check_output;

/* The state of the output of one run. */
struct check_printer {
	const struct check_output *output;
	const char *arg;  /* of the output's option, or NULL */
	struct json json; /* for outputs that write a document of all files */
};

struct check_output {
	const char *option; /* without the dashes; NULL: the output without an option */
	int id;             /* of the option in cmd-check.c, see below */
	bool one_file;      /* only one rack file may be named */
	/* The output has the mistakes and warnings, each by itself: they are neither
	 * logged nor folded. */
	bool has_problems;
	/* May be NULL: called before the first file, for each file, after the last one.
	 * `file` is called for wrong files too. Return 0, or -1 with `e` set. */
	int (*begin)(struct check_printer *p, struct err *e);
	int (*file)(struct check_printer *p, const struct checked *f, struct err *e);
	int (*end)(struct check_printer *p, struct err *e);
};

/* The options of rackstrap check. */
enum {
	OPT_IMAGE = 1,
	OPT_RECIPE,
	OPT_JSON,
	OPT_EXPAND,
	OPT_EXPLAIN,
	OPT_SVG,
};

extern const struct check_output check_json, check_expand, check_explain, check_svg;
