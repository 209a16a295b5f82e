/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stand-in for calicoctl 0.4.8: its usage, parsed as strictly as docopt does; its keys in
 * etcd; its checks of the system; and its container calico-node, which the real Docker
 * runs with this same program inside. It does not implement policy and the containers'
 * interfaces: those commands are recognised and refused by name.
 *
 * Inside the container it runs as `calicoctl standin-sleep`: it waits for etcd, then does
 * the work described in common/calico-service.c.
 */
#include "lib/net.h"
#include "lib/run.h"
#include "test/standin/common/calico-bird.h"
#include "test/standin/common/calico.h"
#include "test/standin/common/onefile.h"
#include "test/standin/common/standin.h"
#include "test/standin/common/usage.h"

#include <fcntl.h>

#define ETCD_TRIES 30

static const struct standin standin = {.name = "calicoctl", .version = CALICO_VERSION};

struct command {
	struct usage usage;
	int (*run)(struct calico *c, const struct args *a, struct err *e);
};

/* --- checksystem ------------------------------------------------------------------- */

static int command(const char *const *argv)
{
	_cleanup_close_ int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	struct err e;
	int r = run(
		&(struct run){.argv = argv, .timeout_ms = 30000, .out = null, .err = -1},
		&e);

	if (r < 0)
		fprintf(stderr, "%s\n", e.msg);
	return r;
}

static bool module_loaded(const char *name)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/modules", "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (str_after(line, name))
			return true;
	return false;
}

static bool check_modules(bool fix)
{
	bool ok = true;

	if (command((const char *[]){"ip6tables", "-L", NULL}) < 0 &&
	    (!fix || command((const char *[]){"modprobe", "ip6_tables", NULL}) < 0)) {
		fprintf(stderr,
			"ERROR: Could not enable ip6tables: ip6_tables is missing.\n");
		ok = false;
	}
	if (!module_loaded("xt_set") &&
	    (!fix || command((const char *[]){"modprobe", "xt_set", NULL}) < 0)) {
		fprintf(stderr, "%s: module xt_set is not loaded\n",
			fix ? "ERROR" : "WARNING");
		ok = false;
	}
	return ok;
}

static bool check_forwarding(bool fix)
{
	static const char *const keys[] = {"net.ipv4.ip_forward",
					   "net.ipv6.conf.all.forwarding"};
	bool ok = true;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		_cleanup_free_ char *set = xasprintf("%s=1", keys[i]);

		if (command((const char *[]){"sysctl", "-n", keys[i], NULL}) < 0 ||
		    (fix && command((const char *[]){"sysctl", "-w", set, NULL}) < 0)) {
			fprintf(stderr, "ERROR: %s cannot be set\n", keys[i]);
			ok = false;
		}
	}
	return ok;
}

static bool check_docker(struct calico *c)
{
	struct err e;
	int version = docker_api_version(&c->docker, NULL, &e);

	if (version >= 1016)
		return true;
	if (version < 0)
		fprintf(stderr, "ERROR: Docker is not running: %s\n", e.msg);
	else
		fprintf(stderr, "ERROR: Docker's API is %d.%d, needed is 1.16 or newer\n",
			version / 1000, version % 1000);
	return false;
}

static bool check_system(struct calico *c, bool fix)
{
	bool modules = check_modules(fix), forwarding = check_forwarding(fix);

	return check_docker(c) && modules && forwarding;
}

static int run_checksystem(struct calico *c, const struct args *a, struct err *e)
{
	if (!check_system(c, args_option(a, "--fix") != NULL))
		return err_set(e, ERR_FAILED, "the system is not ready for Calico");
	return 0;
}

/* --- node -------------------------------------------------------------------------- */

static int run_node(struct calico *c, const struct args *a, struct err *e)
{
	const char *ip = args_option(a, "--ip"), *ip6 = args_option(a, "--ip6");
	const char *image = args_option(a, "--node-image");
	_cleanup_free_ char *id = NULL;
	uint32_t addr;

	if (net_parse_addr(ip, &addr) < 0)
		return err_set(e, ERR_FAILED, "--ip=%s: not an IPv4 address", ip);
	check_system(c, false); /* warnings only */
	if (calico_set_up(c, ip, ip6 ? ip6 : "", e) < 0)
		return -1;
	if (calico_container_run(c, image ? image : CALICO_NODE_IMAGE, ip, ip6 ? ip6 : "",
				 &id, e) < 0)
		return -1;
	printf("Calico node is running with id: %s\n", id);
	return 0;
}

static int run_node_stop(struct calico *c, const struct args *a, struct err *e)
{
	_cleanup_free_ char *key = xasprintf("/calico/v1/host/%s", c->host);

	(void)a;
	if (etcd_delete(&c->etcd, key, e) < 0 || calico_container_stop(c, e) < 0)
		return -1;
	puts("Node stopped and all configuration removed");
	return 0;
}

