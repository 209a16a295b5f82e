/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The recipe's containers: images that Docker has on every host before the cluster
 * starts. An image that is fetched, from a registry or from a URL, becomes an artifact,
 * so that fetching, lock, cache and mirrors work as for artifacts.
 */
#include "builder/recipe/container-name.h"
#include "builder/recipe/recipe-parse.h"

const char *const recipe_container_keys[] = {"image",  "digest",   "url",  "public_query",
					     "sha256", "sha512",   "file", "standin",
					     "limit",  "max_size", NULL};

static void container_done(void *entry)
{
	struct recipe_container *c = entry;

	free(c->image);
	free(c->url);
	free(c->source);
	free(c->manifest);
	free(c->sum);
	free(c->file);
	free(c->written);
	free(c->where);
}

void recipe_containers_done(struct recipe *r)
{
	for (size_t i = 0; i < r->n_containers; i++)
		container_done(&r->containers[i]);
	free(r->containers);
	r->containers = NULL;
	r->n_containers = 0;
}

int recipe_get_sha256(const struct conf_node *n, const char *key, char **dst,
		      struct diag *d)
{
	int r = recipe_get_word(n, key, dst, d);
	const char *hex = r > 0 ? str_after(*dst, "sha256:") : NULL;

	if (r > 0 && (!hex || !digest_is_hex(hex, DIGEST_SHA256)))
		return conf_complain(conf_member(n, key), d,
				     "%s: must be sha256: and 64 lower-case hex digits, "
				     "not '%s'",
				     key, *dst);
	return r;
}

int recipe_check_image(const struct conf_node *n, const char *image, const char *example,
		       struct diag *d)
{
	_cleanup_free_ char *name = xstrdup(image);
	struct container_name as;

	if (memchr(image, '@', strcspn(image, "/")))
		return conf_complain(conf_member(n, "image"), d,
				     "image: has a user name or password in it, which "
				     "everybody who gets the recipe sees: run skopeo "
				     "login");
	if (container_name_parse(name, &as) < 0)
		return conf_complain(conf_member(n, "image"), d,
				     "image: '%s' is not an image's name and tag, as %s "
				     "is",
				     image, example);
	return 0;
}

static void parse_image(struct recipe_container *c, const struct conf_node *n,
			struct diag *d)
{
	if (recipe_get_word(n, "image", &c->image, d) == 0 && conf_is_missing(n, "image"))
		conf_complain(n, d,
			      "container: image: missing, as in image = "
			      "\"calico/node:v0.4.8\";");
	if (c->image)
		(void)!recipe_check_image(n, c->image, "calico/node:v0.4.8", d);
	(void)!recipe_get_sha256(n, "digest", &c->manifest, d);
}

static void parse_source(struct recipe_container *c, const struct conf_node *n,
			 struct diag *d)
{
	(void)!recipe_get_url(n, &c->url, &c->source, d);
	if (recipe_get_text(n, "file", &c->written, d) > 0) {
		c->file = recipe_beside(n, c->written);
		recipe_check_file(conf_member(n, "file"), "file", c->file, d);
	}
	if (c->url && c->file)
		conf_complain(n, d, "container: give url or file, not both");
	if ((c->url || c->file) && c->manifest)
		conf_complain(
			conf_member(n, "digest"), d,
			"digest: is of a registry's manifest; an archive has sha256 "
			"or sha512");
	recipe_get_digest(n, &c->sum, &c->sum_type, d);
	if (c->sum && !c->url)
		conf_complain(n, d,
			      "container: sha256 and sha512 have no effect without url: "
			      "leave them out");
	if (!c->url && !c->file && c->image)
		c->url = container_name_url(c->image, c->manifest);
}

static void parse_container(void *entry, const struct conf_node *n, struct diag *d)
{
	struct recipe_container *c = entry;

	recipe_set_where(&c->where, n);
	(void)!conf_check_keys(n, recipe_container_keys, d);
	parse_image(c, n, d);
	parse_source(c, n, d);
	c->limit = RECIPE_LIMIT;
	c->max_size = RECIPE_MAX_SIZE;
	(void)!recipe_get_size(n, "limit", &c->limit, d);
	if (conf_member(n, "max_size") && c->file)
		conf_complain(conf_member(n, "max_size"), d,
			      "max_size: has no effect with 'file': leave it out");
	(void)!recipe_get_size(n, "max_size", &c->max_size, d);
	(void)!conf_get_bool(n, "standin", &c->standin, d);
}

void recipe_parse_containers(struct recipe *r, const struct conf_node *root,
			     struct diag *d)
{
	static const struct recipe_list type = {
		.key = "containers",
		.size = sizeof(struct recipe_container),
		.name = offsetof(struct recipe_container, image),
		.where = offsetof(struct recipe_container, where),
		.parse = parse_container,
		.done = container_done,
	};

	r->containers = recipe_lay_list(&type, r->containers, &r->n_containers, root, d);
}

char *recipe_container_name(const struct recipe_container *c)
{
	return xasprintf("container %s", c->image);
}

void recipe_containers_fetch(struct recipe *r)
{
	for (size_t i = 0; i < r->n_containers; i++) {
		const struct recipe_container *c = &r->containers[i];
		_cleanup_free_ char *name = recipe_container_name(c);
		struct recipe_artifact *a;

		if (!c->url || !c->image)
			continue;
		a = recipe_add_artifact(r, ARTIFACT_CONTAINER, name, c->url, c->source,
					c->sum, c->sum_type, c->where);
		a->standin = c->standin;
		a->max_size = c->max_size;
	}
}
