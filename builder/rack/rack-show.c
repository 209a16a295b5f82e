/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shows the result of a rack. The columns of times add up to TOTAL: PXE is the time
 * before the kernel started (firmware, DHCP, loading, and the boot loader's copying), the
 * others are the phases in the host's report, TOTAL is the time from power-on to the
 * report.
 */
#include "builder/rack/rack-run.h"

#include "lib/json.h"
#include "lib/log.h"
#include "pxe/table.h"

#define TAIL_LINES 15
#define NAMED_MAX  8

static const char *const states[] = {
	[MACHINE_PENDING] = "pending",
	[MACHINE_READY] = "ready",
	[MACHINE_FAILED] = "failed",
};

/* The columns before and after those of features. */
static const struct table_column first_columns[] = {
	{"HOST", false},
	{"ROLE", false},
	{"ADDRESS", false},
};
static const struct table_column last_columns[] = {
	{"PXE", true},       {"KERNEL", true}, {"INITRD", true}, {"SYSTEM", true},
	{"FIRSTBOOT", true}, {"UNITS", true},  {"TOTAL", true},  {"VERDICT", false},
};
#define COLUMNS_MAX (ARRAY_SIZE(first_columns) + FEATURE_COUNT + ARRAY_SIZE(last_columns))

/* The names of the phases in a report, in the columns' order. */
static const char *const phases[] = {"kernel", "initramfs", "system", "firstboot",
				     "units"};

static bool has_report(const struct machine *m)
{
	return m->status.report.verdict != NULL;
}

static uint64_t before_kernel_ms(const struct machine *m)
{
	uint64_t up = m->status.report.uptime_ms;

	return m->total_ms > up ? m->total_ms - up : 0;
}

static const struct report_phase *find_phase(const struct report *r, const char *name)
{
	for (size_t i = 0; i < r->n_phases; i++)
		if (streq(r->phases[i].name, name))
			return &r->phases[i];
	return NULL;
}

static void add_row(struct table *t, const bool used[static FEATURE_COUNT],
		    const struct machine *m)
{
	const struct tree_host *h = m->host;
	char addr[NET_ADDR_LEN];

	table_add(t, h->name);
	table_add(t, h->role);
	table_add(t, h->address.prefix ? net_format_addr(h->address.addr, addr)
				       : m->status.address);
	columns_add(t, used, &h->columns);
	if (has_report(m))
		table_add_seconds(t, before_kernel_ms(m));
	else
		table_add(t, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		const struct report_phase *p = find_phase(&m->status.report, phases[i]);

		if (p)
			table_add_seconds(t, p->ms);
		else
			table_add(t, NULL);
	}
	table_add_seconds(t, m->total_ms);
	table_add(t, states[m->state]);
}

char *rack_table(const struct rack_run *r)
{
	struct table_column columns[COLUMNS_MAX];
	_cleanup_table_ struct table t = {0};
	bool used[FEATURE_COUNT] = {false};
	_cleanup_buf_ struct buf b = {0};
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		columns_mark(used, &r->machines[i].host->columns);
	for (size_t i = 0; i < ARRAY_SIZE(first_columns); i++)
		columns[n++] = first_columns[i];
	n += columns_titles(used, columns + n);
	for (size_t i = 0; i < ARRAY_SIZE(last_columns); i++)
		columns[n++] = last_columns[i];
	table_init(&t, columns, n);
	for (size_t i = 0; i < r->n; i++)
		add_row(&t, used, &r->machines[i]);
	table_render(&t, &b);
	return buf_take(&b);
}

/* --- JSON -------------------------------------------------------------------------- */

static void json_machine(struct json *j, const struct machine *m)
{
	const struct report *r = &m->status.report;
	char addr[NET_ADDR_LEN];

	json_open(j, NULL, '{');
	json_str(j, "name", m->host->name);
	json_str(j, "role", m->host->role);
	json_str(j, "address",
		 m->host->address.prefix ? net_format_addr(m->host->address.addr, addr)
					 : m->status.address);
	columns_json(j, &m->host->columns);
	json_str(j, "accelerator", accel_name(m->vm.accel));
	json_str(j, "verdict", states[m->state]);
	json_str(j, "why", m->why);
	json_u64(j, "first_fetch_ms", m->first_ms);
	json_u64(j, "last_fetch_ms", m->last_ms);
	if (has_report(m))
		json_u64(j, "pxe_ms", before_kernel_ms(m));
	json_open(j, "phases", '[');
	for (size_t i = 0; i < r->n_phases; i++) {
		json_open(j, NULL, '{');
		json_str(j, "name", r->phases[i].name);
		json_u64(j, "ms", r->phases[i].ms);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_u64(j, "total_ms", m->total_ms);
	json_strv(j, "failed_units", r->failed_units);
	json_strv(j, "warnings", r->warnings);
	json_str(j, "console", m->console.path);
	json_close(j, '}');
}

char *rack_json(const struct rack_run *r)
{
	_cleanup_json_ struct json j = {0};

	json_open(&j, NULL, '{');
	json_u64(&j, "format", 1);
	json_str(&j, "rack", r->rack->name);
	json_str(&j, "image", r->image->name);
	json_strv(&j, "standins", r->image->standins);
	json_str(&j, "accelerator", accel_name(r->accel));
	json_str(&j, "firmware", r->uefi ? "uefi" : "bios");
	json_open(&j, "hosts", '[');
	for (size_t i = 0; i < r->n; i++)
		json_machine(&j, &r->machines[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	return json_take(&j);
}

/* --- for people -------------------------------------------------------------------- */

static void print_last_lines(const struct machine *m)
{
	char *const *lines = m->status.report.last_lines;

	if (strv_len(lines) == 0)
		return;
	log_info("%s: the last lines of its units:", m->host->name);
	for (size_t i = 0; lines[i]; i++)
		log_info("    %s", lines[i]);
}

void rack_log_problems(const struct rack_run *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct machine *m = &r->machines[i];
		char *const *warnings = m->status.report.warnings;
		_cleanup_strv_ char **tail = NULL;

		for (size_t k = 0; warnings && warnings[k]; k++)
			log_warn("%s: %s", m->host->name, warnings[k]);
		if (m->state != MACHINE_FAILED)
			continue;
		log_error("%s: %s", m->host->name, m->why);
		print_last_lines(m);
		tail = console_tail(m->console.path, TAIL_LINES);
		log_info("%s: the end of %s:", m->host->name, m->console.path);
		for (size_t k = 0; tail && tail[k]; k++)
			log_info("    %s", tail[k]);
		if (!tail)
			log_info("    (nothing)");
	}
}

void rack_log_access(const struct rack_run *r)
{
	log_info("the rack keeps running; Ctrl-C ends it. To look into it:");
	log_info("    consoles   %s/log/NAME.console", r->dir);
	log_info("    QMP        %s/run/NAME.qmp", r->dir);
	log_info("    log in     rackstrap ssh %s %s", r->dir, r->machines[0].host->name);
}

int rack_result(const struct rack_run *r, struct err *e)
{
	_cleanup_buf_ struct buf b = {0};
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->machines[i].state == MACHINE_READY)
			continue;
		if (++n <= NAMED_MAX)
			buf_printf(&b, "%s%s", n > 1 ? ", " : "",
				   r->machines[i].host->name);
	}
	if (n == 0)
		return 0;
	return err_set(e, ERR_FAILED, "%zu of %zu host%s %s not ready: %s%s", n, r->n,
		       r->n == 1 ? "" : "s", n == 1 ? "is" : "are", b.p,
		       n > NAMED_MAX ? ", ..." : "");
}
