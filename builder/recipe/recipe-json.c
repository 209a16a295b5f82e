/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the plan as JSON, for `rackstrap build --dry-run --json`: what recipe-describe.c
 * writes for people, with the keys of recipe.cfg(5) where it has them. "where" is file
 * and line in the recipe, or "rackstrap".
 */
#include "builder/recipe/base-type.h"
#include "builder/recipe/image-type.h"
#include "builder/recipe/recipe.h"
#include "firstboot/model/feature.h"
#include "lib/json.h"

static void write_base(struct json *j, const struct recipe *r)
{
	const struct recipe_base *b = &r->base;

	json_open(j, "base", '{');
	json_str(j, "type", b->type->name);
	json_str(j, "suite", b->suite);
	json_strv(j, "components", b->components);
	json_str(j, "mirror", b->mirror);
	json_str(j, "url", b->url);
	json_str(j, "kernel", b->kernel);
	json_strv(j, "packages", b->packages);
	json_close(j, '}');
	json_open(j, "initramfs", '{');
	json_str(j, "policy", r->initramfs.policy == INITRAMFS_MOST ? "most" : "list");
	json_strv(j, "modules", r->initramfs.modules);
	json_strv(j, "tools", r->initramfs.tools);
	json_str(j, "compress", r->initramfs.compress);
	json_close(j, '}');
	json_open(j, "squashfs", '{');
	json_str(j, "compression", r->squashfs.compression);
	json_u64(j, "level", (uint64_t)r->squashfs.level);
	json_str(j, "block", r->squashfs.block);
	json_close(j, '}');
	json_strv(j, "exclude", r->exclude);
}

static void write_artifacts(struct json *j, const struct recipe *r)
{
	json_open(j, "artifacts", '[');
	for (size_t i = 0; i < r->n_artifacts; i++) {
		const struct recipe_artifact *a = &r->artifacts[i];

		if (a->use != ARTIFACT_FILES)
			continue;
		json_open(j, NULL, '{');
		json_str(j, "name", a->name);
		json_str(j, "url", a->url);
		json_str(j, a->digest ? digest_name(a->digest_type) : "sha256",
			 a->digest);
		json_bool(j, "standin", a->standin);
		json_str(j, "to", a->to);
		json_str(j, "where", a->where);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_open(j, "containers", '[');
	for (size_t i = 0; i < r->n_containers; i++) {
		const struct recipe_container *c = &r->containers[i];

		json_open(j, NULL, '{');
		json_str(j, "image", c->image);
		json_str(j, "url", c->url);
		json_str(j, "file", c->written);
		json_bool(j, "standin", c->standin);
		json_str(j, "where", c->where);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static const char *file_type(const struct recipe_file *f)
{
	static const char *const types[] = {
		[RECIPE_FILE_SOURCE] = "file",
		[RECIPE_FILE_CONTENT] = "file",
		[RECIPE_FILE_LINK] = "link",
		[RECIPE_FILE_DIR] = "dir",
	};

	return types[f->type];
}

static void write_files(struct json *j, const struct recipe *r)
{
	json_open(j, "files", '[');
	for (size_t i = 0; i < r->n_files; i++) {
		const struct recipe_file *f = &r->files[i];

		json_open(j, NULL, '{');
		json_str(j, "to", f->to);
		json_str(j, "type", file_type(f));
		json_str(j, "source", f->written);
		json_str(j, "where", f->where);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_open(j, "templates", '[');
	for (size_t i = 0; i < r->n_templates; i++) {
		const struct recipe_template *t = &r->templates[i];

		json_open(j, NULL, '{');
		json_str(j, "path", t->path);
		json_str(j, "format", template_format_name(t->format));
		json_str(j, "file", t->written);
		json_strv(j, "roles", t->roles);
		json_strv(j, "units", t->units);
		json_str(j, "where", t->where);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_open(j, "units", '[');
	for (size_t i = 0; i < r->n_units; i++) {
		json_open(j, NULL, '{');
		json_str(j, "name", r->units[i].name);
		json_str(j, "source", r->units[i].written);
		json_str(j, "where", r->units[i].where);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void write_switches(struct json *j, const char *key,
			   const struct recipe_switches *s)
{
	json_open(j, key, '[');
	for (size_t i = 0; i < s->n; i++)
		json_str(j, NULL, s->v[i].unit);
	json_close(j, ']');
}

static void write_roles(struct json *j, const struct recipe *r)
{
	json_open(j, "roles", '[');
	for (size_t i = 0; i < r->roles.n; i++) {
		const struct role *role = &r->roles.v[i];
		_cleanup_strv_ char **names = feature_names(role->features);

		json_open(j, NULL, '{');
		json_str(j, "name", role->name);
		json_strv(j, "units", role->units);
		json_strv(j, "ready", role->ready);
		json_strv(j, "features", names);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void write_images(struct json *j, const struct recipe *r)
{
	const struct recipe_media *m = &r->media;

	json_open(j, "images", '[');
	for (size_t i = 0; i < r->n_images; i++)
		json_str(j, NULL, r->images[i]->name);
	json_close(j, ']');
	json_open(j, "media", '{');
	json_u64(j, "sector_size", m->sector_size);
	json_u64(j, "slot_size", m->slot_size);
	json_str(j, "cmdline", m->cmdline);
	json_strv(j, "formats", m->formats);
	json_str(j, "host", m->host);
	json_str(j, "rack", m->rack);
	json_close(j, '}');
}

char *recipe_describe_json(const struct recipe *r)
{
	struct json j = {0};

	json_open(&j, NULL, '{');
	json_u64(&j, "format", 1);
	json_str(&j, "name", r->name);
	json_str(&j, "summary", r->summary);
	json_u64(&j, "epoch", r->epoch);
	json_str(&j, "cmdline", r->cmdline);
	write_base(&j, r);
	write_artifacts(&j, r);
	write_files(&j, r);
	write_switches(&j, "enable", &r->enable);
	write_switches(&j, "disable", &r->disable);
	write_switches(&j, "mask", &r->mask);
	write_roles(&j, r);
	write_images(&j, r);
	json_close(&j, '}');
	return json_take(&j);
}
