/* SPDX-License-Identifier: Apache-2.0 */
/* lib/net.h. */
#include "lib/net.h"
#include "lib/str.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define IP(a, b, c, d) ((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

static struct cidr cidr(const char *s)
{
	struct cidr c;

	assert_int_equal(net_parse_cidr(s, &c), 0);
	return c;
}

static void addresses_are_parsed(void **state)
{
	static const char *const bad[] = {
		"",          "1",          "1.2.3",     "1.2.3.",
		"1.2.3.4.",  ".1.2.3.4",   "1..2.3",    "1.2.3.04",
		"01.2.3.4",  "00.0.0.0",   "256.1.1.1", "1.2.3.256",
		"1.2.3.4 ",  " 1.2.3.4",   "+1.2.3.4",  "1.2.3.-4",
		"0x1.2.3.4", "1.2.3.4/24", "1.2.3.4.5", "1.2.3.4294967297",
		"a.b.c.d",   "1,2,3,4",    "1.2.3.4\n", "1.2.3.99999999999999999999",
	};
	char out[NET_ADDR_LEN];
	uint32_t addr = 0;

	(void)state;
	assert_int_equal(net_parse_addr("172.25.0.11", &addr), 0);
	assert_int_equal(addr, IP(172, 25, 0, 11));
	assert_string_equal(net_format_addr(addr, out), "172.25.0.11");
	assert_int_equal(net_parse_addr("0.0.0.0", &addr), 0);
	assert_int_equal(addr, 0);
	assert_int_equal(net_parse_addr("255.255.255.255", &addr), 0);
	assert_int_equal(addr, UINT32_MAX);
	assert_string_equal(net_format_addr(addr, out), "255.255.255.255");

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		addr = 4711;
		if (net_parse_addr(bad[i], &addr) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(addr, 4711);
	}
}

static void cidrs_are_parsed(void **state)
{
	static const char *const bad[] = {
		"1.2.3.4",
		"1.2.3.4/",
		"1.2.3.4/33",
		"1.2.3.4/-1",
		"1.2.3.4/+1",
		"1.2.3.4/01",
		"1.2.3.4/00",
		"1.2.3/24",
		"1.2.3.4/24 ",
		"1.2.3.4/ 24",
		"/24",
		"1.2.3.4//2",
		"1.2.3.4/4294967320",
	};
	struct cidr c = cidr("192.168.1.1/24");
	char out[NET_CIDR_LEN];

	(void)state;
	assert_int_equal(c.addr, IP(192, 168, 1, 1));
	assert_int_equal(c.prefix, 24);
	assert_string_equal(net_format_cidr(c, out), "192.168.1.1/24");
	assert_string_equal(net_format_cidr(cidr("255.255.255.255/32"), out),
			    "255.255.255.255/32");
	assert_int_equal(cidr("0.0.0.0/0").prefix, 0);

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		c = (struct cidr){1, 2};
		if (net_parse_cidr(bad[i], &c) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(c.addr, 1);
	}
}

static void macs_are_parsed(void **state)
{
	static const char *const bad[] = {
		"",
		"52:54:00:aa:00",
		"52:54:00:aa:00:07:",
		"525400aa0007",
		"52:54:00:aa:00:7",
		"52:54:00:aa:00:0g",
		"52:54-00:aa:00:07",
		"5:54:00:aa:00:07",
		"52:54:00:aa:00:07 ",
		"52:54:00:aa:00:007",
		":52:54:00:aa:00:07",
		"52.54.00.aa.00.07",
		"5254.00aa.000",
		"5254.00aa.00080",
		"5254.00aa:0008",
		"5254:00aa:0008",
		"5254.00aa0008",
		"5254.",
		"525400.aa0008",
		"525400aa0008",
		"52::54:00:aa:00:07",
	};
	struct mac m = {{0}};
	char out[NET_MAC_LEN];

	(void)state;
	assert_int_equal(net_parse_mac("52:54:00:AA:0b:07", &m), 0);
	assert_memory_equal(m.b, "\x52\x54\x00\xaa\x0b\x07", 6);
	assert_string_equal(net_format_mac(m, ':', out), "52:54:00:aa:0b:07");
	assert_string_equal(net_format_mac(m, '-', out), "52-54-00-aa-0b-07");
	assert_int_equal(net_parse_mac("52-54-00-aa-00-08", &m), 0);
	assert_int_equal(m.b[5], 8);
	assert_int_equal(net_parse_mac("5254.00AA.0b08", &m), 0);
	assert_string_equal(net_format_mac(m, ':', out), "52:54:00:aa:0b:08");

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (net_parse_mac(bad[i], &m) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
		assert_int_equal(m.b[5], 8);
	}
}

static void hostports_are_parsed(void **state)
{
	static const char *const bad[] = {
		"",
		"1.2.3.4",
		"1.2.3.4:",
		"1.2.3.4:0",
		"1.2.3.4:65536",
		"1.2.3.4:080",
		"1.2.3.4:+80",
		"1.2.3.4:80 ",
		"host:80",
		":80",
		"1.2.3.4:80:",
		"1.2.3:80",
		"1.2.3.4:99999999999",
	};
	char text[NET_HOSTPORT_LEN];
	struct hostport h = {0};

	(void)state;
	assert_int_equal(net_parse_hostport("172.25.0.10:4001", &h), 0);
	assert_int_equal(h.addr, IP(172, 25, 0, 10));
	assert_int_equal(h.port, 4001);
	assert_string_equal(net_format_hostport(h, text), "172.25.0.10:4001");
	assert_int_equal(net_parse_hostport("255.255.255.255:65535", &h), 0);
	assert_int_equal(h.port, 65535);
	assert_string_equal(net_format_hostport(h, text), "255.255.255.255:65535");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (net_parse_hostport(bad[i], &h) != -EINVAL)
			fail_msg("'%s' was accepted", bad[i]);
	assert_int_equal(h.port, 65535);
}

