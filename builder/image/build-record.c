/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key is computed from the texts that the build writes or prints: manifest and SPDX
 * list without outputs, and the recipe as --dry-run prints it. What only media depend on
 * is added: their configuration, the programs that make them, and GRUB's files.
 */
#include "builder/image/build-record.h"

#include "builder/common/known-files.h"
#include "builder/image/grub.h"
#include "builder/image/spdx.h"
#include "builder/recipe/config-text.h"
#include "builder/recipe/image-type.h"
#include "lib/dir.h"
#include "lib/file.h"

#define RECORD_MAX (1U << 20)

void build_record_done(struct build_record *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].path);
	free(r->v);
	*r = (struct build_record){0};
}

/* --- the key ----------------------------------------------------------------------- */

/* Appends the digest of this program: another version may write another text. */
static int append_self(struct buf *b, const struct known_digests *k, struct err *e)
{
	char sha256[KNOWN_DIGEST_LEN];
	int r = known_files_self(k, sha256);

	if (r < 0)
		return err_errno(e, r, "/proc/self/exe");
	buf_printf(b, "by %s\n", sha256);
	return 0;
}

static void append_tools(struct buf *b, const struct image_type *type)
{
	char hex[DIGEST_HEX_MAX];

	for (size_t i = 0; type->tools && type->tools[i]; i++)
		for (const struct tool *t = type->tools[i]; t->program; t++)
			buf_printf(b, "by %s %s\n", t->program,
				   digest_program(t->program, hex));
}

/* Appends host.cfg or rack.cfg, as a medium gets it. */
static int append_config(struct buf *b, const struct recipe_media *m, struct err *e)
{
	const char *from = m->host ? m->host : m->rack;
	_cleanup_config_text_ struct config_text c = {.rack = !m->host};
	_cleanup_diag_ struct diag d = {0};

	if (from && config_text_load(&c, from, NULL, &d) < 0)
		return diag_err(&d, e);
	buf_add(b, c.text, c.len);
	return 0;
}

static int append_media(struct buf *b, const struct recipe *r, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < r->n_images; i++) {
		if (!r->images[i]->medium)
			continue;
		append_tools(b, r->images[i]);
		any = true;
	}
	if (!any)
		return 0;
	grub_append_state(b);
	return append_config(b, &r->media, e);
}

int build_record_init(struct build_record *ret, const struct manifest *m,
		      const struct known_digests *k, const char *const *parts,
		      struct err *e)
{
	_cleanup_free_ char *recipe = recipe_describe(m->r);
	_cleanup_free_ char *manifest = manifest_render(m), *spdx = spdx_render(m, "");
	_cleanup_buf_ struct buf b = {0};

	buf_printf(&b, "%s%s%sbase %s\n", recipe, manifest, spdx, m->base->tar.sha256);
	for (; *parts; parts++)
		buf_printf(&b, "part %s\n", *parts);
	if (append_self(&b, k, e) < 0 || append_media(&b, m->r, e) < 0)
		return -1;
	*ret = (struct build_record){0};
	digest_text(DIGEST_SHA256, b.p, b.len, ret->key);
	return 0;
}

/* --- the record -------------------------------------------------------------------- */

/* Returns the record's path in the cache, or NULL if the folder has no path. Owned. */
static char *record_path(const char *dir)
{
	_cleanup_free_ char *real = realpath(dir, NULL);
	char hex[DIGEST_HEX_MAX];

	if (!real)
		return NULL;
	return xasprintf("built/%s", digest_text(DIGEST_SHA256, real, strlen(real), hex));
}

/* Parses a line "SHA256 SIZE NAME". */
static bool parse_output(struct output *ret, const char *line)
{
	_cleanup_strv_ char **f = strv_split(line, " ");

	if (strv_len(f) != 3 || !digest_is_hex(f[0], DIGEST_SHA256) ||
	    str_to_u64(f[1], UINT64_MAX, &ret->size) < 0)
		return false;
	strcpy(ret->sha256, f[0]);
	ret->path = xstrdup(f[2]);
	return true;
}

static bool parse_record(struct build_record *r, const char *text)
{
	_cleanup_strv_ char **lines = strv_split(text, "\n");
	_cleanup_free_ char *head = xasprintf("built 1 %s ", r->key);
	const char *number = lines ? str_after(lines[0], head) : NULL;
	uint64_t n_outputs;

	if (!number || str_to_u64(number, SIZE_MAX, &n_outputs) < 0)
		return false;
	r->v = xcalloc(strv_len(lines), sizeof(*r->v));
	for (size_t i = 1; lines[i]; i++, r->n++)
		if (!parse_output(&r->v[r->n], lines[i]))
			return false;
	r->n_outputs = (size_t)n_outputs;
	return r->n_outputs <= r->n;
}

static bool is_unchanged(const struct output *o, int dir, const struct known_digests *k)
{
	_cleanup_close_ int fd = file_open_foreign_at(dir, o->path);
	char sha256[KNOWN_DIGEST_LEN];
	uint64_t size;

	return fd >= 0 && known_digest_file(k, fd, sha256, &size) == 0 &&
	       size == o->size && streq(sha256, o->sha256);
}

bool build_record_holds(struct build_record *r, const struct cache *c, const char *dir,
			const struct known_digests *k)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_free_ char *path = record_path(dir), *text = NULL;
	_cleanup_strv_ char **names = NULL;

	if (fd < 0 || !path ||
	    file_read_foreign_at(c->fd, path, RECORD_MAX, &text, NULL) < 0 ||
	    !parse_record(r, text) || dir_names_at(fd, ".", &names) < 0 ||
	    strv_len(names) != r->n)
		return false;
	for (size_t i = 0; i < r->n; i++)
		if (!is_unchanged(&r->v[i], fd, k))
			return false;
	(void)!utimensat(c->fd, path, NULL, 0); /* used now */
	return true;
}

void build_record_write(const struct build_record *r, const struct cache *c,
			const char *dir)
{
	_cleanup_free_ char *path = record_path(dir);
	_cleanup_buf_ struct buf b = {0};

	if (!path || mkdir_p_at(c->fd, "built", 0755) < 0)
		return;
	buf_printf(&b, "built 1 %s %zu\n", r->key, r->n_outputs);
	for (size_t i = 0; i < r->n; i++)
		buf_printf(&b, "%s %llu %s\n", r->v[i].sha256,
			   (unsigned long long)r->v[i].size, r->v[i].path);
	(void)!file_write_at(c->fd, path, b.p, b.len, 0644);
}
