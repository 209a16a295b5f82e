/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: text files with values in them, in a strict subset of Mustache
 * (mustache(5)). A template is compiled against a schema, which has the names, and
 * rendered with values.
 *
 *	{{name}}                 the value, escaped as the format and the place demand
 *	{{#name}} ... {{/name}}  once if the text or number is given or the flag is
 *	                         true; for each element if it is a list
 *	{{^name}} ... {{/name}}  once if the text or number is missing, the flag is
 *	                         false or the list is empty
 *	{{.}}                    the element, in a loop over a list of texts
 *	{{! comment }}           nothing
 *	{{"{{"}}                 the text between the quotation marks: the only extension
 *
 * A name consists of letters, digits and '_', with dots in between. It is looked up
 * among the members of the innermost loop's element, then further outward. In each loop
 * {{#first}} and {{#last}} are flags. A tag begins and ends in one line; blanks may be
 * around the name. A line with nothing but blanks and one tag of a section or comment
 * leaves no line behind. {{{, {{&, {{> and {{= are refused.
 *
 * The format says how values are escaped. The quoting is followed through the
 * template's own text, so that a value cannot leave the place it is written to; one
 * that cannot be written there is an error. A section must end in the quoting in which
 * it begins. Numbers are written like texts; json and yaml do not quote them and take
 * flags as values as well:
 *
 *	plain        values without control characters
 *	environment  EnvironmentFile= of systemd.exec(5), of systemd 219 and later, which
 *	             a shell can read as well
 *	ini          systemd.syntax(7) and its relatives
 *	shell        the Shell Command Language of POSIX; no value within `...`, $(...)
 *	             and ${...}, nor behind a here-document
 *	json         RFC 8259
 *	yaml         YAML 1.1 and 1.2; only block scalars are in several lines
 *
 * Control characters are U+0000 to U+001F, U+007F to U+009F, U+2028 and U+2029.
 */
#pragma once

#include "lib/err.h"
#include "lib/str.h"

#define TEMPLATE_MAX        (64 * 1024)   /* bytes of a template */
#define TEMPLATE_DEPTH_MAX  8             /* sections within sections */
#define TEMPLATE_LOOPS_MAX  3             /* loops within loops */
#define TEMPLATE_NODES_MAX  4096          /* tags and the texts between them */
#define TEMPLATE_NAME_MAX   64            /* bytes of a name */
#define TEMPLATE_OUTPUT_MAX (1024 * 1024) /* bytes of a rendered text */
#define TEMPLATE_STEPS_MAX  (1024 * 1024) /* nodes that are rendered, with repetitions */

enum template_format {
	TEMPLATE_PLAIN,
	TEMPLATE_ENVIRONMENT,
	TEMPLATE_INI,
	TEMPLATE_SHELL,
	TEMPLATE_JSON,
	TEMPLATE_YAML,
	TEMPLATE_FORMATS,
};

/* Returns the format's name, or NULL behind the last: for str_list(). */
const char *template_format_name(size_t format);
/* Sets *ret to the format of that name. Returns 0 or -EINVAL. */
int template_format_parse(const char *name, enum template_format *ret) _must_check_;

/* --- schema: the names ------------------------------------------------------------- */

enum template_kind {
	TEMPLATE_TEXT,
	TEMPLATE_NUMBER,
	TEMPLATE_FLAG,
	TEMPLATE_TEXTS,  /* a list of texts */
	TEMPLATE_GROUPS, /* a list of elements with members */
};

struct template_key {
	const char *name;
	enum template_kind kind;
	bool optional;      /* the text or number may be missing */
	const char *sample; /* a typical text, or NULL */
	/* Ending in a row without name; NULL unless it is a list of groups. */
	const struct template_key *members;
};

struct template_schema;

struct template_schema *template_schema_new(void);
void template_schema_free(struct template_schema *s);
void template_schema_free_p(struct template_schema **s);
#define _cleanup_template_schema_ _cleanup_(template_schema_free_p)

/* Adds a key, of which everything is copied. Returns 0; -EEXIST when the name is there
 * already; -EINVAL when it is no name, or "first" or "last". */
int template_schema_add(struct template_schema *s,
			const struct template_key *key) _must_check_;
/* Adds all keys of a table of the program, which ends in a row without name. Aborts on a
 * name that cannot be added. */
void template_schema_add_table(struct template_schema *s,
			       const struct template_key *table);
/* Adds the reason why there is no such name: "feature 'x' has it". Both are copied. */
void template_schema_add_absent(struct template_schema *s, const char *name,
				const char *why);

/* --- values ------------------------------------------------------------------------ */

/* The values of one level: of the whole, or of an element. A text, number or list that is
 * not set is missing or empty, a flag false. Texts and names are copied. Setting a name
 * again replaces its value. */
struct template_values;

struct template_values *template_values_new(void);
void template_values_free(struct template_values *v);
void template_values_free_p(struct template_values **v);
#define _cleanup_template_values_ _cleanup_(template_values_free_p)

void template_values_text(struct template_values *v, const char *name,
			  const char *text); /* NULL: missing */
void template_values_number(struct template_values *v, const char *name,
			    uint64_t number); /* at most INT64_MAX */
void template_values_flag(struct template_values *v, const char *name, bool flag);
void template_values_texts(struct template_values *v, const char *name,
			   char *const *texts);
/* Empties a value, which is missing then: a list of groups can be filled anew. */
void template_values_clear(struct template_values *v, const char *name);
/* Appends an element to a list of groups and returns it, to be filled. Owned by `v`. */
struct template_values *template_values_group(struct template_values *v,
					      const char *name);

/* Typical values. The builder renders each template with them, and parses the results. */
enum template_sample {
	TEMPLATE_SAMPLE_THREE,  /* everything is given, lists have three elements */
	TEMPLATE_SAMPLE_ONE,    /* everything is given, lists have one element */
	TEMPLATE_SAMPLE_EMPTY,  /* everything is given, lists are empty */
	TEMPLATE_SAMPLE_SPARSE, /* nothing optional, flags false, lists of three */
	TEMPLATE_SAMPLE_NONE,   /* nothing optional, flags false, lists are empty */
	TEMPLATE_SAMPLES,
};
/* Returns the values for all names of a schema. Texts are the samples of the keys, or
 * their names with '_' for dots; those of a list differ. Owned by the caller. */
struct template_values *template_values_sample(const struct template_schema *s,
					       enum template_sample sample);
/* Returns a description for messages: "lists of three elements". */
const char *template_sample_name(enum template_sample sample);

/* --- templates --------------------------------------------------------------------- */

struct template;

/*
 * Compiles a text. `name` is its name in messages, "NAME:LINE: ...". All mistakes in tags
 * are reported; of those in the quoting, the first of each line, and none behind one in
 * the template's own text. The schema is not needed afterwards. Returns 0, or -1 with
 * complaints.
 */
int template_compile(struct template **ret, const char *text, size_t len,
		     const char *name, enum template_format format,
		     const struct template_schema *schema, struct diag *d) _must_check_;
void template_free(struct template *t);
void template_free_p(struct template **t);
#define _cleanup_template_ _cleanup_(template_free_p)

/* Renders values, which must be of the schema's kinds. Sets *ret to the text, owned by
 * the caller. Returns 0, or -1 with an ERR_CONFIG that names the tag and the value. */
int template_render(const struct template *t, const struct template_values *v, char **ret,
		    struct err *e) _must_check_;

/* Returns true if a tag of the template has a name of the schema's first level that is
 * `prefix` or begins with it and a dot, even where it is never rendered. */
bool template_uses_below(const struct template *t, const char *prefix);
