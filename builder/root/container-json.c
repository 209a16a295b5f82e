/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each format has its own function. The texts come from a registry or a file that others
 * made: an error names the part that does not have the right form, and digests and ids
 * are checked to be hexadecimal digits before they become part of a path.
 */
#include "builder/root/container-json.h"

#include "builder/root/container-digest.h"
#include "lib/str.h"

#include <jansson.h>

#define EPOCH "1970-01-01T00:00:00Z"

static void json_done_p(json_t **j)
{
	json_decref(*j);
}
#define _cleanup_json_t_ _cleanup_(json_done_p)

void container_image_done(struct container_image *x)
{
	for (size_t i = 0; i < x->n; i++) {
		free(x->v[i].member);
		free(x->v[i].json);
	}
	free(x->v);
	free(x->config_member);
	free(x->config);
	*x = (struct container_image){0};
}

static int parse(json_t **ret, const char *text, size_t len, const char *what,
		 struct err *e)
{
	json_error_t error;

	*ret = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (!*ret)
		return err_set(e, ERR_FAILED, "%s: line %d: %s", what, error.line,
			       error.text);
	return 0;
}

static char *dump(const json_t *j)
{
	char *text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);

	if (!text)
		abort();
	return text;
}

static const char *str_of(const json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}

static struct container_layer *add_layer(struct container_image *x)
{
	x->v = xgrow(x->v, x->n, sizeof(*x->v));
	x->v[x->n] = (struct container_layer){0};
	return &x->v[x->n++];
}

/* --- a registry's manifest --------------------------------------------------------- */

/*
 * Appends the text that a manifest's digest is computed of. For a signed manifest of
 * schema 1 that is the signed text: the manifest up to formatLength, followed by
 * formatTail, both from the signature's protected header (docker/libtrust, jsonsign.go).
 */
static int signed_text(struct buf *out, const json_t *manifest, const char *text,
		       size_t len, struct err *e)
{
	const json_t *first = json_array_get(json_object_get(manifest, "signatures"), 0);
	const char *header = str_of(first, "protected");
	_cleanup_buf_ struct buf plain = {0};
	_cleanup_json_t_ json_t *j = NULL;
	const char *tail;
	json_int_t length;

	if (!first) {
		buf_add(out, text, len);
		return 0;
	}
	if (!header || container_base64url(&plain, header) < 0 || !plain.p)
		return err_set(e, ERR_FAILED,
			       "manifest.json: a signature without a protected header");
	if (parse(&j, plain.p, plain.len, "manifest.json: its signature", e) < 0)
		return -1;
	length = json_integer_value(json_object_get(j, "formatLength"));
	tail = str_of(j, "formatTail");
	if (length <= 0 || (size_t)length > len || !tail)
		return err_set(e, ERR_FAILED,
			       "manifest.json: a signature with a wrong formatLength or "
			       "formatTail");
	buf_add(out, text, (size_t)length);
	if (container_base64url(out, tail) < 0)
		return err_set(e, ERR_FAILED,
			       "manifest.json: a signature with a wrong formatLength or "
			       "formatTail");
	return 0;
}

static int check_digest(const json_t *manifest, const char *text, size_t len,
			const char *want, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	char hex[DIGEST_HEX_MAX];

	if (signed_text(&b, manifest, text, len, e) < 0)
		return -1;
	digest_text(DIGEST_SHA256, b.p, b.len, hex);
	if (!streq(hex, want + strlen("sha256:")))
		return err_set(e, ERR_FAILED, "manifest.json is sha256:%s, expected %s",
			       hex, want);
	return 0;
}

