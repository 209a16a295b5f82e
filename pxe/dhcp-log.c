/* SPDX-License-Identifier: Apache-2.0 */
#include "pxe/dhcp-log.h"

#include "pxe/tree.h"

#include <ctype.h>

#define DAY_MS (24 * 3600 * 1000ULL)

/* Returns a local time in milliseconds since the epoch, or 0 if it is none or later than
 * a day after `now`. */
static uint64_t local_ms(struct tm tm, time_t now)
{
	time_t t;

	tm.tm_isdst = -1;
	t = mktime(&tm);
	return t > 0 && (uint64_t)t * 1000 <= (uint64_t)now * 1000 + DAY_MS
		       ? (uint64_t)t * 1000
		       : 0;
}

/* --- dnsmasq ---------------------------------------------------------------------- */

/* Returns the time of "Dec  1 07:17:29 ", or 0. */
static uint64_t dnsmasq_time(const char *line, time_t now)
{
	struct tm tm = {0}, today = {0};

	if (!strptime(line, "%b %d %H:%M:%S ", &tm) || now < 0 ||
	    !localtime_r(&now, &today))
		return 0;
	for (int years = 0; years < 2; years++) {
		uint64_t ms;

		tm.tm_year = today.tm_year - years;
		ms = local_ms(tm, now);
		if (ms)
			return ms;
	}
	return 0;
}

/* Moves *s behind the blank and word that are there, and copies the word. */
static bool next_word(const char **s, char *out, size_t size)
{
	size_t n;

	if (**s != ' ')
		return false;
	(*s)++;
	n = strcspn(*s, " ");
	if (n == 0 || n >= size)
		return false;
	memcpy(out, *s, n);
	out[n] = '\0';
	*s += n;
	return true;
}

/* Returns the text behind "dnsmasq-dhcp[7]: ", or NULL. */
static const char *dnsmasq_message(const char *line)
{
	const char *at = strstr(line, "dnsmasq-dhcp");

	at = at ? strstr(at, ": ") : NULL;
	if (!at)
		return NULL;
	at += 2;
	/* With log-dhcp there is a number in front. */
	if (isdigit((unsigned char)*at)) {
		at += strspn(at, "0123456789");
		at += *at == ' ';
	}
	return at;
}

static bool parse_dnsmasq(const char *line, time_t now, struct dhcp_line *ret)
{
	static const struct {
		const char *begins;
		bool asked;
		const char *refused; /* how it ends when the machine gets nothing */
	} kinds[] = {
		{"DHCPDISCOVER(", true, " no address available"},
		{"PXE(", true, " proxy-ignored"}, /* of --proxy-dhcp */
		{"DHCPOFFER(", false, NULL},
		{"DHCPACK(", false, NULL},
	};
	const char *at = dnsmasq_message(line), *rest = NULL;
	char word[NET_MAC_LEN];
	uint32_t addr = 0;
	size_t kind;

	for (kind = 0; at && kind < ARRAY_SIZE(kinds); kind++) {
		rest = str_after(at, kinds[kind].begins);
		if (rest)
			break;
	}
	rest = rest ? strchr(rest, ')') : NULL;
	if (!rest)
		return false;
	rest++;
	if (!next_word(&rest, word, sizeof(word)))
		return false;
	if (net_parse_addr(word, &addr) == 0 && !next_word(&rest, word, sizeof(word)))
		return false;
	if (net_parse_mac(word, &ret->mac) < 0)
		return false;
	ret->asked = kinds[kind].asked;
	ret->refused = kinds[kind].refused && str_after(rest, kinds[kind].refused);
	ret->address = ret->asked ? 0 : addr; /* who asks names one that it would like */
	ret->ms = dnsmasq_time(line, now);
	return true;
}

/* --- Kea -------------------------------------------------------------------------- */

