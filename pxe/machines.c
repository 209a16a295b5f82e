/* SPDX-License-Identifier: Apache-2.0 */
/* A balanced tree finds a machine by its address, whatever addresses others claim; a list
 * has the order in which they were noted. */
#include "pxe/machines.h"

#include "lib/str.h"

#include <search.h>

static const char *const names[] = {
	[MACHINE_SERIAL] = "serial",
	[MACHINE_UUID] = "uuid",
	[MACHINE_MANUFACTURER] = "manufacturer",
	[MACHINE_PRODUCT] = "product",
	[MACHINE_ASSET] = "asset",
	[MACHINE_SWITCH] = "switch",
	[MACHINE_PORT] = "port",
};

const char *machine_text_name(enum machine_text id)
{
	return names[id];
}

static int compare(const void *a, const void *b)
{
	const struct machine *m = a, *o = b;

	return memcmp(m->mac.b, o->mac.b, sizeof(m->mac.b));
}

static void list_remove(struct machines *t, struct machine *m)
{
	*(m->older ? &m->older->newer : &t->oldest) = m->newer;
	*(m->newer ? &m->newer->older : &t->newest) = m->older;
	m->older = m->newer = NULL;
}

static void list_append(struct machines *t, struct machine *m)
{
	m->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = m;
	t->newest = m;
}

static void forget(struct machines *t, struct machine *m)
{
	tdelete(m, &t->root, compare);
	list_remove(t, m);
	free(m);
	t->n--;
}

struct machine *machines_note(struct machines *t, struct mac mac)
{
	struct machine key = {.mac = mac}, **at, *m;

	at = tfind(&key, &t->root, compare);
	if (at) {
		m = *at;
		list_remove(t, m);
		list_append(t, m);
		return m;
	}
	if (t->n == MACHINES_MAX) {
		forget(t, t->oldest);
		t->forgotten++;
	}
	m = xcalloc(1, sizeof(*m));
	m->mac = mac;
	if (!tsearch(m, &t->root, compare))
		abort(); /* out of memory, as in lib/str.h */
	list_append(t, m);
	t->n++;
	return m;
}

void machine_asked(struct machine *m, uint64_t when_ms)
{
	m->seen++;
	if (!when_ms)
		return;
	if (!m->first_ms || when_ms < m->first_ms)
		m->first_ms = when_ms;
	if (when_ms > m->last_ms)
		m->last_ms = when_ms;
}

void machines_done(struct machines *t)
{
	while (t->oldest)
		forget(t, t->oldest);
	*t = (struct machines){0};
}
