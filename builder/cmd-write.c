/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rackstrap write: writes an image to a disk. All reasons not to are reported at once;
 * then the disk is shown and its serial number asked for, and only then is it written.
 */
#include "builder/commands.h"
#include "builder/common/known-files.h"
#include "builder/common/progress.h"
#include "builder/disk/blockdev.h"
#include "builder/disk/disk-source.h"
#include "builder/limit-arg.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/out.h"
#include "lib/signals.h"
#include "pxe/table.h"

#include <fcntl.h>

enum {
	OPT_YES = 1,
	OPT_SERIAL,
	OPT_JSON,
	OPT_LIMIT,
	OPT_RAW,
	OPT_KEEP_GUIDS,
};

struct write_options {
	const char *image, *device;
	const char *serial; /* NULL: ask */
	bool yes, json;
	bool raw; /* the file's own bytes, unchecked */
	bool keep_guids;
	uint64_t limit;
};

/* --- the list ---------------------------------------------------------------------- */

/* Returns the reasons not to write to the disk, or NULL when there is none. Owned. */
static char *objection(const struct device *d)
{
	if (d->read_only)
		return xstrdup("is read-only");
	return d->uses ? strv_join(d->uses, "; ") : NULL;
}

static void append_device(struct json *j, const struct device *d)
{
	json_open(j, NULL, '{');
	json_str(j, "device", d->path);
	json_u64(j, "size", d->size);
	json_u64(j, "sector", d->sector);
	json_str(j, "bus", d->bus);
	json_bool(j, "removable", d->removable);
	json_bool(j, "read_only", d->read_only);
	json_str(j, "model", d->model);
	json_str(j, "serial", d->serial);
	json_str(j, "confirm", device_token(d));
	json_strv(j, "uses", d->uses);
	json_close(j, '}');
}

