/* SPDX-License-Identifier: Apache-2.0 */
/* Maps texts to numbers with a balanced tree, tsearch(3). */
#include "pxe/intern.h"

#include <search.h>

struct node {
	size_t number;
	char text[];
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->text, ((const struct node *)b)->text);
}

size_t intern(struct intern *in, const char *text, bool *ret_new)
{
	size_t len = strlen(text) + 1;
	struct node *e = xmalloc(sizeof(*e) + len), **at;

	e->number = in->n;
	memcpy(e->text, text, len);
	at = tsearch(e, &in->root, compare);
	if (!at)
		abort(); /* out of memory, as in lib/str.h */
	if (ret_new)
		*ret_new = *at == e;
	if (*at != e) {
		free(e);
		return (*at)->number;
	}
	if ((in->n & (in->n - 1)) == 0)
		in->texts =
			xrealloc(in->texts, (in->n ? in->n * 2 : 1) * sizeof(*in->texts));
	in->texts[in->n] = e->text;
	return in->n++;
}

void intern_done(struct intern *in)
{
	tdestroy(in->root, free);
	free(in->texts);
	*in = (struct intern){0};
}