static void masks_match_prefixes(void **state)
{
	(void)state;
	assert_int_equal(net_mask(0), 0);
	assert_int_equal(net_mask(1), 0x80000000);
	assert_int_equal(net_mask(24), 0xffffff00);
	assert_int_equal(net_mask(31), 0xfffffffe);
	assert_int_equal(net_mask(32), UINT32_MAX);
	assert_int_equal(net_network(cidr("192.168.1.7/24")), IP(192, 168, 1, 0));
	assert_int_equal(net_broadcast(cidr("192.168.1.7/24")), IP(192, 168, 1, 255));
	assert_int_equal(net_network(cidr("9.8.7.6/0")), 0);
	assert_int_equal(net_broadcast(cidr("9.8.7.6/0")), UINT32_MAX);
	assert_int_equal(net_broadcast(cidr("9.8.7.6/32")), IP(9, 8, 7, 6));
}

static void overlaps_are_found(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap, inside;
	} cases[] = {
		{"192.168.1.0/24", "192.168.0.0/16", true, true},
		{"192.168.0.0/16", "192.168.1.0/24", true, false},
		{"192.168.0.0/16", "192.168.0.0/16", true, true},
		{"192.168.0.0/16", "10.100.0.0/16", false, false},
		{"192.168.1.0/24", "192.168.2.0/24", false, false},
		{"192.168.1.77/24", "192.168.1.1/24", true,
		 true}, /* host bits are ignored */
		{"192.168.1.0/16", "192.168.1.0/24", true, false},
		{"0.0.0.0/0", "0.0.0.0/8", true, false},
		{"1.2.3.4/32", "0.0.0.0/0", true, true},
		{"0.0.0.0/0", "1.2.3.4/32", true, false},
		{"128.0.0.0/1", "127.255.255.255/32", false, false},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cidr a = cidr(cases[i].a), b = cidr(cases[i].b);

		assert_int_equal(net_overlap(a, b), cases[i].overlap);
		assert_int_equal(net_overlap(b, a), cases[i].overlap);
		assert_int_equal(net_inside(a, b), cases[i].inside);
	}
	assert_true(net_contains(cidr("172.25.0.0/24"), IP(172, 25, 0, 255)));
	assert_false(net_contains(cidr("172.25.0.0/24"), IP(172, 25, 1, 0)));
	assert_true(net_contains(cidr("0.0.0.0/0"), IP(8, 8, 8, 8)));
}

static void host_addresses_are_recognised(void **state)
{
	(void)state;
	assert_true(net_is_network(cidr("192.168.0.0/16")));
	assert_false(net_is_network(cidr("192.168.0.1/16")));
	assert_true(net_is_network(cidr("1.2.3.4/32")));
	assert_true(net_is_host(cidr("192.168.1.1/24")));
	assert_false(net_is_host(cidr("192.168.1.0/24")));
	assert_false(net_is_host(cidr("192.168.1.255/24")));
	assert_true(net_is_host(cidr("192.168.1.255/16")));
	assert_false(net_is_host(cidr("10.0.0.0/30")));
	assert_false(net_is_host(cidr("10.0.0.3/30")));
	assert_true(net_is_host(cidr("10.0.0.0/31")));
	assert_true(net_is_host(cidr("10.0.0.1/31")));
	assert_true(net_is_host(cidr("10.0.0.9/32")));
}

static void addresses_of_machines_are_recognised(void **state)
{
	static const char *const good[] = {"1.0.0.0", "10.0.0.1", "126.255.255.255",
					   "128.0.0.1", "223.255.255.255"},
				 *const bad[] = {"0.0.0.0",   "0.1.2.3",
						 "127.0.0.1", "127.255.255.255",
						 "224.0.0.1", "255.255.255.255"};
	uint32_t addr;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_int_equal(net_parse_addr(good[i], &addr), 0);
		assert_true(net_is_machine(addr));
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(net_parse_addr(bad[i], &addr), 0);
		assert_false(net_is_machine(addr));
	}
}

static void unicast_macs_are_recognised(void **state)
{
	(void)state;
	assert_true(mac_is_unicast((struct mac){{0x52, 0x54, 0, 0, 0, 1}}));
	assert_false(mac_is_unicast((struct mac){{0}}));
	assert_false(mac_is_unicast((struct mac){{0x01, 0x00, 0x5e, 0, 0, 1}}));
	assert_false(mac_is_unicast((struct mac){{255, 255, 255, 255, 255, 255}}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_parsed),
		cmocka_unit_test(cidrs_are_parsed),
		cmocka_unit_test(macs_are_parsed),
		cmocka_unit_test(hostports_are_parsed),
		cmocka_unit_test(masks_match_prefixes),
		cmocka_unit_test(overlaps_are_found),
		cmocka_unit_test(host_addresses_are_recognised),
		cmocka_unit_test(addresses_of_machines_are_recognised),
		cmocka_unit_test(unicast_macs_are_recognised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
