/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetches and reports are read from the access log. From the DHCP servers' logs only one
 * message is used: that it has no address for a MAC address, which is a machine that is
 * missing in the rack file. Each such machine is reported once, and so is each that was
 * refused a host's files or report. Anybody can make such requests in any number, so that
 * after REPORTED_MAX of them no more are reported.
 *
 * A host whose report arrived gets into a queue, once, and the hosts in it are described
 * in turn: one that sends reports without end delays no other. Of several reports that
 * arrived meanwhile only the last is described.
 */
#include "pxe/watch.h"

#include "pxe/loaders.h"

#define REPORTED_MAX 1000

static void reports_open(struct watch_reports *r, size_t n_hosts)
{
	*r = (struct watch_reports){
		.seen = xcalloc(n_hosts + 1, sizeof(*r->seen)),
		.waits = xcalloc(n_hosts + 1, sizeof(*r->waits)),
		.queue = xcalloc(n_hosts + 1, sizeof(*r->queue)),
		.left = SIZE_MAX,
	};
}

static void reports_done(struct watch_reports *r)
{
	free(r->seen);
	free(r->waits);
	free(r->queue);
}

void watch_open(struct watch *w, const struct serve *s)
{
	_cleanup_free_ char *path = xasprintf("%s/" TREE_ACCESS_LOG, s->dir);

	*w = (struct watch){.s = s};
	reports_open(&w->reports, s->info.n_hosts);
	tail_open(&w->access, path, true);
	dhcp_logs_open(&w->dhcp, s->dir, false, true);
}

void watch_rack_changed(struct watch *w)
{
	reports_done(&w->reports);
	reports_open(&w->reports, w->s->info.n_hosts);
	intern_done(&w->reported);
}

bool watch_turn(struct watch *w)
{
	bool more = tail_turn(&w->access, WATCH_TURN) || w->reports.n > 0;

	w->reports.left = WATCH_REPORTS;
	return dhcp_logs_turn(&w->dhcp, WATCH_TURN) || more;
}

void watch_done(struct watch *w)
{
	tail_done(&w->access);
	dhcp_logs_done(&w->dhcp);
	intern_done(&w->reported);
	reports_done(&w->reports);
	*w = (struct watch){0};
}

/* --- hosts ------------------------------------------------------------------------ */

static const struct tree_host *by_address(const struct watch *w, uint32_t addr)
{
	const struct tree_info *i = &w->s->info;

	for (size_t k = 0; k < i->n_hosts; k++)
		if (i->hosts[k].address.prefix && i->hosts[k].address.addr == addr)
			return &i->hosts[k];
	return NULL;
}

static const struct tree_host *by_mac(const struct watch *w, struct mac mac)
{
	const struct tree_info *i = &w->s->info;

	for (size_t k = 0; k < i->n_hosts; k++)
		if (memcmp(i->hosts[k].mac.b, mac.b, sizeof(mac.b)) == 0)
			return &i->hosts[k];
	return NULL;
}

static const struct tree_host *by_name(const struct watch *w, const char *name,
				       size_t len)
{
	const struct tree_info *i = &w->s->info;

	for (size_t k = 0; k < i->n_hosts; k++)
		if (strlen(i->hosts[k].name) == len &&
		    memcmp(i->hosts[k].name, name, len) == 0)
			return &i->hosts[k];
	return NULL;
}

/* --- lines ------------------------------------------------------------------------ */

/* Returns the line, which is about the machine `key`, or NULL if there was one before or
 * there were too many. Owned by the caller; frees `line`. */
static char *drop_repeated(struct watch *w, const char *key, char *line)
{
	_cleanup_free_ char *text = line;
	bool is_new = false;

	if (w->reported.n < REPORTED_MAX)
		intern(&w->reported, key, &is_new);
	if (!is_new)
		return NULL;
	if (w->reported.n < REPORTED_MAX)
		return TAKE_PTR(text);
	return xasprintf("%s; further machines like these are not reported", text);
}

/* Describes a request for a host's file that was refused. */
static char *describe_refusal(struct watch *w, const struct access *a,
			      const struct tree_host *h)
{
	char mine[NET_ADDR_LEN], addr[NET_ADDR_LEN];
	_cleanup_free_ char *key = NULL;

	net_format_addr(a->address, addr);
	net_format_addr(h->address.addr, mine);
	key = xasprintf("%s %s", h->name, addr);
	if (w->s->info.proxy_dhcp)
		return drop_repeated(
			w, key,
			xasprintf("%s: its files were refused to %s, which is not in "
				  "the rack's networks",
				  h->name, addr));
	if (h->address.addr == a->address)
		return drop_repeated(
			w, key,
			xasprintf("%s: its files cannot be read by the server", h->name));
	return drop_repeated(
		w, key,
		xasprintf("%s: its files were refused to %s, because its address is "
			  "%s",
			  h->name, addr, mine));
}

