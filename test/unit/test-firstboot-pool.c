/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `firstboot pool` against a real etcd, on the loopback link of a network namespace: it
 * writes the same keys as calicoctl 0.4.8, writes them once, and the result is right when
 * several hosts write at the same time. Also against a server that answers unlike etcd.
 */
#include "firstboot/http.h"
#include "firstboot/json-scan.h"
#include "lib/rtnl.h"
#include "test-etcd.h"
#include "test-lib-namespace.h"

#define POOL "/ipam/v4/pool/192.168.0.0-16"

#define MASTER                                                                           \
	"name = \"m\"; role = \"master\"; address = \"172.25.0.10/24\"; "                \
	"etcd = \"127.0.0.1:4001\"; "
#define NODE                                                                             \
	"name = \"node-1\"; role = \"node\"; address = \"172.25.0.11/24\"; "             \
	"gateway = \"172.25.0.1\"; master = \"172.25.0.10\"; "                           \
	"cbr0 = \"192.168.1.1/24\"; etcd = \"127.0.0.1:4001\"; "

/* --- keys that are written ---------------------------------------------------------- */

static void test_pod_network_becomes_a_pool(void **state _unused_)
{
	delete_all_keys();
	assert_pool(MASTER);
	assert_value(POOL, "{\"cidr\": \"192.168.0.0/16\"}");
	assert_value("/config/bgp_as", NULL);
	assert_value("/config/bgp_node_mesh", NULL);
	assert_pool_again(MASTER);
}

#define BORDER                                                                           \
	"pod_network = \"10.128.0.0/9\"; bgp_as = \"4200000010\"; bgp_mesh = false; "    \
	"pools = [ \"10.128.0.0/10 nat-outgoing ipip\", \"10.192.0.0/16\" ]; "           \
	"bgp_peers = [ \"172.25.0.2 as 64512\", \"172.25.0.3 as 4200000001\" ]; "

static void test_every_key_is_written(void **state _unused_)
{
	static const char cfg[] =
		MASTER BORDER "bgp_node_peers = [ \"172.25.0.4 as 64513\" ];";

	delete_all_keys();
	set("/host/m/bird_ip", "172.25.0.10");
	assert_pool(cfg);
	assert_value("/ipam/v4/pool/10.128.0.0-10",
		     "{\"cidr\": \"10.128.0.0/10\", \"ipip\": \"tunl0\", "
		     "\"masquerade\": true}");
	assert_value("/ipam/v4/pool/10.192.0.0-16", "{\"cidr\": \"10.192.0.0/16\"}");
	assert_value("/config/bgp_as", "4200000010");
	assert_value("/config/bgp_node_mesh", "{\"enabled\": false}");
	assert_value("/config/bgp_peer_v4/172.25.0.2",
		     "{\"ip\": \"172.25.0.2\", \"as_num\": 64512}");
	assert_value("/config/bgp_peer_v4/172.25.0.3",
		     "{\"ip\": \"172.25.0.3\", \"as_num\": \"4200000001\"}");
	assert_value("/host/m/bgp_peer_v4/172.25.0.4",
		     "{\"ip\": \"172.25.0.4\", \"as_num\": 64513}");
	assert_value(POOL, NULL);
	assert_pool_again(cfg);
}

/* A node writes its own peers and none of the cluster's keys. */
static void test_node_writes_only_its_own_peers(void **state _unused_)
{
	delete_all_keys();
	set("/Ready", "true");
	set("/host/node-1/bird_ip", "172.25.0.11");
	assert_pool_again(NODE "bgp_as = 64512;");
	assert_pool(NODE "bgp_as = 64512; bgp_peers = [ \"172.25.0.2 as 64512\" ]; "
			 "bgp_node_peers = [ \"172.25.0.4 as 64513\" ];");
	assert_value("/host/node-1/bgp_peer_v4/172.25.0.4",
		     "{\"ip\": \"172.25.0.4\", \"as_num\": 64513}");
	assert_value("/config/bgp_as", NULL);
	assert_value("/config/bgp_peer_v4/172.25.0.2", NULL);
	assert_value(POOL, NULL);
}

/* Until calico-node has written this host's bird_ip, no key is made below the host's
 * folder: otherwise confd could not render BIRD's configuration on any host of the
 * cluster. */
