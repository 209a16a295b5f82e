/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a recipe file and the ones it includes, the innermost first, each laid over the
 * ones before it. Every section has its own file (recipe-*.c), and recipe-include.c lays
 * lists over each other; this file has the top level.
 */
#include "builder/recipe/recipe.h"

#include "builder/recipe/image-type.h"
#include "builder/recipe/recipe-parse.h"
#include "firstboot/model/conf-note.h"
#include "lib/file.h"
#include "pxe/kernel-cmdline.h"

#include <ctype.h>
#include <limits.h>
#include <sys/stat.h>

#define INCLUDE_DEPTH_MAX 8
#define RECIPE_NAME       "recipe.cfg"
#define EPOCH_MAX         UINT32_MAX /* squashfs and cpio store a time in 32 bits */

const char *const recipe_keys[] = {
	"version", "name",       "summary",  "include", "base",      "initramfs",
	"cmdline", "epoch",      "squashfs", "exclude", "artifacts", "files",
	"units",   "enable",     "disable",  "mask",    "roles",     "templates",
	"images",  "containers", "media",    "remove",  NULL,
};

/* --- the top level ----------------------------------------------------------------- */

static bool is_name(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz0123456789-_.";

	return *s && !s[strspn(s, ok)] && isalnum((unsigned char)*s) && strlen(s) <= 64;
}

static void parse_name(struct recipe *r, const struct conf_node *root, struct diag *d)
{
	const char *s = NULL;

	free(r->name); /* a variant does not take over the name of the included recipe */
	r->name = NULL;
	if (!conf_member(root, "name"))
		return;
	r->name = xstrdup(""); /* not NULL: a wrong name is not also a missing one */
	if (conf_get_str(root, "name", &s, d) <= 0)
		return;
	if (!is_name(s)) {
		conf_complain(
			conf_member(root, "name"), d,
			"name: must be lower-case letters, digits, '-', '_' and '.', "
			"at most 64, not '%s'%s",
			s, conf_value_note(s));
		return;
	}
	free(r->name);
	r->name = xstrdup(s);
}

static void parse_version(const struct conf *c, struct diag *d)
{
	const struct conf_node *root = conf_root(c);
	int version;

	if (conf_is_missing(root, "version"))
		diag_add(d, "%s: version: missing, as in version = 1;", conf_name(c));
	else if (conf_get_int(root, "version", INT_MIN, INT_MAX, &version, d) > 0 &&
		 version != 1)
		conf_complain(conf_member(root, "version"), d,
			      "version: must be 1, the only version, not %d", version);
}

static int parse_epoch_text(const char *s, uint64_t *ret)
{
	return str_to_u64(s, EPOCH_MAX, ret);
}

/* An int of libconfig ends in 2038. */
static void parse_epoch(struct recipe *r, const struct conf_node *root, struct diag *d)
{
	const struct conf_node *n = conf_member(root, "epoch");
	const char *s = NULL;

	if (n && (conf_type(n) == CONF_INT || conf_type(n) == CONF_OTHER))
		conf_complain(n, d,
			      "epoch: must be a string with seconds since 1970, as in "
			      "\"1435622400\"");
	else if (conf_get_str(root, "epoch", &s, d) > 0 &&
		 parse_epoch_text(s, &r->epoch) < 0)
		conf_complain(n, d,
			      "epoch: must be seconds since 1970, as in \"1435622400\", "
			      "not '%s'",
			      s);
}

static void parse_cmdline(struct recipe *r, const struct conf_node *root, struct diag *d)
{
	const char *wrong;

	if (recipe_get_text(root, "cmdline", &r->cmdline, d) <= 0)
		return;
	wrong = cmdline_wrong(r->cmdline);
	if (wrong)
		conf_complain(conf_member(root, "cmdline"), d,
			      "cmdline: %s: boot loaders would change it", wrong);
	cmdline_check_keys(r->cmdline, conf_member(root, "cmdline"), d);
}

