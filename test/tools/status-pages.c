/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status-pages TREE SECONDS [TURNS]: writes http/status of the tree as `rackstrap serve`
 * does, at this time since the epoch. A report arrived at its file's modification time,
 * which a test can choose. With TURNS it makes the files as often and prints the
 * milliseconds that reading, one turn and one writing took, and the bytes of each file.
 */
#include "lib/log.h"
#include "pxe/status-files.h"
#include "pxe/status-json.h"
#include "pxe/status-metrics.h"
#include "pxe/status-page.h"

#include <stdio.h>
#include <time.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1000 + (double)t.tv_nsec / 1000000;
}

static void set_arrivals(struct tracker *t)
{
	for (size_t i = 0; i < t->status.n; i++) {
		struct status_host *h = &t->status.hosts[i];
		_cleanup_free_ char *path =
			xasprintf("%s/" TREE_REPORTS "/%s.json", t->dir, h->name);
		struct stat st;

		if (h->reported.tv_sec && lstat(path, &st) == 0)
			h->reported = st.st_mtim;
	}
}

static void print_sizes(const struct tracker *t, uint64_t now_ms)
{
	_cleanup_free_ char *page = status_page(t, now_ms, 60);
	_cleanup_free_ char *json = status_live_json(t, now_ms);
	_cleanup_free_ char *metrics = status_metrics(t, now_ms);

	printf("index.html %zu\nstatus.json %zu\nmetrics %zu\n", strlen(page),
	       strlen(json), strlen(metrics));
}

int main(int argc, char **argv)
{
	_cleanup_tree_info_ struct tree_info info = {0};
	_cleanup_tracker_ struct tracker t = {0};
	uint64_t now_s, turns = 0;
	struct err e = {0};
	double a, b;
	int r = 0;

	log_setup("status-pages", LOG_LEVEL_INFO);
	if (argc < 3 || str_to_u64(argv[2], UINT32_MAX, &now_s) < 0 ||
	    (argc > 3 && str_to_u64(argv[3], 1000, &turns) < 0))
		return 2;
	if (tree_info_read(&info, argv[1], &e) < 0) {
		log_error("%s", e.msg);
		return 1;
	}
	a = now();
	tracker_open(&t, argv[1], &info, now_s * 1000);
	set_arrivals(&t);
	if (turns > 0)
		printf("read %.1f\n", now() - a);
	a = now();
	for (uint64_t i = 0; i < turns; i++)
		(void)tracker_turn(&t, now_s * 1000);
	b = now();
	for (uint64_t i = 0; r == 0 && i < (turns ? turns : 1); i++)
		r = status_files_write(&t, now_s * 1000,
				       status_files_refresh_s(t.status.n));
	if (turns > 0) {
		printf("turn %.1f\nwrite %.1f\n", (b - a) / (double)turns,
		       (now() - b) / (double)turns);
		print_sizes(&t, now_s * 1000);
	}
	if (r < 0)
		log_error("%s", strerror(-r));
	return r < 0;
}
