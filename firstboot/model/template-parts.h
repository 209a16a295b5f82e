/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of the template engine: a compiled template is an array of nodes in the order
 * of the text, in which a section's node has the index behind its last child.
 */
#pragma once

#include "firstboot/model/template.h"

enum node_type {
	NODE_LITERAL,
	NODE_VALUE,
	NODE_SECTION,
	NODE_INVERTED,
};

/* The place that a value is written to. Each format uses some of them. */
enum template_place {
	PLACE_NONE,
	PLACE_PLAIN,      /* anything but control characters; comments as well */
	PLACE_NAME,       /* the beginning of a name, or all of it */
	PLACE_NAME_REST,  /* behind the beginning of a name */
	PLACE_WHOLE,      /* a whole value outside of quotes */
	PLACE_PART,       /* a part of one */
	PLACE_DOUBLE,     /* within double quotes */
	PLACE_SINGLE,     /* within single quotes */
	PLACE_BLOCK,      /* the beginning of a line of a block scalar */
	PLACE_BLOCK_REST, /* behind that */
};

struct template_node {
	enum node_type type;
	enum template_kind kind;
	enum template_place place; /* of a value */
	bool reported;             /* it has a complaint */
	unsigned line;
	unsigned scope; /* 0: the name is of the first level; else the number of the loop
			   * around it whose element has it */
	size_t end;     /* index behind the node and all within it */
	char *name;     /* NULL for a literal */
	const char *text; /* of a literal */
	size_t len;
};

struct template
{
	char *name;
	char *text; /* literals point into it */
	enum template_format format;
	struct template_node *nodes;
	size_t n;
};

/* --- template-schema.c ------------------------------------------------------------- */

struct template_row {
	char *name;
	enum template_kind kind;
	bool optional;
	char *sample;                    /* or NULL */
	struct template_schema *members; /* of a list of groups, else NULL */
};

struct template_absent {
	char *name, *why;
};

struct template_schema {
	struct template_row *rows;
	size_t n;
	struct template_absent *absent; /* of the first level only */
	size_t n_absent;
};

bool template_name_is_valid(const char *name);
const struct template_row *template_schema_find(const struct template_schema *s,
						const char *name);

/* --- template-hint.c --------------------------------------------------------------- */

struct template_loop {
	const char *list;
	const struct template_schema *members;
};

/* Returns the complaint about a name that is not known within these loops over groups,
 * with the innermost one last. Owned by the caller. */
char *template_complaint(const struct template_schema *s,
			 const struct template_loop *loops, size_t n, const char *name);

/* --- template-values.c ------------------------------------------------------------- */

struct template_value {
	char *name;
	enum template_kind kind;
	char *text; /* of a text or number; NULL: missing */
	bool flag;
	char **texts; /* of a list of texts */
	struct template_values **groups;
	size_t n; /* elements of a list */
};

struct template_values {
	struct template_value *v;
	size_t n;
	size_t last; /* the value that was set last: the next one is usually behind it */
};

const struct template_value *template_values_find(const struct template_values *v,
						  const char *name);

/* --- template-parse.c -------------------------------------------------------------- */

/* Fills t->nodes from t->text, which has `len` bytes. Returns 0; -1 with complaints; 1
 * with complaints if the sections are sound nevertheless, so that the quoting can be
 * followed. */
int template_parse(struct template *t, size_t len, const struct template_schema *schema,
		   struct diag *d) _must_check_;
/* Returns the sign behind "{{" of a section's tag. */
const char *template_sign(const struct template_node *n);

/* --- template-follow.c ------------------------------------------------------------- */

/* The state of a format's quoting. All members are of one size, so that states can be
 * compared as bytes. */
struct template_state {
	int at;      /* of the format's own enum; 0 at the beginning */
	int escaped; /* a backslash precedes */
	int digits;  /* of an escape of a code point that are still to come */
	int depth;   /* brackets that are open */
	int last;    /* the character before, where it matters */
	int outer;   /* shell: the state behind the brackets; yaml: behind a comment */
	int column;  /* yaml: characters since the line's beginning */
	int prefix;  /* yaml: the line so far has only indentation and dashes */
	int parent;  /* yaml: column of the key or dash that the value belongs to */
	int token;   /* yaml: column at which the scalar begins */
	int plain; /* yaml: there is a plain scalar, which may go on in the next line, and
		      * within brackets needs a blank behind its colon */
	int block; /* yaml: indentation of a block scalar; 0: not known yet */
	int unsettled; /* yaml: the block's first line may be still to come; ini: so may
			* the line's first character; environment: and the name's */
};

/* Sets the place of each value. Returns 0, or -1 with complaints. */
int template_follow(struct template *t, struct diag *d) _must_check_;

/* --- formats ----------------------------------------------------------------------- */

/* How a mistake begins that is a sentence of its own. */
#define TEMPLATE_SENTENCE "a "

struct template_type {
	const char *name;
	bool flags; /* a flag can be a value */
	bool any;   /* the template's own text may have control characters */
	struct template_state start;
	/* Follows a character of the template's own text. Returns NULL, or the mistake.
	 * NULL for a format without places. */
	const char *(*follow)(struct template_state *s, char c);
	/* Chooses the place of a value and goes behind it. `after` is the text that
	 * follows in the template, NULL when another tag does; `quote` is false for a
	 * number or flag. Returns NULL, or the mistake: words that follow the tag, as in
	 * "{{x}} follows a backslash", or a sentence about the text before it, which
	 * begins with TEMPLATE_SENTENCE. */
	const char *(*value)(struct template_state *s, const char *after, bool quote,
			     enum template_place *ret);
	/* Checks a state before a section's tag, and goes behind it. Returns NULL, or
	 * the mistake. */
	const char *(*tag)(struct template_state *s);
	/* Makes *s a state from which both `s` and `other` are followed rightly. Returns
	 * false when there is none. */
	bool (*join)(struct template_state *s, const struct template_state *other);
	/* Returns a description of the state: "inside of double quotes". */
	const char *(*describe)(const struct template_state *s);
	/* Appends a value. Returns NULL, or why it cannot be written at the place, to
	 * follow "the value". */
	const char *(*append)(struct buf *b, enum template_place place, const char *value,
			      bool quote);
};

extern const struct template_type template_plain, template_environment, template_ini,
	template_shell, template_json, template_yaml;
const struct template_type *template_type(enum template_format format);

/* --- template-escape.c ------------------------------------------------------------- */

#define TEMPLATE_DIGITS  "0123456789"
#define TEMPLATE_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

/* Checks if a character controls terminals or ends lines. */
bool template_is_control(uint32_t code);
/* Returns why a value is refused everywhere outside of escapes, or NULL. */
const char *template_control(const char *value);
/* Appends a value without control characters. Returns as append() does. */
const char *template_write_plain(struct buf *b, const char *value);
/* Appends a value with `escape` before each of its characters that is in `special`. */
void template_write_escaped(struct buf *b, const char *value, const char *special,
			    const char *escape);
/* Appends a value with the escapes of a JSON string, without the quotation marks. */
void template_write_json(struct buf *b, const char *value);
/* Returns true if the value consists of characters of `set` only. */
bool template_has_only(const char *value, const char *set);
