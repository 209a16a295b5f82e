/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digest at the end shows damage, so the reader trusts what the writer has written. A
 * file's data has the length that is in its entry: programs for boot media are among
 * them.
 */
#include "builder/root/index-file.h"

#include "lib/file.h"

#define NAME      "index"
#define INDEX_MAX (256U << 20)

static void append_field(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s) + 1);
}

static void append_head(struct buf *b, const struct base *base)
{
	_cleanup_free_ char *head =
		xasprintf("index 2 " RACKSTRAP_VERSION " %s", base->tar.sha256);

	append_field(b, head);
}

static void append_digest(struct buf *b, const char *p, size_t len)
{
	char sha256[DIGEST_HEX_MAX];

	append_field(b, digest_text(DIGEST_SHA256, p, len, sha256));
}

void index_file_write(const struct index *x, const struct base *base)
{
	_cleanup_buf_ struct buf b = {0}, digest = {0};

	append_head(&b, base);
	for (size_t i = 0; i < x->n; i++) {
		const struct index_entry *entry = &x->v[i];
		_cleanup_free_ char *numbers =
			xasprintf("%d %u %llu %d %d", entry->type, entry->mode,
				  (unsigned long long)entry->size, entry->target != NULL,
				  entry->text != NULL);

		append_field(&b, entry->path);
		append_field(&b, numbers);
		if (entry->target)
			append_field(&b, entry->target);
		if (entry->text)
			buf_add(&b, entry->text, (size_t)entry->size + 1);
	}
	append_digest(&digest, b.p, b.len);
	buf_add(&b, digest.p, digest.len);
	(void)!file_write_at(base->dir, NAME, b.p, b.len, 0644);
}

/* Returns the field at *at and moves behind it, or NULL at the end. */
static const char *next_field(const char **at, const char *end)
{
	const char *field = *at;

	if (field == end)
		return NULL;
	*at = field + strlen(field) + 1;
	return field;
}

/* Returns the data of a file of this size, which may have NUL bytes in it and is followed
 * by one, and moves *at behind that; NULL when there is none. */
static const char *next_data(const char **at, const char *end, uint64_t size)
{
	const char *data = *at;

	if (size >= (uint64_t)(end - data) || data[size])
		return NULL;
	*at = data + size + 1;
	return data;
}

static char *copy_data(const char *data, uint64_t size)
{
	return data ? memcpy(xmalloc((size_t)size + 1), data, (size_t)size + 1) : NULL;
}

static bool parse_entry(struct index_entry *entry, const char *path, const char **at,
			const char *end)
{
	const char *numbers = next_field(at, end), *target = NULL, *text = NULL;
	int type, has_target, has_text;
	unsigned long long size;
	unsigned mode;

	if (!numbers || sscanf(numbers, "%d %u %llu %d %d", &type, &mode, &size,
			       &has_target, &has_text) != 5)
		return false;
	if (has_target && !(target = next_field(at, end)))
		return false;
	if (has_text && !(text = next_data(at, end, size)))
		return false;
	*entry = (struct index_entry){
		.path = xstrdup(path),
		.type = (enum entry_type)type,
		.mode = mode,
		.size = size,
		.target = xstrdup(target),
		.text = copy_data(text, size),
	};
	return true;
}

/* Parses the entries. Other texts than those that are wanted are left out, as
 * index_read() does. */
static bool parse(struct index *x, const char *at, const char *end, index_want *want,
		  void *data)
{
	const char *path;

	while ((path = next_field(&at, end))) {
		struct index_entry *entry;
		bool wanted;

		x->v = xgrow(x->v, x->n, sizeof(*x->v));
		entry = &x->v[x->n];
		if (!parse_entry(entry, path, &at, end))
			return false;
		x->n++;
		wanted = entry->type == ENTRY_FILE && want && want(entry->path, data);
		if (wanted && !entry->text)
			return false;
		if (!wanted)
			free(TAKE_PTR(entry->text));
	}
	index_finish(x);
	return true;
}

bool index_file_read(struct index *ret, const struct base *base, index_want *want,
		     void *data)
{
	_cleanup_index_ struct index x = {0};
	_cleanup_buf_ struct buf head = {0}, digest = {0};
	_cleanup_free_ char *text = NULL;
	size_t len = 0;

	append_head(&head, base);
	if (file_read_foreign_at(base->dir, NAME, INDEX_MAX, &text, &len) < 0 ||
	    len < head.len + DIGEST_SHA256_LEN)
		return false;
	len -= DIGEST_SHA256_LEN;
	append_digest(&digest, text, len);
	if (memcmp(text, head.p, head.len) != 0 ||
	    memcmp(text + len, digest.p, digest.len) != 0 ||
	    !parse(&x, text + head.len, text + len, want, data))
		return false;
	*ret = x;
	x = (struct index){0};
	return true;
}
