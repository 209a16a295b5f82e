/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pxe/tracker.h: what a host does, by the logs and reports that the test writes. Without
 * servers.
 */
#include "pxe/tracker-parts.h"

#include "test-pxe-image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

#define IMAGE "/images/1a-2b"

struct fixture {
	char *dir;
	struct tree_info info;
	struct tracker t;
};

/* The present: reports arrive when they are written. */
static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void make_folder(const struct fixture *f, const char *path)
{
	_cleanup_free_ char *full = xasprintf("%s/%s", f->dir, path);

	assert_int_equal(mkdir_p_at(AT_FDCWD, full, 0755), 0);
}

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err e = {0};

	f->dir = make_scratch();
	make_folder(f, TREE_REPORTS);
	make_folder(f, "http" IMAGE);
	make_folder(f, "run");
	write_text(f->dir, TREE_INFO,
		   "version = 1; rack = \"r\"; image = \"i\"; boot_server = \"10.0.0.1\";"
		   "http_port = 80; proxy_dhcp = false; hosts = ("
		   "{ name = \"a\"; role = \"node\"; mac = \"02:00:00:00:00:0a\"; "
		   "address = \"10.0.0.10/24\"; },"
		   "{ name = \"b\"; role = \"node\"; mac = \"02:00:00:00:00:0b\"; });");
	write_text(f->dir, "http" IMAGE "/vmlinuz", "0123456789");
	write_text(f->dir, "http" IMAGE "/initrd.img", "01234567890123456789");
	write_text(f->dir, "http" IMAGE "/root.cpio",
		   "0123456789012345678901234567890123456789012345678901234567890123456"
		   "789");
	write_text(f->dir, TREE_ACCESS_LOG, "");
	write_text(f->dir, "run/dnsmasq.log", "");
	if (tree_info_read(&f->info, f->dir, &e) < 0)
		fail_msg("%s", e.msg);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	tracker_done(&f->t);
	tree_info_done(&f->info);
	rm_rf_p(&f->dir);
	free(f);
	return 0;
}

static void open_tracker(struct fixture *f)
{
	tracker_done(&f->t);
	tracker_open(&f->t, f->dir, &f->info, now_ms());
	f->t.next_look_ms = UINT64_MAX; /* this machine's connections do not matter */
}

