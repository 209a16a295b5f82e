/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes are small and many, and are freed together: they are cut from large blocks.
 */
#include "firstboot/model/conf-tree.h"

#define BLOCK (64 * 1024)

struct conf_block {
	struct conf_block *next;
	size_t used, size;
	max_align_t data[];
};

void *conf_alloc(struct conf *c, size_t size)
{
	struct conf_block *b = c->blocks;
	void *p;

	size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!b || b->size - b->used < size) {
		const size_t room = size > BLOCK ? size : BLOCK;

		b = xcalloc(1, sizeof(*b) + room);
		b->size = room;
		b->next = c->blocks;
		c->blocks = b;
	}
	p = (char *)b->data + b->used;
	b->used += size;
	return p;
}

const char *conf_copy(struct conf *c, const char *s)
{
	const size_t size = strlen(s) + 1;

	return memcpy(conf_alloc(c, size), s, size);
}

void conf_free_blocks(struct conf *c)
{
	while (c->blocks) {
		struct conf_block *next = c->blocks->next;

		free(c->blocks);
		c->blocks = next;
	}
}

/* --- making nodes ----------------------------------------------------------------- */

struct conf *conf_new(const char *name)
{
	struct conf *c = xcalloc(1, sizeof(*c));

	c->name = xstrdup(name);
	return c;
}

struct conf_node *conf_make(struct conf *c, enum conf_type type, const char *key,
			    const struct conf_node *at)
{
	struct conf_node *n = conf_alloc(c, sizeof(*n));

	n->type = type;
	n->key = key;
	if (at) {
		n->file = at->file;
		n->line = at->line;
		n->column = at->column;
		n->array = type == CONF_LIST && at->array;
	}
	if (!c->root)
		c->root = n;
	return n;
}

struct conf_node *conf_make_list(struct conf *c, const char *key,
				 const struct conf_node *at)
{
	struct conf_node *n = conf_make(c, CONF_LIST, key, at);

	n->array = true;
	return n;
}

const struct conf_node *conf_make_str(struct conf *c, const char *key, const char *s,
				      const struct conf_node *at)
{
	struct conf_node *n = conf_make(c, CONF_STRING, key, at);

	n->s = conf_copy(c, s);
	return n;
}

const struct conf_node *conf_make_int(struct conf *c, const char *key, int i,
				      const struct conf_node *at)
{
	struct conf_node *n = conf_make(c, CONF_INT, key, at);

	n->i = i;
	return n;
}

const struct conf_node *conf_make_bool(struct conf *c, const char *key, bool b,
				       const struct conf_node *at)
{
	struct conf_node *n = conf_make(c, CONF_BOOL, key, at);

	n->b = b;
	return n;
}

void conf_set_place(struct conf_node *n, const struct diag_place *at)
{
	n->file = at->file;
	n->line = at->line;
	n->column = at->column;
}

void conf_add(struct conf *c, struct conf_node *to, const struct conf_node *n)
{
	if (to->nodes.n == to->nodes.room) {
		const size_t room = to->nodes.room ? 2 * to->nodes.room : 8;
		const struct conf_node **v = conf_alloc(c, room * sizeof(*v));

		if (to->nodes.n > 0)
			memcpy(v, to->nodes.v, to->nodes.n * sizeof(*v));
		to->nodes.v = v;
		to->nodes.room = room;
	}
	to->nodes.v[to->nodes.n++] = n;
}

void conf_replace(struct conf *c, struct conf_node *to, const struct conf_node *n)
{
	for (size_t i = 0; i < to->nodes.n; i++)
		if (streq(to->nodes.v[i]->key, n->key)) {
			to->nodes.v[i] = n;
			return;
		}
	conf_add(c, to, n);
}

void conf_merge(struct conf *c, struct conf_node *to, const struct conf_node *n)
{
	const struct conf_node *was = conf_member(to, n->key);
	struct conf_node *both;

	if (!was || was->type != CONF_GROUP || n->type != CONF_GROUP) {
		conf_replace(c, to, n);
		return;
	}
	both = conf_make(c, CONF_GROUP, n->key, n);
	for (size_t i = 0; i < was->nodes.n; i++)
		conf_add(c, both, was->nodes.v[i]);
	for (size_t i = 0; i < n->nodes.n; i++)
		conf_merge(c, both, n->nodes.v[i]);
	conf_replace(c, to, both);
}

void conf_share(const struct conf_node *n)
{
	struct conf_node *at = (struct conf_node *)(uintptr_t)n;

	at->shared = true;
	if (n->type == CONF_GROUP || n->type == CONF_LIST)
		for (size_t i = 0; i < n->nodes.n; i++)
			conf_share(n->nodes.v[i]);
}
