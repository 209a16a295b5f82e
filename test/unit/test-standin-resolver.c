/* SPDX-License-Identifier: Apache-2.0 */
/* test/standin/common/resolver.h: parsing resolv.conf, and the duration of a lookup. */
#include "lib/str.h"
#include "test/standin/common/resolver.h"
#include "test/standin/common/standin.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NAME    "metadata.google.internal"
#define LOOKUPS 3

static struct resolver parse(const char *text)
{
	struct resolver r;

	resolver_parse(&r, text, "node-1");
	return r;
}

static const char *server(const struct resolver *r, size_t i)
{
	static char text[INET_ADDRSTRLEN];
	const struct sockaddr_in *in = (const struct sockaddr_in *)&r->servers[i];

	assert_int_equal(in->sin_family, AF_INET);
	assert_int_equal(ntohs(in->sin_port), 53);
	return inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
}

/* By default, three lookups take 30 s with one silent server and 60 s with two. */
static void silent_servers_cost_time(void **state)
{
	static const struct {
		const char *text;
		unsigned seconds;
	} cases[] = {
		{"nameserver 10.0.0.1\n", 10},
		{"nameserver 10.0.0.1\nnameserver 10.0.0.2\n", 20},
		/* 5 + 10 / 3 + 20 / 3 */
		{"nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n", 28},
		{"nameserver 10.0.0.1\noptions timeout:1 attempts:1\n", 1},
		{"nameserver 10.0.0.1\noptions timeout:0 attempts:3\n", 3},
		{"nameserver 10.0.0.1\noptions timeout:100 attempts:9\n", 150},
		{"nameserver 10.0.0.1\noptions attempts:0\n", 0},
		{"nameserver 10.0.0.1\nnameserver 10.0.0.2\noptions timeout:1\n", 4},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct resolver r = parse(cases[i].text);

		assert_int_equal(resolver_silence_s(&r), cases[i].seconds);
		resolver_done(&r);
	}
	assert_int_equal(LOOKUPS * cases[0].seconds, 30);
	assert_int_equal(LOOKUPS * cases[1].seconds, 60);
}

static void name_servers_are_read(void **state)
{
	struct resolver r = parse(NULL);

	(void)state;
	assert_int_equal(r.n_servers, 1);
	assert_string_equal(server(&r, 0), "127.0.0.1");
	assert_int_equal(r.ndots, 1);
	resolver_done(&r);

	r = parse("# nameserver 10.0.0.9\nnameserver\nnameserver master\n");
	assert_int_equal(r.n_servers, 1);
	assert_string_equal(server(&r, 0), "127.0.0.1");
	resolver_done(&r);

	r = parse("nameserver 10.0.0.1\nnameserver\t10.0.0.2\r\nnameserver 10.0.0.3\n"
		  "nameserver 10.0.0.4\n");
	assert_int_equal(r.n_servers, RESOLVER_SERVERS);
	assert_string_equal(server(&r, 2), "10.0.0.3");
	resolver_done(&r);

	r = parse("nameserver fe80::1\n");
	assert_int_equal(r.n_servers, 1);
	assert_int_equal(r.servers[0].ss_family, AF_INET6);
	resolver_done(&r);
}

static void search_domains_are_read(void **state)
{
	struct resolver r;

	(void)state;
	resolver_parse(&r, NULL, "node-1.rack.example");
	assert_int_equal(strv_len(r.search), 1);
	assert_string_equal(r.search[0], "rack.example");
	resolver_done(&r);

	resolver_parse(&r, "domain a\nsearch b c\n", "node-1.rack.example");
	assert_int_equal(strv_len(r.search), 2);
	assert_string_equal(r.search[0], "b");
	resolver_done(&r);

	r = parse("search a b c d e f g h\n");
	assert_int_equal(strv_len(r.search), RESOLVER_DOMAINS);
	resolver_done(&r);

	r = parse("search a b\ndomain c d\noptions ndots:99\n");
	assert_int_equal(strv_len(r.search), 1);
	assert_string_equal(r.search[0], "c");
	assert_int_equal(r.ndots, 15);
	resolver_done(&r);
}

/* Makes a port of this machine the only server: a socket that nobody reads, or with
 * !`silent` one that accepts packets only from another, so that the kernel refuses those
 * of the resolver as for a closed port. Returns the socket. */
static int local_server(struct resolver *r, bool silent)
{
	struct sockaddr_in in = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const struct sockaddr_in other = {.sin_family = AF_INET,
					  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
					  .sin_port = htons(1)};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	memcpy(&r->servers[0], &in, sizeof(in));
	r->n_servers = 1;
	if (!silent)
		assert_int_equal(
			connect(fd, (const struct sockaddr *)&other, sizeof(other)), 0);
	return fd;
}

static unsigned count_queries(int fd)
{
	unsigned n = 0;
	char query[512];

	while (recv(fd, query, sizeof(query), MSG_DONTWAIT) > 0)
		n++;
	return n;
}

/* Looks the name up with a silent server, which gets `queries` and costs a second for
 * each. */
static void assert_silence(const struct resolver *r, int fd, unsigned queries)
{
	uint64_t start = clock_ms();

	assert_int_equal(resolver_lookup(r, NAME), RESOLVER_TIMEOUT);
	assert_true(clock_ms() - start >= queries * 1000);
	assert_int_equal(count_queries(fd), queries);
}

static void lookups_take_glibcs_time(void **state)
{
	struct resolver closed = parse("options timeout:30 attempts:1\n");
	struct resolver r = parse("options timeout:1 attempts:1\n");
	int fd = local_server(&closed, false);

	(void)state;
	assert_int_equal(resolver_lookup(&closed, NAME), RESOLVER_UNREACHED);
	assert_int_equal(count_queries(fd), 0);
	close(fd);
	resolver_done(&closed);
	fd = local_server(&r, true);
	assert_silence(&r, fd, 1);
	strv_add(&r.search, "rack.example");
	strv_add(&r.search, "example"); /* not reached */
	assert_silence(&r, fd, 2);
	close(fd);
	resolver_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silent_servers_cost_time),
		cmocka_unit_test(name_servers_are_read),
		cmocka_unit_test(search_domains_are_read),
		cmocka_unit_test(lookups_take_glibcs_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
