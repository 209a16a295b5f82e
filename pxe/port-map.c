/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/port-map.h"

#include "firstboot/model/words.h"
#include "lib/file.h"

enum {
	SWITCH,
	PORT,
	NAME,
	COLUMNS,
};

static const char *const titles[] = {
	[SWITCH] = "switch", [PORT] = "port", [NAME] = "name"};

#define LIKE "the first row has the names of the columns: switch,port,name"

/* Sets at[] to the index of each column. Returns 0, or -1 with complaints. */
static int read_titles(const struct csv_row *row, const char *name, size_t at[COLUMNS],
		       struct diag *d)
{
	int r = 0;

	for (size_t c = 0; c < COLUMNS; c++)
		at[c] = SIZE_MAX;
	for (size_t i = 0; i < row->n; i++) {
		size_t c = 0;

		while (c < COLUMNS && !streq(row->cells[i].text, titles[c]))
			c++;
		if (c == COLUMNS)
			r = diag_add(d, "%s:%u: column %zu: unknown name '%.60s': " LIKE,
				     name, row->line, i + 1, row->cells[i].text);
		else if (at[c] != SIZE_MAX)
			r = diag_add(d, "%s:%u: column %zu: '%s' is also column %zu",
				     name, row->line, i + 1, titles[c], at[c] + 1);
		else
			at[c] = i;
	}
	for (size_t c = 0; c < COLUMNS && r == 0; c++)
		if (at[c] == SIZE_MAX)
			r = diag_add(d, "%s:%u: column '%s' is missing: " LIKE, name,
				     row->line, titles[c]);
	return r;
}

/* Returns the key of a place. Owned by the caller. */
static char *place(const char *sw, const char *port)
{
	return xasprintf("%s\t%s", sw, port);
}

static int add_row(struct port_map *m, const struct csv_row *row, const char *name,
		   const size_t at[COLUMNS], size_t columns, struct intern *names,
		   struct diag *d)
{
	const char *sw, *port, *host, *wrong;
	_cleanup_free_ char *key = NULL;
	bool is_new;

	if (row->n != columns)
		return diag_add(d, "%s:%u: the row has %zu cell%s, and the first row %zu",
				name, row->line, row->n, row->n == 1 ? "" : "s", columns);
	sw = row->cells[at[SWITCH]].text;
	port = row->cells[at[PORT]].text;
	host = row->cells[at[NAME]].text;
	if (!*sw || !*port)
		return diag_add(d, "%s:%u: a row needs the names of a switch and a port",
				name, row->line);
	wrong = word_label_wrong(host);
	if (wrong)
		return diag_add(d, "%s:%u: name: \"%.80s\" %s", name, row->line, host,
				wrong);
	intern(names, host, &is_new);
	if (!is_new)
		return diag_add(d, "%s:%u: name '%s' is also that of another row", name,
				row->line, host);
	key = place(sw, port);
	intern(&m->places, key, &is_new);
	if (!is_new)
		return diag_add(d,
				"%s:%u: port '%.60s' of switch '%.60s' is also in "
				"another row",
				name, row->line, port, sw);
	m->names[m->places.n - 1] = host;
	return 0;
}

int port_map_parse(struct port_map *ret, char *text, size_t len, const char *name,
		   struct diag *d)
{
	_cleanup_intern_ struct intern names = {0};
	size_t at[COLUMNS], wrong = 0;
	int r = 0;

	*ret = (struct port_map){.names = NULL};
	if (csv_parse(&ret->csv, text, len, name, d) < 0)
		return -1;
	ret->names = xcalloc(ret->csv.n + 1, sizeof(char *));
	if (ret->csv.n == 0)
		r = diag_add(d, "%s: is empty: " LIKE, name);
	else
		r = read_titles(&ret->csv.rows[0], name, at, d);
	/* If ten rows are wrong, the others probably are in the same way. */
	for (size_t i = 1; r == 0 && i < ret->csv.n && wrong < 10; i++)
		if (add_row(ret, &ret->csv.rows[i], name, at, ret->csv.rows[0].n, &names,
			    d) < 0)
			wrong++;
	if (r == 0 && wrong == 0)
		return 0;
	port_map_done(ret);
	return -1;
}

int port_map_read(struct port_map *ret, const char *path, struct diag *d)
{
	char *text = NULL;
	size_t len = 0;
	int r = file_read_regular_at(AT_FDCWD, path, PORT_MAP_MAX, &text, &len);

	*ret = (struct port_map){.names = NULL};
	if (r == -EFBIG)
		return diag_add(d, "%s: has more than %d MiB", path, PORT_MAP_MAX >> 20);
	if (r < 0)
		return diag_add_unread(d, "%s: %s", path, file_strerror(r));
	return port_map_parse(ret, text, len, path, d);
}

const char *port_map_find(const struct port_map *m, const char *sw, const char *port)
{
	_cleanup_free_ char *key = place(sw, port);
	size_t i;

	return *sw && *port && intern_find(&m->places, key, &i) ? m->names[i] : NULL;
}

void port_map_done(struct port_map *m)
{
	csv_done(&m->csv);
	intern_done(&m->places);
	free(m->names);
	*m = (struct port_map){.names = NULL};
}
