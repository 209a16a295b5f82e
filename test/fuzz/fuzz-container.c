/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as the JSON of container images; lines "%" separate several texts.
 * They are read twice: first as manifest.json and the configuration that it names, then
 * as `repositories` and the layers' json, from the topmost layer down. An accepted plan
 * becomes JSON with an id for each layer.
 */
#include "builder/root/container-json.h"
#include "test/fuzz/fuzz-file.h"

#include <jansson.h>

#define MANIFEST_DIGEST "sha256:" ZEROS
#define ZEROS           "0000000000000000000000000000000000000000000000000000000000000000"

static const struct container_name as = {"calico/node", "v0.4.8"};

static void demand_json(const char *text, size_t n)
{
	json_t *j = json_loads(text, 0, NULL);

	demand(j && json_array_size(json_object_get(json_array_get(j, 0), "Layers")) == n,
	       text);
	json_decref(j);
}

/* Completes the plan with zeros for missing layer digests and checks the result, as
 * container.c does when it has read every layer. */
static void finish(struct container_image *p)
{
	_cleanup_free_ char *manifest = NULL, *repositories = NULL;
	struct err e = {0};

	if (p->n == 0)
		return;
	for (size_t i = 0; i < p->n; i++) {
		demand(p->v[i].member != NULL, "a layer without a member");
		if (!p->v[i].diff[0])
			memcpy(p->v[i].diff, ZEROS, sizeof(p->v[i].diff));
	}
	if (container_image_complete(p, &e) < 0) {
		demand(e.msg[0], "a plan was refused without an error");
		return;
	}
	demand(p->config != NULL, "a plan without a configuration");
	for (size_t i = 0; i < p->n; i++)
		demand(digest_is_hex(p->v[i].id, DIGEST_SHA256) && p->v[i].json,
		       "a layer without an id");
	manifest = container_manifest(p, &as, ZEROS);
	repositories = container_repositories(p, &as);
	demand_json(manifest, p->n);
	demand(strstr(repositories, p->v[p->n - 1].id) != NULL, repositories);
}

static void try_manifest(char *const *texts, const char *digest)
{
	_cleanup_container_image_ struct container_image p = {0};
	struct err e = {0};
	int r = container_image_parse_manifest(&p, texts[0], strlen(texts[0]), &as,
					       digest, &e);

	if (r == 0 && p.config_member) {
		if (!texts[1])
			return;
		p.config = xstrdup(texts[1]);
		r = container_image_parse_config(&p, &e);
	}
	if (r == 0)
		finish(&p);
	else
		demand(e.msg[0], "a manifest was refused without an error");
}

static void try_legacy(char *const *texts)
{
	_cleanup_container_image_ struct container_image p = {0};
	char id[DIGEST_SHA256_LEN], parent[DIGEST_SHA256_LEN] = "";
	struct err e = {0};

	if (container_repositories_id(texts[0], &as, id, &e) < 0) {
		demand(e.msg[0], "repositories were refused without an error");
		return;
	}
	for (texts++; *texts && id[0]; texts++) {
		if (container_image_add_v1(&p, id, *texts, parent, &e) < 0)
			return;
		memcpy(id, parent, sizeof(id));
	}
	if (!id[0])
		finish(&p);
}

/* Returns the texts between lines "%". Owned by the caller. */
static char **split(const char *s)
{
	struct strv_builder b = {0};

	for (;;) {
		const char *end = strstr(s, "\n%\n");

		strv_builder_addf(&b, "%.*s", end ? (int)(end - s) : (int)strlen(s), s);
		if (!end)
			return strv_builder_take(&b);
		s = end + 3;
	}
}

static void try_index(const char *text, const struct container_name *name)
{
	char hex[DIGEST_SHA256_LEN] = "";
	struct err e = {0};
	bool is_index;

	if (container_index_find(text, name, hex, &is_index, &e) < 0)
		demand(e.msg[0], "an index was refused without an error");
	else
		demand(digest_is_hex(hex, DIGEST_SHA256), "a digest that is none");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text =
		size ? xstrndup((const char *)data, size) : xstrdup("");
	_cleanup_strv_ char **texts = split(text);

	try_manifest(texts, NULL);
	try_manifest(texts, MANIFEST_DIGEST);
	try_legacy(texts);
	try_index(texts[0], &as);
	try_index(texts[0], NULL);
	return 0;
}