static void test_own_peers_wait_for_bird_ip(void **state _unused_)
{
	static const char cfg[] = MASTER "bgp_peers = [ \"172.25.0.2 as 64512\" ]; "
					 "bgp_node_peers = [ \"172.25.0.4 as 64513\" ];";
	_cleanup_free_ char *before = NULL;
	struct err e;

	delete_all_keys();
	assert_int_equal(pool(cfg, 1, &e), -1);
	assert_string_equal(e.msg,
			    "pool: BGP peer 172.25.0.4 as 64513: calico-node has not "
			    "written /calico/v1/host/m/bird_ip yet");
	assert_value("/config/bgp_peer_v4/172.25.0.2",
		     "{\"ip\": \"172.25.0.2\", \"as_num\": 64512}");
	assert_value(POOL, "{\"cidr\": \"192.168.0.0/16\"}");
	before = all();
	assert_null(strstr(before, "/calico/v1/host"));
	set("/host/other/bird_ip", "172.25.0.12"); /* another host's */
	assert_int_equal(pool(cfg, 1, &e), -1);
	set("/host/m/bird_ip", "172.25.0.10");
	assert_pool(cfg);
	assert_value("/host/m/bgp_peer_v4/172.25.0.4",
		     "{\"ip\": \"172.25.0.4\", \"as_num\": 64513}");
	assert_pool_again(cfg);
}

/* --- existing keys ------------------------------------------------------------------ */

static void test_operators_flags_are_kept(void **state _unused_)
{
	static const char flags[] = "{\"masquerade\": true, \"cidr\": "
				    "\"192.168.0.0/16\", \"ipip\": \"tunl0\"}";

	delete_all_keys();
	set(POOL, flags);
	assert_pool_again(MASTER);
	assert_value(POOL, flags);
	set(POOL, "{\"cidr\": \"192.168.0.0/16\", \"masquerade\": true, "
		  "\"new\": [\"<\xc3\xa9&\\n\\\"\"]}");
	assert_pool(MASTER "pools = [ \"192.168.0.0/16 ipip\" ];");
	assert_value(POOL, "{\"cidr\": \"192.168.0.0/16\", \"masquerade\": true, "
			   "\"new\": [\"<\xc3\xa9&\\n\\\"\"], \"ipip\": \"tunl0\"}");
}

static void test_configuration_wins_over_etcd(void **state _unused_)
{
	delete_all_keys();
	set("/config/bgp_as", "64600");
	set("/config/bgp_node_mesh", "{\"enabled\": true}");
	set("/config/bgp_peer_v4/172.25.0.2", "{\"ip\": \"172.25.0.2\", \"as_num\": 1}");
	set("/config/bgp_peer_v4/172.25.0.9", "{\"ip\": \"172.25.0.9\", \"as_num\": 9}");
	assert_pool(MASTER); /* has none of these keys */
	assert_value("/config/bgp_as", "64600");
	assert_value("/config/bgp_node_mesh", "{\"enabled\": true}");
	assert_pool(MASTER "bgp_as = 64512; bgp_mesh = false; "
			   "bgp_peers = [ \"172.25.0.2 as 64512\" ];");
	assert_value("/config/bgp_as", "64512");
	assert_value("/config/bgp_node_mesh", "{\"enabled\": false}");
	assert_value("/config/bgp_peer_v4/172.25.0.2",
		     "{\"ip\": \"172.25.0.2\", \"as_num\": 64512}");
	assert_value("/config/bgp_peer_v4/172.25.0.9",
		     "{\"ip\": \"172.25.0.9\", \"as_num\": 9}");
}

static void test_quoted_numbers_count_as_equal(void **state _unused_)
{
	delete_all_keys();
	set("/config/bgp_peer_v4/172.25.0.2",
	    "{\"ip\": \"172.25.0.2\", \"as_num\": \"64512\"}");
	assert_pool(MASTER "bgp_peers = [ \"172.25.0.2 as 64512\" ];");
	assert_value("/config/bgp_peer_v4/172.25.0.2",
		     "{\"ip\": \"172.25.0.2\", \"as_num\": \"64512\"}");
}

