/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a base from a root filesystem's tar, which is given by URL, or as a layer of an
 * image in a registry by the layer's digest. Packages of an archive may be added. For a
 * release that has no archive any more, the digest of a layer is the best pin: it can be
 * compared with other people's logs.
 */
#include "builder/base/base-archive.h"
#include "builder/base/base-tree.h"
#include "builder/recipe/container-name.h"
#include "builder/recipe/recipe-parse.h"

static const char *const tar_keys[] = {
	"type",   "url",      "public_query", "sha256",     "sha512",   "image",
	"digest", "layer",    "suite",        "components", "mirror",   "pockets",
	"origin", "keyring",  "archived",     "kernel",     "packages", "path_exclude",
	"limit",  "max_size", NULL,
};

static void parse_tar(struct recipe_base *b, const struct conf_node *group,
		      struct diag *d)
{
	bool image = conf_member(group, "image"), url = conf_member(group, "url");

	if (image && url)
		conf_complain(group, d, "base: give url or image, not both");
	base_tree_parse(b, group, d);
	(void)!recipe_get_word(group, "image", &b->image, d);
	(void)!recipe_get_sha256(group, "digest", &b->manifest, d);
	(void)!recipe_get_sha256(group, "layer", &b->layer, d);
	if (!b->image || url)
		return;
	free(b->url);
	free(TAKE_PTR(b->source));
	b->url = container_name_url(b->image, b->manifest);
	(void)!recipe_check_image(group, b->image, "ubuntu:15.04", d);
}

static void check_tar(const struct recipe *r, struct diag *d)
{
	const struct recipe_base *b = &r->base;

	if (!b->url && !b->image && !strv_has(b->misspelled, "url") &&
	    !strv_has(b->misspelled, "image"))
		diag_add(d,
			 "%s: base: url: missing: the URL of the root filesystem's tar",
			 b->where);
	if (b->image && !b->layer && !strv_has(b->misspelled, "layer"))
		diag_add(d,
			 "%s: base: layer: missing: the digest of the image's layer with "
			 "the root filesystem",
			 b->where);
	if (!b->image && (b->layer || b->manifest))
		diag_add(d,
			 "%s: base: without an image, digest and layer have no effect: "
			 "give sha256 or sha512 of the file at url",
			 b->where);
	if (b->image && b->sum)
		diag_add(d,
			 "%s: base: with an image, give digest and layer, not sha256 or "
			 "sha512",
			 b->where);
	base_archive_check(b, b->packages || b->kernel, d);
}

static int write_tar(const struct base_work *w, const char *path, struct err *e)
{
	if (lseek(w->source, 0, SEEK_SET) < 0)
		return err_errno(e, errno, "%s", w->source_path);
	return base_tree_write(w->source, &w->r->base, "tar", path, e);
}

static int check_tar_source(const struct recipe *r, int fd, struct err *e)
{
	return base_tree_check(fd, &r->base, "tar", e);
}

static int make_tar(const struct base_work *w, struct err *e)
{
	return base_tree_make(w, write_tar, e);
}

static int prepare_tar(const struct recipe *r, const char *cache, struct buf *inputs,
		       struct buf *sources, struct err *e)
{
	if (r->base.layer)
		buf_printf(inputs, "layer %s\n", r->base.layer);
	return base_archive_prepare(r, cache, inputs, sources, e);
}

const struct base_type base_tar = {
	.name = "tar",
	.keys = tar_keys,
	.parse = parse_tar,
	.check = check_tar,
	.describe = base_tree_describe,
	.check_source = check_tar_source,
	.prepare = prepare_tar,
	.tools = base_archive_tools,
	.make = make_tar,
};