/* fsLayers and history begin with the topmost layer. */
static int parse_schema1(struct container_image *x, const json_t *m, struct err *e)
{
	const json_t *layers = json_object_get(m, "fsLayers");
	const json_t *history = json_object_get(m, "history");
	char parent[DIGEST_SHA256_LEN] = "";

	if (json_array_size(layers) == 0 ||
	    json_array_size(layers) != json_array_size(history))
		return err_set(e, ERR_FAILED,
			       "manifest.json: fsLayers is empty, or history has another "
			       "length");
	for (size_t i = json_array_size(layers); i-- > 0;) {
		const char *v1 = str_of(json_array_get(history, i), "v1Compatibility");
		const char *sum = str_of(json_array_get(layers, i), "blobSum");
		struct container_layer *l = add_layer(x);
		_cleanup_json_t_ json_t *j = NULL;
		const char *above;

		if (!v1 || parse(&j, v1, strlen(v1), "v1Compatibility", e) < 0)
			return v1 ? -1
				  : err_set(e, ERR_FAILED,
					    "manifest.json: a layer without history");
		if (container_parse_hex(l->blob, sum, "sha256:", "blobSum", e) < 0 ||
		    container_parse_hex(l->id, str_of(j, "id"), "", "id", e) < 0)
			return -1;
		above = str_of(j, "parent");
		if (!streq(above ? above : "", parent))
			return err_set(e, ERR_FAILED, "layer %s: its parent is not %s",
				       l->id, parent[0] ? parent : "none");
		memcpy(parent, l->id, sizeof(parent));
		l->member = xstrdup(l->blob);
		l->json = xstrdup(v1);
	}
	return 0;
}

static int parse_schema2(struct container_image *x, const json_t *m, struct err *e)
{
	const json_t *layers = json_object_get(m, "layers");
	const char *config = str_of(json_object_get(m, "config"), "digest");

	if (container_parse_hex(x->config_digest, config, "sha256:", "config", e) < 0)
		return -1;
	x->config_member = xstrdup(x->config_digest);
	for (size_t i = 0; i < json_array_size(layers); i++) {
		const char *sum = str_of(json_array_get(layers, i), "digest");
		struct container_layer *l = add_layer(x);

		if (container_parse_hex(l->blob, sum, "sha256:", "layer", e) < 0)
			return -1;
		l->member = xstrdup(l->blob);
	}
	return 0;
}

/* --- OCI layout -------------------------------------------------------------------- */

/* Checks the name that containerd and Docker write ("docker.io/library/x:1"), or the one
 * of skopeo and others, which is a tag or a name. */
static bool has_name(const json_t *descriptor, const struct container_name *as)
{
	_cleanup_free_ char *want = xasprintf("%s:%s", as->repository, as->tag);
	const json_t *notes = json_object_get(descriptor, "annotations");
	const char *name = str_of(notes, "io.containerd.image.name");
	const char *ref = str_of(notes, "org.opencontainers.image.ref.name");

	if (name && str_after(name, "docker.io/"))
		name = str_after(name, "docker.io/");
	if (name && str_after(name, "library/"))
		name = str_after(name, "library/");
	return name ? streq(name, want)
		    : ref && (streq(ref, want) || streq(ref, as->tag));
}

/* An image without a platform may be for any: its configuration is checked later. */
static bool has_platform(const json_t *descriptor)
{
	const json_t *platform = json_object_get(descriptor, "platform");
	const char *os = str_of(platform, "os"), *arch = str_of(platform, "architecture");

	return (!os || streq(os, "linux")) && (!arch || streq(arch, "amd64"));
}

/* Returns the descriptor of the image, or NULL. Sets *ret_n to the number of those that
 * may be for linux/amd64. */
static const json_t *find_descriptor(const json_t *manifests,
				     const struct container_name *as, size_t *ret_n)
{
	const json_t *named = NULL, *any = NULL;

	*ret_n = 0;
	for (size_t i = 0; i < json_array_size(manifests); i++) {
		const json_t *one = json_array_get(manifests, i);

		if (!has_platform(one))
			continue;
		++*ret_n;
		any = any ? any : one;
		if (as && !named && has_name(one, as))
			named = one;
	}
	return named ? named : !as || *ret_n == 1 ? any : NULL;
}

