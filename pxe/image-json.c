/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jansson parses, and small getters read one member each and check its type. Members that
 * a newer writer added are ignored; one that is missing or of another type is an error
 * that names it. A report comes from a machine on the network and may contain anything:
 * the caller limits its size, and nothing in it is used as a path.
 */
#include "pxe/image-json.h"

#include "lib/file.h"
#include "lib/url.h"

#include <jansson.h>

#define VALUES_MAX 500000 /* of a JSON: each takes up to 300 bytes of memory */
#define FORMAT     1

#define PHASE_NAME_MAX 32
#define UNIT_NAME_MAX  255 /* as in systemd */
#define UNIT_LINES_MAX 10  /* of a unit's log; firstboot sends 5 */
#define LINE_BYTES_MAX 300 /* as firstboot cuts them */
#define WARNINGS_MAX   20

static void json_p(json_t **j)
{
	json_decref(*j);
}
#define _cleanup_jansson_ _cleanup_(json_p)

/* Counts the values by the signs before them. Those in strings count, too. */
static bool has_few_values(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n <= VALUES_MAX; i++)
		n += text[i] == ',' || text[i] == '{' || text[i] == '[';
	return n <= VALUES_MAX;
}

static int parse(json_t **ret, const char *text, size_t len, struct err *e)
{
	json_error_t je;
	json_t *j;

	if (!has_few_values(text, len))
		return err_set(e, ERR_FAILED, "has more than %d values: refused",
			       VALUES_MAX);
	j = json_loadb(text, len, JSON_REJECT_DUPLICATES, &je);
	if (!j)
		return err_set(e, ERR_FAILED, "line %d: %s", je.line, je.text);
	if (!json_is_object(j)) {
		json_decref(j);
		return err_set(e, ERR_FAILED, "not a JSON object");
	}
	*ret = j;
	return 0;
}

static int get_str(const json_t *j, const char *key, char **ret, struct err *e)
{
	const json_t *v = json_object_get(j, key);

	if (!json_is_string(v))
		return err_set(e, ERR_FAILED, "member '%s' must be a string", key);
	*ret = xstrdup(json_string_value(v));
	return 0;
}

/* Reads a string; if it is null or missing, *ret stays as it is. */
static int get_str_or_null(const json_t *j, const char *key, char **ret, struct err *e)
{
	const json_t *v = json_object_get(j, key);

	return !v || json_is_null(v) ? 0 : get_str(j, key, ret, e);
}

static int get_u64(const json_t *j, const char *key, uint64_t *ret, struct err *e)
{
	const json_t *v = json_object_get(j, key);

	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return err_set(e, ERR_FAILED, "member '%s' must be a whole number", key);
	*ret = (uint64_t)json_integer_value(v);
	return 0;
}

static int get_bool(const json_t *j, const char *key, bool *ret, struct err *e)
{
	const json_t *v = json_object_get(j, key);

	if (!json_is_boolean(v))
		return err_set(e, ERR_FAILED, "member '%s' must be true or false", key);
	*ret = json_is_true(v);
	return 0;
}

static int get_array(const json_t *j, const char *key, const json_t **ret, struct err *e)
{
	*ret = json_object_get(j, key);
	if (!json_is_array(*ret))
		return err_set(e, ERR_FAILED, "member '%s' must be an array", key);
	return 0;
}

static int get_strv(const json_t *j, const char *key, char ***ret, struct err *e)
{
	_cleanup_strv_builder_ struct strv_builder v = {0};
	const json_t *a;

	if (get_array(j, key, &a, e) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(a); i++) {
		const json_t *at = json_array_get(a, i);

		if (!json_is_string(at))
			return err_set(e, ERR_FAILED,
				       "member '%s' must hold strings only", key);
		strv_builder_add(&v, json_string_value(at));
	}
	*ret = strv_builder_take(&v);
	return 0;
}

/* Does the same with a member that may be null or missing: *ret stays as it is then. */
static int get_strv_if_any(const json_t *j, const char *key, char ***ret, struct err *e)
{
	const json_t *v = json_object_get(j, key);

	return !v || json_is_null(v) ? 0 : get_strv(j, key, ret, e);
}