static char *describe_script(struct watch *w, const struct access *a, struct mac mac)
{
	const struct tree_host *h = by_mac(w, mac);
	char text[NET_MAC_LEN], addr[NET_ADDR_LEN];

	net_format_mac(mac, ':', text);
	if (a->status == 403 && h)
		return describe_refusal(w, a, h);
	if (a->status == 200 && h)
		return xasprintf("%s: asks for its boot script (%s, %s)", h->name, text,
				 net_format_addr(a->address, addr));
	if (a->status != 404)
		return NULL;
	return drop_repeated(
		w, text,
		xasprintf("%s asks for a boot script and is not in the rack (from "
			  "%s)",
			  text, net_format_addr(a->address, addr)));
}

static char *describe_root(const struct watch *w, const struct access *a)
{
	const struct tree_host *h = by_address(w, a->address);
	char addr[NET_ADDR_LEN];

	if (a->status != 200)
		return NULL;
	return xasprintf("%s: has loaded the root image, %llu MB in %llu.%llu s",
			 h ? h->name : net_format_addr(a->address, addr),
			 (unsigned long long)(a->bytes / 1000000),
			 (unsigned long long)(a->took_ms / 1000),
			 (unsigned long long)(a->took_ms % 1000 / 100));
}

/* Describes that a host's report was refused, or puts the host into the queue. */
static char *note_report(struct watch *w, const struct access *a, const char *name,
			 size_t len)
{
	const struct tree_host *h = by_name(w, name, len);
	struct watch_reports *q = &w->reports;
	char addr[NET_ADDR_LEN];
	size_t k;

	if (!h)
		return NULL;
	if (a->status == 403) {
		_cleanup_free_ char *key = xasprintf("%s report %s", h->name,
						     net_format_addr(a->address, addr));

		return drop_repeated(
			w, key,
			xasprintf("%s: a report from %s was refused: it has neither "
				  "the host's address nor its token",
				  h->name, addr));
	}
	k = (size_t)(h - w->s->info.hosts);
	if (!q->waits[k])
		q->queue[(q->first + q->n++) % w->s->info.n_hosts] = k;
	q->waits[k] = true;
	return NULL;
}

static char *describe_report(const struct watch *w, const struct tree_host *h)
{
	struct status_host s;
	char *line = NULL;

	status_load_host(&s, w->s->dir, h, 0);
	if (s.verdict == STATUS_READY)
		line = xasprintf("%s (%s): ready in %llu.%llu s", h->name, h->role,
				 (unsigned long long)(s.report.uptime_ms / 1000),
				 (unsigned long long)(s.report.uptime_ms % 1000 / 100));
	else if (s.verdict == STATUS_STARTING)
		line = xasprintf("%s (%s): starts its units", h->name, h->role);
	else if (s.why)
		line = xasprintf("%s (%s): %s: %s", h->name, h->role,
				 s.verdict == STATUS_FAILED ? "failed" : "broken report",
				 s.why);
	status_host_done(&s);
	return line;
}

/* Describes the first report of the queue that is another than the one before. */
static char *next_report(struct watch *w)
{
	const struct tree_info *i = &w->s->info;
	struct watch_reports *q = &w->reports;
	char *line = NULL;

	while (!line && q->n > 0 && q->left > 0) {
		size_t k = q->queue[q->first];

		q->first = (q->first + 1) % i->n_hosts;
		q->n--;
		q->waits[k] = false;
		if (!report_changed(&q->seen[k], w->s->dir, i->hosts[k].name))
			continue;
		q->left--;
		line = describe_report(w, &i->hosts[k]);
	}
	return line;
}

static char *describe_access(struct watch *w, const struct access *a)
{
	const char *report = str_after(a->path, "/report/");
	struct mac mac;

	if (streq(a->method, "GET") && pxe_loader_by_url(a->path, &mac))
		return describe_script(w, a, mac);
	if (streq(a->method, "GET") && a->status == 403 &&
	    host_file_match(&host_cpio_file, a->path, &mac) && by_mac(w, mac))
		return describe_refusal(w, a, by_mac(w, mac));
	if (streq(a->method, "GET") && str_ends(a->path, "/root.cpio"))
		return describe_root(w, a);
	if (streq(a->method, "PUT") && report && str_ends(report, ".json") &&
	    (a->status / 100 == 2 || a->status == 403))
		return note_report(w, a, report, strlen(report) - strlen(".json"));
	return NULL;
}

/* Describes a line of a DHCP server's log if a machine gets no address. */
static char *describe_dhcp(struct watch *w, const struct dhcp_line *l)
{
	char text[NET_MAC_LEN];

	if (!l->refused)
		return NULL;
	net_format_mac(l->mac, ':', text);
	return drop_repeated(
		w, text,
		xasprintf("%s asks for an address and is not in the rack", text));
}

char *watch_next(struct watch *w)
{
	struct dhcp_line line;
	struct access a;
	char *event;

	while (dhcp_logs_next(&w->dhcp, time(NULL), &line)) {
		event = describe_dhcp(w, &line);
		if (event)
			return event;
	}
	while (access_next(&w->access, &a)) {
		event = describe_access(w, &a);
		if (event)
			return event;
	}
	return next_report(w);
}
