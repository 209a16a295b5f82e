/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hosts of a tree come from tree.cfg, so a host that never reported is in the table
 * too; for a folder of reports, only hosts with a report are. A report is not trusted:
 * its file must be a regular one, the host name in it must be that of its file, and it is
 * never used in a path.
 *
 * The host chooses the file's modification time: nginx sets it from the Date: header of
 * the request. Its birth time (statx(2)) is that of the request: nginx makes a file for
 * each. Where the file system has none, the change time is used, which is later if the
 * file was linked into another tree since.
 *
 * Phases become columns in the order of the first report that has them; a host without
 * such a phase gets "-".
 */
#include "pxe/status.h"

#include "lib/dir.h"
#include "lib/file.h"
#include "lib/text.h"
#include "lib/url.h"
#include "pxe/table.h"
#include "pxe/tree-swap.h"

#define REPORT_MAX (64 * 1024)
#define WHY_MAX    2000 /* bytes of the reason in a report that are shown */

/* --- reading ---------------------------------------------------------------------- */

static void broken(struct status_host *h, const char *why)
{
	h->verdict = STATUS_BROKEN;
	free(h->why);
	h->why = xstrdup(why);
}

/* Returns the reason in a report as it is shown. Owned by the caller. */
static char *shown_why(const char *why)
{
	char *text = xstrdup(why ? why : "no reason given");

	url_strip_secrets(text); /* before it is cut: it may be cut in a password */
	if (strlen(text) > WHY_MAX)
		memcpy(text + WHY_MAX - 3, "...", 4);
	return text;
}

static void parse(struct status_host *h, const char *text, size_t len, size_t max_lines)
{
	struct err e = {0};

	if (report_parse(&h->report, text, len, max_lines, &e) < 0) {
		broken(h, e.msg);
		return;
	}
	if (h->report.host && !streq(h->report.host, h->name)) {
		_cleanup_free_ char *shown = xstrndup(h->report.host, 64);
		_cleanup_free_ char *why = xasprintf("the report is of host '%s'", shown);

		broken(h, why);
		report_done(&h->report);
		return;
	}
	h->verdict = streq(h->report.verdict, "ready")    ? STATUS_READY
		     : streq(h->report.verdict, "failed") ? STATUS_FAILED
							  : STATUS_STARTING;
	if (h->verdict == STATUS_FAILED)
		h->why = shown_why(h->report.why);
}

/* Returns when the file was made, or when it was last changed. */
static struct timespec arrival(int dirfd, const char *path, const struct stat *st)
{
	struct timespec t;

	return file_birth_at(dirfd, path, &t) < 0 ? st->st_ctim : t;
}

static void read_report(struct status_host *h, int dirfd, size_t max_lines)
{
	_cleanup_free_ char *path = xasprintf("%s.json", h->name), *text = NULL;
	struct stat st;
	size_t len = 0;
	int r;

	if (fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			broken(h, strerror(errno));
		return;
	}
	h->reported = arrival(dirfd, path, &st);
	r = file_read_foreign_at(dirfd, path, REPORT_MAX, &text, &len);
	if (r < 0)
		broken(h, file_strerror(r));
	else
		parse(h, text, len, max_lines);
}

bool report_changed(struct report_id *id, const char *dir, const char *host)
{
	_cleanup_free_ char *path = xasprintf("%s/" TREE_REPORTS "/%s.json", dir, host);
	struct stat st;
	bool same;

	if (lstat(path, &st) < 0)
		return false;
	same = id->ino == st.st_ino && id->size == st.st_size &&
	       id->changed.tv_sec == st.st_ctim.tv_sec &&
	       id->changed.tv_nsec == st.st_ctim.tv_nsec;
	*id = (struct report_id){
		.ino = st.st_ino, .size = st.st_size, .changed = st.st_ctim};
	return !same;
}

static char *addr_text(struct cidr c)
{
	char text[NET_ADDR_LEN];

	return c.prefix ? xstrdup(net_format_addr(c.addr, text)) : NULL;
}

/* Returns a report's address without its prefix, or NULL. Owned by the caller. */
static char *reported_address(const struct report *r)
{
	return r->address ? xstrndup(r->address, strcspn(r->address, "/")) : NULL;
}