static int check_format(const json_t *j, struct err *e)
{
	uint64_t format;

	if (get_u64(j, "format", &format, e) < 0)
		return -1;
	if (format != FORMAT)
		return err_set(e, ERR_FAILED,
			       "format %llu is not supported, only format %d is",
			       (unsigned long long)format, FORMAT);
	return 0;
}

/* --- images ----------------------------------------------------------------------- */

/* Sets the features of a role in a manifest of an image that was built before there were
 * features: its flags stood for parts of the stack of 2015. */
static int features_of_flags(uint32_t *ret, const json_t *j, struct err *e)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		const char *flag = features[i]->role_flag;
		bool set = false;

		if (flag && get_bool(j, flag, &set, e) < 0)
			return -1;
		if (set)
			*ret |= FEATURE_BIT(i) | features[i]->flag_features;
		*ret |= features[i]->flag_always ? FEATURE_BIT(i) : 0;
	}
	*ret = features_close(*ret);
	return 0;
}

/* A feature that this version does not know has keys that it does not know either: the
 * image is of a later version. */
static int features_parse(uint32_t *ret, const json_t *j, struct err *e)
{
	_cleanup_strv_ char **names = NULL;

	if (!json_object_get(j, "features"))
		return features_of_flags(ret, j, e);
	if (get_strv(j, "features", &names, e) < 0)
		return -1;
	for (size_t i = 0; names && names[i]; i++) {
		const struct feature *f = feature_find(names[i]);

		if (!f)
			return err_set(
				e, ERR_FAILED,
				"this version of rackstrap does not know the "
				"feature '%s': use a newer one, or build the image "
				"again",
				names[i]);
		*ret |= FEATURE_BIT(f->id);
	}
	*ret = features_close(*ret);
	return 0;
}

static int role_parse(struct role *r, const json_t *j, struct err *e)
{
	if (get_str(j, "name", &r->name, e) < 0 ||
	    get_strv(j, "units", &r->units, e) < 0 ||
	    get_strv(j, "ready", &r->ready, e) < 0 ||
	    features_parse(&r->features, j, e) < 0)
		return err_wrap(e, "roles");
	return 0;
}

static int roles_parse(struct roles *ret, const json_t *j, struct err *e)
{
	const json_t *a;

	if (get_array(j, "roles", &a, e) < 0)
		return -1;
	ret->v = xcalloc(json_array_size(a) + 1, sizeof(*ret->v));
	for (size_t i = 0; i < json_array_size(a); i++)
		if (role_parse(&ret->v[ret->n++], json_array_get(a, i), e) < 0)
			return -1;
	roles_index(ret);
	for (size_t i = 0; i < ret->n; i++) {
		size_t first = i;

		if (intern_find(&ret->names, ret->v[i].name, &first) && first != i)
			return err_set(e, ERR_FAILED, "roles: '%s' is there twice",
				       ret->v[i].name);
	}
	return 0;
}

/* Returns true for an absolute path without '.', '..' and empty components. */
static bool is_plain_path(const char *s)
{
	if (s[0] != '/' || s[strcspn(s, "\n\r")])
		return false;
	while (*s == '/') {
		size_t n = strcspn(++s, "/");

		if (n == 0 || (n <= 2 && strspn(s, ".") >= n))
			return false;
		s += n;
	}
	return true;
}

/* Returns true when a recipe can give a file the mode: it is not setuid, setgid or
 * writable by everybody. */
static bool is_mode_of_recipe(unsigned mode)
{
	return !(mode & (S_ISUID | S_ISGID)) &&
	       (!(mode & S_IWOTH) || (mode & S_ISVTX) != 0);
}

