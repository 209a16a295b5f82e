/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan as text: what `rackstrap build --dry-run` prints, a line a thing. If a recipe
 * includes another, the things that may be from either have file and line behind them.
 * It is cleaned of control characters as messages are: it goes to terminals too.
 */
#include "builder/recipe/base-type.h"
#include "builder/recipe/image-type.h"
#include "builder/recipe/recipe.h"

static _printf_(2, 0) void vput(struct buf *b, const char *fmt, va_list ap)
{
	_cleanup_diag_ struct diag d = {0}; /* which cleans its lines */
	_cleanup_free_ char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	diag_add(&d, "%s", text);
	buf_puts(b, d.lines[0]);
}

/* Appends text without control characters. */
static _printf_(2, 3) void put(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vput(b, fmt, ap);
	va_end(ap);
}

/* put() and the end of the line. */
static _printf_(2, 3) void put_line(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vput(b, fmt, ap);
	va_end(ap);
	buf_puts(b, "\n");
}

static void put_words(struct buf *b, const char *key, char *const *v)
{
	if (!v || !v[0])
		return;
	put(b, "%s", key);
	for (size_t i = 0; v[i]; i++)
		put(b, " %s", v[i]);
	buf_puts(b, "\n");
}

/* Ends the line of a thing that is written at `where`. */
static void put_end(struct buf *b, const struct recipe *r, const char *where)
{
	if (r->includes)
		put(b, " (%s)", where);
	buf_puts(b, "\n");
}

static void put_head(struct buf *b, const struct recipe *r)
{
	put_line(b, "recipe %s", r->name);
	if (r->summary)
		put_line(b, "summary %s", r->summary);
	put_line(b, "epoch %llu", (unsigned long long)r->epoch);
	if (r->cmdline)
		put_line(b, "cmdline %s", r->cmdline);
}

static void put_described_base(struct buf *b, const struct recipe *r)
{
	_cleanup_free_ char *text = NULL;
	struct buf own = {0};

	r->base.type->describe(&r->base, &own);
	text = buf_take(&own);
	for (const char *line = text; *line; line += *line == '\n') {
		size_t len = strcspn(line, "\n");

		put_line(b, "%.*s", (int)len, line);
		line += len;
	}
}

static void put_base(struct buf *b, const struct recipe *r)
{
	put_line(b, "base %s", r->base.type->name);
	put_described_base(b, r);
	put_line(b, "initramfs policy %s compress %s",
		 r->initramfs.policy == INITRAMFS_MOST ? "most" : "list",
		 r->initramfs.compress);
	put_words(b, "initramfs modules", r->initramfs.modules);
	put_words(b, "initramfs tools", r->initramfs.tools);
	put(b, "squashfs %s", r->squashfs.compression);
	if (r->squashfs.level)
		put(b, " level %d", r->squashfs.level);
	put_line(b, " block %s", r->squashfs.block);
	for (size_t i = 0; r->exclude && r->exclude[i]; i++)
		put_line(b, "exclude %s", r->exclude[i]);
}

static void put_extract(struct buf *b, const struct recipe_extract *v, size_t n,
			unsigned depth)
{
	for (size_t i = 0; i < n; i++) {
		put(b, "%*s%s", (int)depth * 2, "", v[i].path);
		if (v[i].to)
			put(b, " to %s %04o", v[i].to, v[i].mode);
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
		put(b, "artifact %s%s %s", a->name, a->standin ? " (stand-in)" : "",
		    a->url);
		if (a->digest)
			put(b, " %s %s", digest_name(a->digest_type), a->digest);
		if (a->to)
			put(b, " to %s %04o", a->to, a->mode);
		put_end(b, r, a->where);
		put_extract(b, a->v, a->n, 1);
	}
}

static void put_containers(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_containers; i++) {
		const struct recipe_container *c = &r->containers[i];

		put(b, "container %s%s from %s", c->image,
		    c->standin ? " (stand-in)" : "", c->url ? c->url : c->written);
		if (c->sum)
			put(b, " %s %s", digest_name(c->sum_type), c->sum);
		put_end(b, r, c->where);
	}
}

static void put_files(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_files; i++) {
		const struct recipe_file *f = &r->files[i];

		switch (f->type) {
		case RECIPE_FILE_SOURCE:
			put(b, "file %s %04o from %s", f->to, f->mode, f->written);
			break;
		case RECIPE_FILE_CONTENT:
			put(b, "file %s %04o of %zu bytes", f->to, f->mode,
			    strlen(f->text));
			break;
		case RECIPE_FILE_LINK:
			put(b, "link %s to %s", f->to, f->text);
			break;
		case RECIPE_FILE_DIR:
			put(b, "directory %s %04o", f->to, f->mode);
			break;
		}
		put_end(b, r, f->where);
	}
}

static void put_units(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->n_units; i++) {
		const struct recipe_unit *u = &r->units[i];

		put(b, "unit %s from %s", u->name, u->written);
		put_end(b, r, u->where);
	}
}

static void put_switches(struct buf *b, const char *key, const struct recipe_switches *s)
{
	for (size_t i = 0; i < s->n; i++)
		put_line(b, "%s %s", key, s->v[i].unit);
}

static void put_roles(struct buf *b, const struct recipe *r)
{
	for (size_t i = 0; i < r->roles.n; i++) {
		const struct role *role = &r->roles.v[i];

		put_line(b, "role %s%s%s", role->name, role->cbr0 ? " cbr0" : "",
			 role->master ? " master" : "");
		put_words(b, "  units", role->units);
		put_words(b, "  ready", role->ready);
	}
}

static void put_media(struct buf *b, const struct recipe_media *m)
{
	put(b, "media sector_size %u", m->sector_size);
	if (m->slot_size)
		put(b, " slot_size %llu", (unsigned long long)m->slot_size);
	buf_puts(b, "\n");
	put_words(b, "media formats", m->formats);
	if (m->cmdline)
		put_line(b, "media cmdline %s", m->cmdline);
	if (m->host || m->rack)
		put_line(b, "media %s %s", m->host ? "host" : "rack",
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
		put_line(&b, "image %s", r->images[i]->name);
		media |= r->images[i]->medium;
	}
	if (media)
		put_media(&b, &r->media);
	return buf_take(&b);
}
