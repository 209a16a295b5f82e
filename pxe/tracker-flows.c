/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The access log has a request only when it has ended, which for a root image takes long.
 * The kernel knows what has arrived of it meanwhile. A loader may have one connection for
 * all files or one for each, so that the growth of each connection counts, and not its
 * number of bytes.
 *
 * Limit: a connection that is opened and closed between two looks is not seen; the access
 * log then has its bytes. Headers of answers are counted, too.
 */
#include "pxe/tracker-parts.h"

#include "lib/clock.h"

#define PAUSE_MS  400 /* between two looks */
#define SHARE     20  /* at most one part in so many of the time is spent on them */
#define FIRST_MIN (256 * 1024)

static int by_id(const void *a, const void *b)
{
	const struct tcp_flow *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/* Returns what this connection had sent at the last look. */
static uint64_t acked_before(const struct tracker *t, const struct tcp_flow *flow)
{
	const struct tcp_flow *f = NULL;

	if (t->n_flows > 0)
		f = bsearch(flow, t->flows, t->n_flows, sizeof(*t->flows), by_id);

	return f ? f->acked : 0;
}

/* Returns true if the host boots and may be loading its image. */
static bool may_load(const struct tracker *t, size_t host)
{
	enum tracker_state state = tracker_state(t, host);

	return state == TRACKER_LOADING ||
	       (state == TRACKER_ASKED && t->boots[host].asked_ms);
}

void tracker_note_flows(struct tracker *t, struct tcp_flow *flows, size_t n,
			uint64_t now_ms)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t before = acked_before(t, &flows[i]);
		struct tracker_boot *b;
		size_t host;

		if (flows[i].acked <= before ||
		    !tracker_find_address(t, flows[i].peer, &host) || !may_load(t, host))
			continue;
		b = &t->boots[host];
		b->sent += flows[i].acked - before;
		/* Scripts and hosts' files are smaller. */
		if (!b->total && b->sent >= FIRST_MIN)
			b->total = t->image_bytes;
		b->heard_ms = now_ms > b->heard_ms ? now_ms : b->heard_ms;
		t->changes++;
	}
	if (n > 1)
		qsort(flows, n, sizeof(*flows), by_id);
	free(t->flows);
	t->flows = flows;
	t->n_flows = n;
}

static bool any_may_load(const struct tracker *t)
{
	for (size_t i = 0; i < t->status.n; i++)
		if (may_load(t, i))
			return true;
	return false;
}

void tracker_look_at_flows(struct tracker *t, uint64_t now_ms)
{
	uint64_t start = clock_now_ms(CLOCK_MONOTONIC), took;
	struct tcp_flow *flows = NULL;
	size_t n = 0;

	if (start < t->next_look_ms || !any_may_load(t) ||
	    tcp_flow_list(t->info->boot_server, t->info->http_port, &flows, &n) < 0)
		return;
	tracker_note_flows(t, flows, n, now_ms);
	took = clock_now_ms(CLOCK_MONOTONIC) - start;
	t->next_look_ms = start + (took * SHARE > PAUSE_MS ? took * SHARE : PAUSE_MS);
}