static int template_parse(struct host_templates *ret, const json_t *j, struct err *e)
{
	_cleanup_free_ char *mode = NULL, *format = NULL, *text = NULL, *path = NULL;
	_cleanup_strv_ char **roles = NULL, **units = NULL;
	struct host_template t = {0};

	if (get_str(j, "path", &path, e) < 0 || get_str(j, "mode", &mode, e) < 0 ||
	    get_str(j, "format", &format, e) < 0 || get_str(j, "text", &text, e) < 0 ||
	    (json_object_get(j, "roles") && get_strv(j, "roles", &roles, e) < 0) ||
	    (json_object_get(j, "units") && get_strv(j, "units", &units, e) < 0))
		return -1;
	if (!is_plain_path(path) || str_to_mode(mode, &t.mode) < 0 ||
	    !is_mode_of_recipe(t.mode) || template_format_parse(format, &t.format) < 0)
		return err_set(
			e, ERR_FAILED,
			"this version of rackstrap does not know the path, mode or "
			"format of '%s': use a newer one, or build the image again",
			path);
	t.path = t.name = path;
	t.roles = roles;
	t.units = units;
	t.text = text;
	host_templates_add(ret, &t);
	return 0;
}

/* Reads the templates, which images that were built before there were any do not have. */
static int templates_parse(struct image *i, const json_t *j, struct err *e)
{
	_cleanup_diag_ struct diag d = {0};
	const json_t *a;

	if (!json_object_get(j, "templates"))
		return 0;
	if (get_array(j, "templates", &a, e) < 0)
		return -1;
	for (size_t k = 0; k < json_array_size(a); k++)
		if (template_parse(&i->templates, json_array_get(a, k), e) < 0)
			return err_wrap(e, "templates");
	if (host_templates_compile(&i->templates, &i->roles, NULL, &d) < 0)
		return err_set(e, ERR_FAILED, "templates: %s", d.lines[0]);
	return 0;
}

static bool is_sha256(const char *s)
{
	return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
}

/* Reads the output of that name from the manifest, and checks that the file in the
 * image's folder has its size. */
static int output_parse(const struct image *i, const json_t *outputs, const char *name,
			char **ret_sha256, uint64_t *ret_size, struct err *e)
{
	_cleanup_free_ char *path = NULL;
	const json_t *o = NULL;
	struct stat st;

	for (size_t k = 0; k < json_array_size(outputs) && !o; k++) {
		const json_t *at = json_array_get(outputs, k);
		const char *p = json_string_value(json_object_get(at, "path"));

		if (p && streq(p, name))
			o = at;
	}
	if (!o)
		return err_set(e, ERR_FAILED,
			       "manifest.json: outputs: '%s' is missing: the image was "
			       "not built with --type pxe",
			       name);
	if (get_u64(o, "size", ret_size, e) < 0 ||
	    get_str(o, "sha256", ret_sha256, e) < 0)
		return err_wrap(e, "manifest.json: outputs: '%s'", name);
	if (!is_sha256(*ret_sha256))
		return err_set(
			e, ERR_FAILED,
			"manifest.json: outputs: '%s': sha256 must be 64 lower-case "
			"hex digits",
			name);
	if (!i->dir)
		return 0;
	path = xasprintf("%s/%s", i->dir, name);
	if (lstat(path, &st) < 0)
		return err_errno(e, errno, "%s", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_FAILED, "%s: %s", name,
			       file_strerror(S_ISLNK(st.st_mode) ? -ELOOP : -EINVAL));
	if ((uint64_t)st.st_size != *ret_size)
		return err_set(e, ERR_FAILED,
			       "%s has %lld bytes, not %llu as manifest.json says: build "
			       "the image again",
			       name, (long long)st.st_size,
			       (unsigned long long)*ret_size);
	return 0;
}

static int manifest_parse(struct image *i, const json_t *j, struct err *e)
{
	if (check_format(j, e) < 0 || get_str(j, "name", &i->name, e) < 0 ||
	    get_str(j, "cmdline", &i->cmdline, e) < 0 ||
	    get_u64(j, "epoch", &i->epoch, e) < 0 ||
	    get_strv(j, "standins", &i->standins, e) < 0 ||
	    get_strv_if_any(j, "users", &i->users, e) < 0 ||
	    get_strv_if_any(j, "groups", &i->groups, e) < 0 ||
	    roles_parse(&i->roles, j, e) < 0 || templates_parse(i, j, e) < 0)
		return err_wrap(e, "manifest.json");
	i->roles.image = xstrdup(i->name);
	i->has_accounts = json_object_get(j, "users") != NULL;
	return 0;
}