/* Values that Calico could not read are replaced. */
static void test_unreadable_values_are_replaced(void **state _unused_)
{
	delete_all_keys();
	set(POOL, "192.168.0.0/16");
	set("/config/bgp_as", "");
	assert_pool(MASTER "bgp_as = 64512;");
	assert_value(POOL, "{\"cidr\": \"192.168.0.0/16\"}");
	assert_value("/config/bgp_as", "64512");
}

/* --- concurrent writers ------------------------------------------------------------- */

#define RACERS 6
#define ROUNDS 4

static int race_pool(const char *cfg, struct err *e)
{
	return pool(cfg, LIMIT_S, e);
}

static int race_ensure(const char *want, struct err *e)
{
	const struct hostport at = {.addr = 0x7f000001, .port = 4001};

	return etcd_ensure(at, "/calico/v1" POOL, want, e);
}

/* Starts a child that calls `what` when all children are ready: it waits until nobody
 * holds the other end of the pipe open. */
static pid_t race(int (*what)(const char *arg, struct err *e), const char *arg,
		  int start[2])
{
	pid_t pid = fork();
	struct err e;
	char c;

	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	close(start[1]);
	if (read(start[0], &c, 1) != 0)
		_exit(2);
	if (what(arg, &e) < 0) {
		fprintf(stderr, "%s\n", e.msg);
		_exit(1);
	}
	_exit(0);
}

