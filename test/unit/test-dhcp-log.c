/* SPDX-License-Identifier: Apache-2.0 */
/* pxe/dhcp-log.h: lines as dnsmasq 2.89 and Kea 2.2 write them, and lines of machines
 * that imitate them. */
#include "pxe/dhcp-log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOW 1767225600 /* 2026-01-01T00:00:00Z */

#define MAC     "52:54:00:99:99:99"
#define ADDRESS 0xac1900c8 /* 172.25.0.200 */
#define DNSMASQ "Dec 31 23:59:59 dnsmasq-dhcp[7]: "
#define KEA     "2025-12-31 23:59:59.131 WARN  [kea-dhcp4.alloc-engine/7.139] "
#define AT      (NOW - 1) * 1000ULL

static void lines_tell_of_machines(void **state)
{
	static const struct {
		const char *line;
		struct dhcp_line want; /* its mac is always MAC */
	} cases[] = {
		{DNSMASQ "DHCPDISCOVER(br0) " MAC " ", {.asked = true, .ms = AT}},
		{DNSMASQ "DHCPDISCOVER(br0) " MAC " no address available",
		 {.asked = true, .refused = true, .ms = AT}},
		{DNSMASQ "DHCPDISCOVER(br0) 172.25.0.200 " MAC,
		 {.asked = true, .ms = AT}},
		{DNSMASQ "7 DHCPDISCOVER(br0) " MAC, {.asked = true, .ms = AT}},
		{DNSMASQ "PXE(br0) 172.25.0.200 " MAC " proxy",
		 {.asked = true, .ms = AT}},
		{DNSMASQ "PXE(br0) " MAC " proxy-ignored",
		 {.asked = true, .refused = true, .ms = AT}},
		{DNSMASQ "DHCPOFFER(br0) 172.25.0.200 " MAC,
		 {.address = ADDRESS, .ms = AT}},
		{DNSMASQ "DHCPACK(br0) 172.25.0.200 " MAC " no address available",
		 {.address = ADDRESS, .ms = AT}},
		{"dnsmasq-dhcp: DHCPDISCOVER(br0) " MAC, {.asked = true}},
		{KEA "DHCP4_LEASE_ADVERT [hwtype=1 " MAC
		     "], cid=[no info], tid=0x4b3ae0f6: lease 172.25.0.200 will be "
		     "advertised",
		 {.asked = true, .address = ADDRESS, .ms = AT}},
		{KEA "DHCP4_LEASE_ALLOC [hwtype=1 " MAC "], cid=[01:52:54:00:99:99:99], "
		     "tid=0x4b3ae0f6: lease 172.25.0.200 has been allocated for 3600 "
		     "seconds",
		 {.address = ADDRESS, .ms = AT}},
		{KEA "ALLOC_ENGINE_V4_ALLOC_FAIL_NO_POOLS [hwtype=1 " MAC
		     "], cid=[no info], tid=0x65f85f1a: no pools were available for the "
		     "address allocation",
		 {.asked = true, .refused = true, .ms = AT}},
		{KEA
		 "ALLOC_ENGINE_V4_ALLOC_FAIL [hwtype=1 " MAC
		 "], cid=[no info], tid=0x65f85f1a: failed to allocate an IPv4 address "
		 "after 10 attempt(s)",
		 {.asked = true, .ms = AT}},
		{" [kea-dhcp4.leases/7.139] DHCP4_LEASE_ALLOC [hwtype=1 " MAC "], cid=",
		 {.ms = 0}},
		{"2026-01-09 00:00:00.131 [kea-dhcp4.leases/7.139] DHCP4_LEASE_ALLOC "
		 "[hwtype=1 " MAC "], cid=",
		 {.ms = 0}},
	};
	const struct mac mac = {{0x52, 0x54, 0, 0x99, 0x99, 0x99}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct dhcp_line *want = &cases[i].want;
		struct dhcp_line l;

		if (!dhcp_line_parse(cases[i].line, NOW, &l))
			fail_msg("not understood: %s", cases[i].line);
		assert_memory_equal(&l.mac, &mac, sizeof(mac));
		if (l.asked != want->asked || l.refused != want->refused ||
		    l.address != want->address || l.ms != want->ms)
			fail_msg("%s: asked %d, refused %d, address %x, at %llu",
				 cases[i].line, l.asked, l.refused, l.address,
				 (unsigned long long)l.ms);
	}
}

static void others_do_not(void **state)
{
	static const char *const lines[] = {
		"",
		DNSMASQ "DHCPDISCOVER(br0)",
		DNSMASQ "DHCPDISCOVER(br0) 172.25.0.200",
		DNSMASQ "DHCPDISCOVER(br0) 172.25.0.200 172.25.0.201 " MAC,
		DNSMASQ "DHCPDISCOVER(br0) 01:00:5e:00:00:01",
		DNSMASQ "DHCPDISCOVER(br0) 00:00:00:00:00:00",
		DNSMASQ "DHCPREQUEST(br0) 172.25.0.200 " MAC,
		DNSMASQ "vendor class: DHCPDISCOVER(br0) " MAC,
		"Dec 31 23:59:59 dnsmasq-tftp[7]: DHCPDISCOVER(br0) " MAC,
		KEA "DHCP4_LEASE_ADVERT [hwtype=1 52:54:00:99:99], cid=",
		KEA "DHCP4_LEASE_ADVERT [hwtype=1 52:54:00:99:99:99:99], cid=",
		KEA "DHCP4_LEASE_ADVERT [hwtype=32 " MAC "], cid=",
		KEA "DHCP4_LEASE_ADVERT [hwtype=1 " MAC,
		KEA "ALLOC_ENGINE_V4_ALLOC_FAIL_SHARED_NETWORK [hwtype=1 " MAC "], cid=",
		KEA "ALLOC_ENGINE_V4_ALLOC_FAIL_CLASSES [hwtype=1 " MAC
		    "], cid=[no info], tid=0x1: Failed with classes: ALL, VENDOR_CLASS_"
		    "DHCP4_LEASE_ADVERT [hwtype=1 " MAC "]: lease 172.25.0.200 ",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct dhcp_line l;

		if (dhcp_line_parse(lines[i], NOW, &l))
			fail_msg("understood: %s", lines[i]);
	}
}

static void line_has_a_time_of_the_last_year(void **state)
{
	static const struct {
		const char *line;
		uint64_t s;
	} cases[] = {
		{"Dec 31 23:59:59 ", NOW - 1},
		{"Jan  1 00:00:00 ", NOW},
		{"Jan  1 23:00:00 ", NOW + 23 * 3600}, /* another clock */
		{"Jan  3 00:00:00 ", NOW - 363 * 24 * 3600},
		{"Feb 29 00:00:00 ", NOW - 306 * 24 * 3600}, /* no such day: the next */
		{"", 0},
		{"Abc 31 23:59:59 ", 0},
		{"Dec 31 23:59 ", 0},
		{"Dec 99 23:59:59 ", 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *line = xasprintf(
			"%sdnsmasq-dhcp[1]: DHCPDISCOVER(br0) " MAC, cases[i].line);
		struct dhcp_line l;

		assert_true(dhcp_line_parse(line, NOW, &l));
		if (l.ms != cases[i].s * 1000)
			fail_msg("'%s': %llu, not %llu", cases[i].line,
				 (unsigned long long)l.ms / 1000,
				 (unsigned long long)cases[i].s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_tell_of_machines),
		cmocka_unit_test(others_do_not),
		cmocka_unit_test(line_has_a_time_of_the_last_year),
	};

	setenv("TZ", "UTC", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
