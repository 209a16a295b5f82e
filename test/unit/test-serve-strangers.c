/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pxe/tree-strangers.h, with the real nginx: machines whose MAC address no host has get
 * the files of a host by their serial number or UUID, and nobody else does.
 */
#define RACK "test/golden/pxe/strangers.cfg"
#include "test-serve.h"

#include "pxe/access.h"

#define POOL_FIRST   0xac1900c8 /* 172.25.0.200 */
#define POOL_LAST    0xac1900fa /* 172.25.0.250 */
#define BEFORE_POOL  0xac1900c7
#define BEHIND_POOL  0xac1900fb
#define MASTER_FILES "/hosts/52-54-00-25-00-10"
#define UUID         "/hosts/by-uuid/4c4c4544-0051-3510-8052-b7c04f4e3232"
#define SERIAL       "/hosts/by-serial/CZ%201234"

static const char *const kinds[] = {".ipxe", ".grub", ".cpio"};

/* Expects the file of the master, or that nothing is found. */
static void expect(uint32_t from, const char *name, const char *kind, bool found)
{
	_cleanup_free_ char *path = xasprintf("%s%s", name, kind);
	_cleanup_free_ char *own = xasprintf(MASTER_FILES "%s", kind);
	_cleanup_free_ char *got = NULL, *want = NULL;
	unsigned status = request(from, "GET", path, NULL, &got);

	if (status != (found ? 200 : 404))
		fail_msg("%s from %08x: %u", path, from, status);
	if (!found)
		return;
	assert_int_equal(request(MASTER, "GET", own, NULL, &want), 200);
	assert_string_equal(got, want);
}

static void uuid_gives_the_files_to_the_address_of_the_host(void **state)
{
	static const uint32_t others[] = {BOOT_SERVER, NODE,      NEIGHBOUR,  ELSEWHERE,
					  POOL_FIRST,  POOL_LAST, BEFORE_POOL};

	start(*state);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		expect(MASTER, UUID, kinds[i], true);
		for (size_t k = 0; k < ARRAY_SIZE(others); k++)
			expect(others[k], UUID, kinds[i], false);
	}
	/* In upper or lower case, as in firstboot. */
	expect(MASTER, "/hosts/by-uuid/4C4C4544-0051-3510-8052-B7C04F4E3232", ".ipxe",
	       true);
	expect(MASTER, "/hosts/by-uuid/4c4c4544-0051-3510-8052-b7c04f4e3233", ".ipxe",
	       false);
}

/* A running host has no address of the pool: it cannot read the files of another one,
 * whose serial number it knows. */
static void serial_gives_the_files_to_strangers_only(void **state)
{
	static const uint32_t others[] = {BOOT_SERVER, NODE,        NEIGHBOUR,
					  ELSEWHERE,   BEFORE_POOL, BEHIND_POOL};

	start(*state);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		expect(POOL_FIRST, SERIAL, kinds[i], true);
		expect(POOL_LAST, SERIAL, kinds[i], true);
		expect(MASTER, SERIAL, kinds[i], true);
		for (size_t k = 0; k < ARRAY_SIZE(others); k++)
			expect(others[k], SERIAL, kinds[i], false);
	}
	expect(POOL_FIRST, "/hosts/by-serial/%20cz%201234%20%20", ".ipxe", true);
}

static void other_names_are_refused(void **state)
{
	static const char *const names[] = {
		"/hosts/by-serial/",
		"/hosts/by-serial/.ipxe",
		"/hosts/by-serial/%20.ipxe",
		"/hosts/by-serial/CZ%201234",
		"/hosts/by-serial/CZ%201234.cfg",
		"/hosts/by-serial/CZ%201234.ipxe/",
		"/hosts/by-serial/x/CZ%201234.ipxe",
		"/hosts/by-serial/CZ1234.ipxe",
		"/hosts/by-serial/.*.ipxe",
		"/hosts/by-serial/A%2F%22%7B$1%7D.ipxe",
		"/hosts/by-uuid/CZ%201234.ipxe",
		"/hosts/by-mac/52-54-00-25-00-10.ipxe",
		"/hosts/by-serial/..%2f52-54-00-25-00-10",
		"/hosts/refused",
	};

	start(*state);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		expect(POOL_FIRST, names[i], "", false);
	assert_int_equal(request(POOL_FIRST, "GET",
				 "/hosts/by-serial/..%2f52-54-00-25-00-10.ipxe", NULL,
				 NULL),
			 403); /* the host's own name */
	assert_int_equal(request(POOL_FIRST, "PUT", SERIAL ".ipxe", "x", NULL), 405);
}

/* Queries of other requests are not logged. */
static void what_strangers_say_is_logged(void **state)
{
	static const char said[] = "/strangers.ipxe?mac=52:54:00:99:99:99&serial=A%20B\"";
	struct fixture *f = *state;
	_cleanup_free_ char *path = xasprintf("%s/" TREE_ACCESS_LOG, f->tree);
	struct tail t = {0};
	struct access a;
	char value[64];

	start(f);
	assert_int_equal(request(NEIGHBOUR, "GET", "/boot.ipxe?mac=1", NULL, NULL), 200);
	assert_int_equal(request(MASTER, "GET", MASTER_FILES ".ipxe?mac=2", NULL, NULL),
			 200);
	assert_int_equal(request(POOL_FIRST, "GET", said, NULL, NULL), 200);
	serve_stop(&f->s);
	tail_open(&t, path, false);
	assert_int_equal(access_next(&t, &a), 1);
	assert_string_equal(a.path, MASTER_FILES ".ipxe");
	assert_string_equal(a.query, "");
	assert_int_equal(access_next(&t, &a), 1);
	assert_string_equal(a.path, "/strangers.ipxe");
	assert_int_equal(a.address, POOL_FIRST);
	assert_true(access_query(&a, "mac", value, sizeof(value)));
	assert_string_equal(value, "52:54:00:99:99:99");
	assert_true(access_query(&a, "serial", value, sizeof(value)));
	assert_string_equal(value, "A B\"");
	assert_int_equal(access_next(&t, &a), 0);
	tail_done(&t);
}

static int add_addresses(void)
{
	static const uint32_t more[] = {POOL_FIRST, POOL_LAST, BEFORE_POOL, BEHIND_POOL};
	_cleanup_rtnl_ struct rtnl r = {.fd = -1};
	struct rtnl_link lo;
	int n = rtnl_open(&r);

	if (n == 0)
		n = rtnl_link_get(&r, "lo", &lo);
	for (size_t i = 0; n == 0 && i < ARRAY_SIZE(more); i++)
		n = rtnl_addr_add(&r, lo.index,
				  (struct cidr){.addr = more[i], .prefix = 24});
	return n;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(uuid_gives_the_files_to_the_address_of_the_host),
		T(serial_gives_the_files_to_strangers_only),
		T(other_names_are_refused),
		T(what_strangers_say_is_logged),
	};
	int r = become_root(CLONE_NEWNET);

	if (r == 0)
		r = make_network();
	if (r == 0)
		r = add_addresses();
	if (r < 0) {
		printf("1..1\nnot ok 1 - a network namespace: %s\n", strerror(-r));
		return 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
