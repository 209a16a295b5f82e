/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap inspect: prints what is in a disk image. A disk or ISO that rackstrap made is
 * read by mtools and xorriso, which is quick; for any other disk libguestfs finds out
 * which operating system it holds.
 */
#include "builder/commands.h"
#include "builder/common/disk-layout.h"
#include "builder/common/guest.h"
#include "builder/common/known-files.h"
#include "builder/common/progress.h"
#include "builder/disk/disk-view.h"
#include "builder/disk/image-sums.h"
#include "builder/limit-arg.h"
#include "builder/recipe/config-text.h"
#include "lib/json.h"
#include "lib/out.h"
#include "lib/text.h"
#include "pxe/columns.h"
#include "pxe/image.h"
#include "pxe/rack-image.h"
#include "pxe/table.h"

#include <time.h>

struct slot {
	const char *name; /* "a", "b" */
	bool there, active;
	struct image image;
	char *fault; /* why its manifest cannot be used, or NULL; owned */
};

struct inspection {
	struct disk_view m;
	char listed[DIGEST_SHA256_LEN]; /* in SHA256SUMS beside the image, or "" */
	char sha256[KNOWN_DIGEST_LEN];  /* of a listed image's file */
	struct slot slots[2];
	const char *config; /* MEDIUM_HOST_CFG or MEDIUM_RACK_CFG, or NULL; not owned */
	struct rack rack;
	struct host host;
	bool has_rack, has_host;
	struct diag wrong;     /* mistakes in the configuration */
	struct err fault;      /* why the image is not whole, or an empty message */
	struct medium_ids ids; /* its tag */
	char *os, *os_fault;
};

static void inspection_done(struct inspection *f)
{
	for (size_t i = 0; i < ARRAY_SIZE(f->slots); i++) {
		image_done(&f->slots[i].image);
		free(f->slots[i].fault);
	}
	disk_view_done(&f->m);
	medium_ids_done(&f->ids);
	rack_done(&f->rack);
	host_done(&f->host);
	diag_done(&f->wrong);
	free(f->os);
	free(f->os_fault);
}

/* --- reading ----------------------------------------------------------------------- */

static int read_slot(struct inspection *f, struct slot *s, const char *dir, struct err *e)
{
	_cleanup_free_ char *path = xasprintf("%s/" MEDIUM_MANIFEST, dir), *text = NULL;
	_cleanup_free_ char *kernel = xasprintf("%s/" MEDIUM_KERNEL, dir);
	struct err why = {0};
	size_t len = 0;
	int r = disk_view_read(&f->m, path, &text, &len, e);

	if (r < 0)
		return -1;
	s->there = r > 0 || strv_has(f->m.paths, kernel);
	if (s->there && r == 0)
		s->fault = xstrdup("it has no manifest.json");
	else if (r > 0 && image_parse(&s->image, NULL, text, len, &why) < 0)
		s->fault = xstrdup(why.msg);
	return 0;
}

/* Reads which slot boots from GRUB's environment block, lines of NAME=VALUE. */
static int read_active(struct inspection *f, struct err *e)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **lines = NULL;
	int r = disk_view_read(&f->m, MEDIUM_GRUB_ENV, &text, NULL, e);

	if (r < 0)
		return -1;
	lines = r > 0 ? strv_split(text, "\n") : NULL;
	f->slots[strv_has(lines, "slot=b")].active = true;
	return 0;
}

/* Returns the image that boots, or one that accepts any role. */
static const struct image *image_of(const struct inspection *f)
{
	static const struct image any = {.roles = {.any = true}};

	for (size_t i = 0; i < ARRAY_SIZE(f->slots); i++)
		if (f->slots[i].active && f->slots[i].image.roles.n > 0)
			return &f->slots[i].image;
	return &any;
}

static void parse_config(struct inspection *f, const char *path, const char *text,
			 size_t len)
{
	const struct image *image = image_of(f);
	const struct roles *roles = &image->roles;
	_cleanup_conf_ struct conf *c = NULL;

	if (streq(path, MEDIUM_RACK_CFG)) {
		f->has_rack = rack_parse(&f->rack, text, len, "rack.cfg", CONF_NO_INCLUDE,
					 roles, &f->wrong) == 0;
		if (f->has_rack && config_rack_refuse_secrets(&f->rack, &f->wrong) == 0)
			(void)!rack_check_templates(&f->rack, roles, &image->templates,
						    &f->wrong);
		return;
	}
	host_init(&f->host);
	if (conf_parse(&c, text, len, "host.cfg", CONF_MAX, CONF_NO_INCLUDE, &f->wrong) <
		    0 ||
	    host_load_conf(&f->host, conf_root(c), "", &f->wrong) < 0)
		return;
	host_derive(&f->host, roles);
	if (host_check(&f->host, roles, &f->wrong) == 0 &&
	    config_host_refuse_secrets(&f->host, &f->wrong) == 0)
		(void)!config_host_check_templates(&f->host, roles, &image->templates,
						   &f->wrong);
	f->has_host = true;
}

