/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recipe's groups base, initramfs and squashfs: merged key by key, so that a variant
 * can change the kernel and keep the rest. A base type owns its keys; when a variant
 * changes the type, the base starts without keys.
 */
#include "builder/recipe/base-type.h"
#include "builder/recipe/recipe-parse.h"
#include "firstboot/model/conf-note.h"

const char *const recipe_initramfs_keys[] = {"policy", "modules", "tools", "compress",
					     NULL};
const char *const recipe_squashfs_keys[] = {"compression", "level", "block", NULL};

static const char *const initramfs_compressors[] = {"zstd", "xz",   "gzip", "bzip2",
						    "lz4",  "lzma", "lzop", NULL};

static const struct squashfs_compressor {
	const char *name;
	int max_level; /* 0: it has no levels */
} squashfs_compressors[] = {
	{"zstd", 22}, {"xz", 0}, {"gzip", 9}, {"lzo", 9}, {"lz4", 0},
};

static void base_empty(struct recipe_base *b)
{
	free(b->url);
	free(b->source);
	free(b->sum);
	free(b->image);
	free(b->manifest);
	free(b->layer);
	free(b->suite);
	strv_free(b->components);
	free(b->mirror);
	strv_free(b->pockets);
	free(b->origin);
	free(b->keyring);
	free(b->kernel);
	strv_free(b->packages);
	strv_free(b->path_exclude);
	strv_free(b->misspelled);
	free(b->where);
	*b = (struct recipe_base){0};
}

static void parse_type(struct recipe_base *b, const struct conf_node *group,
		       struct diag *d)
{
	const struct base_type *type;
	const char *s = NULL;

	if (conf_get_str(group, "type", &s, d) <= 0)
		return;
	type = base_type_find(s);
	if (!type) {
		_cleanup_free_ char *names = base_type_names();

		conf_complain(conf_member(group, "type"), d,
			      "type: no base type '%s' (known: %s)", s, names);
		return;
	}
	if (b->type && b->type != type)
		base_empty(b);
	b->type = type;
}

static void parse_base(struct recipe *r, const struct conf_node *root, struct diag *d)
{
	const struct conf_node *group = NULL;

	if (conf_get_group(root, "base", &group, d) <= 0)
		return;
	parse_type(&r->base, group, d);
	recipe_set_where(&r->base.where, group);
	if (!r->base.type) {
		if (conf_is_missing(group, "type")) {
			_cleanup_free_ char *names = base_type_names();

			conf_complain(group, d, "base: type: missing (known: %s)", names);
		}
		return;
	}
	(void)!conf_check_keys(group, r->base.type->keys, d);
	recipe_add_misspelled(&r->base.misspelled, group, r->base.type->keys);
	(void)!recipe_get_size(group, "limit", &r->base.limit, d);
	(void)!recipe_get_size(group, "max_size", &r->base.max_size, d);
	r->base.type->parse(&r->base, group, d);
}

/* --- initramfs --------------------------------------------------------------------- */

/* These words become part of initramfs-tools' shell scripts, so only letters, digits and
 * a few signs are allowed. */
static bool is_module(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_-";

	return *s && s[0] != '-' && !s[strspn(s, ok)];
}

static bool is_tool(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789_-/.+";

	return s[0] == '/' && !s[strspn(s, ok)] && !strstr(s, "/../") &&
	       !str_ends(s, "/") && !str_ends(s, "/..");
}

static void check_each(const struct conf_node *group, const char *key, char *const *v,
		       bool (*good)(const char *), const char *what, struct diag *d)
{
	for (size_t i = 0; v && v[i]; i++)
		if (!good(v[i]))
			conf_complain(conf_member(group, key), d,
				      "%s: must be %s, not '%s'%s", key, what, v[i],
				      conf_value_note(v[i]));
}

static void parse_policy(struct recipe_initramfs *i, const struct conf_node *group,
			 struct diag *d)
{
	const char *s = NULL;

	if (conf_get_str(group, "policy", &s, d) <= 0)
		return;
	if (streq(s, "list"))
		i->policy = INITRAMFS_LIST;
	else if (streq(s, "most"))
		i->policy = INITRAMFS_MOST;
	else
		conf_complain(conf_member(group, "policy"), d,
			      "policy: must be \"list\" (only the modules named) or "
			      "\"most\", not '%s'",
			      s);
}

