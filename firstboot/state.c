/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records are libconfig files like all others here. Times are strings, because
 * libconfig's integers have 32 bits, which milliseconds exceed after 25 days.
 */
#include "firstboot/state.h"
#include "firstboot/model/conf.h"
#include "lib/log.h"
#include "lib/root.h"

/* Reads a record. Returns NULL when it is absent, or damaged, which is logged. */
static struct conf *read_conf(const struct firstboot *fb, const char *path)
{
	_cleanup_diag_ struct diag d = {0};
	struct conf *c = NULL;

	if (root_access(fb->rootfd, path) < 0)
		return NULL;
	if (conf_read_root(&c, fb->rootfd, path, path, CONF_MAX, &d) == 0)
		return c;
	log_diag(LOG_LEVEL_WARN, &d);
	return NULL;
}

static char *get_str(const struct conf *c, const char *key)
{
	const char *s = NULL;

	return c && conf_get_str(conf_root(c), key, &s, NULL) > 0 ? xstrdup(s) : NULL;
}

/* Returns a time, which is a number in files of the boot script and a string in those of
 * firstboot; 0 when there is none. */
static uint64_t get_ms(const struct conf *c, const char *key)
{
	_cleanup_free_ char *text = get_str(c, key);
	uint64_t ms = 0;
	int i = 0;

	if (text)
		return str_to_u64(text, UINT64_MAX, &ms) == 0 ? ms : 0;
	if (c && conf_get_int(conf_root(c), key, 0, INT32_MAX, &i, NULL) > 0)
		return (uint64_t)i;
	return 0;
}

static void append_str(struct buf *b, const char *key, const char *value)
{
	if (!value)
		return;
	buf_printf(b, "%s = ", key);
	conf_quote(b, value);
	buf_puts(b, ";\n");
}

static void append_ms(struct buf *b, const char *key, uint64_t ms)
{
	buf_printf(b, "%s = \"%llu\";\n", key, (unsigned long long)ms);
}

int run_file_write(const struct firstboot *fb, const char *path, const char *text,
		   mode_t mode, struct err *e)
{
	int r = root_mkdir_p(fb->rootfd, RUN_DIR, 0755);

	if (r == 0)
		r = root_write(fb->rootfd, path, text, strlen(text), mode);
	return r < 0 ? root_err(e, r, fb->rootfd, path) : 0;
}

/* --- the boot --------------------------------------------------------------------- */

void boot_info_read(struct boot_info *ret, const struct firstboot *fb)
{
	_cleanup_conf_ struct conf *boot = read_conf(fb, BOOT_CFG);
	_cleanup_conf_ struct conf *image = read_conf(fb, IMAGE_CFG);

	*ret = (struct boot_info){
		.image = get_str(image, "name"),
		.root_sha256 = get_str(boot, "root_sha256"),
		.state = get_str(boot, "state"),
		.initramfs_start_ms = get_ms(boot, "initramfs_start_ms"),
		.initramfs_end_ms = get_ms(boot, "initramfs_end_ms"),
	};
	if (root_read(fb->rootfd, "proc/sys/kernel/random/boot_id", 64, &ret->boot_id,
		      NULL) == 0)
		ret->boot_id[strcspn(ret->boot_id, "\n")] = '\0';
	if (boot)
		(void)!conf_get_strv(conf_root(boot), "warnings", &ret->warnings, NULL);
}

void boot_info_done(struct boot_info *b)
{
	free(b->image);
	free(b->root_sha256);
	free(b->boot_id);
	free(b->state);
	strv_free(b->warnings);
	*b = (struct boot_info){0};
}

/* --- apply ------------------------------------------------------------------------ */

int applied_write(const struct applied *a, const struct firstboot *fb, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};

	append_str(&b, "verdict", a->ok ? "applied" : "failed");
	conf_append_strv(&b, "errors", a->errors);
	conf_append_strv(&b, "warnings", a->warnings);
	append_str(&b, "uplink", a->uplink);
	append_ms(&b, "start_ms", a->start_ms);
	append_ms(&b, "end_ms", a->end_ms);
	return run_file_write(fb, APPLY_CFG, b.p, 0644, e);
}

void applied_read(struct applied *ret, const struct firstboot *fb)
{
	_cleanup_conf_ struct conf *c = read_conf(fb, APPLY_CFG);
	_cleanup_free_ char *verdict = get_str(c, "verdict");

	*ret = (struct applied){
		.there = verdict != NULL,
		.ok = verdict && streq(verdict, "applied"),
		.uplink = get_str(c, "uplink"),
		.start_ms = get_ms(c, "start_ms"),
		.end_ms = get_ms(c, "end_ms"),
	};
	if (c) {
		(void)!conf_get_strv(conf_root(c), "errors", &ret->errors, NULL);
		(void)!conf_get_strv(conf_root(c), "warnings", &ret->warnings, NULL);
	}
}

void applied_done(struct applied *a)
{
	strv_free(a->errors);
	strv_free(a->warnings);
	free(a->uplink);
	*a = (struct applied){0};
}

/* --- report ----------------------------------------------------------------------- */

int verdict_write(const struct verdict *v, const struct firstboot *fb, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};

	append_str(&b, "verdict", v->ready ? "ready" : "failed");
	append_str(&b, "why", v->why);
	append_ms(&b, "uptime_ms", v->uptime_ms);
	return run_file_write(fb, REPORT_CFG, b.p, 0644, e);
}

void verdict_read(struct verdict *ret, const struct firstboot *fb)
{
	_cleanup_conf_ struct conf *c = read_conf(fb, REPORT_CFG);
	_cleanup_free_ char *verdict = get_str(c, "verdict");

	*ret = (struct verdict){
		.ready = verdict && streq(verdict, "ready"),
		.why = get_str(c, "why"),
		.uptime_ms = get_ms(c, "uptime_ms"),
	};
}

void verdict_done(struct verdict *v)
{
	free(v->why);
	*v = (struct verdict){0};
}

/* --- phases ----------------------------------------------------------------------- */

size_t phases_make(const struct boot_info *b, const struct applied *a, uint64_t end_ms,
		   struct phase out[static PHASES_MAX])
{
	const struct {
		const char *name;
		uint64_t end;
	} ends[PHASES_MAX] = {
		{"kernel", b->initramfs_start_ms},
		{"initramfs", b->initramfs_end_ms},
		{"system", a->start_ms},
		{"firstboot", a->end_ms},
		{"units", end_ms},
	};
	uint64_t last = 0;
	size_t n = 0;

	for (size_t i = 0; i < PHASES_MAX; i++) {
		if (ends[i].end == 0 || ends[i].end < last)
			continue; /* not known: its time is part of the next one */
		out[n++] = (struct phase){.name = ends[i].name, .ms = ends[i].end - last};
		last = ends[i].end;
	}
	return n;
}