static int read_config(struct inspection *f, struct err *e)
{
	static const char *const paths[] = {MEDIUM_HOST_CFG, MEDIUM_RACK_CFG};

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_free_ char *text = NULL;
		size_t len = 0;
		int r = disk_view_read(&f->m, paths[i], &text, &len, e);

		if (r < 0)
			return -1;
		if (r == 0)
			continue;
		f->config = paths[i];
		parse_config(f, paths[i], text, len);
	}
	return 0;
}

static int read_medium(struct inspection *f, struct err *e)
{
	f->slots[0].name = "a";
	f->slots[1].name = "b";
	if (read_slot(f, &f->slots[0], MEDIUM_SLOT_A, e) < 0 ||
	    read_slot(f, &f->slots[1], MEDIUM_SLOT_B, e) < 0 || read_active(f, e) < 0)
		return -1;
	return read_config(f, e);
}

/* Returns the line without the image's path in front. */
static const char *after_path(const struct inspection *f, const char *line)
{
	const char *text = str_after(line, f->m.image.path);

	return text && str_after(text, ": ") ? str_after(text, ": ") : line;
}

/* Finds the operating system. Without one, os_fault says why; that is no error. Fails
 * when it was not possible to look for one. */
static int read_foreign(struct inspection *f, struct err *e)
{
	_cleanup_guest_ struct guest *g = NULL;
	struct err why = {0};

	if (guest_open_ro(&g, f->m.raw, f->m.image.path, f->m.image.table.sector, e) <
	    0) {
		f->os_fault = xstrdup("could not be looked for");
		return -1;
	}
	if (guest_mount_os(g, &f->os, &why) < 0) {
		f->os_fault = xstrdup(after_path(f, why.msg));
	}
	return 0;
}

/* Compares the image with SHA256SUMS beside it, if that lists it. */
static int read_sums(struct inspection *f, struct err *e)
{
	_cleanup_known_files_ struct known_digests known = KNOWN_FILES_INIT;
	_cleanup_image_sums_ struct image_sums sums = {0};
	const struct disk_image *image = &f->m.image;
	int r;

	if (!image_sums_read(&sums, image->path))
		return 0;
	memcpy(f->listed, sums.sha256, sizeof(f->listed));
	known_files_open(&known, NULL);
	r = known_digest_file(&known, image->file, f->sha256, NULL);
	return r < 0 ? err_errno(e, r, "%s", image->path) : 0;
}

static bool is_damaged(const struct inspection *f)
{
	return *f->listed && !streq(f->listed, f->sha256);
}

/* --- printing ---------------------------------------------------------------------- */

static void append_partitions(struct buf *b, const struct ptable *t)
{
	static const struct table_column columns[] = {
		{"PART", true},  {"START", true}, {"SIZE", true},
		{"TYPE", false}, {"NAME", false},
	};
	_cleanup_table_ struct table table = {0};
	char size[PROGRESS_SIZE_LEN];

	if (t->n == 0)
		return;
	table_init(&table, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < t->n; i++) {
		table_addf(&table, "%u", t->v[i].number);
		table_addf(&table, "%llu", (unsigned long long)t->v[i].start);
		table_add(&table, progress_size(t->v[i].size, size));
		table_add(&table, t->v[i].what ? t->v[i].what : t->v[i].type);
		table_add(&table, t->v[i].name);
	}
	table_render(&table, b);
}

static void append_slot(struct buf *b, const struct slot *s)
{
	const struct image *i = &s->image;
	_cleanup_free_ char *standins = strv_join(i->standins, ", ");
	time_t epoch = (time_t)i->epoch;
	char date[32] = "?", size[PROGRESS_SIZE_LEN];
	struct tm tm;

	if (!s->there)
		return;
	if (s->fault) {
		text_line(b, "slot %s: %s", s->name, s->fault);
		return;
	}
	if (gmtime_r(&epoch, &tm))
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	text_line(b, "slot %s%s: %s, %s", s->name, s->active ? " (boots)" : "", i->name,
		  progress_size(i->kernel_size + i->initrd_size + i->root_size, size));
	text_line(b, "  root.squashfs sha256 %s", i->root_sha256);
	/* When it was built is not recorded: the same inputs give the same bytes. */
	text_line(b,
		  "  files dated %s (SOURCE_DATE_EPOCH %llu, not the time of the build)",
		  date, (unsigned long long)i->epoch);
	if (i->standins)
		text_line(b, "  stand-ins: %s", standins);
}