static int run_status(struct calico *c, const struct args *a, struct err *e)
{
	int r = calico_container_running(c, e);
	struct err bird;

	(void)a;
	if (r < 0)
		return -1;
	if (r == 0) {
		puts("calico-node container not running");
		return 0;
	}
	puts("calico-node container is running (rackstrap's stand-in)\n\n"
	     "IPv4 BGP status");
	if (calico_bird_show(&bird) < 0)
		puts(bird.msg);
	return 0;
}

/* --- pools and BGP ----------------------------------------------------------------- */

static int run_pool_change(struct calico *c, const struct args *a, struct err *e)
{
	const char *cidr = a->words[2];
	int r;

	if (streq(a->words[1], "add"))
		return calico_pool_add(c, cidr, args_option(a, "--ipip") != NULL,
				       args_option(a, "--nat-outgoing") != NULL, e);
	r = calico_pool_remove(c, cidr, e);
	if (r == 0)
		printf("%s is not a configured pool.\n", cidr);
	return r < 0 ? -1 : 0;
}

static int show(struct calico *c, const char *dir, const char *title, struct err *e)
{
	_cleanup_strv_ char **values = NULL;

	if (calico_values(c, dir, &values, e) < 0)
		return -1;
	puts(title);
	for (size_t i = 0; i < strv_len(values); i++)
		printf("  %s\n", values[i]);
	return 0;
}

static int run_pool_show(struct calico *c, const struct args *a, struct err *e)
{
	if (!args_option(a, "--ipv6") && show(c, "/ipam/v4/pool", "IPv4 pools", e) < 0)
		return -1;
	return args_option(a, "--ipv4") ? 0 : show(c, "/ipam/v6/pool", "IPv6 pools", e);
}

/* Returns the key of a BGP peer: of the cluster for "bgppeer ...", of this host for "node
 * bgppeer ...". */
static char *peer_key(const struct calico *c, bool node, const char *ip)
{
	const char *family = strchr(ip, ':') ? "v6" : "v4";

	return node ? xasprintf("/calico/v1/host/%s/bgp_peer_%s/%s", c->host, family, ip)
		    : xasprintf("/calico/v1/config/bgp_peer_%s/%s", family, ip);
}

static int run_bgppeer(struct calico *c, const struct args *a, struct err *e)
{
	bool node = streq(a->words[0], "node");
	char **words = a->words + (node ? 2 : 1);
	_cleanup_free_ char *key = peer_key(c, node, words[1]), *value = NULL;
	uint64_t as;

	if (streq(words[0], "remove"))
		return etcd_delete(&c->etcd, key, e) < 0 ? -1 : 0;
	if (str_to_u64(words[3], UINT32_MAX, &as) < 0 || as == 0)
		return err_set(e, ERR_FAILED, "Invalid AS number %s", words[3]);
	value = xasprintf("{\"ip\": \"%s\", \"as_num\": %llu}", words[1],
			  (unsigned long long)as);
	return etcd_put(&c->etcd, key, value, ETCD_ALWAYS, 0, NULL, e) < 0 ? -1 : 0;
}

static int run_bgppeer_show(struct calico *c, const struct args *a, struct err *e)
{
	bool node = streq(a->words[0], "node");
	_cleanup_free_ char *dir = node ? xasprintf("/host/%s/bgp_peer_v4", c->host)
					: xstrdup("/config/bgp_peer_v4");

	return show(c, dir, "BGP peers", e);
}

static int show_or_set(struct calico *c, const char *key, const char *value,
		       const char *fallback, struct err *e)
{
	_cleanup_json_t_ json_t *node = NULL;
	int r;

	if (value)
		return etcd_put(&c->etcd, key, value, ETCD_ALWAYS, 0, NULL, e) < 0 ? -1
										   : 0;
	r = etcd_get(&c->etcd, key, &node, e);
	if (r < 0)
		return -1;
	puts(r ? etcd_node_value(node) : fallback);
	return 0;
}

static int run_default_as(struct calico *c, const struct args *a, struct err *e)
{
	uint64_t as;

	if (a->words[1] && (str_to_u64(a->words[1], UINT32_MAX, &as) < 0 || as == 0))
		return err_set(e, ERR_FAILED, "Invalid AS number %s", a->words[1]);
	return show_or_set(c, "/calico/v1/config/bgp_as", a->words[1], "64511", e);
}

static int run_mesh(struct calico *c, const struct args *a, struct err *e)
{
	const char *word = a->words[1], *value = NULL;

	if (word)
		value = streq(word, "on") ? "{\"enabled\": true}"
					  : "{\"enabled\": false}";
	return show_or_set(c, "/calico/v1/config/bgp_node_mesh", value,
			   "{\"enabled\": true}", e);
}

static int run_unsupported(struct calico *c, const struct args *a, struct err *e)
{
	(void)c;
	return err_set(e, ERR_FAILED,
		       "calicoctl %s: rackstrap's stand-in does not do that",
		       a->words[0]);
}

