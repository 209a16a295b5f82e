/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first row and the lengths of the others are checked when a table is read. Values
 * are checked with those of the rack file, as the places of their nodes are those of
 * their cells.
 */
#include "pxe/rack-rows.h"

#include "firstboot/model/conf-note.h"
#include "firstboot/model/host.h"
#include "firstboot/model/rack-entry.h"
#include "lib/file.h"
#include "pxe/rack-spread.h"

#define VM "vm."

static const char *const vm_columns[] = {"vm.memory", "vm.cpus", "vm.disk", "vm.nics",
					 NULL};

static const struct csv_row *header(const struct rack_rows *rows)
{
	return &rows->table.rows[0];
}

static const struct csv_row *row_at(const struct rack_rows *rows, size_t row)
{
	return &rows->table.rows[row + 1];
}

/* Returns the index of a column, or that behind the last one. */
static size_t find_column(const struct rack_rows *rows, const char *key)
{
	size_t i = 0;

	while (i < header(rows)->n && !streq(header(rows)->cells[i].text, key))
		i++;
	return i;
}

/* --- the first row ---------------------------------------------------------------- */

/* Returns the key that the word is most likely meant as, or NULL. */
static const char *nearest_column(const char *word)
{
	const char *words[HOST_KEY_COUNT + 32] = {NULL};
	_cleanup_free_ char *lower = xstrdup(word);
	size_t n = 0;

	for (char *p = lower; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + 32);
	for (enum host_key_id id = 0; id < HOST_KEY_COUNT; id++)
		if (host_key(id)->level != HOST_LEVEL_CLUSTER)
			words[n++] = host_key(id)->name;
	for (const struct other_key *o = rack_entry_group.others; o->name; o++)
		if (!o->refused)
			words[n++] = o->name;
	return str_nearest(lower, words);
}

/* Returns what is wrong with a column's key, owned by the caller, or NULL. */
static char *column_wrong(const char *key)
{
	const struct host_key *k = host_key_find(key);
	_cleanup_free_ char *hint = NULL;

	for (size_t i = 0; vm_columns[i]; i++)
		if (streq(key, vm_columns[i]))
			return NULL;
	if (streq(key, "profiles"))
		return NULL;
	if (streq(key, "vm"))
		return xstrdup("is a group: its columns are vm.memory, vm.cpus, vm.disk "
			       "and vm.nics");
	if (streq(key, "secrets"))
		return xstrdup("is a list of groups: write it in the rack file");
	if (streq(key, "hosts_file"))
		return xstrdup("names a table: write it in the rack file");
	for (const struct other_key *o = rack_entry_group.others; o->name; o++)
		if (streq(o->name, key))
			return o->refused ? xstrdup(o->refused) : NULL;
	if (k && k->level == HOST_LEVEL_CLUSTER)
		return xstrdup(rack_entry_group.refusal);
	if (k)
		return NULL;
	hint = str_hint(nearest_column(key));
	return xasprintf("is no key of a host%s", hint);
}

/* Returns true for a column that is for people, like some of `discover --csv`. */
static bool is_remark(const char *key)
{
	return key[0] == '#';
}

/* Returns the place of a cell. */
static struct diag_place place(const struct rack_rows *rows, const struct csv_cell *cell)
{
	return (struct diag_place){rows->path, cell->line, cell->column};
}

static int check_column(const struct rack_rows *rows, size_t i, struct diag *d)
{
	const struct csv_cell *cell = &header(rows)->cells[i];
	const struct diag_place at = place(rows, cell);
	_cleanup_free_ char *wrong = NULL;

	if (!*cell->text)
		return diag_add_at(d, &at, "column %zu has no name in the first row",
				   i + 1);
	if (find_column(rows, cell->text) < i)
		return diag_add_at(d, &at, "column %zu: '%.60s' is also column %zu",
				   i + 1, cell->text, find_column(rows, cell->text) + 1);
	wrong = column_wrong(cell->text);
	if (!wrong || is_remark(cell->text))
		return 0;
	if (header(rows)->n == 1 && strpbrk(cell->text, ";\t"))
		return diag_add_at(
			d, &at,
			"the first row has one column: separate columns by commas");
	return diag_add_at(d, &at, "column %zu: '%.60s' %s", i + 1, cell->text, wrong);
}