void status_load_host(struct status_host *ret, const char *dir, const struct tree_host *h,
		      size_t max_lines)
{
	_cleanup_free_ char *path = xasprintf("%s/" TREE_REPORTS, dir);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*ret = (struct status_host){
		.name = xstrdup(h->name),
		.role = xstrdup(h->role),
		.address = addr_text(h->address),
	};
	columns_copy(&ret->columns, &h->columns);
	if (fd >= 0)
		read_report(ret, fd, max_lines);
	else if (errno != ENOENT)
		broken(ret, strerror(errno));
	if (!ret->address)
		ret->address = reported_address(&ret->report); /* by DHCP */
}

static int load_tree(struct status *s, const char *dir, struct err *e)
{
	_cleanup_tree_info_ struct tree_info info = {0};

	if (tree_info_read(&info, dir, e) < 0)
		return -1;
	s->rack = xstrdup(info.name);
	s->hosts = xcalloc(info.n_hosts + 1, sizeof(*s->hosts));
	for (size_t i = 0; i < info.n_hosts; i++)
		status_load_host(&s->hosts[s->n++], dir, &info.hosts[i], 0);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(((const struct status_host *)a)->name,
			  ((const struct status_host *)b)->name);
}

static int load_folder(struct status *s, const char *dir, struct err *e)
{
	_cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_strv_ char **names = NULL;
	int r = fd < 0 ? -errno : dir_names_at(fd, ".", &names);

	if (r < 0 && r != -ENOTDIR)
		return err_errno(e, r, "%s", dir);
	for (size_t i = 0; names && names[i]; i++) {
		struct status_host *h;

		if (!str_ends(names[i], ".json") || names[i][0] == '.')
			continue;
		s->hosts = xgrow(s->hosts, s->n, sizeof(*s->hosts));
		h = &s->hosts[s->n++];
		*h = (struct status_host){
			.name = xstrndup(names[i], strlen(names[i]) - strlen(".json")),
		};
		read_report(h, fd, 0);
		h->role = xstrdup(h->report.role);
		h->address = reported_address(&h->report);
		columns_copy(&h->columns, &h->report.columns);
	}
	if (s->n == 0)
		return err_set(
			e, ERR_FAILED,
			"%s is neither a boot tree nor a rack's folder nor a folder with "
			"reports",
			dir);
	qsort(s->hosts, s->n, sizeof(*s->hosts), by_name);
	return 0;
}

int status_load(struct status *ret, const char *dir, struct err *e)
{
	_cleanup_free_ char *tree = xasprintf("%s/tree", dir);
	int r;

	*ret = (struct status){0};
	if (tree_is(dir))
		r = load_tree(ret, dir, e);
	else if (tree_is(tree)) /* the folder of a rack */
		r = load_tree(ret, tree, e);
	else
		r = load_folder(ret, dir, e);
	if (r < 0)
		status_done(ret);
	return r;
}

void status_host_done(struct status_host *h)
{
	free(h->name);
	free(h->role);
	free(h->address);
	columns_done(&h->columns);
	free(h->why);
	report_done(&h->report);
}

void status_done(struct status *s)
{
	for (size_t i = 0; i < s->n; i++)
		status_host_done(&s->hosts[i]);
	free(s->hosts);
	free(s->rack);
	*s = (struct status){0};
}

/* --- showing ---------------------------------------------------------------------- */

static const char *const verdicts[] = {
	[STATUS_SILENT] = "silent", [STATUS_STARTING] = "starting",
	[STATUS_READY] = "ready",   [STATUS_FAILED] = "failed",
	[STATUS_BROKEN] = "broken",
};

const char *status_verdict_name(enum status_verdict v)
{
	return verdicts[v];
}

/* Collects the names of the phases that occur, in order. They belong to the reports. */
static size_t phase_names(const struct status *s,
			  const char *out[static STATUS_PHASES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct report *r = &s->hosts[i].report;

		for (size_t k = 0; k < r->n_phases && n < STATUS_PHASES_MAX; k++) {
			size_t at = 0;

			while (at < n && !streq(out[at], r->phases[k].name))
				at++;
			if (at == n)
				out[n++] = r->phases[k].name;
		}
	}
	return n;
}

