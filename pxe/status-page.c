/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rack of at most BOXES_MAX hosts has boxes with names, which wrap as words do; a
 * larger one has a picture of dots for each role, which is as wide as the window. The
 * page's policy (CSP) lets a browser run and load nothing, also if a text were not
 * escaped.
 */
#include "pxe/status-page.h"

#include "lib/escape.h"
#include "pxe/embed.h"
#include "pxe/picture.h"

#define BOXES_MAX    200
#define FAULTS_MAX   12  /* shown above the picture, each with */
#define NAMES_MAX    24  /* hosts */
#define FAULT_CHARS  400 /* of a fault; the table has all */
#define SHORT        20  /* bytes of a name that is not broken into lines */
#define WARNINGS_MAX 3   /* of a host, shown in its row */

/* --- parts of the text ------------------------------------------------------------ */

/* Appends "<tag>text</tag>", with the text escaped. */
static void append_element(struct buf *b, const char *tag, const char *text)
{
	buf_printf(b, "<%s>", tag);
	escape_html(b, text);
	buf_printf(b, "</%.*s>", (int)strcspn(tag, " "), tag);
}

static const char *kind_of(const struct tracker *t, size_t host, uint64_t now_ms)
{
	static const char *const kinds[TRACKER_STATES] = {
		[TRACKER_SILENT] = "silent", [TRACKER_ASKED] = "busy",
		[TRACKER_LOADING] = "busy",  [TRACKER_KERNEL] = "busy",
		[TRACKER_UNITS] = "busy",    [TRACKER_READY] = "ready",
		[TRACKER_FAILED] = "failed", [TRACKER_BROKEN] = "failed",
	};

	return tracker_is_stalled(t, host, now_ms) ? "late"
						   : kinds[tracker_state(t, host)];
}

/* Returns the state as it is shown in a box or a cell, without a reason. Owned by the
 * caller. */
static char *state_text(const struct tracker *t, size_t host)
{
	enum tracker_state state = tracker_state(t, host);

	if (state == TRACKER_LOADING)
		return xasprintf("loading %u %%", tracker_percent(t, host));
	return xstrdup(tracker_state_name(state));
}

/* --- head and summary ------------------------------------------------------------- */