/* Returns true for a first row that has no key of a host: it is that of a machine. */
static bool is_data(const struct rack_rows *rows)
{
	for (size_t i = 0; i < header(rows)->n; i++) {
		const char *text = header(rows)->cells[i].text;
		_cleanup_free_ char *wrong = column_wrong(text);

		if (!wrong || !*text || is_remark(text) || nearest_column(text))
			return false;
	}
	return header(rows)->n > 1;
}

static int check_columns(const struct rack_rows *rows, struct diag *d)
{
	const struct diag_place at = place(rows, &header(rows)->cells[0]);
	int r = 0;

	if (is_data(rows))
		return diag_add_at(d, &at,
				   "'%.60s' is no key of a host, and no other cell of "
				   "the first row is one: write the keys of the columns "
				   "above it, like name,mac,address",
				   header(rows)->cells[0].text);
	for (size_t i = 0; i < header(rows)->n; i++)
		if (check_column(rows, i, d) < 0)
			r = -1;
	return r;
}

/* --- the other rows --------------------------------------------------------------- */

static int check_length(const struct rack_rows *rows, const struct csv_row *row,
			struct diag *d)
{
	const struct csv_row *first = header(rows);
	const struct diag_place at = {rows->path, row->line, 0};

	if (row->n < first->n)
		return diag_add_at(d, &at,
				   "the row has %zu cell%s for %zu columns: '%.60s' is "
				   "missing",
				   row->n, row->n == 1 ? "" : "s", first->n,
				   first->cells[row->n].text);
	if (row->n > first->n)
		return diag_add_at(d, &at,
				   "the row has %zu cells for %zu column%s: a value with "
				   "a comma in it stands in quotation marks",
				   row->n, first->n, first->n == 1 ? "" : "s");
	return 0;
}

/* Adds the row's name to the set of names. A row without one of its own gets one that no
 * host has, which keeps the numbers. */
static int add_name(struct rack_rows *rows, size_t row, size_t column, struct diag *d)
{
	const struct csv_cell *cell = &row_at(rows, row)->cells[column];
	const struct diag_place at = place(rows, cell);
	_cleanup_free_ char *unique = xasprintf("\n%zu", row);
	bool is_new = false;
	size_t other;

	if (*cell->text) {
		other = intern(&rows->names, cell->text, &is_new);
		if (is_new)
			return 0;
		diag_add_at(d, &at, "the name '%.63s' is also that of the row in line %u",
			    cell->text, row_at(rows, other)->line);
		diag_other(d, &(struct diag_place){rows->path, row_at(rows, other)->line,
						   0});
	} else {
		diag_add_at(d, &at, "the row has no name");
	}
	intern(&rows->names, unique, NULL);
	return -1;
}

static int check_rows(struct rack_rows *rows, struct diag *d)
{
	const size_t column = find_column(rows, "name");
	int r = 0;

	rows->is_named = column < header(rows)->n;
	for (size_t i = 0; i < rows->n; i++)
		if (check_length(rows, row_at(rows, i), d) < 0)
			r = -1;
	if (r < 0)
		return -1;
	for (size_t i = 0; i < rows->n && rows->is_named; i++)
		if (add_name(rows, i, column, d) < 0)
			r = -1;
	return r;
}

/* --- reading ---------------------------------------------------------------------- */

static void rows_free(struct rack_rows *rows)
{
	csv_done(&rows->table);
	intern_done(&rows->names);
	free(rows->used);
	free(rows->path);
	free(rows);
}

void rack_tables_done(struct rack_tables *t)
{
	for (size_t i = 0; i < t->n; i++)
		rows_free(t->v[i]);
	free(t->v);
	*t = (struct rack_tables){0};
}

/* Reads the file into rows->table. */
static int read_table(struct rack_rows *rows, const struct conf_node *n,
		      const char *prefix, struct diag *d)
{
	char *text = NULL;
	size_t len = 0;
	int r = file_read_regular_at(AT_FDCWD, rows->path, CONF_MAX_RACK, &text, &len);

	if (r == -EFBIG)
		return conf_complain(n, d, "%shosts_file: %s is larger than %d bytes",
				     prefix, rows->path, CONF_MAX_RACK);
	if (r < 0)
		return conf_complain_unread(n, d, "%shosts_file: %s cannot be read: %s",
					    prefix, rows->path, file_strerror(r));
	if (csv_parse(&rows->table, text, len, rows->path, d) < 0)
		return -1;
	if (rows->table.n == 0)
		return diag_add(
			d,
			"%s: is empty: its first row has the keys of the columns, "
			"like name,mac,address",
			rows->path);
	rows->n = rows->table.n - 1;
	rows->used = xcalloc(rows->n + 1, sizeof(*rows->used));
	return 0;
}