static void parse_exclude(struct recipe *r, const struct conf_node *root, struct diag *d)
{
	if (conf_get_strv(root, "exclude", &r->exclude, d) <= 0)
		return;
	recipe_set_where(&r->exclude_where, conf_member(root, "exclude"));
	for (size_t i = 0; r->exclude && r->exclude[i]; i++)
		if (r->exclude[i][0] != '/')
			conf_complain(conf_member(root, "exclude"), d,
				      "exclude: must be absolute paths or globs, not "
				      "'%s'",
				      r->exclude[i]);
}

static void parse_images(struct recipe *r, const struct conf_node *root, struct diag *d)
{
	_cleanup_strv_ char **names = NULL;
	_cleanup_free_ char *known = str_list(image_type_name, "or");
	const struct conf_node *at = conf_member(root, "images");

	if (conf_get_strv(root, "images", &names, d) <= 0)
		return;
	free(r->images);
	r->images = xcalloc(strv_len(names), sizeof(*r->images));
	r->n_images = 0;
	for (size_t i = 0; names && names[i]; i++) {
		const struct image_type *type = image_type_find(names[i]);
		bool twice = false;

		for (size_t k = 0; k < r->n_images; k++)
			twice |= r->images[k] == type;
		if (!type)
			conf_complain(at, d, "images: must be %s, not '%s'%s", known,
				      names[i], conf_value_note(names[i]));
		else if (twice)
			conf_complain(at, d, "images: '%s' is listed twice", names[i]);
		else
			r->images[r->n_images++] = type;
	}
}

static void parse_root(struct recipe *r, const struct conf *c, struct diag *d)
{
	const struct conf_node *root = conf_root(c);

	(void)!conf_check_keys(root, recipe_keys, d);
	recipe_add_misspelled(&r->misspelled, root, recipe_keys);
	parse_version(c, d);
	parse_name(r, root, d);
	(void)!recipe_get_text(root, "summary", &r->summary, d);
	parse_cmdline(r, root, d);
	parse_epoch(r, root, d);
	parse_exclude(r, root, d);
	parse_images(r, root, d);
	recipe_parse_base(r, root, d);
	recipe_parse_remove(root, d);
	recipe_parse_artifacts(r, root, d);
	recipe_parse_containers(r, root, d);
	recipe_parse_files(r, root, d);
	recipe_parse_units(r, root, d);
	recipe_parse_templates(r, root, d);
	recipe_parse_media(r, root, d);
	free(r->roles.image);
	r->roles.image = r->name && *r->name ? xstrdup(r->name) : NULL;
}

/* Returns the path of the recipe file: DIR/recipe.cfg for "DIR" and for "DIR/". Owned by
 * the caller. */