char *status_phase_title(const char *name)
{
	char *title = xstrdup(streq(name, "initramfs") ? "initrd" : name);

	for (char *s = title; *s; s++)
		if (*s >= 'a' && *s <= 'z')
			*s = (char)(*s - 'a' + 'A');
	return title;
}

static void add_phase(struct table *t, const struct report *r, const char *name)
{
	for (size_t k = 0; k < r->n_phases; k++)
		if (streq(r->phases[k].name, name)) {
			table_add_seconds(t, r->phases[k].ms);
			return;
		}
	table_add(t, NULL);
}

/* Adds the time since `then`, like "5 s", "3 min", "2 h" or "4 d". */
static void add_age(struct table *t, time_t then, time_t now)
{
	long long s = now > then ? (long long)(now - then) : 0;

	if (then == 0)
		table_add(t, NULL);
	else if (s < 120)
		table_addf(t, "%lld s", s);
	else if (s < 2 * 3600)
		table_addf(t, "%lld min", s / 60);
	else if (s < 48 * 3600)
		table_addf(t, "%lld h", s / 3600);
	else
		table_addf(t, "%lld d", s / 86400);
}

static void add_host(struct table *t, const struct status_host *h,
		     const bool used[static FEATURE_COUNT], const char *const *phases,
		     size_t n_phases, time_t now)
{
	table_add(t, h->name);
	table_add(t, h->role);
	table_add(t, h->address);
	columns_add(t, used, &h->columns);
	for (size_t k = 0; k < n_phases; k++)
		add_phase(t, &h->report, phases[k]);
	if (h->report.verdict)
		table_add_seconds(t, h->report.uptime_ms);
	else
		table_add(t, NULL);
	table_add(t, verdicts[h->verdict]);
	add_age(t, h->reported.tv_sec, now);
}

static void add_remarks(const struct status_host *h, struct buf *out)
{
	if (h->why)
		text_line(out, "%s: %s", h->name, h->why);
	for (char *const *w = h->report.warnings; w && *w; w++)
		text_line(out, "%s: warning: %s", h->name, *w);
}

void status_table(const struct status *s, time_t now, struct buf *out)
{
	struct table_column columns[6 + FEATURE_COUNT + STATUS_PHASES_MAX] = {
		{"HOST", false}, {"ROLE", false}, {"ADDRESS", false}};
	bool used[FEATURE_COUNT] = {false};
	_cleanup_table_ struct table t = {0};
	char *titles[STATUS_PHASES_MAX];
	const char *phases[STATUS_PHASES_MAX];
	size_t n = 3, n_phases = phase_names(s, phases);

	for (size_t i = 0; i < s->n; i++)
		columns_mark(used, &s->hosts[i].columns);
	n += columns_titles(used, columns + n);
	for (size_t k = 0; k < n_phases; k++)
		columns[n++] = (struct table_column){
			titles[k] = status_phase_title(phases[k]), true};
	columns[n++] = (struct table_column){"UPTIME", true};
	columns[n++] = (struct table_column){"VERDICT", false};
	columns[n++] = (struct table_column){"AGE", true};
	table_init(&t, columns, n);
	for (size_t i = 0; i < s->n; i++)
		add_host(&t, &s->hosts[i], used, phases, n_phases, now);
	table_render(&t, out);
	for (size_t k = 0; k < n_phases; k++)
		free(titles[k]);
	for (size_t i = 0; i < s->n; i++)
		add_remarks(&s->hosts[i], out);
}

int status_verdict(const struct status *s, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct status_host *h = &s->hosts[i];

		if (h->verdict == STATUS_READY)
			continue;
		n++;
		if (n <= 8)
			buf_printf(&b, "%s%s (%s)", n > 1 ? ", " : "", h->name,
				   h->verdict == STATUS_SILENT ? "no report"
							       : verdicts[h->verdict]);
	}
	if (n == 0)
		return 0;
	return err_set(e, ERR_FAILED, "%zu of %zu hosts %s not ready: %s%s", n, s->n,
		       n == 1 ? "is" : "are", b.p, n > 8 ? ", ..." : "");
}
