/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recipe's artifacts: what is fetched, and which parts of it are installed where. An
 * extract tree mirrors archives in archives: a node is either installed (`to`) or an
 * archive itself (`extract`).
 */
#include "builder/recipe/recipe-parse.h"

#include "firstboot/model/conf-note.h"

#define EXTRACT_DEPTH_MAX 4

const char *const recipe_artifact_keys[] = {
	"name",    "url", "public_query", "sha256",  "sha512", "sha1",     "md5",
	"standin", "to",  "mode",         "extract", "limit",  "max_size", NULL};
const char *const recipe_extract_keys[] = {"path", "to", "mode", "extract", NULL};

static void extract_free(struct recipe_extract *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		extract_free(v[i].v, v[i].n);
		free(v[i].path);
		free(v[i].to);
		free(v[i].where);
	}
	free(v);
}

static void artifact_done(void *entry)
{
	struct recipe_artifact *a = entry;

	extract_free(a->v, a->n);
	free(a->name);
	free(a->url);
	free(a->source);
	free(a->digest);
	free(a->to);
	free(a->where);
}

void recipe_artifacts_done(struct recipe *r)
{
	for (size_t i = 0; i < r->n_artifacts; i++)
		artifact_done(&r->artifacts[i]);
	free(r->artifacts);
	r->artifacts = NULL;
	r->n_artifacts = 0;
}

/* The mode is mandatory: a program without its x bit would be noticed only on a host. */
static void parse_to(const struct conf_node *n, char **to, unsigned *mode, struct diag *d)
{
	(void)!recipe_get_target(n, "to", to, d);
	if (recipe_get_mode(n, "mode", mode, d) == 0 && conf_is_missing(n, "mode"))
		conf_complain(n, d, "mode: missing, as in mode = \"0755\";");
}

static void parse_extract_list(struct recipe_extract **v, size_t *n,
			       const struct conf_node *parent, unsigned depth,
			       struct diag *d);

static void parse_extract(struct recipe_extract *x, const struct conf_node *n,
			  unsigned depth, struct diag *d)
{
	bool to = conf_member(n, "to"), extract = conf_member(n, "extract");

	recipe_set_where(&x->where, n);
	(void)!conf_check_keys(n, recipe_extract_keys, d);
	if (recipe_get_text(n, "path", &x->path, d) == 0 && conf_is_missing(n, "path"))
		conf_complain(n, d, "path: missing: name a member of the archive");
	else if (x->path && (x->path[0] == '/' || strstr(x->path, "..")))
		conf_complain(
			n, d,
			"path: must be a member's path inside the archive, not '%s'%s",
			x->path, conf_value_note(x->path));
	if (to == extract) {
		conf_complain(n, d,
			      "member '%s' needs either 'to' (where it is installed) or "
			      "'extract' (it is an archive itself)",
			      x->path ? x->path : "");
		return;
	}
	if (to)
		parse_to(n, &x->to, &x->mode, d);
	else
		parse_extract_list(&x->v, &x->n, n, depth + 1, d);
}

static void check_twice(struct recipe_firsts *paths, const struct recipe_extract *x,
			const struct conf_node *n, struct diag *d)
{
	const char *first = x->path ? recipe_first_add(paths, x->path, x->where) : NULL;

	if (first)
		conf_complain(n, d, "path: member '%s' is extracted twice (%s)", x->path,
			      first);
}

static void parse_extract_list(struct recipe_extract **v, size_t *n,
			       const struct conf_node *parent, unsigned depth,
			       struct diag *d)
{
	_cleanup_recipe_firsts_ struct recipe_firsts paths = {0};
	const struct conf_node *list = NULL;

	if (conf_get_list(parent, "extract", &list, d) <= 0)
		return;
	if (depth > EXTRACT_DEPTH_MAX) {
		conf_complain(list, d, "extract: archives more than %d deep",
			      EXTRACT_DEPTH_MAX);
		return;
	}
	if (conf_len(list) == 0)
		conf_complain(list, d, "extract: empty: nothing would be installed");
	*v = xcalloc(conf_len(list), sizeof(**v));
	for (size_t i = 0; i < conf_len(list); i++) {
		const struct conf_node *m = conf_at(list, i);

		if (conf_type(m) != CONF_GROUP) {
			conf_complain(m, d,
				      "extract: element %zu must be a group: { path "
				      "= ...; }",
				      i + 1);
			continue;
		}
		parse_extract(&(*v)[*n], m, depth, d);
		check_twice(&paths, &(*v)[(*n)++], m, d);
	}
}