/* Starts RACERS children, each with its argument; all must succeed. */
static void run_race(int (*what)(const char *arg, struct err *e),
		     const char *const args[RACERS])
{
	pid_t pids[RACERS];
	int start[2], status;

	assert_int_equal(pipe2(start, O_CLOEXEC), 0);
	for (unsigned i = 0; i < RACERS; i++)
		pids[i] = race(what, args[i], start);
	close(start[0]);
	close(start[1]);
	for (unsigned i = 0; i < RACERS; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
}

/* Masters that want different flags of the same pool all get them. */
static void test_concurrent_masters_agree(void **state _unused_)
{
	static const char ipip[] =
		MASTER "pools = [ \"192.168.0.0/16 ipip\" ]; bgp_as = 64512;";
	static const char nat[] =
		MASTER "pools = [ \"192.168.0.0/16 nat-outgoing\" ]; bgp_as = 64512;";
	static const char *const cfgs[RACERS] = {ipip, nat, ipip, nat, ipip, nat};

	for (unsigned round = 0; round < ROUNDS; round++) {
		_cleanup_free_ char *text = NULL;

		delete_all_keys();
		run_race(race_pool, cfgs);
		text = value(POOL);
		assert_has(text, "\"cidr\": \"192.168.0.0/16\"");
		assert_has(text, "\"ipip\": \"tunl0\"");
		assert_has(text, "\"masquerade\": true");
		assert_value("/config/bgp_as", "64512");
	}
}

/* Each child adds a member to the same value: no member is lost, in any order of the
 * writes. */
static void test_concurrent_writers_lose_nothing(void **state _unused_)
{
	static const char *const wants[RACERS] = {"{\"a\": 1}", "{\"b\": 2}",
						  "{\"c\": 3}", "{\"d\": 4}",
						  "{\"e\": 5}", "{\"f\": 6}"};

	for (unsigned round = 0; round < ROUNDS; round++) {
		_cleanup_free_ char *text = NULL;

		delete_all_keys();
		set(POOL, "{\"cidr\": \"192.168.0.0/16\"}");
		run_race(race_ensure, wants);
		text = value(POOL);
		assert_has(text, "\"cidr\": \"192.168.0.0/16\"");
		for (unsigned i = 0; i < RACERS; i++)
			if (!etcd_contains(text, wants[i], NULL))
				fail_msg("round %u: %s is not in %s", round, wants[i],
					 text);
	}
}

/* --- lost keys ---------------------------------------------------------------------- */

static void heal(const char *cmdline)
{
	_cleanup_machine_ struct machine m;
	struct err e;

	machine_make(&m);
	add_link(&m, "eth0", NODE_MAC, 2, true);
	write_file(&m, HOST_CFG,
		   MASTER "nat = false; bgp_as = 64512; "
			  "bgp_node_peers = [ \"172.25.0.4 as 64513\" ];");
	m.fb.cmdline = cmdline;
	if (cmd_heal(&m.fb, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

static void test_heal_restores_lost_keys(void **state _unused_)
{
	_cleanup_free_ char *before = NULL, *after = NULL;

	delete_all_keys();
	heal("");
	assert_value(POOL, "{\"cidr\": \"192.168.0.0/16\"}");
	assert_value("/config/bgp_as", "64512");
	before = all();
	assert_null(strstr(before, "/calico/v1/host"));
	set("/host/m/bird_ip", "172.25.0.10");
	heal("");
	assert_value("/host/m/bgp_peer_v4/172.25.0.4",
		     "{\"ip\": \"172.25.0.4\", \"as_num\": 64513}");
	free(before);
	before = all();
	heal("");
	heal("rackstrap.etcd=127.0.0.1:4009"); /* without etcd, heal does nothing */
	after = all();
	assert_string_equal(before, after);
}

/* --- failures of etcd --------------------------------------------------------------- */

static const char *const elsewhere = "name = \"m\"; role = \"master\"; address = "
				     "\"172.25.0.10/24\"; etcd = \"127.0.0.1:4009\";";

#define KEY_NOT_FOUND "{\"errorCode\":100,\"message\":\"Key not found\",\"index\":7}"

/* A 404 that is not etcd's own says nothing about the key. */
static unsigned no_etcd(const char *request, const char *content _unused_,
			const char **body)
{
	*body = "{\"code\":404,\"message\":\"the server could not find it\"}";
	return str_after(request, "PUT ") ? 201 : 404;
}

/* The value changes between every read and write. */
static unsigned changing_value(const char *request, const char *content _unused_,
			       const char **body)
{
	*body = "{\"node\":{\"value\":\"x\",\"modifiedIndex\":7}}";
	return str_after(request, "PUT ") ? 412 : 200;
}

static unsigned no_json(const char *request _unused_, const char *content _unused_,
			const char **body)
{
	*body = "<html>";
	return 200;
}

static unsigned full(const char *request, const char *content _unused_, const char **body)
{
	*body = KEY_NOT_FOUND;
	return str_after(request, "PUT ") ? 507 : 404;
}

/* Two requests fail, then the server keeps the value that was written. */
static unsigned starting_etcd(const char *request, const char *content _unused_,
			      const char **body)
{
	static int asked;

	*body = "{\"node\":{\"value\":\"{\\\"cidr\\\":\\\"192.168.0.0/16\\\"}\","
		"\"modifiedIndex\":7}}";
	asked++;
	if (asked <= 2)
		return 500;
	if (asked == 3)
		*body = KEY_NOT_FOUND;
	return asked == 3 ? 404 : str_after(request, "PUT ") ? 201 : 200;
}

#define URL "http://127.0.0.1:4009/v2/keys/calico/v1" POOL

/* Answers as late as an etcd that has just started or gets little processor time. */
static unsigned slow(const char *request, const char *content _unused_, const char **body)
{
	static bool written;

	sleep_ms(1500);
	written = written || str_after(request, "PUT ");
	*body = written ? "{\"node\":{\"value\":\"{\\\"cidr\\\":\\\"192.168.0.0/"
			  "16\\\"}\","
			  "\"modifiedIndex\":8}}"
			: KEY_NOT_FOUND;
	return !written ? 404 : str_after(request, "PUT ") ? 201 : 200;
}

static void test_slow_etcd_is_waited_for(void **state _unused_)
{
	_cleanup_server_ struct server s;
	struct err e;

	server_start(&s, 4009, slow);
	if (pool(elsewhere, 1, &e) < 0)
		fail_msg("%s", e.msg);
}

static void test_strange_answers_are_errors(void **state _unused_)
{
	static const struct {
		answer_fn *answer;
		const char *msg;
	} cases[] = {
		{changing_value,
		 URL " does not keep the value '{\"cidr\": \"192.168.0.0/16\"}'"},
		{no_json, "etcd answered 200 to GET " URL ", without a value"},
		{no_etcd, "etcd answered 404 to GET " URL ", without a value"},
		{full, "etcd answered 507 to PUT " URL "?prevExist=false"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_server_ struct server s;
		_cleanup_free_ char *want =
			xasprintf("pool: pool 192.168.0.0/16: %s", cases[i].msg);
		struct err e;

		server_start(&s, 4009, cases[i].answer);
		assert_int_equal(pool(elsewhere, 1, &e), -1);
		assert_string_equal(e.msg, want);
	}
}

/* First nobody listens, then the server answers errors, then like etcd. */
static void test_absent_etcd_is_waited_for(void **state _unused_)
{
	_cleanup_free_ char *log = NULL;
	_cleanup_server_ struct server s;
	struct err e;

	assert_int_equal(pool(elsewhere, 1, &e), -1);
	assert_has(e.msg, "pool: pool 192.168.0.0/16: curl exited with 7");
	server_start(&s, 4009, starting_etcd);
	assert_int_equal(pool(elsewhere, LIMIT_S, &e), 0);
	log = server_log(&s);
	assert_has(log, "PUT /v2/keys/calico/v1" POOL
			"?prevExist=false value=%7B%22cidr%22%3A");
}

/* Hosts without Calico have nothing to write and do not look for etcd. */
static void test_role_without_calico_has_no_keys(void **state _unused_)
{
	_cleanup_calico_keys_ struct calico_keys k = {0};
	struct role plain = {.name = (char[]){"plain"}};
	_cleanup_host_ struct host h;

	host_init(&h);
	assert_int_equal(host_set(&h, "name", "p", "host.cfg", 1, NULL), 0);
	assert_int_equal(host_set(&h, "bgp_as", "64512", "host.cfg", 2, NULL), 0);
	host_derive(&h, &(struct roles){0});
	calico_keys_make(&k, &h, &plain);
	assert_int_equal(k.n, 0);
}

/* A host without calico-node writes no peers of its own: its bird_ip would never
 * appear. */
static void test_role_without_calico_node_has_no_peers(void **state _unused_)
{
	char *units[] = {(char *)"calico-node.service", NULL};
	struct role role = {.name = (char[]){"node"},
			    .features = FEATURE_BIT(FEATURE_CALICO)};
	_cleanup_calico_keys_ struct calico_keys without = {0}, with = {0};
	_cleanup_host_ struct host h;

	host_init(&h);
	assert_int_equal(host_set(&h, "name", "p", "host.cfg", 1, NULL), 0);
	assert_int_equal(host_set(&h, "bgp_node_peers", "172.25.0.4 as 64513", "host.cfg",
				  2, NULL),
			 0);
	host_derive(&h, &(struct roles){0});
	calico_keys_make(&without, &h, &role);
	assert_int_equal(without.n, 0);
	role.units = units;
	calico_keys_make(&with, &h, &role);
	assert_int_equal(with.n, 1);
	assert_true(with.v[0].own);
}

static int loopback_up(void)
{
	_cleanup_rtnl_ struct rtnl r = {.fd = -1};
	struct rtnl_link lo;
	int ret = rtnl_open(&r);

	if (ret == 0)
		ret = rtnl_link_get(&r, "lo", &lo);
	return ret < 0 ? ret : rtnl_link_set_up(&r, lo.index, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_role_without_calico_has_no_keys),
		cmocka_unit_test(test_role_without_calico_node_has_no_peers),
		cmocka_unit_test(test_pod_network_becomes_a_pool),
		cmocka_unit_test(test_every_key_is_written),
		cmocka_unit_test(test_node_writes_only_its_own_peers),
		cmocka_unit_test(test_own_peers_wait_for_bird_ip),
		cmocka_unit_test(test_operators_flags_are_kept),
		cmocka_unit_test(test_configuration_wins_over_etcd),
		cmocka_unit_test(test_quoted_numbers_count_as_equal),
		cmocka_unit_test(test_unreadable_values_are_replaced),
		cmocka_unit_test(test_concurrent_masters_agree),
		cmocka_unit_test(test_concurrent_writers_lose_nothing),
		cmocka_unit_test(test_heal_restores_lost_keys),
		cmocka_unit_test(test_strange_answers_are_errors),
		cmocka_unit_test(test_slow_etcd_is_waited_for),
		cmocka_unit_test(test_absent_etcd_is_waited_for),
	};
	struct etcd_server etcd;
	int r = become_root(CLONE_NEWNET | CLONE_NEWNS);

	if (r == 0)
		r = loopback_up();
	if (r < 0) {
		fprintf(stderr, "a network of our own: %s\n", strerror(-r));
		return 1;
	}
	if (etcd_start(&etcd) < 0)
		return 1;
	r = cmocka_run_group_tests_name("firstboot-pool", tests, NULL, NULL);
	etcd_stop(&etcd);
	return r;
}