int container_index_find(const char *text, const struct container_name *as,
			 char digest[static DIGEST_SHA256_LEN], bool *is_index,
			 struct err *e)
{
	_cleanup_json_t_ json_t *j = NULL;
	const json_t *found;
	const char *type;
	size_t n;

	if (parse(&j, text, strlen(text), "index.json", e) < 0)
		return -1;
	found = find_descriptor(json_object_get(j, "manifests"), as, &n);
	if (!found && n > 0)
		return err_set(e, ERR_FAILED, "has no image %s:%s", as->repository,
			       as->tag);
	if (!found)
		return err_set(e, ERR_FAILED, "has no image for linux/amd64");
	type = str_of(found, "mediaType");
	*is_index = type && (streq(type, "application/vnd.oci.image.index.v1+json") ||
			     streq(type, "application/vnd.docker.distribution."
					 "manifest.list.v2+json"));
	return container_parse_hex(digest, str_of(found, "digest"),
				   "sha256:", "index.json", e);
}

/* --- docker save ------------------------------------------------------------------- */

static bool has_tag(const json_t *entry, const struct container_name *as)
{
	_cleanup_free_ char *want = xasprintf("%s:%s", as->repository, as->tag);
	const json_t *tags = json_object_get(entry, "RepoTags");

	for (size_t i = 0; i < json_array_size(tags); i++) {
		const char *tag = json_string_value(json_array_get(tags, i));
		const char *short_tag = tag ? str_after(tag, "docker.io/") : NULL;

		if (tag && streq(short_tag ? short_tag : tag, want))
			return true;
	}
	return false;
}

/* Returns the image with that tag, or the only image whatever its tag; else NULL. */
static const json_t *find_image(const json_t *m, const struct container_name *as)
{
	for (size_t i = 0; i < json_array_size(m); i++)
		if (has_tag(json_array_get(m, i), as))
			return json_array_get(m, i);
	return json_array_size(m) == 1 ? json_array_get(m, 0) : NULL;
}

static int parse_saved(struct container_image *x, const json_t *m,
		       const struct container_name *as, struct err *e)
{
	const json_t *image = find_image(m, as), *layers;
	const char *config = image ? str_of(image, "Config") : NULL;

	if (!image)
		return err_set(e, ERR_FAILED, "has no image %s:%s", as->repository,
			       as->tag);
	layers = json_object_get(image, "Layers");
	if (!config || strlen(config) > CONTAINER_MEMBER)
		return err_set(e, ERR_FAILED,
			       "manifest.json: Config is missing or too long");
	x->config_member = xstrdup(config);
	container_digest_from_name(x->config_digest, config);
	for (size_t i = 0; i < json_array_size(layers); i++) {
		const char *member = json_string_value(json_array_get(layers, i));
		struct container_layer *l;

		if (!member || strlen(member) > CONTAINER_MEMBER)
			return err_set(
				e, ERR_FAILED,
				"manifest.json: a name in Layers is missing or too long");
		l = add_layer(x);
		l->member = xstrdup(member);
		if (str_after(member, "blobs/sha256/"))
			container_digest_from_name(l->blob, member);
	}
	return 0;
}

int container_refuse_saved(const char *digest, struct err *e)
{
	return err_set(e, ERR_FAILED,
		       "is an archive of docker save, which has no manifest of the "
		       "digest %s: fetch it from a registry, or give the recipe url and "
		       "sha256 of the archive in place of digest",
		       digest);
}

int container_image_parse_manifest(struct container_image *ret, const char *text,
				   size_t len, const struct container_name *as,
				   const char *digest, struct err *e)
{
	_cleanup_json_t_ json_t *m = NULL;
	int r;

	if (parse(&m, text, len, "manifest.json", e) < 0)
		return -1;
	if (json_is_array(m) && digest)
		return container_refuse_saved(digest, e);
	if (json_is_array(m))
		return parse_saved(ret, m, as, e);
	if (digest && check_digest(m, text, len, digest, e) < 0)
		return -1;
	r = json_object_get(m, "fsLayers") ? parse_schema1(ret, m, e)
					   : parse_schema2(ret, m, e);
	if (r == 0 && ret->n == 0)
		r = err_set(e, ERR_FAILED, "manifest.json: no layers");
	return r;
}