static void append_head(struct buf *b, const struct tracker *t, size_t ready,
			uint64_t now_ms, unsigned refresh_s)
{
	time_t now = (time_t)(now_ms / 1000);
	char addr[NET_ADDR_LEN], date[64] = "";
	struct tm tm;

	buf_printf(
		b,
		"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
		"'none'; style-src 'unsafe-inline'; img-src data:\">\n"
		"<meta http-equiv=\"refresh\" content=\"%u\">\n"
		"<meta name=\"viewport\" content=\"width=device-width, "
		"initial-scale=1\">\n<link rel=\"icon\" href=\"data:,\">\n<title>",
		refresh_s);
	escape_html(b, t->status.rack);
	buf_printf(b, ": %zu of %zu ready</title>\n<style>\n", ready, t->status.n);
	picture_append_css(b);
	buf_puts(b, embed_status_css);
	buf_puts(b, "</style>\n</head>\n<body>\n<header>\n");
	append_element(b, "h1", t->status.rack);
	if (gmtime_r(&now, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S UTC", &tm);
	buf_puts(b, "\n<p>image ");
	escape_html(b, t->info->image);
	buf_printf(b, " · boot server %s · as of <time>%s</time></p>\n</header>\n",
		   net_format_addr(t->info->boot_server, addr), date);
}

/* The states of the bar, from its left end on, with the words of the legend. */
static const struct {
	enum tracker_state state;
	const char *kind, *words;
} parts[] = {
	{TRACKER_READY, "ready", "ready"},
	{TRACKER_UNITS, "busy", "start units"},
	{TRACKER_KERNEL, "busy", "in the kernel or initrd"},
	{TRACKER_LOADING, "busy", "load their image"},
	{TRACKER_ASKED, "busy", "asked"},
	{TRACKER_FAILED, "failed", "failed"},
	{TRACKER_BROKEN, "failed", "with a broken report"},
	{TRACKER_SILENT, "silent", "silent"},
};

static void append_summary(struct buf *b, const size_t n[static TRACKER_STATES],
			   size_t all)
{
	double x = 0;

	buf_printf(b,
		   "<p class=\"sum\"><strong>%zu</strong> of %zu host%s ready</p>\n"
		   "<svg class=\"bar\" viewBox=\"0 0 1000 12\" "
		   "preserveAspectRatio=\"none\" aria-hidden=\"true\">",
		   n[TRACKER_READY], all, all == 1 ? "" : "s");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		double width = all ? 1000.0 * (double)n[parts[i].state] / (double)all : 0;

		if (width > 0)
			buf_printf(b,
				   "<g class=\"%s\"><rect class=\"mark\" x=\"%.2f\" "
				   "width=\"%.2f\" height=\"12\"/></g>",
				   parts[i].kind, x, width);
		x += width;
	}
	buf_puts(b, "</svg>\n<ul class=\"legend\">");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (n[parts[i].state] || parts[i].state == TRACKER_READY)
			buf_printf(b, "<li class=\"%s\"><b>%zu</b> %s</li>",
				   parts[i].kind, n[parts[i].state], parts[i].words);
	buf_puts(b, "</ul>\n");
}

/* --- hosts that need attention ----------------------------------------------------- */

/* Returns what is wrong with a host, in the same words for all hosts with that fault, or
 * NULL. Owned by the caller. */
static char *fault_text(const struct tracker *t, size_t host, uint64_t now_ms)
{
	enum tracker_state state = tracker_state(t, host);
	const char *why = t->status.hosts[host].why;

	if (state == TRACKER_FAILED)
		return xasprintf("failed: %s", why ? why : "");
	if (state == TRACKER_BROKEN)
		return xasprintf("broken report: %s", why ? why : "");
	if (tracker_is_stalled(t, host, now_ms))
		return xasprintf("%s, and silent for more than %d min",
				 tracker_state_name(state), TRACKER_STALLED_MS / 60000);
	return NULL;
}

/* Appends a fault with its hosts, which have its number in `fault`. */
static void append_fault(struct buf *b, const struct tracker *t, const char *kind,
			 const char *text, const size_t *fault, size_t number)
{
	size_t n = 0;

	buf_printf(b, "<li class=\"%s\">", kind);
	escape_html_cut(b, text, FAULT_CHARS);
	buf_puts(b, "<span class=\"who\">");
	for (size_t i = 0; i < t->status.n; i++) {
		if (fault[i] != number || n++ >= NAMES_MAX)
			continue;
		buf_printf(b, "<a href=\"#h%zu\">", i);
		escape_html(b, t->status.hosts[i].name);
		buf_puts(b, "</a> ");
	}
	if (n > NAMES_MAX)
		buf_printf(b, "and %zu more", n - NAMES_MAX);
	buf_puts(b, "</span></li>\n");
}

static void append_faults(struct buf *b, const struct tracker *t, uint64_t now_ms)
{
	_cleanup_free_ size_t *fault = xcalloc(t->status.n + 1, sizeof(*fault));
	_cleanup_intern_ struct intern texts = {0};
	size_t first[FAULTS_MAX];

	for (size_t i = 0; i < t->status.n; i++) {
		_cleanup_free_ char *text = fault_text(t, i, now_ms);
		bool is_new = false;

		fault[i] = text ? intern(&texts, text, &is_new) : SIZE_MAX;
		if (is_new && fault[i] < FAULTS_MAX)
			first[fault[i]] = i;
	}
	if (texts.n == 0)
		return;
	buf_puts(b, "<h2>Need attention</h2>\n<ul class=\"faults\">\n");
	for (size_t k = 0; k < texts.n && k < FAULTS_MAX; k++)
		append_fault(b, t, kind_of(t, first[k], now_ms), texts.texts[k], fault,
			     k);
	if (texts.n > FAULTS_MAX)
		buf_printf(b,
			   "<li class=\"failed\">and %zu other faults, in the "
			   "table</li>\n",
			   texts.n - FAULTS_MAX);
	buf_puts(b, "</ul>\n");
}

/* --- the picture ------------------------------------------------------------------ */

static void append_title(struct buf *b, const struct tracker *t, size_t host)
{
	_cleanup_free_ char *state = state_text(t, host);

	escape_html(b, t->status.hosts[host].name);
	buf_printf(b, ": %s", state);
}

static void append_box(struct buf *b, const struct tracker *t, size_t host,
		       uint64_t now_ms)
{
	_cleanup_free_ char *state = state_text(t, host);
	const struct picture_box box = {
		.kind = kind_of(t, host, now_ms),
		.name = t->status.hosts[host].name,
		.note = state,
		.percent = tracker_state(t, host) == TRACKER_LOADING
				   ? tracker_percent(t, host)
				   : 0,
	};

	buf_printf(b, "<a href=\"#h%zu\" title=\"", host);
	append_title(b, t, host);
	buf_printf(b, "\"><svg width=\"%d\" height=\"%d\">", PICTURE_BOX_WIDTH,
		   PICTURE_BOX_HEIGHT);
	picture_append_box(b, &box, 0, 0);
	buf_puts(b, "</svg></a>\n");
}

static void append_dot(struct buf *b, const struct tracker *t, size_t host, size_t place,
		       size_t columns, uint64_t now_ms)
{
	unsigned pitch = PICTURE_DOT + PICTURE_DOT_GAP;

	buf_printf(b, "<a href=\"#h%zu\"><title>", host);
	append_title(b, t, host);
	buf_puts(b, "</title>");
	picture_append_dot(b, kind_of(t, host, now_ms),
			   (unsigned)(place % columns) * pitch,
			   (unsigned)(place / columns) * pitch);
	buf_puts(b, "</a>\n");
}

/* Appends the picture of the hosts of one role, which are `n`. */
static void append_role(struct buf *b, const struct tracker *t, const size_t *hosts,
			size_t n, uint64_t now_ms)
{
	const char *role = t->status.hosts[hosts[0]].role;
	size_t columns = picture_columns(t->status.n);
	size_t rows = (n + columns - 1) / columns;
	bool boxes = t->status.n <= BOXES_MAX;

	append_element(b, "h2", role);
	if (boxes)
		buf_puts(b, "\n<div class=\"boxes\">\n");
	else
		buf_printf(b, "\n<svg class=\"dots\" viewBox=\"0 0 %zu %zu\">\n",
			   columns * (PICTURE_DOT + PICTURE_DOT_GAP) - PICTURE_DOT_GAP,
			   rows * (PICTURE_DOT + PICTURE_DOT_GAP) - PICTURE_DOT_GAP);
	for (size_t i = 0; i < n; i++)
		if (boxes)
			append_box(b, t, hosts[i], now_ms);
		else
			append_dot(b, t, hosts[i], i, columns, now_ms);
	buf_puts(b, boxes ? "</div>\n" : "</svg>\n");
}

static void append_picture(struct buf *b, const struct tracker *t, uint64_t now_ms)
{
	_cleanup_free_ size_t *hosts = xcalloc(t->status.n + 1, sizeof(*hosts));
	_cleanup_free_ size_t *role = xcalloc(t->status.n + 1, sizeof(*role));
	_cleanup_intern_ struct intern roles = {0};

	for (size_t i = 0; i < t->status.n; i++)
		role[i] = intern(&roles, t->status.hosts[i].role, NULL);
	for (size_t r = 0; r < roles.n; r++) {
		size_t n = 0;

		for (size_t i = 0; i < t->status.n; i++)
			if (role[i] == r)
				hosts[n++] = i;
		append_role(b, t, hosts, n, now_ms);
	}
}

/* --- the table -------------------------------------------------------------------- */

static const struct {
	const char *phase, *title;
} phases[] = {{"kernel", "Kernel"},
	      {"initramfs", "Initrd"},
	      {"system", "System"},
	      {"firstboot", "Firstboot"},
	      {"units", "Units"}};

static void append_seconds(struct buf *b, const char *class, bool known, uint64_t ms)
{
	uint64_t tenths = ms / 100 + (ms % 100 >= 50);

	buf_printf(b, "<td class=\"%s\">", class);
	if (known)
		buf_printf(b, "%llu.%llu", (unsigned long long)(tenths / 10),
			   (unsigned long long)(tenths % 10));
	buf_puts(b, "</td>");
}

static void append_phases(struct buf *b, const struct tracker *t, size_t host)
{
	const struct tracker_boot *boot = &t->boots[host];
	const struct report *r = &t->status.hosts[host].report;
	bool is_over = tracker_state(t, host) == TRACKER_READY ||
		       tracker_state(t, host) == TRACKER_FAILED;

	append_seconds(b, "wide num", boot->asked_ms && boot->loaded_ms > boot->asked_ms,
		       boot->loaded_ms - boot->asked_ms);
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		size_t k = 0;

		while (k < r->n_phases && !streq(r->phases[k].name, phases[i].phase))
			k++;
		append_seconds(b, "wide num", is_over && k < r->n_phases,
			       k < r->n_phases ? r->phases[k].ms : 0);
	}
	append_seconds(b, "num", is_over && r->verdict, r->uptime_ms);
}