static void append(const struct fixture *f, const char *path, const char *line)
{
	_cleanup_free_ char *full = xasprintf("%s/%s", f->dir, path);
	_cleanup_close_ int fd = open(full, O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_int_equal(write_all(fd, line, strlen(line)), 0);
}

/* Appends a request that ended at this time. */
static void request_at(const struct fixture *f, uint64_t ms, const char *addr,
		       const char *request, unsigned status, unsigned bytes)
{
	_cleanup_free_ char *line =
		xasprintf("%llu.%03llu %s \"%s HTTP/1.1\" %u %u 0.001\n",
			  (unsigned long long)ms / 1000, (unsigned long long)ms % 1000,
			  addr, request, status, bytes);

	append(f, TREE_ACCESS_LOG, line);
}

/* Does that now, and takes a turn. */
static void request(struct fixture *f, const char *addr, const char *what,
		    unsigned status, unsigned bytes)
{
	request_at(f, now_ms(), addr, what, status, bytes);
	(void)tracker_turn(&f->t, now_ms());
}

#define SCRIPT_A "GET /hosts/02-00-00-00-00-0a.ipxe"
#define SCRIPT_B "GET /hosts/02-00-00-00-00-0b.ipxe"
#define ADDR_A   "10.0.0.10"

/* Writes a report as nginx does, which renames it, and its line in the log. */
static void put(struct fixture *f, const char *host, const char *verdict, const char *why)
{
	_cleanup_free_ char *new = xasprintf("%s/" TREE_REPORTS "/new", f->dir);
	_cleanup_free_ char *path =
		xasprintf("%s/" TREE_REPORTS "/%s.json", f->dir, host);
	_cleanup_free_ char *what = xasprintf("PUT /report/%s.json", host);
	_cleanup_free_ char *text =
		xasprintf("{\"format\":1,\"host\":\"%s\",\"verdict\":\"%s\",\"why\":%s,"
			  "\"generation\":0,\"uptime_ms\":5,\"phases\":[],\"units\":[]}",
			  host, verdict, why);

	/* Later than the request before by the clock of file systems. */
	usleep(20000);
	write_text(f->dir, TREE_REPORTS "/new", text);
	assert_int_equal(rename(new, path), 0);
	request(f, ADDR_A, what, 204, 0);
}

static void expect(const struct fixture *f, size_t host, const char *want)
{
	_cleanup_free_ char *text = tracker_text(&f->t, host, now_ms());

	assert_string_equal(text, want);
}

static void a_boot_goes_through_its_states(void **state)
{
	struct fixture *f = *state;
	uint64_t changes;

	open_tracker(f);
	expect(f, 0, "silent");
	assert_int_equal(tracker_heard_ms(&f->t, 0), 0);
	changes = f->t.changes;
	request(f, ADDR_A, SCRIPT_A, 200, 900);
	assert_true(f->t.changes > changes);
	expect(f, 0, "asked");
	request(f, ADDR_A, "GET " IMAGE "/vmlinuz", 200, 10);
	expect(f, 0, "loading 10 %");
	request(f, ADDR_A, "GET " IMAGE "/initrd.img", 200, 20);
	expect(f, 0, "loading 30 %");
	request(f, ADDR_A, "GET " IMAGE "/root.cpio", 200, 70);
	expect(f, 0, "kernel");
	put(f, "a", "starting", "null");
	expect(f, 0, "units");
	put(f, "a", "failed", "\"a.service\"");
	expect(f, 0, "failed: a.service");
	put(f, "a", "ready", "null");
	expect(f, 0, "ready");
	changes = f->t.changes;
	(void)tracker_turn(&f->t, now_ms());
	assert_int_equal(f->t.changes, changes);
	usleep(20000);
	request(f, ADDR_A, SCRIPT_A, 200, 900); /* it boots again */
	expect(f, 0, "asked");
	expect(f, 1, "silent");
}

/* A tracker that is opened later knows the same. */
static void history_is_read(void **state)
{
	struct fixture *f = *state;

	request_at(f, now_ms() - 5000, ADDR_A, SCRIPT_A, 200, 900);
	request_at(f, now_ms() - 4000, ADDR_A, "GET " IMAGE "/vmlinuz", 200, 10);
	open_tracker(f);
	expect(f, 0, "loading 10 %");
	assert_int_equal(f->t.counts[TRACKER_SCRIPT].ok, 0);
	put(f, "a", "ready", "null");
	open_tracker(f);
	expect(f, 0, "ready");
}

static void a_cut_download_does_not_count_as_the_image(void **state)
{
	struct fixture *f = *state;

	open_tracker(f);
	request(f, ADDR_A, SCRIPT_A, 200, 900);
	request(f, ADDR_A, "GET " IMAGE "/root.cpio", 200, 69);
	expect(f, 0, "loading 69 %");
	request(f, ADDR_A, "GET " IMAGE "/root.cpio", 200, 69);
	expect(f, 0, "loading 99 %");
}

/* pxelinux loads its script by TFTP. */
static void a_boot_without_a_script_begins_with_the_kernel(void **state)
{
	struct fixture *f = *state;

	open_tracker(f);
	put(f, "a", "ready", "null");
	usleep(20000);
	request(f, ADDR_A, "GET " IMAGE "/vmlinuz", 200, 10);
	expect(f, 0, "loading 10 %");
	request(f, ADDR_A, "GET " IMAGE "/root.cpio", 200, 70);
	expect(f, 0, "kernel");
	put(f, "a", "ready", "null");
	expect(f, 0, "ready");
}

/* iPXE begins again when a file could not be loaded. */
static void a_repeated_boot_loads_from_the_beginning(void **state)
{
	struct fixture *f = *state;

	open_tracker(f);
	request(f, ADDR_A, SCRIPT_A, 200, 900);
	request(f, ADDR_A, "GET " IMAGE "/vmlinuz", 200, 10);
	request(f, ADDR_A, "GET " IMAGE "/initrd.img", 200, 20);
	expect(f, 0, "loading 30 %");
	request(f, ADDR_A, "GET " IMAGE "/vmlinuz", 200, 10);
	expect(f, 0, "loading 10 %");
}

/* The host has no fixed address: its script says which one it has. */
static void a_host_with_dhcp_is_known_by_its_script(void **state)
{
	struct fixture *f = *state;

	open_tracker(f);
	request(f, "10.0.0.77", "GET " IMAGE "/vmlinuz", 200, 10);
	expect(f, 1, "silent");
	request(f, "10.0.0.77", SCRIPT_B, 200, 900);
	request(f, "10.0.0.77", "GET " IMAGE "/vmlinuz", 200, 10);
	expect(f, 1, "loading 10 %");
	expect(f, 0, "silent");
}

/* Notes connections of two addresses, which have sent so much. */
static void note(struct fixture *f, uint64_t id, uint64_t a, uint64_t other)
{
	struct tcp_flow *flows = xcalloc(2, sizeof(*flows));

	flows[0] = (struct tcp_flow){.id = id + 1, .acked = other, .peer = 0x0a000063};
	flows[1] = (struct tcp_flow){.id = id, .acked = a, .peer = 0x0a00000a};
	tracker_note_flows(&f->t, flows, 2, now_ms());
}

/* A file that has not arrived as a whole counts by what the server has sent. */
static void a_part_of_a_file_counts(void **state)
{
	struct fixture *f = *state;

	open_tracker(f);
	note(f, 7, 50, 50); /* the host does not boot */
	request(f, ADDR_A, SCRIPT_A, 200, 900);
	request(f, ADDR_A, "GET " IMAGE "/vmlinuz", 200, 10);
	note(f, 7, 65, 90);
	expect(f, 0, "loading 15 %");
	note(f, 7, 95, 99);
	expect(f, 0, "loading 45 %");
	note(f, 20, 20, 0); /* another connection, and the one before is closed */
	expect(f, 0, "loading 65 %");
	note(f, 20, 20, 0);
	expect(f, 0, "loading 65 %");
	note(f, 20, 5000, 0);
	expect(f, 0, "loading 99 %");
	request(f, ADDR_A, "GET " IMAGE "/root.cpio", 200, 70);
	expect(f, 0, "kernel");
	note(f, 20, 9000, 0);
	expect(f, 0, "kernel");
	expect(f, 1, "silent");
	request(f, ADDR_A, SCRIPT_A, 200, 900);
	request(f, ADDR_A, "GET " IMAGE "/vmlinuz", 200, 10);
	expect(f, 0, "loading 10 %");
}

/* A host that loads another image, one that is kept, changes nothing for the others. */
static void a_second_image_keeps_the_connections(void **state)
{
	struct fixture *f = *state;

	make_folder(f, "http/images/3c-4d");
	write_text(f->dir, "http/images/3c-4d/vmlinuz", "01234");
	open_tracker(f);
	request(f, ADDR_A, SCRIPT_A, 200, 900);
	request(f, ADDR_A, "GET " IMAGE "/vmlinuz", 200, 10);
	note(f, 7, 50, 0);
	request(f, "10.0.0.77", SCRIPT_B, 200, 900);
	request(f, "10.0.0.77", "GET /images/3c-4d/vmlinuz", 200, 5);
	note(f, 7, 60, 0);
	expect(f, 0, "loading 60 %");
	expect(f, 1, "loading 99 %");
}

/* Another web server may log a path as a machine writes it: "/images/x/../ID/FILE". */
static void other_names_of_images_do_not_count(void **state)
{
	static const char *const paths[] = {
		"GET /images/a/.." IMAGE "/vmlinuz",
		"GET /images/a/../1a-2b/vmlinuz",
		"GET " IMAGE "//vmlinuz",
		"GET " IMAGE "/../1a-2b/root.cpio",
		"GET " IMAGE "/other",
		"GET " IMAGE "/",
	};
	struct fixture *f = *state;

	open_tracker(f);
	request(f, ADDR_A, SCRIPT_A, 200, 900);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		request(f, ADDR_A, paths[i], 200, 10);
	expect(f, 0, "asked");
	assert_int_equal(f->t.counts[TRACKER_IMAGE].ok, 0);
	assert_string_equal(f->t.image, "1a-2b");
}

/* Before the first file has ended its image is not known, unless there is only one. */
static void the_first_file_counts_while_it_is_loaded(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *root = xasprintf("%s/http" IMAGE "/root.cpio", f->dir);

	assert_int_equal(truncate(root, 1000000 - 30), 0);
	open_tracker(f);
	request(f, ADDR_A, SCRIPT_A, 200, 900);
	note(f, 7, 200000, 0);
	expect(f, 0, "asked");
	note(f, 7, 300000, 0);
	expect(f, 0, "loading 30 %");
}

static void refused_requests_change_no_host(void **state)
{
	struct fixture *f = *state;

	open_tracker(f);
	request(f, "10.0.0.99", SCRIPT_A, 403, 0);
	request(f, "10.0.0.99", "PUT /report/a.json", 403, 0);
	request(f, "10.0.0.99", "GET /hosts/02-00-00-00-00-0c.ipxe", 404, 0);
	request(f, ADDR_A, "GET " IMAGE "/vmlinuz", 404, 0);
	request(f, ADDR_A, "GET /images/../run/root.cpio", 200, 99);
	expect(f, 0, "silent");
	assert_int_equal(f->t.counts[TRACKER_SCRIPT].refused, 2);
	assert_int_equal(f->t.counts[TRACKER_REPORT].refused, 1);
	assert_int_equal(f->t.counts[TRACKER_IMAGE].refused, 1);
	assert_int_equal(f->t.counts[TRACKER_IMAGE].bytes, 0);
}

static void dhcp_counts_for_silent_hosts(void **state)
{
	struct fixture *f = *state;

	open_tracker(f);
	append(f, "run/dnsmasq.log",
	       "dnsmasq-dhcp: DHCPDISCOVER(br0) 02:00:00:00:00:0a \n"
	       "dnsmasq-dhcp: DHCPDISCOVER(br0) 10.0.0.9 02:00:00:00:00:0b \n");
	(void)tracker_turn(&f->t, now_ms());
	expect(f, 0, "asked");
	expect(f, 1, "asked");
	put(f, "a", "ready", "null");
	usleep(20000);
	append(f, "run/dnsmasq.log",
	       "dnsmasq-dhcp: DHCPDISCOVER(br0) 02:00:00:00:00:0a \n");
	(void)tracker_turn(&f->t, now_ms());
	expect(f, 0, "ready");
}

/* Lines that were in the log before have their own time, or none. */
static void old_dhcp_lines_have_their_time(void **state)
{
	struct fixture *f = *state;
	time_t then = (time_t)(now_ms() / 1000) - 3600;
	char line[128];
	struct tm tm;

	assert_non_null(localtime_r(&then, &tm));
	assert_true(strftime(line, sizeof(line),
			     "%b %e %H:%M:%S dnsmasq-dhcp[7]: DHCPDISCOVER(br0) "
			     "02:00:00:00:00:0a \n",
			     &tm) > 0);
	append(f, "run/dnsmasq.log", line);
	append(f, "run/dnsmasq.log", "dnsmasq-dhcp: PXE(br0) 02:00:00:00:00:0b proxy\n");
	open_tracker(f);
	assert_int_equal(tracker_heard_ms(&f->t, 0), (uint64_t)then * 1000);
	expect(f, 0, "asked, silent for 60 min");
	expect(f, 1, "silent");
}

static void a_host_that_stops_is_stalled(void **state)
{
	struct fixture *f = *state;
	uint64_t then = now_ms() - 7 * 60 * 1000;

	request_at(f, then, ADDR_A, SCRIPT_A, 200, 900);
	open_tracker(f);
	expect(f, 0, "asked, silent for 7 min");
	assert_true(tracker_is_stalled(&f->t, 0, then + TRACKER_STALLED_MS));
	assert_false(tracker_is_stalled(&f->t, 0, then + TRACKER_STALLED_MS - 1));
	put(f, "a", "starting", "null");
	assert_false(tracker_is_stalled(&f->t, 0, now_ms() + 3600 * 1000));
	assert_false(tracker_is_stalled(&f->t, 1, now_ms()));
}

/* The order of the lines counts, not their times: the boot server's clock was set back
 * while a host booted. */
static void a_clock_may_be_set_back(void **state)
{
	struct fixture *f = *state;

	open_tracker(f);
	request_at(f, now_ms() + 3600 * 1000, ADDR_A, SCRIPT_A, 200, 900);
	(void)tracker_turn(&f->t, now_ms());
	expect(f, 0, "asked");
	put(f, "a", "ready", "null");
	expect(f, 0, "ready");
	assert_true(tracker_heard_ms(&f->t, 0) <= now_ms());
	open_tracker(f);
	expect(f, 0, "ready");
	usleep(20000);
	request(f, ADDR_A, SCRIPT_A, 200, 900);
	expect(f, 0, "asked");
}

/* A report may come without a line in the log: by another server, or by a copy. */
static void reports_without_a_line_are_found(void **state)
{
	struct fixture *f = *state;

	open_tracker(f);
	write_text(f->dir, TREE_REPORTS "/b.json", "{");
	while (tracker_turn(&f->t, now_ms()))
		;
	assert_int_equal(tracker_state(&f->t, 1), TRACKER_BROKEN);
}

/* Requests without end do not hold up a turn. */
static void a_turn_is_limited(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf b = {0};
	unsigned turns = 0;

	open_tracker(f);
	for (unsigned i = 0; i < 3000; i++)
		buf_puts(&b,
			 "1700000000.000 10.0.0.99 \"PUT /report/a.json HTTP/1.1\" 403 "
			 "0 0.001\n");
	append(f, TREE_ACCESS_LOG, b.p);
	while (tracker_turn(&f->t, now_ms()))
		turns++;
	assert_in_range(turns, 3, 4);
	assert_int_equal(f->t.counts[TRACKER_REPORT].refused, 3000);
}

static void hosts_are_counted(void **state)
{
	struct fixture *f = *state;
	size_t n[TRACKER_STATES];

	open_tracker(f);
	put(f, "b", "ready", "null");
	tracker_count(&f->t, n);
	for (size_t i = 0; i < TRACKER_STATES; i++)
		assert_int_equal(n[i], i == TRACKER_READY || i == TRACKER_SILENT);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		T(a_boot_goes_through_its_states),
		T(history_is_read),
		T(a_cut_download_does_not_count_as_the_image),
		T(a_boot_without_a_script_begins_with_the_kernel),
		T(a_repeated_boot_loads_from_the_beginning),
		T(a_host_with_dhcp_is_known_by_its_script),
		T(a_part_of_a_file_counts),
		T(a_second_image_keeps_the_connections),
		T(other_names_of_images_do_not_count),
		T(the_first_file_counts_while_it_is_loaded),
		T(refused_requests_change_no_host),
		T(dhcp_counts_for_silent_hosts),
		T(old_dhcp_lines_have_their_time),
		T(a_host_that_stops_is_stalled),
		T(a_clock_may_be_set_back),
		T(reports_without_a_line_are_found),
		T(a_turn_is_limited),
		T(hosts_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