static void add_host_row(struct table *t, const bool used[static FEATURE_COUNT],
			 const struct host *h)
{
	char mac[NET_MAC_LEN];
	_cleanup_free_ char *address = host_show(h, HOST_ADDRESS);
	struct host_columns columns;

	table_add(t, h->name);
	table_add(t, h->role);
	table_add(t, h->has_mac ? net_format_mac(h->mac, ':', mac) : NULL);
	table_add(t, address);
	columns_of_host(&columns, h);
	columns_add(t, used, &columns);
	columns_done(&columns);
}

static void mark_columns(bool used[static FEATURE_COUNT], const struct host *h)
{
	struct host_columns columns;

	columns_of_host(&columns, h);
	columns_mark(used, &columns);
	columns_done(&columns);
}

/* Appends the table of the medium's hosts. */
static void append_table(struct buf *b, const struct inspection *f)
{
	struct table_column columns[4 + FEATURE_COUNT] = {
		{"HOST", false}, {"ROLE", false}, {"MAC", false}, {"ADDRESS", false}};
	_cleanup_table_ struct table t = {0};
	bool used[FEATURE_COUNT] = {false};

	if (f->has_host)
		mark_columns(used, &f->host);
	for (size_t i = 0; f->has_rack && i < f->rack.n_hosts; i++)
		mark_columns(used, &f->rack.hosts[i].host);
	table_init(&t, columns, 4 + columns_titles(used, columns + 4));
	if (f->has_host)
		add_host_row(&t, used, &f->host);
	for (size_t i = 0; f->has_rack && i < f->rack.n_hosts; i++)
		add_host_row(&t, used, &f->rack.hosts[i].host);
	if (t.n > 0)
		table_render(&t, b);
}

static void append_hosts(struct buf *b, const struct inspection *f)
{
	if (!f->config) {
		text_line(b, "neither host.cfg nor rack.cfg");
		return;
	}
	text_line(b, "%s%s%s", strrchr(f->config, '/') + 1, f->has_rack ? ": rack " : "",
		  f->has_rack ? f->rack.name : "");
	append_table(b, f);
	for (size_t i = 0; i < f->wrong.n; i++)
		text_line(b, "  %s", f->wrong.lines[i]);
}

static const char *kind_name(enum disk_view_kind kind)
{
	static const char *const names[] = {
		[VIEW_FOREIGN] = "foreign", [VIEW_DISK] = "disk", [VIEW_ISO] = "iso"};

	return names[kind];
}

static char *format_text(const struct inspection *f)
{
	const struct ptable *t = &f->m.image.table;
	struct buf b = {0};
	char size[PROGRESS_SIZE_LEN];

	text_append(&b, "%s: %s, %s, ", f->m.image.path, f->m.image.format,
		    progress_size(f->m.image.size, size));
	if (t->fault)
		text_line(&b, "a GPT, but %s", t->fault);
	else if (t->kind == PTABLE_NONE)
		text_line(&b, "no partition table");
	else
		text_line(&b, "%s, sectors of %u bytes",
			  t->kind == PTABLE_GPT ? "GPT" : "MBR", t->sector);
	if (f->fault.msg[0] && !t->fault)
		text_line(&b, "  %s", after_path(f, f->fault.msg));
	if (is_damaged(f))
		text_line(&b,
			  "has sha256 %s, but %s in SHA256SUMS beside it: it was damaged "
			  "or changed",
			  f->sha256, f->listed);
	append_partitions(&b, t);
	if (f->m.kind == VIEW_FOREIGN) {
		text_line(&b, "operating system: %s", f->os ? f->os : f->os_fault);
		return buf_take(&b);
	}
	if (*f->ids.tag)
		text_line(&b, "found by %s when it boots", f->ids.tag);
	for (size_t i = 0; i < ARRAY_SIZE(f->slots); i++)
		append_slot(&b, &f->slots[i]);
	append_hosts(&b, f);
	return buf_take(&b);
}

