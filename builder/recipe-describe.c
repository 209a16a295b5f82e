/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan as text: what `rackstrap build --dry-run` prints, a line a thing. If a recipe
 * includes another, the things that may be from either have file and line behind them.
 */
#include "base.h"
#include "image.h"
#include "recipe.h"

static void put_words(struct buf *b, const char *key, char *const *v)
{
	if (!v || !v[0])
		return;
	buf_printf(b, "%s", key);
	for (size_t i = 0; v[i]; i++)
		buf_printf(b, " %s", v[i]);
	buf_puts(b, "\n");
}

/* Ends the line of a thing that is written at `where`. */
static void put_end(struct buf *b, const struct recipe *r, const char *where)
{
	if (r->includes)
		buf_printf(b, " (%s)", where);
	buf_puts(b, "\n");
}

static void put_head(struct buf *b, const struct recipe *r)
{
	buf_printf(b, "recipe %s\n", r->name);
	if (r->summary)
		buf_printf(b, "summary %s\n", r->summary);
	buf_printf(b, "epoch %llu\n", (unsigned long long)r->epoch);
	if (r->cmdline)
		buf_printf(b, "cmdline %s\n", r->cmdline);
}

static void put_base(struct buf *b, const struct recipe *r)
{
	buf_printf(b, "base %s\n", r->base.type->name);
	r->base.type->describe(&r->base, b);
	buf_printf(b, "initramfs policy %s compress %s\n",
		   r->initramfs.policy == INITRAMFS_MOST ? "most" : "list",
		   r->initramfs.compress);
	put_words(b, "initramfs modules", r->initramfs.modules);
	put_words(b, "initramfs tools", r->initramfs.tools);
	buf_printf(b, "squashfs %s", r->squashfs.compression);
	if (r->squashfs.level)
		buf_printf(b, " level %d", r->squashfs.level);
	buf_printf(b, " block %s\n", r->squashfs.block);
	for (size_t i = 0; r->exclude && r->exclude[i]; i++)
		buf_printf(b, "exclude %s\n", r->exclude[i]);
}

static void put_extract(struct buf *b, const struct recipe_extract *v, size_t n,
			unsigned depth)
{
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "%*s%s", (int)depth * 2, "", v[i].path);
		if (v[i].to)
			buf_printf(b, " to %s %04o", v[i].to, v[i].mode);
		buf_puts(b, "\n");
		put_extract(b, v[i].v, v[i].n, depth + 1);
	}
}

static void put_artifacts(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_artifacts; i++) {
		const struct recipe_artifact *a = &r->artifacts[i];

		if (a->use != ARTIFACT_FILES)
			continue;
		buf_printf(b, "artifact %s%s %s", a->name,
			   a->standin ? " (stand-in)" : "", a->url);
		if (a->digest)
			buf_printf(b, " %s %s", digest_name(a->digest_type), a->digest);
		if (a->to)
			buf_printf(b, " to %s %04o", a->to, a->mode);
		put_end(b, r, a->where);
		put_extract(b, a->v, a->n, 1);
	}
}

static void put_containers(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_containers; i++) {
		const struct recipe_container *c = &r->containers[i];

		buf_printf(b, "container %s%s from %s", c->image,
			   c->standin ? " (stand-in)" : "", c->url ? c->url : c->written);
		if (c->sum)
			buf_printf(b, " %s %s", digest_name(c->sum_type), c->sum);
		put_end(b, r, c->where);
	}
}

static void put_files(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_files; i++) {
		const struct recipe_file *f = &r->files[i];

		switch (f->type) {
		case RECIPE_FILE_SOURCE:
			buf_printf(b, "file %s %04o from %s", f->to, f->mode, f->written);
			break;
		case RECIPE_FILE_CONTENT:
			buf_printf(b, "file %s %04o of %zu bytes", f->to, f->mode,
				   strlen(f->text));
			break;
		case RECIPE_FILE_LINK:
			buf_printf(b, "link %s to %s", f->to, f->text);
			break;
		case RECIPE_FILE_DIR:
			buf_printf(b, "directory %s %04o", f->to, f->mode);
			break;
		}
		put_end(b, r, f->where);
	}
}

static void put_units(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_units; i++) {
		const struct recipe_unit *u = &r->units[i];

		buf_printf(b, "unit %s from %s", u->name, u->written);
		put_end(b, r, u->where);
	}
}

static void put_switches(struct buf *b, const char *key, const struct recipe_switches *s)
{
	for (size_t i = 0; i < s->n; i++)
		buf_printf(b, "%s %s\n", key, s->v[i].unit);
}

static void put_roles(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->roles.n; i++) {
		const struct role *role = &r->roles.v[i];

		buf_printf(b, "role %s%s%s\n", role->name, role->cbr0 ? " cbr0" : "",
			   role->master ? " master" : "");
		put_words(b, "  units", role->units);
		put_words(b, "  ready", role->ready);
	}
}

static void put_media(struct buf *b, const struct recipe_media *m)
{
	buf_printf(b, "media sector_size %u", m->sector_size);
	if (m->slot_size)
		buf_printf(b, " slot_size %llu", (unsigned long long)m->slot_size);
	buf_puts(b, "\n");
	put_words(b, "media formats", m->formats);
	if (m->cmdline)
		buf_printf(b, "media cmdline %s\n", m->cmdline);
	if (m->host || m->rack)
		buf_printf(b, "media %s %s\n", m->host ? "host" : "rack",
			   m->host ? m->host : m->rack);
}

char *recipe_describe(const struct recipe *r)
{
	struct buf b = {0};
	bool media = false;

	put_head(&b, r);
	put_base(&b, r);
	put_artifacts(&b, r);
	put_containers(&b, r);
	put_files(&b, r);
	put_units(&b, r);
	put_switches(&b, "enable", &r->enable);
	put_switches(&b, "disable", &r->disable);
	put_switches(&b, "mask", &r->mask);
	put_roles(&b, r);
	for (size_t i = 0; i < r->n_images; i++) {
		buf_printf(&b, "image %s\n", r->images[i]->name);
		media |= r->images[i]->medium;
	}
	if (media)
		put_media(&b, &r->media);
	return buf_take(&b);
}
