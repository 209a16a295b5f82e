/* SPDX-License-Identifier: Apache-2.0 */
/* The state of YAML's scalars: see template-yaml.c. */
#pragma once

#include "firstboot/model/template-parts.h"

#define YAML_NO_PARENT (-2)

enum yaml_at {
	AT_LINE,   /* its beginning, or its indentation */
	AT_START,  /* a scalar or collection may begin */
	AT_DASH,   /* behind a '-' or '?', of an entry if a blank follows */
	AT_MARKER, /* in "---" */
	AT_WORD,   /* in an anchor or tag */
	AT_PLAIN,  /* in a plain scalar */
	AT_BLANK,  /* behind a blank in it */
	AT_COLON,  /* behind a colon in it */
	AT_AFTER,  /* behind a scalar or collection */
	AT_AFTER_BLANK,
	AT_AFTER_COLON,
	AT_COMMENT,
	AT_DOUBLE,
	AT_SINGLE,
	AT_QUOTE, /* behind a single quote that ends the scalar, or the first of two */
	AT_HEAD,  /* of a block scalar */
	AT_BLOCK, /* a line's beginning, or its indentation, in a block scalar */
	AT_BLOCK_TEXT,
};

/* Returns true for a sign that ends a plain scalar, because it is within brackets. */
bool yaml_is_delimiter(const struct template_state *s, char c);
/* Ends the indentation of a line. Returns NULL or the mistake. */
const char *yaml_begin_line(struct template_state *s);
/* Ends the indentation of a line behind the head of a block scalar: goes to
 * AT_BLOCK_TEXT, or to AT_LINE if the line does not belong to it. Returns NULL or the
 * mistake. */
const char *yaml_begin_block_line(struct template_state *s);
/* Follows a character: see struct template_type. */
const char *yaml_follow(struct template_state *s, char c);
