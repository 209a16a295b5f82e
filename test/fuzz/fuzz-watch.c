/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads arbitrary bytes as the logs of dnsmasq, Kea and nginx, the part behind a NUL as
 * nginx's. Every event is one line of printable ASCII, because it names hosts of the
 * rack and addresses, and nothing else of the logs.
 */
#include "pxe/dhcp-server.h"
#include "pxe/tracker.h"
#include "pxe/watch.h"
#include "test/fuzz/fuzz-file.h"

static struct tree_host hosts[] = {
	{.name = (char *)"node-1",
	 .role = (char *)"node",
	 .mac = {{0x52, 0x54, 0, 0x25, 0, 0x11}},
	 .address = {.addr = 0xac19000b, .prefix = 24}},
	{.name = (char *)"node-2",
	 .role = (char *)"node",
	 .mac = {{0x52, 0x54, 0, 0x25, 0, 0x12}}},
};

/* Whatever the logs say, each host is in one state, and no reason is shown but those of
 * reports. */
static void try_tracker(const struct serve *s)
{
	_cleanup_tracker_ struct tracker t;
	size_t n[TRACKER_STATES], all = 0;

	tracker_open(&t, s->dir, &s->info, 1700000000000);
	while (tracker_turn(&t, 1700000000000))
		;
	tracker_count(&t, n);
	for (size_t i = 0; i < TRACKER_STATES; i++)
		all += n[i];
	demand(all == s->info.n_hosts, "a host is in no state");
	for (size_t i = 0; i < all; i++) {
		_cleanup_free_ char *text = tracker_text(&t, i, 1700000000000);

		demand(tracker_percent(&t, i) < 100, "a host has loaded all and loads");
		demand(strlen(text) < 64, "a state is longer than its words");
	}
}

static void try_logs(struct serve *s, const char *dhcp, size_t dhcp_len,
		     const char *access, size_t access_len)
{
	_cleanup_watch_ struct watch w;
	char *event;

	fuzz_folder_write(TREE_DNSMASQ_LOG, "", 0, 0);
	fuzz_folder_write(TREE_KEA_LOG, "", 0, 0);
	fuzz_folder_write(TREE_ACCESS_LOG, "", 0, 0);
	watch_open(&w, s);
	fuzz_folder_write(TREE_DNSMASQ_LOG, dhcp, dhcp_len, 0);
	fuzz_folder_write(TREE_KEA_LOG, dhcp, dhcp_len, 0);
	fuzz_folder_write(TREE_ACCESS_LOG, access, access_len, 0);
	do {
		while ((event = watch_next(&w))) {
			for (const char *p = event; *p; p++)
				demand(*p >= ' ' && *p <= '~',
				       "an event is not printable");
			free(event);
		}
	} while (watch_turn(&w));
	try_tracker(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *nul = size > 0 ? memchr(text, '\0', size) : NULL;
	size_t at = nul ? (size_t)(nul - text) : 0;
	struct serve s = {
		.dir = fuzz_folder,
		.info = {.dhcp = dhcp_servers,
			 .hosts = hosts,
			 .n_hosts = ARRAY_SIZE(hosts)},
	};
	_cleanup_free_ char *run = NULL;

	fuzz_folder_make();
	run = xasprintf("%s/run", fuzz_folder);
	(void)!mkdir(run, 0700);
	for (unsigned proxy = 0; proxy < 2; proxy++) {
		s.info.proxy_dhcp = proxy;
		if (nul)
			try_logs(&s, text, at, nul + 1, size - at - 1);
		else
			try_logs(&s, text, size, text, size);
	}
	return 0;
}
