/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recipe's files: each entry is a path in the image, with its bytes from a file
 * beside the recipe or from the recipe itself, or a symlink, or a directory.
 */
#include "builder/recipe/recipe-parse.h"

const char *const recipe_file_keys[] = {"to",  "source", "content", "link",
					"dir", "mode",   NULL};

static void file_done(void *entry)
{
	struct recipe_file *f = entry;

	free(f->to);
	free(f->text);
	free(f->written);
	free(f->where);
}

void recipe_files_done(struct recipe *r)
{
	for (size_t i = 0; i < r->n_files; i++)
		file_done(&r->files[i]);
	free(r->files);
	r->files = NULL;
	r->n_files = 0;
}

static void parse_source(struct recipe_file *f, const struct conf_node *n, struct diag *d)
{
	if (recipe_get_text(n, "source", &f->written, d) <= 0)
		return;
	f->text = recipe_beside(n, f->written);
	recipe_check_file(conf_member(n, "source"), "source", f->text, d);
}

static void parse_dir(const struct conf_node *n, struct diag *d)
{
	bool dir = true;

	if (conf_get_bool(n, "dir", &dir, d) > 0 && !dir)
		conf_complain(conf_member(n, "dir"), d, "dir: can only be true");
}

/* Exactly one of these four keys must be given. */
static void parse_kind(struct recipe_file *f, const struct conf_node *n, struct diag *d)
{
	static const struct {
		const char *key;
		enum recipe_file_type type;
	} kinds[] = {
		{"source", RECIPE_FILE_SOURCE},
		{"content", RECIPE_FILE_CONTENT},
		{"link", RECIPE_FILE_LINK},
		{"dir", RECIPE_FILE_DIR},
	};
	const char *content = NULL;
	unsigned found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (conf_member(n, kinds[i].key)) {
			f->type = kinds[i].type;
			found++;
		} else if (!conf_is_missing(n, kinds[i].key)) {
			return; /* reported as a misspelling */
		}
	if (found != 1) {
		conf_complain(
			n, d,
			found ? "file '%s' may have only one of 'source', 'content', "
				"'link' and 'dir'"
			      : "file '%s' needs 'source', 'content', 'link' or "
				"'dir = true'",
			f->to ? f->to : "");
		return;
	}
	parse_source(f, n, d);
	parse_dir(n, d);
	(void)!recipe_get_text(n, "link", &f->text, d);
	if (conf_get_str(n, "content", &content, d) > 0)
		f->text = xstrdup(content);
}

static void parse_file(void *entry, const struct conf_node *n, struct diag *d)
{
	/* Keys of templates. */
	static const char *const others[] = {"path", "to", "file", "source", NULL};
	struct recipe_file *f = entry;

	recipe_set_where(&f->where, n);
	(void)!conf_check_keys_of(n, "", recipe_file_keys, others, d);
	if (recipe_get_target(n, "to", &f->to, d) == 0 && conf_is_missing(n, "to"))
		conf_complain(n, d, "file: to: missing: name its path in the image");
	parse_kind(f, n, d);
	f->mode = f->type == RECIPE_FILE_DIR ? 0755 : 0644;
	if (f->type == RECIPE_FILE_LINK && conf_member(n, "mode"))
		conf_complain(conf_member(n, "mode"), d,
			      "mode: a link has no mode: leave it out");
	else
		(void)!recipe_get_mode(n, "mode", &f->mode, d);
}

void recipe_parse_files(struct recipe *r, const struct conf_node *root, struct diag *d)
{
	static const struct recipe_list type = {
		.key = "files",
		.size = sizeof(struct recipe_file),
		.name = offsetof(struct recipe_file, to),
		.where = offsetof(struct recipe_file, where),
		.parse = parse_file,
		.done = file_done,
	};

	r->files = recipe_lay_list(&type, r->files, &r->n_files, root, d);
}