int container_repositories_id(const char *text, const struct container_name *as,
			      char id[static DIGEST_SHA256_LEN], struct err *e)
{
	_cleanup_json_t_ json_t *j = NULL;
	const char *s;

	if (parse(&j, text, strlen(text), "repositories", e) < 0)
		return -1;
	s = str_of(json_object_get(j, as->repository), as->tag);
	if (!s)
		return err_set(e, ERR_FAILED, "has no image %s:%s", as->repository,
			       as->tag);
	return container_parse_hex(id, s, "", "repositories", e);
}

/* Layers are added from the topmost down: each is inserted at the front. */
int container_image_add_v1(struct container_image *x, const char *id, const char *json,
			   char parent[static DIGEST_SHA256_LEN], struct err *e)
{
	_cleanup_json_t_ json_t *j = NULL;
	struct container_layer *l;
	const char *s;

	for (size_t i = 0; i < x->n; i++)
		if (streq(x->v[i].id, id))
			return err_set(e, ERR_FAILED, "layer %s is its own ancestor", id);
	if (parse(&j, json, strlen(json), "json", e) < 0)
		return -1;
	s = str_of(j, "id");
	if (!s || !streq(s, id))
		return err_set(e, ERR_FAILED, "%s/json is of layer '%s'", id, s ? s : "");
	s = str_of(j, "parent");
	parent[0] = '\0';
	if (s && *s && container_parse_hex(parent, s, "", "parent", e) < 0)
		return -1;
	add_layer(x);
	memmove(x->v + 1, x->v, (x->n - 1) * sizeof(*x->v));
	l = &x->v[0];
	*l = (struct container_layer){.json = xstrdup(json),
				      .member = xasprintf("%s/layer.tar", id)};
	memcpy(l->id, id, DIGEST_SHA256_LEN);
	return 0;
}

/* --- configuration ----------------------------------------------------------------- */

int container_image_parse_config(struct container_image *x, struct err *e)
{
	_cleanup_json_t_ json_t *j = NULL;
	const json_t *diffs;

	if (parse(&j, x->config, strlen(x->config), "configuration", e) < 0)
		return -1;
	diffs = json_object_get(json_object_get(j, "rootfs"), "diff_ids");
	if (json_array_size(diffs) != x->n)
		return err_set(e, ERR_FAILED,
			       "configuration: %zu layers, but %zu in manifest.json",
			       json_array_size(diffs), x->n);
	for (size_t i = 0; i < x->n; i++) {
		const char *s = json_string_value(json_array_get(diffs, i));

		if (container_parse_hex(x->v[i].diff, s, "sha256:", "diff_ids", e) < 0)
			return -1;
	}
	return 0;
}

/* Returns a layer's entry for the configuration's history. created_by is the layer's
 * command, such as "/bin/sh -c #(nop) ...". */
static json_t *history_of(const struct container_layer *l)
{
	_cleanup_json_t_ json_t *j = json_loads(l->json, 0, NULL);
	const json_t *cmd =
		json_object_get(json_object_get(j, "container_config"), "Cmd");
	const char *created = str_of(j, "created");
	_cleanup_buf_ struct buf b = {0};

	for (size_t i = 0; i < json_array_size(cmd); i++) {
		const char *word = json_string_value(json_array_get(cmd, i));

		buf_printf(&b, "%s%s", i > 0 ? " " : "", word ? word : "");
	}
	return json_pack("{s:s, s:s}", "created", created ? created : EPOCH, "created_by",
			 b.p ? b.p : "");
}

/* Makes the configuration from the topmost json, as Docker 1.10 did for version 1 images
 * (image/v1/imagev1.go). */
