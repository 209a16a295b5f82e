/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a manifest.json, whose image the builder made. */
#include "pxe/image-json.h"

#include "firstboot/model/feature.h"
#include "lib/file.h"
#include "pxe/json-get.h"

/* Sets the features of a role in a manifest of an image that was built before there were
 * features: its flags stood for parts of the stack of 2015. */
static int features_of_flags(uint32_t *ret, const json_t *j, struct err *e)
{
	for (size_t i = 0; i < FEATURE_COUNT; i++) {
		const char *flag = features[i]->role_flag;
		bool set = false;

		if (flag && json_get_bool(j, flag, &set, e) < 0)
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
	if (json_get_strv(j, "features", &names, e) < 0)
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
	if (json_get_str(j, "name", &r->name, e) < 0 ||
	    json_get_strv(j, "units", &r->units, e) < 0 ||
	    json_get_strv(j, "ready", &r->ready, e) < 0 ||
	    features_parse(&r->features, j, e) < 0)
		return err_wrap(e, "roles");
	return 0;
}

static int roles_parse(struct roles *ret, const json_t *j, struct err *e)
{
	const json_t *a;

	if (json_get_array(j, "roles", &a, e) < 0)
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

	if (json_get_str(j, "path", &path, e) < 0 ||
	    json_get_str(j, "mode", &mode, e) < 0 ||
	    json_get_str(j, "format", &format, e) < 0 ||
	    json_get_str(j, "text", &text, e) < 0 ||
	    (json_object_get(j, "roles") && json_get_strv(j, "roles", &roles, e) < 0) ||
	    (json_object_get(j, "units") && json_get_strv(j, "units", &units, e) < 0))
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
	if (json_get_array(j, "templates", &a, e) < 0)
		return -1;
	for (size_t k = 0; k < json_array_size(a); k++)
		if (template_parse(&i->templates, json_array_get(a, k), e) < 0)
			return err_wrap(e, "templates");
	if (host_templates_compile(&i->templates, &i->roles, NULL, &d) < 0)
		return err_set(e, ERR_FAILED, "templates: %s", d.lines[0]);
	return 0;
}

static int unit_parse(struct image_unit *u, const json_t *j, struct err *e)
{
	if (json_get_str(j, "unit", &u->name, e) < 0 ||
	    json_get_strv_if_any(j, "files", &u->files, e) < 0 ||
	    json_get_strv_if_any(j, "follows", &u->follows, e) < 0)
		return -1;
	u->known = json_is_array(json_object_get(j, "files")) &&
		   json_is_array(json_object_get(j, "follows"));
	return 0;
}

/* Reads the files of the units, which older images do not have. */
static int units_parse(struct image *i, const json_t *j, struct err *e)
{
	const json_t *a;

	if (!json_object_get(j, "unit_files"))
		return 0;
	if (json_get_array(j, "unit_files", &a, e) < 0)
		return -1;
	i->units = xcalloc(json_array_size(a) + 1, sizeof(*i->units));
	for (size_t k = 0; k < json_array_size(a); k++)
		if (unit_parse(&i->units[i->n_units++], json_array_get(a, k), e) < 0)
			return err_wrap(e, "unit_files");
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
	if (json_get_u64(o, "size", ret_size, e) < 0 ||
	    json_get_str(o, "sha256", ret_sha256, e) < 0)
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
	if (json_check_format(j, e) < 0 || json_get_str(j, "name", &i->name, e) < 0 ||
	    json_get_str(j, "cmdline", &i->cmdline, e) < 0 ||
	    json_get_u64(j, "epoch", &i->epoch, e) < 0 ||
	    json_get_strv(j, "standins", &i->standins, e) < 0 ||
	    json_get_strv_if_any(j, "users", &i->users, e) < 0 ||
	    json_get_strv_if_any(j, "groups", &i->groups, e) < 0 ||
	    roles_parse(&i->roles, j, e) < 0 || templates_parse(i, j, e) < 0 ||
	    units_parse(i, j, e) < 0)
		return err_wrap(e, "manifest.json");
	i->roles.image = xstrdup(i->name);
	i->has_accounts = json_object_get(j, "users") != NULL;
	return 0;
}

static int files_parse(struct image_files *files, const json_t *j, struct err *e)
{
	const json_t *a;

	if (json_get_array(j, "files", &a, e) < 0)
		return -1;
	files->v = xcalloc(json_array_size(a) + 1, sizeof(*files->v));
	for (size_t i = 0; i < json_array_size(a); i++) {
		struct image_file *f = &files->v[files->n++];
		_cleanup_free_ char *mode = NULL;
		const json_t *v = json_array_get(a, i);

		if (json_get_str(v, "path", &f->path, e) < 0 ||
		    json_get_str(v, "type", &f->type, e) < 0 ||
		    json_get_str_or_null(v, "target", &f->target, e) < 0 ||
		    json_get_str_or_null(v, "mode", &mode, e) < 0 ||
		    json_get_str_or_null(v, "sha256", &f->sha256, e) < 0 ||
		    (f->sha256 && json_get_u64(v, "size", &f->size, e) < 0))
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

	if (json_get_object(&j, text, len, e) < 0)
		return err_wrap(e, "manifest.json");
	if (manifest_parse(i, j, e) < 0)
		return -1;
	if (files && files_parse(files, j, e) < 0)
		return err_wrap(e, "manifest.json");
	if (json_get_array(j, "outputs", &outputs, e) < 0)
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