#define FILTERS "--host --orchestrator --workload --endpoint"

static const struct command commands[] = {
	{{"node", "--ip --node-image --ip6 --as", "--ip"}, run_node},
	{{"node stop", "--force", NULL}, run_node_stop},
	{{"node bgppeer add <PEER_IP> as <AS_NUM>", "", NULL}, run_bgppeer},
	{{"node bgppeer remove <PEER_IP>", "", NULL}, run_bgppeer},
	{{"node bgppeer show", "--ipv4 --ipv6", NULL}, run_bgppeer_show},
	{{"status", "", NULL}, run_status},
	{{"pool add|remove <CIDR>", "--ipip --nat-outgoing", NULL}, run_pool_change},
	{{"pool show", "--ipv4 --ipv6", NULL}, run_pool_show},
	{{"default-node-as [<AS_NUM>]", "", NULL}, run_default_as},
	{{"bgppeer add <PEER_IP> as <AS_NUM>", "", NULL}, run_bgppeer},
	{{"bgppeer remove <PEER_IP>", "", NULL}, run_bgppeer},
	{{"bgppeer show", "--ipv4 --ipv6", NULL}, run_bgppeer_show},
	{{"bgp-node-mesh [on|off]", "", NULL}, run_mesh},
	{{"checksystem", "--fix", NULL}, run_checksystem},
	{{"diags", "--upload", NULL}, run_unsupported},
	{{"profile show", "--detailed", NULL}, run_unsupported},
	{{"profile add|remove <PROFILE>", "", NULL}, run_unsupported},
	{{"profile <PROFILE> tag show", "", NULL}, run_unsupported},
	{{"profile <PROFILE> tag add|remove <TAG>", "", NULL}, run_unsupported},
	{{"profile <PROFILE> rule <RULE>...", "--at", NULL}, run_unsupported},
	{{"container <CONTAINER> ip add|remove <IP>", "--interface", NULL},
	 run_unsupported},
	{{"container <CONTAINER> endpoint-id show", "", NULL}, run_unsupported},
	{{"container add <CONTAINER> <IP>", "--interface", NULL}, run_unsupported},
	{{"container remove <CONTAINER>", "--force", NULL}, run_unsupported},
	{{"endpoint show", FILTERS " --detailed", NULL}, run_unsupported},
	{{"endpoint <ENDPOINT_ID> profile append|remove|set [<PROFILES>]...", FILTERS,
	  NULL},
	 run_unsupported},
	{{"endpoint <ENDPOINT_ID> profile show", FILTERS, NULL}, run_unsupported},
};

/* --- main -------------------------------------------------------------------------- */

/* Prints the usage text, which is also docopt's only answer to an unknown command
 * line. */
static void print_usage(void)
{
	puts("Usage:");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		usage_print(&commands[i].usage, "calicoctl");
}

/* Waits until etcd answers: it may be down for a moment when Docker starts the
 * container. */
static int wait_for_etcd(struct calico *c, struct err *e)
{
	for (int i = 0;; i++) {
		_cleanup_json_t_ json_t *ready = NULL;
		int r = etcd_get(&c->etcd, "/calico/v1/Ready", &ready, e);

		if (r > 0)
			return 0;
		if (r == 0)
			err_set(e, ERR_FAILED, "etcd has no /calico/v1/Ready");
		if (i == ETCD_TRIES)
			return -1;
		pause_ms(1000);
	}
}

static int sleep_in_container(struct calico *c, struct err *e)
{
	return wait_for_etcd(c, e) < 0 ? -1 : calico_service(c, e);
}

static int run_command(struct calico *c, const struct args *a, struct err *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!usage_fits(&commands[i].usage, a))
			continue;
		if (geteuid() != 0) {
			fprintf(stderr, "This command must be run as root.\n");
			exit(2);
		}
		return calico_open(c, e) < 0 ? -1 : commands[i].run(c, a, e);
	}
	print_usage();
	exit(1);
}

int main(int argc, char **argv)
{
	struct args args = {0};
	struct calico c;
	struct err e;
	char banner[128];
	int r;

	if (argc < 2 || !streq(argv[1], CALICO_STANDIN_WORD))
		onefile_unpack();
	standin_banner(&standin, banner, sizeof(banner));
	if (argc == 2 && (streq(argv[1], "--help") || streq(argv[1], "-h"))) {
		print_usage();
		return 0;
	}
	puts(banner);
	fflush(stdout);
	if (argc == 2 && streq(argv[1], "--version"))
		return 0;
	if (args_read(&args, argc, argv) < 0) {
		print_usage();
		return 1;
	}
	if (argc == 2 && streq(argv[1], CALICO_STANDIN_WORD))
		r = calico_open(&c, &e) < 0 ? -1 : sleep_in_container(&c, &e);
	else
		r = run_command(&c, &args, &e);
	args_done(&args);
	if (r < 0) {
		fprintf(stderr, "%s\n", e.msg);
		return 1;
	}
	return 0;
}