static void append_json_partitions(struct json *j, const struct ptable *t)
{
	json_str(j, "table", ptable_kind_name(t->kind));
	json_str(j, "table_fault", t->fault);
	json_u64(j, "sector", t->sector);
	json_open(j, "partitions", '[');
	for (size_t i = 0; i < t->n; i++) {
		json_open(j, NULL, '{');
		json_u64(j, "number", t->v[i].number);
		json_u64(j, "start", t->v[i].start);
		json_u64(j, "size", t->v[i].size);
		json_str(j, "type", t->v[i].type);
		json_str(j, "name", t->v[i].name);
		json_str(j, "uuid", t->v[i].uuid);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void append_json_slots(struct json *j, const struct inspection *f)
{
	json_open(j, "slots", '[');
	for (size_t i = 0; i < ARRAY_SIZE(f->slots); i++) {
		const struct slot *s = &f->slots[i];

		if (!s->there)
			continue;
		json_open(j, NULL, '{');
		json_str(j, "slot", s->name);
		json_bool(j, "boots", s->active);
		json_str(j, "fault", s->fault);
		json_str(j, "image", s->image.name);
		json_u64(j, "epoch", s->image.epoch);
		json_str(j, "kernel_sha256", s->image.kernel_sha256);
		json_str(j, "initrd_sha256", s->image.initrd_sha256);
		json_str(j, "root_sha256", s->image.root_sha256);
		json_strv(j, "standins", s->image.standins);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void append_json_host(struct json *j, const struct host *h)
{
	json_open(j, NULL, '{');
	for (size_t i = 0; i < HOST_KEY_COUNT; i++)
		if (h->set[i])
			host_json(h, (enum host_key_id)i, j);
	json_close(j, '}');
}

static void append_json_config(struct json *j, const struct inspection *f)
{
	json_str(j, "config", f->config);
	json_str(j, "rack", f->has_rack ? f->rack.name : NULL);
	json_open(j, "hosts", '[');
	if (f->has_host)
		append_json_host(j, &f->host);
	for (size_t i = 0; f->has_rack && i < f->rack.n_hosts; i++)
		append_json_host(j, &f->rack.hosts[i].host);
	json_close(j, ']');
	json_open(j, "wrong", '[');
	for (size_t i = 0; i < f->wrong.n; i++)
		json_str(j, NULL, f->wrong.lines[i]);
	json_close(j, ']');
}

static char *format_json(const struct inspection *f)
{
	struct json j = {0};

	json_open(&j, NULL, '{');
	json_u64(&j, "format", 2); /* 1 had all values as strings */
	json_str(&j, "kind", kind_name(f->m.kind));
	json_str(&j, "file_format", f->m.image.format);
	json_u64(&j, "size", f->m.image.size);
	json_str(&j, "sha256", *f->listed ? f->sha256 : NULL);
	json_str(&j, "listed_sha256", *f->listed ? f->listed : NULL);
	append_json_partitions(&j, &f->m.image.table);
	json_str(&j, "fault", f->fault.msg[0] ? after_path(f, f->fault.msg) : NULL);
	if (f->m.kind == VIEW_FOREIGN) {
		json_str(&j, "os", f->os);
		json_str(&j, "os_fault", f->os_fault);
	} else {
		json_str(&j, "medium", *f->ids.tag ? f->ids.tag : NULL);
		append_json_slots(&j, f);
		append_json_config(&j, f);
	}
	json_close(&j, '}');
	return json_take(&j);
}

static int inspect(const char *path, uint64_t limit, bool json, struct err *e)
{
	struct inspection f = {.m = {.image = DISK_IMAGE_INIT}};
	_cleanup_free_ char *text = NULL;
	int r = disk_view_open(&f.m, path, limit, e);

	if (r == 0)
		(void)!disk_image_check(&f.m.image, &f.fault);
	if (r == 0 && f.m.kind != VIEW_FOREIGN) {
		r = medium_ids_make(&f.ids, &f.m.image, true, e);
		if (r == 0)
			r = read_medium(&f, e);
	}
	if (r == 0 && f.m.kind == VIEW_FOREIGN)
		r = read_foreign(&f, e);
	if (r == 0)
		r = read_sums(&f, e);
	if (r == 0 || f.os_fault) { /* the partitions are worth to be seen */
		text = json ? format_json(&f) : format_text(&f);
		out_text(text);
	}
	inspection_done(&f);
	return r;
}

enum {
	OPT_JSON = 1,
	OPT_LIMIT,
};

static int run_inspect(const struct command_line *line, struct err *e)
{
	uint64_t limit;

	if (limit_arg_parse(&limit, line, OPT_LIMIT, e) < 0)
		return -1;
	return inspect(line->args[0], limit, command_has(line, OPT_JSON), e);
}

static const struct command_option options[] = {
	LIMIT_OPTION(OPT_LIMIT),
	{.name = "json", .id = OPT_JSON, .help = "print JSON"},
	{.name = NULL},
};

const struct command command_inspect = {
	.name = "inspect",
	.synopsis = "IMAGE [--limit SIZE] [--json]",
	.summary = "show what is in a disk image",
	.options = options,
	.operands = {{.name = "IMAGE", .kind = ARG_FILE, .help = "a disk image or ISO"}},
	.min_args = 1,
	.max_args = 1,
	.run = run_inspect,
};