struct rack_rows *rack_rows_read(struct rack_tables *t, const struct conf_node *n,
				 const char *prefix, struct diag *d)
{
	struct rack_rows *rows;
	const char *name = NULL;
	char *path;

	if (conf_str(n, &name, NULL) < 0 || !*name) {
		conf_complain(n, d, "%shosts_file: must be the name of a file%s", prefix,
			      conf_type_note(n, CONF_STRING));
		return NULL;
	}
	path = file_beside(conf_file(n), name);
	for (size_t i = 0; i < t->n; i++)
		if (streq(t->v[i]->path, path)) {
			free(path);
			return t->v[i]->is_wrong ? NULL : t->v[i];
		}
	rows = xcalloc(1, sizeof(*rows));
	rows->path = path;
	t->v = xgrow(t->v, t->n, sizeof(*t->v));
	t->v[t->n++] = rows;
	rows->is_wrong = read_table(rows, n, prefix, d) < 0 ||
			 check_columns(rows, d) < 0 || check_rows(rows, d) < 0;
	return rows->is_wrong ? NULL : rows;
}

bool rack_rows_find(const struct rack_rows *rows, const char *name, size_t *ret)
{
	return intern_find(&rows->names, name, ret);
}

const char *rack_rows_name(const struct rack_rows *rows, size_t row)
{
	return rows->is_named ? rows->names.texts[row] : NULL;
}

unsigned rack_rows_line(const struct rack_rows *rows, size_t row)
{
	return row_at(rows, row)->line;
}

int rack_rows_check_used(const struct rack_tables *t, struct diag *d)
{
	int r = 0;

	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < t->v[i]->n; k++) {
			const struct diag_place at = {t->v[i]->path,
						      row_at(t->v[i], k)->line, 0};

			if (t->v[i]->used[k])
				continue;
			r = diag_add_at(d, &at,
					"host '%.63s' is in no entry of the rack file "
					"that names this table",
					rack_rows_name(t->v[i], k));
			diag_host(d, rack_rows_name(t->v[i], k));
		}
	return r;
}

/* --- values ----------------------------------------------------------------------- */

void rack_rows_place(const struct rack_rows *rows, size_t row, struct conf_node *n)
{
	conf_set_place(n, &(struct diag_place){rows->path, row_at(rows, row)->line, 0});
}

/* Adds a cell to the host. Those of `vm` go into the group that the row has for them. */
static void add_cell(struct conf *to, struct conf_node *host, struct conf_node **vm,
		     const char *key, const char *text, const struct conf_node *at)
{
	const char *of_vm = str_after(key, VM);

	if (!of_vm) {
		conf_replace(to, host, rack_spread_value(to, key, text, at));
		return;
	}
	if (!*vm)
		*vm = conf_make(to, CONF_GROUP, "vm", at);
	conf_add(to, *vm, rack_spread_vm_value(to, of_vm, text, at));
}

void rack_rows_add(const struct rack_rows *rows, size_t row, struct conf *to,
		   struct conf_node *host)
{
	struct conf_node *at = conf_make(to, CONF_STRING, NULL, NULL), *vm = NULL;

	for (size_t i = 0; i < header(rows)->n; i++) {
		const struct csv_cell *cell = &row_at(rows, row)->cells[i];
		const char *key = header(rows)->cells[i].text;
		struct diag_place where;

		if (!*cell->text || streq(key, "profiles") || is_remark(key))
			continue;
		where = place(rows, cell);
		conf_set_place(at, &where);
		add_cell(to, host, &vm, key, cell->text, at);
	}
	if (vm)
		conf_merge(to, host, vm);
}

const struct conf_node *rack_rows_profiles(const struct rack_rows *rows, size_t row,
					   struct conf *to)
{
	const size_t column = find_column(rows, "profiles");
	const struct csv_cell *cell;
	_cleanup_strv_ char **names = NULL;
	struct conf_node *list;

	if (column == header(rows)->n)
		return NULL;
	cell = &row_at(rows, row)->cells[column];
	if (!*cell->text)
		return NULL;
	list = conf_make_list(to, "profiles", NULL);
	conf_set_place(list, &(struct diag_place){rows->path, cell->line, cell->column});
	names = strv_split(cell->text, ", ");
	for (size_t i = 0; names && names[i]; i++)
		conf_add(to, list, conf_make_str(to, NULL, names[i], list));
	return list;
}