static void append_remarks(struct buf *b, const struct tracker *t, size_t host,
			   const char *kind)
{
	const struct status_host *h = &t->status.hosts[host];
	size_t n = strv_len(h->report.warnings);

	if (h->why && streq(kind, "failed"))
		append_element(b, "span class=\"why\"", h->why);
	for (size_t i = 0; i < n && i < WARNINGS_MAX; i++) {
		buf_puts(b, "<span class=\"why\">warning: ");
		escape_html(b, h->report.warnings[i]);
		buf_puts(b, "</span>");
	}
	if (n > WARNINGS_MAX)
		buf_printf(b, "<span class=\"why\">and %zu more warnings</span>",
			   n - WARNINGS_MAX);
}

/* Appends how long ago the host was heard of, as a link to its report if it has one: a
 * name that is part of a path needs no escapes. */
static void append_heard(struct buf *b, const struct tracker *t, size_t host,
			 uint64_t now_ms)
{
	const struct status_host *h = &t->status.hosts[host];
	_cleanup_free_ char *age = tracker_age(tracker_heard_ms(t, host), now_ms);
	const char *name = h->name;
	bool has_report = h->reported.tv_sec &&
			  !name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")];

	buf_printf(b, "<td class=\"mid num\">%s</td><td>",
		   tracker_heard_ms(t, host) ? age : "");
	if (has_report)
		buf_printf(b, "<a href=\"../report/%s.json\">report</a>", name);
	buf_puts(b, "</td></tr>\n");
}

