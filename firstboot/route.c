/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `firstboot route` waits for a default route and reports why there is none. kube-proxy
 * is started only when it succeeds, because kube-proxy reports only that it cannot select
 * an IP.
 *
 * Reads /proc/net/route, as kube-proxy does (kernel net/ipv4/fib_trie.c: one route per
 * line; destination, gateway and mask in hexadecimal, flags as in <linux/route.h>).
 */
#include "firstboot/route.h"
#include "firstboot/config.h"
#include "firstboot/state.h"
#include "lib/root.h"

#include <linux/route.h>

#define PROC_ROUTE "proc/net/route"
#define ROUTE_MAX  (1024 * 1024)
#define ROUTE_S    60 /* --timeout */
#define POLL_MS    250

/* The columns of a line. */
enum { DESTINATION = 1, FLAGS = 3, MASK = 7, COLUMNS };

/* Does without sscanf(3), which is 37 KB of a static program. */
static bool is_default(const char *line)
{
	unsigned long values[COLUMNS] = {0};
	const char *at = line;

	for (size_t i = 0; i < COLUMNS; i++) {
		char *end;

		at += strspn(at, " \t");
		values[i] = strtoul(at, &end, 16);
		/* The first is a name, and some others are decimal. */
		if (end == at && (i == DESTINATION || i == FLAGS || i == MASK))
			return false;
		at += strcspn(at, " \t");
	}
	return values[DESTINATION] == 0 && values[MASK] == 0 && values[FLAGS] & RTF_UP &&
	       !(values[FLAGS] & RTF_REJECT);
}

/* Reads the kernel's attribute: "1" with a carrier, "0" without; EINVAL while the link
 * is down. */
static bool has_carrier(const struct firstboot *fb, const char *link)
{
	_cleanup_free_ char *path = xasprintf("sys/class/net/%s/carrier", link);
	_cleanup_free_ char *text = NULL;
	int r = root_read(fb->rootfd, path, 64, &text, NULL);

	return r < 0 ? r != -EINVAL : !streq(text, "0\n");
}

static char *why(const struct firstboot *fb, const struct host *h, const char *uplink)
{
	char gateway[NET_ADDR_LEN];

	if (!uplink)
		return xstrdup("no default route");
	if (!has_carrier(fb, uplink))
		return xasprintf("no default route: %s is down or has no carrier",
				 uplink);
	if (h->dhcp)
		return xasprintf("no default route: DHCP has not given %s a router",
				 uplink);
	if (!h->gateway)
		return xasprintf("no default route: the host has no gateway");
	return xasprintf("no default route: %s has not been given the one to %s", uplink,
			 net_format_addr(h->gateway, gateway));
}

char *route_missing(const struct firstboot *fb, const struct host *h, const char *uplink)
{
	_cleanup_free_ char *text = NULL;

	if (root_read(fb->rootfd, PROC_ROUTE, ROUTE_MAX, &text, NULL) < 0)
		return NULL;
	for (const char *line = text; *line;) {
		size_t n = strcspn(line, "\n");

		if (is_default(line))
			return NULL;
		line += n + (line[n] == '\n');
	}
	return why(fb, h, uplink);
}

int cmd_route(const struct firstboot *fb, char **args _unused_, struct err *e)
{
	uint64_t end = now_ms() + (uint64_t)(fb->timeout ? fb->timeout : ROUTE_S) * 1000;
	_cleanup_applied_ struct applied a = {0};
	_cleanup_config_ struct config c = {0};

	if (config_load(&c, fb) < 0)
		return config_err(&c, "this host", e);
	applied_read(&a, fb);
	for (;;) {
		_cleanup_free_ char *missing = route_missing(fb, &c.host, a.uplink);

		if (!missing)
			return 0;
		if (now_ms() >= end) {
			console_line(fb, "%s", missing);
			return err_set(e, ERR_FAILED, "%s", missing);
		}
		sleep_ms(POLL_MS);
	}
}