static uint64_t kea_time(const char *line, time_t now)
{
	struct tm tm = {0};

	return now >= 0 && strptime(line, "%Y-%m-%d %H:%M:%S.", &tm) ? local_ms(tm, now)
								     : 0;
}

/* Returns the address of ": lease ADDRESS ", or 0. */
static uint32_t kea_lease(const char *text)
{
	static const char before[] = ": lease";
	const char *at = strstr(text, before);
	char word[NET_ADDR_LEN];
	uint32_t addr;

	if (!at)
		return 0;
	at += strlen(before);
	return next_word(&at, word, sizeof(word)) && net_parse_addr(word, &addr) == 0
		       ? addr
		       : 0;
}

static bool parse_kea(const char *line, time_t now, struct dhcp_line *ret)
{
	static const struct {
		const char *begins;
		bool asked, refused;
	} kinds[] = {
		{"DHCP4_LEASE_ADVERT [hwtype=1 ", true, false},
		{"DHCP4_LEASE_ALLOC [hwtype=1 ", false, false},
		{"ALLOC_ENGINE_V4_ALLOC_FAIL_NO_POOLS [hwtype=1 ", true, true},
		{"ALLOC_ENGINE_V4_ALLOC_FAIL [hwtype=1 ", true, false},
	};
	const char *at = strstr(line, " [kea-dhcp4."), *rest = NULL;
	char mac[NET_MAC_LEN];
	size_t kind;

	at = at ? strstr(at, "] ") : NULL;
	for (kind = 0; at && kind < ARRAY_SIZE(kinds); kind++) {
		rest = str_after(at + 2, kinds[kind].begins);
		if (rest)
			break;
	}
	if (!rest || strcspn(rest, "]") != sizeof(mac) - 1 || !rest[sizeof(mac) - 1])
		return false;
	snprintf(mac, sizeof(mac), "%s", rest);
	if (net_parse_mac(mac, &ret->mac) < 0)
		return false;
	ret->asked = kinds[kind].asked;
	ret->refused = kinds[kind].refused;
	ret->address = kea_lease(rest);
	ret->ms = kea_time(line, now);
	return true;
}

bool dhcp_line_parse(const char *line, time_t now, struct dhcp_line *ret)
{
	*ret = (struct dhcp_line){.ms = 0};
	return (parse_dnsmasq(line, now, ret) || parse_kea(line, now, ret)) &&
	       mac_is_unicast(ret->mac);
}

/* --- both logs -------------------------------------------------------------------- */

void dhcp_logs_open(struct dhcp_logs *l, const char *dir, bool old, bool from_end)
{
	static const char *const names[DHCP_LOGS] = {TREE_DNSMASQ_LOG, TREE_KEA_LOG};

	*l = (struct dhcp_logs){0};
	for (size_t i = 0; i < DHCP_LOGS; i++) {
		_cleanup_free_ char *path =
			xasprintf("%s/%s%s", dir, names[i], old ? ".old" : "");

		tail_open(&l->logs[i], path, from_end);
	}
}

bool dhcp_logs_turn(struct dhcp_logs *l, size_t bytes)
{
	bool more = false;

	for (size_t i = 0; i < DHCP_LOGS; i++)
		more |= tail_turn(&l->logs[i], bytes);
	return more;
}

bool dhcp_logs_have_more(const struct dhcp_logs *l)
{
	for (size_t i = 0; i < DHCP_LOGS; i++)
		if (l->logs[i].left == 0)
			return true;
	return false;
}

bool dhcp_logs_next(struct dhcp_logs *l, time_t now, struct dhcp_line *ret)
{
	char line[TAIL_LINE_MAX];

	for (size_t i = 0; i < DHCP_LOGS; i++)
		while (tail_next(&l->logs[i], line))
			if (dhcp_line_parse(line, now, ret))
				return true;
	return false;
}

void dhcp_logs_done(struct dhcp_logs *l)
{
	for (size_t i = 0; i < DHCP_LOGS; i++)
		tail_done(&l->logs[i]);
}
