/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks at build what templates make: each is rendered with typical values, and the
 * outputs are read by the parsers of their format.
 */
#pragma once

#include "firstboot/model/template.h"

/* Checks one output of a template: json is read by jansson, yaml by libyaml, shell by
 * `sh -n` (or `bash -n` if the first line names it), which runs nothing; environment
 * and ini by the grammar of firstboot/model/template.h. An ini file has no lines but
 * comments, heads of sections and KEY=VALUE. Returns 0, or -1 with one line: "NAME:
 * what it makes is no JSON: line 3: ...". *ret_shown is then NULL, or lines of the output
 * that show the mistake, with a caret below; owned by the caller. */
int template_check_output(const struct template *t, const char *output, char **ret_shown,
			  struct err *e) _must_check_;

/* Renders the template with all samples of the schema, and checks the outputs. Returns 0,
 * or -1 with a complaint about the first sample that is wrong. */
int template_check_samples(const struct template *t, const struct template_schema *schema,
			   struct diag *d) _must_check_;