static int make_config(struct container_image *x, struct err *e)
{
	static const char *const dropped[] = {"id",        "parent",   "Size",
					      "parent_id", "layer_id", "throwaway"};
	_cleanup_json_t_ json_t *j = NULL;
	json_t *diffs = json_array(), *history = json_array();

	if (parse(&j, x->v[x->n - 1].json, strlen(x->v[x->n - 1].json), "json", e) < 0) {
		json_decref(diffs);
		json_decref(history);
		return -1;
	}
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		json_object_del(j, dropped[i]);
	for (size_t i = 0; i < x->n; i++) {
		json_array_append_new(diffs, json_sprintf("sha256:%s", x->v[i].diff));
		json_array_append_new(history, history_of(&x->v[i]));
	}
	if (!json_object_get(j, "os"))
		json_object_set_new(j, "os", json_string("linux"));
	if (!json_object_get(j, "architecture"))
		json_object_set_new(j, "architecture", json_string("amd64"));
	json_object_set_new(j, "history", history);
	json_object_set_new(j, "rootfs",
			    json_pack("{s:s, s:o}", "type", "layers", "diff_ids", diffs));
	x->config = dump(j);
	return 0;
}

/* --- version 1 --------------------------------------------------------------------- */

static void make_json(struct container_layer *l, const char *parent, const json_t *config)
{
	static const char *const kept[] = {
		"created", "author",         "architecture",     "os",
		"config",  "docker_version", "container_config", "container"};
	_cleanup_json_t_ json_t *j =
		json_pack("{s:s, s:s}", "id", l->id, "created", EPOCH);

	if (*parent)
		json_object_set_new(j, "parent", json_string(parent));
	for (size_t i = 0; config && i < ARRAY_SIZE(kept); i++)
		if (json_object_get(config, kept[i]))
			json_object_set(j, kept[i], json_object_get(config, kept[i]));
	l->json = dump(j);
}

/* Refuses an image for another platform. Old images do not name one: linux/amd64 was the
 * only one then. */
static int check_platform(const json_t *config, struct err *e)
{
	const char *os = str_of(config, "os"), *arch = str_of(config, "architecture");

	os = os && *os ? os : "linux";
	arch = arch && *arch ? arch : "amd64";
	if (streq(os, "linux") && streq(arch, "amd64"))
		return 0;
	return err_set(e, ERR_FAILED, "is an image for %s/%s; hosts are linux/amd64", os,
		       arch);
}

int container_image_complete(struct container_image *x, struct err *e)
{
	_cleanup_json_t_ json_t *config = NULL;
	const char *parent = "";

	if (!x->config && make_config(x, e) < 0)
		return -1;
	if (parse(&config, x->config, strlen(x->config), "configuration", e) < 0 ||
	    check_platform(config, e) < 0)
		return -1;
	for (size_t i = 0; i < x->n; i++) {
		bool top = i + 1 == x->n;

		if (!x->v[i].id[0])
			container_layer_id(&x->v[i], parent, top ? x->config : NULL);
		if (!x->v[i].json)
			make_json(&x->v[i], parent, top ? config : NULL);
		parent = x->v[i].id;
	}
	return 0;
}

char *container_manifest(const struct container_image *x, const struct container_name *as,
			 const char *config_sha256)
{
	json_t *layers = json_array();
	_cleanup_json_t_ json_t *j = NULL;

	for (size_t i = 0; i < x->n; i++)
		json_array_append_new(layers, json_sprintf("%s/layer.tar", x->v[i].id));
	j = json_pack("[{s:o, s:[o], s:o}]", "Config",
		      json_sprintf("%s.json", config_sha256), "RepoTags",
		      json_sprintf("%s:%s", as->repository, as->tag), "Layers", layers);
	return dump(j);
}

char *container_repositories(const struct container_image *x,
			     const struct container_name *as)
{
	_cleanup_json_t_ json_t *j =
		json_pack("{s:{s:s}}", as->repository, as->tag, x->v[x->n - 1].id);

	return dump(j);
}
