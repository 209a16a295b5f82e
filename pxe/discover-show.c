/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All texts of a machine are clean (pxe/machines.h), and none can end the comment, string
 * or cell that it is in. A program for spreadsheets takes a cell that begins with '=',
 * '+', '-' or '@' for a formula: such a cell gets an apostrophe, and commas in place of
 * semicolons, or is left out if it is a key of the host.
 */
#include "pxe/discover-show.h"

#include "firstboot/model/conf.h"

#include <time.h>

#define TIME_LEN 21 /* "2026-12-01T07:17:29Z" and NUL */

/* Writes the time to `out`, "" if it is not known. Returns `out`. */
static const char *format_time(uint64_t ms, char out[static TIME_LEN])
{
	time_t s = (time_t)(ms / 1000);
	struct tm tm;

	*out = '\0';
	if (ms && gmtime_r(&s, &tm) && tm.tm_year < 8000)
		strftime(out, TIME_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return out;
}

/* --- an entry --------------------------------------------------------------------- */

static void append_str(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, " %s = ", key);
	conf_quote(b, value);
	buf_puts(b, ";");
}

/* Appends the text, after `before`, if there is one. */
static void append_text(struct buf *b, const char *before, const char *text)
{
	if (*text)
		buf_printf(b, "%s%s", before, text);
}

static void append_comment(struct buf *b, const struct machine *m,
			   const struct proposal *p)
{
	char mac[NET_MAC_LEN], addr[NET_ADDR_LEN], first[TIME_LEN], last[TIME_LEN];

	buf_printf(b, "# %s", net_format_mac(m->mac, ':', mac));
	append_text(b, ", ", m->texts[MACHINE_MANUFACTURER]);
	append_text(b, " ", m->texts[MACHINE_PRODUCT]);
	append_text(b, ", asset ", m->texts[MACHINE_ASSET]);
	if (!p->serial)
		append_text(b, ", serial ", m->texts[MACHINE_SERIAL]);
	append_text(b, ", switch ", m->texts[MACHINE_SWITCH]);
	append_text(b, ", port ", m->texts[MACHINE_PORT]);
	buf_printf(b, ": asked %llu time%s", (unsigned long long)m->seen,
		   m->seen == 1 ? "" : "s");
	format_time(m->first_ms, first);
	format_time(m->last_ms, last);
	if (*first && streq(first, last))
		buf_printf(b, ", at %s", first);
	else if (*first)
		buf_printf(b, ", from %s to %s", first, last);
	if (m->address)
		buf_printf(b, ", by %s", net_format_addr(m->address, addr));
	if (!m->said)
		buf_puts(b, ", only for an address (DHCP)");
	buf_puts(b, "\n");
}

void discover_append_entry(struct buf *b, const struct machine *m,
			   const struct proposal *p)
{
	char mac[NET_MAC_LEN], address[NET_CIDR_LEN];

	append_comment(b, m, p);
	buf_puts(b, "{");
	append_str(b, "name", p->name);
	append_str(b, "role", p->role);
	append_str(b, "mac", net_format_mac(m->mac, ':', mac));
	if (p->address.prefix)
		append_str(b, "address", net_format_cidr(p->address, address));
	for (size_t f = 0; f < FEATURE_COUNT; f++)
		if (p->columns[f])
			append_str(b, column_key(f), p->columns[f]);
	if (p->serial)
		append_str(b, "serial", p->serial);
	if (p->uuid)
		append_str(b, "uuid", p->uuid);
	buf_puts(b, " },\n");
}

/* --- a row ------------------------------------------------------------------------ */

/* Returns true if a cell would begin a formula, also for a program that separates cells
 * by semicolons, as many do where the comma is in numbers. */
static bool is_formula(const char *s)
{
	for (; s; s = strchr(s, ';')) {
		s += *s == ';';
		s += strspn(s, " ");
		if (*s == '=' || *s == '+' || *s == '-' || *s == '@')
			return true;
	}
	return false;
}

