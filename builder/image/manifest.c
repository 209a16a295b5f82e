/* SPDX-License-Identifier: Apache-2.0 */
/* Each append_ function adds one member of the outermost object. */
#include "builder/image/manifest.h"

#include "builder/root/account-names.h"
#include "builder/root/unit-environment.h"
#include "firstboot/model/feature.h"
#include "lib/json.h"
#include "pxe/image.h"

#define FORMAT 1

/* A byte of a text can become "\\u0001". */
_Static_assert(HOST_TEMPLATES_TEXT_MAX < IMAGE_MANIFEST_MAX / 6,
	       "the texts of templates have room in a manifest");

static void append_roles(struct json *j, const struct roles *roles)
{
	json_open(j, "roles", '[');
	for (size_t i = 0; i < roles->n; i++) {
		const struct role *r = &roles->v[i];
		_cleanup_strv_ char **names = feature_names(r->features);

		json_open(j, NULL, '{');
		json_str(j, "name", r->name);
		json_strv(j, "units", r->units);
		json_strv(j, "ready", r->ready);
		json_strv(j, "features", names);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void append_templates(struct json *j, const struct host_templates *t)
{
	json_open(j, "templates", '[');
	for (size_t i = 0; i < t->n; i++) {
		const struct host_template *one = &t->v[i];
		char mode[8];

		snprintf(mode, sizeof(mode), "%04o", one->mode);
		json_open(j, NULL, '{');
		json_str(j, "path", one->path);
		json_str(j, "mode", mode);
		json_str(j, "format", template_format_name(one->format));
		if (one->roles)
			json_strv(j, "roles", one->roles);
		if (one->units)
			json_strv(j, "units", one->units);
		json_str(j, "text", one->text);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void append_strv_or_null(struct json *j, const char *key, char *const *v,
				bool known)
{
	if (known)
		json_strv(j, key, v);
	else
		json_str(j, key, NULL);
}

/* Lists the files that the roles' units read with EnvironmentFile=, and the units that
 * they are restarted with; null if they are not known. */
static void append_unit_files(struct json *j, const struct manifest *m)
{
	_cleanup_intern_ struct intern units = {0};

	for (size_t i = 0; i < m->r->roles.n; i++) {
		char *const *names = m->r->roles.v[i].units;

		for (size_t k = 0; names && names[k]; k++)
			intern(&units, names[k], NULL);
	}
	json_open(j, "unit_files", '[');
	for (size_t i = 0; i < units.n; i++) {
		_cleanup_strv_ char **files = NULL, **follows = NULL;
		bool known = unit_environment(&files, m->index, m->layer, units.texts[i]),
		     known_follows =
			     unit_follows(&follows, m->index, m->layer, units.texts[i]);

		json_open(j, NULL, '{');
		json_str(j, "unit", units.texts[i]);
		append_strv_or_null(j, "files", files, known);
		append_strv_or_null(j, "follows", follows, known_follows);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void append_standin_members(struct json *j, const struct recipe_extract *v,
				   size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (v[i].to)
			json_str(j, NULL, base_name(v[i].to));
		append_standin_members(j, v[i].v, v[i].n);
	}
}

/* Lists the programs by their names in the image. */
static void append_standins(struct json *j, const struct recipe *r)
{
	json_open(j, "standins", '[');
	for (size_t i = 0; i < r->n_artifacts; i++) {
		const struct recipe_artifact *a = &r->artifacts[i];

		if (a->standin && !a->n)
			json_str(j, NULL, a->name);
		if (a->standin)
			append_standin_members(j, a->v, a->n);
	}
	json_close(j, ']');
}

/* Lists users or groups, with null if they are not known. */
static void append_accounts(struct json *j, const char *key, const struct manifest *m,
			    const char *path)
{
	_cleanup_strv_ char **names = account_names(m->index, m->layer, path);

	if (names)
		json_strv(j, key, names);
	else
		json_str(j, key, NULL);
}

static void append_base(struct json *j, const struct recipe *r, const struct base *b)
{
	json_open(j, "base", '{');
	json_str(j, "type", r->base.type->name);
	json_str(j, "suite", r->base.suite);
	json_strv(j, "components", r->base.components);
	json_str(j, "key", b->key);
	json_close(j, '}');
}

static void append_outputs(struct json *j, const struct manifest *m)
{
	json_open(j, "outputs", '[');
	for (size_t i = 0; i < m->n_outputs; i++) {
		json_open(j, NULL, '{');
		json_str(j, "path", m->outputs[i].path);
		json_u64(j, "size", m->outputs[i].size);
		json_str(j, "sha256", m->outputs[i].sha256);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void append_inputs(struct json *j, const struct inputs *in)
{
	json_open(j, "inputs", '[');
	for (size_t i = 0; i < in->n; i++) {
		const struct recipe_artifact *a = in->v[i].artifact;

		json_open(j, NULL, '{');
		json_str(j, "name", a->name);
		json_str(j, "url", a->url);
		json_u64(j, "size", in->v[i].blob.size);
		json_str(j, "sha256", in->v[i].blob.sha256);
		json_bool(j, "standin", a->standin);
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* Splits lines of "name version architecture". */
static void append_packages(struct json *j, const char *packages)
{
	_cleanup_strv_ char **lines = strv_split(packages, "\n");

	json_open(j, "packages", '[');
	for (size_t i = 0; lines && lines[i]; i++) {
		_cleanup_strv_ char **f = strv_split(lines[i], " ");

		if (strv_len(f) != 3)
			continue;
		json_open(j, NULL, '{');
		json_str(j, "name", f[0]);
		json_str(j, "version", f[1]);
		json_str(j, "arch", f[2]);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void append_file(struct json *j, const struct layer_item *item)
{
	static const char *const types[] = {
		[ENTRY_FILE] = "file", [ENTRY_DIR] = "dir", [ENTRY_SYMLINK] = "link"};
	_cleanup_free_ char *path = xasprintf("/%s", item->path);
	char mode[8];

	snprintf(mode, sizeof(mode), "%04o", item->mode);
	json_open(j, NULL, '{');
	json_str(j, "path", path);
	json_str(j, "type", types[item->type]);
	if (item->type == ENTRY_SYMLINK)
		json_str(j, "target", item->target);
	else
		json_str(j, "mode", mode);
	if (item->type == ENTRY_FILE) {
		json_u64(j, "size", item->size);
		json_str(j, "sha256", item->sha256);
	}
	json_str(j, "source", item->origin);
	json_close(j, '}');
}

static void append_files(struct json *j, const struct layer *l)
{
	json_open(j, "files", '[');
	for (size_t i = 0; i < l->n; i++)
		if (!l->v[i].implied)
			append_file(j, &l->v[i]);
	json_close(j, ']');
}

static void append_root(struct json *j, const struct merge_stats *s)
{
	json_open(j, "root", '{');
	json_u64(j, "entries", s->entries);
	json_u64(j, "bytes", s->bytes);
	json_close(j, '}');
}

char *manifest_render(const struct manifest *m)
{
	struct json j = {0};

	json_open(&j, NULL, '{');
	json_u64(&j, "format", FORMAT);
	json_str(&j, "name", m->r->name);
	json_str(&j, "summary", m->r->summary ? m->r->summary : "");
	json_u64(&j, "epoch", m->r->epoch);
	json_str(&j, "cmdline", m->r->cmdline ? m->r->cmdline : "");
	append_standins(&j, m->r);
	append_roles(&j, &m->r->roles);
	append_templates(&j, &m->r->compiled);
	append_unit_files(&j, m);
	append_accounts(&j, "users", m, ACCOUNT_USERS);
	append_accounts(&j, "groups", m, ACCOUNT_GROUPS);
	append_base(&j, m->r, m->base);
	append_outputs(&j, m);
	append_inputs(&j, m->inputs);
	append_packages(&j, m->base->packages);
	append_files(&j, m->layer);
	json_strv(&j, "initrd", m->initrd);
	append_root(&j, m->stats);
	json_close(&j, '}');
	return json_take(&j);
}
