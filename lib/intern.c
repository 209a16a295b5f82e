/* SPDX-License-Identifier: Apache-2.0 */
/* Maps texts to numbers with a balanced tree, tsearch(3). */
#include "lib/intern.h"

#include <search.h>

struct node {
	size_t number;
	const char *text;
	char copy[];
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->text, ((const struct node *)b)->text);
}

bool intern_find(const struct intern *in, const char *text, size_t *ret)
{
	struct node key = {.text = text}, *const *at = tfind(&key, &in->root, compare);

	if (at && ret)
		*ret = (*at)->number;
	return at != NULL;
}

size_t intern(struct intern *in, const char *text, bool *ret_new)
{
	size_t len = strlen(text) + 1;
	struct node *e = xmalloc(sizeof(*e) + len), **at;

	e->number = in->n;
	e->text = memcpy(e->copy, text, len);
	at = tsearch(e, &in->root, compare);
	if (!at)
		abort(); /* out of memory, as in lib/str.h */
	if (ret_new)
		*ret_new = *at == e;
	if (*at != e) {
		free(e);
		return (*at)->number;
	}
	in->texts = xgrow(in->texts, in->n + 1, sizeof(*in->texts));
	in->texts[in->n++] = e->copy;
	in->texts[in->n] = NULL;
	return e->number;
}

void intern_done(struct intern *in)
{
	tdestroy(in->root, free);
	free(in->texts);
	*in = (struct intern){0};
}