static int files_parse(struct image_files *files, const json_t *j, struct err *e)
{
	const json_t *a;

	if (get_array(j, "files", &a, e) < 0)
		return -1;
	files->v = xcalloc(json_array_size(a) + 1, sizeof(*files->v));
	for (size_t i = 0; i < json_array_size(a); i++) {
		struct image_file *f = &files->v[files->n++];
		_cleanup_free_ char *mode = NULL;
		const json_t *v = json_array_get(a, i);

		if (get_str(v, "path", &f->path, e) < 0 ||
		    get_str(v, "type", &f->type, e) < 0 ||
		    get_str_or_null(v, "target", &f->target, e) < 0 ||
		    get_str_or_null(v, "mode", &mode, e) < 0 ||
		    get_str_or_null(v, "sha256", &f->sha256, e) < 0 ||
		    (f->sha256 && get_u64(v, "size", &f->size, e) < 0))
			return err_wrap(e, "files");
		if (mode && str_to_mode(mode, &f->mode) < 0)
			return err_set(e, ERR_FAILED, "files: '%s': mode '%s' is invalid",
				       f->path, mode);
	}
	return 0;
}

int image_load(struct image *i, struct image_files *files, const char *text, size_t len,
	       struct err *e)
{
	_cleanup_jansson_ json_t *j = NULL;
	const json_t *outputs;

	if (parse(&j, text, len, e) < 0)
		return err_wrap(e, "manifest.json");
	if (manifest_parse(i, j, e) < 0)
		return -1;
	if (files && files_parse(files, j, e) < 0)
		return err_wrap(e, "manifest.json");
	if (get_array(j, "outputs", &outputs, e) < 0)
		return err_wrap(e, "manifest.json");
	if (output_parse(i, outputs, "vmlinuz", &i->kernel_sha256, &i->kernel_size, e) <
		    0 ||
	    output_parse(i, outputs, "initrd.img", &i->initrd_sha256, &i->initrd_size,
			 e) < 0 ||
	    output_parse(i, outputs, "root.squashfs", &i->root_sha256, &i->root_size, e) <
		    0)
		return -1;
	return 0;
}

/* --- reports ---------------------------------------------------------------------- */

/* Checks the name of a phase, which becomes the title of a column. */
static bool is_phase_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && n <= PHASE_NAME_MAX && !s[n];
}

static int phases_parse(struct report *r, const json_t *j, struct err *e)
{
	const json_t *a;

	if (get_array(j, "phases", &a, e) < 0)
		return -1;
	r->phases = xcalloc(json_array_size(a) + 1, sizeof(*r->phases));
	for (size_t i = 0; i < json_array_size(a); i++) {
		struct report_phase *p = &r->phases[r->n_phases++];
		const json_t *v = json_array_get(a, i);

		if (get_str(v, "name", &p->name, e) < 0 ||
		    get_u64(v, "ms", &p->ms, e) < 0)
			return err_wrap(e, "phases");
		if (!is_phase_name(p->name))
			return err_set(e, ERR_FAILED,
				       "phases: a name must be of at most %d lower-case "
				       "letters, digits and '-'",
				       PHASE_NAME_MAX);
	}
	return 0;
}

/* Adds the last lines of a unit's log, at most `max` in all, if the unit's state is the
 * one asked for by `failed`. The member is optional, and elements that are not strings
 * are left out. */
static void add_last_lines(struct strv_builder *lines, const json_t *unit, bool failed,
			   size_t max)
{
	const char *name = json_string_value(json_object_get(unit, "name"));
	const char *result = json_string_value(json_object_get(unit, "result"));
	const json_t *log = json_object_get(unit, "log");
	size_t n = json_array_size(log);

	if ((result && !streq(result, "success")) != failed)
		return;
	for (size_t i = n > UNIT_LINES_MAX ? n - UNIT_LINES_MAX : 0;
	     i < n && lines->n < max; i++) {
		_cleanup_free_ char *line =
			xstrdup(json_string_value(json_array_get(log, i)));

		if (!line)
			continue;
		url_strip_secrets(line); /* before it is cut: see lib/err.c */
		strv_builder_addf(lines, "%s: %.*s", name, LINE_BYTES_MAX, line);
	}
}

