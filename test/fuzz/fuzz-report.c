/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary text as a host's report. An accepted report appears in the table
 * without control characters, and in the JSON.
 */
#include "pxe/status.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct report *r)
{
	struct status_host host = {
		.name = (char *)"node-1",
		.role = (char *)"node",
		.verdict = streq(r->verdict, "ready")    ? STATUS_READY
			   : streq(r->verdict, "failed") ? STATUS_FAILED
							 : STATUS_STARTING,
		.report = *r,
		.reported = {.tv_sec = 1},
	};
	struct status s = {.rack = (char *)"fuzz", .hosts = &host, .n = 1};
	_cleanup_buf_ struct buf table = {0};
	_cleanup_free_ char *json = NULL;

	status_table(&s, 2, &table);
	for (size_t i = 0; i < table.len; i++)
		if (table.p[i] != '\n' && (unsigned char)table.p[i] < ' ')
			abort();
	json = status_json(&s, 2);
	if (!json || json[0] != '{')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_report_ struct report r = {0};
	struct err e = {0};

	if (report_parse(&r, (const char *)data, size, REPORT_LINES_MAX, &e) < 0) {
		if (!e.msg[0])
			abort();
		return 0;
	}
	if (!r.verdict)
		abort();
	show(&r);
	return 0;
}