void recipe_get_digest(const struct conf_node *n, char **hex, enum digest_type *type,
		       struct diag *d)
{
	for (enum digest_type t = 0; t < DIGEST_TYPES; t++) {
		const char *key = digest_name(t), *s = NULL;

		if (conf_get_str(n, key, &s, d) <= 0)
			continue;
		if (!digest_is_hex(s, t))
			conf_complain(conf_member(n, key), d,
				      "%s: must be %zu lower-case hex digits, not "
				      "'%s'%s",
				      key, digest_hex_len(t), s, conf_value_note(s));
		if (*hex)
			conf_complain(conf_member(n, key), d, "give %s or %s, not both",
				      digest_name(*type), key);
		free(*hex);
		*hex = xstrdup(s);
		*type = t;
	}
}

/* Limits how much an archive may unpack to, against decompression bombs. */
static void parse_limit(struct recipe_artifact *a, const struct conf_node *n,
			struct diag *d)
{
	a->limit = RECIPE_LIMIT;
	if (conf_member(n, "limit") && !a->n)
		conf_complain(conf_member(n, "limit"), d,
			      "limit: has no effect without 'extract': leave it out");
	(void)!recipe_get_size(n, "limit", &a->limit, d);
}

static void parse_url(struct recipe_artifact *a, const struct conf_node *n,
		      struct diag *d)
{
	if (recipe_get_url(n, &a->url, &a->source, d) == 0 && conf_is_missing(n, "url"))
		conf_complain(n, d,
			      "artifact '%s': url: missing: give the URL that it is "
			      "fetched from",
			      a->name ? a->name : "");
}

static void parse_artifact(void *entry, const struct conf_node *n, struct diag *d)
{
	struct recipe_artifact *a = entry;
	bool to = conf_member(n, "to"), extract = conf_member(n, "extract");

	recipe_set_where(&a->where, n);
	(void)!conf_check_keys(n, recipe_artifact_keys, d);
	if (recipe_get_text(n, "name", &a->name, d) == 0 && conf_is_missing(n, "name"))
		conf_complain(n, d,
			      "artifact: name: missing: give it one for messages and the "
			      "manifest");
	parse_url(a, n, d);
	recipe_get_digest(n, &a->digest, &a->digest_type, d);
	a->max_size = RECIPE_MAX_SIZE;
	(void)!recipe_get_size(n, "max_size", &a->max_size, d);
	(void)!conf_get_bool(n, "standin", &a->standin, d);
	if (to == extract)
		conf_complain(n, d,
			      "artifact '%s' needs either 'to' (the file itself is "
			      "installed) or 'extract' (members of it are)",
			      a->name ? a->name : "");
	else if (to)
		parse_to(n, &a->to, &a->mode, d);
	else
		parse_extract_list(&a->v, &a->n, n, 1, d);
	parse_limit(a, n, d);
}

struct recipe_artifact *recipe_add_artifact(struct recipe *r, enum artifact_use use,
					    const char *name, const char *url,
					    const char *source, const char *digest,
					    enum digest_type type, const char *where)
{
	struct recipe_artifact *a;

	r->artifacts = xgrow(r->artifacts, r->n_artifacts, sizeof(*a));
	a = &r->artifacts[r->n_artifacts++];
	*a = (struct recipe_artifact){
		.use = use,
		.name = xstrdup(name),
		.url = xstrdup(url),
		.source = xstrdup(source),
		.digest = xstrdup(digest),
		.digest_type = type,
		.max_size = RECIPE_MAX_SIZE,
		.where = xstrdup(where),
	};
	return a;
}

void recipe_parse_artifacts(struct recipe *r, const struct conf_node *root,
			    struct diag *d)
{
	static const struct recipe_list type = {
		.key = "artifacts",
		.size = sizeof(struct recipe_artifact),
		.name = offsetof(struct recipe_artifact, name),
		.where = offsetof(struct recipe_artifact, where),
		.parse = parse_artifact,
		.done = artifact_done,
	};

	r->artifacts = recipe_lay_list(&type, r->artifacts, &r->n_artifacts, root, d);
}

char *recipe_artifact_title(const struct recipe_artifact *a)
{
	return a->use == ARTIFACT_CONTAINER ? xstrdup(a->name)
					    : xasprintf("artifact '%s'", a->name);
}