static char *list_json(const struct devices *all)
{
	struct json j = {0};

	json_open(&j, NULL, '{');
	json_u64(&j, "format", 1);
	json_open(&j, "devices", '[');
	for (size_t i = 0; i < all->n; i++)
		append_device(&j, &all->v[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	return json_take(&j);
}

static char *list_table(const struct devices *all)
{
	static const struct table_column columns[] = {
		{"DEVICE", false}, {"SIZE", true},    {"BUS", false},
		{"MODEL", false},  {"SERIAL", false}, {"USE", false},
	};
	_cleanup_table_ struct table t = {0};
	struct buf b = {0};

	table_init(&t, columns, ARRAY_SIZE(columns));
	for (size_t i = 0; i < all->n; i++) {
		const struct device *d = &all->v[i];
		_cleanup_free_ char *why = objection(d);
		char size[PROGRESS_SIZE_LEN];

		table_add(&t, d->path);
		table_add(&t, progress_size(d->size, size));
		table_add(&t, d->bus);
		table_add(&t, d->model);
		table_add(&t, d->serial);
		table_add(&t, why ? why : "free");
	}
	table_render(&t, &b);
	return buf_take(&b);
}

static int list(int root, bool json, struct err *e)
{
	_cleanup_devices_ struct devices all = {0};
	_cleanup_free_ char *text = NULL;

	if (devices_read(&all, root, e) < 0)
		return -1;
	text = json ? list_json(&all) : list_table(&all);
	out_text(text);
	return 0;
}

/* --- checks ------------------------------------------------------------------------ */

/* Returns the size of the sectors that the image is made for, or 0: not known. */
static unsigned image_sector(const struct disk_image *m)
{
	return m->table.kind != PTABLE_NONE ? m->table.sector : m->content.sector;
}

static void check_fit(const struct disk_image *m, const struct device *dev,
		      struct diag *d)
{
	unsigned sector = image_sector(m);
	char has[PROGRESS_SIZE_LEN], needs[PROGRESS_SIZE_LEN];

	if (m->size > dev->size)
		diag_add(d,
			 "%s: is too small: it has %s (%llu bytes), the image %s (%llu)",
			 dev->path, progress_size(dev->size, has),
			 (unsigned long long)dev->size, progress_size(m->size, needs),
			 (unsigned long long)m->size);
	if (sector != 0 && sector != dev->sector)
		diag_add(d,
			 "%s: has sectors of %u bytes, the image is made for sectors of "
			 "%u: it would not boot",
			 dev->path, dev->sector, sector);
}

static int check(const struct disk_image *m, const struct device *dev, struct err *e)
{
	_cleanup_free_ char *why = objection(dev);
	_cleanup_diag_ struct diag d = {0};
	struct err not_whole;

	if (m->need != DISK_NEED_NONE && disk_image_check(m, &not_whole) < 0)
		diag_add_err(&d, &not_whole);
	if (why)
		diag_add(&d, "%s: %s", dev->path, why);
	check_fit(m, dev, &d);
	if (diag_err(&d, e) == 0)
		return 0;
	if (e)
		e->code = ERR_FAILED; /* the disk is at fault, not a configuration */
	return -1;
}

/* --- the question ------------------------------------------------------------------- */

static void show_partition(const struct partition *p, const struct device *d, int root)
{
	_cleanup_free_ char *label = device_label(d, root, p->number);
	char size[PROGRESS_SIZE_LEN];

	log_info("  partition %u: %s, %s%s%s%s%s", p->number,
		 progress_size(p->size, size), p->what ? p->what : p->type,
		 *p->name ? ", " : "", p->name, label ? ", labelled " : "",
		 label ? label : "");
}

/* Opens the disk again: the exclusive descriptor is for O_DIRECT. */
static void show_partitions(const struct device *d, int root)
{
	_cleanup_close_ int fd = open(d->path, O_RDONLY | O_CLOEXEC);
	_cleanup_ptable_ struct ptable t = {0};

	if (fd < 0 || ptable_read(&t, fd, d->size) < 0)
		log_info("  its partitions cannot be read");
	else if (t.fault)
		log_info("  a damaged GPT: %s", t.fault);
	else if (t.n == 0)
		log_info("  no partitions");
	for (size_t i = 0; i < t.n; i++)
		show_partition(&t.v[i], d, root);
}

static void show(const struct device *d, int root)
{
	char size[PROGRESS_SIZE_LEN];

	log_info("%s: %s, %s %s, %s, %s%s, sectors of %u bytes", d->path,
		 d->model ? d->model : "unknown model",
		 d->serial ? "serial number" : "no serial number, name", device_token(d),
		 progress_size(d->size, size), d->bus ? d->bus : "unknown bus",
		 d->removable ? ", removable" : "", d->sector);
	show_partitions(d, root);
}

/* Reads a line from standard input. Returns it without its newline, owned, or NULL at the
 * end. */
static char *read_answer(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n = getline(&line, &cap, stdin);

	if (n < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\r\n")] = '\0';
	return line;
}

static int confirm(const struct write_options *a, const struct device *d, struct err *e)
{
	const char *token = device_token(d), *what = d->serial ? "serial number" : "name";
	_cleanup_free_ char *answer = NULL;

	if (a->yes) {
		if (streq(a->serial, token))
			return 0;
		return err_set(e, ERR_FAILED, "%s: its %s is '%s', not '%s'", d->path,
			       what, token, a->serial);
	}
	if (!isatty(STDIN_FILENO))
		return err_set(
			e, ERR_USAGE,
			"write: standard input is not a terminal: give --yes --serial S "
			"with the %s of %s",
			what, d->path);
	log_prompt("All that is on %s will be lost. Type its %s to go on: ", d->path,
		   what);
	answer = read_answer();
	if (!answer || !streq(answer, token))
		return err_set(e, ERR_FAILED,
			       "%s: that is not its %s: nothing was written", d->path,
			       what);
	return 0;
}

/* --- writing ------------------------------------------------------------------------ */

/* A signal ends the work between two MiB, and leaves a disk that does not boot. */
static bool was_signalled(void *data)
{
	return signals_came(*(int *)data);
}

/* The bytes of the image, with the identifiers of the new medium. */
struct medium_source {
	struct disk_source from;
	struct medium_ids ids;
	uint64_t at;
};

static void medium_source_done(struct medium_source *s)
{
	disk_source_done(&s->from);
	medium_ids_done(&s->ids);
}
#define _cleanup_medium_source_ _cleanup_(medium_source_done)

static int read_image(void *data, void *buf, size_t len, struct err *e)
{
	struct medium_source *s = data;

	if (disk_source_read(&s->from, buf, len, e) < 0)
		return -1;
	medium_ids_apply(&s->ids, s->at, buf, len);
	s->at += len;
	return 0;
}

static int check_source(void *data, struct err *e)
{
	struct medium_source *s = data;

	return disk_source_check(&s->from, e);
}

static void print_result(const struct write_options *a, const struct disk_image *m,
			 const struct medium_ids *ids, const struct flash_stats *s,
			 uint64_t ms)
{
	char size[PROGRESS_SIZE_LEN], zero[PROGRESS_SIZE_LEN];
	_cleanup_free_ char *text = NULL;
	struct json j = {0};

	if (!a->json) {
		out_line("%s: %s written and compared in %llu.%llu s (%s of it were zero "
			 "already)",
			 a->device, progress_size(m->size, size),
			 (unsigned long long)(ms / 1000),
			 (unsigned long long)(ms % 1000 / 100),
			 progress_size(s->zero, zero));
		if (ids->n > 0)
			out_line("%s: boots as %s, which no other disk has", a->device,
				 ids->tag);
		return;
	}
	json_open(&j, NULL, '{');
	json_u64(&j, "format", 1);
	json_str(&j, "device", a->device);
	json_str(&j, "medium", *ids->tag ? ids->tag : NULL);
	json_u64(&j, "size", m->size);
	json_u64(&j, "written", s->written);
	json_u64(&j, "zero", s->zero);
	json_u64(&j, "ms", ms);
	json_close(&j, '}');
	text = json_take(&j);
	out_text(text);
}

/* Chooses the identifiers. Warns when two media of this image will have the same ones
 * although nobody asked for that. */
static int make_ids(struct medium_ids *ret, struct disk_image *m,
		    const struct write_options *a, struct err *e)
{
	if (a->raw)
		return 0;
	if (medium_ids_make(ret, m, a->keep_guids, e) < 0)
		return -1;
	if (*ret->tag && ret->n == 0 && !a->keep_guids)
		log_warn("%s: was made by an earlier rackstrap: every disk that it is "
			 "written to boots as %s; use one of them in a machine",
			 m->path, ret->tag);
	return 0;
}

static int write_image(const struct write_options *a, int root, struct err *e)
{
	_cleanup_blockdev_ struct blockdev b = {.fd = -1};
	_cleanup_disk_image_ struct disk_image m = DISK_IMAGE_INIT;
	_cleanup_medium_source_ struct medium_source from = {0};
	_cleanup_known_files_ struct known_digests known = KNOWN_FILES_INIT;
	struct flash_source source = {
		.data = &from, .read = read_image, .check = check_source};
	_cleanup_close_ int signals = -1;
	struct flash_stats stats;
	struct stat st;
	uint64_t start;

	known_files_open(&known, NULL);
	/* The device first: reading a large image takes a while. */
	if (blockdev_find(&b, root, a->device, e) < 0 ||
	    disk_image_open(&m, a->image, a->limit,
			    a->raw ? DISK_NEED_NONE : DISK_NEED_BOOT, e) < 0 ||
	    check(&m, &b.facts, e) < 0 || make_ids(&from.ids, &m, a, e) < 0 ||
	    disk_source_begin(&from.from, &m, &known, e) < 0 || blockdev_open(&b, e) < 0)
		return -1;
	if (fstat(m.file, &st) < 0)
		return err_errno(e, errno, "%s", a->image);
	if (blockdev_check_source(&b, &st, e) < 0)
		return -1;
	show(&b.facts, root);
	if (confirm(a, &b.facts, e) < 0)
		return -1;
	source.size = m.size;
	start = progress_now_ms();
	signals = signals_open(e);
	if (signals < 0 ||
	    flash_run(&b.target, &source, was_signalled, &signals, &stats, e) < 0)
		return -1;
	blockdev_reread(&b);
	print_result(a, &m, &from.ids, &stats, progress_now_ms() - start);
	return 0;
}

static int run_write(const struct command_line *line, struct err *e)
{
	_cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct write_options a = {
		.serial = command_arg(line, OPT_SERIAL, NULL),
		.yes = command_has(line, OPT_YES),
		.json = command_has(line, OPT_JSON),
		.raw = command_has(line, OPT_RAW),
		.keep_guids = command_has(line, OPT_KEEP_GUIDS),
	};

	if (a.yes != (a.serial != NULL))
		return err_set(e, ERR_USAGE,
			       "write: options '--yes' and '--serial S' go together: "
			       "without a question the serial number confirms the disk");
	if (line->n_args == 0 && !a.yes && !a.raw && !a.keep_guids &&
	    !command_has(line, OPT_LIMIT))
		return list(root, a.json, e);
	if (line->n_args < 2)
		return err_set(e, ERR_USAGE,
			       "write: missing argument %s (`rackstrap write` without "
			       "arguments lists the disks)",
			       line->n_args == 0 ? "IMAGE" : "DEVICE");
	if (limit_arg_parse(&a.limit, line, OPT_LIMIT, e) < 0)
		return -1;
	a.image = line->args[0];
	a.device = line->args[1];
	return write_image(&a, root, e);
}

static const struct command_option options[] = {
	{.name = "yes", .id = OPT_YES, .help = "do not ask"},
	{.name = "serial",
	 .arg = "S",
	 .id = OPT_SERIAL,
	 .help = "the disk's serial number, or its name when it has none"},
	LIMIT_OPTION(OPT_LIMIT),
	{.name = "raw",
	 .id = OPT_RAW,
	 .help = "write the file as it is, whatever it holds, and unpack nothing"},
	{.name = "keep-guids",
	 .id = OPT_KEEP_GUIDS,
	 .help = "give the disk the image's GUIDs or label instead of its own"},
	{.name = "json",
	 .id = OPT_JSON,
	 .help = "print the list, or the result, as JSON"},
	{.name = NULL},
};

const struct command command_write = {
	.name = "write",
	.synopsis = "IMAGE DEVICE [--yes --serial S] [--limit SIZE] [--raw] "
		    "[--keep-guids] [--json]\n"
		    "[--json]",
	.summary = "write an image to a disk or USB stick, or list the disks",
	.options = options,
	.operands = {{.name = "IMAGE", .kind = ARG_FILE, .help = "a disk image or ISO"},
		     {.name = "DEVICE",
		      .kind = ARG_FILE,
		      .help = "a whole disk, as in /dev/sdX; without arguments the disks "
			      "are listed"}},
	.min_args = 0,
	.max_args = 2,
	.run = run_write,
};
