/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base units, names and suffixes are those that Prometheus recommends. A time is a
 * timestamp, not an age, which would be wrong as soon as it was written: "time() -
 * rackstrap_host_report_timestamp_seconds" is the age of a report.
 */
#include "pxe/status-metrics.h"

#include "lib/clock.h"
#include "lib/escape.h"

static void append_head(struct buf *b, const char *name, const char *type,
			const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void append_label(struct buf *b, const char *name, const char *value)
{
	buf_printf(b, "%s=\"", name);
	escape_label(b, value ? value : "");
	buf_puts(b, "\"");
}

/* Appends a time in seconds, from milliseconds. */
static void append_seconds(struct buf *b, uint64_t ms)
{
	buf_printf(b, " %llu.%03llu\n", (unsigned long long)(ms / 1000),
		   (unsigned long long)(ms % 1000));
}

static void append_rack(struct buf *b, const struct tracker *t, uint64_t now_ms)
{
	append_head(b, "rackstrap_rack_info", "gauge",
		    "The rack that this boot server serves, and its image.");
	buf_puts(b, "rackstrap_rack_info{");
	append_label(b, "rack", t->status.rack);
	buf_puts(b, ",");
	append_label(b, "image", t->info->image);
	buf_puts(b, "} 1\n");
	append_head(b, "rackstrap_status_timestamp_seconds", "gauge",
		    "When these metrics were written.");
	buf_puts(b, "rackstrap_status_timestamp_seconds");
	append_seconds(b, now_ms);
	append_head(b, "rackstrap_start_timestamp_seconds", "gauge",
		    "When the boot server began to count requests.");
	buf_puts(b, "rackstrap_start_timestamp_seconds");
	append_seconds(b, t->opened_ms);
}

static void append_states(struct buf *b, const struct tracker *t)
{
	size_t n[TRACKER_STATES];

	tracker_count(t, n);
	append_head(b, "rackstrap_hosts", "gauge",
		    "Hosts of the rack by what they do now.");
	for (size_t i = 0; i < TRACKER_STATES; i++)
		buf_printf(b, "rackstrap_hosts{state=\"%s\"} %zu\n",
			   tracker_state_name((enum tracker_state)i), n[i]);
}

static void append_host_label(struct buf *b, const char *metric,
			      const struct status_host *h)
{
	buf_printf(b, "%s{", metric);
	append_label(b, "host", h->name);
}

static void append_verdicts(struct buf *b, const struct tracker *t)
{
	append_head(b, "rackstrap_host_ready", "gauge",
		    "1 for a host that is ready, else 0.");
	for (size_t i = 0; i < t->status.n; i++) {
		const struct status_host *h = &t->status.hosts[i];

		append_host_label(b, "rackstrap_host_ready", h);
		buf_puts(b, ",");
		append_label(b, "role", h->role);
		buf_printf(b, "} %d\n", tracker_state(t, i) == TRACKER_READY);
	}
}

static void append_reports(struct buf *b, const struct tracker *t)
{
	append_head(b, "rackstrap_host_report_timestamp_seconds", "gauge",
		    "When the last report of a host arrived.");
	for (size_t i = 0; i < t->status.n; i++) {
		const struct status_host *h = &t->status.hosts[i];

		if (!h->reported.tv_sec)
			continue;
		append_host_label(b, "rackstrap_host_report_timestamp_seconds", h);
		buf_puts(b, "}");
		append_seconds(b, timespec_ms(h->reported));
	}
}

/* Appends one phase of the host, unless an earlier one has its name: a series may occur
 * once. */
static void append_phase(struct buf *b, const struct status_host *h, size_t k)
{
	const struct report_phase *p = h->report.phases;

	for (size_t i = 0; i < k; i++)
		if (streq(p[i].name, p[k].name))
			return;
	append_host_label(b, "rackstrap_host_phase_seconds", h);
	buf_puts(b, ",");
	append_label(b, "phase", p[k].name);
	buf_puts(b, "}");
	append_seconds(b, p[k].ms);
}

static void append_phases(struct buf *b, const struct tracker *t)
{
	append_head(b, "rackstrap_host_phase_seconds", "gauge",
		    "How long each phase of a host's last boot took, by its report.");
	for (size_t i = 0; i < t->status.n; i++) {
		const struct report *r = &t->status.hosts[i].report;

		for (size_t k = 0; k < r->n_phases && k < STATUS_PHASES_MAX; k++)
			append_phase(b, &t->status.hosts[i], k);
	}
	append_head(b, "rackstrap_host_boot_seconds", "gauge",
		    "From a host's kernel to the verdict of its last report.");
	for (size_t i = 0; i < t->status.n; i++) {
		const struct status_host *h = &t->status.hosts[i];

		if (h->verdict != STATUS_READY && h->verdict != STATUS_FAILED)
			continue;
		append_host_label(b, "rackstrap_host_boot_seconds", h);
		buf_puts(b, "}");
		append_seconds(b, h->report.uptime_ms);
	}
}

static void append_requests(struct buf *b, const struct tracker *t)
{
	static const char *const kinds[TRACKER_KINDS] = {
		[TRACKER_SCRIPT] = "boot_script",
		[TRACKER_HOST_FILE] = "host_file",
		[TRACKER_IMAGE] = "image",
		[TRACKER_REPORT] = "report",
	};

	append_head(
		b, "rackstrap_http_requests_total", "counter",
		"Requests of hosts, by what they are for and how they were answered.");
	for (size_t i = 0; i < TRACKER_KINDS; i++) {
		const struct tracker_count *c = &t->counts[i];

		buf_printf(
			b,
			"rackstrap_http_requests_total{kind=\"%s\",result=\"ok\"} %llu\n"
			"rackstrap_http_requests_total{kind=\"%s\",result=\"refused\"} "
			"%llu\n",
			kinds[i], (unsigned long long)c->ok, kinds[i],
			(unsigned long long)c->refused);
	}
	append_head(b, "rackstrap_http_response_bytes_total", "counter",
		    "Bytes of the answers, without their headers.");
	for (size_t i = 0; i < TRACKER_KINDS; i++)
		buf_printf(b, "rackstrap_http_response_bytes_total{kind=\"%s\"} %llu\n",
			   kinds[i], (unsigned long long)t->counts[i].bytes);
}

char *status_metrics(const struct tracker *t, uint64_t now_ms)
{
	struct buf b = {0};

	append_rack(&b, t, now_ms);
	append_states(&b, t);
	append_verdicts(&b, t);
	append_reports(&b, t);
	append_phases(&b, t);
	append_requests(&b, t);
	return buf_take(&b);
}