/* Appends a cell (RFC 4180), after a comma unless it is the first. */
static void append_cell(struct buf *b, const char *s)
{
	if (b->len && b->p[b->len - 1] != '\n')
		buf_puts(b, ",");
	if (!s[strcspn(s, ",\"")]) {
		buf_puts(b, s);
		return;
	}
	buf_puts(b, "\"");
	for (; *s; s++)
		buf_printf(b, *s == '"' ? "\"\"" : "%c", *s);
	buf_puts(b, "\"");
}

static void append_note(struct buf *b, const char *s)
{
	const bool quote = is_formula(s);
	_cleanup_free_ char *text = xasprintf("%s%s", quote ? "'" : "", s);

	for (char *c = text; quote && *c; c++)
		if (*c == ';')
			*c = ',';
	append_cell(b, text);
}

static void append_key(struct buf *b, const char *s)
{
	append_cell(b, s && !is_formula(s) ? s : "");
}

static const enum machine_text notes[] = {MACHINE_MANUFACTURER, MACHINE_PRODUCT,
					  MACHINE_ASSET, MACHINE_SWITCH, MACHINE_PORT};

void discover_append_titles(struct buf *b, const struct proposals *all)
{
	buf_puts(b, "name,role,mac,address");
	for (size_t f = 0; f < FEATURE_COUNT; f++)
		if (all->has_column[f])
			buf_printf(b, ",%s", column_key(f));
	buf_puts(b, ",serial,uuid");
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		buf_printf(b, ",#%s", machine_text_name(notes[i]));
	buf_puts(b, ",#seen,#first_seen,#last_seen,#seen_at\n");
}

void discover_append_row(struct buf *b, const struct proposals *all,
			 const struct machine *m, const struct proposal *p)
{
	char mac[NET_MAC_LEN], address[NET_CIDR_LEN] = "", when[TIME_LEN],
			       at[NET_ADDR_LEN] = "", seen[24];

	if (p->address.prefix)
		net_format_cidr(p->address, address);
	if (m->address)
		net_format_addr(m->address, at);
	append_key(b, p->name);
	append_key(b, p->role);
	append_key(b, net_format_mac(m->mac, ':', mac));
	append_key(b, address);
	for (size_t f = 0; f < FEATURE_COUNT; f++)
		if (all->has_column[f])
			append_key(b, p->columns[f]);
	append_key(b, p->serial);
	append_key(b, p->uuid);
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		append_note(b, m->texts[notes[i]]);
	snprintf(seen, sizeof(seen), "%llu", (unsigned long long)m->seen);
	append_cell(b, seen);
	append_cell(b, format_time(m->first_ms, when));
	append_cell(b, format_time(m->last_ms, when));
	append_cell(b, at);
	buf_puts(b, "\n");
}

/* --- JSON ------------------------------------------------------------------------- */

static void add_text(struct json *j, const char *key, const char *s)
{
	json_str(j, key, s && *s ? s : NULL);
}

void discover_add_json(struct json *j, const struct machine *m, const struct proposal *p)
{
	char mac[NET_MAC_LEN], address[NET_CIDR_LEN], when[TIME_LEN], at[NET_ADDR_LEN];

	json_open(j, NULL, '{');
	json_str(j, "mac", net_format_mac(m->mac, ':', mac));
	for (enum machine_text i = 0; i < MACHINE_TEXTS; i++)
		add_text(j, machine_text_name(i), m->texts[i]);
	json_u64(j, "seen", m->seen);
	add_text(j, "first_seen", format_time(m->first_ms, when));
	add_text(j, "last_seen", format_time(m->last_ms, when));
	json_str(j, "seen_at", m->address ? net_format_addr(m->address, at) : NULL);
	json_open(j, "proposal", '{');
	json_str(j, "name", p->name);
	add_text(j, "role", p->role);
	json_str(j, "address",
		 p->address.prefix ? net_format_cidr(p->address, address) : NULL);
	for (size_t f = 0; f < FEATURE_COUNT; f++)
		if (p->columns[f])
			json_str(j, column_key(f), p->columns[f]);
	add_text(j, "serial", p->serial);
	add_text(j, "uuid", p->uuid);
	json_close(j, '}');
	json_close(j, '}');
}
