/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts the bytes of the root image before compression by package and artifact, because
 * a recipe excludes or drops those. Files that the recipe itself has count as "the
 * recipe".
 */
#include "builder/image/summary.h"

#include "builder/common/progress.h"
#include "lib/intern.h"
#include "lib/json.h"
#include "lib/out.h"

#define LARGEST 10

/* Bytes of the root image that come from one package or artifact. */
struct share {
	char *name;
	uint64_t bytes;
};

struct shares {
	struct share *v;
	size_t n;
	struct intern names; /* a share's number, until they are sorted */
};

static void shares_done(struct shares *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->v[i].name);
	free(s->v);
	intern_done(&s->names);
}
#define _cleanup_shares_ _cleanup_(shares_done)

static void add(struct shares *s, const char *name, uint64_t bytes)
{
	bool is_new;
	size_t i = intern(&s->names, name, &is_new);

	if (is_new) {
		s->v = xgrow(s->v, s->n, sizeof(*s->v));
		s->v[s->n++] = (struct share){.name = xstrdup(name)};
	}
	s->v[i].bytes += bytes;
}

static int by_bytes(const void *a, const void *b)
{
	const struct share *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes < y->bytes ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void collect(struct shares *s, const struct summary *sum)
{
	const struct layer *l = sum->manifest->layer;

	for (size_t i = 0; i < sum->base->n; i++) {
		const struct index_entry *x = &sum->base->v[i];

		if (x->type == ENTRY_FILE && (!x->dropped || x->promoted_to))
			add(s, x->owner ? x->owner : "made while installing", x->size);
	}
	for (size_t i = 0; i < l->n; i++) {
		const struct layer_item *item = &l->v[i];

		if (item->type == ENTRY_FILE)
			add(s,
			    item->input && item->input->artifact
				    ? item->input->artifact->name
				    : "the recipe",
			    item->size);
	}
	if (s->n > 0)
		qsort(s->v, s->n, sizeof(*s->v), by_bytes);
}

void summary_print(const struct summary *s)
{
	const struct manifest *m = s->manifest;
	_cleanup_shares_ struct shares shares = {0};
	char size[PROGRESS_SIZE_LEN];
	uint64_t total = 0;

	collect(&shares, s);
	out_line("%s", s->dir);
	for (size_t i = 0; i < m->n_outputs; i++) {
		out_line("  %-32s %12s", m->outputs[i].path,
			 progress_size(m->outputs[i].size, size));
		total += m->outputs[i].size;
	}
	out_line("  %-32s %12s", "together", progress_size(total, size));
	out_line("root.squashfs: %llu entries, %s before compression, most of it from",
		 (unsigned long long)m->stats->entries,
		 progress_size(m->stats->bytes, size));
	for (size_t i = 0; i < shares.n && i < LARGEST; i++)
		out_line("  %-32s %12s", shares.v[i].name,
			 progress_size(shares.v[i].bytes, size));
}

void summary_print_json(const struct summary *s)
{
	const struct manifest *m = s->manifest;
	_cleanup_shares_ struct shares shares = {0};
	_cleanup_free_ char *text = NULL;
	struct json j = {0};

	collect(&shares, s);
	json_open(&j, NULL, '{');
	json_u64(&j, "format", 1);
	json_str(&j, "name", m->r->name);
	json_str(&j, "dir", s->dir);
	json_open(&j, "outputs", '[');
	for (size_t i = 0; i < m->n_outputs; i++) {
		json_open(&j, NULL, '{');
		json_str(&j, "path", m->outputs[i].path);
		json_u64(&j, "size", m->outputs[i].size);
		json_str(&j, "sha256", m->outputs[i].sha256);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_open(&j, "root", '{');
	json_u64(&j, "entries", m->stats->entries);
	json_u64(&j, "bytes", m->stats->bytes);
	json_open(&j, "from", '[');
	for (size_t i = 0; i < shares.n; i++) {
		json_open(&j, NULL, '{');
		json_str(&j, "name", shares.v[i].name);
		json_u64(&j, "bytes", shares.v[i].bytes);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	json_close(&j, '}');
	text = json_take(&j);
	out_text(text);
}