static bool is_short(const char *s)
{
	return !s || strlen(s) <= SHORT;
}

static void append_row(struct buf *b, const struct tracker *t, size_t host,
		       uint64_t now_ms)
{
	const struct status_host *h = &t->status.hosts[host];
	const char *kind = kind_of(t, host, now_ms);
	_cleanup_free_ char *state = state_text(t, host);

	buf_printf(b, "<tr id=\"h%zu\">", host);
	append_element(b,
		       is_short(h->name) ? "th scope=\"row\" class=\"short\""
					 : "th scope=\"row\"",
		       h->name);
	append_element(b,
		       is_short(h->role) ? "td class=\"mid short\"" : "td class=\"mid\"",
		       h->role);
	append_element(
		b, is_short(h->address) ? "td class=\"mid short\"" : "td class=\"mid\"",
		h->address);
	buf_printf(b, "<td><span class=\"pill %s\">%s</span>", kind, state);
	append_remarks(b, t, host, kind);
	buf_puts(b, "</td>");
	append_phases(b, t, host);
	append_heard(b, t, host, now_ms);
}

static void append_table(struct buf *b, const struct tracker *t, uint64_t now_ms)
{
	buf_puts(b, "<h2>Hosts, with the seconds of each phase of their last boot</h2>\n"
		    "<table>\n<thead><tr><th>Host</th><th class=\"mid\">Role</th>"
		    "<th class=\"mid\">Address</th><th>State</th>"
		    "<th class=\"wide num\">Load</th>");
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		buf_printf(b, "<th class=\"wide num\">%s</th>", phases[i].title);
	buf_puts(b, "<th class=\"num\">Uptime</th><th class=\"mid num\">Heard</th>"
		    "<th>Report</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < t->status.n; i++)
		append_row(b, t, i, now_ms);
	buf_puts(b, "</tbody>\n</table>\n");
}

char *status_page(const struct tracker *t, uint64_t now_ms, unsigned refresh_s)
{
	size_t n[TRACKER_STATES];
	struct buf b = {0};

	tracker_count(t, n);
	append_head(&b, t, n[TRACKER_READY], now_ms, refresh_s);
	buf_puts(&b, "<main>\n");
	append_summary(&b, n, t->status.n);
	append_faults(&b, t, now_ms);
	append_picture(&b, t, now_ms);
	append_table(&b, t, now_ms);
	buf_printf(
		&b,
		"</main>\n<footer>\n<p>Loads itself again every %u s. For programs: <a "
		"href=\"status.json\">status.json</a>, <a href=\"metrics\">metrics</a>"
		"</p>\n</footer>\n</body>\n</html>\n",
		refresh_s);
	return buf_take(&b);
}
