/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the results of `rackstrap check` as one JSON document, for editors and CI. */
#include "builder/check-output.h"

#include "lib/out.h"

/* Returns the file of a place, or NULL for the origin of a value that no file has. */
static const char *file_of(const struct diag_place *at)
{
	if (!at->line && at->file &&
	    (streq(at->file, "default") || streq(at->file, "not given")))
		return NULL;
	return at->file;
}

/* Appends a number, or null for 0. */
static void append_known(struct json *j, const char *key, unsigned value)
{
	if (value)
		json_u64(j, key, value);
	else
		json_str(j, key, NULL);
}

static void append_problems(struct json *j, const struct diag *d, const char *severity)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct diag_about *a = &d->about[i];

		json_open(j, NULL, '{');
		json_str(j, "severity", severity);
		json_str(j, "file", file_of(&a->at));
		append_known(j, "line", a->at.line);
		append_known(j, "column", a->at.column);
		json_str(j, "host", a->host);
		json_str(j, "message", diag_message(d, i));
		json_str(j, "excerpt", d->details[i]);
		json_str(j, "other_file", file_of(&a->other));
		append_known(j, "other_line", a->other.line);
		json_close(j, '}');
	}
}

static void append_file(struct json *j, const struct checked *f)
{
	json_open(j, NULL, '{');
	json_str(j, "file", f->path);
	json_str(j, "result",
		 f->rack               ? "ok"
		 : f->mistakes->unread ? "unreadable"
				       : "wrong");
	if (f->rack)
		json_u64(j, "hosts", f->rack->n_hosts);
	else
		json_str(j, "hosts", NULL);
	json_bool(j, "roles_checked", !f->any_roles && !f->mistakes->unread);
	json_u64(j, "errors", diag_count(f->mistakes));
	json_u64(j, "warnings", diag_count(f->warnings));
	json_open(j, "problems", '[');
	append_problems(j, f->mistakes, "error");
	append_problems(j, f->warnings, "warning");
	json_close(j, ']');
	json_close(j, '}');
}

static int begin(struct check_printer *p, struct err *e _unused_)
{
	json_open(&p->json, NULL, '{');
	json_u64(&p->json, "format", 1);
	json_open(&p->json, "files", '[');
	return 0;
}

static int file(struct check_printer *p, const struct checked *f, struct err *e _unused_)
{
	append_file(&p->json, f);
	return 0;
}

static int end(struct check_printer *p, struct err *e _unused_)
{
	_cleanup_free_ char *text = NULL;

	json_close(&p->json, ']');
	json_close(&p->json, '}');
	text = json_take(&p->json);
	out_text(text);
	return 0;
}

const struct check_output check_json = {
	.option = "json",
	.id = OPT_JSON,
	.has_problems = true,
	.begin = begin,
	.file = file,
	.end = end,
};