static char *recipe_path(const char *path)
{
	struct stat st;
	size_t n = strlen(path);

	if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
		return xstrdup(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	return xasprintf("%.*s/%s", (int)n, path, RECIPE_NAME);
}

/* Sets *ret to the path of the recipe that this one includes, owned by the caller.
 * Returns 1, 0 without such a one, or -1. */
static int find_included(const struct conf_node *root, char **ret, struct diag *d)
{
	const struct conf_node *n = conf_member(root, "include");
	_cleanup_free_ char *written = NULL, *beside = NULL, *tidy = NULL, *path = NULL;
	struct stat st;
	int r = recipe_get_text(root, "include", &written, d);

	if (r <= 0)
		return r;
	beside = recipe_beside(root, written);
	tidy = recipe_tidy_path(beside);
	path = recipe_path(tidy);
	if (stat(path, &st) < 0)
		return conf_complain_unread(n, d, "include: %s: %s", path,
					    strerror(errno));
	if (!S_ISREG(st.st_mode))
		return conf_complain_unread(
			n, d,
			"include: %s: must be a file, or a folder with " RECIPE_NAME,
			path);
	if (access(path, R_OK) < 0)
		return conf_complain_unread(n, d, "include: %s: %s", path,
					    strerror(errno));
	*ret = TAKE_PTR(path);
	return 1;
}

static int load_file(struct recipe *r, const char *path, unsigned depth, struct diag *d);

static int load_included(struct recipe *r, const struct conf *c, unsigned depth,
			 struct diag *d)
{
	const struct conf_node *root = conf_root(c);
	_cleanup_free_ char *path = NULL;
	int ret = find_included(root, &path, d);

	if (ret <= 0)
		return ret;
	if (depth == INCLUDE_DEPTH_MAX)
		return conf_complain(conf_member(root, "include"), d,
				     "include: more than %d files deep: does a recipe "
				     "include itself?",
				     INCLUDE_DEPTH_MAX);
	r->includes = true;
	return load_file(r, path, depth + 1, d);
}

/* Returns true for the text of a rack file, which has nothing of a recipe. */
static bool is_rack(const struct conf_node *root)
{
	if (conf_member(root, "version") || conf_member(root, "include") ||
	    conf_member(root, "base"))
		return false;
	return conf_member(root, "cluster") || conf_member(root, "hosts");
}

static int load_file(struct recipe *r, const char *path, unsigned depth, struct diag *d)
{
	_cleanup_conf_ struct conf *c = NULL;

	if (conf_read_at(&c, AT_FDCWD, path, path, CONF_MAX_IMAGE, 0, d) < 0)
		return -1;
	if (is_rack(conf_root(c)))
		return diag_add(d,
				"%s: is no recipe: it is a rack file (`rackstrap check` "
				"reads it)",
				path);
	if (load_included(r, c, depth, d) < 0)
		return -1;
	parse_root(r, c, d);
	return 0;
}

static void epoch_from_environment(struct recipe *r, struct diag *d)
{
	const char *s = getenv("SOURCE_DATE_EPOCH");

	if (s && *s && parse_epoch_text(s, &r->epoch) < 0)
		diag_add(d, "SOURCE_DATE_EPOCH: must be seconds since 1970, not '%s'", s);
}

static void set_defaults(struct recipe *r)
{
	r->epoch = 1435622400; /* 2015-06-30, when the stack's releases came out */
	r->initramfs.compress = xstrdup("zstd");
	r->squashfs.compression = xstrdup("zstd");
	r->squashfs.level = 8;
	r->squashfs.block = xstrdup("1M");
	r->media.sector_size = 512;
	strv_add(&r->media.formats, "raw");
}

int recipe_load(struct recipe *ret, const char *path, struct diag *d)
{
	struct diag own = {0};
	_cleanup_recipe_ struct recipe r = {.file = recipe_path(path)};
	const char *slash = strrchr(r.file, '/');
	int result = -1;

	r.dir = slash ? xstrndup(r.file, (size_t)(slash - r.file)) : xstrdup(".");
	set_defaults(&r);
	if (load_file(&r, r.file, 0, &own) == 0) {
		epoch_from_environment(&r, &own);
		if (r.initramfs.policy == INITRAMFS_AUTO)
			r.initramfs.policy =
				r.initramfs.modules ? INITRAMFS_LIST : INITRAMFS_MOST;
		/* Not in set_defaults(): another type of base begins without keys. */
		if (!r.base.limit)
			r.base.limit = RECIPE_LIMIT;
		if (!r.base.max_size)
			r.base.max_size = RECIPE_MAX_SIZE;
		recipe_check(&r, &own);
		recipe_check_templates(&r, &own);
		recipe_base_fetch(&r);
		recipe_containers_fetch(&r);
		recipe_check_urls(&r, &own);
	}
	if (own.n == 0) {
		recipe_product_add(&r);
		*ret = r;
		r = (struct recipe){0};
		result = 0;
	}
	diag_move(d, &own);
	return result;
}

void recipe_done(struct recipe *r)
{
	recipe_base_done(r);
	recipe_artifacts_done(r);
	recipe_containers_done(r);
	recipe_files_done(r);
	recipe_templates_done(r);
	recipe_units_done(r);
	recipe_media_done(r);
	free(r->file);
	free(r->dir);
	free(r->name);
	free(r->summary);
	free(r->cmdline);
	strv_free(r->exclude);
	free(r->exclude_where);
	strv_free(r->misspelled);
	free(r->images);
	*r = (struct recipe){0};
}