static void parse_initramfs(struct recipe *r, const struct conf_node *root,
			    struct diag *d)
{
	struct recipe_initramfs *i = &r->initramfs;
	const struct conf_node *group = NULL;

	if (conf_get_group(root, "initramfs", &group, d) <= 0)
		return;
	recipe_set_where(&i->where, group);
	(void)!conf_check_keys(group, recipe_initramfs_keys, d);
	parse_policy(i, group, d);
	if (conf_get_strv(group, "modules", &i->modules, d) > 0)
		check_each(group, "modules", i->modules, is_module,
			   "names of kernel modules", d);
	if (conf_get_strv(group, "tools", &i->tools, d) > 0)
		check_each(group, "tools", i->tools, is_tool,
			   "absolute paths of programs", d);
	if (recipe_get_word(group, "compress", &i->compress, d) > 0 &&
	    !strv_has((char *const *)initramfs_compressors, i->compress))
		conf_complain(
			conf_member(group, "compress"), d,
			"compress: must be zstd, xz, gzip, bzip2, lz4, lzma or lzop, "
			"not '%s'",
			i->compress);
}

/* --- squashfs ---------------------------------------------------------------------- */

static const struct squashfs_compressor *find_compressor(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(squashfs_compressors); i++)
		if (streq(squashfs_compressors[i].name, name))
			return &squashfs_compressors[i];
	return NULL;
}

static void parse_block(struct recipe_squashfs *s, const struct conf_node *group,
			struct diag *d)
{
	uint64_t size;

	if (recipe_get_word(group, "block", &s->block, d) <= 0)
		return;
	if (str_to_size(s->block, &size) < 0 || size < 4096 || size > 1024 * 1024 ||
	    (size & (size - 1)))
		conf_complain(conf_member(group, "block"), d,
			      "block: must be a power of two from 4K to 1M, not '%s'",
			      s->block);
}

static void parse_level(struct recipe_squashfs *s, const struct conf_node *group,
			const struct squashfs_compressor *c, struct diag *d)
{
	const struct conf_node *n = conf_member(group, "level");

	if (n && c->max_level == 0)
		conf_complain(n, d, "level: %s has no levels: leave it out", c->name);
	else
		(void)!conf_get_int(group, "level", 1, c->max_level, &s->level, d);
}

static void parse_squashfs(struct recipe *r, const struct conf_node *root, struct diag *d)
{
	struct recipe_squashfs *s = &r->squashfs;
	const struct conf_node *group = NULL;
	const struct squashfs_compressor *c;
	_cleanup_free_ char *before = xstrdup(s->compression);

	if (conf_get_group(root, "squashfs", &group, d) <= 0)
		return;
	(void)!conf_check_keys(group, recipe_squashfs_keys, d);
	(void)!recipe_get_word(group, "compression", &s->compression, d);
	c = find_compressor(s->compression);
	if (!c) {
		conf_complain(conf_member(group, "compression"), d,
			      "compression: must be zstd, xz, gzip, lzo or lz4, not '%s'",
			      s->compression);
		free(s->compression);
		s->compression = TAKE_PTR(before);
		return;
	}
	if (!streq(before, s->compression))
		s->level = 0; /* the level belonged to the other compressor */
	parse_level(s, group, c, d);
	parse_block(s, group, d);
}

void recipe_parse_base(struct recipe *r, const struct conf_node *root, struct diag *d)
{
	parse_base(r, root, d);
	parse_initramfs(r, root, d);
	parse_squashfs(r, root, d);
}

void recipe_base_fetch(struct recipe *r)
{
	const struct recipe_base *b = &r->base;

	if (b->url)
		recipe_add_artifact(r, ARTIFACT_BASE, "base", b->url, b->source, b->sum,
				    b->sum_type, b->where)
			->max_size = b->max_size;
}

void recipe_base_done(struct recipe *r)
{
	base_empty(&r->base);
	strv_free(r->initramfs.modules);
	strv_free(r->initramfs.tools);
	free(r->initramfs.compress);
	free(r->initramfs.where);
	free(r->squashfs.compression);
	free(r->squashfs.block);
}