static int units_parse(struct report *r, const json_t *j, size_t max_lines, struct err *e)
{
	_cleanup_strv_builder_ struct strv_builder failed = {0}, lines = {0};
	const json_t *a;

	if (get_array(j, "units", &a, e) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(a); i++) {
		_cleanup_free_ char *name = NULL, *active = NULL;
		const json_t *v = json_array_get(a, i);

		if (get_str(v, "name", &name, e) < 0 ||
		    get_str(v, "active", &active, e) < 0)
			return err_wrap(e, "units");
		if (strlen(name) > UNIT_NAME_MAX)
			return err_set(e, ERR_FAILED,
				       "units: a name must be of at most %d bytes",
				       UNIT_NAME_MAX);
		if (streq(active, "failed"))
			strv_builder_add(&failed, name);
	}
	for (int bad = 1; bad >= 0; bad--)
		for (size_t i = 0; i < json_array_size(a) && lines.n < max_lines; i++)
			add_last_lines(&lines, json_array_get(a, i), bad, max_lines);
	r->failed_units = strv_builder_take(&failed);
	r->last_lines = strv_builder_take(&lines);
	return 0;
}

/* Reads the warnings. The member is optional, and elements that are not strings are left
 * out. */
static void warnings_parse(struct report *r, const json_t *j)
{
	const json_t *a = json_object_get(j, "warnings");
	_cleanup_strv_builder_ struct strv_builder v = {0};

	for (size_t i = 0; i < json_array_size(a) && v.n < WARNINGS_MAX; i++) {
		_cleanup_free_ char *line =
			xstrdup(json_string_value(json_array_get(a, i)));

		if (!line)
			continue;
		url_strip_secrets(line); /* before it is cut: see lib/err.c */
		strv_builder_addf(&v, "%.*s", LINE_BYTES_MAX, line);
	}
	r->warnings = strv_builder_take(&v);
}

static int columns_parse(struct host_columns *c, const json_t *j, struct err *e)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++)
		if (column_key(i) && get_str_or_null(j, column_key(i), &c->v[i], e) < 0)
			return -1;
	return 0;
}

static int report_read(struct report *r, const json_t *j, size_t max_lines, struct err *e)
{
	if (check_format(j, e) < 0 || get_str_or_null(j, "host", &r->host, e) < 0 ||
	    get_str_or_null(j, "role", &r->role, e) < 0 ||
	    get_str_or_null(j, "address", &r->address, e) < 0 ||
	    columns_parse(&r->columns, j, e) < 0 ||
	    get_str(j, "verdict", &r->verdict, e) < 0 ||
	    get_str_or_null(j, "why", &r->why, e) < 0 ||
	    get_str_or_null(j, "config_sha256", &r->config_sha256, e) < 0 ||
	    get_str_or_null(j, "boot_id", &r->boot_id, e) < 0 ||
	    get_u64(j, "generation", &r->generation, e) < 0 ||
	    get_u64(j, "uptime_ms", &r->uptime_ms, e) < 0 || phases_parse(r, j, e) < 0 ||
	    units_parse(r, j, max_lines, e) < 0)
		return -1;
	if (!streq(r->verdict, "ready") && !streq(r->verdict, "failed"))
		return err_set(e, ERR_FAILED,
			       "member 'verdict' must be \"ready\" or \"failed\"");
	warnings_parse(r, j);
	return 0;
}

int report_parse(struct report *ret, const char *text, size_t len, size_t max_lines,
		 struct err *e)
{
	_cleanup_jansson_ json_t *j = NULL;

	*ret = (struct report){0};
	if (parse(&j, text, len, e) < 0)
		return -1;
	if (report_read(ret, j, max_lines, e) < 0) {
		report_done(ret);
		return -1;
	}
	return 0;
}
