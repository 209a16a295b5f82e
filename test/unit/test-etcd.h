/* SPDX-License-Identifier: Apache-2.0 */
/* A real etcd on the loopback link, the keys that it has, and runs of `firstboot pool`
 * against it. */
#pragma once

#include "firstboot/feature/calico.h"
#include "firstboot/feature/etcd.h"
#include "lib/run.h"
#include "test-firstboot-http.h"
#include "test-firstboot-root.h"

#include <jansson.h>
#include <sys/mount.h>

#define ETCD    "http://127.0.0.1:4001"
#define KEYS    ETCD "/v2/keys/calico"
#define LIMIT_S 120 /* time limit for etcd, on a loaded machine */

/* Roles with an etcd, or a proxy of it, on every host. */
#define ROLES                                                                            \
	"roles = ( { name = \"master\"; features = [ \"kubernetes-master\", \"nat\", "   \
	"\"calico\", \"docker\", \"network-environment\" ]; "                            \
	"units = [ \"etcd.service\", \"calico-node.service\" ]; },\n"                    \
	"{ name = \"node\"; features = [ \"kubernetes\", \"cbr0\", \"nat\", "            \
	"\"calico\", \"docker\", \"network-environment\" ]; units = [ "                  \
	"\"etcd.service\", "                                                             \
	"\"calico-node.service\" ]; } );\n"

struct etcd_server {
	char dir[64];
	struct child child;
};

static void etcd_stop(struct etcd_server *s)
{
	child_done(&s->child);
	umount2(s->dir, MNT_DETACH);
	(void)!rm_rf_at(AT_FDCWD, s->dir);
}

/* etcd syncs every write, which takes seconds on a busy disk: it gets a tmpfs. */
static int etcd_start(struct etcd_server *s)
{
	const char *const argv[] = {"etcd",
				    "--name=test",
				    "--data-dir",
				    s->dir,
				    "--enable-v2",
				    "--listen-client-urls=" ETCD,
				    "--advertise-client-urls=" ETCD,
				    "--listen-peer-urls=http://127.0.0.1:7001",
				    "--initial-advertise-peer-urls=http://127.0.0.1:7001",
				    "--initial-cluster=test=http://127.0.0.1:7001",
				    NULL};
	const struct run r = {.argv = argv};
	uint64_t end = now_ms() + LIMIT_S * 1000;
	unsigned status = 0;
	struct err e;

	*s = (struct etcd_server){.dir = "/tmp/test-etcd.XXXXXX"};
	if (!mkdtemp(s->dir) || mount("none", s->dir, "tmpfs", 0, NULL) < 0) {
		fprintf(stderr, "%s: %s\n", s->dir, strerror(errno));
		return -1;
	}
	if (run_start(&r, &s->child, &e) < 0) {
		fprintf(stderr, "etcd (package etcd-server): %s\n", e.msg);
		return -1;
	}
	while (now_ms() < end) {
		if (http_get(ETCD "/health", &status, NULL, &e) == 0 && status == 200)
			return 0;
		sleep_ms(50);
	}
	fprintf(stderr, "etcd does not answer: %s\n", e.msg);
	etcd_stop(s);
	return -1;
}

static void delete_all_keys(void)
{
	const char *const argv[] = {"curl", "-sS", "-X", "DELETE", KEYS "?recursive=true",
				    NULL};
	const struct run r = {.argv = argv};
	_cleanup_free_ char *answer = NULL;
	struct err e;

	assert_int_equal(run_capture(&r, &answer, NULL, &e), 0);
}

/* Returns all keys, in etcd's own answer, which changes with every write. Owned by the
 * caller. */
static char *all(void)
{
	_cleanup_free_ char *body = NULL;
	unsigned status;
	struct err e;

	assert_int_equal(http_get(KEYS "?recursive=true&sorted=true", &status, &body, &e),
			 0);
	assert_int_equal(status, 200);
	return TAKE_PTR(body);
}

/* Returns the value of /calico/v1 + key, or NULL when there is none. Owned by the
 * caller. */
static char *value(const char *key)
{
	_cleanup_free_ char *url = xasprintf(KEYS "/v1%s", key), *body = NULL;
	json_t *answer;
	unsigned status;
	struct err e;
	char *text;

	assert_int_equal(http_get(url, &status, &body, &e), 0);
	if (status == 404)
		return NULL;
	answer = json_loads(body, 0, NULL);
	text = xstrdup(json_string_value(
		json_object_get(json_object_get(answer, "node"), "value")));
	json_decref(answer);
	return text;
}

static void assert_value(const char *key, const char *want)
{
	_cleanup_free_ char *text = value(key);

	if (!want) {
		assert_null(text);
		return;
	}
	if (!text)
		fail_msg("there is no %s", key);
	assert_string_equal(text, want);
}

static void set(const char *key, const char *text)
{
	_cleanup_free_ char *url = xasprintf(KEYS "/v1%s", key),
			    *field = xasprintf("value=%s", text);
	unsigned status;
	struct err e;

	assert_int_equal(http_put_form(url, field, &status, &e), 0);
	assert_int_equal(status / 100, 2);
}

/* Runs `pool` on a host with this configuration. */
static int pool(const char *cfg, unsigned timeout, struct err *e)
{
	_cleanup_machine_ struct machine m;

	machine_make(&m);
	write_file(&m, HOST_CFG, cfg);
	write_file(&m, "usr/lib/rackstrap/roles.cfg", ROLES);
	m.fb.timeout = timeout;
	return cmd_pool(&m.fb, NULL, e);
}

static void assert_pool(const char *cfg)
{
	struct err e;

	if (pool(cfg, LIMIT_S, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Runs `pool` again and checks that it writes nothing. */
static void assert_pool_again(const char *cfg)
{
	_cleanup_free_ char *before = all(), *after = NULL;

	assert_pool(cfg);
	after = all();
	assert_string_equal(before, after);
}
