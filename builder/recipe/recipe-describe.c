/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the plan as text, for `rackstrap build --dry-run`: one line for each thing. If a
 * recipe includes another, things that may come from either are followed by file and
 * line. Each line is cleaned as a whole (lib/text.h), so no value can begin another.
 */
#include "builder/recipe/base-type.h"
#include "builder/recipe/image-type.h"
#include "builder/recipe/recipe.h"
#include "firstboot/model/feature.h"
#include "lib/text.h"

static void append_words(struct buf *b, const char *key, char *const *v)
{
	if (!v || !v[0])
		return;
	text_append(b, "%s", key);
	for (size_t i = 0; v[i]; i++)
		text_append(b, " %s", v[i]);
	buf_puts(b, "\n");
}

/* Ends the line of a thing that is written at `where`. */
static void append_end(struct buf *b, const struct recipe *r, const char *where)
{
	if (r->includes)
		text_append(b, " (%s)", where);
	buf_puts(b, "\n");
}

static void append_head(struct buf *b, const struct recipe *r)
{
	text_line(b, "recipe %s", r->name);
	if (r->summary)
		text_line(b, "summary %s", r->summary);
	text_line(b, "epoch %llu", (unsigned long long)r->epoch);
	if (r->cmdline)
		text_line(b, "cmdline %s", r->cmdline);
}

/* Appends the sizes that are not the defaults. */
static void append_limits(struct buf *b, uint64_t limit, uint64_t max_size)
{
	if (limit && limit != RECIPE_LIMIT)
		text_append(b, " limit %llu", (unsigned long long)limit);
	if (max_size != RECIPE_MAX_SIZE)
		text_append(b, " max_size %llu", (unsigned long long)max_size);
}

static void append_base(struct buf *b, const struct recipe *r)
{
	text_append(b, "base %s", r->base.type->name);
	append_limits(b, r->base.limit, r->base.max_size);
	buf_puts(b, "\n");
	r->base.type->describe(&r->base, b);
	text_line(b, "initramfs policy %s compress %s",
		  r->initramfs.policy == INITRAMFS_MOST ? "most" : "list",
		  r->initramfs.compress);
	append_words(b, "initramfs modules", r->initramfs.modules);
	append_words(b, "initramfs tools", r->initramfs.tools);
	text_append(b, "squashfs %s", r->squashfs.compression);
	if (r->squashfs.level)
		text_append(b, " level %d", r->squashfs.level);
	text_line(b, " block %s", r->squashfs.block);
	for (size_t i = 0; r->exclude && r->exclude[i]; i++)
		text_line(b, "exclude %s", r->exclude[i]);
}

static void append_extract(struct buf *b, const struct recipe_extract *v, size_t n,
			   unsigned depth)
{
	for (size_t i = 0; i < n; i++) {
		text_append(b, "%*s%s", (int)depth * 2, "", v[i].path);
		if (v[i].to)
			text_append(b, " to %s %04o", v[i].to, v[i].mode);
		buf_puts(b, "\n");
		append_extract(b, v[i].v, v[i].n, depth + 1);
	}
}

static void append_artifacts(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_artifacts; i++) {
		const struct recipe_artifact *a = &r->artifacts[i];

		if (a->use != ARTIFACT_FILES)
			continue;
		text_append(b, "artifact %s%s %s", a->name,
			    a->standin ? " (stand-in)" : "", a->url);
		if (a->digest)
			text_append(b, " %s %s", digest_name(a->digest_type), a->digest);
		if (a->to)
			text_append(b, " to %s %04o", a->to, a->mode);
		append_limits(b, a->limit, a->max_size);
		append_end(b, r, a->where);
		append_extract(b, a->v, a->n, 1);
	}
}

static void append_containers(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_containers; i++) {
		const struct recipe_container *c = &r->containers[i];

		text_append(b, "container %s%s from %s", c->image,
			    c->standin ? " (stand-in)" : "",
			    c->url ? c->url : c->written);
		if (c->sum)
			text_append(b, " %s %s", digest_name(c->sum_type), c->sum);
		append_limits(b, c->limit, c->max_size);
		append_end(b, r, c->where);
	}
}

static void append_files(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_files; i++) {
		const struct recipe_file *f = &r->files[i];

		switch (f->type) {
		case RECIPE_FILE_SOURCE:
			text_append(b, "file %s %04o from %s", f->to, f->mode,
				    f->written);
			break;
		case RECIPE_FILE_CONTENT:
			text_append(b, "file %s %04o of %zu bytes", f->to, f->mode,
				    strlen(f->text));
			break;
		case RECIPE_FILE_LINK:
			text_append(b, "link %s to %s", f->to, f->text);
			break;
		case RECIPE_FILE_DIR:
			text_append(b, "directory %s %04o", f->to, f->mode);
			break;
		}
		append_end(b, r, f->where);
	}
}

static void append_templates(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_templates; i++) {
		const struct recipe_template *t = &r->templates[i];

		text_append(b, "template %s %04o %s from %s", t->path, t->mode,
			    template_format_name(t->format), t->written);
		append_end(b, r, t->where);
		append_words(b, "  roles", t->roles);
		append_words(b, "  units", t->units);
	}
}

static void append_units(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_units; i++) {
		const struct recipe_unit *u = &r->units[i];

		if (u->text) {
			text_line(b, "unit %s of " RECIPE_OWN, u->name);
			continue;
		}
		text_append(b, "unit %s from %s", u->name, u->written);
		append_end(b, r, u->where);
	}
}

static void append_switches(struct buf *b, const char *key,
			    const struct recipe_switches *s)
{
	for (size_t i = 0; i < s->n; i++)
		text_line(b, "%s %s", key, s->v[i].unit);
}

static void append_roles(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->roles.n; i++) {
		const struct role *role = &r->roles.v[i];
		_cleanup_strv_ char **names = feature_names(role->features);

		text_line(b, "role %s", role->name);
		append_words(b, "  features", names);
		append_words(b, "  units", role->units);
		append_words(b, "  ready", role->ready);
	}
}

static void append_media(struct buf *b, const struct recipe_media *m)
{
	text_append(b, "media sector_size %u", m->sector_size);
	if (m->slot_size)
		text_append(b, " slot_size %llu", (unsigned long long)m->slot_size);
	buf_puts(b, "\n");
	append_words(b, "media formats", m->formats);
	if (m->cmdline)
		text_line(b, "media cmdline %s", m->cmdline);
	if (m->host || m->rack)
		text_line(b, "media %s %s", m->host ? "host" : "rack",
			  m->host ? m->host : m->rack);
}

char *recipe_describe(const struct recipe *r)
{
	struct buf b = {0};
	bool media = false;

	append_head(&b, r);
	append_base(&b, r);
	append_artifacts(&b, r);
	append_containers(&b, r);
	append_files(&b, r);
	append_templates(&b, r);
	append_units(&b, r);
	append_switches(&b, "enable", &r->enable);
	append_switches(&b, "disable", &r->disable);
	append_switches(&b, "mask", &r->mask);
	append_roles(&b, r);
	for (size_t i = 0; i < r->n_images; i++) {
		text_line(&b, "image %s", r->images[i]->name);
		media |= r->images[i]->medium;
	}
	if (media)
		append_media(&b, &r->media);
	return buf_take(&b);
}
