/* SPDX-License-Identifier: Apache-2.0 */
/* lib/tcp-flow.h, with connections of the test's own on the loopback link. */
#include "lib/tcp-flow.h"

#include "lib/file.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define LOOPBACK 0x7f000001
#define PEER     0x7f000005
#define SENT     100000

struct pair {
	int listens, server, client;
	uint16_t port;
};

static void pair_make(struct pair *p)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(LOOPBACK)};
	socklen_t len = sizeof(sa);

	p->listens = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	p->client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(p->listens, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(p->listens, 1), 0);
	assert_int_equal(getsockname(p->listens, (struct sockaddr *)&sa, &len), 0);
	p->port = ntohs(sa.sin_port);
	sa = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(PEER)};
	assert_int_equal(bind(p->client, (struct sockaddr *)&sa, sizeof(sa)), 0);
	sa.sin_addr.s_addr = htonl(LOOPBACK);
	sa.sin_port = htons(p->port);
	assert_int_equal(connect(p->client, (struct sockaddr *)&sa, sizeof(sa)), 0);
	p->server = accept4(p->listens, NULL, NULL, SOCK_CLOEXEC);
	assert_true(p->server >= 0);
}

static void pair_close(struct pair *p)
{
	close(p->listens);
	close(p->server);
	close(p->client);
}

/* Returns the only connection of the port, when this many bytes have arrived. */
static struct tcp_flow only_flow(const struct pair *p, uint64_t acked)
{
	struct tcp_flow *flows, flow;
	size_t n;

	for (unsigned i = 0; i < 3000; i++) {
		assert_int_equal(tcp_flow_list(LOOPBACK, p->port, &flows, &n), 0);
		assert_int_equal(n, 1);
		flow = flows[0];
		free(flows);
		if (flow.acked >= acked)
			break;
		usleep(10000);
	}
	return flow;
}

static void bytes_are_counted(void **state _unused_)
{
	static char data[SENT];
	struct tcp_flow first, second;
	struct pair p;

	pair_make(&p);
	first = only_flow(&p, 0);
	assert_int_equal(first.peer, PEER);
	assert_true(first.acked < 10);
	assert_int_equal(write_all(p.server, data, sizeof(data)), 0);
	for (size_t got = 0; got < SENT;) {
		ssize_t n = recv(p.client, data, sizeof(data), 0);

		assert_true(n > 0);
		got += (size_t)n;
	}
	second = only_flow(&p, SENT);
	assert_in_range(second.acked, SENT, SENT + 10);
	assert_int_equal(second.id, first.id);
	pair_close(&p);
}

static void other_connections_are_left_out(void **state _unused_)
{
	struct tcp_flow *flows;
	struct pair a, b;
	size_t n;

	pair_make(&a);
	pair_make(&b);
	assert_int_not_equal(only_flow(&a, 0).id, only_flow(&b, 0).id);
	assert_int_equal(tcp_flow_list(PEER, a.port, &flows, &n), 0);
	assert_int_equal(n, 0);
	free(flows);
	close(a.client);
	a.client = -1;
	for (unsigned i = 0; i < 3000; i++) {
		assert_int_equal(tcp_flow_list(LOOPBACK, a.port, &flows, &n), 0);
		free(flows);
		if (n == 0)
			break;
		usleep(10000);
	}
	assert_int_equal(n, 0); /* it is no longer established */
	pair_close(&a);
	pair_close(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_are_counted),
		cmocka_unit_test(other_connections_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
